import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Double, Int32, Long, ObjectId } from 'bson';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { Collection } from '../../src/catalog/collection.ts';
import { inspect } from '../../src/catalog/consistency.ts';
import { planQuery } from '../../src/planner/planner.ts';
import { select } from '../../src/planner/run-plan.ts';
import { decode, encode } from '../../src/values/bson.ts';
import { matcher } from '../../src/engine/match/compile.ts';
import { compareBy } from '../../src/engine/match/sort.ts';
import { DateTime, type Document, type Value } from '../../src/values/value.ts';
import { ServerError } from '../../src/errors.ts';
import { LmdbStorage } from '../../src/storage/lmdb.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';

const numRuns = caseCount(200);
const scope = { now: DateTime.now(), variables: new Map<string, Value>(), deadline: undefined, collation: undefined };

const scalar = fc.constantFrom<Value>(
  null,
  new Int32(1),
  new Double(1),
  Long.fromNumber(1),
  new Int32(2),
  new Double(-0),
  new Int32(0),
  '1',
  '',
  true,
  new ObjectId('65f000000000000000000001'),
);

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('x', 'y', '0'), tie('value')).map((members) => new Map(Object.entries(members))),
  ),
})).value;

const fields = fc
  .dictionary(fc.constantFrom('a', 'b', 'c'), value)
  .map((members): Document => new Map(Object.entries(members)));

const path = fc.constantFrom('a', 'b', 'a.x', 'a.y', 'b.x', 'a.0', 'c');

const condition: fc.Arbitrary<Value> = fc.oneof(
  value,
  value.map((operand): Document => new Map([['$eq', operand]])),
  fc.array(value, { maxLength: 3 }).map((operands): Document => new Map([['$in', operands]])),
  fc
    .tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), value)
    .map(([name, operand]): Document => new Map([[name, operand]])),
  fc.tuple(value, value).map(([low, high]): Document => new Map([['$gte', low], ['$lt', high]])), // prettier-ignore
  fc.constantFrom('^1', '^', '^1*', 'x').map((pattern): Document => new Map([['$regex', pattern]])),
  fc
    .dictionary(fc.constantFrom('x', 'y'), value, { minKeys: 1 })
    .map((members): Document => new Map([['$elemMatch', new Map(Object.entries(members))]])),
);

const clause = fc.tuple(path, condition).map((entry): Document => new Map([entry]));
const filter: fc.Arbitrary<Document> = fc.oneof(
  fc.array(fc.tuple(path, condition), { minLength: 1, maxLength: 3 }).map((entries) => new Map(entries)),
  fc.array(clause, { minLength: 1, maxLength: 3 }).map((clauses): Document => new Map([['$and', clauses]])),
  fc.array(clause, { minLength: 1, maxLength: 3 }).map((clauses): Document => new Map([['$or', clauses]])),
  fc
    .tuple(fc.array(clause, { minLength: 1, maxLength: 3 }), path, condition)
    .map(([clauses, name, wanted]): Document => new Map<string, Value>([['$or', clauses], [name, wanted]])), // prettier-ignore
);

const definition = fc.record({
  paths: fc.uniqueArray(path, { minLength: 1, maxLength: 3 }),
  descending: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  sparse: fc.boolean(),
  partial: fc.boolean(),
});

type Definition = typeof definition extends fc.Arbitrary<infer T> ? T : never;

const sort = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'a.x', '_id'), fc.constantFrom(1, -1)), {
    minLength: 1,
    maxLength: 3,
    selector: ([name]) => name,
  })
  .map((fields): Document => new Map(fields.map(([name, direction]) => [name, new Int32(direction)])));

const PARTIAL: Document = new Map([['c', new Map([['$exists', true]])]]);

