import { isPlainObject } from './plain-object.ts';
import { type Binary, type BSONRegExp, DBRef, type Long } from 'mongodb';
import { maxDepth } from './bytes.ts';
import { toRegExp } from './construct.ts';
import { equalDouble } from './equal-scalars.ts';
import { shownIn } from './shown-defaults.ts';
import { bsonTag, isBson, isDate, isMap, isObject, isRegExp, isUint8Array, toStored } from './bson-classes.ts';

/**
 * True for two JavaScript values that are the same to BSON. Each may be as the program has it, or of BSON classes. What
 * has a `toBSON` is replaced by what that gives, as far as it lies inside them.
 *
 * @param anySubtype whether a Uint8Array equals a binary value of any subtype, rather than of 0 only.
 * @param ancestors the objects that `left` lies in.
 */
export function equalStoredForms(
  left: unknown,
  right: unknown,
  anySubtype: boolean,
  ancestors: object[] = [],
): boolean {
  // Also for what equals nothing else, such as a function: what was not touched has not changed.
  if (Object.is(left, right)) return true;
  if (typeof left === 'string' || typeof right === 'string') return textOf(left) === textOf(right);
  if (isNumeric(left)) return isNumeric(right) && equalNumbers(left, right);
  if (!isObject(left) || !isObject(right)) return false;
  // BSON holds neither a value inside itself nor one so deep.
  if (ancestors.includes(left) || ancestors.length > maxDepth) return false;
  ancestors.push(left);
  const equal = equalObjects(left, right, anySubtype, ancestors);
  ancestors.pop();
  return equal;
}

function textOf(value: unknown): unknown {
  return isBson(value, 'BSONSymbol') ? value.value : value;
}

type Numeric = number | bigint | object;

function isNumeric(value: unknown): value is Numeric {
  return (
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    isBson(value, 'Int32') ||
    isBson(value, 'Double') ||
    isBson(value, 'Long')
  );
}

/** Two objects of BSON classes are equal in one class only, a bigint and a number all by value. */
function equalNumbers(left: Numeric, right: Numeric): boolean {
  if (isObject(left) && isObject(right) && bsonTag(left) !== bsonTag(right)) return false;
  // A bigint knows no -0.
  if (typeof left === 'bigint' && isBson(right, 'Double')) return equalDouble(right.value, left);
  if (typeof right === 'bigint' && isBson(left, 'Double')) return equalDouble(left.value, right);
  const a = primitive(left);
  const b = primitive(right);
  if (typeof a === typeof b) return Object.is(a, b);
  return typeof a === 'number' ? isInteger(a, b as bigint) : isInteger(b as number, a);
}

function primitive(value: Numeric): number | bigint {
  if (isBson(value, 'Long')) return bigintOf(value);
  return isBson(value, 'Int32') || isBson(value, 'Double') ? value.value : (value as number | bigint);
}

/** The stored value: a Long made as an unsigned one above 2^63 is stored as a negative one. */
function bigintOf(long: Long): bigint {
  return (BigInt(long.high) << 32n) | BigInt(long.low >>> 0);
}

function isInteger(number: number, bigint: bigint): boolean {
  return Number.isInteger(number) && !Object.is(number, -0) && BigInt(number) === bigint;
}

function equalObjects(left: object, right: object, anySubtype: boolean, ancestors: object[]): boolean {
  if (isBson(left, 'DBRef') || isBson(right, 'DBRef')) return equalReferences(left, right, anySubtype, ancestors);
  if (isBinary(left)) return isBinary(right) && equalBinaries(left, right, anySubtype);
  if (isExpression(left)) return isExpression(right) && equalExpressions(left, right);
  if (isDate(left)) return isDate(right) && Object.is(left.getTime(), right.getTime());
  if (Array.isArray(left)) return Array.isArray(right) && equalArrays(left, right, anySubtype, ancestors);
  if (bsonTag(left) !== undefined) return equalBsonObjects(left, right, anySubtype, ancestors);
  const a = membersOf(left, right);
  const b = membersOf(right, left);
  return a !== null && b !== null && equalMembers(a, b, anySubtype, ancestors);
}

function equalBsonObjects(left: object, right: object, anySubtype: boolean, ancestors: object[]): boolean {
  if (isBson(left, 'ObjectId')) return isBson(right, 'ObjectId') && left.equals(right);
  if (isBson(left, 'Decimal128')) return isBson(right, 'Decimal128') && Buffer.compare(left.bytes, right.bytes) === 0;
  if (isBson(left, 'Timestamp'))
    return isBson(right, 'Timestamp') && left.low === right.low && left.high === right.high;
  if (isBson(left, 'Code')) {
    return (
      isBson(right, 'Code') &&
      left.code === right.code &&
      equalStoredForms(left.scope, right.scope, anySubtype, ancestors)
    );
  }
  if (isBson(left, 'BSONSymbol')) return isBson(right, 'BSONSymbol') && left.value === right.value;
  return bsonTag(left) === bsonTag(right); // MinKey, MaxKey
}

