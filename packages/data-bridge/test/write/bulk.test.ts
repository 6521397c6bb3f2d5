import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BulkWriteError, DuplicateKeyError, model, objectId, UsageError, ValidationError } from '../../src/index.ts';
import { BULK_SERVERS, useBulkDatabase } from '../support/bulk-servers.ts';
import { rejectionOf } from '../support/rejection.ts';

class User extends model(
  'users',
  {
    name: z.string().min(1),
    age: z.number().default(18),
    friend: objectId().optional(),
  },
  { timestamps: true },
) {}

describe.each(BULK_SERVERS)('bulk() on a server %s', (_, wireVersion) => {
  const isOld = wireVersion < 25;
  const database = useBulkDatabase(wireVersion);
  beforeAll(async () => {
    await User.collection.createIndex({ name: 1 }, { unique: true });
  });
  beforeEach(async () => {
    await User.deleteMany({});
    await User.insertMany(['a', 'b', 'c'].map((name) => ({ name })));
    database.sent();
  });

  const stored = () =>
    User.find()
      .sort({ name: 1 })
      .map(({ name, age }) => [name, age]);

  it('tells of nothing that was done where an error ended the transaction', async () => {
    const session = database.connection.client.startSession();
    session.startTransaction();
    const bulk = User.bulk()
      .insertOne({ name: 'd' })
      .updateOne({ name: 'a' }, { $set: { age: 1 } })
      .insertOne({ name: 'b' });
    const { results } = await rejectionOf(BulkWriteError, bulk.execute({ session }));
    await session.abortTransaction();
    await session.endSession();
    expect(results).toEqual([
      { operation: 'insertOne' },
      { operation: 'updateOne' },
      { operation: 'insertOne', error: expect.any(DuplicateKeyError) },
    ]);
    expect(await stored()).toEqual(['a', 'b', 'c'].map((name) => [name, 18]));
  });

  it('does operations of all kinds and gives the result of each', async () => {
    const bulk = User.bulk()
      .insertOne({ name: 'd' })
      .insertOne({ name: 'e', age: 5 })
      .updateOne({ name: 'a' }, { $set: { age: 1 } })
      .updateMany({ name: { $in: ['b', 'c', 'none'] } }, { $inc: { age: 1 } })
      .updateOne({ name: 'new' }, { $set: { age: 7 } }, { upsert: true })
      .replaceOne({ name: 'd' }, { name: 'f' })
      .deleteOne({ name: 'e' })
      .deleteMany({ name: 'none' });
    expect(bulk.size).toBe(8);
    const results = await bulk.execute();
    expect(results).toEqual([
      { operation: 'insertOne', insertedId: expect.anything() },
      { operation: 'insertOne', insertedId: expect.anything() },
      { operation: 'updateOne', matchedCount: 1, modifiedCount: 1 },
      { operation: 'updateMany', matchedCount: 2, modifiedCount: 2 },
      { operation: 'updateOne', matchedCount: 0, modifiedCount: 0, upsertedId: expect.anything() },
      { operation: 'replaceOne', matchedCount: 1, modifiedCount: 1 },
      { operation: 'deleteOne', deletedCount: 1 },
      { operation: 'deleteMany', deletedCount: 0 },
    ]);
    expect(database.sentNames()).toEqual(
      isOld ? ['insert', 'update', 'update', 'update', 'update', 'delete', 'delete'] : ['bulkWrite'],
    );
    expect(await stored()).toEqual([
      ['a', 1],
      ['b', 19],
      ['c', 19],
      ['f', 18],
      ['new', 7],
    ]);
    const found = await User.findOne({ name: 'f' });
    expect(found?._id).toEqual(results[0]?.insertedId);
    const upserted = await User.findById(results[4]?.upsertedId as never);
    expect([upserted?.createdAt, upserted?.updatedAt]).toEqual([expect.any(Date), expect.any(Date)]);
  });

  it('notes the time of updates unless an option forbids it, and casts ids', async () => {
    const [a, b] = await User.find().sort({ name: 1 });
    if (a === undefined || b === undefined) throw new Error('Expected users');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await User.bulk()
      .updateOne({ _id: a._id.toHexString() }, { $set: { friend: b._id.toHexString() } })
      .updateOne({ name: 'b' }, { $set: { age: 2 } }, { timestamps: false })
      .execute();
    const [changed, quiet] = await User.find().sort({ name: 1 });
    expect(changed?.friend).toEqual(b._id);
    expect(changed?.updatedAt.getTime()).toBeGreaterThan(a.updatedAt.getTime());
    expect(quiet?.updatedAt).toEqual(b.updatedAt);
  });

  it('ends at the first failure', async () => {
    const bulk = User.bulk()
      .updateOne({ name: 'a' }, { $set: { age: 1 } })
      .insertOne({ name: 'b' })
      .insertOne({ name: 'd' })
      .deleteOne({ name: 'c' });
    const error = await rejectionOf(BulkWriteError, bulk.execute());
    expect(error.results).toEqual([
      { operation: 'updateOne', matchedCount: 1, modifiedCount: 1 },
      { operation: 'insertOne', error: expect.any(DuplicateKeyError) },
      { operation: 'insertOne' },
      { operation: 'deleteOne' },
    ]);
    expect(error.message).toContain('1 of 4');
    expect(await stored()).toEqual([
      ['a', 1],
      ['b', 18],
      ['c', 18],
    ]);
  });

  it('goes on after a failure where the order does not matter', async () => {
    const bulk = User.bulk()
      .insertOne({ name: 'b' })
      .insertOne({ name: 'd' })
      .updateOne({ name: 'a' }, { $set: { name: 'c' } })
      .deleteOne({ name: 'c' });
    const { results } = await rejectionOf(BulkWriteError, bulk.execute({ ordered: false }));
    expect(
      results.map(({ error, insertedId, deletedCount }) => [error !== undefined, insertedId, deletedCount]),
    ).toEqual([
      [true, undefined, undefined],
      [false, expect.anything(), undefined],
      [expect.any(Boolean), undefined, undefined],
      [false, undefined, 1],
    ]);
    expect(await User.count({ name: 'd' })).toBe(1);
  });

  it('validates all new documents before anything is sent', async () => {
    const bulk = User.bulk()
      .deleteMany({})
      .insertOne({ name: 'd' })
      .insertOne({ name: '' })
      .replaceOne({}, { name: '' });
    const error: unknown = await bulk.execute().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues.map(({ path }) => path)).toEqual(['2.name', '3.name']);
    expect(database.sent()).toEqual([]);
    await bulk.execute({ validate: false }).catch(() => {});
    expect(await User.count({ name: 'd' })).toBe(1);
  });

  it('refuses what cannot be, at once', async () => {
    expect(() => User.bulk().updateOne({}, { age: 5 } as never)).toThrow(UsageError);
    expect(() => User.bulk().updateOne({ name: undefined } as never, { $set: { age: 5 } })).toThrow(UsageError);
    expect(() => User.bulk().insertOne(5 as never)).toThrow(UsageError);
    await expect(
      User.bulk()
        .deleteOne({})
        .execute({ explain: true } as object),
    ).rejects.toThrow(UsageError);
    expect(() => User.bulk().deleteOne({}, { upsert: true } as never)).toThrow(UsageError);
  });

  it('is executed once, and sends nothing for nothing', async () => {
    expect(await User.bulk().execute()).toEqual([]);
    expect(database.sent()).toEqual([]);
    const bulk = User.bulk().insertOne({ name: 'd' });
    await bulk.execute();
    await expect(bulk.execute()).rejects.toThrow(UsageError);
    await expect(
      User.bulk()
        .deleteOne({})
        .execute({ writeConcern: { w: 0 } }),
    ).rejects.toThrow(UsageError);
  });

  it('is typed by the model', () => {
    // @ts-expect-error -- a number is no name
    User.bulk().insertOne({ name: 5 });
    // @ts-expect-error -- users have no size
    User.bulk().deleteOne({ size: 5 });
    // @ts-expect-error -- a text is no age
    User.bulk().updateOne({ name: 'a' }, { $set: { age: 'old' } });
    expect(database.sent()).toEqual([]);
  });
});
