import { Int32 } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DuplicateKeyError, model, SchemaError, UsageError, ValidationError } from '../../src/index.ts';
import { onlyStatement, onlyUpdate, useDatabase } from '../support/database.ts';

class Post extends model(
  'posts',
  { title: z.string(), count: z.int().default(0), free: z.unknown() },
  { timestamps: true },
) {}

class Renamed extends model(
  'renamed',
  { title: z.string() },
  { timestamps: { createdAt: 'made', updatedAt: 'changed' } },
) {}
class Changed extends model('changed', { title: z.string() }, { timestamps: { updatedAt: 'changed' } }) {}
class Untimed extends model('untimed', { title: z.string() }, { timestamps: false }) {}

const database = useDatabase();
beforeEach(async () => {
  await Post.deleteMany({});
  database.sent();
});

const OLD = new Date('2020-01-01T00:00:00Z');

/** A stored post that was last updated long ago. */
const oldPost = async (title = 't') => {
  const { insertedId } = await Post.collection.insertOne({ title, count: 1, createdAt: OLD, updatedAt: OLD });
  database.sent();
  return insertedId;
};
const only = async () => {
  const [post, ...others] = await Post.find().lean();
  expect(others).toEqual([]);
  return post;
};

describe('timestamps of static updates', () => {
  const expectNow = (date: Date | undefined, since: number): void => {
    expect(date).toBeInstanceOf(Date);
    expect(date?.getTime()).toBeGreaterThanOrEqual(since);
    expect(date?.getTime()).toBeLessThanOrEqual(Date.now());
  };
  const calls = [
    ['updateOne', (update: object, options?: object) => Post.updateOne({ title: 't' }, update, options)],
    ['updateMany', (update: object, options?: object) => Post.updateMany({ title: 't' }, update, options)],
    ['upsert', (update: object, options?: object) => Post.upsert({ title: 't' }, update, options)],
    ['findOneAndUpdate', (update: object, options?: object) => Post.findOneAndUpdate({ title: 't' }, update, options)],
  ] as const;

  describe.each(calls)('%s()', (name, call) => {
    it('writes the time of the update, and leaves that of the insert', async () => {
      await oldPost();
      const since = Date.now();
      await call({ $inc: { count: 1 } });
      const post = await only();
      expect(post).toMatchObject({ count: 2, createdAt: OLD });
      expectNow(post?.updatedAt, since);
    });

    it('does not set the time back', async () => {
      await oldPost();
      const future = new Date('2999-01-01T00:00:00Z');
      await Post.collection.updateOne({}, { $set: { updatedAt: future } });
      await call({ $inc: { count: 1 } });
      expect(await only()).toMatchObject({ updatedAt: future });
    });

    it('leaves the time to an update that says it', async () => {
      await oldPost();
      const said = new Date('2021-01-01T00:00:00Z');
      await call({ $set: { updatedAt: said } });
      expect(await only()).toMatchObject({ createdAt: OLD, updatedAt: said });
      await call({ $unset: { updatedAt: '' } });
      expect(await only()).not.toHaveProperty('updatedAt');
    });

    it('keeps it out with { timestamps: false }', async () => {
      await oldPost();
      await call({ $inc: { count: 1 } }, { timestamps: false });
      expect(await only()).toMatchObject({ count: 2, createdAt: OLD, updatedAt: OLD });
      for (const command of database.sent()) expect(command).not.toHaveProperty('timestamps');
    });

    it('writes it in a pipeline', async () => {
      await oldPost();
      const since = Date.now();
      await call([{ $set: { count: { $add: ['$count', 5] } } }], name === 'upsert' ? { timestamps: false } : {});
      const post = await only();
      expect(post).toMatchObject({ count: 6, createdAt: OLD });
      if (name === 'upsert') expect(post).toMatchObject({ updatedAt: OLD });
      else expectNow(post?.updatedAt, since);
    });

    it('writes both where it inserts', async () => {
      const since = Date.now();
      await call({ $set: { free: 1 } }, name === 'upsert' ? {} : { upsert: true });
      const post = await only();
      expectNow(post?.createdAt, since);
      expect(post).toMatchObject({ title: 't', count: 0, free: 1, updatedAt: post?.createdAt });
    });

    it('writes neither where it inserts with { timestamps: false }', async () => {
      await call(
        { $set: { free: 1 } },
        name === 'upsert' ? { timestamps: false } : { upsert: true, timestamps: false },
      );
      expect(Object.keys((await only()) ?? {}).toSorted()).toEqual(['_id', 'count', 'free', 'title']);
    });

    it('refuses to insert by a pipeline, which cannot write the time of the insert', async () => {
      const options = name === 'upsert' ? {} : { upsert: true };
      await expect(call([{ $set: { free: 1 } }], options)).rejects.toThrow(/"createdAt"/);
      await call([{ $set: { free: 1 } }], { ...options, timestamps: false });
      expect(await only()).toMatchObject({ title: 't', free: 1 });
    });
  });

  it('have the names that the model gives them', async () => {
    const renamed = await Renamed.upsert({ title: 't' }, { $set: { title: 't' } });
    expect(renamed.made).toBeInstanceOf(Date);
    expect(renamed.changed).toEqual(renamed.made);
    expect(Object.keys(renamed.toObject()).toSorted()).toEqual(['_id', 'changed', 'made', 'title']);
  });

  it('may be one alone', async () => {
    const changed = await Changed.upsert({ title: 't' }, { $set: { title: 't' } });
    expect(Object.keys(changed.toObject()).toSorted()).toEqual(['_id', 'changed', 'title']);
    await Changed.updateOne({ title: 't' }, [{ $set: { title: 'u' } }], { upsert: true });
    expect(await Changed.find().lean()).toMatchObject([{ title: 'u', changed: expect.any(Date) }]);
  });

  it('are not there without the option', async () => {
    const untimed = await Untimed.upsert({ title: 't' }, { $set: { title: 't' } });
    expect(Object.keys(untimed.toObject())).toEqual(['_id', 'title']);
    expect(untimed).not.toHaveProperty('updatedAt');
  });

  it('of a replacement are those of an insert, since it is a whole document', async () => {
    await oldPost();
    const since = Date.now();
    await Post.replaceOne({ title: 't' }, { title: 'u' });
    const post = await only();
    expectNow(post?.updatedAt, since);
    expect(post).toMatchObject({ title: 'u', createdAt: post?.updatedAt });
  });

  it('are read as Dates that a filter finds', async () => {
    const _id = await oldPost();
    const found = await Post.findOne({ updatedAt: { $lte: OLD } });
    expect([found?._id, found?.createdAt, found?.isModified()]).toEqual([_id, OLD, false]);
  });
});

