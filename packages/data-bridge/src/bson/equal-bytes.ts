import { isPlainObject } from './plain-object.ts';
import { type Code, ObjectId } from 'mongodb';
import {
  binaryEnd,
  binaryFrom,
  corrupt,
  fixedEnd,
  float64,
  int32,
  maxDepth,
  milliseconds,
  nameEnd,
  stringEnd,
  terminator,
  valueEnd,
} from './bytes.ts';
import { decodeExactValue } from './decode.ts';
import { equalBytes, equalDouble, equalId, equalInt, equalLong, equalText } from './equal-scalars.ts';
import type { Layout } from './layout.ts';
import type { Field, Level } from './level.ts';
import { isBson, isDate, isMap, isUint8Array, toStored } from './bson-classes.ts';
import { equalStoredForms, isShownDefault } from './equal-values.ts';
import { isAscii, latin1, maxText, utf8 } from './text.ts';
import * as types from './types.ts';

/** What stays the same while one element is compared. It is passed along, not kept in the module: the program's code may run meanwhile (`toBSON`, getters). */
interface Stored {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** The bytes from `textFrom` on as characters: strings are compared with substrings of it, which V8 does fastest. */
  readonly text: string;
  readonly textFrom: number;
  /** True where binary values of all subtypes were decoded as Buffers. */
  readonly anySubtype: boolean;
  depth: number;
}

/** Stands for the end of a value that is not equal. */
const unequal = -1;

/**
 * True where the stored element at `at` (its type byte) equals this live value, by BSON's equality. Walks both side by
 * side and decodes nothing but the rarest types.
 *
 * A number equals an int32, double or int64 of its value, and so does a bigint. NaN equals NaN, 0 is not -0. BSON
 * classes equal their own type. The order of keys does not count. `undefined` is absent in a document, null in an array.
 *
 * @throws CorruptBsonError for malformed bytes.
 */
export function elementEqualsValue(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
  at: number,
  value: unknown,
  known?: Field,
): boolean {
  const limit = terminator(bytes, start, start, bytes.length);
  const type = bytes[at] as number;
  const from = known === undefined ? nameEnd(bytes, start, at + 1, limit) + 1 : at + 2 + known.bytes.length;
  // The most common case is answered first.
  if (typeof value === 'number' && (type === types.INT32 || type === types.DOUBLE)) {
    fixedEnd(start, from, type === types.INT32 ? 4 : 8, limit);
    return Object.is(type === types.INT32 ? int32(bytes, from) : float64(bytes, from), value);
  }
  const { promoteBuffers, promoteValues } = layout.options;
  const nested = type === types.DOCUMENT || type === types.ARRAY;
  const stored = {
    bytes,
    start,
    text: nested ? textOf(bytes, from, valueEnd(bytes, start, type, from, limit)) : '',
    textFrom: from,
    anySubtype: promoteBuffers && promoteValues,
    depth: 1,
  };
  const isKnown = known !== undefined && known.index >= 0;
  const field = isKnown ? known : nested ? layout.top.known(bytes, start, at + 1, limit) : layout.top.unknown;
  return equalEnd(stored, type, from, limit, field, toStored(value)) !== unequal;
}

/**
 * The end of the stored value at `at` if it is equal, else `unequal`.
 *
 * @param limit the terminator of the document around it.
 * @param field of the value, or of the array around it.
 * @param value after `toStored`.
 */
function equalEnd(stored: Stored, type: number, at: number, limit: number, field: Field, value: unknown): number {
  const { bytes, start } = stored;
  switch (type) {
    case types.DOUBLE: {
      const end = fixedEnd(start, at, 8, limit);
      return equalDouble(float64(bytes, at), value) ? end : unequal;
    }
    case types.STRING:
    case types.SYMBOL: {
      const end = stringEnd(bytes, start, at, limit);
      return equalString(stored, at + 4, end, isBson(value, 'BSONSymbol') ? value.value : value) ? end + 1 : unequal;
    }
    case types.DOCUMENT:
    case types.ARRAY: {
      const last = terminator(bytes, start, at, limit);
      return isNestedEqual(stored, type, at, last, field, value) ? last + 1 : unequal;
    }
    case types.BINARY: {
      const end = binaryEnd(bytes, start, at, limit);
      return equalBinary(stored, at, end, value) ? end : unequal;
    }
    case types.OBJECT_ID: {
      const end = fixedEnd(start, at, 12, limit);
      return isId(value) && equalId(bytes, at, value) ? end : unequal;
    }
    case types.BOOLEAN: {
      const end = fixedEnd(start, at, 1, limit);
      return value === (bytes[at] === 1) ? end : unequal;
    }
    case types.DATE: {
      const end = fixedEnd(start, at, 8, limit);
      return isDate(value) && Object.is(value.getTime(), milliseconds(bytes, at)) ? end : unequal;
    }
    case types.NULL:
      return value === null ? at : unequal;
    case types.INT32: {
      const end = fixedEnd(start, at, 4, limit);
      return equalInt(int32(bytes, at), value) ? end : unequal;
    }
    case types.INT64: {
      const end = fixedEnd(start, at, 8, limit);
      return equalLong(int32(bytes, at), int32(bytes, at + 4), value) ? end : unequal;
    }
    default: {
      const end = valueEnd(bytes, start, type, at, limit);
      return equalRare(stored, type, at, end, field, value) ? end : unequal;
    }
  }
}

