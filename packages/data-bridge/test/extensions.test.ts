import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { audit, softDelete, withActor } from '../src/extensions.ts';
import { scopedStages } from '../src/aggregate/scoped-stages.ts';
import { definitionKey } from '../src/definition/model-definition.ts';
import { DocumentNotFoundError, extension, type Extension, model, UsageError, ValidationError } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

class Post extends model(
  'ext_posts',
  { title: z.string(), n: z.int().default(0), ...softDelete.fields, ...audit.fields },
  { extensions: [softDelete, audit] },
) {}

class Kept extends model(
  'ext_kept',
  { title: z.string(), ...softDelete.fields },
  { extensions: [softDelete], history: true, version: 'v', timestamps: true },
) {}

let only: Record<string, unknown> | null = null;
let asked = 0;
const chosen = extension({
  name: 'chosen',
  fields: { place: z.string().default('') },
  scope() {
    asked += 1;
    return only;
  },
});
class Chosen extends model('ext_chosen', { n: z.int(), ...chosen.fields }, { extensions: [chosen] }) {}

const database = useDatabase();
beforeEach(async () => {
  await Promise.all(['ext_posts', 'ext_kept', 'ext_chosen'].map((name) => database.db.collection(name).deleteMany({})));
  only = null;
  asked = 0;
});

const titles = async (): Promise<string[]> =>
  Post.find()
    .sort('title')
    .map(({ title }) => title);
const stored = async (title: string) => Post.collection.findOne({ title });

describe('softDelete', () => {
  it('deletes a document once, and then really, if asked', async () => {
    const post = await Post.create({ title: 'a' });
    expect(await post.delete()).toBe(true);
    const when = post.deletedAt;
    database.sent();
    expect(await post.delete()).toBe(false);
    expect(database.sent()).toEqual([]);
    expect((await stored('a'))?.['deletedAt']).toEqual(when);
    expect(await post.delete({ hard: true })).toBe(true);
    expect(await stored('a')).toBeNull();
  });

  const deletions: readonly (readonly [string, (post: Post) => Promise<unknown>, unknown])[] = [
    ['delete()', (post) => post.delete(), true],
    ['deleteOne', () => Post.deleteOne({ title: 'a' }), { acknowledged: true, deletedCount: 1 }],
    ['deleteMany', () => Post.deleteMany({ title: 'a' }), { acknowledged: true, deletedCount: 1 }],
    ['find().delete', () => Post.find({ title: 'a' }).delete(), { acknowledged: true, deletedCount: 1 }],
    ['findOneAndDelete', async () => (await Post.findOneAndDelete({ title: 'a' }))?.deletedAt, null],
    [
      'bulk().deleteOne',
      () => Post.bulk().deleteOne({ title: 'a' }).execute(),
      [{ operation: 'deleteOne', deletedCount: 1 }],
    ],
    [
      'bulk().deleteMany',
      () => Post.bulk().deleteMany({ title: 'a' }).execute(),
      [{ operation: 'deleteMany', deletedCount: 1 }],
    ],
  ];

  it.each(deletions)('%s notes the time, and the document is found no more', async (_, remove, told) => {
    const [post] = await Post.insertMany([{ title: 'a' }, { title: 'b' }]);
    expect(await remove(post as Post)).toEqual(told);
    expect(await titles()).toEqual(['b']);
    expect(await stored('a')).toMatchObject({ deletedAt: expect.any(Date) as Date });
    expect(await stored('b')).toMatchObject({ deletedAt: null });
    // Once more deletes nothing.
    expect(await Post.deleteMany({ title: 'a' })).toMatchObject({ deletedCount: 0 });
  });

  it.each([
    ['delete()', (post: Post) => post.delete({ hard: true })],
    ['deleteOne', () => Post.deleteOne({ title: 'a' }, { hard: true })],
    ['deleteMany', () => Post.deleteMany({ title: 'a' }, { hard: true })],
    ['find().delete', () => Post.find({ title: 'a' }).delete({ hard: true })],
    ['findOneAndDelete', () => Post.findOneAndDelete({ title: 'a' }, { hard: true })],
    ['bulk', () => Post.bulk().deleteOne({ title: 'a' }, { hard: true }).execute()],
  ] as const)('%s with { hard: true } deletes', async (_, remove) => {
    await remove(await Post.create({ title: 'a' }));
    expect(await stored('a')).toBeNull();
  });

  it('a deleted document shows when, is found by unscoped, and can be brought back', async () => {
    const post = await Post.create({ title: 'a' });
    expect(post.deletedAt).toBeNull();
    await post.delete();
    expect(post.deletedAt).toBeInstanceOf(Date);
    expect(post.isModified()).toBe(false);
    await expect(post.save())
      .resolves.toBe(post)
      .catch(() => undefined);
    post.title = 'x';
    await expect(post.save()).rejects.toThrow(DocumentNotFoundError);
    expect(await Post.findById(post._id)).toBeNull();
    const found = await Post.findById(post._id, { unscoped: ['softDelete'] });
    if (found === null) throw new Error('It is there.');
    found.deletedAt = null;
    await found.save();
    expect(await titles()).toEqual(['a']);
    await Post.deleteMany({});
    expect(await Post.deleteMany({}, { hard: true, unscoped: true })).toMatchObject({ deletedCount: 1 });
  });

  it('what another writer deleted is not saved any more', async () => {
    const post = await Post.create({ title: 'a' });
    await Post.deleteMany({});
    post.title = 'b';
    await expect(post.save()).rejects.toThrow(DocumentNotFoundError);
    await expect(Post.saveAll([post, new Post({ title: 'c' })])).rejects.toThrow('1 of 2');
    await expect(post.reload()).rejects.toThrow(DocumentNotFoundError);
    await post.reload({ unscoped: true });
    expect(post.deletedAt).toBeInstanceOf(Date);
    expect(await titles()).toEqual(['c']);
  });

  it('with a history, a version and times: the deletion is an update that counts', async () => {
    const kept = await Kept.create({ title: 'a' });
    await kept.delete();
    const raw = await Kept.collection.findOne({ _id: kept._id });
    expect(raw).toMatchObject({ v: 2, _rev: 2, deletedAt: expect.any(Date) as Date });
    expect((await kept.$history()).items.map(({ kind }) => kind)).toEqual(['update', 'insert']);
    expect(await Kept.asOf(kept._id, 1)).toMatchObject({ title: 'a' });
    expect(await Kept.asOf(kept._id, 2)).toBeNull();
    expect(await Kept.asOf(kept._id, 2, { unscoped: true })).toMatchObject({ title: 'a' });
    const [found] = await Kept.find().unscoped();
    await found?.delete({ hard: true });
    expect(await Kept.collection.countDocuments()).toBe(0);
    const restored = await Kept.restore(kept._id);
    expect(restored.deletedAt).toBeInstanceOf(Date);
  });

  it('an upsert inserts beside what was deleted', async () => {
    await Post.create({ title: 'a', n: 1 });
    await Post.deleteMany({});
    const post = await Post.upsert({ title: 'a' }, { $set: { n: 2 } });
    expect([post.n, post.deletedAt, await Post.count(), await Post.find().unscoped().count()]).toEqual([2, null, 1, 2]);
  });
});

