import type { BsonTypeName } from '../bson/types.ts';
import { BSON } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { ABSENT } from '../bson/encode.ts';
import { isBson } from '../bson/bson-classes.ts';
import { typeName } from '../schema/bson-types.ts';
import { isNumeric, type Numeric } from './arithmetic.ts';
import { type AtomicRule, UNFIT } from './atomic-rule.ts';
import { type Expression, isMissing, isOfType, literal } from './expression.ts';
import { bigintOf, kindOf } from './server-values.ts';

/*
 * `$bit`: and, or and xor on integers of 32 or 64 bits. Whatever was asked for, one after the other, keeps some bits and
 * then flips some: so two of them are always one.
 */

/** The bits that are kept, and those that are flipped then. */
interface Masks {
  readonly and: bigint;
  readonly xor: bigint;
}

/** The operations by name, as MongoDB has them, in the order in which they are done. */
type Operand = Readonly<Record<string, Numeric>>;

const BITWISE: Readonly<Record<string, (masks: Masks, bits: bigint) => Masks>> = {
  and: ({ and, xor }, bits) => ({ and: and & bits, xor: xor & bits }),
  or: ({ and, xor }, bits) => ({ and: and & ~bits, xor: (xor & ~bits) | bits }),
  xor: ({ and, xor }, bits) => ({ and, xor: xor ^ bits }),
};

const INTEGERS: readonly BsonTypeName[] = ['int', 'long'];

export const BIT: AtomicRule = {
  checkOperand,
  checkValue: (value) =>
    isInteger(value) ? null : `needs an integer of at most 64 bits, the value there is ${nameOf(value)}`,
  apply: (value, operand) => {
    const result = applied(bigintOf(value as Numeric), operand as Operand);
    return integerLike(result, value as Numeric, isLong(operand as Operand));
  },
  ofNothing: (operand) => {
    const [like] = Object.values(operand as Operand);
    return integerLike(applied(0n, operand as Operand), like as Numeric, isLong(operand as Operand));
  },
  castsOperand: false,
  single: (operand) => shortest([operand as Operand]),
  fold: (first, second) => shortest([first as Operand, second as Operand]),
  operator: (operand) => ['$bit', operand],
  expression: (current, operand, otherwise) => {
    const ofNothing = { $cond: [isMissing(current), literal(stored(ABSENT, operand as Operand)), otherwise] };
    return { $cond: [isOfType(current, INTEGERS), computed(current, operand as Operand), ofNothing] };
  },
  stored: (current, operand) => stored(current, operand as Operand),
  repeatable: (operand) => {
    const { and, xor } = masksOf([operand as Operand]);
    return (and & xor) === 0n;
  },
  types: INTEGERS,
  standsAlone: true,
  isServerValue: false,
  takesPart: false,
};

function checkOperand(operand: unknown): string | null {
  const entries = isPlainObject(operand) ? Object.entries(operand) : [];
  if (entries.length === 0 || !entries.every(([name]) => Object.hasOwn(BITWISE, name)))
    return 'takes { and: … }, { or: … } or { xor: … } with an integer';
  const other = entries.find(
    ([, bits]) => !isInteger(bits) || (typeof bits === 'number' && !Number.isSafeInteger(bits)),
  );
  return other === undefined
    ? null
    : `takes an exact integer of at most 64 bits for "${other[0]}", got ${nameOf(other[1])}`;
}

/** True for an integer of at most 64 bits. A number may be one that was a long. */
function isInteger(value: unknown): value is Numeric {
  if (isBson(value, 'Long') || isBson(value, 'Int32')) return true;
  const exact = Number.isInteger(value) ? BigInt(value as number) : value;
  return typeof exact === 'bigint' && BigInt.asIntN(64, exact) === exact;
}

function nameOf(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? 'another number' : typeName(value);
}

/** The result is as wide as the widest operand. */
function isLong(operand: Operand): boolean {
  return Object.values(operand).some((bits) => kindOf(bits) !== 'int' && !Object.is(bits, -0));
}

function masksOf(operands: readonly Operand[]): Masks {
  const steps = operands.flatMap((operand) => Object.entries(operand));
  const none: Masks = { and: -1n, xor: 0n };
  return steps.reduce((masks, [name, bits]) => (BITWISE[name] as (typeof BITWISE)['and'])(masks, bigintOf(bits)), none);
}

