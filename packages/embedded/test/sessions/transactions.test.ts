import { expect } from 'vitest';
import { type AnyDocument, type Case, conformance } from '../support/conformance.ts';
import { fill, inTransaction } from '../support/transaction.ts';

const isolation: Record<string, Case> = {
  'a transaction sees its own writes, nobody else does': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1, 2, 3]);
    await inTransaction(bench, async (session) => {
      await collection.insertOne({ _id: 4, n: 0 }, { session });
      await collection.updateOne({ _id: 1 }, { $set: { n: 1 } }, { session });
      await collection.deleteOne({ _id: 2 }, { session });
      const seen = [
        { _id: 1, n: 1 },
        { _id: 3, n: 0 },
        { _id: 4, n: 0 },
      ];
      expect(await collection.find({}, { session }).toArray()).toEqual(seen);
      expect(await collection.find({}).sort({ _id: 1 }).toArray()).toEqual([1, 2, 3].map((_id) => ({ _id, n: 0 })));
      await session.commitTransaction();
      expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual(seen);
    });
  },

  'it sees what was there when it began': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1, 2, 3]);
    await collection.createIndex({ n: 1 });
    await inTransaction(bench, async (session) => {
      expect(await collection.countDocuments({}, { session })).toBe(3);
      await collection.updateOne({ _id: 1 }, { $set: { n: 5 } });
      await collection.deleteOne({ _id: 2 });
      await collection.insertOne({ _id: 4, n: 5 });
      const before = [1, 2, 3].map((_id) => ({ _id, n: 0 }));
      expect(await collection.find({}, { session }).toArray()).toEqual(before);
      expect(await collection.find({ n: 0 }, { session }).sort({ _id: 1 }).toArray()).toEqual(before);
      expect(await collection.find({}, { session }).sort({ n: 1, _id: -1 }).toArray()).toEqual(before.toReversed());
      expect(
        await collection
          .find({ _id: { $gte: 2 } }, { session })
          .sort({ _id: -1 })
          .toArray(),
      ).toEqual(before.slice(1).toReversed());
      expect(await collection.find({ n: 5 }, { session }).toArray()).toEqual([]);
      expect(await collection.findOne({ _id: 4 }, { session })).toBeNull();
      expect(await collection.distinct('n', {}, { session })).toEqual([0]);
      expect(await collection.countDocuments({ n: 0 }, { session })).toBe(3);
      const summed = collection.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }], { session });
      expect(await summed.toArray()).toEqual([{ _id: null, n: 0 }]);
      await session.commitTransaction();
      expect(await collection.find({}, { session }).sort({ _id: 1 }).toArray()).toEqual([
        { _id: 1, n: 5 },
        { _id: 3, n: 0 },
        { _id: 4, n: 5 },
      ]);
    });
  },

  'a cursor goes on with what it saw': async (bench) => {
    const { collection } = bench;
    await fill(
      collection,
      Array.from({ length: 50 }, (_, n) => n),
    );
    await inTransaction(bench, async (session) => {
      const cursors = [
        collection.find({}, { session, batchSize: 5 }),
        collection.find({}, { session, batchSize: 5 }).sort({ _id: -1 }),
        collection.find({}, { session, batchSize: 5 }).sort({ n: 1, _id: -1 }),
      ];
      for (const cursor of cursors) await cursor.next();
      await collection.updateMany({ _id: { $gte: 10 } }, { $set: { n: 1 } });
      await collection.deleteMany({ _id: { $gte: 30 } });
      await collection.insertOne({ _id: 100, n: 0 });
      const [up, down, sorted] = await Promise.all(cursors.map((cursor) => cursor.toArray()));
      expect(up?.map(({ _id, n }) => [_id, n])).toEqual(Array.from({ length: 49 }, (_, n) => [n + 1, 0]));
      expect(down?.map(({ _id, n }) => [_id, n])).toEqual(Array.from({ length: 49 }, (_, n) => [48 - n, 0]));
      expect(sorted).toEqual(down);
      await session.abortTransaction();
    });
  },

  'an aborted transaction leaves nothing': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1, 2]);
    await inTransaction(bench, async (session) => {
      await collection.insertOne({ _id: 3 }, { session });
      await collection.updateMany({}, { $inc: { n: 1 } }, { session });
      await collection.deleteOne({ _id: 2 }, { session });
      await session.abortTransaction();
    });
    expect(await collection.find().toArray()).toEqual([1, 2].map((_id) => ({ _id, n: 0 })));
  },

  'a document may be written several times': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    await inTransaction(bench, async (session) => {
      await collection.deleteOne({ _id: 1 }, { session });
      await collection.insertOne({ _id: 1, n: 1 }, { session });
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      await collection.insertOne({ _id: 2 }, { session });
      await collection.deleteOne({ _id: 2 }, { session });
      await collection.replaceOne({ _id: 3 }, { n: 3 }, { session, upsert: true });
      expect(await collection.findOneAndUpdate({ _id: 3 }, { $inc: { n: 1 } }, { session })).toEqual({ _id: 3, n: 3 });
      await session.commitTransaction();
    });
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, n: 2 },
      { _id: 3, n: 4 },
    ]);
  },

  'bulk writes, and writes to several collections, are one': async (bench) => {
    const { client, collection, db } = bench;
    const other = db.collection<AnyDocument>(`${collection.collectionName}_other`);
    await fill(collection, [1]);
    await inTransaction(bench, async (session) => {
      await collection.bulkWrite(
        [{ insertOne: { document: { _id: 2 } } }, { updateMany: { filter: {}, update: { $set: { n: 7 } } } }],
        { session },
      );
      await other.insertOne({ _id: 1 }, { session });
      expect(await other.countDocuments()).toBe(0);
      await session.commitTransaction();
    });
    expect(await client.db(db.databaseName).collection(collection.collectionName).distinct('n')).toEqual([7]);
    expect(await other.countDocuments()).toBe(1);
  },

  '$lookup reads the snapshot of the other collection, too': async (bench) => {
    const { collection, db } = bench;
    const other = db.collection<AnyDocument>(`${collection.collectionName}_other`);
    await fill(collection, [1]);
    await fill(other, [1]);
    await inTransaction(bench, async (session) => {
      await collection.findOne({}, { session });
      await other.updateOne({ _id: 1 }, { $set: { n: 9 } });
      const from = other.collectionName;
      const joined = collection.aggregate(
        [{ $lookup: { from, localField: '_id', foreignField: '_id', as: 'found' } }],
        { session },
      );
      expect(await joined.toArray()).toEqual([{ _id: 1, n: 0, found: [{ _id: 1, n: 0 }] }]);
      await session.abortTransaction();
    });
  },
};

conformance('transactions', isolation);
