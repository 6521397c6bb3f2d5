import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EncodeError, model, objectId, ObjectId, stored, UsageError, ValidationError } from '../../src/index.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

class Card extends model(
  'cards',
  {
    title: z.string().transform((title) => title.trim()),
    tags: z.array(z.string()).default([]),
    meta: stored('m', z.record(z.string(), z.unknown()).optional()),
    count: z.number().optional(),
  },
  { timestamps: true },
) {}
class Keyed extends model('keyed', { _id: z.string(), name: z.string() }) {}
class Counted extends model('counted', { _id: objectId(), name: z.string() }) {}
class Defaulted extends model('defaulted', { _id: z.string().default('new'), name: z.string() }) {}
class Odd extends model('odd', { _id: z.unknown(), count: z.number().default(0) }) {}

const database = useDatabase();

describe('$id and $bytes', () => {
  it('give the _id, and a copy of what is stored', async () => {
    const card = new Card({ title: 'a' });
    expect([card.$id, card.$bytes]).toEqual([card._id, null]);
    await card.save();
    const { $bytes } = card;
    expect(BSON.deserialize($bytes as Uint8Array)).toMatchObject({ _id: card._id, title: 'a', tags: [] });
    card.title = 'b';
    expect(card.$bytes).toEqual($bytes);
    $bytes?.fill(0);
    expect(BSON.deserialize(card.$bytes as Uint8Array)).toMatchObject({ title: 'a' });
    await card.save();
    expect(BSON.deserialize(card.$bytes as Uint8Array)).toMatchObject({ title: 'b' });
    for (const found of await Card.find()) expect(BSON.deserialize(found.$bytes as Uint8Array)._id).toEqual(found.$id);
  });
});

describe('$clone()', () => {
  it('makes a new document of what the program sees', async () => {
    const _id = new ObjectId();
    const fields = { title: ' spaced ', tags: ['x'], m: { a: { b: 1 } }, legacy: { flag: true } };
    await database.db.collection('cards').insertOne({ _id, ...fields, createdAt: new Date(0), updatedAt: new Date(0) });
    const card = await Card.findById(_id);
    card?.tags.push('y');
    card?.$inc('count', 2);
    const clone = card?.$clone();
    expect(clone).toBeInstanceOf(Card);
    expect([clone?.$isNew, clone?.tags, clone?.count, clone?.meta]).toEqual([true, ['x', 'y'], 2, { a: { b: 1 } }]);
    clone?.tags.push('z');
    clone?.set('meta.a.b', 2);
    expect([card?.tags, card?.meta]).toEqual([['x', 'y'], { a: { b: 1 } }]);
    await clone?.save();
    const raw = await database.db.collection('cards').findOne({ _id: clone?._id as ObjectId });
    expect(raw).toMatchObject({
      title: ' spaced ',
      tags: ['x', 'y', 'z'],
      count: 2,
      m: { a: { b: 2 } },
      legacy: { flag: true },
    });
    expect(raw?.['createdAt'].getTime()).toBeGreaterThan(0);
    expect(raw?.['_id']).not.toEqual(_id);
    clone?.set('typo' as 'title', 'x');
    expect(clone?.isModified('typo' as 'title')).toBe(true);
  });

  it('transforms once what was not validated before', async () => {
    let salt = 0;
    const secret = z.string().transform((text) => `H${salt++}(${text})`);
    const account = z.object({ pw: secret, q: z.string().optional() });
    class Login extends model('logins', { a: account, top: secret }) {}
    const draft = new Login({ a: { pw: 'x' }, top: 'x' });
    const early = draft.$clone();
    await draft.validate();
    const stored = await Login.create({ a: { pw: 'x' }, top: 'x' });
    const clones = [early, draft.$clone()];
    stored.a.q = 'q';
    clones.push(stored.$clone());
    stored.a.pw = 'y';
    stored.top = 'y';
    clones.push(stored.$clone());
    stored.a = { pw: 'z' };
    clones.push(stored.$clone());
    const made: string[] = [];
    for (const { _id } of await Login.insertMany(clones)) {
      const { a, top } = (await Login.collection.findOne({ _id })) as unknown as Login;
      made.push([a.pw, a.q, top].join(' ').replaceAll(/H\d+/g, 'H'));
    }
    expect(made).toEqual(['H(x)  H(x)', 'H(x)  H(x)', 'H(x) q H(x)', 'H(y) q H(y)', 'H(z)  H(y)']);
  });

  it('refuses a new key that the schema does not name', async () => {
    const clone = (await Card.create({ title: 'x' })).$clone();
    clone.set('typo' as 'title', 'x');
    await expect(clone.save()).rejects.toThrow(ValidationError);
    const draft = new Card({ title: 'x', typo: 1 } as never).$clone();
    await expect(draft.save()).rejects.toThrow(ValidationError);
    const stored = await Card.create({ title: 'x' });
    stored.set('typo' as 'title', 'x');
    await expect(stored.$clone().save()).rejects.toThrow(ValidationError);
  });

  it('gives a new ObjectId, or leaves another _id to the schema and the program', async () => {
    const counted = await Counted.create({ _id: new ObjectId(), name: 'x' });
    expect(counted.$clone()._id).toBeInstanceOf(ObjectId);
    expect(counted.$clone()._id).not.toEqual(counted._id);
    expect(new Defaulted({ _id: 'a', name: 'x' }).$clone()._id).toBe('new');
    const clone = (await Keyed.create({ _id: 'k', name: 'x' })).$clone();
    await expect(clone.save({ validate: false })).rejects.toThrow(UsageError);
    clone.set('_id', 'l');
    expect((await clone.save()).toObject()).toEqual({ _id: 'l', name: 'x' });
  });
});

