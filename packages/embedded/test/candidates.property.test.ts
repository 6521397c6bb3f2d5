import { Double, Int32, Long, ObjectId } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Collection } from '../src/catalog.ts';
import { candidates } from '../src/commands/candidates.ts';
import { select } from '../src/commands/records.ts';
import { decode, encode } from '../src/engine/bson.ts';
import { matcher } from '../src/engine/match.ts';
import { equals, keyOf } from '../src/engine/order.ts';
import { DateTime, type Document, type Value } from '../src/engine/value.ts';
import { ServerError } from '../src/errors.ts';
import { MemoryStorage } from '../src/storage/memory.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 200);
/** Milliseconds: FC_RUNS may ask for many. */
const timeout = 30_000 + 200 * numRuns;
const scope = { now: DateTime.now(), variables: new Map<string, Value>(), deadline: undefined };

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
  value.map((operand): Document => new Map([['$gte', operand]])),
);

const clause = fc.tuple(path, condition).map((entry): Document => new Map([entry]));
const filter: fc.Arbitrary<Document> = fc.oneof(
  fc.array(fc.tuple(path, condition), { minLength: 1, maxLength: 3 }).map((entries) => new Map(entries)),
  fc.array(clause, { minLength: 1, maxLength: 3 }).map((clauses): Document => new Map([['$and', clauses]])),
);

const definition = fc.record({
  paths: fc.uniqueArray(path, { minLength: 1, maxLength: 2 }),
  sparse: fc.boolean(),
  partial: fc.boolean(),
});

function indexed(definitions: readonly { paths: string[]; sparse: boolean; partial: boolean }[]): Collection {
  const collection = new Collection('test', 'c', new MemoryStorage().createCollection());
  for (const [number, { paths, sparse, partial }] of definitions.entries()) {
    collection.addIndex({
      specification: new Map(),
      name: String(number),
      pattern: new Map(paths.map((name) => [name, new Int32(1)])),
      unique: false,
      sparse: sparse && !partial,
      hidden: false,
      covers: partial ? matcher(new Map([['c', new Map([['$exists', true]])]])) : undefined,
    });
  }
  return collection;
}

/** Stores what can be stored: some documents have two arrays in one index. */
function fill(collection: Collection, documents: readonly Document[]): void {
  for (const [number, document] of documents.entries()) {
    const stored: Document = new Map([['_id', new Int32(number)], ...document]);
    ignoringParallelArrays(() => collection.insert(stored, encode(stored)));
  }
}

function ignoringParallelArrays(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!(error instanceof ServerError && error.code === 171)) throw error;
  }
}

function scanned(collection: Collection, wanted: Document): number[] {
  const matches = matcher(wanted);
  return [...collection.records.records()].filter(({ bytes }) => matches(decode(bytes))).map(({ id }) => id);
}

function selected(collection: Collection, wanted: Document): number[] {
  return Array.from(select(collection, wanted, scope), ({ record }) => record.id);
}

describe('select', () => {
  it(
    'finds by indexes what a scan finds, in the same order, also after changes',
    () => {
      const run = fc.record({
        definitions: fc.array(definition, { minLength: 1, maxLength: 3 }),
        documents: fc.array(fields, { minLength: 1, maxLength: 12 }),
        changes: fc.array(fc.tuple(fc.nat(20), fc.option(fields)), { maxLength: 6 }),
        filters: fc.array(filter, { minLength: 1, maxLength: 4 }),
      });
      fc.assert(
        fc.property(run, ({ definitions, documents, changes, filters }) => {
          const collection = indexed(definitions);
          fill(collection, documents);
          for (const [number, replacement] of changes) {
            const record = collection.records.find(keyOf(new Int32(number)));
            if (record === undefined) continue;
            if (replacement === null) {
              collection.remove(record);
              continue;
            }
            const after: Document = new Map([['_id', new Int32(number)], ...replacement]);
            ignoringParallelArrays(() => collection.replace(record, decode(record.bytes), after, encode(after)));
          }
          for (const wanted of filters) expect(selected(collection, wanted)).toEqual(scanned(collection, wanted));
        }),
        { numRuns },
      );
    },
    timeout,
  );

  it('finds by _id what a scan finds', () => {
    fc.assert(
      fc.property(fc.uniqueArray(scalar, { comparator: equals }), condition, (ids, wanted) => {
        const collection = indexed([]);
        for (const id of ids) collection.insert(new Map([['_id', id]]), encode(new Map([['_id', id]])));
        const byId: Document = new Map([['_id', wanted]]);
        expect(selected(collection, byId)).toEqual(scanned(collection, byId));
      }),
      { numRuns },
    );
  });

  it('looks at few records where an index can tell', () => {
    const collection = indexed([{ paths: ['a', 'b'], sparse: false, partial: false }]);
    fill(
      collection,
      Array.from({ length: 100 }, (_, n): Document => new Map([['a', new Int32(n % 10)], ['b', new Int32(n % 7)]])), // prettier-ignore
    );
    const looked = (wanted: [string, Value][]) => [...candidates(collection, new Map(wanted)).records].length;
    expect(looked([['_id', new Int32(5)]])).toBe(1);
    expect(looked([['a', new Int32(1)], ['b', new Int32(1)]])).toBe(2); // prettier-ignore
    expect(looked([['a', new Int32(1)]])).toBe(100);
    expect(looked([])).toBe(100);
    expect(candidates(collection, new Map([['_id', new Int32(5)]])).exact).toBe(true);
  });
});
