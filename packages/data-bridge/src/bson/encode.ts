import { BSON } from 'mongodb';
import { EncodeError } from '../errors.ts';
import { copyValue, hasToBson } from './copy.ts';
import { EncodedDocument } from './encoded-document.ts';
import { isPlainObject, setOwn } from './plain-object.ts';
import { equalStoredForms, equalValues, isShownDefault } from './equal-values.ts';
import { type Identities, pairElements } from './identity.ts';
import { toStored } from './bson-classes.ts';
import { unstorable } from './storable.ts';
import { TYPE_OF_TAG } from './types.ts';

/** Stands for a value that is not there. `undefined` cannot: BSON has a type of that name. */
export const ABSENT: unique symbol = Symbol('absent');

/** MongoDB stores no document that is nested deeper, the document itself included. */
export const MAX_DEPTH = 100;

/** The tags of what the bson package can write. */
const WRITABLE_TAGS: ReadonlySet<unknown> = new Set(Object.keys(TYPE_OF_TAG));

/** By this symbol the bson package recognizes objects of its own major version. It refuses others. */
const VERSION = Symbol.for('@@mdb.bson.version');
const OWN_VERSION = versionOf(new BSON.MinKey());

type Primitive = string | number | bigint | boolean | symbol | null;

/** Where the conversion stands: the keys from the document to the value, and the containers that hold it. */
interface Place {
  readonly keys: (string | number)[];
  readonly ancestors: object[];
  readonly promoteBuffers: boolean;
  /** What is declared of the arrays at this place and below. */
  identities: Identities | undefined;
}

/**
 * A value as it is sent. Containers are fresh, so that what the program changes later does not reach it; `undefined` is
 * dropped from objects and `null` in arrays. What is unchanged has the BSON type that it was stored with: a value that
 * equals its original *is* that original, also for an element that moved inside its array. A JavaScript number over a
 * stored double or long keeps the type where that is exact.
 *
 * @param base the original, BSON-typed or as JavaScript has it, or `ABSENT`.
 * @param keys the keys from the document to the value, for the error.
 * @param promoteBuffers the option with which the value was decoded: it hides a binary's subtype from the program, so
 *   bytes over a stored binary keep its subtype.
 * @param identities what is declared of the arrays in the value.
 * @throws EncodeError for what BSON cannot hold, and for what the bson package would write as something else.
 */
export function toExact(
  value: unknown,
  base: unknown,
  keys: readonly (string | number)[],
  promoteBuffers = false,
  identities?: Identities,
): unknown {
  const place: Place = { keys: [...keys], ancestors: [], promoteBuffers, identities };
  for (const key of keys) if (typeof key === 'string') checkKey(key, place);
  return convert(value, base, place);
}

/** A document's bytes in memory of their own: the bson package gives slices of a shared pool. */
export function encodeDocument(exact: object): Uint8Array {
  if (exact instanceof EncodedDocument) return exact.bytes;
  const bytes = BSON.serialize(exact, { ignoreUndefined: true });
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

/** A document that nobody changes any more, encoded when somebody asks for its bytes. */
export class LateBytes {
  #document: object | null;
  #bytes: Uint8Array | null = null;

  constructor(document: object) {
    this.#document = document;
  }

  get bytes(): Uint8Array {
    if (this.#document !== null) {
      this.#bytes = encodeDocument(this.#document);
      this.#document = null;
    }
    return this.#bytes as Uint8Array;
  }
}

/** One element of a document: its type byte, name and value. */
export function encodeField(name: string, exact: unknown): Uint8Array {
  return BSON.serialize({ [name]: exact }, { ignoreUndefined: true }).subarray(4, -1);
}

/** An own member of an object or a Map, `ABSENT` where there is none. */
export function memberOf(container: unknown, key: string): unknown {
  if (isPlainObject(container)) return Object.hasOwn(container, key) ? container[key] : ABSENT;
  return container instanceof Map && container.has(key) ? container.get(key) : ABSENT;
}

function convert(value: unknown, base: unknown, place: Place): unknown {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return value;
    case 'number':
      return convertNumber(value, base);
    case 'string':
      return preferStored(checkText(value, place), base);
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) refuse(place, 'a bigint beyond 64 bits');
      return preferStored(value, base);
    case 'object':
      return value === null ? null : convertObject(value, base, place);
    default:
      return refuse(place, `a ${typeof value}`);
  }
}

