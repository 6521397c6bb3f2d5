// Decimal128 arithmetic: IEEE 754-2008 decimal128, 34 digits, rounding half to even.
import { Decimal128 } from 'bson';

/** A finite decimal: `coefficient` × 10^`exponent`; `negative` is kept apart for the sake of -0. */
export interface Finite {
  readonly negative: boolean;
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** What a Decimal128 holds. */
export type Decimal = Finite | 'NaN' | 'Infinity' | '-Infinity';

const DIGITS = 34;
const BIAS = 6176;
const MIN_EXPONENT = -BIAS;
const MAX_EXPONENT = 6111;
const MAX_COEFFICIENT = 10n ** 34n - 1n;
const COEFFICIENT_BITS = (1n << 113n) - 1n;

/** Reads the 16 bytes (binary integer encoding, little endian). */
export function parseDecimal(value: Decimal128): Decimal {
  const bytes = Buffer.from(value.bytes.buffer, value.bytes.byteOffset, 16);
  const high = bytes.readBigUInt64LE(8);
  const bits = (high << 64n) | bytes.readBigUInt64LE(0);
  const negative = high >> 63n === 1n;
  const top = Number((high >> 58n) & 0x1fn);
  if (top === 0b11111) return 'NaN';
  if (top === 0b11110) return negative ? '-Infinity' : 'Infinity';
  // The other form of the exponent goes with coefficients too large to be valid: they count as zero.
  const large = top >> 3 === 0b11;
  const exponent = Number((high >> (large ? 47n : 49n)) & 0x3fffn) - BIAS;
  const coefficient = large ? 0n : bits & COEFFICIENT_BITS;
  return { negative, coefficient: coefficient > MAX_COEFFICIENT ? 0n : coefficient, exponent };
}

/** Writes a decimal, rounded to 34 digits and to the range of exponents. */
export function makeDecimal(decimal: Decimal): Decimal128 {
  if (decimal === 'NaN') return withHighWord(0x7cn << 56n, 0n);
  if (decimal === 'Infinity') return withHighWord(0x78n << 56n, 0n);
  if (decimal === '-Infinity') return withHighWord(0xf8n << 56n, 0n);
  const { negative, coefficient, exponent } = fit(decimal);
  if (exponent > MAX_EXPONENT) return makeDecimal(negative ? '-Infinity' : 'Infinity');
  const sign = negative ? 1n << 63n : 0n;
  const high = sign | (BigInt(exponent + BIAS) << 49n) | (coefficient >> 64n);
  return withHighWord(high, coefficient & 0xffff_ffff_ffff_ffffn);
}

export function decimalFromBigInt(value: bigint): Finite {
  return { negative: value < 0n, coefficient: abs(value), exponent: 0 };
}

/** A double as MongoDB's arithmetic takes it: rounded to 15 significant digits, which are all kept (0.1 → 0.100000000000000). */
export function decimalFromDouble(value: number): Decimal {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const negative = value < 0 || Object.is(value, -0);
  if (value === 0) return { negative, coefficient: 0n, exponent: 0 };
  const [mantissa = '', power = ''] = Math.abs(value).toExponential(14).split('e');
  return { negative, coefficient: BigInt(mantissa.replace('.', '')), exponent: Number(power) - 14 };
}

/** The exact value of a finite double as a decimal of any length. */
export function exactDecimal(value: number): Finite {
  let mantissa = value;
  let bits = 0;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    bits++;
  }
  const coefficient = abs(BigInt(mantissa)) * 5n ** BigInt(bits);
  return { negative: value < 0, coefficient, exponent: -bits };
}

export function decimalToNumber(decimal: Decimal): number {
  if (typeof decimal === 'string') return Number(decimal);
  return Number(`${decimal.negative ? '-' : ''}${decimal.coefficient}e${decimal.exponent}`);
}

