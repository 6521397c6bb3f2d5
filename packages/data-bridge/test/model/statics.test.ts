import { Decimal128, MongoServerError, ObjectId } from 'mongodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { binary, decimal, DuplicateKeyError, EncodeError, long, model, objectId, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class User extends model(
  'users',
  {
    email: z.string(),
    name: z.string().optional(),
    age: z.int().optional(),
    tags: z.array(z.string()).optional(),
    owner: objectId().optional(),
    balance: long().optional(),
    price: decimal().optional(),
    bytes: binary().optional(),
    note: z.string().nullable().optional(),
    free: z.unknown(),
  },
  { indexes: [{ key: { email: 1 }, unique: true }] },
) {}

const database = useDatabase();
beforeAll(async () => {
  await User.ensureIndexes();
});
beforeEach(async () => {
  await User.deleteMany({});
  database.sent();
});

const set = { $set: { name: 'changed' } };

/** Every static that takes a filter, called with this one; a promise whatever it throws. */
const withFilter: readonly (readonly [string, (filter: never, options?: object) => Promise<unknown>])[] = [
  ['find', async (filter, options) => User.find(filter, options)],
  ['findOne', (filter, options) => User.findOne(filter, options)],
  ['count', (filter, options) => User.count(filter, options)],
  ['exists', (filter, options) => User.exists(filter, options)],
  ['distinct', (filter, options) => User.distinct('age', filter, options)],
  ['updateOne', (filter, options) => User.updateOne(filter, set, options)],
  ['updateMany', (filter, options) => User.updateMany(filter, set, options)],
  ['upsert', (filter, options) => User.upsert(filter, set, options)],
  ['replaceOne', (filter, options) => User.replaceOne(filter, { email: 'e' }, options)],
  ['findOneAndUpdate', (filter, options) => User.findOneAndUpdate(filter, set, options)],
  ['findOneAndReplace', (filter, options) => User.findOneAndReplace(filter, { email: 'e' }, options)],
  ['findOneAndDelete', (filter, options) => User.findOneAndDelete(filter, options)],
  ['deleteOne', (filter, options) => User.deleteOne(filter, options)],
  ['deleteMany', (filter, options) => User.deleteMany(filter, options)],
];
const writing = withFilter.filter(([name]) => /update|upsert|replace|delete/i.test(name));
const reading = withFilter.filter((entry) => !writing.includes(entry));

describe.each(withFilter)('%s()', (_name, call) => {
  it.each([
    ['undefined', { email: undefined }],
    ['undefined in a condition', { age: { $gt: undefined } }],
    ['undefined in a list', { age: { $in: [1, undefined] } }],
    ['undefined in a joined filter', { $or: [{ age: 1 }, { email: undefined }] }],
    ['undefined in a Map', { free: new Map([['a', undefined]]) }],
    ['undefined in what toBSON() gives', { free: { toBSON: () => ({ a: undefined }) } }],
    ['a list', []],
    ['a text', 'email'],
    ['a document', new User({ email: 'e' })],
    ['a text for an ObjectId', { owner: 'somebody' }],
    ['a text for an ObjectId, in a list', { _id: { $in: [new ObjectId(), 'somebody'] } }],
  ])('refuses a filter with %s', async (_what, filter) => {
    await expect(call(filter as never)).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });

  // The driver leaves functions and symbols out: a filter without its one condition matches everything.
  it.each([
    ['a function', { email: () => 'e' }],
    ['a symbol', { email: Symbol('e') }],
    ['a Set', { age: { $in: new Set([1]) } }],
    ['an Invalid Date', { free: new Date(Number.NaN) }],
    ['a bigint beyond 64 bits', { balance: 2n ** 63n }],
  ])('refuses a filter with %s', async (_what, filter) => {
    await expect(call(filter as never)).rejects.toThrow(EncodeError);
    expect(database.sent()).toEqual([]);
  });

  it('takes 24 hexadecimal digits for an ObjectId', async () => {
    const owner = new ObjectId();
    await User.create({ email: 'e', owner });
    database.sent();
    await call({ owner: owner.toHexString(), _id: { $ne: new ObjectId().toHexString() } } as never);
    const [command] = database.sent();
    const statement: unknown = (command?.['updates'] ?? command?.['deletes'] ?? [command])[0];
    const { q, filter, query, pipeline } = statement as Record<string, never>;
    const sent: unknown = q ?? filter ?? query ?? (pipeline as unknown as [{ $match: unknown }])[0].$match;
    expect(sent).toEqual({ owner, _id: { $ne: expect.any(ObjectId) } });
  });
});

