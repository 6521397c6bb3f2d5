import { Double, Int32, Long } from 'mongodb';
import { expect } from 'vitest';
import { IS_DEEP } from '../../../../scripts/case-count.ts';
import {
  type AnyDocument,
  type Case,
  conformance,
  conformanceOfEngine,
  errorOf,
  type Workbench,
} from '../support/conformance.ts';

function numbered(count: number): AnyDocument[] {
  return Array.from({ length: count }, (_, _id) => ({ _id, n: _id % 10 }));
}

async function idsOf(cursor: AsyncIterable<AnyDocument>): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const { _id } of cursor) ids.push(_id);
  return ids;
}

/** A cursor as commands have it: the ids of the batches, and how to go on. */
async function openCursor({ db, collection }: Workbench, fields: AnyDocument) {
  const { cursor } = await db.command({ find: collection.collectionName, ...fields }, { promoteLongs: false });
  return cursor as { id: Long; ns: string; firstBatch: AnyDocument[] };
}

const finding: Record<string, Case> = {
  'sort, skip and limit': async ({ collection }) => {
    await collection.insertMany([3, 1, 2, 5, 4].map((_id) => ({ _id })));
    expect(await idsOf(collection.find().sort({ _id: -1 }).skip(1).limit(3))).toEqual([4, 3, 2]);
  },
  'sort by several fields, missing first': async ({ collection }) => {
    await collection.insertMany([{ _id: 1, a: 2 }, { _id: 2 }, { _id: 3, a: 1, b: 2 }, { _id: 4, a: 1, b: 1 }]);
    expect(await idsOf(collection.find().sort({ a: 1, b: 1 }))).toEqual([2, 4, 3, 1]);
  },
  'sort across types': async ({ collection }) => {
    const values = [true, 'x', 5, null, { a: 1 }, [9], new Date(0), new Double(-1)];
    await collection.insertMany(values.map((v, _id) => ({ _id, v })));
    expect(await idsOf(collection.find().sort({ v: 1 }))).toEqual([3, 7, 2, 5, 1, 4, 0, 6]);
  },
  'an array sorts by its lowest or highest element': async ({ collection }) => {
    await collection.insertMany([
      { _id: 1, a: [5, 1] },
      { _id: 2, a: 3 },
      { _id: 3, a: [] },
    ]);
    expect(await idsOf(collection.find().sort({ a: 1 }))).toEqual([3, 1, 2]);
    expect(await idsOf(collection.find().sort({ a: -1 }))).toEqual([1, 2, 3]);
  },
  'a wrong sort is refused': async ({ db, collection }) => {
    await collection.insertOne({});
    const find = collection.collectionName;
    expect((await errorOf(db.command({ find, sort: { a: 2 } }))).code).toBe(15975);
    expect((await errorOf(db.command({ find, sort: { a: 'up' } }))).code).toBe(15974);
  },
  'natural order, forwards and backwards': async ({ collection }) => {
    await collection.insertMany([{ _id: 3 }, { _id: 1 }, { _id: 2 }]);
    expect(await idsOf(collection.find().sort({ $natural: 1 }))).toEqual([3, 1, 2]);
    expect(await idsOf(collection.find().sort({ $natural: -1 }))).toEqual([2, 1, 3]);
    expect(await idsOf(collection.find().hint({ $natural: -1 }))).toEqual([2, 1, 3]);
  },
  projections: async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: 1, b: { c: 2, d: 3 }, e: [{ f: 1, g: 2 }, { f: 3 }] });
    const project = (projection: AnyDocument) => collection.findOne({}, { projection });
    expect(await project({ a: 1 })).toEqual({ _id: 1, a: 1 });
    expect(await project({ a: 1, _id: 0 })).toEqual({ a: 1 });
    expect(await project({ e: 0, _id: 0 })).toEqual({ a: 1, b: { c: 2, d: 3 } });
    expect(await project({ 'b.c': 1, 'e.f': 1 })).toEqual({ _id: 1, b: { c: 2 }, e: [{ f: 1 }, { f: 3 }] });
    expect(await project({ 'b.c': 0, e: 0 })).toEqual({ _id: 1, a: 1, b: { d: 3 } });
    expect(await project({ e: { $slice: 1 }, a: 1 })).toEqual({ _id: 1, a: 1, e: [{ f: 1, g: 2 }] });
    expect(await project({ e: { $elemMatch: { f: 3 } } })).toEqual({ _id: 1, e: [{ f: 3 }] });
    expect(await project({ sum: { $add: ['$a', '$b.c'] } })).toEqual({ _id: 1, sum: 3 });
    expect((await errorOf(project({ a: 1, b: 0 }))).code).toBe(31254);
  },
  'the positional projection': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: [{ x: 1 }, { x: 2 }] });
    expect(await collection.findOne({ 'a.x': 2 }, { projection: { 'a.$': 1 } })).toEqual({ _id: 1, a: [{ x: 2 }] });
  },
  'let gives variables to $expr': async ({ collection }) => {
    await collection.insertMany(numbered(5));
    const options = { let: { limit: 2 } };
    expect(await idsOf(collection.find({ $expr: { $lt: ['$_id', '$$limit'] } }, options))).toEqual([0, 1]);
  },
  'find by _id, one and several': async ({ collection }) => {
    await collection.insertMany(numbered(20));
    expect(await collection.findOne({ _id: new Double(7) })).toEqual({ _id: 7, n: 7 });
    expect(await collection.findOne({ _id: 7, n: 8 })).toBeNull();
    const select = (filter: AnyDocument) => idsOf(collection.find(filter).sort({ _id: 1 }));
    expect(await select({ _id: { $in: [9, 3, 3, 99] } })).toEqual([3, 9]);
    expect(await select({ _id: { $eq: 4, $gt: 5 } })).toEqual([]);
    expect(await select({ $and: [{ _id: 4 }, { n: 4 }] })).toEqual([4]);
    expect(await select({ _id: { $in: [] } })).toEqual([]);
  },
  'an unknown option is refused': async ({ db, collection }) => {
    const find = collection.collectionName;
    const error = await errorOf(db.command({ find, foo: 1 }));
    expect(error.code).toBe(40415);
    expect(error.message).toContain("BSON field 'find.foo' is an unknown field.");
  },
  'an option of the wrong type is refused': async ({ db, collection }) => {
    const find = collection.collectionName;
    const error = await errorOf(db.command({ find, filter: 'x' }));
    expect(error.code).toBe(14);
    expect(error.message).toContain("BSON field 'find.filter' is the wrong type 'string', expected type 'object'");
    expect((await errorOf(db.command({ find, limit: -1 }))).code).toBe(51024);
  },
  'count with skip and limit': async ({ db, collection }) => {
    await collection.insertMany(numbered(20));
    const count = collection.collectionName;
    expect(await db.command({ count })).toMatchObject({ n: 20 });
    expect(await db.command({ count, skip: 15, limit: 10 })).toMatchObject({ n: 5 });
    expect(await db.command({ count, limit: -3 })).toMatchObject({ n: 3 });
    expect(await db.command({ count, query: { n: 3 } })).toMatchObject({ n: 2 });
    expect(await db.command({ count, query: { n: 3 }, skip: 1 })).toMatchObject({ n: 1 });
    expect(await collection.countDocuments({ n: 3 }, { skip: 1, limit: 5 })).toBe(1);
  },
  'distinct takes arrays apart and compares by value': async ({ collection }) => {
    await collection.insertMany([
      { a: 1 },
      { a: new Double(1) },
      { a: [2, 3, [4]] },
      { a: [{ b: 5 }, { b: [6, 5] }] },
      {},
    ]);
    expect(await collection.distinct('a')).toEqual([1, 2, 3, [4], { b: 5 }, { b: [6, 5] }]);
    expect(await collection.distinct('a.b')).toEqual([5, 6]);
    expect(await collection.distinct('a', { a: 1 })).toEqual([1]);
  },
};

