// The tests of filters on one value.
// https://www.mongodb.com/docs/manual/reference/operator/query/
import { Binary } from 'bson';
import { ServerError } from '../../errors.ts';
import type { Collation } from '../../values/collation.ts';
import { fitsInt64, isNaNValue, toInteger, toSafeInteger, truncate } from '../../values/number.ts';
import { compare, equals, keyOf, rankOf } from '../../values/order.ts';
import { show } from '../../values/text.ts';
import { isTypeName, NUMBER_TYPES, type TypeName, typeOfNumber } from '../../values/types.ts';
import { isArray, isDocument, isNumeric, isRegExp, typeOf, UNDEFINED, type Value } from '../../values/value.ts';
import { regexTest } from './regex.ts';

/** A test of one value, `undefined` for a missing one. */
export type Test = (value: Value | undefined) => boolean;

/** The test that nothing passes. */
export const NEVER: Test = () => false;

/** Equality as filters have it: null also stands for a missing value. */
export function equalityTest(expected: Value, collation?: Collation): Test {
  if (expected === UNDEFINED) throw badValue('cannot compare to undefined');
  if (expected === null) return (value) => value === null || value === undefined;
  return (value) => value !== undefined && equals(value, expected, collation?.compare);
}

/** A member of a list such as that of `$in`: a regular expression is a pattern there. */
export function memberTest(expected: Value, collation?: Collation): Test {
  return isRegExp(expected) ? regexTest(expected) : equalityTest(expected, collation);
}

/** `$gt` and the like: only values of the same rank compare, but everything lies between MinKey and MaxKey. */
function rangeTest(
  name: string,
  bound: Value,
  sign: 1 | -1,
  inclusive: boolean,
  collation: Collation | undefined,
): Test {
  if (isRegExp(bound)) throw badValue(`Can't have RegEx as arg to predicate over field with ${name}.`);
  if (bound === UNDEFINED) throw badValue('cannot compare to undefined');
  const type = typeOf(bound);
  const rank = rankOf(bound);
  const acceptsAll = (type === 'minKey' && sign > 0) || (type === 'maxKey' && sign < 0);
  const boundIsNaN = isNaNValue(bound);
  return (value) => {
    if (value === undefined) return type === 'null' ? inclusive : acceptsAll;
    if (rankOf(value) !== rank) return acceptsAll;
    if (boundIsNaN || isNaNValue(value)) return inclusive && boundIsNaN && isNaNValue(value);
    const order = compare(value, bound, collation?.compare);
    return order === 0 ? inclusive : order * sign > 0;
  };
}

/** How many members of `$in` are compared one by one: beyond it a set of their keys is faster. */
const FEW = 8;

export function inTest(argument: Value, collation?: Collation, name = '$in'): Test {
  if (!isArray(argument)) throw badValue(`${name} needs an array`);
  for (const member of argument) {
    const [key] = isDocument(member) ? member.keys() : [];
    if (key?.startsWith('$') && !isReference(member)) throw badValue(`cannot nest $ under ${name}`);
  }
  const patterns = argument.filter(isRegExp).map(regexTest);
  const plain = argument.filter((member) => !isRegExp(member));
  if (plain.length <= FEW) {
    const tests = [...plain.map((member) => equalityTest(member, collation)), ...patterns];
    return (value) => tests.some((test) => test(value));
  }
  const fold = collation?.fold;
  const keys = new Set(plain.map((member) => keyOf(member, fold)));
  const hasNull = plain.includes(null);
  if (plain.includes(UNDEFINED)) throw badValue('cannot compare to undefined');
  return (value) =>
    (value === undefined ? hasNull : keys.has(keyOf(value, fold))) || patterns.some((test) => test(value));
}

/** True where a document is a DBRef, whose keys start with `$` although they are no operators. */
export function isReference(value: Value): boolean {
  return isDocument(value) && value.has('$ref') && value.has('$id');
}

function typeTest(argument: Value): Test {
  const types = new Set((isArray(argument) ? argument : [argument]).flatMap(typesOf));
  if (types.size === 0) throw new ServerError(9, '$type must match at least one type');
  return (value) => value !== undefined && types.has(typeOf(value));
}

/** The types that a name (`number` is four of them) or a number stands for. */
export function typesOf(alias: Value): readonly TypeName[] {
  if (alias === 'number') return NUMBER_TYPES;
  if (typeof alias === 'string') {
    if (isTypeName(alias)) return [alias];
    throw badValue(`Unknown type name alias: ${alias}`);
  }
  if (!isNumeric(alias)) throw new ServerError(14, 'type must be represented as a number or a string');
  const code = toSafeInteger(alias);
  if (code === 0) throw badValue('Invalid numerical type code: 0. Instead use {$exists:false}.');
  const type = code === undefined ? undefined : typeOfNumber(code);
  if (type === undefined) throw badValue(`Invalid numerical type code: ${show(alias)}`);
  return [type];
}