describe('shardKey', () => {
  class Order extends model(
    'orders',
    { region: z.string().optional(), place: z.object({ code: z.int() }).optional(), count: z.int().default(0) },
    { shardKey: ['region', 'place.code'] },
  ) {}

  it('is in the filter of each save and deletion, with its stored value', async () => {
    const order = await Order.create({ region: 'eu', place: { code: 7 } });
    database.sent();
    order.count = 1;
    await order.save();
    const filter = { _id: order._id, region: 'eu', 'place.code': new Int32(7) };
    expect(onlyStatement(database.sent())['q']).toEqual(filter);
    order.region = 'us';
    await order.save();
    expect(onlyStatement(database.sent())).toMatchObject({ q: filter, u: { $set: { region: 'us' } } });
    await order.reload();
    expect(database.sent()).toMatchObject([{ find: 'orders', filter: { ...filter, region: 'us' } }]);
    expect(await order.delete()).toBe(true);
    expect(onlyStatement(database.sent())['q']).toEqual({ ...filter, region: 'us' });
  });

  it('is null where the document has no value', async () => {
    const order = await Order.create({});
    database.sent();
    order.count = 1;
    await order.save();
    expect(onlyStatement(database.sent())['q']).toEqual({ _id: order._id, region: null, 'place.code': null });
    expect((await Order.findById(order._id))?.count).toBe(1);
  });
});

