import { Int32 } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { Collection } from '../../src/catalog/collection.ts';
import { select } from '../../src/planner/run-plan.ts';
import { decode, encode } from '../../src/values/bson.ts';
import { type Collation, collationOf } from '../../src/values/collation.ts';
import { matcher } from '../../src/engine/match/compile.ts';
import { DateTime, type Document, documentOf, type Value } from '../../src/values/value.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';

const collation = fc
  .record(
    {
      locale: fc.constantFrom('en', 'de', 'sv', 'tr', 'es', 'ja'),
      strength: fc.constantFrom(1, 2, 3).map((strength) => new Int32(strength)),
      numericOrdering: fc.boolean(),
    },
    { requiredKeys: ['locale'] },
  )
  .map((options) => collationOf(new Map<string, Value>(Object.entries(options))));

/** What differs by case, accents, digits, width, or in how it is written. */
const text = fc
  .array(
    fc.constantFrom(...'aAäÄåÅeéÈnñoöøsß', 'ss', 'iIİı', '0', '7', '07', ' ', '-', 'a\u0308', 'ａ', '①', '\u0001'),
    {
      maxLength: 3,
    },
  )
  .map((parts) => parts.join(''));

const value: fc.Arbitrary<Value> = fc.oneof(
  text,
  fc.constantFrom<Value>(new Int32(1), null),
  fc.array(text, { maxLength: 2 }),
  text.map((x) => documentOf(['x', x])),
);

const condition: fc.Arbitrary<Value> = fc.oneof(
  value,
  fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), text).map((operator) => documentOf(operator)),
  fc.array(value, { maxLength: 3 }).map((values) => documentOf(['$in', values])),
);

function collectionOf(values: readonly Value[], own: Collation | undefined): Collection {
  const collection = new Collection('test', 'c', new MemoryStorage().createCollection());
  collection.addIndex({
    specification: new Map(),
    name: 'a',
    pattern: documentOf(['a', new Int32(1)]),
    unique: false,
    prepareUnique: false,
    sparse: false,
    hidden: false,
    covers: undefined,
    collation: own,
    expireAfter: undefined,
  });
  for (const [id, a] of values.entries()) {
    const document = documentOf(['_id', new Int32(id)], ['a', a]);
    collection.insert(document, encode(document));
  }
  return collection;
}

describe('a collation', () => {
  it('folds texts alike that it takes for equal, and no others', () => {
    fc.assert(
      fc.property(collation, text, text, (rules, a, b) => {
        expect(rules?.fold(a) === rules?.fold(b)).toBe(rules?.compare(a, b) === 0);
      }),
      { numRuns: caseCount(1500) },
    );
  });

  it('finds by an index what a scan finds, whatever collation the index has', () => {
    const own = fc.option(collation, { nil: undefined });
    fc.assert(
      fc.property(own, own, fc.array(value, { maxLength: 8 }), condition, (ofIndex, wanted, values, a) => {
        for (const [indexed, asked] of [
          [ofIndex, wanted],
          [wanted, wanted],
        ]) {
          // prettier-ignore
          const collection = collectionOf(values, indexed);
          const filter: Document = documentOf(['a', a]);
          const matches = matcher(filter, { collation: asked });
          const scope = { now: DateTime.now(), variables: new Map(), deadline: undefined, collation: asked };
          const found = Array.from(select(collection, { filter }, scope), ({ record }) => record.id);
          const scanned = [...collection.records.records()].filter(({ bytes }) => matches(decode(bytes)));
          expect(found.toSorted((x, y) => x - y)).toEqual(scanned.map(({ id }) => id));
        }
      }),
      { numRuns: caseCount(300) },
    );
  });
});
