import { BSON } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { equalValues } from '../bson/equal-values.ts';
import { bsonTag, isBson, isDate, isObject, isRegExp, isUint8Array } from '../bson/bson-classes.ts';
import { type BsonTypeName, NUMBER_TYPES, rankOfType, TYPE_OF_TAG } from '../bson/types.ts';
import { add, compareNumbers, isNumeric, multiply, type Numeric } from './arithmetic.ts';

/*
 * Values as a server takes them: numbers of all types are compared by value and keep to MongoDB's rules of types when they
 * are added, objects are equal in the same order of keys only.
 */

/** The sum as a server stores it. */
export function storedSum(a: Numeric, b: Numeric): unknown {
  return typed(a, b, add);
}

/** The product as a server stores it. */
export function storedProduct(a: Numeric, b: Numeric): unknown {
  return typed(a, b, multiply);
}

/** The wider of the two types: decimal, double, long, int; integers that outgrow their type take the next one. */
function typed(a: Numeric, b: Numeric, calculate: (a: Numeric, b: Numeric) => Numeric): unknown {
  const kinds = [kindOf(a), kindOf(b)];
  if (kinds.includes('decimal')) return calculate(a, b);
  if (kinds.includes('double')) return new BSON.Double(Number(calculate(Number(a), Number(b))));
  const exact = calculate(bigintOf(a), bigintOf(b));
  // Beyond 64 bits it is the double that `calculate` made of it.
  if (typeof exact !== 'bigint') return new BSON.Double(Number(exact));
  const isInt = !kinds.includes('long') && BigInt.asIntN(32, exact) === exact;
  return isInt ? Number(exact) : BSON.Long.fromBigInt(exact);
}

/** The type that a number has in BSON. A JavaScript number is written as an int where it is one. */
export function kindOf(value: Numeric): 'int' | 'long' | 'double' | 'decimal' {
  if (isBson(value, 'Decimal128')) return 'decimal';
  if (isBson(value, 'Double')) return 'double';
  if (isBson(value, 'Long') || typeof value === 'bigint') return 'long';
  if (isBson(value, 'Int32')) return 'int';
  return Object.is(value | 0, value) ? 'int' : 'double';
}

/** An integer, exactly. */
export function bigintOf(value: Numeric): bigint {
  if (isBson(value, 'Long')) return value.toBigInt();
  return typeof value === 'bigint' ? value : BigInt(Number(value));
}

/** True for two values that a server takes for equal. */
export function equalToServer(a: unknown, b: unknown): boolean {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b) === 0;
  if (Array.isArray(a) && Array.isArray(b)) {
    const others: readonly unknown[] = b;
    return a.length === others.length && a.every((element, i) => equalToServer(element, others[i]));
  }
  const [members, others] = [membersOf(a), membersOf(b)];
  if (members === null || others === null) return equalValues(a, b);
  const isSame = ([key, value]: readonly [string, unknown], i: number): boolean => {
    const [otherKey, other] = others[i] as [string, unknown];
    return key === otherKey && equalToServer(value, other);
  };
  return members.length === others.length && members.every(isSame);
}

function membersOf(value: unknown): [string, unknown][] | null {
  if (value instanceof Map) return [...(value as Map<string, unknown>)];
  return isPlainObject(value) ? Object.entries(value) : null;
}

/** Negative, zero or positive: MongoDB's order of two scalars, both of types that have a `scalarRank`. */
export function compareScalars(a: unknown, b: unknown): number {
  const ranks = rankOf(a) - rankOf(b);
  if (ranks !== 0) return ranks;
  if (isNumeric(a)) return compareNumbers(a, b as Numeric);
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  if (isBson(a, 'ObjectId')) return Buffer.compare(a.id, (b as typeof a).id);
  return Number(a) - Number(b);
}

/** The types of scalars that programs compare. */
const COMPARED: ReadonlySet<BsonTypeName> = new Set([...NUMBER_TYPES, 'null', 'string', 'objectId', 'bool', 'date']);

/** The place of a scalar's type in MongoDB's order, null for a type that programs do not compare. */
export function scalarRank(value: unknown): number | null {
  const type = typeOf(value);
  return COMPARED.has(type) ? rankOfType(type) : null;
}

/** MongoDB's order of a scalar and any value: by type, and of one type by value. Negative, zero or positive. */
export function compareAsServer(scalar: unknown, value: unknown): number {
  const ranks = rankOf(scalar) - rankOf(value);
  return ranks === 0 ? compareScalars(scalar, isBson(value, 'BSONSymbol') ? value.value : value) : ranks;
}

function rankOf(value: unknown): number {
  return rankOfType(typeOf(value));
}

/** The type that a value is stored with. */
function typeOf(value: unknown): BsonTypeName {
  if (isNumeric(value)) return kindOf(value);
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (!isObject(value)) return value === null ? 'null' : 'undefined';
  if (Array.isArray(value)) return 'array';
  if (isDate(value)) return 'date';
  if (isRegExp(value)) return 'regex';
  if (isUint8Array(value)) return 'binData';
  const tag = bsonTag(value);
  return tag === undefined ? 'object' : TYPE_OF_TAG[tag];
}