function modTest(argument: Value): Test {
  if (!isArray(argument)) throw badValue('malformed mod, needs to be an array');
  if (argument.length < 2) throw badValue('malformed mod, not enough elements');
  if (argument.length > 2) throw badValue('malformed mod, too many elements');
  const [divisor, remainder] = argument.map((part, index) => {
    const whole = isNumeric(part) ? truncate(part) : undefined;
    if (whole === undefined || !fitsInt64(whole)) {
      throw badValue(`malformed mod, ${index === 0 ? 'divisor' : 'remainder'} not a number`);
    }
    return whole;
  });
  if (divisor === undefined || divisor === 0n) throw badValue('divisor cannot be 0');
  return (value) => {
    const whole = isNumeric(value) ? truncate(value) : undefined;
    return whole !== undefined && fitsInt64(whole) && whole % divisor === remainder;
  };
}

function sizeTest(argument: Value): Test {
  const size = toSafeInteger(argument);
  if (size === undefined) {
    throw badValue(`Failed to parse $size. Expected an integer in: $size: ${show(argument)}`);
  }
  if (size < 0) throw badValue(`Failed to parse $size. Expected a non-negative number in: $size: ${show(argument)}`);
  return (value) => isArray(value) && value.length === size;
}

type BitOperator = (bits: readonly boolean[]) => boolean;

/** Reads which bit positions are meant, and tests those of integers and binaries. */
function bitTest(name: string, argument: Value, decide: BitOperator): Test {
  const positions = bitPositions(name, argument);
  return (value) => {
    const bitAt = bitReader(value);
    return bitAt !== undefined && decide(positions.map(bitAt));
  };
}

function bitPositions(name: string, argument: Value): number[] {
  if (isArray(argument)) {
    return argument.map((position) => {
      const bit = toSafeInteger(position);
      if (bit === undefined || bit < 0) {
        throw badValue(`Failed to parse bit position. Expected a non-negative number in: ${name}: ${show(position)}`);
      }
      return bit;
    });
  }
  if (isNumeric(argument)) {
    const mask = toInteger(argument);
    if (mask === undefined || mask < 0n || !fitsInt64(mask)) {
      throw new ServerError(9, `Expected a non-negative integer in: ${name}: ${show(argument)}`);
    }
  } else if (!(argument instanceof Binary)) {
    throw badValue(`${name} takes an Array, a number, or a BinData but received: ${name}: ${show(argument)}`);
  }
  const bitAt = bitReader(argument) ?? (() => false);
  const bits = argument instanceof Binary ? argument.position * 8 : 63;
  return Array.from({ length: bits }, (_, position) => position).filter(bitAt);
}

function bitReader(value: Value | undefined): ((position: number) => boolean) | undefined {
  if (value instanceof Binary) return (position) => (((value.buffer[position >> 3] ?? 0) >> (position & 7)) & 1) === 1;
  const integer = isNumeric(value) ? toInteger(value) : undefined;
  if (integer === undefined || !fitsInt64(integer)) return undefined;
  return (position) => ((integer >> BigInt(position)) & 1n) === 1n;
}

const allSet: BitOperator = (bits) => bits.every(Boolean);
const anySet: BitOperator = (bits) => bits.some(Boolean);

type TestCompiler = (argument: Value, collation?: Collation) => Test;

/** The operators that test one value, by name. */
export const TESTS: ReadonlyMap<string, TestCompiler> = new Map<string, TestCompiler>([
  ['$eq', equalityTest],
  ['$gt', (bound, collation) => rangeTest('$gt', bound, 1, false, collation)],
  ['$gte', (bound, collation) => rangeTest('$gte', bound, 1, true, collation)],
  ['$lt', (bound, collation) => rangeTest('$lt', bound, -1, false, collation)],
  ['$lte', (bound, collation) => rangeTest('$lte', bound, -1, true, collation)],
  ['$in', (members, collation) => inTest(members, collation)],
  ['$type', typeTest],
  ['$mod', modTest],
  ['$size', sizeTest],
  ['$bitsAllSet', (mask) => bitTest('$bitsAllSet', mask, allSet)],
  ['$bitsAnySet', (mask) => bitTest('$bitsAnySet', mask, anySet)],
  ['$bitsAllClear', (mask) => bitTest('$bitsAllClear', mask, (bits) => !anySet(bits))],
  ['$bitsAnyClear', (mask) => bitTest('$bitsAnyClear', mask, (bits) => !allSet(bits))],
]);

function badValue(message: string): ServerError {
  return new ServerError(2, message);
}