const largeReplies: Record<string, Case> = {
  'a reply that no message can hold is an error': async ({ collection }) => {
    for (let n = 0; n < 4; n += 1) await collection.insertOne({ bytes: Buffer.alloc(13_000_000, n) });
    expect((await errorOf(collection.distinct('bytes'))).message).toMatch(/large|bytes|16 ?mb/i);
    await collection.deleteMany({});
  },
};

const cursors: Record<string, Case> = {
  'thousands of documents come in order by many batches': async ({ collection }) => {
    const length = IS_DEEP ? 10_000 : 2_500;
    await collection.insertMany(numbered(length));
    const expected = Array.from({ length }, (_, id) => id);
    expect(await idsOf(collection.find().batchSize(length / 10))).toEqual(expected);
    expect(await idsOf(collection.find({ n: { $gte: 0 } }).project({ _id: 1 }))).toEqual(expected);
  },
  'batches have the sizes that were asked for': async (bench) => {
    await bench.collection.insertMany(numbered(10));
    const { id, ns, firstBatch } = await openCursor(bench, { batchSize: 4 });
    expect(firstBatch).toHaveLength(4);
    expect(ns).toBe(`${bench.db.databaseName}.${bench.collection.collectionName}`);
    const more = { getMore: id, collection: bench.collection.collectionName };
    const second = await bench.db.command({ ...more, batchSize: 4 }, { promoteLongs: false });
    expect(second['cursor'].nextBatch).toHaveLength(4);
    expect(second['cursor'].id).toEqual(id);
    const third = await bench.db.command(more, { promoteLongs: false });
    expect(third['cursor']).toEqual({ nextBatch: expect.any(Array), id: Long.ZERO, ns });
    expect(third['cursor'].nextBatch).toHaveLength(2);
    expect((await errorOf(bench.db.command(more))).code).toBe(43);
  },
  'the first batch has 101 documents': async (bench) => {
    await bench.collection.insertMany(numbered(150));
    expect((await openCursor(bench, {})).firstBatch).toHaveLength(101);
  },
  'a batch size of 0 only opens the cursor': async (bench) => {
    await bench.collection.insertMany(numbered(3));
    const { id, firstBatch } = await openCursor(bench, { batchSize: 0 });
    expect(firstBatch).toEqual([]);
    const more = { getMore: id, collection: bench.collection.collectionName };
    expect((await bench.db.command(more))['cursor'].nextBatch).toHaveLength(3);
  },
  'a limit or a single batch leaves no cursor': async (bench) => {
    await bench.collection.insertMany(numbered(10));
    expect(await openCursor(bench, { limit: 4 })).toMatchObject({ id: Long.ZERO });
    const single = await openCursor(bench, { batchSize: 3, singleBatch: true });
    expect(single.id).toEqual(Long.ZERO);
    expect(single.firstBatch).toHaveLength(3);
  },
  'a batch ends before 16 MB': async (bench) => {
    const bytes = Buffer.alloc(4_000_000);
    for (let _id = 0; _id < 6; _id += 1) await bench.collection.insertOne({ _id, bytes });
    const { id, firstBatch } = await openCursor(bench, { batchSize: 100 });
    expect(firstBatch).toHaveLength(4);
    const more = { getMore: id, collection: bench.collection.collectionName };
    expect((await bench.db.command(more))['cursor'].nextBatch).toHaveLength(2);
  },
  'killCursors ends a cursor': async (bench) => {
    await bench.collection.insertMany(numbered(10));
    const { id } = await openCursor(bench, { batchSize: 2 });
    const killCursors = bench.collection.collectionName;
    const unknown = Long.fromNumber(5);
    const reply = await bench.db.command({ killCursors, cursors: [id, unknown] }, { promoteLongs: false });
    expect(reply['cursorsKilled'].map(String)).toEqual([String(id)]);
    expect(reply['cursorsNotFound'].map(String)).toEqual(['5']);
    expect((await errorOf(bench.db.command({ getMore: id, collection: killCursors }))).code).toBe(43);
  },
  'closing a cursor early kills it': async ({ db, collection }) => {
    await collection.insertMany(numbered(500));
    const cursor = collection.find().batchSize(10);
    await cursor.next();
    const getMore = cursor.id;
    await cursor.close();
    expect((await errorOf(db.command({ getMore, collection: collection.collectionName }))).code).toBe(43);
  },
  'a cursor belongs to its collection': async (bench) => {
    await bench.collection.insertMany(numbered(10));
    const { id } = await openCursor(bench, { batchSize: 2 });
    expect((await errorOf(bench.db.command({ getMore: id, collection: 'other' }))).code).toBe(13);
    expect((await errorOf(bench.db.command({ getMore: new Int32(1), collection: 'other' }))).code).toBe(14);
  },
  'a cursor over a changing collection repeats nothing and skips nothing that stays': async ({ collection }) => {
    const count = 90;
    await collection.insertMany(numbered(count));
    const seen: unknown[] = [];
    for await (const { _id } of collection.find().batchSize(7)) {
      seen.push(_id);
      const id = Number(_id);
      if (id >= count) continue;
      if (id % 3 === 0) await collection.deleteOne({ _id: id });
      if (id % 3 === 1) await collection.updateOne({ _id: id }, { $set: { text: 'x'.repeat(id * 10) } });
      if (id % 9 === 0) await collection.insertOne({ _id: 1000 + id });
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => Number(id) < count)).toEqual(Array.from({ length: count }, (_, id) => id));
  },
  'a cursor of a dropped collection fails': async (bench) => {
    await bench.collection.insertMany(numbered(300));
    const cursor = bench.collection.find().batchSize(10);
    await cursor.next();
    await bench.collection.drop();
    const { code, codeName } = await errorOf(cursor.toArray());
    expect([
      [43, 'CursorNotFound'],
      [175, 'QueryPlanKilled'],
    ]).toContainEqual([code, codeName]);
  },
  'fifty cursors at once': async ({ collection }) => {
    await collection.insertMany(numbered(50));
    const read = await Promise.all(Array.from({ length: 50 }, () => idsOf(collection.find().batchSize(7))));
    for (const ids of read) expect(ids).toHaveLength(50);
  },
};

