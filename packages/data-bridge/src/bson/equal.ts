import type { ObjectId } from 'mongodb';
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
  scopeTerminator,
  stringEnd,
  terminator,
  unknownType,
  valueEnd,
} from './bytes.ts';
import { decodeExactValue } from './decode.ts';
import type { Layout } from './layout.ts';
import { isBson, isDate, isMap, isPlain, isUint8Array, toStored } from './live.ts';
import { same } from './same.ts';
import { equalText, utf8 } from './text.ts';

/** What stays the same while one element is compared. The program's code may run meanwhile (`toBSON`, getters). */
interface Stored {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** Were binary values of all subtypes decoded as Buffers? */
  readonly anySubtype: boolean;
}

/**
 * Does the stored element at `at` (its type byte) equal this live value, by BSON's equality? Walks both side by side and
 * decodes nothing but the rarest types.
 *
 * A number equals an int32, double or int64 of its value, a bigint an int32 or int64. NaN equals NaN, 0 is not -0. BSON
 * classes equal their own type. The order of keys does not count. `undefined` is absent in a document, null in an array.
 *
 * @throws CorruptBsonError for malformed bytes.
 */
export function equalElement(layout: Layout, bytes: Uint8Array, start: number, at: number, value: unknown): boolean {
  const limit = terminator(bytes, start, start, bytes.length);
  const from = nameEnd(bytes, start, at + 1, limit) + 1;
  const { promoteBuffers, promoteValues } = layout.options;
  return equalStored(
    { bytes, start, anySubtype: promoteBuffers && promoteValues },
    at,
    from,
    limit,
    toStored(value),
    1,
  );
}

/** The same equality between two JavaScript values, each as the program has it or of BSON classes. */
export function equalValues(a: unknown, b: unknown): boolean {
  return same(toStored(a), toStored(b), false);
}

/**
 * @param from the offset of the value of the element at `at`.
 * @param value after `toStored`.
 */
function equalStored(stored: Stored, at: number, from: number, limit: number, value: unknown, depth: number): boolean {
  const { bytes, start } = stored;
  const type = bytes[at] as number;
  switch (type) {
    case 0x01:
      fixedEnd(start, from, 8, limit);
      return equalDouble(float64(bytes, from), value);
    case 0x02:
    case 0x0e: {
      const end = stringEnd(bytes, start, from, limit);
      const text = isBson(value, 'BSONSymbol') ? value.value : value;
      return typeof text === 'string' && equalText(bytes, from + 4, end, text);
    }
    case 0x03:
      return equalDocument(stored, at, from, limit, value, depth + 1);
    case 0x04:
      return Array.isArray(value) && equalArray(stored, from, limit, value, depth + 1);
    case 0x05:
      return equalBinary(stored, from, binaryEnd(bytes, start, from, limit), value);
    case 0x06:
      return value === undefined;
    case 0x07:
      fixedEnd(start, from, 12, limit);
      return isBson(value, 'ObjectId') && equalId(bytes, from, value);
    case 0x08:
      fixedEnd(start, from, 1, limit);
      return value === (bytes[from] === 1);
    case 0x09:
      fixedEnd(start, from, 8, limit);
      return isDate(value) && Object.is(value.getTime(), milliseconds(bytes, from));
    case 0x0a:
      return value === null;
    case 0x10:
      fixedEnd(start, from, 4, limit);
      return equalInt(int32(bytes, from), value);
    case 0x12:
      fixedEnd(start, from, 8, limit);
      return equalLong(int32(bytes, from), int32(bytes, from + 4), value);
    default:
      return equalRare(stored, type, from, limit, value, depth);
  }
}

function equalRare(stored: Stored, type: number, from: number, limit: number, value: unknown, depth: number): boolean {
  const { bytes, start } = stored;
  switch (type) {
    case 0x0b: // regular expression
    case 0x0c: // DBPointer
      return same(value, decodeExactValue(bytes, start, type, from, limit), stored.anySubtype);
    case 0x0d: {
      const end = stringEnd(bytes, start, from, limit);
      return isBson(value, 'Code') && value.scope === null && equalText(bytes, from + 4, end, value.code);
    }
    case 0x0f: {
      const last = scopeTerminator(bytes, start, from, limit);
      const end = stringEnd(bytes, start, from + 4, last);
      if (!isBson(value, 'Code') || !equalText(bytes, from + 8, end, value.code)) return false;
      return (
        (isPlain(value.scope) || isMap(value.scope)) && equalMembers(stored, end + 1, last, value.scope, depth + 1)
      );
    }
    case 0x11:
      fixedEnd(start, from, 8, limit);
      return isBson(value, 'Timestamp') && equalBits(bytes, from, value);
    case 0x13:
      fixedEnd(start, from, 16, limit);
      return isBson(value, 'Decimal128') && equalBytes(bytes, from, from + 16, value.bytes, 16);
    case 0x7f:
      return isBson(value, 'MaxKey');
    case 0xff:
      return isBson(value, 'MinKey');
    default:
      return unknownType(start, type, from);
  }
}

function equalInt(int: number, value: unknown): boolean {
  if (typeof value === 'number') return Object.is(value, int);
  if (typeof value === 'bigint') return value === BigInt(int);
  return isBson(value, 'Int32') && value.value === int;
}

function equalDouble(double: number, value: unknown): boolean {
  if (typeof value === 'number') return Object.is(value, double);
  return isBson(value, 'Double') && Object.is(value.value, double);
}

