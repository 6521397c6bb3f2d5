import { BSON } from 'mongodb';
import { isPlainObject } from '../bson/copy.ts';
import { equalValues } from '../bson/equal.ts';
import { bsonTag, isBson, isDate, isObject, isRegExp, isUint8Array } from '../bson/live.ts';
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

/** Does a server take the two for equal? */
export function equalStored(a: unknown, b: unknown): boolean {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b) === 0;
  if (Array.isArray(a) && Array.isArray(b)) {
    const others: readonly unknown[] = b;
    return a.length === others.length && a.every((element, i) => equalStored(element, others[i]));
  }
  const [members, others] = [membersOf(a), membersOf(b)];
  if (members === null || others === null) return equalValues(a, b);
  const isSame = ([key, value]: readonly [string, unknown], i: number): boolean => {
    const [otherKey, other] = others[i] as [string, unknown];
    return key === otherKey && equalStored(value, other);
  };
  return members.length === others.length && members.every(isSame);
}

function membersOf(value: unknown): [string, unknown][] | null {
  if (value instanceof Map) return [...(value as Map<string, unknown>)];
  return isPlainObject(value) ? Object.entries(value) : null;
}

/** Negative, zero or positive: MongoDB's order, of which `scalarRank` has the types. */
export function compareScalars(a: unknown, b: unknown): number {
  const ranks = Number(scalarRank(a)) - Number(scalarRank(b));
  if (ranks !== 0) return ranks;
  if (isNumeric(a)) return compareNumbers(a, b as Numeric);
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  if (isBson(a, 'ObjectId')) return Buffer.compare(a.id, (b as typeof a).id);
  return Number(a) - Number(b);
}

/** The place of a scalar's type in MongoDB's order, null for a type that programs do not compare. */
export function scalarRank(value: unknown): number | null {
  if (value === null) return 0;
  if (isNumeric(value)) return 1;
  if (typeof value === 'string') return 2;
  if (isBson(value, 'ObjectId')) return 3;
  if (typeof value === 'boolean') return 4;
  return isDate(value) ? 5 : null;
}

/** MongoDB's order of a scalar and any value: by type, and of one type by value. Negative, zero or positive. */
export function compareStored(scalar: unknown, value: unknown): number {
  const ranks = rankOf(scalar) - rankOf(value);
  return ranks === 0 ? compareScalars(scalar, isBson(value, 'BSONSymbol') ? value.value : value) : ranks;
}

/** The types of BSON in MongoDB's order, https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/ */
const RANKS = [
  'MinKey',
  'null',
  'number',
  'string',
  'object',
  'array',
  'Binary',
  'ObjectId',
  'boolean',
  'Date',
] as const;
const HIGHER_RANKS = ['Timestamp', 'BSONRegExp', 'DBRef', 'Code', 'MaxKey'] as const;

type Rank = (typeof RANKS | typeof HIGHER_RANKS)[number];

function rankOf(value: unknown): number {
  return [...RANKS, ...HIGHER_RANKS].indexOf(rankNameOf(value));
}

function rankNameOf(value: unknown): Rank {
  if (isNumeric(value)) return 'number';
  if (typeof value === 'string' || isBson(value, 'BSONSymbol')) return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (!isObject(value)) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isDate(value)) return 'Date';
  if (isRegExp(value)) return 'BSONRegExp';
  if (isUint8Array(value)) return 'Binary';
  // case: a reference is stored as an object
  if (isBson(value, 'DBRef')) return 'object';
  return (bsonTag(value) as Rank | undefined) ?? 'object';
}