describe('indexes', () => {
  class Key extends model(
    'keys',
    { a: z.string(), b: z.int().optional() },
    {
      indexes: [
        { key: { a: 1 }, unique: true },
        { key: { b: -1, a: 1 }, name: 'both', partialFilterExpression: { b: { $gt: 0 } } },
      ],
    },
  ) {}

  it('are created by ensureIndexes(), which may be called again', async () => {
    expect(await Key.ensureIndexes()).toEqual(['a_1', 'both']);
    expect(await Key.ensureIndexes()).toEqual(['a_1', 'both']);
    const indexes = await Key.collection.indexes();
    expect(indexes.map(({ name, key, unique }) => ({ name, key, unique }))).toEqual([
      { name: '_id_', key: { _id: 1 }, unique: undefined },
      { name: 'a_1', key: { a: 1 }, unique: true },
      { name: 'both', key: { b: -1, a: 1 }, unique: undefined },
    ]);
    await Key.create({ a: 'x' });
    await expect(Key.create({ a: 'x' })).rejects.toThrow(DuplicateKeyError);
  });

  it('take the options that the driver passes on, and no others', async () => {
    await database.connection.client.withSession(async (session) => {
      database.sent();
      await Key.ensureIndexes({ session });
      expect(database.sent()).toMatchObject([{ createIndexes: 'keys', lsid: session.id }]);
    });
    for (const option of [{ comment: 'why' }, { maxTimeMS: 5000 }, { unique: true }]) {
      await expect(Key.ensureIndexes(option as object)).rejects.toThrow(UsageError);
    }
    expect(database.sent()).toEqual([]);
  });

  it('are refused with an option that no index has', async () => {
    class Misspelt extends model('misspelt', { a: z.int() }, { indexes: [{ key: { a: 1 }, uniqe: true } as never] }) {}
    await expect(Misspelt.ensureIndexes()).rejects.toThrow(/uniqe/);
  });

  it('send nothing where there are none', async () => {
    expect(await Untimed.ensureIndexes()).toEqual([]);
    expect(database.sent()).toEqual([]);
  });

  it('are refused with a duplicate among what is stored', async () => {
    class Twice extends model('twice', { a: z.int() }, { indexes: [{ key: { a: 1 }, unique: true }] }) {}
    await Twice.insertMany([{ a: 1 }, { a: 1 }]);
    await expect(Twice.ensureIndexes()).rejects.toThrow(DuplicateKeyError);
  });
});

describe('ensureCollection()', () => {
  class Log extends model('logs', { text: z.string() }) {}

  it('creates what is not there, and is true where it did', async () => {
    expect(await Log.ensureCollection()).toBe(true);
    expect(await Log.ensureCollection()).toBe(false);
    expect(await database.db.listCollections({ name: 'logs' }).toArray()).toHaveLength(1);
    await Post.create({ title: 't' });
    expect(await Post.ensureCollection()).toBe(false);
  });

  it('is true for one of several calls at once', async () => {
    await Log.collection.drop();
    const created = await Promise.all([Log.ensureCollection(), Log.ensureCollection()]);
    expect(created).toContain(true);
    expect(await Log.ensureCollection()).toBe(false);
  });

  it('takes the options of the driver', async () => {
    await Log.collection.drop();
    const validator = { $jsonSchema: { required: ['text'] } };
    expect(await Log.ensureCollection({ validator })).toBe(true);
    const [collection] = await database.db.listCollections({ name: 'logs' }).toArray();
    expect(collection).toHaveProperty('options.validator', validator);
  });
});