/** The original where it equals the value: it has the exact type. */
function preferStored(value: unknown, base: unknown): unknown {
  if (typeof value === 'string' && typeof base === 'string') return value;
  return base !== ABSENT && base !== undefined && equalValues(value, base) ? base : value;
}

function convertNumber(value: number, base: unknown): unknown {
  if (base instanceof BSON.Int32) return Object.is(base.value, value) ? base : value;
  if (base instanceof BSON.Double) return Object.is(base.value, value) ? base : new BSON.Double(value);
  const isLong = base instanceof BSON.Long && Number.isSafeInteger(value) && !Object.is(value, -0);
  return preferStored(isLong ? BSON.Long.fromNumber(value) : value, base);
}

function convertObject(value: object, base: unknown, place: Place): unknown {
  if (hasToBson(value)) return convertToBson(value.toBSON(), base, place);
  if (Array.isArray(value)) return convertArray(value, base, place);
  if (isPlainObject(value)) return convertPlain(value, base, place);
  if ('_bsontype' in value) return preferStored(convertBson(value, base, place), base);
  if (value instanceof Date) return preferStored(copyValue(checkDate(value, place)), base);
  if (value instanceof RegExp) return preferStored(checkRegExp(value, place), base);
  if (value instanceof Uint8Array) return preferStored(copyBytes(value, base, place), base);
  if (value instanceof Map) return convertMap(value, base, place);
  const { [unstorable]: reason } = value as { [unstorable]?: string };
  return refuse(place, reason ?? `an instance of ${className(value)} without toBSON()`);
}

function className(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  return typeof constructor === 'function' ? constructor.name : 'a class';
}

function convertToBson(value: unknown, base: unknown, place: Place): unknown {
  const again = typeof value === 'object' && value !== null && hasToBson(value);
  return again ? refuse(place, 'its toBSON() returns an object with toBSON()') : convert(value, base, place);
}

function copyBytes(value: Uint8Array, base: unknown, { promoteBuffers }: Place): unknown {
  const bytes = copyValue(value);
  return promoteBuffers && base instanceof BSON.Binary ? new BSON.Binary(bytes, base.sub_type) : bytes;
}

function enter(container: object, place: Place): void {
  if (place.ancestors.includes(container)) refuse(place, 'an object that contains itself');
  if (place.keys.length >= MAX_DEPTH) refuse(place, `more than ${MAX_DEPTH} levels of objects and arrays`);
  place.ancestors.push(container);
}

function convertAt(key: string | number, value: unknown, base: unknown, place: Place): unknown {
  const { identities } = place;
  place.keys.push(key);
  place.identities = identities?.at(key);
  const result = convert(value, base, place);
  place.keys.pop();
  place.identities = identities;
  return result;
}

function convertPlain(value: Record<string, unknown>, base: unknown, place: Place): unknown {
  enter(value, place);
  const result = {};
  let kept = 0;
  const original = isPlainObject(base) ? base : null;
  let unchanged = original !== null;
  for (const key of Object.keys(value)) {
    const stored = original !== null && Object.hasOwn(original, key) ? original[key] : ABSENT;
    if (stored === ABSENT && isShownDefault(value, key, value[key])) continue;
    const converted = convertAt(checkKey(key, place), value[key], stored, place);
    if (converted === undefined) continue;
    kept += 1;
    unchanged &&= Object.is(stored, converted);
    setOwn(result, key, converted);
  }
  place.ancestors.pop();
  return unchanged && Object.keys(original as object).length === kept ? original : result;
}