function equalLong(low: number, high: number, value: unknown): boolean {
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return false;
    // Exact, since it only moves the exponent.
    const upper = Math.floor(value / 0x1_0000_0000);
    return upper === high && value - upper * 0x1_0000_0000 === low >>> 0;
  }
  if (typeof value === 'bigint') return value === ((BigInt(high) << 32n) | BigInt(low >>> 0));
  return isBson(value, 'Long') && value.low === low && value.high === high;
}

function equalBits(bytes: Uint8Array, at: number, value: { low: number; high: number }): boolean {
  return int32(bytes, at) === value.low && int32(bytes, at + 4) === value.high;
}

/** How bson 7 keeps the bytes of an ObjectId, three in each. Its public `id` makes a new buffer at every call. */
interface PackedId {
  readonly i0?: number;
  readonly i1?: number;
  readonly i2?: number;
  readonly i3?: number;
}

function equalId(bytes: Uint8Array, at: number, value: ObjectId): boolean {
  const { i0, i1, i2, i3 } = value as unknown as PackedId;
  if (i0 === undefined) return equalBytes(bytes, at, at + 12, value.id, 12);
  return (
    i0 === uint24(bytes, at) &&
    i1 === uint24(bytes, at + 3) &&
    i2 === uint24(bytes, at + 6) &&
    i3 === uint24(bytes, at + 9)
  );
}

function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
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

function equalBytes(bytes: Uint8Array, from: number, to: number, value: Uint8Array, length: number): boolean {
  if (length !== to - from) return false;
  for (let i = 0; i < length; i++) if (bytes[from + i] !== value[i]) return false;
  return true;
}

function equalArray(stored: Stored, from: number, limit: number, value: unknown[], depth: number): boolean {
  const { bytes, start } = stored;
  const last = open(stored, from, limit, depth);
  let at = from + 4;
  let index = 0;
  while (at < last) {
    const element = nameEnd(bytes, start, at + 1, last) + 1;
    const end = valueEnd(bytes, start, bytes[at] as number, element, last);
    if (index === value.length) return false;
    const live = toStored(value[index++]);
    const equal = isNullish(bytes[at]) && (live ?? null) === null;
    if (!equal && !equalStored(stored, at, element, last, live, depth)) return false;
    at = end;
  }
  return index === value.length;
}

function isNullish(type: number | undefined): boolean {
  return type === 0x0a || type === 0x06;
}

/** The terminator of the document or array at `from`. */
function open({ bytes, start }: Stored, from: number, limit: number, depth: number): number {
  if (depth > maxDepth) corrupt(`documents are nested more than ${maxDepth} deep`, start, from);
  return terminator(bytes, start, from, limit);
}

function equalDocument(
  stored: Stored,
  at: number,
  from: number,
  limit: number,
  value: unknown,
  depth: number,
): boolean {
  const last = open(stored, from, limit, depth);
  if (isPlain(value) || isMap(value)) return equalMembers(stored, from, last, value, depth);
  if (!isBson(value, 'DBRef')) return false;
  return same(value, decodeExactValue(stored.bytes, stored.start, 0x03, from, limit), stored.anySubtype);
}

type Members = Record<string, unknown> | Map<unknown, unknown>;

/**
 * Compares in the order of the live keys as long as that is the stored one; from the first difference on, by name. No
 * stored element is compared twice, so the time is linear even for hostile documents: with one name several times, of
 * which the last counts, in others that have the same.
 */
function equalMembers(stored: Stored, from: number, last: number, value: Members, depth: number): boolean {
  if (isMap(value)) return equalByName(stored, from + 4, last, value, 0, depth);
  const { bytes, start } = stored;
  let at = from + 4;
  let passed = 0;
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    const live = toStored(value[key]);
    const end = at < last ? nameEnd(bytes, start, at + 1, last) : at;
    if (at < last && equalText(bytes, at + 1, end, key)) {
      const next = valueEnd(bytes, start, bytes[at] as number, end + 1, last);
      if (!equalStored(stored, at, end + 1, last, live, depth)) {
        return isNamed(stored, next, last, key) && equalByName(stored, next, last, value, passed, depth);
      }
      at = next;
    } else if (live !== undefined) {
      return equalByName(stored, at, last, value, passed, depth);
    }
    passed++;
  }
  return at === last || equalByName(stored, at, last, value, passed, depth);
}

function isNamed({ bytes, start }: Stored, from: number, last: number, name: string): boolean {
  for (let at = from; at < last;) {
    const end = nameEnd(bytes, start, at + 1, last);
    if (equalText(bytes, at + 1, end, name)) return true;
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
  value: Members,
  passed: number,
  depth: number,
): boolean {
  const { bytes, start } = stored;
  const elements = elementsByName(stored, from, last);
  let index = 0;
  for (const [key, live] of isMap(value) ? value : Object.entries(value)) {
    if (typeof key !== 'string') return false;
    const at = elements.get(key);
    if (at === undefined) {
      if (index >= passed && toStored(live) !== undefined) return false;
    } else {
      const element = nameEnd(bytes, start, at + 1, last) + 1;
      if (!equalStored(stored, at, element, last, toStored(live), depth)) return false;
      elements.delete(key);
    }
    index++;
  }
  for (const at of elements.values()) if (bytes[at] !== 0x06) return false;
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
