import { BSON, ObjectId } from 'mongodb';
import type { Arena } from './arena.ts';
import { ownBytes } from './arena.ts';
import * as types from './types.ts';

/*
 * New documents as bytes, in one walk over what the program gave: these bytes are at once what is sent and the copy that the
 * document is compared with later. It takes less than half the time of the bson package, since names are encoded once, short
 * texts are written without a call out of JavaScript, and no objects are made on the way.
 *
 * All functions take the bytes and where to write, and give where they ended, or one of the two codes below.
 */

/** A value that needs a closer look: `toExact` refuses it, or tells how it is stored. */
const UNKNOWN = -1;
/** The bytes are too few. */
const FULL = -2;

/** Values nested deeper than this, and those that contain themselves, need a closer look. */
const MAX_DEPTH = 50;
/** Larger documents are rare: the memory that they need is given back. */
const KEPT_SIZE = 1024 * 1024;

let scratch = Buffer.allocUnsafeSlow(16 * 1024);
let isWriting = false;

type Members = Readonly<Record<string, unknown>>;

/**
 * A document's bytes in memory of their own, or null where a value needs a closer look first. `undefined` is left out of
 * objects and is null in arrays.
 *
 * @param arena where many documents are kept together; else the bytes stand alone.
 */
export function writeDocument(document: Members, arena: Arena | null): Uint8Array | null {
  // case: a getter in the document that inserts another one
  return isWriting ? null : write(document, arena, false);
}

/**
 * The same for what `toExact` gave: values that are not known here are written by the bson package. Null where one of them is
 * larger than that package can write, which is more than a server takes.
 */