function convertMap(value: ReadonlyMap<unknown, unknown>, base: unknown, place: Place): Map<string, unknown> {
  enter(value, place);
  const result = new Map<string, unknown>();
  for (const [key, member] of value) {
    if (typeof key !== 'string') return refuse(place, 'a Map with a key that is no string');
    const converted = convertAt(checkKey(key, place), member, memberOf(base, key), place);
    if (converted !== undefined) result.set(key, converted);
  }
  place.ancestors.pop();
  return result;
}

function convertArray(value: readonly unknown[], base: unknown, place: Place): unknown {
  enter(value, place);
  const stored: readonly unknown[] = Array.isArray(base) ? base : [];
  // New elements have no originals to be paired with.
  const origins = stored.length === 0 ? undefined : pairElements(value, stored, place.identities)?.origins;
  const result: unknown[] = [];
  for (let i = 0; i < value.length; i += 1) {
    const origin = origins === undefined ? i : (origins[i] as number);
    const original = origin >= 0 && origin < stored.length ? stored[origin] : ABSENT;
    result.push(convertAt(i, value[i], original, place) ?? null);
  }
  place.ancestors.pop();
  if (stored.length === 0) return result.length === 0 && Array.isArray(base) ? base : result;
  const isStored = (element: unknown, i: number) => Object.is(element, stored[i]);
  if (stored.length === result.length && result.every(isStored)) return base;
  if (origins !== undefined) return result;
  const moved = (element: unknown, i: number) => !isStored(element, i);
  const missing = stored.filter((element, i) => !Object.is(element, result[i]));
  // Elsewhere in the array a value may have been given a type that is not its own, or lost its own.
  if (![...missing, ...result.filter(moved)].some(losesType)) return result;
  return restoreMoved(value, result, stored, missing, place.promoteBuffers);
}

/** True for a value whose stored type does not follow from the program's value, and for one that holds such a value. */
function losesType(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof BSON.Double) return Number.isInteger(value.value);
  if (value instanceof BSON.Long || value instanceof BSON.BSONSymbol) return true;
  if (value instanceof BSON.Binary) return value.sub_type !== BSON.Binary.SUBTYPE_DEFAULT;
  if (Array.isArray(value)) return value.some(losesType);
  if (value instanceof Map) return [...value.values()].some(losesType);
  return isPlainObject(value) && Object.values(value).some(losesType);
}

/**
 * An element that is not in its old place was converted next to another's original, which says nothing about its types.
 * Its own original is among the missing; sketches find it without comparing all with all.
 */
function restoreMoved(
  value: readonly unknown[],
  result: readonly unknown[],
  stored: readonly unknown[],
  missing: readonly unknown[],
  promoteBuffers: boolean,
): unknown[] {
  const bySketch = new Map<string, unknown[]>();
  for (const element of missing) {
    const key = sketch(element);
    const alike = bySketch.get(key);
    if (alike === undefined) bySketch.set(key, [element]);
    else alike.push(element);
  }
  return result.map((element, i) => {
    if (Object.is(element, stored[i])) return element;
    const alike = bySketch.get(sketch(element)) ?? [];
    return alike.find((candidate) => equalStoredForms(toStored(value[i]), candidate, promoteBuffers)) ?? element;
  });
}

/** A text that equal values share, whatever their number types and the order of their keys. Few others share it. */
function sketch(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    const primitive = (value ?? null) as Primitive;
    return String(primitive);
  }
  if (Array.isArray(value)) return `[${Array.from(value, sketch).join()}]`;
  if (value instanceof Map) return sketchMembers([...value]);
  if (isPlainObject(value)) return sketchMembers(Object.entries(value));
  if (value instanceof BSON.Int32 || value instanceof BSON.Double || value instanceof BSON.Long)
    return String(Number(value));
  if (value instanceof BSON.Binary) return sketchBytes(value.value());
  if (value instanceof Uint8Array) return sketchBytes(value);
  if (value instanceof Date) return String(value.getTime());
  if (value instanceof BSON.BSONSymbol) return value.value;
  return value instanceof BSON.ObjectId || value instanceof BSON.Decimal128 ? value.toString() : '';
}

