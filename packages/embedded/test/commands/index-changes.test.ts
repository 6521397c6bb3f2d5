import { type Case, conformance, errorOf, type Workbench } from '../support/conformance.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

// Source: the MongoDB manual, "collMod" and "Convert an Existing Index to a Unique Index".

const change = ({ db, collection }: Pick<Workbench, 'db' | 'collection'>, index: object, options: object = {}) =>
  db.command({ collMod: collection.collectionName, index, ...options });

const listed = async ({ collection }: Pick<Workbench, 'collection'>, name: string) =>
  (await collection.indexes()).find((index) => index.name === name);

const cases: Record<string, Case> = {
  'an index is hidden, and shown again': async (bench) => {
    await bench.collection.insertOne({ a: 1 });
    await bench.collection.createIndex({ a: 1 });
    expect(await change(bench, { name: 'a_1', hidden: true })).toMatchObject({ hidden_old: false, hidden_new: true });
    expect(await listed(bench, 'a_1')).toMatchObject({ hidden: true });
    expect((await errorOf(bench.collection.find({ a: 1 }).hint('a_1').toArray())).code).toBe(2);
    expect(await bench.collection.find({ a: 1 }).toArray()).toHaveLength(1);
    expect(await change(bench, { keyPattern: { a: 1 }, hidden: false })).toMatchObject({ hidden_new: false });
    expect(await listed(bench, 'a_1')).not.toHaveProperty('hidden');
    expect(await bench.collection.find({ a: 1 }).hint('a_1').toArray()).toHaveLength(1);
  },
  'a query goes by another way while an index is hidden, and what it forbids stays forbidden': async (bench) => {
    await bench.collection.createIndex({ a: 1 }, { unique: true });
    await bench.collection.insertOne({ a: 1 });
    const stage = async () =>
      JSON.stringify((await bench.collection.find({ a: 1 }).explain())['queryPlanner'].winningPlan);
    expect(await stage()).toContain('IXSCAN');
    await change(bench, { name: 'a_1', hidden: true });
    expect(await stage()).not.toContain('IXSCAN');
    expect((await errorOf(bench.collection.insertOne({ a: 1 }))).code).toBe(11000);
  },
  'setting what is so already tells of nothing': async (bench) => {
    await bench.collection.createIndex({ a: 1 }, { hidden: true });
    expect(await change(bench, { name: 'a_1', hidden: true })).not.toHaveProperty('hidden_old');
  },
  'the time to live changes, and is given to an index without one': async (bench) => {
    await bench.collection.createIndex({ at: 1 }, { expireAfterSeconds: 5 });
    await bench.collection.createIndex({ by: 1 });
    expect(await change(bench, { keyPattern: { at: 1 }, expireAfterSeconds: 50 })).toMatchObject({
      expireAfterSeconds_old: 5,
      expireAfterSeconds_new: 50,
    });
    expect(await change(bench, { name: 'by_1', expireAfterSeconds: 7 })).toMatchObject({ expireAfterSeconds_new: 7 });
    expect(await bench.collection.indexes()).toMatchObject([{}, { expireAfterSeconds: 50 }, { expireAfterSeconds: 7 }]);
  },
  'an index becomes unique in two steps': async (bench) => {
    const { collection } = bench;
    await collection.insertMany([{ _id: 1, e: 'x' }, { _id: 2, e: 'x' }, { _id: 3, e: 'y' }]); // prettier-ignore
    await collection.createIndex({ e: 1 });
    await change(bench, { name: 'e_1', prepareUnique: true });
    expect(await listed(bench, 'e_1')).toMatchObject({ prepareUnique: true });
    expect((await errorOf(collection.insertOne({ e: 'x' }))).code).toBe(11000);
    expect((await errorOf(collection.updateOne({ _id: 3 }, { $set: { e: 'x' } }))).code).toBe(11000);
    const error = await errorOf(change(bench, { name: 'e_1', unique: true }));
    expect(error).toMatchObject({ code: 359, codeName: 'CannotConvertIndexToUnique' });
    expect(error.errorResponse['violations']).toEqual([{ ids: [1, 2] }]);
    await collection.deleteOne({ _id: 2 });
    await change(bench, { name: 'e_1', unique: true });
    expect(await listed(bench, 'e_1')).toMatchObject({ unique: true });
    expect((await errorOf(collection.insertOne({ e: 'y' }))).code).toBe(11000);
  },
  'what was a duplicate before may be changed elsewhere': async (bench) => {
    await bench.collection.insertMany([
      { _id: 1, e: 'x' },
      { _id: 2, e: 'x' },
    ]);
    await bench.collection.createIndex({ e: 1 });
    expect(await change(bench, { name: 'e_1', prepareUnique: true })).toMatchObject({
      prepareUnique_old: false,
      prepareUnique_new: true,
    });
    await bench.collection.updateOne({ _id: 1 }, { $set: { n: 1 } });
    expect(await bench.collection.countDocuments({ n: 1 })).toBe(1);
    await change(bench, { name: 'e_1', prepareUnique: false });
    await bench.collection.insertOne({ e: 'x' });
  },
  'a dry run tells the duplicates, element by element, and changes nothing': async (bench) => {
    const { collection } = bench;
    await collection.insertMany([{ _id: 1, e: ['x', 'y'] }, { _id: 2, e: ['x'] }, { _id: 3, e: ['y', 'z'] }]); // prettier-ignore
    await collection.createIndex({ e: 1 });
    const error = await errorOf(change(bench, { name: 'e_1', unique: true }, { dryRun: true }));
    expect(error.code).toBe(359);
    expect(error.errorResponse['violations']).toEqual([{ ids: [1, 2] }, { ids: [1, 3] }]);
    await collection.deleteOne({ _id: 1 });
    await change(bench, { name: 'e_1', unique: true }, { dryRun: true });
    expect(await listed(bench, 'e_1')).not.toHaveProperty('unique');
  },
  'one that is to be unique is built over duplicates': async (bench) => {
    const { db, collection } = bench;
    await collection.insertMany([{ e: 'x' }, { e: 'x' }]);
    const key = { e: 1 };
    await db.command({
      createIndexes: collection.collectionName,
      indexes: [{ key, name: 'e_1', prepareUnique: true }],
    });
    expect((await errorOf(collection.insertOne({ e: 'x' }))).code).toBe(11000);
    expect((await errorOf(change(bench, { name: 'e_1', unique: true }))).code).toBe(359);
  },
  'an index that is not there, or not told from others': async (bench) => {
    await bench.collection.createIndex({ a: 1 });
    await bench.collection.createIndex({ a: 1 }, { name: 'other', sparse: true });
    expect((await errorOf(change(bench, { name: 'b_1', hidden: true }))).code).toBe(27);
    expect((await errorOf(change(bench, { keyPattern: { b: 1 }, hidden: true }))).code).toBe(27);
    expect((await errorOf(change(bench, { keyPattern: { a: 1 }, hidden: true }))).code).toBe(181);
  },
  'a change that says too much, too little or what cannot be': async (bench) => {
    const { db, collection } = bench;
    await collection.createIndex({ a: 1, b: 1 }, { name: 'ab' });
    const codeOf = async (index: object, options?: object) => (await errorOf(change(bench, index, options))).code;
    expect(await codeOf({ hidden: true })).toBe(72);
    expect(await codeOf({ name: 'ab', keyPattern: { a: 1, b: 1 }, hidden: true })).toBe(72);
    expect(await codeOf({ name: 'ab' })).toBe(72);
    expect(await codeOf({ name: 'ab', sparse: true })).toBe(40415);
    expect(await codeOf({ name: 'ab', hidden: 'yes' })).toBe(14);
    expect(await codeOf({ name: 'ab', expireAfterSeconds: 5 })).toBe(72);
    expect(await codeOf({ name: 'ab', expireAfterSeconds: -1 })).toBe(72);
    expect(await codeOf({ name: 'ab', unique: true })).toBe(72);
    expect(await codeOf({ name: 'ab', unique: false })).toBe(2);
    expect(await codeOf({ name: 'ab', hidden: true }, { dryRun: true })).toBe(72);
    expect((await errorOf(db.command({ collMod: collection.collectionName, dryRun: true }))).code).toBe(72);
    expect(await codeOf({ name: '_id_', hidden: true })).toBe(2);
    expect(await codeOf({ keyPattern: { _id: 1 }, expireAfterSeconds: 5 })).toBe(72);
    await change(bench, { name: '_id_', unique: true });
  },
  'nothing is changed where the other half of the command cannot be': async (bench) => {
    const { collection } = bench;
    await collection.createIndex({ a: 1 });
    await errorOf(
      change(bench, { name: 'a_1', hidden: true }, { validator: { $jsonSchema: { bsonType: 'nothing' } } }),
    );
    expect(await listed(bench, 'a_1')).not.toHaveProperty('hidden');
    await errorOf(change(bench, { name: 'a_1', unique: true }, { validator: { a: { $gt: 5 } } }));
    await collection.insertOne({ a: 1 });
    await change(bench, { name: 'a_1', hidden: true }, { validator: { a: { $gt: 5 } }, validationLevel: 'moderate' });
    expect(await listed(bench, 'a_1')).toMatchObject({ hidden: true });
    expect((await errorOf(collection.insertOne({ a: 1 }))).code).toBe(121);
  },
  'documents expire by a hidden index': async (bench) => {
    const { collection } = bench;
    const at = new Date(Date.now() - 60_000);
    await collection.insertMany([{ at, temporary: true }, { at }]);
    const partialFilterExpression = { temporary: true };
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 1, hidden: true, partialFilterExpression });
    while ((await collection.countDocuments()) > 1) await sleep(50);
    expect(await collection.findOne()).not.toHaveProperty('temporary');
  },
};

conformance('changing indexes', cases);
