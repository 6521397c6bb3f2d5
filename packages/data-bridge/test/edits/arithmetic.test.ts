import { Decimal128, Double, Int32, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { add, compareNumbers, isNumeric, multiply, type Numeric } from '../../src/edits/arithmetic.ts';

const decimal = (text: string) => Decimal128.fromString(text);
const nines = '9'.repeat(34);

describe('add', () => {
  it.each<[string, Numeric, Numeric, Numeric]>([
    ['numbers', 1, 2, 3],
    ['fractions', 0.5, 0.25, 0.75],
    ['a number and a bigint', 1, 2n, 3],
    ['a bigint and a number', 1n, 2, 3n],
    ['a bigint and a fraction', 1n, 0.5, 1.5],
    ['a bigint and a Long', 1n, Long.fromNumber(2), 3n],
    ['a Long and a number', Long.fromNumber(1), 2, Long.fromNumber(3)],
    ['a Long and a fraction', Long.fromNumber(1), 0.5, 1.5],
    ['an Int32 and a number', new Int32(1), 2, new Int32(3)],
    ['an Int32 beyond 32 bits', new Int32(2 ** 31 - 1), 1, new Double(2 ** 31)],
    ['an Int32 and a fraction', new Int32(1), 0.5, new Double(1.5)],
    ['a Double and a number', new Double(1), 2, new Double(3)],
    ['a number and a Double', 1, new Double(0.5), 1.5],
    ['exactly, as far as 64 bits', 9007199254740993n, 2, 9007199254740995n],
    ['beyond 64 bits', 2n ** 63n - 1n, 1, 2 ** 63],
    ['below 64 bits', Long.MIN_VALUE, -1, -(2 ** 63)],
    ['zeros', -0, 0, 0],
    ['infinities', Infinity, -Infinity, NaN],
    ['decimals', decimal('0.10'), decimal('0.2'), decimal('0.30')],
    ['a decimal and a number', decimal('0.10'), 1, decimal('1.10')],
    ['a number and a decimal', 1, decimal('0.10'), decimal('1.10')],
    ['a decimal and a fraction, of 15 digits', decimal('1'), 0.1, decimal('1.100000000000000')],
    ['decimals of very different size', decimal('1E+40'), decimal('1'), decimal(`1${'0'.repeat(33)}E+7`)],
    ['decimals, rounded to even', decimal(nines), decimal('0.5'), decimal('1.000000000000000000000000000000000E+34')],
    ['decimals, rounded down to even', decimal(`${nines.slice(1)}8`), decimal('0.5'), decimal(`${nines.slice(1)}8`)],
    [
      'negative decimals, rounded',
      decimal(`-${nines}`),
      decimal('-0.6'),
      decimal('-1.000000000000000000000000000000000E+34'),
    ],
    ['a decimal NaN', decimal('NaN'), 1, decimal('NaN')],
    ['decimal infinities', decimal('Infinity'), decimal('-Infinity'), decimal('NaN')],
    ['a decimal and an infinity', decimal('1'), -Infinity, decimal('-Infinity')],
    ['beyond the decimals', decimal(`${nines}E+6111`), decimal(`${nines}E+6111`), decimal('Infinity')],
    ['below the decimals', decimal(`-${nines}E+6111`), decimal(`-${nines}E+6111`), decimal('-Infinity')],
  ])('%s', (_, a, b, sum) => {
    expect(add(a, b)).toStrictEqual(sum);
  });
});

describe('multiply', () => {
  it.each<[string, Numeric, Numeric, Numeric]>([
    ['numbers', 2, 3, 6],
    ['fractions', 0.5, 0.5, 0.25],
    ['by zero', -5, 0, 0],
    ['a bigint', 3n, 2, 6n],
    ['beyond 64 bits', 2n ** 62n, 4, 2 ** 64],
    ['decimals', decimal('1.10'), decimal('0.5'), decimal('0.550')],
    ['a decimal by zero', decimal('1.10'), 0, decimal('0.00')],
    ['tiny decimals', decimal('1E-4000'), decimal('1E-4000'), decimal('0E-6176')],
    ['a huge zero', decimal('0E+6000'), decimal('1E+6000'), decimal('0E+6111')],
    ['huge decimals', decimal('1E+4000'), decimal('1E+4000'), decimal('Infinity')],
    ['a decimal as large as can be', decimal('1E+6000'), decimal('1E+144'), decimal('1E+6144')],
  ])('%s', (_, a, b, product) => {
    expect(multiply(a, b)).toStrictEqual(product);
  });
});

describe('compareNumbers', () => {
  const ascending: readonly Numeric[] = [
    NaN,
    -Infinity,
    decimal('-1E+6144'),
    -(2n ** 63n),
    -1,
    decimal('-0.5'),
    0,
    new Double(0.25),
    decimal('0.3'),
    1n,
    new Int32(2),
    9007199254740992,
    Long.fromString('9007199254740993'),
    decimal('9007199254740993.5'),
    2 ** 63,
    decimal('1E+6144'),
    Infinity,
  ];

  it('orders numbers of all types by value', () => {
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        expect([String(a), String(b), Math.sign(compareNumbers(a, b))]).toEqual([
          String(a),
          String(b),
          Math.sign(i - j),
        ]);
      }
    }
  });

  it.each<[Numeric, Numeric]>([
    [1, decimal('1.00')],
    [1n, new Double(1)],
    [0, -0],
    [NaN, decimal('NaN')],
    [Infinity, decimal('Infinity')],
  ])('takes %s and %s for equal', (a, b) => {
    expect(compareNumbers(a, b)).toBe(0);
    expect(compareNumbers(b, a)).toBe(0);
  });
});

describe('isNumeric', () => {
  it('knows numbers of all types', () => {
    expect([1, 1n, new Int32(1), new Double(1), Long.ONE, decimal('1')].every(isNumeric)).toBe(true);
    expect(['1', null, undefined, {}, new Date(), true].some(isNumeric)).toBe(false);
  });
});
