// An ordinary write while a transaction is open that has nothing to do with it.
import { type AnyBulkWriteOperation, Long, UUID } from 'mongodb';
import { expect, vi } from 'vitest';
import { type AnyDocument, type Case, conformance, errorOf, type Workbench } from '../support/conformance.ts';
import { RawClient } from '../support/raw-client.ts';
import { fill, inTransaction } from '../support/transaction.ts';

/** Every document of the collection is found by each index, and the server itself says so. */
async function expectWhole({ db, collection, product }: Workbench): Promise<void> {
  const all = await collection.find().sort({ _id: 1 }).toArray();
  for (const { key, name, sparse, partialFilterExpression } of await collection.indexes()) {
    if (sparse === true || partialFilterExpression !== undefined) continue;
    const byIndex = await collection
      .find()
      .hint(name ?? key)
      .toArray();
    expect(new Set(byIndex.map(({ _id }) => _id)), `${name}`).toEqual(new Set(all.map(({ _id }) => _id)));
    expect(byIndex).toHaveLength(all.length);
  }
  if (product === 'embedded') {
    const reply = await db.command({ validate: collection.collectionName });
    expect(reply).toMatchObject({ valid: true, nrecords: all.length });
  }
}

/** Changes of the collection itself, each between a write that the open transaction has noticed and the next ones. */
const alterations: Readonly<Record<string, (bench: Workbench) => Promise<unknown>>> = {
  'a new index': ({ collection }) => collection.createIndex({ w: 1 }),
  'a new unique index': ({ collection }) => collection.createIndex({ u: 1 }, { unique: true, sparse: true }),
  'a new multikey index': ({ collection }) => collection.createIndex({ tags: 1 }),
  'a new partial index': ({ collection }) =>
    collection.createIndex({ n: 1 }, { partialFilterExpression: { n: { $gt: 2 } } }),
  'a new index of time': ({ collection }) => collection.createIndex({ at: 1 }, { expireAfterSeconds: 3_600 }),
  'several new indexes': ({ collection }) =>
    collection.createIndexes([{ key: { w: 1 } }, { key: { n: -1 } }, { key: { 'a.b': 1, n: 1 } }]),
  'an index fewer': async ({ collection }) => {
    await collection.createIndex({ w: 1 });
    await collection.insertOne({ _id: 50, w: 1 });
    await collection.dropIndex('w_1');
  },
  'an index in the place of another': async ({ collection }) => {
    await collection.createIndex({ w: 1 });
    await collection.insertOne({ _id: 50, w: 1 });
    await collection.dropIndex('w_1');
    await collection.createIndex({ n: 1 });
  },
  'another rule': ({ db, collection }) =>
    db.command({ collMod: collection.collectionName, validator: { _id: { $gt: 0 } } }),
  'a new collection in its place': async ({ collection }) => {
    await collection.drop();
    await fill(collection, [1, 2]);
    await collection.createIndex({ n: 1 });
  },
  'another name, and back': async ({ db, collection }) => {
    await db.renameCollection(collection.collectionName, `${collection.collectionName}_`);
    await db.renameCollection(`${collection.collectionName}_`, collection.collectionName);
    await collection.createIndex({ n: 1 });
  },
  'an index that cannot be made': async ({ collection }) => {
    await collection.insertOne({ _id: 60, d: 1 });
    await collection.insertOne({ _id: 61, d: 1 });
    expect((await errorOf(collection.createIndex({ d: 1 }, { unique: true }))).code).toBe(11000);
  },
};

/** Ordinary writes, in every way that there is. */
async function writeAll({ collection, client }: Workbench): Promise<void> {
  const set = { w: 1, u: 7, tags: ['x', 'y'], n: 5, at: new Date(), a: [{ b: 1 }, { b: 2 }] };
  await collection.insertOne({ _id: 10, ...set });
  const batch = [{ _id: 11, n: 3, tags: [] }, { _id: 10 }, { _id: 12, n: 4, tags: ['z'] }];
  expect((await errorOf(collection.insertMany(batch, { ordered: false }))).code).toBe(11000);
  expect(await collection.updateOne({ _id: 1 }, { $set: { u: 8, tags: ['q'] } })).toMatchObject({ modifiedCount: 1 });
  expect(await collection.updateMany({ _id: { $in: [1, 2] } }, { $inc: { n: 4 } })).toMatchObject({ modifiedCount: 2 });
  expect(await collection.replaceOne({ _id: 2 }, { w: 3, n: 9 })).toMatchObject({ modifiedCount: 1 });
  expect(await collection.updateOne({ _id: 20 }, { $set: { w: 2 } }, { upsert: true })).toMatchObject({
    upsertedId: 20,
  });
  expect(await collection.findOneAndUpdate({ _id: 20 }, { $push: { tags: 'k' as never } })).toMatchObject({ w: 2 });
  expect(await collection.deleteOne({ _id: 11 })).toMatchObject({ deletedCount: 1 });
  expect(await collection.findOneAndDelete({ _id: 12 })).toMatchObject({ n: 4 });
  const written: AnyBulkWriteOperation<AnyDocument>[] = [
    { insertOne: { document: { _id: 21, w: 5 } } },
    { updateOne: { filter: { _id: 21 }, update: { $set: { n: 1 } } } },
  ];
  expect(await collection.bulkWrite(written, { ordered: false })).toMatchObject({ modifiedCount: 1 });
  const ns = collection.namespace;
  const many = await client.db('admin').command({
    bulkWrite: 1,
    ops: [
      { insert: 0, document: { _id: 22, w: 6 } },
      { insert: 0, document: { _id: 22 } },
      { update: 0, filter: { _id: 22 }, updateMods: { $set: { n: 7 } } },
      { delete: 0, filter: { _id: 21 } },
    ],
    nsInfo: [{ ns }],
    ordered: false,
  });
  expect(many).toMatchObject({ nInserted: 1, nErrors: 1, nModified: 1, nDeleted: 1 });
  const merge = [{ $match: { _id: 22 } }, { $set: { _id: 23 } }, { $merge: collection.collectionName }];
  await collection.aggregate(merge).toArray();
  expect(await collection.countDocuments({ _id: { $in: [1, 2, 10, 20, 22, 23] } })).toBe(6);
}

