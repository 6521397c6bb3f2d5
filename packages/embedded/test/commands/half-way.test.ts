// Errors half way through a command: what came before them stays, as in MongoDB, each document whole.
import type { Document } from 'mongodb';
import { expect } from 'vitest';
import { type AnyDocument, type Case, conformance, errorOf, type Workbench } from '../support/conformance.ts';
import { fill, inTransaction } from '../support/transaction.ts';

async function expectValid({ db, collection, product }: Workbench): Promise<void> {
  if (product === 'embedded')
    expect(await db.command({ validate: collection.collectionName })).toMatchObject({ valid: true });
}

/** Runs a case as it is, and once more while a transaction is open: writes beside it go another way. */
function alsoBeside(cases: Readonly<Record<string, Case>>): Record<string, Case> {
  const beside = Object.entries(cases).map(([title, run]): [string, Case] => [
    `${title}, beside a transaction`,
    async (bench) => {
      const other = bench.db.collection<AnyDocument>(`${bench.collection.collectionName}_other`);
      await fill(other, [1]);
      await inTransaction(bench, async (session) => {
        await other.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
        await run(bench);
        await session.commitTransaction();
      });
      await expectValid(bench);
    },
  ]);
  return { ...cases, ...Object.fromEntries(beside) };
}

const $push = { tags: 'x' as never };
const divide = [{ $set: { n: { $divide: [12, '$by'] } } }];

/** Four documents, of which the third makes an expression or a rule fail. */
async function prepare({ collection }: Workbench): Promise<void> {
  await collection.createIndexes([
    { key: { n: 1 } },
    { key: { u: 1 }, unique: true, sparse: true },
    { key: { tags: 1 } },
  ]);
  await collection.insertMany([3, 2, 0, 1].map((by, at) => ({ _id: at + 1, by, tags: ['t', at] })));
}

