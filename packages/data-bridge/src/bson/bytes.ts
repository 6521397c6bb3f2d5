import { CorruptBsonError } from '../errors.ts';
import * as types from './types.ts';

/*
 * The lowest layer: pure functions of (bytes, offset). `limit` is everywhere the offset of the terminator of the document
 * that is being read. Its zero byte was checked when the document was opened, so it stops every search for the end of a
 * name, and what is read before it lies inside the document. The format: https://bsonspec.org/spec.html
 */

/** Documents nested deeper are refused as corrupt. MongoDB itself allows 100 levels. */
export const maxDepth = 200;

/** Throws the error for malformed bytes at the absolute offset `at` of the document at `start`. */
export function corrupt(problem: string, start: number, at: number): never {
  throw new CorruptBsonError(problem, at - start);
}

export function int32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
words[0] = 1;
// Where the low half of a double lies: 0, except on big-endian machines.
const low = double[0] === Number.MIN_VALUE ? 0 : 1;

export function float64(bytes: Uint8Array, at: number): number {
  words[low] = int32(bytes, at);
  words[1 - low] = int32(bytes, at + 4);
  return double[0] as number;
}

/** Milliseconds since 1970; NaN where no JavaScript Date reaches. */
export function milliseconds(bytes: Uint8Array, at: number): number {
  const value = int32(bytes, at + 4) * 0x1_0000_0000 + (int32(bytes, at) >>> 0);
  return value >= -8.64e15 && value <= 8.64e15 ? value : Number.NaN;
}

/** The offset of the terminator of the document or array at `at`, both checked, which must end at `limit` or before. */
export function terminator(bytes: Uint8Array, start: number, at: number, limit: number): number {
  if (at + 5 > limit) corrupt('a document does not fit', start, at);
  const size = int32(bytes, at);
  if (size < 5 || size > limit - at) corrupt('a document has a wrong size', start, at);
  if (bytes[at + size - 1] !== 0) corrupt('a document has no terminator', start, at + size - 1);
  return at + size - 1;
}

/** The end of the text of a string (its terminator) whose length stands at `at`. */
export function stringEnd(bytes: Uint8Array, start: number, at: number, limit: number): number {
  if (at + 5 > limit) corrupt('a string does not fit', start, at);
  const size = int32(bytes, at);
  if (size < 1 || size > limit - at - 4) corrupt('a string has a wrong length', start, at);
  if (bytes[at + 3 + size] !== 0) corrupt('a string has no terminator', start, at + 3 + size);
  return at + 3 + size;
}

/** The end of a name or of another zero-terminated text at `at`: the offset of its zero byte. */
export function nameEnd(bytes: Uint8Array, start: number, at: number, limit: number): number {
  let end = at;
  while (bytes[end] !== 0) end++;
  if (end >= limit) corrupt('a name has no end', start, at);
  return end;
}

/** Checks that a value of `size` bytes fits; its end. */
export function fixedEnd(start: number, at: number, size: number, limit: number): number {
  if (size > limit - at) corrupt('a value does not fit', start, at);
  return at + size;
}

/** Data of a binary value at `at`: from `binaryFrom` to `binaryEnd`. Subtype 2 repeats its length before the data. */
export function binaryEnd(bytes: Uint8Array, start: number, at: number, limit: number): number {
  if (at + 5 > limit) corrupt('a binary value does not fit', start, at);
  const size = int32(bytes, at);
  if (size < 0 || size > limit - at - 5) corrupt('a binary value has a wrong length', start, at);
  if (bytes[at + 4] === 2 && (size < 4 || int32(bytes, at + 5) !== size - 4)) {
    corrupt('a binary value of subtype 2 has a wrong inner length', start, at);
  }
  return at + 5 + size;
}

export function binaryFrom(bytes: Uint8Array, at: number): number {
  return bytes[at + 4] === 2 ? at + 9 : at + 5;
}

/** By type the size of values that always have the same, -1 of all others. */
const fixedSizes = new Int8Array(256).fill(-1);
for (const [size, ...codes] of [
  [0, types.UNDEFINED, types.NULL, types.MAX_KEY, types.MIN_KEY],
  [1, types.BOOLEAN],
  [4, types.INT32],
  [8, types.DOUBLE, types.DATE, types.TIMESTAMP, types.INT64],
  [12, types.OBJECT_ID],
  [16, types.DECIMAL128],
] as const)
  for (const code of codes) fixedSizes[code] = size;

/**
 * The end of the value at `at`. Checks the lengths and terminators that lead there, not what lies inside. Short, so that it
 * is compiled into the loops over elements that call it.
 */
export function valueEnd(bytes: Uint8Array, start: number, type: number, at: number, limit: number): number {
  const size = fixedSizes[type] as number;
  if (size >= 0) return fixedEnd(start, at, size, limit);
  if (type === types.STRING) return stringEnd(bytes, start, at, limit) + 1;
  if (type === types.DOCUMENT || type === types.ARRAY) return terminator(bytes, start, at, limit) + 1;
  return rareEnd(bytes, start, type, at, limit);
}

function rareEnd(bytes: Uint8Array, start: number, type: number, at: number, limit: number): number {
  switch (type) {
    case types.CODE:
    case types.SYMBOL:
      return stringEnd(bytes, start, at, limit) + 1;
    case types.BINARY:
      return binaryEnd(bytes, start, at, limit);
    case types.REGEX:
      return nameEnd(bytes, start, nameEnd(bytes, start, at, limit) + 1, limit) + 1;
    case types.DB_POINTER:
      return fixedEnd(start, stringEnd(bytes, start, at, limit) + 1, 12, limit);
    case types.CODE_WITH_SCOPE:
      return scopeTerminator(bytes, start, at, limit) + 1;
    default:
      return unknownType(start, type, at);
  }
}

/** The terminator of the scope of a code with scope at `at`: the last byte of the value. */
export function scopeTerminator(bytes: Uint8Array, start: number, at: number, limit: number): number {
  if (at + 14 > limit) corrupt('a code with scope does not fit', start, at);
  const scope = stringEnd(bytes, start, at + 4, limit) + 1;
  const end = terminator(bytes, start, scope, limit);
  if (int32(bytes, at) !== end + 1 - at) corrupt('a code with scope has a wrong size', start, at);
  return end;
}

export function unknownType(start: number, type: number, at: number): never {
  corrupt(`an element has the unknown type 0x${type.toString(16)} before the value`, start, at);
}
