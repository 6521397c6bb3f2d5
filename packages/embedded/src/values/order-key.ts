// Values as strings of bytes whose order is BSON's order, as indexes keep them.
import { Buffer } from 'node:buffer';
import { BSONSymbol, Double } from 'bson';
import { type Finite, normalize } from './decimal.ts';
import { compareNumbers, exact, toNumber } from './number.ts';
import { rankOf } from './order.ts';
import { type Document, isNumeric, type Numeric, type Value } from './value.ts';

/** Replaces a text by one that is the same for all texts that a collation takes for equal. */
export type Fold = (text: string) => string;

/** Ranks go from -1 to 127: as bytes they are neither the first nor the last one, which end texts. */
const FIRST_RANK = 2;
const END = '\0';

const itself: Fold = (text) => text;

/**
 * A text of bytes (characters up to `\xff`) for a value: `a` is before `b` where BSON's order has it so, and the same
 * where both are equal. None is the beginning of another, so that keys of several values can be joined.
 */
export function orderKey(value: Value, fold: Fold = itself): string {
  return rankKey(rankOf(value)) + contentKey(value, fold);
}

/** What the keys of all values of one rank begin with. */
export function rankKey(rank: number): string {
  return String.fromCharCode(rank + FIRST_RANK);
}

/** The key in the opposite order. */
export function reversedKey(key: string): string {
  const bytes = Buffer.from(key, 'latin1');
  for (const [at, byte] of bytes.entries()) bytes[at] = byte ^ 0xff;
  return bytes.toString('latin1');
}

/** The first key after all that begin with `prefix`; undefined where every later key does. */
export function keyAfter(prefix: string): string | undefined {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === 0xff) end -= 1;
  if (end === 0) return undefined;
  return prefix.slice(0, end - 1) + String.fromCharCode(prefix.charCodeAt(end - 1) + 1);
}

/** What a text begins with in a key, without the end of the text. */
export function textPrefix(text: string): string {
  // oxlint-disable-next-line no-control-regex -- The usual text is its own key: no NUL and nothing beyond ASCII.
  if (/^[\u0001-\u007f]*$/.test(text)) return text;
  return Buffer.from(text).toString('latin1').replaceAll(END, '\0\xff');
}

function contentKey(value: Value, fold: Fold): string {
  if (typeof value === 'string') return textKey(fold(value));
  if (typeof value === 'boolean') return value ? '\x01' : '\0';
  if (value === null) return '';
  if (value instanceof Map) return documentKey(value, fold);
  if (Array.isArray(value)) return value.map((element) => orderKey(element, fold)).join('') + END;
  if (isNumeric(value)) return numberKey(value);
  switch (value._bsontype) {
    case 'ObjectId':
      return bytesKey(value.id);
    case 'DateTime':
      return bigKey(value.milliseconds + (1n << 63n));
    case 'Timestamp':
      return unsignedKey(value.t) + unsignedKey(value.i);
    case 'Binary':
      return (
        unsignedKey(value.position) +
        String.fromCharCode(value.sub_type) +
        bytesKey(value.buffer.subarray(0, value.position))
      );
    case 'BSONSymbol':
      return textKey(fold(value.value));
    case 'BSONRegExp':
      return textKey(value.pattern) + textKey(value.options);
    case 'Code':
      return textKey(String(value.code));
    case 'CodeWithScope':
      return textKey(value.code) + documentKey(value.scope, fold);
    case 'DbPointer':
      return unsignedKey(Buffer.byteLength(value.namespace)) + textKey(value.namespace) + bytesKey(value.id.id);
    default:
      return '';
  }
}

/** Member by member, by type, name and value, as documents are compared. */
function documentKey(document: Document, fold: Fold): string {
  let key = '';
  for (const [name, value] of document) key += rankKey(rankOf(value)) + textKey(name) + contentKey(value, fold);
  return key + END;
}

function textKey(text: string): string {
  return textPrefix(text) + END;
}

function bytesKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

const scratch = Buffer.alloc(8);

function unsignedKey(number: number): string {
  scratch.writeUInt32BE(number);
  return scratch.toString('latin1', 0, 4);
}

function bigKey(number: bigint): string {
  scratch.writeBigUInt64BE(number);
  return scratch.toString('latin1');
}

const NAN = '\0'.repeat(9);
const EXACTLY = '\0';
const BEYOND = '\x01';

/** The largest double that is not above the number, and, where that is not the number itself, all of its digits. */
function numberKey(value: Numeric): string {
  if (value._bsontype === 'Int32' || value._bsontype === 'Double') return doubleKey(value.value) + EXACTLY;
  let double = toNumber(value);
  if (value._bsontype === 'Long' && Number.isSafeInteger(double)) return doubleKey(double) + EXACTLY;
  const digits = exact(value);
  if (digits === 'NaN') return NAN;
  const order = compareNumbers(new Double(double), value);
  if (order === 0 || typeof digits === 'string') return doubleKey(double) + EXACTLY;
  if (order > 0) double = doubleBelow(double);
  return doubleKey(double) + BEYOND + digitsKey(normalize(digits));
}

/** The bits of a double in an order that is that of the numbers: those of a negative one turned round. */
function doubleKey(double: number): string {
  if (Number.isNaN(double)) return NAN.slice(1);
  scratch.writeDoubleBE(double + 0);
  if (double < 0) for (const [at, byte] of scratch.entries()) scratch[at] = byte ^ 0xff;
  else scratch[0] = (scratch[0] ?? 0) ^ 0x80;
  return scratch.toString('latin1');
}

function doubleBelow(double: number): number {
  if (double === 0) return -Number.MIN_VALUE;
  scratch.writeDoubleBE(double);
  scratch.writeBigUInt64BE(scratch.readBigUInt64BE() + (double > 0 ? -1n : 1n));
  return scratch.readDoubleBE();
}

/** More than any exponent of a decimal with all its digits. */
const EXPONENT_BIAS = 10_000;

/** The power of ten, then the digits; those of a negative number are complements, so that more of them are less. */
function digitsKey({ negative, coefficient, exponent }: Finite): string {
  const digits = String(coefficient);
  const power = digits.length + exponent;
  const text = String(EXPONENT_BIAS + power).padStart(5, '0') + digits;
  return negative ? `${text.replaceAll(/\d/g, (digit) => String(9 - Number(digit)))}\xff` : text + END;
}

/** True where equal values of that type may be texts that differ under a collation. */
export function holdsText(value: Value): boolean {
  return typeof value === 'string' || value instanceof BSONSymbol || value instanceof Map || Array.isArray(value);
}