describe('audit', () => {
  it('keeps who made a document, whatever a program says; a replacement makes another one', async () => {
    const post = await withActor('ann', () => Post.create({ title: 'a' }));
    expect(() => post.assign({ createdBy: 'x' })).toThrow('"createdBy"');
    expect(() => (post.createdAt = new Date(0))).toThrow('written once');
    await expect(Post.updateMany({}, { $set: { createdBy: 'x' } })).rejects.toThrow('written once');
    await expect(Post.updateOne({}, [{ $unset: 'createdAt' }])).rejects.toThrow('written once');
    expect((await stored('a'))?.['createdBy']).toBe('ann');
    await withActor('bob', () => Post.replaceOne({ title: 'a' }, { title: 'b', createdBy: 'x' }));
    await withActor('bob', () => Post.bulk().replaceOne({ title: 'b' }, { title: 'c', createdBy: 'x' }).execute());
    expect(await stored('c')).toMatchObject({ _id: post._id, createdBy: 'bob', updatedBy: 'bob' });
    const replaced = await withActor('cid', () => Post.findOneAndReplace({ title: 'c' }, { title: 'd' }));
    expect([replaced?.createdBy, (await stored('d'))?.['createdBy']]).toEqual(['bob', 'cid']);
  });

  it('says who and when, by whichever call', async () => {
    const posts = await withActor('ann', async () => [
      await Post.create({ title: 'a', createdBy: 'x', updatedBy: 'x' }),
      ...(await Post.insertMany([{ title: 'b' }])),
      await Post.upsert({ title: 'c' }, { $set: { updatedBy: 'x', n: 1 } }),
    ]);
    for (const post of posts)
      expect(post.toObject()).toMatchObject({
        createdBy: 'ann',
        updatedBy: 'ann',
        createdAt: expect.any(Date) as Date,
        updatedAt: expect.any(Date) as Date,
      });
    await withActor('bob', () => Post.updateMany({ title: 'b' }, { $set: { n: 1 } }));
    await withActor('bob', () => Post.updateMany({ title: 'c' }, [{ $set: { n: 5, updatedBy: 'x' } }]));
    const [first] = posts as [Post];
    first.n = 2;
    first.updatedBy = 'x';
    await withActor('bob', () => first.save());
    expect([first.updatedBy, first.isModified()]).toEqual(['bob', false]);
    expect(
      await Post.find()
        .sort('title')
        .map(({ createdBy, updatedBy }) => [createdBy, updatedBy]),
    ).toEqual([
      ['ann', 'bob'],
      ['ann', 'bob'],
      ['ann', 'bob'],
    ]);
    await withActor('cid', () => first.delete());
    expect(await stored('a')).toMatchObject({ updatedBy: 'cid', createdBy: 'ann' });
  });

  it('outside of withActor writes the times alone', async () => {
    const post = await Post.create({ title: 'a' });
    expect([post.createdBy, post.createdAt instanceof Date]).toEqual([undefined, true]);
    post.n = 1;
    await post.save();
    expect(post.updatedBy).toBeUndefined();
    expect(await post.save()).toBe(post);
  });

  it('is no conflict with what another writer stamped', async () => {
    class Strict extends model(
      'ext_posts',
      { title: z.string(), n: z.int().default(0), ...audit.fields },
      { extensions: [audit], concurrency: 'fields' },
    ) {}
    const first = await withActor('ann', () => Strict.create({ title: 'a' }));
    const second = await Strict.findById(first._id);
    first.n = 1;
    await withActor('bob', () => first.save());
    second?.set('title', 'b');
    await withActor('cid', async () => second?.save());
    expect(await stored('b')).toMatchObject({ n: 1, createdBy: 'ann', updatedBy: 'cid' });
  });

  it('is asked for schemas that it has itself', async () => {
    const wrong = new Post({ title: 'a', createdBy: 5 as never });
    await expect(wrong.save()).rejects.toThrow(ValidationError);
    expect(Post.jsonSchema).toMatchObject({
      properties: { deletedAt: { bsonType: ['date', 'null'] }, createdBy: { bsonType: 'string' } },
    });
  });
});