function indexed(storage: Storage, definitions: readonly Definition[]): Collection {
  const collection = new Collection('test', 'c', storage.createCollection());
  for (const [number, { paths, descending, sparse, partial }] of definitions.entries()) {
    collection.addIndex({
      specification: partial ? new Map([['partialFilterExpression', PARTIAL]]) : new Map(),
      name: String(number),
      pattern: new Map(paths.map((name, field) => [name, new Int32(descending[field] === true ? -1 : 1)])),
      unique: false,
      prepareUnique: false,
      sparse: sparse && !partial,
      hidden: false,
      covers: partial ? matcher(PARTIAL) : undefined,
      collation: undefined,
      expireAfter: undefined,
    });
  }
  return collection;
}

/** Stores what can be stored: some documents have two arrays in one index. */
function fill(collection: Collection, documents: readonly Document[]): void {
  for (const [number, document] of documents.entries()) {
    const stored: Document = new Map([['_id', new Int32(number)], ...document]);
    ignoring([171], () => collection.insert(stored, encode(stored)));
  }
}

/** Undefined where one of these errors comes. */
function ignoring<T>(codes: readonly number[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ServerError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

function scanned(collection: Collection, wanted: Document): number[] {
  const matches = matcher(wanted);
  return [...collection.records.records()].filter(({ bytes }) => matches(decode(bytes))).map(({ id }) => id);
}

function selected(collection: Collection, wanted: Document, changing = false): number[] {
  return Array.from(select(collection, { filter: wanted }, scope, { changing }), ({ record }) => record.id);
}

const ascending = (ids: readonly number[]): number[] => ids.toSorted((a, b) => a - b);

const run = fc.record({
  definitions: fc.array(definition, { minLength: 1, maxLength: 3 }),
  documents: fc.array(fields, { minLength: 1, maxLength: 12 }),
  changes: fc.array(fc.tuple(fc.nat(20), fc.option(fields)), { maxLength: 6 }),
  filters: fc.array(filter, { minLength: 1, maxLength: 4 }),
  sorts: fc.array(sort, { minLength: 1, maxLength: 3 }),
});

/** A collection that has seen inserts, replacements and removals. */
function changed(
  storage: Storage,
  { definitions, documents, changes }: typeof run extends fc.Arbitrary<infer T> ? T : never,
) {
  const collection = indexed(storage, definitions);
  fill(collection, documents);
  for (const [number, replacement] of changes) {
    const record = collection.ids.find(new Int32(number));
    if (record === undefined) continue;
    if (replacement === null) {
      collection.remove(record);
      continue;
    }
    const after: Document = new Map([['_id', new Int32(number)], ...replacement]);
    ignoring([171], () => collection.replace(record, decode(record.bytes), after, encode(after)));
  }
  expect(inspect(collection)).toMatchObject({ extra: [], missing: [], errors: [] });
  return collection;
}

const storages: readonly [name: string, open: (folder: string) => Promise<Storage>, runs: number][] = [
  ['in memory', async () => new MemoryStorage(), numRuns],
  ['in a folder', (folder) => LmdbStorage.open(folder), caseCount(50)],
];

describe.each(storages)('select, %s', (_name, open, runs) => {
  let folder: string;
  let storage: Storage;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'planner-'));
    storage = await open(folder);
  });

  afterAll(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  it('finds by indexes what a scan finds, also after changes', () => {
    const property = fc.property(run, (trace) =>
      storage.transaction(() => {
        const collection = changed(storage, trace);
        for (const wanted of trace.filters) {
          const expected = scanned(collection, wanted);
          expect(ascending(selected(collection, wanted))).toEqual(expected);
          expect(ascending(selected(collection, wanted, true))).toEqual(expected);
        }
      }),
    );
    fc.assert(property, { numRuns: runs });
  });

  it('finds by indexes in the order that a sort gives', () => {
    const property = fc.property(run, (trace) =>
      storage.transaction(() => {
        const collection = changed(storage, trace);
        for (const wanted of [new Map(), ...trace.filters]) {
          for (const order of trace.sorts) {
            // MongoDB refuses to sort by two arrays of one document, here too where no index saves it.
            const found = ignoring([2], () =>
              Array.from(select(collection, { filter: wanted, sort: order }, scope), ({ document }) => document),
            );
            if (found === undefined) continue;
            expect(found).toHaveLength(scanned(collection, wanted).length);
            const compare = compareBy(order);
            for (const [at, document] of found.slice(1).entries()) {
              expect(ignoring([2], () => compare(found[at] ?? new Map(), document)) ?? 0).toBeLessThanOrEqual(0);
            }
          }
        }
      }),
    );
    fc.assert(property, { numRuns: runs });
  });

  it('finds by _id what a scan finds', () => {
    fc.assert(
      fc.property(fc.array(scalar), condition, (ids, wanted) =>
        storage.transaction(() => {
          const collection = indexed(storage, []);
          for (const id of ids) {
            ignoring([11000], () => collection.insert(new Map([['_id', id]]), encode(new Map([['_id', id]]))));
          }
          const byId: Document = new Map([['_id', wanted]]);
          expect(ascending(selected(collection, byId))).toEqual(scanned(collection, byId));
        }),
      ),
      { numRuns: runs },
    );
  });
});

