import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, stored, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class User extends model(
  'users',
  { name: z.string(), level: stored('lvl', z.int()), address: z.object({ city: z.string() }).optional() },
  { timestamps: true, indexes: [{ key: { level: 1 } }] },
) {}

const database = useDatabase();
beforeEach(async () => {
  await User.deleteMany({});
  await User.insertMany([1, 2, 3, 4].map((level) => ({ name: `User${level}`, level })));
  database.sent();
});

const levels = async () => (await User.find().sort('name')).map(({ level }) => level);

describe('update()', () => {
  it('updates what matches, in the words of the program, and notes the time', async () => {
    const before = await User.findOne({ name: 'User3' });
    const result = await User.find({ level: { $gte: 3 } }).update({ $inc: { level: 10 } });
    expect(result).toMatchObject({ matchedCount: 2, modifiedCount: 2 });
    expect(await levels()).toEqual([1, 2, 13, 14]);
    expect(database.sent().find((command) => 'update' in command)).toMatchObject({
      updates: [{ q: { lvl: { $gte: 3 } }, u: { $inc: { lvl: 10 } }, multi: true }],
    });
    const after = await User.findOne({ name: 'User3' });
    expect(Number(after?.updatedAt)).toBeGreaterThanOrEqual(Number(before?.updatedAt));
  });

  it('can leave the time as it is', async () => {
    await User.find().update({ $set: { level: 0 } }, { timestamps: false });
    expect(database.sent()[0]).toMatchObject({ updates: [{ u: { $set: { lvl: 0 } } }] });
  });

  it('passes the options of the query on, and its own', async () => {
    await User.find()
      .comment('why')
      .maxTimeMS(5000)
      .hint({ _id: 1 })
      .update({ $set: { level: 0 } });
    expect(database.sent()[0]).toMatchObject({ comment: 'why', updates: [{ hint: { _id: 1 } }] });
    await User.find()
      .comment('why')
      .update({ $set: { level: 0 } }, { comment: 'own' });
    expect(database.sent()[0]).toMatchObject({ comment: 'own' });
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'a sort',
      () =>
        User.find()
          .sort('name')
          .update({ $set: { level: 0 } }),
    ],
    [
      'a skip',
      () =>
        User.find()
          .skip(1)
          .update({ $set: { level: 0 } }),
    ],
    [
      'a limit',
      () =>
        User.find()
          .limit(1)
          .update({ $set: { level: 0 } }),
    ],
    ['an upsert', () => User.find().update({ $set: { level: 0 } }, { upsert: true } as never)],
    ['a replacement', () => User.find().update({ level: 0 } as never)],
    ['a plan', () => User.find().update({ $set: { level: 0 } }, { explain: true } as never)],
  ])('refuses %s', async (_what, call) => {
    await expect(call()).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });
});

describe('delete()', () => {
  it('deletes what matches', async () => {
    expect(await User.find({ level: { $lt: 3 } }).delete()).toMatchObject({ deletedCount: 2 });
    expect(await levels()).toEqual([3, 4]);
  });

  it('refuses sort, skip and limit', async () => {
    await expect(User.find().sort('name').delete()).rejects.toThrow('sort()');
    await expect(User.find().skip(1).delete()).rejects.toThrow('skip()');
    await expect(User.find().limit(1).delete()).rejects.toThrow('limit()');
    expect(await User.find().skip(0).limit(0).delete()).toMatchObject({ deletedCount: 4 });
  });
});

describe('explain()', () => {
  it("gives the server's plan as a plain object", async () => {
    const plan = await User.find({ level: 1 }).sort('name').select('name').explain();
    expect(plan).toHaveProperty('queryPlanner');
    expect(database.sent()[0]).toMatchObject({
      explain: { find: 'users', filter: { lvl: 1 }, projection: { _id: 1, name: 1 } },
      verbosity: 'queryPlanner',
    });
  });
});

describe('options', () => {
  it('are sent by their methods', async () => {
    await User.find().batchSize(3).hint('_id_').comment('why').maxTimeMS(900).collation({ locale: 'simple' });
    expect(database.sent()[0]).toMatchObject({
      batchSize: 3,
      hint: '_id_',
      comment: 'why',
      maxTimeMS: 900,
      collation: { locale: 'simple' },
    });
    await User.find().readPreference('nearest');
    expect(database.sent()[0]).toMatchObject({ find: 'users' });
    await User.ensureIndexes();
    database.sent();
    await User.find({}, { hint: { level: 1 } });
    expect(database.sent()[0]).toMatchObject({ hint: { lvl: 1 } });
  });

  it('take a session', async () => {
    const session = database.connection.client.startSession();
    try {
      await User.find().session(session);
      expect(database.sent()[0]?.['lsid']).toEqual(session.id);
    } finally {
      await session.endSession();
    }
  });

  it.each(['promoteValues', 'promoteLongs', 'useBigInt64', 'bsonRegExp', 'returnKey', 'showRecordId', 'min', 'max'])(
    'leave out "%s", which would change what documents are',
    (option) => {
      expect(() => User.find({}, { [option]: true })).toThrow(`"${option}"`);
    },
  );

  it('are checked: counts are whole numbers', () => {
    expect(() => User.find({}, { limit: -1 })).toThrow(UsageError);
    expect(() => User.find({}, { skip: 0.5 })).toThrow(UsageError);
    expect(() => User.find().batchSize(-1)).toThrow(UsageError);
    expect(() => User.find().maxTimeMS(Number.NaN)).toThrow(UsageError);
  });
});
