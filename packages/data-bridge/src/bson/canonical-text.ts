import { type Binary, type BSONRegExp, type DBRef, Decimal128 } from 'mongodb';
import { bsonTag, isBson, isDate, isMap, isRegExp, isUint8Array, toStored } from './bson-classes.ts';
import { maxDepth } from './bytes.ts';
import { toRegExp } from './construct.ts';
import { toReference } from './equal-values.ts';
import { isPlainObject } from './plain-object.ts';

/**
 * A text that two values share when they are the same to BSON, and no others: the order of keys does not count,
 * `undefined` is absent in objects and null in arrays, numbers count by value, whatever their type. What BSON cannot
 * hold is the same as itself alone.
 *
 * @param ancestors the objects that the value lies in.
 */
export function canonicalText(value: unknown, ancestors: object[] = []): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return textOfNumber(value);
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : textOfObject(value, ancestors);
    default:
      return identity(value as object);
  }
}

/** As a bigint has it: `String` rounds what lies beyond 2^53. */
function textOfNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return Number.isInteger(value) ? String(BigInt(value)) : String(value);
}

function textOfObject(value: object, ancestors: object[]): string {
  const above = ancestors.lastIndexOf(value);
  // case: a value inside itself, which a document that was not validated yet may hold
  if (above >= 0) return `cycle(${ancestors.length - above})`;
  if (ancestors.length > maxDepth) return identity(value);
  ancestors.push(value);
  const text = textOfMembers(value, ancestors);
  ancestors.pop();
  return text;
}

function textOfMembers(value: object, ancestors: object[]): string {
  if (Array.isArray(value))
    return `[${Array.from(value, (element: unknown) => canonicalText(toStored(element) ?? null, ancestors)).join()}]`;
  const reference = mayRefer(value) ? toReference(value) : null;
  if (reference !== null) return textOfReference(reference, ancestors);
  if (isPlainObject(value)) return textOfEntries(Object.entries(value), ancestors);
  if (bsonTag(value) !== undefined) return textOfBson(value, ancestors);
  if (isDate(value)) return `date(${value.getTime()})`;
  if (isUint8Array(value)) return binary(value, 0);
  if (isRegExp(value)) return expression(value.source, value.flags.replaceAll(/[^gim]/g, ''));
  return isMap(value) ? textOfEntries(value, ancestors) : identity(value);
}

function textOfEntries(entries: Iterable<readonly [unknown, unknown]>, ancestors: object[]): string {
  const members: string[] = [];
  for (const [key, live] of entries) {
    const member = toStored(live);
    if (member !== undefined) members.push(`${canonicalText(key, ancestors)}:${canonicalText(member, ancestors)}`);
  }
  return `{${members.toSorted().join()}}`;
}

function textOfBson(value: object, ancestors: object[]): string {
  if (isBson(value, 'ObjectId')) return `id(${value.toHexString()})`;
  if (isBson(value, 'Int32') || isBson(value, 'Double')) return textOfNumber(value.value);
  if (isBson(value, 'Long')) return String((BigInt(value.high) << 32n) | BigInt(value.low >>> 0));
  if (isBson(value, 'BSONSymbol')) return canonicalText(value.value);
  // Its text, and not its value: 1.0 and 1 are two decimals.
  if (isBson(value, 'Decimal128')) return `decimal(${new Decimal128(value.bytes).toString()})`;
  if (isBson(value, 'Timestamp')) return `timestamp(${value.high},${value.low})`;
  if (isBson(value, 'Binary')) return binary(value.buffer.subarray(0, value.position), value.sub_type);
  if (isBson(value, 'BSONRegExp')) return storedExpression(value);
  if (isBson(value, 'Code')) return `code(${canonicalText(value.code)},${canonicalText(value.scope, ancestors)})`;
  return String(bsonTag(value)); // MinKey, MaxKey
}

function binary(bytes: Uint8Array, subtype: Binary['sub_type']): string {
  return `binary(${subtype},${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')})`;
}

function expression(pattern: string, options: string): string {
  return `regex(${JSON.stringify(pattern)},${options.split('').toSorted().join('')})`;
}

/** As it is decoded: RegExp changes what it escapes in its source. */
function storedExpression({ pattern, options }: BSONRegExp): string {
  const compiled = toRegExp(pattern, options);
  return compiled === null ? expression(pattern, options) : expression(compiled.source, compiled.flags);
}

/** True for a DBRef, and for what one may be stored as. */
function mayRefer(value: object): boolean {
  return Object.hasOwn(value, '$ref') || (isMap(value) && value.has('$ref')) || isBson(value, 'DBRef');
}

/** The document that it is stored as. */
function textOfReference({ collection, oid, db, fields }: DBRef, ancestors: object[]): string {
  return textOfEntries(Object.entries({ $ref: collection, $id: oid, $db: db, ...fields }), ancestors);
}

const identities = new WeakMap<object, number>();
let lastIdentity = 0;

/** A text for this very object, function or symbol. */
function identity(value: object | symbol): string {
  if (typeof value === 'symbol') return String(value);
  let number = identities.get(value);
  if (number === undefined) identities.set(value, (number = ++lastIdentity));
  return `#${number}`;
}
