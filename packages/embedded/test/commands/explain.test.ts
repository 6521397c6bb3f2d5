import type { Document } from 'mongodb';
import { expect } from 'vitest';
import { type Case, conformance, errorOf, type Workbench } from '../support/conformance.ts';

// Source: the MongoDB manual, "Explain Results".

/** The names of a plan's stages, the innermost last. Some servers wrap or rename what is of no interest here. */
function stagesOf(explained: Document): string[] {
  const stages: string[] = [];
  const visit = (plan: Document): void => {
    stages.push(plan['stage']);
    for (const input of [plan['inputStage'], ...(plan['inputStages'] ?? [])]) if (input !== undefined) visit(input);
  };
  visit(plannerOf(explained)['winningPlan']);
  return stages;
}

function plannerOf(explained: Document): Document {
  return explained['queryPlanner'] ?? explained['stages'][0].$cursor.queryPlanner;
}

/** The scan of an index in a plan. */
function indexScanOf(explained: Document): Document | undefined {
  let plan: Document | undefined = plannerOf(explained)['winningPlan'];
  while (plan !== undefined && plan['stage'] !== 'IXSCAN') plan = plan['inputStage'];
  return plan;
}

/** 100 documents: `a` is 0 to 9, `b` is 0 to 99, `c` a text, `d` nothing that an index knows. */
async function fill({ collection }: Workbench): Promise<void> {
  await collection.createIndexes([{ key: { a: 1, b: -1 } }, { key: { c: 1 }, name: 'texts' }]);
  const documents = Array.from({ length: 100 }, (_, n) => ({ _id: n, a: n % 10, b: n, c: `text ${n}`, d: n }));
  await collection.insertMany(documents);
}