/** The integer part, towards zero; `undefined` for NaN and infinities. */
export function decimalToBigInt(decimal: Decimal): bigint | undefined {
  if (typeof decimal === 'string') return undefined;
  const { coefficient, exponent } = decimal;
  const magnitude = exponent >= 0 ? coefficient * powerOf10(exponent) : coefficient / powerOf10(-exponent);
  return decimal.negative ? -magnitude : magnitude;
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  if (a === 'NaN' || b === 'NaN') return 'NaN';
  if (typeof a === 'string') return typeof b === 'string' && a !== b ? 'NaN' : a;
  if (typeof b === 'string') return b;
  if (a.negative && b.negative && a.coefficient === 0n && b.coefficient === 0n) {
    return { ...a, exponent: Math.min(a.exponent, b.exponent) };
  }
  const [x, y, exponent] = align(a, b);
  return fromSigned(x + y, exponent);
}

export function negateDecimal(value: Decimal): Decimal {
  if (value === 'NaN') return value;
  if (typeof value === 'string') return value === 'Infinity' ? '-Infinity' : 'Infinity';
  return { ...value, negative: !value.negative };
}

export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  if (a === 'NaN' || b === 'NaN') return 'NaN';
  const negative = isNegative(a) !== isNegative(b);
  if (typeof a === 'string' || typeof b === 'string') {
    const zero = isZero(a) || isZero(b);
    return zero ? 'NaN' : negative ? '-Infinity' : 'Infinity';
  }
  return { negative, coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent };
}

/** The quotient to 34 digits; the divisor is not zero. */
export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (a === 'NaN' || b === 'NaN') return 'NaN';
  const negative = isNegative(a) !== isNegative(b);
  if (typeof a === 'string') return typeof b === 'string' ? 'NaN' : negative ? '-Infinity' : 'Infinity';
  if (typeof b === 'string') return { negative, coefficient: 0n, exponent: MIN_EXPONENT };
  // Two digits more than are kept, and one that says whether anything was cut: then rounding cannot go wrong.
  const shift = Math.max(0, DIGITS + 2 + digits(b.coefficient) - digits(a.coefficient));
  const numerator = a.coefficient * powerOf10(shift);
  const quotient = numerator / b.coefficient;
  const ideal = a.exponent - b.exponent;
  if (quotient * b.coefficient === numerator)
    return shorten({ negative, coefficient: quotient, exponent: ideal - shift }, ideal);
  return { negative, coefficient: quotient * 10n + 1n, exponent: ideal - shift - 1 };
}

/** The remainder with the sign of the dividend; the divisor is not zero. */
export function remainderOfDecimals(a: Decimal, b: Decimal): Decimal {
  if (a === 'NaN' || b === 'NaN' || typeof a === 'string') return 'NaN';
  if (typeof b === 'string') return a;
  const [x, y, exponent] = align(a, b);
  const remainder = x % y;
  return { negative: a.negative, coefficient: abs(remainder), exponent };
}

/** How a decimal is rounded: to the nearest, halves to the even one; towards zero; down; up. */
export type RoundingMode = 'halfEven' | 'truncate' | 'floor' | 'ceil';

/** Rounds to so many decimal places, which the result has then, zeros included. Negative ones are digits before the point. */
export function roundDecimal(value: Decimal, places: number, mode: RoundingMode): Decimal {
  if (typeof value === 'string') return value;
  const surplus = -places - value.exponent;
  if (surplus <= 0) return { ...value, coefficient: value.coefficient * powerOf10(-surplus), exponent: -places };
  const unit = powerOf10(surplus);
  const away = mode === (value.negative ? 'floor' : 'ceil') && value.coefficient % unit !== 0n;
  const coefficient =
    mode === 'halfEven' ? roundHalfEven(value.coefficient, unit) : value.coefficient / unit + (away ? 1n : 0n);
  return { ...value, coefficient, exponent: -places };
}

/** The square root to 34 digits; the value is not negative. */
export function squareRoot(value: Decimal): Decimal {
  if (typeof value === 'string' || value.coefficient === 0n) return value;
  // An even exponent, and twice the digits that are kept.
  const digitsWanted = 2 * (DIGITS + 2);
  const missing = Math.max(0, digitsWanted - digits(value.coefficient));
  const shift = missing + ((((value.exponent - missing) % 2) + 2) % 2);
  const radicand = value.coefficient * powerOf10(shift);
  const root = integerRoot(radicand);
  const exponent = (value.exponent - shift) / 2;
  if (root * root === radicand)
    return shorten({ negative: false, coefficient: root, exponent }, Math.floor(value.exponent / 2));
  return { negative: false, coefficient: root * 10n + 1n, exponent: exponent - 1 };
}