describe.each(writing)('%s()', (_name, call) => {
  it.each([undefined, null])('needs a filter: %s is none', async (filter) => {
    await User.create({ email: 'e' });
    await expect(call(filter as never)).rejects.toThrow(UsageError);
    expect(await User.count({ email: 'e', name: { $exists: false } })).toBe(1);
  });
});

describe('options of the driver', () => {
  it.each(withFilter)('%s() passes them on', async (_name, call) => {
    await User.create({ email: 'e' });
    database.sent();
    await call({ email: 'e' } as never, {
      comment: 'why',
      maxTimeMS: 5000,
      collation: { locale: 'simple' },
    });
    const [command = {}] = database.sent();
    const statement = { ...command, ...command['updates']?.[0], ...command['deletes']?.[0] };
    expect(statement).toMatchObject({ comment: 'why', maxTimeMS: 5000, collation: { locale: 'simple' } });
  });

  it.each(withFilter.filter(([name]) => name !== 'distinct'))('%s() passes a hint on', async (_name, call) => {
    await User.create({ email: 'e' });
    database.sent();
    await call({ email: 'e' } as never, { hint: 'email_1' });
    const [command = {}] = database.sent();
    expect({ ...command, ...command['updates']?.[0], ...command['deletes']?.[0] }).toMatchObject({ hint: 'email_1' });
  });

  it.each(withFilter)('%s() passes a session on', async (_name, call) => {
    await database.connection.client.withSession(async (session) => {
      await call({ email: 'e' } as never, { session });
      expect(database.sent()[0]).toHaveProperty('lsid', session.id);
    });
  });

  it.each(writing)('%s() refuses what would change its result', async (_name, call) => {
    for (const option of [{ explain: true }, { promoteLongs: false }, { raw: true }]) {
      await expect(call({ email: 'e' } as never, option)).rejects.toThrow(UsageError);
    }
    expect(database.sent()).toEqual([]);
  });

  it.each(writing.filter(([name]) => /find|upsert/.test(name)))('%s() gives whole documents', async (_name, call) => {
    for (const option of [{ projection: { age: 1 } }, { includeResultMetadata: true }, { writeConcern: { w: 0 } }]) {
      await expect(call({ email: 'e' } as never, option)).rejects.toThrow(UsageError);
    }
    expect(database.sent()).toEqual([]);
  });

  it('upsert() always inserts what is missing, and gives it as it is then', async () => {
    for (const option of [{ upsert: false }, { returnDocument: 'before' }]) {
      await expect(User.upsert({ email: 'e' }, set, option as object)).rejects.toThrow(UsageError);
    }
    expect(await User.count()).toBe(0);
  });

  it('sort, arrayFilters and let reach the server', async () => {
    await User.insertMany([1, 3, 2].map((age) => ({ email: `e${age}`, age, tags: ['a', 'b'] })));
    const last = await User.findOneAndDelete({}, { sort: { age: -1 } });
    expect(last?.age).toBe(3);
    const filtered = { $set: { 'tags.$[tag]': 'B' } };
    await User.updateMany({}, filtered, { arrayFilters: [{ tag: 'b' }] });
    expect((await User.find()).map(({ tags }) => tags)).toEqual([
      ['a', 'B'],
      ['a', 'B'],
    ]);
    database.sent();
    await User.deleteMany({ $expr: { $eq: ['$age', '$$wanted'] } }, { let: { wanted: 1 } });
    expect(database.sent()[0]).toMatchObject({ let: { wanted: 1 } });
    expect((await User.find()).map(({ age }) => age)).toEqual([2]);
  });

  it('estimatedCount() gives how many documents there are', async () => {
    await User.insertMany([{ email: 'a' }, { email: 'b' }]);
    database.sent();
    expect(await User.estimatedCount({ maxTimeMS: 5000, comment: 'why' })).toBe(2);
    expect(database.sent()).toMatchObject([{ count: 'users', maxTimeMS: 5000, comment: 'why' }]);
  });

  it.each(reading)('%s() leaves the documents as they are', async (_name, call) => {
    const user = await User.create({ email: 'e', age: 1 });
    await call({} as never);
    expect(await User.find().lean()).toEqual([user.toObject()]);
  });
});