const cases: Record<string, Case> = {
  'an equality is answered by an index, the rest by a scan': async (bench) => {
    await fill(bench);
    const byIndex = await bench.collection.find({ a: 1 }).explain('queryPlanner');
    expect(stagesOf(byIndex)).toEqual(['FETCH', 'IXSCAN']);
    expect(indexScanOf(byIndex)).toMatchObject({
      indexName: 'a_1_b_-1',
      keyPattern: { a: 1, b: -1 },
      direction: 'forward',
    });
    expect(indexScanOf(byIndex)?.['indexBounds'].a).toEqual(['[1, 1]']);
    expect(byIndex['executionStats']).toBeUndefined();
    const byScan = await bench.collection.find({ d: 1 }).explain('queryPlanner');
    expect(stagesOf(byScan)).toEqual(['COLLSCAN']);
  },
  'the statistics tell what was looked at': async (bench) => {
    await fill(bench);
    const statsOf = async (filter: Document): Promise<Document> =>
      (await bench.collection.find(filter).explain('executionStats'))['executionStats'];
    expect(await statsOf({ a: 1 })).toMatchObject({ nReturned: 10, totalKeysExamined: 10, totalDocsExamined: 10 });
    expect(await statsOf({ a: 1, d: 11 })).toMatchObject({
      nReturned: 1,
      totalKeysExamined: 10,
      totalDocsExamined: 10,
    });
    expect(await statsOf({ d: 1 })).toMatchObject({ nReturned: 1, totalKeysExamined: 0, totalDocsExamined: 100 });
    expect(await statsOf({ a: 1, b: { $gt: 50 } })).toMatchObject({ nReturned: 5, totalDocsExamined: 5 });
    expect(await statsOf({ c: { $in: ['text 1', 'text 2'] } })).toMatchObject({ nReturned: 2, totalDocsExamined: 2 });
    expect(await statsOf({ c: { $gte: 'text 98' } })).toMatchObject({ nReturned: 2, totalDocsExamined: 2 });
    expect(await statsOf({ c: /^text 9/ })).toMatchObject({ nReturned: 11, totalDocsExamined: 11 });
  },
  'an index gives the order of a sort, also backwards, and a limit ends it': async (bench) => {
    await fill(bench);
    const explained = async (sort: Document): Promise<Document> =>
      bench.collection.find({ a: 1 }).sort(sort).limit(2).explain('executionStats');
    const forwards = await explained({ b: -1 });
    expect(stagesOf(forwards)).not.toContain('SORT');
    expect(forwards['executionStats']).toMatchObject({ nReturned: 2, totalDocsExamined: 2 });
    const backwards = await explained({ b: 1 });
    expect(stagesOf(backwards)).not.toContain('SORT');
    expect(indexScanOf(backwards)).toMatchObject({ direction: 'backward' });
    expect(stagesOf(await explained({ d: 1 }))).toContain('SORT');
  },
  'a sort by _id reads as much as it needs': async (bench) => {
    await fill(bench);
    const explained = await bench.collection.find().sort({ _id: -1 }).limit(3).explain('executionStats');
    expect(stagesOf(explained)).not.toContain('SORT');
    expect(explained['executionStats']).toMatchObject({ nReturned: 3, totalDocsExamined: 3 });
    const page = await bench.collection
      .find({ _id: { $gt: 90 } })
      .limit(3)
      .explain('executionStats');
    expect(page['executionStats']).toMatchObject({ nReturned: 3, totalDocsExamined: 3 });
  },
  'each branch of an $or by its own index': async (bench) => {
    await fill(bench);
    const explained = await bench.collection.find({ $or: [{ a: 1 }, { c: 'text 5' }] }).explain('executionStats');
    expect(stagesOf(explained).filter((name) => name === 'IXSCAN')).toHaveLength(2);
    expect(explained['executionStats']).toMatchObject({ nReturned: 11, totalDocsExamined: 11 });
    const scanned = await bench.collection.find({ $or: [{ a: 1 }, { d: 5 }] }).explain('queryPlanner');
    expect(stagesOf(scanned)).toContain('COLLSCAN');
  },
  'sparse and partial indexes where they lose nothing': async (bench) => {
    const { collection } = bench;
    await collection.createIndex({ s: 1 }, { sparse: true });
    await collection.createIndex({ p: 1 }, { partialFilterExpression: { q: { $gt: 5 } } });
    await collection.insertMany(Array.from({ length: 20 }, (_, n) => (n < 10 ? { s: n, p: n, q: n } : { n })));
    const scans = async (filter: Document, sort: Document = {}): Promise<boolean> =>
      indexScanOf(await collection.find(filter).sort(sort).explain('queryPlanner')) !== undefined;
    expect(await scans({ s: 1 })).toBe(true);
    expect(await scans({ s: null })).toBe(false);
    expect(await scans({}, { s: 1 })).toBe(false);
    expect(await collection.find().sort({ s: 1 }).toArray()).toHaveLength(20);
    expect(await scans({ p: 7 })).toBe(false);
    expect(await scans({ p: 7, q: 7 })).toBe(true);
    expect(await scans({ p: 7, q: 3 })).toBe(false);
    expect(await scans({ p: 7, q: { $gt: 5 } })).toBe(true);
    expect(await collection.countDocuments({ p: 7 })).toBe(1);
  },
  'a hint is followed': async (bench) => {
    await fill(bench);
    const { collection } = bench;
    expect(stagesOf(await collection.find({ a: 1 }).hint({ $natural: 1 }).explain('queryPlanner'))).toEqual([
      'COLLSCAN',
    ]);
    expect(indexScanOf(await collection.find({ a: 1 }).hint('texts').explain('queryPlanner'))?.['indexName']).toBe(
      'texts',
    );
    expect((await errorOf(collection.find({ a: 1 }).hint('nothing').explain('queryPlanner'))).code).toBe(2);
  },
  'a multikey index finds what two elements fulfil': async ({ collection }) => {
    await collection.createIndex({ list: 1 });
    await collection.createIndex({ 'items.x': 1, 'items.y': 1 });
    await collection.insertMany([
      { _id: 1, list: [1, 9] },
      { _id: 2, list: [5] },
      { _id: 3, items: [{ x: 1, y: 1 }, { x: 2, y: 2 }] }, // prettier-ignore
    ]);
    expect(await collection.distinct('_id', { list: { $gt: 6, $lt: 3 } })).toEqual([1]);
    expect(await collection.distinct('_id', { 'items.x': 1, 'items.y': 2 })).toEqual([3]);
    const explained = await collection.find({ list: 9 }).explain('queryPlanner');
    expect(indexScanOf(explained)).toMatchObject({ indexName: 'list_1', isMultiKey: true });
    expect((await collection.find().sort({ list: -1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 2, 3]);
  },
  'commands that change are explained and change nothing': async (bench) => {
    await fill(bench);
    const { collection, db } = bench;
    const explain = (command: Document): Promise<Document> =>
      db.command({ explain: command, verbosity: 'queryPlanner' });
    const name = collection.collectionName;
    expect(stagesOf(await explain({ update: name, updates: [{ q: { a: 1 }, u: { $set: { d: 0 } } }] }))).toContain(
      'UPDATE',
    );
    expect(stagesOf(await explain({ delete: name, deletes: [{ q: { a: 1 }, limit: 0 }] }))).toContain('DELETE');
    const modify = await explain({ findAndModify: name, query: { a: 1 }, update: { $set: { d: 0 } } });
    expect(indexScanOf(modify)).toMatchObject({ indexName: 'a_1_b_-1' });
    expect(await collection.countDocuments({ a: 1, d: { $gt: 0 } })).toBe(10);
  },
  'count, distinct and aggregate are explained': async (bench) => {
    await fill(bench);
    const { collection, db } = bench;
    const explain = (command: Document): Promise<Document> =>
      db.command({ explain: command, verbosity: 'queryPlanner' });
    const name = collection.collectionName;
    expect(stagesOf(await explain({ count: name, query: { a: 1 } }))).toContain('IXSCAN');
    expect(stagesOf(await explain({ distinct: name, key: 'd', query: { a: 1 } }))).toContain('IXSCAN');
    const stages = [{ $match: { a: 1 } }, { $group: { _id: '$d', n: { $sum: 1 } } }];
    const aggregated = await collection.aggregate(stages).explain('queryPlanner');
    expect(stagesOf(aggregated)).toContain('IXSCAN');
    expect(stagesOf(await collection.aggregate([{ $match: { d: 1 } }]).explain('queryPlanner'))).toContain('COLLSCAN');
    expect(stagesOf(await collection.aggregate([{ $sort: { a: 1 } }]).explain('queryPlanner'))).not.toContain('SORT');
  },
  'what cannot be explained is refused': async ({ db }) => {
    const explain = (command: Document, verbosity = 'queryPlanner'): Promise<Document> =>
      db.command({ explain: command, verbosity });
    expect((await errorOf(explain({ nothing: 1 }))).code).toBe(59);
    expect((await errorOf(explain({ find: 'c' }, 'loud'))).code).toBe(2);
    expect((await errorOf(explain({ find: 'c', foo: 1 }))).code).toBe(40415);
    expect((await errorOf(explain({ find: 'c', filter: { $foo: 1 } }))).code).toBe(2);
    expect(stagesOf(await explain({ find: 'not_there' }))).toEqual(['EOF']);
  },
};

conformance('explaining', cases);
