// Stages that write what a pipeline made, as every server answers them.
import { expect } from 'vitest';
import { type AnyDocument, type Case, conformance, errorOf, type Workbench } from '../support/conformance.ts';

/** Another collection of the case's own. */
const target = ({ db, collection }: Workbench) => db.collection<AnyDocument>(`${collection.collectionName}_out`);

async function run({ collection }: Workbench, ...stages: object[]): Promise<unknown[]> {
  return collection.aggregate([{ $sort: { _id: 1 } }, ...stages]).toArray();
}

const out: Record<string, Case> = {
  'makes a collection': async (bench) => {
    await bench.collection.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    const into = target(bench);
    expect(await run(bench, { $set: { b: '$a' } }, { $out: into.collectionName })).toEqual([]);
    expect(await into.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: 2, b: 2 },
    ]);
  },
  'replaces what is there, and keeps the indexes': async (bench) => {
    const into = target(bench);
    await into.insertOne({ _id: 9 });
    await into.createIndex({ a: 1 }, { unique: true });
    await bench.collection.insertOne({ _id: 1, a: 1 });
    await run(bench, { $out: { db: bench.db.databaseName, coll: into.collectionName } });
    expect(await into.find().toArray()).toEqual([{ _id: 1, a: 1 }]);
    expect((await into.indexes()).map(({ name }) => name)).toEqual(['_id_', 'a_1']);
  },
  'changes nothing where it fails': async (bench) => {
    const into = target(bench);
    await into.insertOne({ _id: 9 });
    await into.createIndex({ a: 1 }, { unique: true });
    await bench.collection.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
    ]);
    expect((await errorOf(run(bench, { $out: into.collectionName }))).code).toBe(11000);
    expect(await into.find().toArray()).toEqual([{ _id: 9 }]);
  },
  'may replace the collection that it reads': async (bench) => {
    await bench.collection.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    await run(bench, { $match: { a: 2 } }, { $out: bench.collection.collectionName });
    expect(await bench.collection.find().toArray()).toEqual([{ _id: 2, a: 2 }]);
  },
  'gives new documents an _id': async (bench) => {
    await bench.collection.insertOne({ _id: 1, a: 1 });
    await run(bench, { $project: { _id: 0, a: 1 } }, { $out: target(bench).collectionName });
    expect(await target(bench).find().toArray()).toEqual([{ _id: expect.anything(), a: 1 }]);
  },
  'of nothing empties the collection': async (bench) => {
    await bench.collection.insertOne({ _id: 1 });
    await target(bench).insertOne({ _id: 9 });
    await run(bench, { $match: { _id: 0 } }, { $out: target(bench).collectionName });
    expect(await target(bench).countDocuments()).toBe(0);
  },
  'must be a name': async (bench) => {
    await bench.collection.insertOne({ _id: 1 });
    expect((await errorOf(run(bench, { $out: 1 }))).code).toBe(16990);
  },
};

/** Two documents that a merge meets with one that is there already. */
async function prepare(bench: Workbench): Promise<string> {
  await bench.collection.insertMany([
    { _id: 1, a: 1, n: 10 },
    { _id: 2, a: 2, n: 20 },
  ]);
  await target(bench).insertOne({ _id: 1, a: 0, old: true });
  return target(bench).collectionName;
}

const found = (bench: Workbench): Promise<unknown[]> => target(bench).find().sort({ _id: 1 }).toArray();

const merge: Record<string, Case> = {
  'merges and inserts': async (bench) => {
    const into = await prepare(bench);
    expect(await run(bench, { $merge: into })).toEqual([]);
    expect(await found(bench)).toEqual([
      { _id: 1, a: 1, old: true, n: 10 },
      { _id: 2, a: 2, n: 20 },
    ]);
  },
  replaces: async (bench) => {
    const into = await prepare(bench);
    await run(bench, { $merge: { into, whenMatched: 'replace' } });
    expect((await found(bench))[0]).toEqual({ _id: 1, a: 1, n: 10 });
  },
  'keeps what is there': async (bench) => {
    const into = await prepare(bench);
    await run(bench, { $merge: { into, whenMatched: 'keepExisting' } });
    expect(await found(bench)).toEqual([
      { _id: 1, a: 0, old: true },
      { _id: 2, a: 2, n: 20 },
    ]);
  },
  'fails on what is there': async (bench) => {
    const into = await prepare(bench);
    expect((await errorOf(run(bench, { $merge: { into, whenMatched: 'fail' } }))).code).toBe(11000);
  },
  'discards what is new': async (bench) => {
    const into = await prepare(bench);
    await run(bench, { $merge: { into, whenNotMatched: 'discard' } });
    expect(await found(bench)).toEqual([{ _id: 1, a: 1, old: true, n: 10 }]);
  },
  'fails on what is new': async (bench) => {
    const into = await prepare(bench);
    expect((await errorOf(run(bench, { $merge: { into, whenNotMatched: 'fail' } }))).code).toBe(13113);
  },
  'runs a pipeline on what is there': async (bench) => {
    const into = await prepare(bench);
    await run(bench, { $merge: { into, whenMatched: [{ $set: { sum: { $add: ['$a', '$$new.n'] } } }] } });
    expect((await found(bench))[0]).toEqual({ _id: 1, a: 0, old: true, sum: 10 });
  },
  'gives the pipeline variables': async (bench) => {
    const into = await prepare(bench);
    await run(bench, { $merge: { into, let: { m: { $multiply: ['$n', 2] } }, whenMatched: [{ $set: { m: '$$m' } }] } });
    expect((await found(bench))[0]).toEqual({ _id: 1, a: 0, old: true, m: 20 });
  },
  'joins on other fields with a unique index': async (bench) => {
    const into = await prepare(bench);
    await target(bench).createIndex({ a: 1 }, { unique: true });
    await run(bench, { $project: { _id: 0, a: { $subtract: ['$a', 1] }, n: 1 } }, { $merge: { into, on: 'a' } });
    expect(await target(bench).find().sort({ a: 1 }).toArray()).toEqual([
      { _id: 1, a: 0, old: true, n: 10 },
      { _id: expect.anything(), n: 20, a: 1 },
    ]);
  },
  'needs a unique index': async (bench) => {
    const into = await prepare(bench);
    expect((await errorOf(run(bench, { $merge: { into, on: 'a' } }))).code).toBe(51183);
  },
  'may merge into the collection that it reads': async (bench) => {
    await prepare(bench);
    const { collection } = bench;
    await run(bench, { $set: { n: { $add: ['$n', 1] } } }, { $merge: collection.collectionName });
    expect(
      await collection
        .find({}, { projection: { n: 1 } })
        .sort({ _id: 1 })
        .toArray(),
    ).toEqual([
      { _id: 1, n: 11 },
      { _id: 2, n: 21 },
    ]);
  },
  'refuses what it does not know': async (bench) => {
    const into = await prepare(bench);
    expect((await errorOf(run(bench, { $merge: { into, x: 1 } }))).code).toBe(40415);
    expect((await errorOf(run(bench, { $merge: { into, whenMatched: 'x' } }))).code).toBe(2);
    expect((await errorOf(run(bench, { $merge: { whenMatched: 'merge' } }))).code).toBe(40414);
  },
};

conformance('stages: out', out);
conformance('stages: merge', merge);