const aggregating: Record<string, Case> = {
  'match, group, sort': async ({ collection }) => {
    await collection.insertMany(numbered(20));
    const stages = [
      { $match: { n: { $lt: 3 } } },
      { $group: { _id: '$n', count: { $sum: 1 }, ids: { $push: '$_id' } } },
      { $sort: { _id: -1 } },
      { $limit: 2 },
    ];
    expect(await collection.aggregate(stages).toArray()).toEqual([
      { _id: 2, count: 2, ids: [2, 12] },
      { _id: 1, count: 2, ids: [1, 11] },
    ]);
  },
  'project, unwind, count': async ({ collection }) => {
    await collection.insertMany([
      { _id: 1, a: [1, 2] },
      { _id: 2, a: [] },
      { _id: 3, a: 5 },
    ]);
    expect(await collection.aggregate([{ $unwind: '$a' }, { $project: { _id: 0, b: '$a' } }]).toArray()).toEqual([
      { b: 1 },
      { b: 2 },
      { b: 5 },
    ]);
    expect(await collection.aggregate([{ $count: 'n' }]).toArray()).toEqual([{ n: 3 }]);
  },
  'results come in batches': async ({ collection }) => {
    await collection.insertMany(numbered(500));
    expect(await idsOf(collection.aggregate([{ $match: {} }], { batchSize: 10 }))).toHaveLength(500);
    expect(await idsOf(collection.aggregate([{ $sort: { _id: 1 } }], { batchSize: 10 }))).toHaveLength(500);
  },
  'an unknown stage': async ({ collection }) => {
    await collection.insertOne({});
    expect((await errorOf(collection.aggregate([{ $foo: 1 }]).toArray())).code).toBe(40324);
  },
  'an aggregation needs the cursor option': async ({ db, collection }) => {
    expect((await errorOf(db.command({ aggregate: collection.collectionName, pipeline: [] }))).code).toBe(9);
  },
  'let gives variables': async ({ collection }) => {
    await collection.insertOne({ _id: 1, n: 2 });
    const stages = [{ $project: { product: { $multiply: ['$n', '$$factor'] } } }];
    expect(await collection.aggregate(stages, { let: { factor: 5 } }).toArray()).toEqual([{ _id: 1, product: 10 }]);
  },
};

