import { ObjectId } from 'mongodb';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connect, InvalidPageTokenError, model, stored, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Post extends model('posts', {
  title: z.string(),
  score: stored('points', z.number().nullable()),
  tags: z.array(z.string()).default([]),
  author: z.object({ name: z.string() }).optional(),
}) {}

class Other extends model('others', { title: z.string() }) {}

const database = useDatabase();
beforeEach(async () => {
  await Post.deleteMany({});
  await Post.insertMany(Array.from({ length: 10 }, (_, i) => ({ title: `post ${i}`, score: i % 3 })));
  database.sent();
});

const titles = (posts: readonly { title: string }[]) => posts.map(({ title }) => title.slice(5)).join('');
const fullText = (command: unknown) => inspect(command, { depth: Infinity });

describe('page()', () => {
  it('goes forward to the last page', async () => {
    const query = Post.find().sort({ title: 1 });
    const first = await query.page({ size: 4 });
    expect([titles(first.items), first.previous, 'total' in first]).toEqual(['0123', null, false]);
    expect(first.items[0]).toBeInstanceOf(Post);
    const second = await query.page({ size: 4, after: first.next });
    const third = await query.page({ size: 4, after: second.next });
    expect([titles(second.items), titles(third.items), third.next]).toEqual(['4567', '89', null]);
  });

  it('goes back to the first page', async () => {
    const query = Post.find().sort({ title: 1 });
    const { next } = await query.page({ size: 6 });
    const last = await query.page({ size: 6, after: next });
    const middle = await query.page({ size: 4, before: last.previous });
    expect(titles(middle.items)).toBe('2345');
    const first = await query.page({ size: 4, before: middle.previous });
    expect([titles(first.items), first.previous]).toEqual(['01', null]);
    expect(titles((await query.page({ size: 2, after: first.next })).items)).toBe('23');
  });

  it('takes one request for a page, however large', async () => {
    await Post.insertMany(Array.from({ length: 300 }, (_, i) => ({ title: `more ${i}`, score: 1 })));
    database.sent();
    expect((await Post.find().page({ size: 250 })).items).toHaveLength(250);
    expect(database.sent()).toMatchObject([{ find: 'posts', limit: 251 }]);
  });

  it('is full to the last document, and then has no next', async () => {
    const page = await Post.find().page({ size: 10 });
    expect([page.items.length, page.next, page.previous]).toEqual([10, null, null]);
    expect(await Post.find({ title: 'none' }).page({ size: 3 })).toEqual({ items: [], next: null, previous: null });
  });

  it('breaks ties by the _id, in the direction of the last key', async () => {
    const first = await Post.find().sort({ score: -1 }).page({ size: 2 });
    expect(Array.from(database.sent()[0]?.['sort'] as Map<string, number>)).toEqual([
      ['points', -1],
      ['_id', -1],
    ]);
    const second = await Post.find().sort({ score: -1 }).page({ size: 5, after: first.next });
    expect(titles([...first.items, ...second.items])).toBe('8527419');
  });

  it('counts all when asked to', async () => {
    const query = Post.find({ score: { $gte: 1 } });
    const first = await query.page({ size: 2, total: true });
    expect([first.items.length, first.total]).toEqual([2, 6]);
    expect(await query.page({ size: 2, after: first.next, total: true })).toMatchObject({ total: 6 });
  });

  it('is not shifted by what others insert or delete', async () => {
    const query = Post.find().sort('title');
    const first = await query.page({ size: 3 });
    await Post.deleteMany({ title: { $in: ['post 1', 'post 3'] } });
    await Post.create({ title: 'post 0.5', score: 1 });
    const second = await query.page({ size: 3, after: first.next });
    expect(titles(second.items)).toBe('456');
    expect(titles((await query.page({ size: 9, before: second.previous })).items)).toBe('00.52');
  });

  it('keeps its place when all documents beside it are gone', async () => {
    const query = Post.find().sort('title');
    const first = await query.page({ size: 5 });
    await Post.deleteMany({ title: { $gt: 'post 4' } });
    const empty = await query.page({ size: 5, after: first.next });
    expect([empty.items, empty.next]).toEqual([[], null]);
    expect(titles((await query.page({ size: 5, before: empty.previous })).items)).toBe('01234');
  });

  it('reads as the query does', async () => {
    const lean = await Post.find().sort('title').select('title').lean().page({ size: 1 });
    expect(lean.items).toEqual([{ _id: expect.any(ObjectId) as ObjectId, title: 'post 0' }]);
    const mapped = Post.find()
      .sort('title')
      .map(({ title }) => title.length);
    const { items, next } = await mapped.page({ size: 2 });
    expect([items, (await mapped.page({ size: 2, after: next })).items]).toEqual([
      [6, 6],
      [6, 6],
    ]);
  });

  it('follows a collation', async () => {
    await Post.deleteMany({});
    await Post.insertMany(['b', 'A', 'c', 'a', 'B', 'C'].map((title) => ({ title, score: 1 })));
    const query = Post.find().sort('title').collation({ locale: 'en', strength: 2 });
    const first = await query.page({ size: 3 });
    const second = await query.page({ size: 3, after: first.next });
    expect([...first.items, ...second.items].map(({ title }) => title)).toEqual(['A', 'a', 'b', 'B', 'c', 'C']);
    const back = await query.page({ size: 2, before: second.previous });
    expect(back.items.map(({ title }) => title)).toEqual(['a', 'b']);
  });

  it('refuses an _id of text under a collation, by which two could be alike', async () => {
    class Country extends model('countries', { _id: z.string(), name: z.string() }) {}
    await Country.create({ _id: 'it', name: 'Italy' });
    const query = Country.find().sort('name');
    expect((await query.page({ size: 1 })).items).toHaveLength(1);
    await expect(query.collation({ locale: 'en', strength: 2 }).page({ size: 1 })).rejects.toThrow('_id');
  });

  it('passes the options on', async () => {
    await Post.find().comment('why').hint({ _id: 1 }).batchSize(7).page({ size: 2 });
    expect(database.sent()[0]).toMatchObject({ comment: 'why', hint: { _id: 1 }, batchSize: 7, limit: 3 });
  });

  it('takes null for the first page', async () => {
    expect((await Post.find().page({ size: 3, after: null, before: null })).previous).toBeNull();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['no size', () => Post.find().page({} as never)],
    ['a size of 0', () => Post.find().page({ size: 0 })],
    ['a skip', () => Post.find().skip(1).page({ size: 1 })],
    ['a limit', () => Post.find().limit(5).page({ size: 1 })],
    [
      'a text score',
      () =>
        Post.find()
          .sort({ title: { $meta: 'textScore' } })
          .page({ size: 1 }),
    ],
    ['a sort by what is not loaded', () => Post.find().sort('title').select('score').page({ size: 1 })],
    ['no _id', () => Post.find().omit('_id').page({ size: 1 })],
    ['two places', () => Post.find().page({ size: 1, after: 'a', before: 'b' })],
  ])('refuses %s', async (_what, call) => {
    await expect(call()).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['an array', { tags: ['a'] }, 'array'],
    ['a regular expression', { tags: /a/ }, 'regex'],
  ])('refuses a sort key with %s, by name', async (_what, fields, type) => {
    await Post.collection.insertOne({ title: 'odd', ...fields });
    const all = Post.find().sort({ tags: -1 });
    await expect(all.page({ size: 20 })).rejects.toThrow(`"tags", which holds a value of the type ${type}`);
  });

  it('refuses a path through an array', async () => {
    await Post.collection.insertOne({ title: 'odd', author: [{ name: 'x' }] });
    await expect(Post.find().sort('author.name').page({ size: 20 })).rejects.toThrow('"author.name"');
  });
});