/** Ordinary writes after an alteration, beside a transaction that knows the collection as it was before. */
const writesAfter =
  (alter: (bench: Workbench) => Promise<unknown>): Case =>
  async (bench) => {
    const { db, collection } = bench;
    const other = db.collection<AnyDocument>(`${collection.collectionName}_other`);
    await fill(other, [1]);
    await fill(collection, [1, 2]);
    await inTransaction(bench, async (session) => {
      await other.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      // The open transaction keeps what was there before this, so it knows the collection from here on.
      await collection.insertOne({ _id: 30 });
      await alter(bench);
      await writeAll(bench);
      await expectWhole(bench);
      await session.commitTransaction();
    });
    await expectWhole(bench);
    expect(await other.findOne({ _id: 1 })).toMatchObject({ n: 1 });
  };

const altered = Object.entries(alterations).map(([title, alter]) => [
  `after ${title} ordinary writes are done, whole`,
  writesAfter(alter),
]);

const cases: Record<string, Case> = {
  'several open transactions': async (bench) => {
    const { db, collection } = bench;
    const other = db.collection<AnyDocument>(`${collection.collectionName}_other`);
    await fill(other, [1, 2]);
    await fill(collection, [1, 2]);
    await inTransaction(bench, async (first) => {
      await other.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: first });
      await collection.insertOne({ _id: 30 });
      await inTransaction(bench, async (second) => {
        await other.updateOne({ _id: 2 }, { $inc: { n: 1 } }, { session: second });
        await collection.createIndex({ w: 1 });
        await writeAll(bench);
        await second.commitTransaction();
      });
      await first.commitTransaction();
    });
    await expectWhole(bench);
    expect(await other.countDocuments({ n: 1 })).toBe(2);
  },

  'a retryable write that is sent again is done once': async (bench) => {
    const { db, collection } = bench;
    const other = db.collection<AnyDocument>(`${collection.collectionName}_other`);
    await fill(other, [1]);
    await inTransaction(bench, async (session) => {
      await other.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      await collection.insertOne({ _id: 1 });
      await collection.createIndex({ w: 1 }, { unique: true, sparse: true });
      const raw = await RawClient.connect(bench.uri);
      const part = { $db: db.databaseName, lsid: { id: new UUID() }, txnNumber: new Long(1) };
      for (let time = 0; time < 3; time += 1) {
        const insert = { insert: collection.collectionName, documents: [{ _id: 2, w: 2 }], ...part };
        expect(await raw.command(insert)).toMatchObject({ ok: 1, n: 1 });
      }
      raw.close();
      await session.commitTransaction();
    });
    expect(await collection.countDocuments({ w: 2 })).toBe(1);
    await expectWhole(bench);
  },

  'a document whose time is over is removed with all its entries': async (bench) => {
    const { db, collection, product } = bench;
    if (product !== 'embedded') return expect(product).not.toBe('');
    const other = db.collection<AnyDocument>(`${collection.collectionName}_other`);
    await fill(other, [1]);
    await inTransaction(bench, async (session) => {
      await other.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      await collection.insertOne({ _id: 1 });
      await collection.createIndexes([{ key: { at: 1 }, expireAfterSeconds: 1 }, { key: { n: 1 } }]);
      await collection.insertMany([
        { _id: 2, at: new Date(0), n: 1 },
        { _id: 3, at: [new Date(0)], n: 2 },
        { _id: 4, n: 3 },
      ]);
      await vi.waitUntil(async () => (await collection.countDocuments()) === 2, { timeout: 20_000, interval: 100 });
      await expectWhole(bench);
      await session.commitTransaction();
    });
    await expectWhole(bench);
  },

  'an index that cannot be made leaves a transaction as it is': async (bench) => {
    const { db, collection } = bench;
    const other = db.collection<AnyDocument>(`${collection.collectionName}_other`);
    await fill(other, [1]);
    await fill(collection, [1, 2]);
    await inTransaction(bench, async (session) => {
      await other.findOne({}, { session });
      expect((await errorOf(collection.createIndex({ n: 1 }, { unique: true }))).code).toBe(11000);
      expect(await collection.countDocuments({}, { session })).toBe(2);
      await session.commitTransaction();
    });
  },
};

conformance('writes beside open transactions', { ...Object.fromEntries(altered), ...cases });
