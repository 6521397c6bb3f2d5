import {
  Binary,
  BSON,
  type BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  Timestamp,
} from 'mongodb';
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
import type { BsonOptions, Layout } from './layout.ts';
import type { Field, Level } from './level.ts';
import { copyBytes, objectIdAt, toBsonRegExp, toReference, toRegExp } from './construct.ts';
import { setOwn } from './plain-object.ts';
import type { SharedTexts } from './shared-texts.ts';
import { flat, isAscii, latin1, maxText, utf8 } from './text.ts';
import * as types from './types.ts';

/*
 * Whole documents, and values, out of their bytes: one walk over the elements. Its state is the module's: nothing that runs
 * meanwhile is the program's, so there is only one walk at a time.
 */

/** The end of the value that was read last. */
let position = 0;
/** The start of the document, from which errors count their offsets. */
let origin = 0;
let options: Required<BsonOptions>;
/** The bytes from `textFrom` to `textTo` as characters, to take substrings of; empty until it is made. */
let text = '';
let textFrom = 0;
let textTo = 0;
/** How many more texts are made by themselves before `text` is made, which takes as long as several of them. */
let alone = 0;
/** The longest substring of `text` to hand out. */
let maxSubstring = 0;
/** The texts that documents share; null where each value has its own. */
let shared: SharedTexts | null = null;

/** V8 copies substrings of up to 12 characters. A longer one is a view, which would keep the text of the whole document alive. */
const maxCopied = 12;
/**
 * Of how many bytes, as a power of 2, a text is worth the making for one substring more. Most documents have few short texts
 * beside those that are shared.
 */
const bytesForEach = 7;
/** Longer strings are read faster by themselves than they are checked to be ASCII. */
const maxView = 96;

/**
 * The document at `start` as a plain object.
 *
 * @param isTransient whether its strings may keep a text of the document's size alive.
 */
export function readDocument(layout: Layout, bytes: Uint8Array, start: number, isTransient: boolean): unknown {
  const last = begin(layout, bytes, start, isTransient ? maxView : maxCopied);
  // What is dropped at once keeps no memory that sharing could save.
  if (isTransient) shared = null;
  try {
    return readMembers(bytes, start, last, layout.top, 1, false);
  } finally {
    text = '';
  }
}

/** Values of which none is known yet. */
const blank: undefined[] = [];

/** The values of the fields that the layout has learned, by their index; those of no other names. */
export function readFields(layout: Layout, bytes: Uint8Array, start: number): unknown[] {
  const last = begin(layout, bytes, start, maxCopied);
  const count = layout.top.fields.length;
  while (blank.length < count) blank.push(undefined);
  // A copy has no room to spare; an array that grows has.
  const values: unknown[] = blank.slice(0, count);
  try {
    let previous: Field | null = null;
    for (let here = start + 4; here < last; here = position) {
      const type = bytes[here++] as number;
      const field: Field | null = layout.top.fieldAt(bytes, start, here, last, previous);
      if (field === null) {
        position = valueEnd(bytes, start, type, nameEnd(bytes, start, here, last) + 1, last);
        continue;
      }
      values[field.index] = readValue(bytes, type, here + field.bytes.length + 1, last, field, 1);
      previous = field;
    }
    return values;
  } finally {
    text = '';
  }
}

/** The value of type `type` at `from`, in the element of `field` in the document at `start`. */
export function readElement(
  given: Required<BsonOptions>,
  texts: SharedTexts | null,
  field: Field,
  bytes: Uint8Array,
  start: number,
  type: number,
  from: number,
  limit: number,
): unknown {
  origin = start;
  options = given;
  shared = texts;
  maxSubstring = -1;
  if (type !== types.DOCUMENT && type !== types.ARRAY) return readValue(bytes, type, from, limit, field, 1);
  takeText(bytes, from, valueEnd(bytes, start, type, from, limit), maxCopied);
  try {
    return readValue(bytes, type, from, limit, field, 1);
  } finally {
    text = '';
  }
}

/** The terminator of the document at `start`. */
function begin(layout: Layout, bytes: Uint8Array, start: number, substrings: number): number {
  const last = terminator(bytes, start, start, bytes.length);
  origin = start;
  options = layout.options;
  shared = layout.texts;
  takeText(bytes, start, last, substrings);
  return last;
}

function takeText(bytes: Uint8Array, from: number, to: number, substrings: number): void {
  textTo = to;
  maxSubstring = to - from > maxText ? -1 : substrings;
  alone = substrings > maxCopied ? 0 : (to - from) >> bytesForEach;
}

function readObject(bytes: Uint8Array, at: number, limit: number, level: Level, depth: number): unknown {
  return readMembers(bytes, at, terminator(bytes, origin, at, limit), level, depth, true);
}