describe('findBy()', () => {
  beforeEach(async () => {
    await User.insertMany([
      { email: 'a', age: 1, free: { $gt: '' } },
      { email: 'b', age: 2, tags: ['x', 'y'], free: /^b/ },
    ]);
  });

  it('finds by equal values', async () => {
    expect((await User.findBy({ email: 'a', age: 1 })).map(({ email }) => email)).toEqual(['a']);
    expect(await User.findBy({ email: 'a', age: 2 })).toEqual([]);
    expect(await User.findBy({ tags: ['x', 'y'] }).count()).toBe(1);
    expect((await User.findBy({}).sort({ email: -1 }).first())?.email).toBe('b');
  });

  it.each([
    [{ $gt: '' }],
    [{ $ne: null }],
    [{ $in: ['a', 'b'] }],
    [{ $exists: true }],
    [{ $regex: '' }],
    [{ $eq: 'a' }],
    [/./],
  ])('compares %j and does not run it', async (hostile) => {
    expect(await User.findBy({ email: hostile as never })).toEqual([]);
    expect(await User.findBy({ _id: hostile as never })).toEqual([]);
  });

  it('finds what is stored with an operator in it', async () => {
    expect((await User.findBy({ free: { $gt: '' } })).map(({ email }) => email)).toEqual(['a']);
    expect((await User.findBy({ free: /^b/ })).map(({ email }) => email)).toEqual(['b']);
  });

  it('takes ObjectIds as text', async () => {
    const user = await User.findOne({ email: 'a' });
    expect((await User.findBy({ _id: user?._id.toHexString() as never }))[0]?.email).toBe('a');
    expect(() => User.findBy({ owner: 'somebody' })).toThrow(UsageError);
  });

  it.each([
    ['an operator at the top', { $where: 'true' }],
    ['undefined', { email: undefined }],
    ['a list', [{ email: 'a' }]],
    ['a text', 'email'],
    ['null', null],
  ])('refuses %s', (_what, values) => {
    expect(() => User.findBy(values as never)).toThrow(UsageError);
  });
});

describe('exists() and distinct()', () => {
  it('exists() asks for one document', async () => {
    await User.insertMany([{ email: 'a' }, { email: 'b' }]);
    database.sent();
    expect([await User.exists(), await User.exists({ email: 'b' }), await User.exists({ email: 'c' })]).toEqual([
      true,
      true,
      false,
    ]);
    expect(database.sent()[0]).toMatchObject({ pipeline: [{ $match: {} }, { $limit: 1 }, {}] });
  });

  it('distinct() gives values as documents have them', async () => {
    await User.insertMany([
      { email: 'a', balance: 5n, bytes: Uint8Array.of(1, 2), price: '1.50', note: null, tags: ['x', 'y'] },
      { email: 'b', balance: 2n ** 60n, note: 'n', tags: ['y'] },
      { email: 'c', balance: 5n },
    ]);
    expect(new Set(await User.distinct('balance'))).toEqual(new Set([5n, 2n ** 60n]));
    expect(await User.distinct('bytes')).toEqual([Uint8Array.of(1, 2)]);
    expect(await User.distinct('price')).toEqual([Decimal128.fromString('1.50')]);
    expect(new Set(await User.distinct('note'))).toEqual(new Set([null, 'n']));
    expect((await User.distinct('tags')).toSorted()).toEqual(['x', 'y']);
    expect(await User.distinct('_id', { email: 'a' })).toEqual([(await User.findOne({ email: 'a' }))?._id]);
  });
});

