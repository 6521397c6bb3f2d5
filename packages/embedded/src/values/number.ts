// Numbers of the four BSON types: comparison without rounding, and arithmetic with MongoDB's promotions.
import { type Decimal128, Double, Int32, Long } from 'bson';
import {
  addDecimals,
  compareDecimals,
  type Decimal,
  decimalFromBigInt,
  decimalFromDouble,
  decimalToBigInt,
  decimalToNumber,
  divideDecimals,
  exactDecimal,
  isZero,
  makeDecimal,
  multiplyDecimals,
  negateDecimal,
  parseDecimal,
  remainderOfDecimals,
} from './decimal.ts';
import type { Numeric, Value } from './value.ts';
import { isNumeric } from './value.ts';

const INT32_MAX = 2147483647;
const INT32_MIN = -2147483648;
const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);

/** The narrowest of int32 and int64 that holds an integer; a double beyond both, as `$add` answers. */
export function integer(value: bigint | number, atLeast: 'int' | 'long' = 'int'): Int32 | Long | Double {
  if (atLeast === 'int' && value >= INT32_MIN && value <= INT32_MAX) return new Int32(Number(value));
  const big = BigInt(value);
  return big >= INT64_MIN && big <= INT64_MAX ? Long.fromBigInt(big) : new Double(Number(big));
}

export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** Compares two numbers by value, exactly. NaN equals NaN and is below every other number; -0 equals 0. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  if (a._bsontype === 'Decimal128' || b._bsontype === 'Decimal128') return compareDecimals(exact(a), exact(b));
  const x = a._bsontype === 'Long' ? longValue(a) : a.value;
  const y = b._bsontype === 'Long' ? longValue(b) : b.value;
  // JavaScript compares a bigint with a number exactly.
  if (x < y) return -1;
  if (x > y) return 1;
  if (typeof x === 'number' && Number.isNaN(x)) return typeof y === 'number' && Number.isNaN(y) ? 0 : -1;
  return typeof y === 'number' && Number.isNaN(y) ? 1 : 0;
}

/** The value as a JavaScript number, rounded where it must be. */
export function toNumber(value: Numeric): number {
  if (value._bsontype === 'Long') return value.toNumber();
  return value._bsontype === 'Decimal128' ? decimalToNumber(parseDecimal(value)) : value.value;
}

/** The integer part of a number, towards zero; `undefined` for NaN and infinities. */
export function truncate(value: Numeric): bigint | undefined {
  if (value._bsontype === 'Long') return value.toBigInt();
  if (value._bsontype === 'Decimal128') return decimalToBigInt(parseDecimal(value));
  return Number.isFinite(value.value) ? BigInt(Math.trunc(value.value)) : undefined;
}

/** The exact integer that a number is, or `undefined`: 5, 5.0, Long 5 and Decimal 5.00 are one. */
export function toInteger(value: Value | undefined): bigint | undefined {
  if (!isNumeric(value)) return undefined;
  const whole = truncate(value);
  return whole !== undefined && compareDecimals(decimalFromBigInt(whole), exact(value)) === 0 ? whole : undefined;
}

/** The exact integer that a number is, if JavaScript counts so far. */
export function toSafeInteger(value: Value | undefined): number | undefined {
  const whole = value instanceof Int32 ? value.value : toInteger(value);
  if (whole === undefined) return undefined;
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : undefined;
}

export function isNaNValue(value: Value | undefined): boolean {
  if (!isNumeric(value)) return false;
  return value._bsontype === 'Decimal128' ? parseDecimal(value) === 'NaN' : Number.isNaN(toNumber(value));
}

export function isZeroNumber(value: Numeric): boolean {
  return value._bsontype === 'Decimal128' ? isZero(parseDecimal(value)) : toNumber(value) === 0;
}

/** A number as a decimal; doubles to 15 digits, as MongoDB's arithmetic has it. */
export function toDecimal(value: Numeric): Decimal {
  switch (value._bsontype) {
    case 'Decimal128':
      return parseDecimal(value);
    case 'Double':
      return decimalFromDouble(value.value);
    case 'Int32':
      return decimalFromBigInt(BigInt(value.value));
    case 'Long':
      return decimalFromBigInt(value.toBigInt());
  }
}

interface Operation {
  readonly ofIntegers: (a: bigint, b: bigint) => bigint;
  readonly ofNumbers: (a: number, b: number) => number;
  readonly ofDecimals: (a: Decimal, b: Decimal) => Decimal;
}

const ADD: Operation = { ofIntegers: (a, b) => a + b, ofNumbers: (a, b) => a + b, ofDecimals: addDecimals };
const SUBTRACT: Operation = {
  ofIntegers: (a, b) => a - b,
  ofNumbers: (a, b) => a - b,
  ofDecimals: (a, b) => addDecimals(a, negateDecimal(b)),
};
const MULTIPLY: Operation = { ofIntegers: (a, b) => a * b, ofNumbers: (a, b) => a * b, ofDecimals: multiplyDecimals };
const REMAINDER: Operation = {
  ofIntegers: (a, b) => a % b,
  ofNumbers: (a, b) => a % b,
  ofDecimals: remainderOfDecimals,
};

/** The widest of both types; integers that outgrow int32 become int64, and beyond that a double. */
export const add = (a: Numeric, b: Numeric): Numeric => operate(ADD, a, b);
export const subtract = (a: Numeric, b: Numeric): Numeric => operate(SUBTRACT, a, b);
export const multiply = (a: Numeric, b: Numeric): Numeric => operate(MULTIPLY, a, b);
/** The remainder with the sign of `a`; `b` is not zero. */
export const remainder = (a: Numeric, b: Numeric): Numeric => operate(REMAINDER, a, b);

/** A double, or a decimal if either is one; `b` is not zero. */
export function divide(a: Numeric, b: Numeric): Double | Decimal128 {
  if (a._bsontype === 'Decimal128' || b._bsontype === 'Decimal128') {
    return makeDecimal(divideDecimals(toDecimal(a), toDecimal(b)));
  }
  return new Double(toNumber(a) / toNumber(b));
}

function operate(operation: Operation, a: Numeric, b: Numeric): Numeric {
  if (a._bsontype === 'Decimal128' || b._bsontype === 'Decimal128') {
    return makeDecimal(operation.ofDecimals(toDecimal(a), toDecimal(b)));
  }
  if (a._bsontype === 'Double' || b._bsontype === 'Double') {
    return new Double(operation.ofNumbers(toNumber(a), toNumber(b)));
  }
  const atLeast = a._bsontype === 'Long' || b._bsontype === 'Long' ? 'long' : 'int';
  return integer(operation.ofIntegers(bigIntOf(a), bigIntOf(b)), atLeast);
}

function bigIntOf(value: Int32 | Long): bigint {
  return value._bsontype === 'Long' ? value.toBigInt() : BigInt(value.value);
}

function longValue(value: Long): number | bigint {
  const number = value.toNumber();
  return Number.isSafeInteger(number) ? number : value.toBigInt();
}

/** A number as a decimal of the very same value. */
export function exact(value: Numeric): Decimal {
  return value._bsontype === 'Double' && Number.isFinite(value.value) ? exactDecimal(value.value) : toDecimal(value);
}
