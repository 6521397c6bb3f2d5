import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  BulkSaveError,
  BulkWriteError,
  DuplicateKeyError,
  model,
  OutcomeUnknownError,
  transaction,
} from '../../src/index.ts';
import type { Command } from '../support/database.ts';
import { BULK_SERVERS, useBulkDatabase } from '../support/bulk-servers.ts';
import { rejectionOf } from '../support/rejection.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

class Named extends model('named', { name: z.string() }, { indexes: [{ key: { name: 1 }, unique: true }] }) {}
class Plain extends model('plain', { name: z.string() }) {}
/** Each update has a command of its own, since its entry is written with what it found. */
class Told extends model('told', { name: z.string() }, { history: true }) {}

class Item extends model('items', { name: z.string(), tags: z.array(z.string()).default([]) }) {}

describe.each(BULK_SERVERS)('on a server %s', (_, wireVersion) => {
  const database = useBulkDatabase(wireVersion);
  beforeEach(async () => {
    await Item.deleteMany({});
    database.sent();
  });

  const isOld = wireVersion < 25;
  const stored = () =>
    Item.find()
      .sort({ name: 1 })
      .map(({ name, tags }) => [name, ...tags]);
  const outcomesOf = ({ results }: BulkSaveError) =>
    results.map(({ outcome, error }) => [outcome, error instanceof OutcomeUnknownError]);

  it.runIf(isReplicaSet).each([
    ['in one command', Plain],
    ['in several', Told],
  ])('what ends a transaction is the cause, and told of one document: %s', async (_how, model) => {
    await Named.ensureIndexes();
    for (const isFirst of [true, false]) {
      const other = await model.create({ name: 'before' });
      const taken = new Named({ name: 'taken' });
      await Named.upsert({ name: 'taken' }, { $set: { name: 'taken' } });
      other.name = 'after';
      const saving = transaction(() => Named.saveAll(isFirst ? [taken, other] : [other, taken]));
      const error = await rejectionOf(BulkSaveError, saving);
      expect(error.cause).toBeInstanceOf(DuplicateKeyError);
      expect(error.cause).toMatchObject({ model: 'named', fields: ['name'] });
      expect(error.results.find(({ document }) => document === taken)?.error).toBe(error.cause);
      expect(error.results.find(({ document }) => document === other)).toEqual({ document: other, outcome: 'failed' });
      expect([other.isModified('name'), taken.$isNew]).toEqual([true, true]);
      await other.save();
    }
  });

  describe.each(['cutBefore', 'cutAfter'] as const)('when the connection breaks (%s)', (fault) => {
    const acted = fault === 'cutAfter';

    it('what saveAll() only set may be saved again', async () => {
      const items = await Item.insertMany(['a', 'b'].map((name) => ({ name })));
      for (const item of items) item.name += '!';
      database.proxy.next(isOld ? 'update' : 'bulkWrite', fault);
      const error = await rejectionOf(BulkSaveError, Item.saveAll(items));
      expect(outcomesOf(error)).toEqual([
        ['failed', true],
        ['failed', true],
      ]);
      expect(await stored()).toEqual(acted ? [['a!'], ['b!']] : [['a'], ['b']]);
      expect(items.map((item) => item.isModified())).toEqual([true, true]);
      const [first] = items;
      if (first !== undefined) first.name = 'a';
      await Item.saveAll(items);
      expect(await stored()).toEqual([['a'], ['b!']]);
    });

    it('what it inserted may be saved again', async () => {
      const items = ['a', 'b'].map((name) => new Item({ name }));
      database.proxy.next(isOld ? 'insert' : 'bulkWrite', fault);
      expect(outcomesOf(await rejectionOf(BulkSaveError, Item.saveAll(items)))).toEqual(
        Array(2).fill(['failed', true]),
      );
      await Item.saveAll(items);
      expect([await stored(), items.map((item) => item.$isNew)]).toEqual([
        [['a'], ['b']],
        [false, false],
      ]);
    });

    it('what it added is not sent again before reload()', async () => {
      const items = await Item.insertMany(['a', 'b'].map((name) => ({ name })));
      for (const item of items) item.tags.push('x');
      database.proxy.next(isOld ? 'update' : 'bulkWrite', fault);
      await rejectionOf(BulkSaveError, Item.saveAll(items));
      const again = await rejectionOf(BulkSaveError, Item.saveAll([...items, new Item({ name: 'c' })]));
      expect(outcomesOf(again)).toEqual([
        ['failed', true],
        ['failed', true],
        ['inserted', false],
      ]);
      await Promise.all(items.map((item) => item.reload()));
      for (const item of items) item.tags.push('y');
      await Item.saveAll(items);
      const tags = acted ? ['x', 'y'] : ['y'];
      expect(await stored()).toEqual([['a', ...tags], ['b', ...tags], ['c']]);
    });

    it('bulk() says of each operation that nobody knows', async () => {
      database.proxy.next(isOld ? 'insert' : 'bulkWrite', fault);
      const bulk = Item.bulk().insertOne({ name: 'a' }).insertOne({ name: 'b' });
      const { results } = await rejectionOf(BulkWriteError, bulk.execute());
      expect(results.map(({ error }) => error)).toEqual([
        expect.any(OutcomeUnknownError),
        expect.any(OutcomeUnknownError),
      ]);
      expect(await stored()).toEqual(acted ? [['a'], ['b']] : []);
    });
  });

  describe('when the server did it and could not confirm it', () => {
    const writeConcernError = {
      code: 64,
      codeName: 'WriteConcernTimeout',
      errmsg: 'waiting for replication timed out',
    };

    it('saveAll() settles the documents and throws', async () => {
      const items = await Item.insertMany(['a', 'b'].map((name) => ({ name })));
      for (const item of items) item.tags.push('x');
      database.proxy.next(isOld ? 'update' : 'bulkWrite', (reply) => ({ ...reply, writeConcernError }));
      const error = await rejectionOf(BulkSaveError, Item.saveAll(items));
      expect(error.message).toContain('not confirmed');
      expect(error.results).toMatchObject(Array(2).fill({ outcome: 'updated', error: expect.any(Error) }));
      expect(items.map((item) => item.isModified())).toEqual([false, false]);
      database.sent();
      await Item.saveAll(items);
      expect(database.sent()).toEqual([]);
    });

    it('bulk() has the results and the error', async () => {
      database.proxy.next(isOld ? 'insert' : 'bulkWrite', (reply) => ({ ...reply, writeConcernError }));
      const bulk = Item.bulk().insertOne({ name: 'a' }).insertOne({ name: 'b' });
      const { results } = await rejectionOf(BulkWriteError, bulk.execute());
      expect(results).toMatchObject(Array(2).fill({ insertedId: expect.anything(), error: expect.any(Error) }));
    });
  });

  it('a transaction that the server ends leaves all documents as they were', async () => {
    const hasTransactions = (await database.db.admin().command({ hello: 1 }))['setName'] !== undefined;
    const [item] = await Item.insertMany([{ name: 'a' }]);
    if (item === undefined) throw new Error('Expected an item');
    const [fresh, clash] = [new Item({ name: 'b' }), new Item({ _id: item._id, name: 'c' })];
    const session = database.connection.client.startSession();
    try {
      session.startTransaction();
      const error = await rejectionOf(BulkSaveError, Item.saveAll([fresh, clash], { session }));
      expect(error.results.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
      expect([fresh.$isNew, clash.$isNew]).toEqual([true, true]);
      await session.abortTransaction();
    } finally {
      await session.endSession();
    }
    expect(await stored()).toEqual([['a']]);
    if (!hasTransactions) return;
    item.tags.push('x');
    const committing = database.connection.client.startSession();
    await committing.withTransaction(() => Item.saveAll([item, fresh], { session: committing }));
    await committing.endSession();
    expect(await stored()).toEqual([['a', 'x'], ['b']]);
  });
});

describe('a client that decodes numbers as classes', () => {
  useBulkDatabase(25, { promoteValues: false });

  it('has its answers read', async () => {
    await Item.collection.createIndex({ name: 1 }, { unique: true });
    const items = [new Item({ name: 'a' }), new Item({ name: 'b' }), new Item({ name: 'b' })];
    const error: unknown = await Item.saveAll(items).catch((thrown: unknown) => thrown);
    expect((error as BulkSaveError).results.map(({ outcome }) => outcome)).toEqual(['inserted', 'inserted', 'failed']);
    const results = await Item.bulk()
      .updateMany({}, { $set: { tags: ['x'] } })
      .deleteMany({})
      .execute();
    expect(results).toEqual([
      { operation: 'updateMany', matchedCount: 2, modifiedCount: 2 },
      { operation: 'deleteMany', deletedCount: 2 },
    ]);
  });
});

describe.each(BULK_SERVERS)('on a small server %s', (server, wireVersion) => {
  class Routed extends model('routed', { place: z.string(), count: z.number() }, { shardKey: ['place'] }) {}

  const database = useBulkDatabase(wireVersion);
  beforeAll(() => {
    const small = { maxWireVersion: wireVersion, maxWriteBatchSize: 3, maxBsonObjectSize: 40_000 };
    database.proxy.always('hello', (reply) => ({ ...reply, ...small, maxMessageSizeBytes: 40_000 }));
  });
  const other = useBulkDatabase(wireVersion);

  it('a command has no more writes, and no more bytes, than the server takes', async () => {
    const items = Array.from({ length: 7 }, (__, i) => new Item({ name: `${i}` }));
    await Item.saveAll(items);
    const large = Array.from({ length: 4 }, (__, i) => new Item({ name: `${i}`.repeat(10_000) }));
    await Item.saveAll(large);
    const writes = database
      .sent()
      .flatMap(({ ops, documents = ops }: Command) => (documents === undefined ? [] : [documents]));
    const lengths = writes.map((list: unknown[] & { documents?: unknown[] }) => (list.documents ?? list).length);
    // The driver's own bulk write takes one write less.
    expect(lengths.toSorted((a, b) => a - b)).toEqual(
      server.includes('without') ? [1, 2, 2, 2, 2, 2] : [1, 2, 2, 3, 3],
    );
    expect(await Item.count()).toBe(11);
  });

  it('a document that somebody moved to another shard is reported as gone', async () => {
    const pages = await Routed.insertMany(['a', 'b'].map((place) => ({ place, count: 0 })));
    for (const page of pages) page.count = 1;
    await database.db.collection('routed').updateOne({ place: 'a' }, { $set: { place: 'c' } });
    const error: unknown = await Routed.saveAll(pages).catch((thrown: unknown) => thrown);
    expect(outcomes(error as BulkSaveError)).toEqual(['failed', 'updated']);
  });

  it('documents of several connections go to each', async () => {
    const Elsewhere = Item.using(other.connection);
    const pages = [1, 2].flatMap((i) => [new Item({ name: `here ${i}` }), new Elsewhere({ name: `there ${i}` })]);
    database.sent();
    other.sent();
    await Item.saveAll(pages);
    expect([database.sent().length, other.sent().length]).toEqual([1, 1]);
    expect(await Elsewhere.count()).toBe(2);
  });

  it('documents loaded in part are saved in part', async () => {
    await Item.deleteMany({});
    await Item.insertMany(['a', 'b'].map((name) => ({ name, tags: ['t'] })));
    const pages = await Item.find().select('name').sort({ name: 1 });
    for (const page of pages) page.name += '!';
    await Item.saveAll(pages);
    expect(
      await Item.find()
        .sort({ name: 1 })
        .map(({ name, tags }) => [name, ...tags]),
    ).toEqual([
      ['a!', 't'],
      ['b!', 't'],
    ]);
  });

  const outcomes = ({ results }: BulkSaveError): string[] => results.map(({ outcome }) => outcome);
});