describe('a scope', () => {
  it('is asked when a query is sent, not when it is made', async () => {
    await Chosen.insertMany([1, 2, 3].map((n) => ({ n })));
    asked = 0;
    const query = Chosen.find().sort('n');
    const pipeline = Chosen.aggregate().match({ n: { $gt: 0 } });
    expect(asked).toBe(0);
    only = { n: { $lt: 3 } };
    expect([(await query).length, (await pipeline).length]).toEqual([2, 2]);
    only = { n: 3 };
    expect([(await query).length, (await pipeline).length, await query.count()]).toEqual([1, 1, 1]);
    expect(await query.unscoped('chosen').count()).toBe(3);
    const first = await query.unscoped().page({ size: 2 });
    expect((await query.unscoped().page({ size: 2, after: first.next })).items.map(({ n }) => n)).toEqual([3]);
  });

  it('that has no answer throws, and gives no values in its messages', async () => {
    for (const answer of [undefined, 5, { n: undefined }]) {
      only = answer as never;
      await expect(Chosen.find()).rejects.toThrow('The scope of "chosen" gave no filter');
      await expect(Chosen.count()).rejects.toThrow(UsageError);
    }
  });

  it('holds beside a condition on the same field, a text search and a search by place', async () => {
    await Chosen.insertMany([1, 2].map((n) => ({ n })));
    only = { n: 1 };
    expect(await Chosen.count({ n: 2 })).toBe(0);
    expect(await Chosen.count({ $or: [{ n: 1 }, { n: 2 }] })).toBe(1);
    expect(await Chosen.distinct('n')).toEqual([1]);
    expect(await Chosen.find().sum('n')).toBe(1);
    const definition = Chosen.prototype[definitionKey];
    const place = { $geoNear: { near: [0, 0], distanceField: 'd' } };
    expect(scopedStages(definition, [place, { $limit: 1 }], undefined)).toEqual([
      { $geoNear: { near: [0, 0], distanceField: 'd', query: { n: 1 } } },
      { $limit: 1 },
    ]);
    expect(scopedStages(definition, [{ $geoNear: { query: { a: 1 } } }], undefined)).toEqual([
      { $geoNear: { query: { n: 1, a: 1 } } },
    ]);
    const search = { $match: { $text: { $search: 'x' } } };
    expect(scopedStages(definition, [search], undefined)).toEqual([{ $match: { n: 1, $text: { $search: 'x' } } }]);
    expect(scopedStages(definition, [search], true)).toEqual([search]);
  });

  it('is left out by name; a name that is none is refused everywhere', async () => {
    const post = await Post.create({ title: 'a' });
    const wrong = { unscoped: ['softdelete'] };
    const calls: (() => unknown)[] = [
      () => Post.find({}, wrong),
      () => Post.find().unscoped('softdelete'),
      () => Post.count({}, wrong),
      () => Post.aggregate(wrong),
      () => Post.updateOne({}, { $set: { n: 1 } }, wrong),
      () => Post.deleteMany({}, wrong),
      () => Post.create({ title: 'b' }, wrong),
      () => Post.insertMany([{ title: 'b' }], wrong),
      () => post.set('n', 2).save(wrong),
      () => post.delete(wrong),
      () => post.reload(wrong),
      () => Post.find({}, { unscoped: 5 as never }),
    ];
    for (const call of calls)
      await expect(Promise.resolve().then(call)).rejects.toThrow(
        /The option "unscoped" .* The model has: softDelete\./,
      );
    expect(await Post.find({}, { unscoped: false }).count()).toBe(1);
    await expect(Post.deleteMany({}, { hard: 1 as never })).rejects.toThrow('"hard" takes true or false');
  });

  it('cannot be held by what counts the whole collection', async () => {
    await expect(Post.estimatedCount()).rejects.toThrow('use count()');
    expect(await Post.estimatedCount({ unscoped: true })).toBe(0);
  });
});