function applied(value: bigint, operand: Operand): bigint {
  const { and, xor } = masksOf([operand]);
  return (value & and) ^ xor;
}

/** The shortest operand that does all of these. */
function shortest(operands: readonly Operand[]): Operand {
  const { and, xor } = masksOf(operands);
  const isWide = operands.some(isLong);
  const given = (bits: bigint): Numeric => asStored(bits, isWide);
  if (xor === 0n) return { and: given(and) };
  if (and === -1n) return { xor: given(xor) };
  return and === ~xor ? { or: given(xor) } : { and: given(and), xor: given(xor) };
}

/** An integer as the program has the first one. */
function integerLike(result: bigint, like: Numeric, isWide: boolean): Numeric {
  if (typeof like === 'bigint') return result;
  if (typeof like === 'number') return Number(result);
  return isWide || isBson(like, 'Long') ? BSON.Long.fromBigInt(result) : new BSON.Int32(Number(result));
}

function asStored(result: bigint, isWide: boolean): Numeric {
  return isWide ? BSON.Long.fromBigInt(result) : Number(result);
}

function stored(current: unknown, operand: Operand): unknown {
  if (current === ABSENT) return asStored(applied(0n, operand), isLong(operand));
  const kind = isNumeric(current) ? kindOf(current) : null;
  if (kind !== 'int' && kind !== 'long') return UNFIT;
  return asStored(applied(bigintOf(current as Numeric), operand), kind === 'long' || isLong(operand));
}

// ── in a pipeline ───────────────────────────────────────────────────────────────────────────────────────────────────

const SIGN_BIT = 63;
const SIGN = literal(BSON.Long.MIN_VALUE);

/**
 * Expressions have bitwise operators since MongoDB 6.3 only. So each bit that may change adds or takes away what it
 * counts, in longs, in which no step overflows; the sign bit comes last.
 */
function computed(current: Expression, operand: Operand): Expression {
  const masks = masksOf([operand]);
  const terms = Array.from({ length: SIGN_BIT }, (_, i) => {
    const { ofOne, ofZero } = changeOf(masks, i);
    const worth = (count: bigint): Expression => literal(BSON.Long.fromBigInt(count << BigInt(i)));
    return ofOne === ofZero ? [] : [{ $cond: [hasBit('$$n', i), worth(ofOne), worth(ofZero)] }];
  }).flat();
  const { ofOne, ofZero } = changeOf(masks, SIGN_BIT);
  const cleared = ofOne === 0n ? '$$s' : { $subtract: ['$$s', SIGN] };
  const set = ofZero === 0n ? '$$s' : { $add: ['$$s', SIGN] };
  const withSign = { $cond: [{ $lt: ['$$n', 0] }, cleared, set] };
  const sum = { $let: { vars: { s: { $add: ['$$n', ...terms] } }, in: withSign } };
  const result = { $let: { vars: { n: { $toLong: current } }, in: sum } };
  return isLong(operand) ? result : { $cond: [isOfType(current, ['int']), { $toInt: result }, result] };
}

/** What is added to a bit that is set, and to one that is not. Both are zero where the bit stays as it is. */
function changeOf({ and, xor }: Masks, i: number): { readonly ofOne: bigint; readonly ofZero: bigint } {
  const [kept, flipped] = [(and >> BigInt(i)) & 1n, (xor >> BigInt(i)) & 1n];
  return { ofOne: (kept ^ flipped) - 1n, ofZero: flipped };
}

/** True where a long has the bit: the remainder keeps the sign, and a negative one counts up from below. */
function hasBit(long: Expression, i: number): Expression {
  const worth = 1n << BigInt(i);
  // Twice the highest bit is no long. No long is greater, either.
  const rest = i === SIGN_BIT - 1 ? long : { $mod: [long, literal(BSON.Long.fromBigInt(worth * 2n))] };
  const isNegative = { $and: [{ $lt: [rest, 0] }, { $gte: [rest, literal(BSON.Long.fromBigInt(-worth))] }] };
  return { $or: [{ $gte: [rest, literal(BSON.Long.fromBigInt(worth))] }, isNegative] };
}
