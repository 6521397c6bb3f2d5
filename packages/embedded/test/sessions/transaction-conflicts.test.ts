import type { ClientSession } from 'mongodb';
import { expect } from 'vitest';
import { type Case, conformance, errorOf } from '../support/conformance.ts';
import { fill, finalError, inTransaction, transientError } from '../support/transaction.ts';

const conflicts: Record<string, Case> = {
  'a record that another open transaction has written cannot be written': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1, 2]);
    await inTransaction(bench, async (first) => {
      await collection.updateOne({ _id: 1 }, { $set: { n: 1 } }, { session: first });
      await inTransaction(bench, async (second) => {
        const error = await transientError(collection.updateOne({ _id: 1 }, { $set: { n: 2 } }, { session: second }));
        expect(error).toMatchObject({ code: 112, codeName: 'WriteConflict' });
        // The transaction is over with that.
        expect(await transientError(collection.findOne({}, { session: second }))).toMatchObject({ code: 251 });
      });
      await first.commitTransaction();
    });
    expect(await collection.findOne({ _id: 1 })).toEqual({ _id: 1, n: 1 });
  },

  'a record that was changed since the transaction began cannot be written': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1, 2, 3]);
    const attempts: ((session: ClientSession) => Promise<unknown>)[] = [
      (session) => collection.updateOne({ _id: 1 }, { $set: { n: 2 } }, { session }),
      (session) => collection.deleteOne({ _id: 1 }, { session }),
      (session) => collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { session }),
      (session) => collection.updateMany({}, { $inc: { n: 1 } }, { session }),
    ];
    for (const [turn, attempt] of attempts.entries()) {
      await inTransaction(bench, async (session) => {
        await collection.findOne({}, { session });
        await collection.updateOne({ _id: 1 }, { $set: { n: 10 + turn } });
        expect(await transientError(attempt(session))).toMatchObject({ code: 112 });
      });
    }
    expect(await collection.find().sort({ _id: 1 }).toArray()).toMatchObject([{ n: 13 }, { n: 0 }, { n: 0 }]);
  },

  'a record that was removed since, or is being removed, cannot be written': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1, 2]);
    await inTransaction(bench, async (session) => {
      await collection.findOne({}, { session });
      await collection.deleteOne({ _id: 1 });
      expect(await transientError(collection.updateOne({ _id: 1 }, { $set: { n: 1 } }, { session }))).toMatchObject({
        code: 112,
      });
    });
    await inTransaction(bench, async (first) => {
      await collection.deleteOne({ _id: 2 }, { session: first });
      await inTransaction(bench, async (second) => {
        const updating = collection.updateOne({ _id: 2 }, { $set: { n: 1 } }, { session: second });
        expect(await transientError(updating)).toMatchObject({ code: 112 });
      });
      await first.commitTransaction();
    });
    expect(await collection.countDocuments()).toBe(0);
  },

  'transactions that write different records do not meet': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1, 2]);
    await inTransaction(bench, async (first) => {
      await collection.updateOne({ _id: 1 }, { $set: { n: 1 } }, { session: first });
      await inTransaction(bench, async (second) => {
        await collection.updateOne({ _id: 2 }, { $set: { n: 2 } }, { session: second });
        await second.commitTransaction();
      });
      await first.commitTransaction();
    });
    expect(await collection.find().sort({ _id: 1 }).toArray()).toMatchObject([{ n: 1 }, { n: 2 }]);
  },

  'two that insert the same _id conflict': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    await inTransaction(bench, async (first) => {
      await collection.insertOne({ _id: 5 }, { session: first });
      await inTransaction(bench, async (second) => {
        const inserting = collection.insertOne({ _id: 5 }, { session: second });
        expect(await transientError(inserting)).toMatchObject({ code: 112 });
      });
      await first.commitTransaction();
    });
    await inTransaction(bench, async (session) => {
      await collection.findOne({}, { session });
      await collection.insertOne({ _id: 6 });
      expect(await transientError(collection.insertOne({ _id: 6 }, { session }))).toMatchObject({ code: 112 });
    });
  },

  'two that take the same key of a unique index conflict': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    await collection.createIndex({ key: 1 }, { unique: true });
    await inTransaction(bench, async (first) => {
      await collection.insertOne({ _id: 5, key: 'a' }, { session: first });
      await inTransaction(bench, async (second) => {
        const taking = collection.updateOne({ _id: 1 }, { $set: { key: 'a' } }, { session: second });
        expect(await transientError(taking)).toMatchObject({ code: 112 });
      });
      await first.commitTransaction();
    });
    await inTransaction(bench, async (session) => {
      await collection.findOne({}, { session });
      await collection.insertOne({ _id: 6, key: 'b' });
      expect(await transientError(collection.insertOne({ key: 'b' }, { session }))).toMatchObject({ code: 112 });
    });
  },

  'a duplicate that the snapshot shows is one': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    await inTransaction(bench, async (session) => {
      expect(await finalError(collection.insertOne({ _id: 1 }, { session }))).toMatchObject({ code: 11000 });
      expect(await transientError(collection.findOne({}, { session }))).toMatchObject({ code: 251 });
    });
  },

  'a write outside waits for the transaction': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1, 2]);
    const order: string[] = [];
    await inTransaction(bench, async (session) => {
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      const waiting = collection.updateMany({}, { $inc: { n: 10 } }).then(() => order.push('outside'));
      const other = await collection.findOneAndUpdate({ _id: 2 }, { $set: { a: 1 } });
      expect(other).not.toBeNull();
      order.push('commit');
      await session.commitTransaction();
      await waiting;
    });
    expect(order).toEqual(['commit', 'outside']);
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, n: 11 },
      { _id: 2, n: 10, a: 1 },
    ]);
  },

  'it waits no longer than it may': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    await inTransaction(bench, async (session) => {
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      const impatient = collection.updateOne({ _id: 1 }, { $inc: { n: 10 } }, { maxTimeMS: 50 });
      expect(await errorOf(impatient)).toMatchObject({ code: 50 });
      await session.commitTransaction();
    });
    expect(await collection.findOne()).toEqual({ _id: 1, n: 1 });
  },

  'racers lose no update': async ({ client, collection }) => {
    await fill(collection, [1]);
    const racers = 6;
    const rounds = 5;
    const race = async (): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        await client.withSession((session) =>
          session.withTransaction(async () => {
            const found = await collection.findOne({ _id: 1 }, { session });
            await collection.updateOne({ _id: 1 }, { $set: { n: Number(found?.['n']) + 1 } }, { session });
          }),
        );
      }
    };
    await Promise.all(Array.from({ length: racers }, race));
    expect(await collection.findOne({ _id: 1 })).toEqual({ _id: 1, n: racers * rounds });
  },
};

conformance('transactions that meet', conflicts);