describe('check', () => {
  const seen: unknown[] = [];
  class Span extends model(
    'spans',
    { from: z.int(), to: z.int(), inner: z.object({ list: z.array(z.int()) }).optional() },
    {
      check: (span) => {
        seen.push(span);
        return span.from > span.to ? [{ path: 'to', message: 'ends before it begins' }] : [];
      },
    },
  ) {}
  class Later extends model(
    'spans',
    { from: z.int(), to: z.int() },
    {
      check: async (span) => {
        await Promise.resolve();
        return span.from > span.to ? [{ message: 'is the wrong way round' }, { path: 'a.b', message: 'no' }] : [];
      },
    },
  ) {}

  it('is a rule across fields', async () => {
    const span = await Span.create({ from: 1, to: 2 });
    span.from = 3;
    database.sent();
    await expect(span.validate()).rejects.toThrow(ValidationError);
    await expect(span.save()).rejects.toMatchObject({
      issues: [{ path: 'to', keys: ['to'], message: 'ends before it begins' }],
      model: 'spans',
      id: span._id,
    });
    await expect(Span.create({ from: 2, to: 1 })).rejects.toThrow('"to": ends before it begins');
    await expect(Span.insertMany([{ from: 2, to: 1 }])).rejects.toMatchObject({ issues: [{ path: '0.to' }] });
    await expect(Span.replaceOne({}, { from: 2, to: 1 })).rejects.toThrow(ValidationError);
    await expect(Span.findOneAndReplace({}, { from: 2, to: 1 })).rejects.toThrow(ValidationError);
    expect(database.sent()).toEqual([]);
    await span.save({ validate: false });
    expect((await Span.findById(span._id))?.from).toBe(3);
  });

  it('may take its time, and speak of the whole document', async () => {
    await expect(Later.create({ from: 2, to: 1 })).rejects.toMatchObject({
      issues: [
        { path: '', keys: [], message: 'is the wrong way round' },
        { path: 'a.b', keys: ['a', 'b'], message: 'no' },
      ],
    });
    await expect(Later.create({ from: 2, to: 1 })).rejects.toThrow('the document: is the wrong way round');
    expect((await Later.create({ from: 1, to: 2 })).$isNew).toBe(false);
  });

  it('is given defaults for what is not stored', async () => {
    class Tagged extends model(
      'spans',
      { to: z.int(), tags: z.array(z.string()).default(['a']) },
      { check: ({ to, tags }) => (tags.length === to ? [] : [{ message: `has ${tags.length} tags` }]) },
    ) {}
    const { insertedId } = await Tagged.collection.insertOne({ to: 0 });
    const tagged = await Tagged.findById(insertedId);
    await expect(tagged?.set('to', 2).save()).rejects.toThrow('has 1 tags');
    await expect(tagged?.set('to', 1).save()).resolves.toBe(tagged);
  });

  it('is asked where the fields are valid and something changed, about a copy', async () => {
    const span = await Span.create({ from: 1, to: 2, inner: { list: [1] } });
    seen.length = 0;
    await span.save();
    await expect(Span.create({ from: 'x' as never, to: 1 })).rejects.toMatchObject({ issues: [{ path: 'from' }] });
    expect(seen).toEqual([]);
    span.to = 5;
    await span.save();
    expect(seen).toEqual([span.toObject()]);
    (seen[0] as { inner: { list: number[] } }).inner.list.push(2);
    expect([span.inner?.list, span.isModified()]).toEqual([[1], false]);
  });
});

describe('an option of a model', () => {
  const make = (options: object) => () => model('x', { title: z.string() }, options);

  it.each([
    ['no known name', { timestamp: true }],
    ['no known name, as Object.prototype has it', { toString: true }],
    ['another kind of concurrency', { concurrency: 'wild' }],
    ['a text for validate', { validate: 'no' }],
    ['a text for timestamps', { timestamps: 'yes' }],
    ['another time', { timestamps: { deletedAt: 'gone' } }],
    ['a time without a name', { timestamps: { createdAt: '' } }],
    ['a time by a flag', { timestamps: { createdAt: true } }],
    ['one name for both times', { timestamps: { createdAt: 'at', updatedAt: 'at' } }],
    ['a time called _id', { timestamps: { createdAt: '_id' } }],
    ['a time with a path for a name', { timestamps: { createdAt: 'times.made' } }],
    ['a time with an operator for a name', { timestamps: { createdAt: '$made' } }],
    ['a text for shardKey', { shardKey: 'title' }],
    ['a shardKey without names', { shardKey: [''] }],
    ['an index without a key', { indexes: [{ unique: true }] }],
    ['one index for a list', { indexes: { key: { title: 1 } } }],
    ['no function for check', { check: true }],
  ])('is refused with %s', (_what, options) => {
    expect(make(options)).toThrow(UsageError);
  });

  it('may be undefined', () => {
    expect(make({ timestamps: undefined, check: undefined, shardKey: undefined })).not.toThrow();
  });

  it('gives no time the name of a member', () => {
    expect(make({ timestamps: { createdAt: 'save' } })).toThrow(SchemaError);
  });

  it('is kept by using()', async () => {
    const Bound = Post.using(database.connection);
    const post = await Bound.upsert({ title: 't' }, { $set: { count: 1 } });
    expect(post.updatedAt).toBeInstanceOf(Date);
    database.sent();
    await Bound.updateOne({ title: 't' }, { $set: { count: 2 } });
    expect(onlyUpdate(database.sent())).toMatchObject({ $max: { updatedAt: expect.any(Date) } });
  });
});