describe('hooks of an extension', () => {
  it('come before those of the class, and see its documents', async () => {
    const calls: string[] = [];
    const slugged = <const From extends string>(from: From) =>
      extension({
        name: 'slugged',
        fields: { slug: z.string().default('') },
        on: {
          beforeSave(document: { get(path: string): unknown; set(path: string, value: unknown): unknown }) {
            calls.push('extension');
            document.set('slug', String(document.get(from)).toLowerCase().replaceAll(' ', '-'));
          },
        },
      });
    const byTitle = slugged('title');
    class Page extends model('ext_pages', { title: z.string(), ...byTitle.fields }, { extensions: [byTitle] }) {
      beforeSave(): void {
        calls.push(`method ${this.slug}`);
      }
    }
    const end = Page.on('beforeSave', () => void calls.push('on'));
    const page = await Page.create({ title: 'Hello World' });
    end();
    expect([page.slug, calls]).toEqual(['hello-world', ['extension', 'on', 'method hello-world']]);
  });
});

describe('what is no extension is refused', () => {
  it.each<readonly [string, () => unknown, string]>([
    [
      'a missing field',
      () => model('x', { a: z.string() }, { extensions: [softDelete] }),
      'spread the extension\'s "fields"',
    ],
    [
      'one twice',
      () => model('x', { ...softDelete.fields }, { extensions: [softDelete, softDelete] }),
      'two extensions of the name "softDelete"',
    ],
    ['a plain object', () => model('x', {}, { extensions: [{ name: 'x', fields: {} }] }), 'what extension() gave'],
    ['no object', () => extension(5 as never), 'an object of its parts'],
    ['no name', () => extension({ fields: {} } as never), 'a name'],
    ['an unknown part', () => extension({ name: 'x', fields: {}, scopes: 1 } as never), 'not "scopes"'],
    ['no fields', () => extension({ name: 'x' } as never), 'fields'],
    ['a scope that is no function', () => extension({ name: 'x', fields: {}, scope: {} } as never), '"scope"'],
    ['a hook that is none', () => extension({ name: 'x', fields: {}, on: { preSave() {} } } as never), 'beforeSave'],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  it('also what it writes', async () => {
    const wrong = extension({ name: 'wrong', fields: { a: z.string().optional() }, stamp: () => ({ b: 1 }) as never });
    class Wrong extends model('ext_wrong', { ...wrong.fields }, { extensions: [wrong] }) {}
    await expect(Wrong.create({})).rejects.toThrow('gave something else than values of its fields');
  });

  it('types know the fields', () => {
    const typed: Extension<typeof softDelete.fields> = softDelete;
    expect(typed.name).toBe('softDelete');
    const post = new Post({ title: 'a' });
    const at: Date | null = post.deletedAt;
    expect(at).toBeNull();
    // @ts-expect-error it is a date
    post.deletedAt = 'x';
    // @ts-expect-error another field than its own
    extension({ name: 'x', fields: { a: z.string() }, stamp: () => ({ a: 5 }) });
  });
});