/** @param end of the value at `at`, inside the document. */
function equalRare(stored: Stored, type: number, at: number, end: number, field: Field, value: unknown): boolean {
  const { bytes, start } = stored;
  switch (type) {
    case types.UNDEFINED:
      return value === undefined;
    case types.REGEX:
    case types.DB_POINTER:
      return equalStoredForms(value, decodeExactValue(bytes, start, type, at, end), stored.anySubtype);
    case types.CODE:
      return isBson(value, 'Code') && value.scope === null && equalString(stored, at + 4, end - 1, value.code);
    case types.CODE_WITH_SCOPE:
      return isBson(value, 'Code') && equalCode(stored, at, end, field, value);
    case types.TIMESTAMP:
      return isBson(value, 'Timestamp') && int32(bytes, at) === value.low && int32(bytes, at + 4) === value.high;
    case types.DECIMAL128:
      return isBson(value, 'Decimal128') && equalBytes(bytes, at, end, value.bytes, 16);
    case types.MAX_KEY:
      return isBson(value, 'MaxKey');
    default:
      return isBson(value, 'MinKey');
  }
}

/** @param last the terminator of the document, array or scope at `at`. */
function isNestedEqual(stored: Stored, type: number, at: number, last: number, field: Field, value: unknown): boolean {
  if (stored.depth++ === maxDepth) corrupt(`documents are nested more than ${maxDepth} deep`, stored.start, at);
  const equal =
    type === types.ARRAY ? equalArray(stored, at, last, field, value) : equalDocument(stored, at, last, field, value);
  stored.depth--;
  return equal;
}

/** Code with a scope. */
function equalCode(stored: Stored, at: number, end: number, field: Field, { code, scope }: Code): boolean {
  const codeEnd = stringEnd(stored.bytes, stored.start, at + 4, end);
  return (
    equalString(stored, at + 8, codeEnd, code) &&
    (isPlainObject(scope) || isMap(scope)) &&
    isNestedEqual(stored, types.DOCUMENT, codeEnd + 1, end - 1, field, scope)
  );
}

/** The bytes as characters; of few or very many, none. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  const size = to - from;
  return size < minText || size > maxText ? '' : latin1(bytes, from, to);
}

function equalString({ bytes, start, text, textFrom }: Stored, from: number, to: number, value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (text === '' || value.length !== to - from) return equalText(bytes, start, from, to, value);
  return text.substring(from - textFrom, to - textFrom) === value && isAscii(bytes, from, to);
}

/** It pays to make a text of a value of this size. */
const minText = 512;
/** Most ids are of the copy of the bson package that the driver uses, which is seen at once. */
function isId(value: unknown): value is ObjectId {
  return value instanceof ObjectId || isBson(value, 'ObjectId');
}

function equalBinary(stored: Stored, from: number, end: number, value: unknown): boolean {
  const { bytes } = stored;
  const subtype = bytes[from + 4];
  const data = binaryFrom(bytes, from);
  if (isBson(value, 'Binary')) {
    return value.sub_type === subtype && equalBytes(bytes, data, end, value.buffer, value.position);
  }
  return (
    isUint8Array(value) && (subtype === 0 || stored.anySubtype) && equalBytes(bytes, data, end, value, value.length)
  );
}

function equalArray(stored: Stored, from: number, last: number, field: Field, value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const { bytes, start } = stored;
  let at = from + 4;
  let index = 0;
  while (at < last) {
    if (index === value.length) return false;
    const type = bytes[at] as number;
    const live = toStored(value[index++]) ?? null;
    const element = nameEnd(bytes, start, at + 1, last) + 1;
    // A stored undefined is a null here.
    at = equalEnd(stored, type === types.UNDEFINED ? types.NULL : type, element, last, field, live);
    if (at === unequal) return false;
  }
  return index === value.length;
}

