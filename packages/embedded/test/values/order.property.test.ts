import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyUnicode } from '../../../../scripts/any-unicode.ts';
import { caseCount } from '../../../../scripts/case-count.ts';
import { decode, encode } from '../../src/values/bson.ts';
import { exact } from '../../src/values/number.ts';
import { orderKey, reversedKey } from '../../src/values/order-key.ts';
import { compare, compareText, equals, keyOf } from '../../src/values/order.ts';
import { isNumeric, type Value } from '../../src/values/value.ts';
import { numeric, value } from '../support/arbitraries.ts';

const sign = (a: Value, b: Value): number => Math.sign(compare(a, b));
const values = fc.oneof(value, numeric);

describe('compare', () => {
  it('is a total order', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        expect(sign(a, a)).toBe(0);
        expect(sign(a, b) + sign(b, a)).toBe(0);
        if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
        if (sign(a, b) === 0) expect(sign(a, c)).toBe(sign(b, c));
      }),
      { numRuns: caseCount(1500) },
    );
  });

  it('is equal exactly where the keys are', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(equals(a, b)).toBe(keyOf(a) === keyOf(b));
        const copy = decode(encode(new Map([['a', a]]))).get('a');
        expect(keyOf(copy)).toBe(keyOf(a));
        expect(equals(copy, a)).toBe(true);
      }),
      { numRuns: caseCount(1500) },
    );
  });

  it('is the order of the keys of indexes', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [x, y] = [orderKey(a), orderKey(b)];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(sign(a, b));
        const [p, q] = [reversedKey(x), reversedKey(y)];
        expect(p < q ? 1 : p > q ? -1 : 0).toBe(sign(a, b));
        expect(x !== y && y.startsWith(x)).toBe(false);
        expect(Buffer.from(x, 'latin1').toString('latin1')).toBe(x);
      }),
      { numRuns: caseCount(1500) },
    );
  });

  it('compares numbers as exact fractions do', () => {
    fc.assert(
      fc.property(numeric, numeric, (a, b) => {
        if (!isNumeric(a) || !isNumeric(b)) throw new Error('not numeric');
        const [x, y] = [exact(a), exact(b)];
        if (typeof x === 'string' || typeof y === 'string') return;
        const scale = Math.min(x.exponent, y.exponent);
        const [p, q] = [x, y].map((d) => (d.negative ? -1n : 1n) * d.coefficient * 10n ** BigInt(d.exponent - scale));
        const expected = (p ?? 0n) < (q ?? 0n) ? -1 : (p ?? 0n) > (q ?? 0n) ? 1 : 0;
        expect(Math.sign(compare(a, b))).toBe(expected);
      }),
      { numRuns: caseCount(600) },
    );
  });

  it('compares texts as their UTF-8 bytes', () => {
    const strings = anyUnicode(4);
    fc.assert(
      fc.property(strings, strings, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: caseCount(300) },
    );
  });
});