/** The integer part of a square root, by Newton's method. */
function integerRoot(value: bigint): bigint {
  let root = 10n ** BigInt(Math.ceil(digits(value) / 2));
  for (;;) {
    const next = (root + value / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

/** Compares by value, exactly. NaN equals itself and is below everything. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (typeof a === 'string' || typeof b === 'string') return rank(a) - rank(b);
  // Far apart in size: no need to write out thousands of zeros.
  if (a.negative === b.negative && a.coefficient !== 0n && b.coefficient !== 0n) {
    const size = digits(a.coefficient) + a.exponent - (digits(b.coefficient) + b.exponent);
    if (size !== 0) return a.negative ? -size : size;
  }
  const [x, y] = align(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Without trailing zeros: one form for each value. */
export function normalize(value: Finite): Finite {
  if (value.coefficient === 0n) return { negative: false, coefficient: 0n, exponent: 0 };
  const text = value.coefficient.toString();
  const significant = text.replace(/0+$/, '');
  return { ...value, coefficient: BigInt(significant), exponent: value.exponent + text.length - significant.length };
}

export function isZero(value: Decimal): boolean {
  return typeof value !== 'string' && value.coefficient === 0n;
}

/** Rounds to 34 digits and brings the exponent into range where the value allows it. */
function fit(value: Finite): Finite {
  let { coefficient, exponent } = value;
  const surplus = Math.max(digits(coefficient) - DIGITS, MIN_EXPONENT - exponent);
  if (surplus > 0) {
    coefficient = roundHalfEven(coefficient, powerOf10(surplus));
    exponent += surplus;
    if (coefficient > MAX_COEFFICIENT) {
      coefficient /= 10n;
      exponent++;
    }
  }
  if (coefficient === 0n) return { ...value, coefficient, exponent: Math.min(exponent, MAX_EXPONENT) };
  const room = Math.min(exponent - MAX_EXPONENT, DIGITS - digits(coefficient));
  if (room > 0) return { ...value, coefficient: coefficient * powerOf10(room), exponent: exponent - room };
  return { ...value, coefficient, exponent };
}

/** Drops trailing zeros until the exponent reaches the ideal one. */
function shorten(value: Finite, ideal: number): Finite {
  let { coefficient, exponent } = value;
  while (exponent < ideal && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  return { ...value, coefficient, exponent };
}

function roundHalfEven(value: bigint, unit: bigint): bigint {
  const quotient = value / unit;
  const twice = (value % unit) * 2n;
  if (twice > unit || (twice === unit && quotient % 2n === 1n)) return quotient + 1n;
  return quotient;
}

function align(a: Finite, b: Finite): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [signed(a) * powerOf10(a.exponent - exponent), signed(b) * powerOf10(b.exponent - exponent), exponent];
}

function withHighWord(high: bigint, low: bigint): Decimal128 {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(low, 0);
  bytes.writeBigUInt64LE(high, 8);
  return new Decimal128(bytes);
}

function rank(value: Decimal): number {
  return value === 'NaN' ? 0 : value === '-Infinity' ? 1 : value === 'Infinity' ? 3 : 2;
}

const isNegative = (value: Decimal): boolean => (typeof value === 'string' ? value === '-Infinity' : value.negative);
const signed = (value: Finite): bigint => (value.negative ? -value.coefficient : value.coefficient);
const fromSigned = (value: bigint, exponent: number): Finite => ({
  negative: value < 0n,
  coefficient: abs(value),
  exponent,
});
const powerOf10 = (exponent: number): bigint => 10n ** BigInt(exponent);
const digits = (value: bigint): number => value.toString().length;
const abs = (value: bigint): bigint => (value < 0n ? -value : value);