describe('a token', () => {
  it.each<[string, (next: string) => Promise<unknown>]>([
    ['model', (after) => Other.find().sort({ title: 1 }).page({ size: 1, after })],
    ['filter', (after) => Post.find({ title: 'x' }).sort({ title: 1 }).page({ size: 1, after })],
    ['sort', (after) => Post.find().sort({ title: -1 }).page({ size: 1, after })],
    ['collation', (after) => Post.find().sort({ title: 1 }).collation({ locale: 'simple' }).page({ size: 1, after })],
  ])('belongs to one %s', async (_what, ask) => {
    const { next } = await Post.find().sort({ title: 1 }).page({ size: 1 });
    await expect(ask(String(next))).rejects.toThrow(InvalidPageTokenError);
    await expect(ask(String(next))).rejects.toThrow('belongs to another query');
  });

  it('cannot be changed anywhere', async () => {
    const query = Post.find().sort({ title: 1 });
    const next = String((await query.page({ size: 1 })).next);
    const bytes = Buffer.from(next, 'base64url');
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      await expect(query.page({ size: 1, after: changed.toString('base64url') })).rejects.toThrow('damaged');
    }
    for (const token of ['', 'x', next.slice(1), next.slice(0, -4), `${next}AAAA`, 5, {}])
      await expect(query.page({ size: 1, after: token as never })).rejects.toThrow(InvalidPageTokenError);
  });

  it('shows nothing, and is fit for an address', async () => {
    await Post.create({ title: 'aaa-secret', score: 1 });
    const next = String((await Post.find().sort({ title: 1 }).page({ size: 1 })).next);
    expect(next).toMatch(/^[\w-]+$/);
    expect(Buffer.from(next, 'base64url').toString('latin1')).not.toContain('secret');
  });

  it('is read by every process without a secret, and with the same secret only', async () => {
    const options = { pageSecret: 'a secret of the application' };
    const [one, two, bare, foreign] = await Promise.all([
      connect(database.uri, options),
      connect(database.uri, options),
      connect(database.uri),
      connect(database.uri, { pageSecret: 'another secret of 16' }),
    ]);
    try {
      const next = async (connection: typeof one) =>
        String((await Post.using(connection).find().page({ size: 1 })).next);
      const ask = async (connection: typeof one, after: string) =>
        (await Post.using(connection).find().page({ size: 1, after })).items.length;
      expect(await ask(two, await next(one))).toBe(1);
      expect(await ask(bare, await next(database.connection))).toBe(1);
      await expect(ask(foreign, await next(one))).rejects.toThrow('pageSecret');
      await expect(ask(bare, await next(one))).rejects.toThrow(InvalidPageTokenError);
      expect(fullText(one)).not.toContain(options.pageSecret);
    } finally {
      await Promise.all([one, two, bare, foreign].map((connection) => connection.close()));
    }
  });

  it('needs a secret that is long enough', async () => {
    await expect(connect(database.uri, { pageSecret: 'short' })).rejects.toThrow('at least 16 characters');
    await expect(connect(database.uri, { pageSecret: 5 as never })).rejects.toThrow(UsageError);
  });
});
