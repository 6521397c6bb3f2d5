import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { encode } from '../../src/engine/bson.ts';
import { equals } from '../../src/engine/order.ts';
import { compileUpdate } from '../../src/engine/update.ts';
import { DateTime, type Document, type Value } from '../../src/engine/value.ts';
import { ServerError } from '../../src/errors.ts';
import { document, numeric, value } from './arbitraries.ts';

const now = new DateTime(0n);
const path = fc.constantFrom('a', 'b', 'c', 'a.b', 'a.0', 'b.1.a', 'c.a.b', '0', 'a.$[]', 'b.$[].a');
const operator = fc.constantFrom(
  '$set',
  '$unset',
  '$inc',
  '$mul',
  '$min',
  '$max',
  '$push',
  '$addToSet',
  '$pull',
  '$pop',
);
const argument = fc.oneof(value, numeric);
const update: fc.Arbitrary<Document> = fc
  .array(fc.tuple(operator, path, argument), { minLength: 1, maxLength: 4 })
  .map((entries) => {
    const byOperator = new Map<string, Value>();
    for (const [name, at, given] of entries) {
      const fields = byOperator.get(name);
      byOperator.set(name, new Map(fields instanceof Map ? fields : []).set(at, given));
    }
    return byOperator;
  });

/** What an update makes of a document, or the code of its error. */
function outcome(spec: Document, stored: Document): Document | number {
  try {
    return compileUpdate(spec, { now }).apply(stored);
  } catch (error) {
    if (error instanceof ServerError) return error.code;
    throw error;
  }
}

describe('an update', () => {
  it('never touches the document it is given, and fails with errors of the server only', () => {
    fc.assert(
      fc.property(update, document, (spec, stored) => {
        const before = encode(stored);
        const result = outcome(spec, stored);
        expect(encode(stored)).toEqual(before);
        if (typeof result !== 'number') expect(encode(result).length).toBeGreaterThan(4);
      }),
      { numRuns: caseCount(1500) },
    );
  });

  it('does not depend on the order in which operators and paths are written', () => {
    const reversed = (spec: Document): Document =>
      new Map(
        [...spec]
          .reverse()
          .map(([name, fields]) => [name, fields instanceof Map ? new Map([...fields].reverse()) : fields]),
      );
    fc.assert(
      fc.property(update, document, (spec, stored) => {
        const [one, other] = [outcome(spec, stored), outcome(reversed(spec), stored)];
        if (typeof one === 'number' || typeof other === 'number') expect(typeof other).toBe(typeof one);
        else expect(encode(other)).toEqual(encode(one));
      }),
      { numRuns: caseCount(600) },
    );
  });

  it('by $set puts the very value where a later read finds it', () => {
    fc.assert(
      fc.property(fc.constantFrom('x', 'x.y', 'x.y.z'), value, document, (at, given, stored) => {
        const result = outcome(new Map([['$set', new Map([[at, given]])]]), stored);
        if (typeof result === 'number') throw new Error(`error ${result}`);
        const found = at
          .split('.')
          .reduce<Value | undefined>((v, name) => (v instanceof Map ? v.get(name) : undefined), result);
        expect(found === given || equals(found, given)).toBe(true);
      }),
      { numRuns: caseCount(300) },
    );
  });
});