const sessions: Record<string, Case> = {
  'an unknown command': async ({ db }) => {
    const error = await errorOf(db.command({ noSuchThing: 1 }));
    expect(error).toMatchObject({ code: 59, codeName: 'CommandNotFound' });
    expect(error.message).toContain("no such command: 'noSuchThing'");
  },
  'ping, buildInfo and hello': async ({ client, db }) => {
    expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
    expect(await db.command({ buildInfo: 1 })).toMatchObject({
      version: expect.any(String),
      maxBsonObjectSize: 16_777_216,
    });
    expect(await db.command({ hello: 1 })).toMatchObject({
      isWritablePrimary: true,
      maxBsonObjectSize: 16_777_216,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 100_000,
      readOnly: false,
    });
    expect(await client.db('admin').command({ hostInfo: 1 })).toMatchObject({ ok: 1 });
  },
  'concerns that one server can satisfy': async ({ collection }) => {
    await collection.insertOne({ _id: 1 }, { writeConcern: { w: 'majority', journal: true, wtimeoutMS: 1000 } });
    for (const level of ['local', 'majority', 'available'] as const) {
      expect(await collection.find({}, { readConcern: { level } }).toArray()).toHaveLength(1);
    }
  },
  'generic fields are accepted': async ({ db, collection }) => {
    await collection.insertOne({});
    const options = { comment: 'why', maxTimeMS: 5000, readPreference: 'primaryPreferred' } as const;
    expect(await collection.find({}, options).toArray()).toHaveLength(1);
    expect(await db.command({ ping: 1, apiVersion: '1' })).toMatchObject({ ok: 1 });
  },
  'a session may be used and ended': async ({ client, collection }) => {
    await client.withSession(async (session) => {
      await collection.insertOne({ _id: 1 }, { session });
      expect(await collection.findOne({}, { session })).toEqual({ _id: 1 });
    });
  },
};

conformance('finding', finding);
conformance('cursors', cursors);
conformanceOfEngine('large replies', largeReplies);
conformance('aggregating', aggregating);
conformance('sessions', sessions);
