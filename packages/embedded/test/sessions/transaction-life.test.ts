import { type ClientSession, type Document, Long } from 'mongodb';
import { expect } from 'vitest';
import { type AnyDocument, type Case, conformance, errorOf, type Workbench } from '../support/conformance.ts';
import { fill, inTransaction, transientError } from '../support/transaction.ts';

/** Sends a command with the fields of a transaction as they are given. */
async function send({ db }: Workbench, command: Document, session: ClientSession): Promise<Document> {
  return db.command(command, { session });
}

const states: Record<string, Case> = {
  'committing again is answered again': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    await inTransaction(bench, async (session) => {
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      await session.commitTransaction();
      await session.commitTransaction();
      await session.commitTransaction();
    });
    expect(await collection.findOne()).toEqual({ _id: 1, n: 1 });
  },

  'what is not allowed in a transaction is refused': async (bench) => {
    const { collection, client } = bench;
    const name = collection.collectionName;
    await fill(collection, [1]);
    const refused: Document[] = [
      { count: name },
      { drop: name },
      { listCollections: 1 },
      { collStats: name },
      { collMod: name },
      { ping: 1 },
      { aggregate: name, pipeline: [{ $out: 'other' }], cursor: {} },
    ];
    for (const command of refused) {
      await inTransaction(bench, async (session) => {
        expect(await errorOf(send(bench, command, session))).toMatchObject({ code: 263 });
      });
    }
    await inTransaction(bench, async (session) => {
      const admin = client.db('admin').collection('x');
      expect(await errorOf(admin.findOne({}, { session }))).toMatchObject({ code: 263 });
    });
  },

  'collections can be made in it': async (bench) => {
    const { collection, db } = bench;
    const [made, implied] = [`${collection.collectionName}_made`, `${collection.collectionName}_implied`];
    await inTransaction(bench, async (session) => {
      await db.createCollection(made, { session });
      await db.collection(made).createIndex({ a: 1 }, { unique: true, session });
      await db.collection(made).insertOne({ a: 1 }, { session });
      await db.collection(implied).insertOne({ a: 1 }, { session });
      expect(await db.collection(made).countDocuments({}, { session })).toBe(1);
      expect(await db.listCollections({ name: { $in: [made, implied] } }).toArray()).toEqual([]);
      await session.commitTransaction();
    });
    expect(await db.listCollections({ name: { $in: [made, implied] } }).toArray()).toHaveLength(2);
    expect(await db.collection(made).find({ a: 1 }).toArray()).toHaveLength(1);
    expect(await errorOf(db.collection(made).insertOne({ a: 1 }))).toMatchObject({ code: 11000 });
  },

  'collections that are made in it go with it': async (bench) => {
    const { collection, db } = bench;
    const made = `${collection.collectionName}_made`;
    await inTransaction(bench, async (session) => {
      await db.collection(made).insertOne({ a: 1 }, { session });
      await session.abortTransaction();
    });
    expect(await db.listCollections({ name: made }).toArray()).toEqual([]);
  },

  'indexes of what is there cannot be made in it': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    await inTransaction(bench, async (session) => {
      expect(await errorOf(collection.createIndex({ n: 1 }, { session }))).toMatchObject({ code: 263 });
    });
    expect(await collection.indexes()).toHaveLength(1);
  },

  'its cursors are read in it, and end with it': async (bench) => {
    const { collection, db } = bench;
    await fill(collection, [1, 2, 3]);
    const name = collection.collectionName;
    await inTransaction(bench, async (session) => {
      const { cursor } = await send(bench, { find: name, batchSize: 1 }, session);
      const more = { getMore: Long.fromBigInt(BigInt(String(cursor.id))), collection: name, batchSize: 1 };
      expect(await errorOf(db.command(more))).toMatchObject({ code: 50_740 });
      expect(await send(bench, more, session)).toMatchObject({ cursor: { nextBatch: [{ _id: 2 }] } });
      await session.commitTransaction();
      expect(await errorOf(db.command(more))).toMatchObject({ code: 43 });
    });
  },

  'change streams tell its changes when it is committed': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    const stream = collection.watch();
    try {
      // The stream begins with its first command.
      expect(await stream.tryNext()).toBeNull();
      await inTransaction(bench, async (session) => {
        await collection.insertOne({ _id: 2 }, { session });
        await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
        await collection.deleteOne({ _id: 2 }, { session });
        await collection.insertOne({ _id: 3 });
        await session.commitTransaction();
      });
      const events = [await stream.next(), await stream.next(), await stream.next(), await stream.next()];
      expect(events).toMatchObject([
        { operationType: 'insert', documentKey: { _id: 3 } },
        { operationType: 'insert', documentKey: { _id: 2 }, txnNumber: 1 },
        { operationType: 'update', documentKey: { _id: 1 }, updateDescription: { updatedFields: { n: 1 } } },
        { operationType: 'delete', documentKey: { _id: 2 } },
      ]);
      expect(new Set(events.slice(1).map(({ clusterTime }) => String(clusterTime))).size).toBe(1);
    } finally {
      await stream.close();
    }
  },

  'ending the session aborts it': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    await inTransaction(bench, async (session) => {
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
    });
    expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 10 } })).toEqual({ _id: 1, n: 0 });
  },

  'changing a collection waits for the transactions that use it': async (bench) => {
    const { collection, db } = bench;
    await fill(collection, [1]);
    await inTransaction(bench, async (session) => {
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      const waiting = collection.createIndex({ n: 1 });
      await db.command({ ping: 1 });
      expect(await collection.indexes()).toHaveLength(1);
      await session.commitTransaction();
      await waiting;
    });
    expect(await collection.indexes()).toHaveLength(2);
  },

  'a transaction does not use what was changed since it began': async (bench) => {
    const { collection, db } = bench;
    const other = db.collection<AnyDocument>(`${collection.collectionName}_other`);
    await fill(collection, [1]);
    await fill(other, [1]);
    await inTransaction(bench, async (session) => {
      await collection.findOne({}, { session });
      await other.drop();
      expect(await transientError(other.findOne({}, { session }))).toMatchObject({ code: 246 });
    });
  },

  'read concerns are for its first command, write concerns for its end': async (bench) => {
    const { collection } = bench;
    await fill(collection, [1]);
    const name = collection.collectionName;
    for (const level of ['local', 'majority', 'snapshot'] as const) {
      const session = bench.client.startSession();
      session.startTransaction({ readConcern: { level }, writeConcern: { w: 'majority' } });
      expect(await collection.findOne({}, { session })).toEqual({ _id: 1, n: 0 });
      await session.commitTransaction();
      await session.endSession();
    }
    await inTransaction(bench, async (session) => {
      const command = { insert: name, documents: [{}], writeConcern: { w: 1 } };
      expect(await errorOf(send(bench, command, session))).toMatchObject({ code: 72 });
    });
  },
};

conformance('the life of transactions', states);