const cases: Record<string, Case> = {
  'an expression fails in an update of many': async (bench) => {
    const { collection } = bench;
    await prepare(bench);
    await errorOf(collection.updateMany({}, divide));
    expect(await collection.countDocuments({ n: { $exists: true } })).toBe(2);
    expect(
      await collection
        .find({ n: { $gt: 0 } })
        .hint({ n: 1 })
        .toArray(),
    ).toHaveLength(2);
    await expectValid(bench);
  },

  'a value of a unique index is there already in an update of many': async (bench) => {
    const { collection } = bench;
    await prepare(bench);
    expect((await errorOf(collection.updateMany({}, { $set: { u: 1 }, $push }))).code).toBe(11000);
    expect(await collection.countDocuments({ u: 1 })).toBe(1);
    expect(await collection.countDocuments({ tags: 'x' })).toBe(1);
    await expectValid(bench);
  },

  'an operator does not fit in an update of many': async (bench) => {
    const { collection } = bench;
    await prepare(bench);
    await collection.updateOne({ _id: 3 }, { $set: { tags: 'none' } });
    expect((await errorOf(collection.updateMany({}, { $inc: { by: 10 }, $push }))).code).toBe(2);
    expect(await collection.countDocuments({ by: { $gte: 10 } })).toBe(2);
    expect(await collection.countDocuments({ tags: 'x' })).toBe(2);
    await expectValid(bench);
  },

  'two arrays meet in an index': async (bench) => {
    const { collection } = bench;
    await collection.createIndex({ a: 1, b: 1 });
    await collection.insertMany([
      { _id: 1, a: [1, 2] },
      { _id: 2, a: 1 },
    ]);
    expect((await errorOf(collection.insertOne({ _id: 3, a: [1], b: [2] }))).code).toBe(171);
    expect((await errorOf(collection.updateOne({ _id: 1 }, { $set: { b: [1] } }))).code).toBe(171);
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, a: [1, 2] },
      { _id: 2, a: 1 },
    ]);
    await expectValid(bench);
  },

  'the errors of an ordered and of an unordered batch': async (bench) => {
    const { collection } = bench;
    await prepare(bench);
    const batch: AnyDocument[] = [{ _id: 5, u: 5 }, { _id: 6, u: 5, tags: ['p'] }, { _id: 7, u: 7 }, { _id: 5 }];
    const ordered = await errorOf(collection.insertMany(batch));
    expect(ordered).toMatchObject({ code: 11000, result: { insertedCount: 1 } });
    await collection.deleteMany({ _id: { $gte: 5 } });
    const unordered = await errorOf(collection.insertMany(batch, { ordered: false }));
    expect(unordered).toMatchObject({ result: { insertedCount: 2 } });
    expect(await collection.distinct('_id', { _id: { $gte: 5 } })).toEqual([5, 7]);
    expect(await collection.countDocuments({ tags: 'p' })).toBe(0);
    await expectValid(bench);
  },

  'the rule of the collection': async (bench) => {
    const { db, collection } = bench;
    await prepare(bench);
    await db.command({ collMod: collection.collectionName, validator: { by: { $lt: 12 } } });
    expect((await errorOf(collection.updateMany({}, { $inc: { by: 10 }, $push }))).code).toBe(121);
    expect(await collection.countDocuments({ tags: 'x' })).toBe(0);
    expect((await errorOf(collection.updateOne({ _id: 9 }, { $set: { by: 12 } }, { upsert: true }))).code).toBe(121);
    expect(await collection.countDocuments({ _id: 9 })).toBe(0);
    await expectValid(bench);
  },

  'what findAndModify gives back cannot be worked out': async (bench) => {
    const { db, collection } = bench;
    await prepare(bench);
    const fields = { n: { $divide: [1, '$zero'] } };
    const attempts: Document[] = [
      { query: { _id: 1 }, update: { $set: { zero: 0 } }, new: true, fields },
      { query: { _id: 30 }, update: { $set: { zero: 0 } }, upsert: true, new: true, fields },
    ];
    for (const attempt of attempts) await errorOf(db.command({ findAndModify: collection.collectionName, ...attempt }));
    expect(await collection.countDocuments({ zero: 0 })).toBe(0);
    expect(await collection.countDocuments({})).toBe(4);
    await collection.updateOne({ _id: 1 }, { $set: { zero: 0 } });
    const remove = { query: { _id: 1 }, remove: true, fields };
    await errorOf(db.command({ findAndModify: collection.collectionName, ...remove }));
    expect(await collection.countDocuments({})).toBe(4);
    await expectValid(bench);
  },

  'a merge that fails': async (bench) => {
    const { db, collection } = bench;
    await prepare(bench);
    const target = db.collection<AnyDocument>(`${collection.collectionName}_target`);
    await target.createIndex({ by: 1 }, { unique: true });
    await target.insertOne({ _id: 9, by: 0 });
    const into = { $merge: { into: target.collectionName } };
    expect((await errorOf(collection.aggregate([{ $sort: { _id: 1 } }, into]).toArray())).code).toBe(11000);
    expect(await target.distinct('_id')).toEqual(expect.arrayContaining([1, 2, 9]));
    expect(await target.countDocuments({ _id: 3 })).toBe(0);
    await expectValid({ ...bench, collection: target });
  },

  'an output that fails': async (bench) => {
    const { db, collection } = bench;
    await prepare(bench);
    const target = db.collection<AnyDocument>(`${collection.collectionName}_target`);
    await target.createIndex({ by: 1 }, { unique: true });
    await target.insertOne({ _id: 9, by: 0 });
    const same = [{ $set: { by: 1 } }, { $out: target.collectionName }];
    expect((await errorOf(collection.aggregate(same).toArray())).code).toBe(11000);
    expect(await target.find().toArray()).toEqual([{ _id: 9, by: 0 }]);
    await expectValid({ ...bench, collection: target });
  },

  'indexes of which one cannot be made': async (bench) => {
    const { collection } = bench;
    await prepare(bench);
    const before = await collection.indexes();
    const wanted = [{ key: { x: 1 } }, { key: { tags: -1, by: 1 } }, { key: { missing: 1 }, unique: true }] as const;
    expect((await errorOf(collection.createIndexes([...wanted]))).code).toBe(11000);
    expect(await collection.indexes()).toEqual(before);
    await expectValid(bench);
  },
};

conformance('errors half way', alsoBeside(cases));
