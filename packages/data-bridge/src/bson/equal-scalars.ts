import { BSON, type ObjectId } from 'mongodb';
import { binaryFrom, float64, int32 } from './bytes.ts';
import { isBson } from './bson-classes.ts';
import { isAscii, latin1, utf8 } from './text.ts';
import { BINARY, DECIMAL128, DOUBLE, INT32, INT64 } from './types.ts';

/* BSON's equality of a stored scalar and a live one. `equal-bytes.ts` says what it is. */

/** Longer strings are compared faster by making one of the bytes. */
const maxLoop = 24;

/** The UTF-8 text between two offsets is this one. */
export function equalText(bytes: Uint8Array, start: number, from: number, to: number, value: string): boolean {
  const size = to - from;
  if (value.length > size || value.length * 3 < size) return false;
  // UTF-16 is as long as UTF-8 in ASCII only.
  if (value.length < size) return utf8(bytes, start, from, to) === value;
  return size > maxLoop
    ? latin1(bytes, from, to) === value && isAscii(bytes, from, to)
    : isAsciiText(bytes, from, value);
}

function isAsciiText(bytes: Uint8Array, from: number, value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 127 || bytes[from + i] !== code) return false;
  }
  return true;
}

export function equalInt(int: number, value: unknown): boolean {
  if (typeof value === 'number') return Object.is(value, int);
  if (typeof value === 'bigint') return value === BigInt(int);
  return isBson(value, 'Int32') && value.value === int;
}

export function equalDouble(double: number, value: unknown): boolean {
  if (typeof value === 'number') return Object.is(value, double);
  // A bigint stands for the integer, and knows no -0.
  if (typeof value === 'bigint') return Number.isInteger(double) && BigInt(double) === value;
  return isBson(value, 'Double') && Object.is(value.value, double);
}

export function equalLong(low: number, high: number, value: unknown): boolean {
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return false;
    // Exact, since it only moves the exponent.
    const upper = Math.floor(value / 0x1_0000_0000);
    return upper === high && value - upper * 0x1_0000_0000 === low >>> 0;
  }
  if (typeof value === 'bigint') return value === ((BigInt(high) << 32n) | BigInt(low >>> 0));
  return isBson(value, 'Long') && value.low === low && value.high === high;
}

/**
 * The stored value at `at`, of a type that JavaScript does not have, equals this one, of the program or of a BSON class
 * of ours. Also false for what is not decided here: what `toExact` refuses in some cases, or replaces.
 */
export function equalTyped(bytes: Uint8Array, type: number, at: number, value: unknown): boolean {
  switch (type) {
    case DOUBLE:
      return value instanceof BSON.Double && Object.is(value.value, float64(bytes, at));
    case BINARY:
      return value instanceof BSON.Binary && equalBinary(bytes, at, value);
    case INT32:
      return typeof value === 'bigint' || value instanceof BSON.Int32 ? equalInt(int32(bytes, at), value) : false;
    case INT64:
      if (value instanceof BSON.Long ? value.unsigned : typeof value === 'object') return false;
      return equalLong(int32(bytes, at), int32(bytes, at + 4), value);
    case DECIMAL128:
      return value instanceof BSON.Decimal128 && equalBytes(bytes, at, at + 16, value.bytes, 16);
    default:
      return false;
  }
}

/** A vector is checked whenever it is sent. */
function equalBinary(bytes: Uint8Array, at: number, value: BSON.Binary): boolean {
  const subtype = bytes[at + 4];
  if (subtype === BSON.Binary.SUBTYPE_VECTOR || value.sub_type !== subtype) return false;
  return equalBytes(bytes, binaryFrom(bytes, at), at + 5 + int32(bytes, at), value.buffer, value.position);
}

/** How bson 7 keeps the bytes of an ObjectId, three in each. Its public `id` makes a new buffer at every call. */
interface PackedId {
  readonly i0?: number;
  readonly i1?: number;
  readonly i2?: number;
  readonly i3?: number;
}

/** The ObjectId at `at` is this one. */
export function equalId(bytes: Uint8Array, at: number, value: ObjectId): boolean {
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

export function equalBytes(bytes: Uint8Array, from: number, to: number, value: Uint8Array, length: number): boolean {
  if (length !== to - from) return false;
  for (let i = 0; i < length; i++) if (bytes[from + i] !== value[i]) return false;
  return true;
}