export function writeExact(document: Members, arena: Arena | null): Uint8Array | null {
  try {
    const bytes = isWriting ? null : write(document, arena, true);
    return bytes ?? ownBytes(BSON.serialize(document, { ignoreUndefined: true }));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function write(document: Members, arena: Arena | null, isExact: boolean): Uint8Array | null {
  isWriting = true;
  let bytes = scratch;
  try {
    let end = writeMembers(bytes, 0, document, 0, isExact);
    while (end === FULL) {
      bytes = Buffer.allocUnsafeSlow(bytes.length * 4);
      if (bytes.length <= KEPT_SIZE) scratch = bytes;
      end = writeMembers(bytes, 0, document, 0, isExact);
    }
    if (end === UNKNOWN) return null;
    return arena === null ? ownBytes(bytes.subarray(0, end)) : arena.take(bytes, end);
  } finally {
    isWriting = false;
  }
}

/** Names with the zero byte that ends them, of those that were seen to be storable: programs use few. */
const names = new Map<string, Uint8Array>();
const MAX_NAMES = 4096;

/** The bytes of a name that was not seen before; null where it cannot be stored. */
function newName(text: string): Uint8Array | null {
  if (text === '_bsontype' || text.includes('\0') || !text.isWellFormed()) return null;
  const name = Buffer.from(`${text}\0`);
  if (names.size < MAX_NAMES && text.length <= 256) names.set(text, name);
  return name;
}

/** The names of an array's elements. */
const places = Array.from({ length: 1024 }, (_, place) => Buffer.from(`${place}\0`));

// V8 knows that this holds for the keys of a for-in loop; for Object.hasOwn it looks every time.
const { hasOwnProperty } = Object.prototype;

function writeMembers(bytes: Buffer, start: number, members: Members, depth: number, isExact: boolean): number {
  let at = start + 4;
  // A list of the keys would be most of what is made here.
  for (const key in members) {
    if (!hasOwnProperty.call(members, key)) continue;
    const value = members[key];
    if (value === undefined) continue;
    const name = names.get(key) ?? newName(key);
    if (name === null) return UNKNOWN;
    at = writeElement(bytes, at, name, value, depth, isExact);
    if (at < 0) return at;
  }
  return close(bytes, start, at);
}

function writeElements(
  bytes: Buffer,
  start: number,
  elements: readonly unknown[],
  depth: number,
  isExact: boolean,
): number {
  let at = start + 4;
  for (let i = 0; i < elements.length; i++) {
    const name = places[i] ?? Buffer.from(`${i}\0`);
    at = writeElement(bytes, at, name, elements[i] ?? null, depth, isExact);
    if (at < 0) return at;
  }
  return close(bytes, start, at);
}

/** The end of a document whose members were written. There is room for it: each element leaves some. */
function close(bytes: Buffer, start: number, at: number): number {
  bytes[at] = 0;
  writeInt32(bytes, start, at + 1 - start);
  return at + 1;
}

/** More than the type, a value of fixed size, and the ends of all documents around it. */
const ROOM = 32 + MAX_DEPTH;

function writeElement(
  bytes: Buffer,
  at: number,
  name: Uint8Array,
  value: unknown,
  depth: number,
  isExact: boolean,
): number {
  const { length } = name;
  if (at + length + ROOM > bytes.length) return FULL;
  // Short names, for which a call costs more than this.
  for (let i = 0; i < length; i++) bytes[at + 1 + i] = name[i] as number;
  const from = at + 1 + length;
  switch (typeof value) {
    case 'string':
      bytes[at] = types.STRING;
      return writeText(bytes, from, value);
    case 'number':
      return writeNumber(bytes, at, from, value);
    case 'boolean':
      bytes[at] = types.BOOLEAN;
      bytes[from] = value ? 1 : 0;
      return from + 1;
    case 'object':
      if (value !== null) return writeObject(bytes, at, from, value, depth + 1, isExact);
      bytes[at] = types.NULL;
      return from;
    default:
      return isExact ? writeOther(bytes, at, from, value) : UNKNOWN;
  }
}

function writeObject(bytes: Buffer, at: number, from: number, value: object, depth: number, isExact: boolean): number {
  if (depth > MAX_DEPTH) return isExact ? writeOther(bytes, at, from, value) : UNKNOWN;
  if (Array.isArray(value)) {
    bytes[at] = types.ARRAY;
    return writeElements(bytes, from, value, depth, isExact);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    bytes[at] = types.DOCUMENT;
    return writeMembers(bytes, from, value as Members, depth, isExact);
  }
  if (prototype === ObjectId.prototype) {
    bytes[at] = types.OBJECT_ID;
    return writeId(bytes, from, value as ObjectId);
  }
  if (prototype !== Date.prototype) return isExact ? writeOther(bytes, at, from, value) : UNKNOWN;
  const time = (value as Date).getTime();
  if (Number.isNaN(time)) return UNKNOWN;
  bytes[at] = types.DATE;
  writeInt32(bytes, from, time);
  writeInt32(bytes, from + 4, Math.floor(time / 0x1_0000_0000));
  return from + 8;
}

/** As the bson package has it. */
function writeOther(bytes: Buffer, at: number, from: number, value: unknown): number {
  const element = BSON.serialize({ '': value }, { ignoreUndefined: true });
  // Its size, its type, the end of its empty name; and its own end.
  const content = element.subarray(6, -1);
  if (from + content.length + ROOM > bytes.length) return FULL;
  bytes[at] = element[4] as number;
  bytes.set(content, from);
  return from + content.length;
}

/** Of more characters than this, the native encoder is faster. */
const SHORT = 64;
const { utf8Write } = Buffer.prototype as unknown as { utf8Write(this: Buffer, text: string, at: number): number };

function writeText(bytes: Buffer, at: number, text: string): number {
  const { length } = text;
  const from = at + 4;
  // A unit of UTF-16 takes three bytes at most. Counting them takes longer than there is to gain with shorter texts.
  const most = length < 4096 ? length * 3 : Buffer.byteLength(text);
  if (from + most + ROOM > bytes.length) return FULL;
  let end = length <= SHORT ? writeAscii(bytes, from, text) : -1;
  if (end < 0) {
    if (!text.isWellFormed()) return UNKNOWN;
    end = from + utf8Write.call(bytes, text, from);
  }
  bytes[end] = 0;
  writeInt32(bytes, at, end + 1 - from);
  return end + 1;
}

/** The end of the text, -1 where it is more than ASCII. */
function writeAscii(bytes: Buffer, from: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return -1;
    bytes[from + i] = code;
  }
  return from + text.length;
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);
words[0] = 1;
// Where the low half of a double lies: 0, except on big-endian machines.
const low = double[0] === Number.MIN_VALUE ? 0 : 1;

/** An int32 where the number is one, else a double: as the bson package has it. */
function writeNumber(bytes: Buffer, at: number, from: number, value: number): number {
  if (Object.is(value | 0, value)) {
    bytes[at] = types.INT32;
    writeInt32(bytes, from, value);
    return from + 4;
  }
  bytes[at] = types.DOUBLE;
  double[0] = value;
  writeInt32(bytes, from, words[low] as number);
  writeInt32(bytes, from + 4, words[1 - low] as number);
  return from + 8;
}

/** The lowest 32 bits. */
function writeInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
}

/** How the bson package itself writes one; its types leave the method out. */
type WritableId = ObjectId & { serializeInto?(bytes: Uint8Array, at: number): number };

function writeId(bytes: Buffer, at: number, id: WritableId): number {
  if (id.serializeInto === undefined) bytes.set(id.id, at);
  else id.serializeInto(bytes, at);
  return at + 12;
}