function equalDocument(stored: Stored, from: number, last: number, field: Field, value: unknown): boolean {
  if (isPlainObject(value) || isMap(value)) return equalMembers(stored, from, last, field.level, value);
  if (!isBson(value, 'DBRef')) return false;
  return equalStoredForms(
    value,
    decodeExactValue(stored.bytes, stored.start, types.DOCUMENT, from, last + 1),
    stored.anySubtype,
  );
}

// V8 knows that this holds for the keys of a for-in loop; for Object.hasOwn it looks every time.
const { hasOwnProperty } = Object.prototype;

type Members = Record<string, unknown> | Map<unknown, unknown>;

/**
 * Compares in the order of the live keys as long as that is the stored one; from the first difference on, by name. No
 * stored element is compared twice, so the time is linear even for hostile documents: with one name several times, of
 * which the last counts, in others that have the same.
 */
function equalMembers(stored: Stored, from: number, last: number, level: Level, value: Members): boolean {
  if (isMap(value)) return equalByName(stored, from + 4, last, level, value, 0);
  const { bytes, start } = stored;
  let at = from + 4;
  let passed = 0;
  let expected = level.first;
  for (const key in value) {
    if (!hasOwnProperty.call(value, key)) continue;
    const live = toStored(value[key]);
    const field = at < last ? fieldAt(stored, at, last, level, expected) : null;
    const element = field === null ? unequal : elementNamed(stored, at, last, field, key);
    if (field !== null && element !== unequal) {
      const type = bytes[at] as number;
      const next = equalEnd(stored, type, element, last, field, live);
      if (next === unequal) {
        const rest = valueEnd(bytes, start, type, element, last);
        return isNamed(stored, rest, last, key) && equalByName(stored, rest, last, level, value, passed);
      }
      at = next;
      expected = field.next;
    } else if (live !== undefined && (field !== null || !isShownDefault(value, key, value[key]))) {
      return equalByName(stored, at, last, level, value, passed);
    }
    passed++;
  }
  return at === last || equalByName(stored, at, last, level, value, passed);
}

/** The field of the element at `at`. */
function fieldAt({ bytes, start }: Stored, at: number, last: number, level: Level, expected: Field | null): Field {
  if (expected !== null && expected.isAt(bytes, at + 1, last)) return expected;
  return level.known(bytes, start, at + 1, last);
}

/** The offset of the value of the element at `at`, a `field`, if its name is `key`; else `unequal`. */
function elementNamed(stored: Stored, at: number, last: number, field: Field, key: string): number {
  if (field.index >= 0) return field.name === key ? at + 2 + field.bytes.length : unequal;
  const end = nameEnd(stored.bytes, stored.start, at + 1, last);
  return equalString(stored, at + 1, end, key) ? end + 1 : unequal;
}

function isNamed(stored: Stored, from: number, last: number, name: string): boolean {
  const { bytes, start } = stored;
  for (let at = from; at < last;) {
    const end = nameEnd(bytes, start, at + 1, last);
    if (equalString(stored, at + 1, end, name)) return true;
    at = valueEnd(bytes, start, bytes[at] as number, end + 1, last);
  }
  return false;
}

/**
 * Compares the stored elements from `from` on with the members of those names.
 *
 * @param passed how many of the live keys are equal to elements before `from`.
 */
function equalByName(
  stored: Stored,
  from: number,
  last: number,
  level: Level,
  value: Members,
  passed: number,
): boolean {
  const { bytes, start } = stored;
  const elements = elementsByName(stored, from, last);
  let index = 0;
  for (const [key, live] of isMap(value) ? value : Object.entries(value)) {
    if (typeof key !== 'string') return false;
    const at = elements.get(key);
    if (at === undefined) {
      if (index >= passed && toStored(live) !== undefined && !isShownDefault(value, key, live)) return false;
    } else {
      const element = nameEnd(bytes, start, at + 1, last) + 1;
      const field = level.known(bytes, start, at + 1, last);
      if (equalEnd(stored, bytes[at] as number, element, last, field, toStored(live)) === unequal) return false;
      elements.delete(key);
    }
    index++;
  }
  for (const at of elements.values()) if (bytes[at] !== types.UNDEFINED) return false;
  return true;
}

/** The offsets of the last elements of each name. */
function elementsByName({ bytes, start }: Stored, from: number, last: number): Map<string, number> {
  const elements = new Map<string, number>();
  for (let at = from; at < last;) {
    const end = nameEnd(bytes, start, at + 1, last);
    elements.set(utf8(bytes, start, at + 1, end), at);
    at = valueEnd(bytes, start, bytes[at] as number, end + 1, last);
  }
  return elements;
}