describe('what is no object of fields', () => {
  it.each([null, 5, 'text', undefined, [], () => {}])('makes no document: %s', async (input) => {
    expect(() => new Card(input as never)).toThrow(UsageError);
    await expect(Card.create(input as never)).rejects.toThrow(UsageError);
    await expect(Card.insertMany([input as never])).rejects.toThrow(UsageError);
  });
});

describe('frozen input', () => {
  it('is stored, and changed by paths and operators where the program cannot change it', async () => {
    const meta = Object.freeze({ list: Object.freeze([Object.freeze({ a: 1 })]), size: 1 });
    const input = Object.freeze({ title: ' x ', tags: Object.freeze(['a']) as string[], meta });
    const card = await Card.create(input);
    expect([card.title, card.tags]).toEqual(['x', ['a']]);
    card.$push('tags', 'b');
    card.set('meta.list.0.a', 2);
    card.$inc('meta.size', 1);
    card.set('meta.more.deep', 3);
    await card.save();
    const found = await Card.findById(card._id);
    expect(found?.toObject()).toMatchObject({
      tags: ['a', 'b'],
      meta: { list: [{ a: 2 }], size: 2, more: { deep: 3 } },
    });
    expect([input.tags, meta]).toEqual([['a'], { list: [{ a: 1 }], size: 1 }]);
  });
});

describe('an object as _id', () => {
  it('with keys that JavaScript moves is found again', async () => {
    const inner = new Map([
      ['7', 1],
      ['3', 2],
    ]);
    const _id = new Map<string, unknown>([
      ['2', 'b'],
      ['1', [inner]],
      ['a', 1],
    ]);
    await database.db.collection('odd').insertOne({ _id: _id as never, count: 1 });
    const [odd] = await Odd.find();
    (odd as Odd).count = 2;
    await odd?.save();
    await odd?.reload();
    expect(odd?.count).toBe(2);
    expect(await odd?.delete()).toBe(true);
    expect(await Odd.count()).toBe(0);
  });
});

describe('JSON of a document', () => {
  it('that contains itself is refused, and says where', () => {
    const loop: Record<string, unknown> = { a: [1] };
    (loop['a'] as unknown[]).push(new Map([['back', loop]]));
    const card = new Card({ title: 'x', meta: { loop } });
    const thrown = (() => {
      try {
        return JSON.stringify(card);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(EncodeError);
    // The copy that is shown ends where the document itself begins again.
    expect((thrown as EncodeError).path).toMatch(/^meta\.loop\.a\.1\.back/);
    const shared = { a: 1 };
    expect(JSON.stringify(new Card({ title: 'x', meta: { b: shared, c: shared } }))).toContain('"c":{"a":1}');
  });
});

describe('$previousChanges() of an insert', () => {
  it('shows every field, whatever changed since', async () => {
    const card = await Card.create({ title: 'x', meta: { a: 1 } });
    card.title = 'y';
    card.tags.push('z');
    const changes = card.$previousChanges();
    expect(changes.find(({ path }) => path === 'title')).toEqual({
      path: 'title',
      keys: ['title'],
      from: undefined,
      to: 'x',
    });
    expect(changes.find(({ path }) => path === 'meta')?.to).toEqual({ a: 1 });
    expect(changes.find(({ path }) => path === 'tags')?.to).toEqual([]);
    database.sent();
    await card.save();
    expect(onlyUpdate(database.sent())).toMatchObject({ $set: { title: 'y' } });
    expect(card.$previousChanges().map(({ path }) => path)).toContain('title');
  });
});

describe('the option timestamps', () => {
  it.each(['a.b', '$a', '', '_id'])('refuses the name "%s"', (createdAt) => {
    expect(() => model('times', {}, { timestamps: { createdAt } })).toThrow(UsageError);
  });
});
