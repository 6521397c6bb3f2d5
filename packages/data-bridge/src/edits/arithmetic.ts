import { BSON } from 'mongodb';
import { isBson } from '../bson/bson-classes.ts';

/** A number of any of BSON's types, as a program has it. */
export type Numeric = number | bigint | BSON.Int32 | BSON.Double | BSON.Long | BSON.Decimal128;

export function isNumeric(value: unknown): value is Numeric {
  return (
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    isBson(value, 'Int32') ||
    isBson(value, 'Double') ||
    isBson(value, 'Long') ||
    isBson(value, 'Decimal128')
  );
}

/** The sum, of the kind of the first number where that can hold it. */
export function add(a: Numeric, b: Numeric): Numeric {
  return calculate(a, b, SUM);
}

/** The product, of the kind of the first number where that can hold it. */
export function multiply(a: Numeric, b: Numeric): Numeric {
  return calculate(a, b, PRODUCT);
}

/** Negative, zero or positive, as MongoDB orders numbers: by value, whatever their types, and NaN first. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  if (isBson(a, 'Decimal128') || isBson(b, 'Decimal128')) {
    const [x, y] = [decimalOf(a), decimalOf(b)];
    return isFinite(x) && isFinite(y) ? order(...aligned(x, y)) : order(limitOf(x), limitOf(y));
  }
  return order(primitiveOf(a), primitiveOf(b));
}

/** One operation over each of the ways in which numbers are held. */
interface Operation {
  readonly doubles: (a: number, b: number) => number;
  readonly integers: (a: bigint, b: bigint) => bigint;
  readonly decimals: (a: Finite, b: Finite) => Finite;
}

const SUM: Operation = {
  doubles: (a, b) => a + b,
  integers: (a, b) => a + b,
  decimals: (a, b) => {
    const [x, y] = aligned(a, b);
    return { coefficient: x + y, exponent: Math.min(a.exponent, b.exponent) };
  },
};

const PRODUCT: Operation = {
  doubles: (a, b) => a * b,
  integers: (a, b) => a * b,
  decimals: (a, b) => ({ coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent }),
};

/** As on the server a decimal makes the result one; integers stay exact up to 64 bits, and are doubles beyond. */
function calculate(a: Numeric, b: Numeric, operation: Operation): Numeric {
  if (isBson(a, 'Decimal128') || isBson(b, 'Decimal128'))
    return calculateDecimal(decimalOf(a), decimalOf(b), operation);
  const [x, y] = [integerOf(a), integerOf(b)];
  if (x === null || y === null) return likeDouble(operation.doubles(Number(a), Number(b)), a);
  const exact = operation.integers(x, y);
  return BigInt.asIntN(64, exact) === exact ? likeInteger(exact, a) : likeDouble(Number(exact), a);
}

function likeInteger(result: bigint, kind: Numeric): Numeric {
  if (typeof kind === 'bigint') return result;
  if (isBson(kind, 'Long')) return BSON.Long.fromBigInt(result);
  if (isBson(kind, 'Int32') && BigInt.asIntN(32, result) === result) return new BSON.Int32(Number(result));
  return likeDouble(Number(result), kind);
}

/** A program that holds plain numbers gets a plain number. */
function likeDouble(result: number, kind: Numeric): Numeric {
  return isBson(kind, 'Double') || isBson(kind, 'Int32') ? new BSON.Double(result) : result;
}

/** Null where it is no integer, or a double that is not known to be exact. */
function integerOf(value: Numeric): bigint | null {
  const primitive = primitiveOf(value);
  if (typeof primitive === 'bigint') return primitive;
  return Number.isSafeInteger(primitive) && !Object.is(primitive, -0) ? BigInt(primitive) : null;
}

function primitiveOf(value: Exclude<Numeric, BSON.Decimal128> | BSON.Decimal128): number | bigint {
  if (typeof value === 'bigint') return value;
  return isBson(value, 'Long') ? BigInt.asIntN(64, value.toBigInt()) : Number(value);
}

function order(a: number | bigint, b: number | bigint): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a < b ? -1 : a > b ? 1 : 0;
}

// ── Decimal128: 34 digits, rounded half to even ─────────────────────────────────────────────────────────────────────

/** `coefficient` × 10^`exponent`. */
interface Finite {
  readonly coefficient: bigint;
  readonly exponent: number;
}

type Decimal = Finite | 'NaN' | 'Infinity' | '-Infinity';

const DIGITS = 34;
const MIN_EXPONENT = -6176;
const MAX_EXPONENT = 6111;

function isFinite(value: Decimal): value is Finite {
  return typeof value !== 'string';
}

/** Of a double 15 digits are taken, as MongoDB's arithmetic does. */
function decimalOf(value: Numeric): Decimal {
  if (isBson(value, 'Decimal128')) return parse(value.toString());
  const integer = integerOf(value);
  return integer === null ? parse(Number(value).toExponential(14)) : { coefficient: integer, exponent: 0 };
}

function parse(text: string): Decimal {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  if (!/\d/.test(whole)) return text as Decimal; // NaN, Infinity
  return { coefficient: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

function calculateDecimal(a: Decimal, b: Decimal, operation: Operation): BSON.Decimal128 {
  const result =
    isFinite(a) && isFinite(b)
      ? rounded(operation.decimals(a, b))
      : String(operation.doubles(Number(toText(a)), Number(toText(b))));
  return BSON.Decimal128.fromString(result);
}

function aligned(a: Finite, b: Finite): [bigint, bigint] {
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (value: Finite) => value.coefficient * 10n ** BigInt(value.exponent - exponent);
  return [scaled(a), scaled(b)];
}

/** What it is beside the finite numbers, all of which count as zero. */
function limitOf(value: Decimal): number {
  return isFinite(value) ? 0 : Number(value);
}

function toText(value: Decimal): string {
  return isFinite(value) ? `${value.coefficient}E${value.exponent}` : value;
}

function rounded({ coefficient, exponent }: Finite): string {
  const dropped = Math.max(0, digitsOf(coefficient) - DIGITS, MIN_EXPONENT - exponent);
  const kept = dividedToEven(coefficient, 10n ** BigInt(dropped));
  if (kept === 0n) return `0E${Math.min(Math.max(exponent, MIN_EXPONENT), MAX_EXPONENT)}`;
  if (digitsOf(kept) + exponent + dropped > MAX_EXPONENT + DIGITS) return kept < 0n ? '-Infinity' : 'Infinity';
  return toText({ coefficient: kept, exponent: exponent + dropped });
}

function digitsOf(coefficient: bigint): number {
  return String(coefficient).replace('-', '').length;
}

function dividedToEven(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  const twice = (value % divisor) * 2n;
  const size = twice < 0n ? -twice : twice;
  if (size < divisor || (size === divisor && quotient % 2n === 0n)) return quotient;
  return quotient + (value < 0n ? -1n : 1n);
}