function isBinary(value: unknown): value is Binary | Uint8Array {
  return isUint8Array(value) || isBson(value, 'Binary');
}

function equalBinaries(left: Binary | Uint8Array, right: Binary | Uint8Array, anySubtype: boolean): boolean {
  const loose = anySubtype && (isUint8Array(left) || isUint8Array(right));
  if (!loose && subtypeOf(left) !== subtypeOf(right)) return false;
  return Buffer.compare(dataOf(left), dataOf(right)) === 0;
}

function subtypeOf(value: Binary | Uint8Array): number {
  return isUint8Array(value) ? 0 : value.sub_type;
}

/** The buffer of a Binary may be longer than what is in it. */
function dataOf(value: Binary | Uint8Array): Uint8Array {
  return isUint8Array(value) ? value : value.buffer.subarray(0, value.position);
}

function isExpression(value: unknown): value is RegExp | BSONRegExp {
  return isRegExp(value) || isBson(value, 'BSONRegExp');
}

function equalExpressions(left: RegExp | BSONRegExp, right: RegExp | BSONRegExp): boolean {
  if (isRegExp(left)) {
    if (isRegExp(right)) return left.source === right.source && storedFlags(left) === storedFlags(right);
    // As it is decoded: RegExp changes what it escapes in its source.
    const compiled = toRegExp(right.pattern, right.options);
    return compiled !== null && equalExpressions(left, compiled);
  }
  if (isRegExp(right)) return equalExpressions(right, left);
  return left.pattern === right.pattern && sorted(left.options) === sorted(right.options);
}

/** The other flags of a RegExp are not stored. */
function storedFlags(expression: RegExp): string {
  return expression.flags.replaceAll(/[^gim]/g, '');
}

function sorted(text: string): string {
  return text.split('').toSorted().join('');
}

/** Null and undefined are both stored as null in an array. */
function equalArrays(left: unknown[], right: unknown[], anySubtype: boolean, ancestors: object[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) {
    if (!equalStoredForms(toStored(left[i]) ?? null, toStored(right[i]) ?? null, anySubtype, ancestors)) return false;
  }
  return true;
}

/** True for a default that was shown and not changed: it stands for nothing, and equals nothing. */
export function isShownDefault(container: object, key: string, live: unknown): boolean {
  const shown = shownIn(container);
  return shown !== undefined && shown.has(key) && equalValues(shown.get(key), live);
}

/** The members that are stored, null for what is no document. @param other what it is compared with. */
function membersOf(value: object, other?: object): Map<string, unknown> | null {
  if (!isMap(value) && !isPlainObject(value)) return null;
  const members = new Map<string, unknown>();
  const hasShown = other !== undefined && shownIn(value) !== undefined;
  for (const [key, live] of isMap(value) ? value : Object.entries(value)) {
    if (typeof key !== 'string') return null;
    if (hasShown && !hasKey(other, key) && isShownDefault(value, key, live)) continue;
    const member = toStored(live);
    if (member !== undefined) members.set(key, member);
  }
  return members;
}

function hasKey(container: object, key: string): boolean {
  return isMap(container) ? container.has(key) : Object.hasOwn(container, key);
}

function equalMembers(
  left: Map<string, unknown>,
  right: Map<string, unknown>,
  anySubtype: boolean,
  ancestors: object[],
): boolean {
  if (left.size !== right.size) return false;
  for (const [key, member] of left) {
    if (!right.has(key) || !equalStoredForms(member, right.get(key), anySubtype, ancestors)) return false;
  }
  return true;
}

/** A DBRef equals the document that it is stored as. */
function equalReferences(a: object, b: object, anySubtype: boolean, ancestors: object[]): boolean {
  const left = toReference(a);
  const right = toReference(b);
  return (
    left !== null &&
    right !== null &&
    left.collection === right.collection &&
    (left.db ?? null) === (right.db ?? null) &&
    equalStoredForms(toStored(left.oid), toStored(right.oid), anySubtype, ancestors) &&
    equalStoredForms(left.fields, right.fields, anySubtype, ancestors)
  );
}

/** The DBRef that a value is, or is stored as; null for all others. */
export function toReference(value: object): DBRef | null {
  if (isBson(value, 'DBRef')) return value;
  const members = membersOf(value);
  if (members === null) return null;
  const collection = textOf(members.get('$ref'));
  const database = textOf(members.get('$db'));
  const id = members.get('$id') ?? null;
  if (typeof collection !== 'string' || id === null) return null;
  if (database !== undefined && typeof database !== 'string') return null;
  for (const key of ['$ref', '$id', '$db']) members.delete(key);
  return new DBRef(collection, id as DBRef['oid'], database, Object.fromEntries(members));
}

/** The same equality between two JavaScript values, each as the program has it or of BSON classes. */
export function equalValues(a: unknown, b: unknown): boolean {
  return equalStoredForms(toStored(a), toStored(b), false);
}