function sketchMembers(entries: readonly (readonly [unknown, unknown])[]): string {
  const present = entries.filter(([, member]) => member !== undefined);
  const members = present.map(([key, member]) => `${String(key)}:${sketch(member)}`);
  return `{${members.sort().join()}}`;
}

function sketchBytes(bytes: Uint8Array): string {
  return `${bytes.length}:${bytes.subarray(0, 16).join()}`;
}

function convertBson(value: object, base: unknown, place: Place): unknown {
  const type = (value as { _bsontype?: unknown })._bsontype;
  if (!WRITABLE_TAGS.has(type)) refuse(place, `a value of the unknown BSON type "${String(type)}"`);
  if (versionOf(value) !== OWN_VERSION)
    refuse(place, `an object of BSON type ${String(type)} from another version of the bson package`);
  switch (type) {
    case 'Binary':
      return copyValue(checkBinary(value as BSON.Binary, place));
    case 'BSONSymbol':
      checkText((value as BSON.BSONSymbol).value, place);
      return copyValue(value);
    case 'Long':
      return copyValue(checkLong(value as BSON.Long, place));
    case 'Code':
      return convertCode(value as BSON.Code, base, place);
    case 'DBRef':
      return convertReference(value as BSON.DBRef, base, place);
    default:
      return copyValue(value);
  }
}

function versionOf(value: object): unknown {
  return (value as { [VERSION]?: unknown })[VERSION];
}

function convertCode(value: BSON.Code, base: unknown, place: Place): BSON.Code {
  const stored = base instanceof BSON.Code ? base.scope : ABSENT;
  const scope = convertAt('scope', value.scope, stored, place);
  return new BSON.Code(checkText(value.code, place), scope as BSON.Document | null);
}

function convertReference(value: BSON.DBRef, base: unknown, place: Place): BSON.DBRef {
  const stored = base instanceof BSON.DBRef ? base : undefined;
  const id = convertAt('$id', value.oid, stored?.oid ?? ABSENT, place);
  const fields = convertPlain(value.fields, stored?.fields, place);
  const db = value.db === undefined ? undefined : checkText(value.db, place);
  return new BSON.DBRef(checkText(value.collection, place), id as BSON.ObjectId, db, fields as BSON.Document);
}

function checkText(text: string, place: Place): string {
  // case: the bson package writes half of a surrogate pair as U+FFFD
  return text.isWellFormed() ? text : refuse(place, 'a string with a lone surrogate');
}

function checkKey(key: string, place: Place): string {
  if (key === '_bsontype') refuse(place, 'an object with a key "_bsontype"');
  if (key.includes('\0')) refuse(place, 'a key with a zero byte');
  return key.isWellFormed() ? key : refuse(place, 'a key with a lone surrogate');
}

function checkDate(date: Date, place: Place): Date {
  // case: the bson package writes an invalid date as 1970
  return Number.isNaN(date.getTime()) ? refuse(place, 'an invalid Date') : date;
}

function checkRegExp(value: RegExp, place: Place): RegExp {
  const foreign = value.flags.replace(/[gim]/g, '');
  if (foreign !== '') refuse(place, `a RegExp with the flag "${foreign}", which MongoDB does not have`);
  if (value.source.includes('\0')) refuse(place, 'a RegExp with a zero byte');
  checkText(value.source, place);
  return value;
}

function checkLong(value: BSON.Long, place: Place): BSON.Long {
  // case: an unsigned Long from 2^63 on would be stored as a negative one
  return value.unsigned && value.high < 0 ? refuse(place, 'a Long beyond 64 signed bits') : value;
}

function checkBinary(value: BSON.Binary, place: Place): BSON.Binary {
  if (value.sub_type !== BSON.Binary.SUBTYPE_VECTOR) return value;
  try {
    encodeField('', value);
    return value;
  } catch (error) {
    return refuse(place, 'a Binary that is no valid vector', error);
  }
}

function refuse(place: Place, problem: string, cause?: unknown): never {
  throw new EncodeError([...place.keys], problem, { cause });
}
