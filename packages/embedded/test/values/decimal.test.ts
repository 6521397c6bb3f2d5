import { Int32 } from 'bson';
import { describe, expect, it } from 'vitest';
import { makeDecimal, parseDecimal } from '../../src/values/decimal.ts';
import { add, divide, multiply, remainder, subtract, toInteger, truncate } from '../../src/values/number.ts';
import { isNumeric, type Numeric } from '../../src/values/value.ts';
import { D, dec, L, text, val } from '../support/engine.ts';

function number(input: unknown): Numeric {
  const value = val(input);
  if (!isNumeric(value)) throw new Error('not a number');
  return value;
}

describe('decimals', () => {
  it.each([
    '0',
    '-0',
    '1',
    '-1.50',
    '1E+6111',
    '9.999999999999999999999999999999999E+6144',
    '1E-6176',
    'NaN',
    'Infinity',
    '-Infinity',
    '0E+6111',
    '1234567890123456789012345678901234',
  ])('keep %s', (string) => {
    expect(makeDecimal(parseDecimal(dec(string))).bytes).toEqual(dec(string).bytes);
  });
});

describe('arithmetic', () => {
  it.each([
    // The widest type, and what outgrows it.
    ['add', 1, 2, '3'],
    ['add', 2147483647, 1, '2147483648L'],
    ['add', 1, L(2), '3L'],
    ['add', L('9223372036854775807'), 1, '9223372036854776000.0'],
    ['add', 1, 0.5, '1.5'],
    ['add', dec('0.1'), dec('0.20'), '0.30m'],
    ['add', dec('1'), 0.1, '1.100000000000000m'],
    ['add', dec('Infinity'), dec('-Infinity'), 'NaNm'],
    ['add', dec('1E+40'), dec('1'), '1.000000000000000000000000000000000E+40m'],
    ['subtract', -2147483648, 1, '-2147483649L'],
    ['subtract', dec('1.5'), dec('1.5'), '0.0m'],
    ['multiply', 65536, 65536, '4294967296L'],
    ['multiply', 3, D(2), '6.0'],
    ['multiply', dec('1.5'), dec('-2'), '-3.0m'],
    ['multiply', dec('0'), dec('Infinity'), 'NaNm'],
    ['multiply', dec('9E+6000'), dec('9E+6000'), 'Infinitym'],
    [
      'multiply',
      dec('9999999999999999999999999999999999'),
      dec('9999999999999999999999999999999999'),
      '9.999999999999999999999999999999998E+67m',
    ],
    ['divide', 1, 2, '0.5'],
    ['divide', 4, 2, '2.0'],
    ['divide', dec('1'), dec('3'), '0.3333333333333333333333333333333333m'],
    ['divide', dec('2'), dec('3'), '0.6666666666666666666666666666666667m'],
    ['divide', dec('1'), dec('4'), '0.25m'],
    ['divide', dec('100'), dec('10'), '10m'],
    ['remainder', 7, 3, '1'],
    ['remainder', -7, 3, '-1'],
    ['remainder', L(7), 4, '3L'],
    ['remainder', 5.5, 2, '1.5'],
    ['remainder', dec('5.5'), dec('2'), '1.5m'],
  ] as const)('%s %s, %s = %s', (name, a, b, expected) => {
    const operation = { add, subtract, multiply, divide, remainder }[name];
    expect(text(operation(number(a), number(b)))).toBe(expected);
  });

  it('finds integers in every type', () => {
    expect([1, D(1), L(1), dec('1.00'), dec('1E+2'), 1.5, dec('0.5'), NaN].map((n) => toInteger(number(n)))).toEqual([
      1n,
      1n,
      1n,
      1n,
      100n,
      undefined,
      undefined,
      undefined,
    ]);
    expect(truncate(number(dec('-1.9')))).toBe(-1n);
    expect(truncate(new Int32(-1))).toBe(-1n);
  });
});