describe('a duplicate', () => {
  it.each([
    ['create', () => User.create({ email: 'my-secret' })],
    [
      'insertMany',
      () => User.insertMany([{ email: 'my-secret' }]).catch(({ cause }: Error) => Promise.reject(cause as Error)),
    ],
    ['updateOne', () => User.updateOne({ email: 'b' }, { $set: { email: 'my-secret' } })],
    ['updateMany', () => User.updateMany({ email: 'b' }, { $set: { email: 'my-secret' } })],
    ['upsert', () => User.upsert({ email: 'c' }, { $set: { email: 'my-secret' } })],
    ['replaceOne', () => User.replaceOne({ email: 'b' }, { email: 'my-secret' })],
    ['findOneAndUpdate', () => User.findOneAndUpdate({ email: 'b' }, { $set: { email: 'my-secret' } })],
    ['findOneAndReplace', () => User.findOneAndReplace({ email: 'b' }, { email: 'my-secret' })],
  ])('of %s() is a DuplicateKeyError that names the field and not the value', async (_name, call) => {
    await User.insertMany([{ email: 'my-secret' }, { email: 'b' }]);
    const error: unknown = await call().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DuplicateKeyError);
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_DUPLICATE_KEY', model: 'users' });
    expect((error as Error).message).toMatch(/unique index (on "email"|"email_1")/);
    expect((error as Error).message).not.toContain('my-secret');
    expect((error as Error).cause).toBeInstanceOf(MongoServerError);
    expect((await User.find().sort('email')).map(({ email }) => email)).toEqual(['b', 'my-secret']);
  });
});

describe('a static and the same of a query', () => {
  const pairs: readonly (readonly [
    string,
    (options: never) => Promise<unknown>,
    (options: never) => Promise<unknown>,
  ])[] = [
    ['count', (options) => User.count({}, options), (options) => User.find({}, options).count()],
    ['exists', (options) => User.exists({}, options), (options) => User.find({}, options).exists()],
    ['distinct', (options) => User.distinct('age', {}, options), (options) => User.find({}, options).distinct('age')],
    ['update', (options) => User.updateMany({}, set, options), (options) => User.find().update(set, options)],
    ['delete', (options) => User.deleteMany({}, options), (options) => User.find().delete(options)],
  ];

  it.each(pairs)('refuse the same options: %s', async (_, ofModel, ofQuery) => {
    for (const name of ['explain', 'raw', 'projection', 'promoteValues', 'fieldsAsRaw', 'useBigInt64']) {
      const messages = [ofModel, ofQuery].map((call) =>
        Promise.resolve({ [name]: true } as never)
          .then(call)
          .then(
            () => null,
            (error: Error) => `${error.name}: ${error.message}`,
          ),
      );
      const [first, second] = await Promise.all(messages);
      expect(first).toMatch(/^UsageError: .*"/);
      expect(second).toBe(first);
    }
    expect(database.sent()).toEqual([]);
  });

  it.each(pairs)('are not sent once their signal is aborted: %s', async (_, ofModel, ofQuery) => {
    const reason = new Error('no more');
    const options = { signal: AbortSignal.abort(reason) } as never;
    await expect(ofModel(options)).rejects.toBe(reason);
    await expect(ofQuery(options)).rejects.toBe(reason);
    expect(database.sent()).toEqual([]);
  });

  it.each(['$x', '', 'a..b', 'a.$', 5])('refuse the same paths: %j', async (path) => {
    await expect(User.find().distinct(path as never)).rejects.toThrow('distinct() takes paths of fields');
    await expect(User.distinct(path as never)).rejects.toThrow('distinct() takes paths of fields');
    await expect(User.distinct('age', {}, { limit: 1 } as never)).rejects.toThrow('can have no limit()');
  });
});