describe('planQuery', () => {
  const collection = indexed(new MemoryStorage(), [
    { paths: ['a', 'b'], descending: [false, true, false], sparse: false, partial: false },
    { paths: ['c'], descending: [false, false, false], sparse: false, partial: false },
  ]);
  const integers = (...values: number[]): Value[] => values.map((number) => new Int32(number));
  const wanted = (...members: [string, Value][]): Document => new Map(members);
  const one = new Int32(1);
  const many = wanted(['$in', integers(1, 2, 3)]);

  it.each<[string, Document, Document | undefined, string, boolean]>([
    ['nothing', wanted(), undefined, 'collection', true],
    ['an _id', wanted(['_id', one]), undefined, 'id', true],
    ['an _id and more', wanted(['_id', one], ['a', one]), wanted(['b', one]), 'id', true],
    ['an equality', wanted(['a', one]), undefined, '0', true],
    ['an equality with all fields', wanted(['a', one], ['b', one]), undefined, '0', true],
    ['a field that is not the first of an index', wanted(['b', one]), undefined, 'collection', true],
    ['a range', wanted(['c', wanted(['$gt', one])]), undefined, '1', true],
    ['an equality before a range', wanted(['c', wanted(['$gt', one])], ['a', one]), undefined, '0', true],
    ['an equality and a sort by the next field', wanted(['a', one]), wanted(['b', one]), '0', true],
    ['several values and a sort by the next field', wanted(['a', many]), wanted(['b', one]), '0', false],
    ['several values and a sort by them', wanted(['a', many]), wanted(['a', one]), '0', true],
    ['a sort by an index', wanted(), wanted(['a', one], ['b', new Int32(-1)]), '0', true],
    ['a sort by an index backwards', wanted(), wanted(['a', new Int32(-1)], ['b', one]), '0', true],
    ['a sort half of which is turned', wanted(), wanted(['a', one], ['b', one]), 'collection', false],
    ['a sort by _id', wanted(), wanted(['_id', one]), '_id_', true],
    ['an alternative', wanted(['$or', [wanted(['a', one]), wanted(['c', one])]]), undefined, 'union', true],
    [
      'an alternative without index',
      wanted(['$or', [wanted(['a', one]), wanted(['b', one])]]),
      undefined,
      'collection',
      true,
    ],
  ])('%s', (_title, filterOf, sortOf, way, isSorted) => {
    const plan = planQuery(collection, { filter: filterOf, sort: sortOf });
    expect(plan.kind === 'index' ? plan.index.definition.name : plan.kind).toBe(way);
    expect(plan.sorted).toBe(isSorted);
  });

  it('tests nothing again that an index has told', () => {
    const filterOf = (...members: [string, Value][]): Document | undefined =>
      planQuery(collection, { filter: wanted(...members) }).filter;
    expect(filterOf(['_id', one])).toBeUndefined();
    expect(filterOf(['a', one], ['b', one])).toBeUndefined();
    expect(filterOf(['c', many])).toBeUndefined();
    expect(filterOf(['a', one], ['c', one])).toBeDefined();
    expect(filterOf(['a', null])).toBeDefined();
    expect(filterOf(['a', one], ['d', one])).toBeDefined();
  });
});