/** @param last the terminator of the document at `at`. */
function readMembers(
  bytes: Uint8Array,
  at: number,
  last: number,
  level: Level,
  depth: number,
  mayRefer: boolean,
): unknown {
  if (depth > maxDepth) corrupt(`documents are nested more than ${maxDepth} deep`, origin, at);
  const object = new level.Plain();
  let dollars = 0;
  let previous: Field | null = null;
  let here = at + 4;
  while (here < last) {
    const type = bytes[here++] as number;
    const field: Field | null = level.fieldAt(bytes, origin, here, last, previous);
    if (field === null) {
      const end = nameEnd(bytes, origin, here, last);
      const name = readName(bytes, here, end);
      if (name.startsWith('$')) dollars |= name === '$ref' || name === '$id' || name === '$db' ? 1 : 2;
      setOwn(object, name, readValue(bytes, type, end + 1, last, level.unknown, depth));
    } else {
      dollars |= field.dollar;
      const from = here + field.bytes.length + 1;
      let value: unknown;
      // Here, and not only in readValue, so that V8 compiles the loop and the commonest types as one: a twelfth faster.
      switch (type) {
        case types.DOUBLE:
          value = readDouble(bytes, from, last);
          break;
        case types.STRING:
          value = readString(bytes, from, last, field);
          break;
        case types.DOCUMENT:
          value = readObject(bytes, from, last, field.level, depth + 1);
          break;
        case types.ARRAY:
          value = readArray(bytes, from, last, field, depth + 1);
          break;
        case types.INT32:
          value = readInt(bytes, from, last);
          break;
        default:
          value = readValue(bytes, type, from, last, field, depth);
      }
      if (field.assignable) object[field.name] = value;
      else setOwn(object, field.name, value);
      previous = field;
    }
    here = position;
  }
  position = last + 1;
  return mayRefer && dollars === 1 ? toReference(object) : object;
}

function readArray(bytes: Uint8Array, at: number, limit: number, field: Field, depth: number): unknown[] {
  const last = terminator(bytes, origin, at, limit);
  if (depth > maxDepth) corrupt(`arrays are nested more than ${maxDepth} deep`, origin, at);
  const array: unknown[] = [];
  let here = at + 4;
  while (here < last) {
    const type = bytes[here++] as number;
    // The names are the indexes; every reader goes by the order.
    array.push(readValue(bytes, type, nameEnd(bytes, origin, here, last) + 1, last, field, depth));
    here = position;
  }
  position = last + 1;
  return array;
}

/** Reads the value at `at` and sets `position` to its end. `limit` is the terminator of the document around it. */
function readValue(bytes: Uint8Array, type: number, at: number, limit: number, field: Field, depth: number): unknown {
  switch (type) {
    case types.DOUBLE:
      return readDouble(bytes, at, limit);
    case types.STRING:
      return readString(bytes, at, limit, field);
    case types.DOCUMENT:
      return readObject(bytes, at, limit, field.level, depth + 1);
    case types.ARRAY:
      return readArray(bytes, at, limit, field, depth + 1);
    case types.BINARY:
      return readBinary(bytes, at, limit);
    case types.UNDEFINED:
      position = fixedEnd(origin, at, 0, limit);
      return undefined;
    case types.OBJECT_ID:
      position = fixedEnd(origin, at, 12, limit);
      return objectIdAt(bytes, at);
    case types.BOOLEAN:
      return readBoolean(bytes, at, limit);
    case types.DATE:
      position = fixedEnd(origin, at, 8, limit);
      return new Date(milliseconds(bytes, at));
    case types.NULL:
      position = fixedEnd(origin, at, 0, limit);
      return null;
    case types.INT32:
      return readInt(bytes, at, limit);
    case types.INT64:
      return readLong(bytes, at, limit);
    default:
      return readRare(bytes, type, at, limit, field, depth);
  }
}

