import { Double, Int32, Long } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { integer } from '../../src/engine/number.ts';
import { Deviation, Sum } from '../../src/engine/summation.ts';
import type { Numeric } from '../../src/engine/value.ts';
import { text } from './support.ts';

const int = fc.integer().map((value) => new Int32(value));
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value));
const double = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 });

function totalOf(values: readonly Numeric[]): Numeric {
  const sum = new Sum();
  for (const value of values) sum.add(value);
  return sum.total();
}

const bigIntOf = (value: Int32 | Long): bigint => (value instanceof Int32 ? BigInt(value.value) : value.toBigInt());

describe('a sum', () => {
  it('of integers is exact, whatever it is on the way', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(int, long), { maxLength: 20 }), (values) => {
        const exact = values.reduce((total, value) => total + bigIntOf(value), 0n);
        const width = values.some((value) => value instanceof Long) ? 'long' : 'int';
        expect(text(totalOf(values))).toBe(text(integer(exact, width)));
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('of doubles does not depend on their order', () => {
    fc.assert(
      fc.property(fc.array(double, { maxLength: 20 }), (values) => {
        const forwards = Number(totalOf(values.map((value) => new Double(value))));
        const backwards = Number(totalOf(values.toReversed().map((value) => new Double(value))));
        const size = values.reduce((total, value) => total + Math.abs(value), 0);
        // Twice the digits of a double are kept: a difference is far below what one rounding would make.
        expect(Math.abs(forwards - backwards)).toBeLessThanOrEqual(
          Math.max(Math.abs(forwards), size * 1e-16) * 2.3e-16,
        );
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('asked for twice is the same', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            int,
            long,
            double.map((value) => new Double(value)),
          ),
        ),
        (values) => {
          const sum = new Sum();
          for (const value of values) sum.add(value);
          expect(text(sum.total())).toBe(text(sum.total()));
        },
      ),
      { numRuns: caseCount(300) },
    );
  });
});

describe('a standard deviation', () => {
  it('is that of the definition', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 20 }), (values) => {
        const deviation = new Deviation();
        for (const value of values) deviation.add(value);
        const mean = values.reduce((total, value) => total + value, 0) / values.length;
        const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
        expect(Number(deviation.result('population'))).toBeCloseTo(Math.sqrt(squares / values.length), 8);
        const sample = deviation.result('sample');
        if (values.length === 1) expect(sample).toBeNull();
        else expect(Number(sample)).toBeCloseTo(Math.sqrt(squares / (values.length - 1)), 8);
      }),
      { numRuns: caseCount(300) },
    );
  });
});
