import fc from 'fast-check';
import {
  Binary,
  type BSON,
  BSONSymbol,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

class Row extends model('rows', {
  a: z.unknown(),
  b: z.object({ c: z.unknown() }).optional(),
}) {}

useDatabase();

const ids = ['000000000000000000000001', '0000000000000000000000ff'].map((hex) => new ObjectId(hex));

/** Few values of many types, so that there are ties and neighbours of other types. `undefined` is a missing field. */
const value: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  undefined,
  null,
  ...[-1, 0, 2, 3].map((n) => new Int32(n)),
  ...[Number.NaN, -Infinity, -1, -0, 1.5, 2, Infinity].map((n) => new Double(n)),
  ...['2', '9007199254740993'].map((n) => Long.fromString(n)),
  ...['NaN', '-Infinity', '1.5', '2.1'].map((n) => Decimal128.fromString(n)),
  '',
  'a',
  'b',
  'é',
  new BSONSymbol('a'),
  {},
  { x: new Int32(1) },
  { x: 'a' },
  { y: new Int32(1) },
  new Binary(Buffer.from([1])),
  new Binary(Buffer.from([1]), 5),
  ...ids,
  false,
  true,
  new Date(0),
  new Date(5),
  Timestamp.fromBits(1, 1),
  Timestamp.fromBits(2, 1),
  new MinKey(),
  new MaxKey(),
);

const row = fc.record({ a: value, c: value, outer: fc.constantFrom<unknown>('object', 'object', null, 5, undefined) });
const rows = (maxLength: number) => fc.array(row, { maxLength });

/** A stored document. What is missing has no key, and `b` may be no object at all. */
function stored({ a, c, outer }: { a: unknown; c: unknown; outer: unknown }): BSON.Document {
  const inner = outer === 'object' ? (c === undefined ? {} : { c }) : outer;
  return {
    _id: new ObjectId(),
    ...(a === undefined ? {} : { a }),
    ...(inner === undefined ? {} : { b: inner }),
  };
}

const direction = fc.constantFrom(1 as const, -1 as const);
const sort = fc.oneof(
  fc.record({ a: direction }),
  fc.record({ 'b.c': direction }),
  fc.record({ a: direction, 'b.c': direction }),
  fc.record({ a: direction, _id: direction }),
  fc.constant({}),
);

describe('page()', () => {
  it('meets every document that stays once and in order, forwards and backwards, whatever others do', async () => {
    const steps = fc.array(fc.record({ inserted: rows(2), deletes: fc.array(fc.nat(), { maxLength: 2 }) }), {
      maxLength: 12,
    });
    const scenario = fc.record({
      sort,
      before: rows(12),
      steps,
      size: fc.integer({ min: 1, max: 5 }),
      backwards: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ sort: order, before, steps: others, size, backwards }) => {
        const { collection } = Row;
        await collection.deleteMany({});
        const initial = before.map(stored);
        if (initial.length > 0) await collection.insertMany(initial);
        const staying = new Set(initial.map(({ _id }) => String(_id)));
        const queue = [...others];
        const act = async (): Promise<void> => {
          const step = queue.shift();
          if (step === undefined) return;
          if (step.inserted.length > 0) await collection.insertMany(step.inserted.map(stored));
          const all = await collection.find().toArray();
          for (const at of step.deletes) {
            const victim = all[at % Math.max(all.length, 1)];
            if (victim === undefined) continue;
            await collection.deleteOne({ _id: victim._id });
            staying.delete(String(victim._id));
          }
        };
        const query = Row.find().sort(order).lean();
        let page = await query.page({ size });
        const forwards: string[] = [];
        for (;;) {
          expect(page.items.length).toBeLessThanOrEqual(size);
          forwards.push(...page.items.map(({ _id }) => String(_id)));
          if (page.next === null) break;
          await act();
          page = await query.page({ size, after: page.next });
        }
        const met = backwards ? [] : forwards;
        while (backwards && page.previous !== null) {
          await act();
          // The last page comes again, read from its other end.
          if (met.length === 0) met.push(...page.items.map(({ _id }) => String(_id)));
          page = await query.page({ size, before: page.previous });
          met.unshift(...page.items.map(({ _id }) => String(_id)));
        }
        if (backwards && met.length === 0) met.push(...page.items.map(({ _id }) => String(_id)));
        const keys = new Map<string, 1 | -1>(Object.entries(order));
        if (!keys.has('_id')) keys.set('_id', [...keys.values()].at(-1) ?? 1);
        const sorted = await collection.find().sort(keys).toArray();
        const expected = sorted.map(({ _id }) => String(_id)).filter((id) => staying.has(id));
        expect(met.filter((id) => staying.has(id))).toEqual(expected);
        expect(new Set(met).size).toBe(met.length);
      }),
      runs(40),
    );
  });
});