function readRare(bytes: Uint8Array, type: number, at: number, limit: number, field: Field, depth: number): unknown {
  switch (type) {
    case types.REGEX:
      return readRegExp(bytes, at, limit);
    case types.DB_POINTER: {
      const namespace = readLone(bytes, at, limit);
      const id = position;
      position = fixedEnd(origin, id, 12, limit);
      return new DBRef(namespace, objectIdAt(bytes, id));
    }
    case types.CODE:
      return new Code(readLone(bytes, at, limit));
    case types.SYMBOL: {
      const value = readLone(bytes, at, limit);
      return options.promoteValues ? value : new BSONSymbol(value);
    }
    case types.CODE_WITH_SCOPE: {
      const last = scopeTerminator(bytes, origin, at, limit);
      const code = readLone(bytes, at + 4, limit);
      return new Code(code, readMembers(bytes, position, last, field.level, depth + 1, false) as BSON.Document);
    }
    case types.TIMESTAMP:
      position = fixedEnd(origin, at, 8, limit);
      return new Timestamp({ i: int32(bytes, at) >>> 0, t: int32(bytes, at + 4) >>> 0 });
    case types.DECIMAL128:
      position = fixedEnd(origin, at, 16, limit);
      return new Decimal128(copyBytes(bytes, at, at + 16));
    case types.MAX_KEY:
      position = fixedEnd(origin, at, 0, limit);
      return new MaxKey();
    case types.MIN_KEY:
      position = fixedEnd(origin, at, 0, limit);
      return new MinKey();
    default:
      return unknownType(origin, type, at);
  }
}

function readInt(bytes: Uint8Array, at: number, limit: number): unknown {
  position = fixedEnd(origin, at, 4, limit);
  const value = int32(bytes, at);
  return options.promoteValues ? value : new Int32(value);
}

function readDouble(bytes: Uint8Array, at: number, limit: number): unknown {
  position = fixedEnd(origin, at, 8, limit);
  const value = float64(bytes, at);
  return options.promoteValues ? value : new Double(value);
}

function readString(bytes: Uint8Array, at: number, limit: number, field: Field): string {
  const end = stringEnd(bytes, origin, at, limit);
  position = end + 1;
  return shared?.at(bytes, origin, at + 4, end, field) ?? readText(bytes, at + 4, end);
}

/** The text of a value of a rarer type, which is shared with no other. */
function readLone(bytes: Uint8Array, at: number, limit: number): string {
  const end = stringEnd(bytes, origin, at, limit);
  position = end + 1;
  return readText(bytes, at + 4, end);
}

/** As a property's key V8 keeps a copy of its own, so a long one may be a view. */
function readName(bytes: Uint8Array, from: number, to: number): string {
  return maxSubstring >= 0 && isAscii(bytes, from, to) ? substring(bytes, from, to) : utf8(bytes, origin, from, to);
}

function readText(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > maxSubstring) return flat(bytes, origin, from, to);
  if (text === '' && alone > 0) {
    alone -= 1;
    return flat(bytes, origin, from, to);
  }
  return isAscii(bytes, from, to) ? substring(bytes, from, to) : flat(bytes, origin, from, to);
}

/** Of the text of all that is still to be read. */
function substring(bytes: Uint8Array, from: number, to: number): string {
  if (text === '') text = latin1(bytes, (textFrom = from), textTo);
  return text.substring(from - textFrom, to - textFrom);
}

function readBoolean(bytes: Uint8Array, at: number, limit: number): boolean {
  position = fixedEnd(origin, at, 1, limit);
  const value = bytes[at] as number;
  if (value > 1) corrupt('a boolean is neither 0 nor 1', origin, at);
  return value === 1;
}

function readLong(bytes: Uint8Array, at: number, limit: number): unknown {
  position = fixedEnd(origin, at, 8, limit);
  const low = int32(bytes, at);
  const high = int32(bytes, at + 4);
  if (options.useBigInt64) return (BigInt(high) << 32n) | BigInt(low >>> 0);
  if (options.promoteLongs && options.promoteValues) {
    // ±2^53 inclusive, as the bson package has it. The sum is exact there, and beyond it is never rounded into it.
    if (high >= -0x20_0000 && (high < 0x20_0000 || (high === 0x20_0000 && low === 0))) {
      return high * 0x1_0000_0000 + (low >>> 0);
    }
  }
  return new Long(low, high);
}

function readBinary(bytes: Uint8Array, at: number, limit: number): unknown {
  const end = binaryEnd(bytes, origin, at, limit);
  position = end;
  const data = copyBytes(bytes, binaryFrom(bytes, at), end);
  if (options.promoteBuffers && options.promoteValues) return data;
  const subtype = bytes[at + 4] as number;
  return subtype === Binary.SUBTYPE_UUID && data.length === 16 ? new BSON.UUID(data) : new Binary(data, subtype);
}

function readRegExp(bytes: Uint8Array, at: number, limit: number): RegExp | BSONRegExp {
  const sourceEnd = nameEnd(bytes, origin, at, limit);
  const flagsEnd = nameEnd(bytes, origin, sourceEnd + 1, limit);
  position = flagsEnd + 1;
  const source = readText(bytes, at, sourceEnd);
  const flags = readText(bytes, sourceEnd + 1, flagsEnd);
  return (options.bsonRegExp ? null : toRegExp(source, flags)) ?? toBsonRegExp(source, flags);
}
