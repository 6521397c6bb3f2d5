// BSON's order across all types.
// https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
import { Buffer } from 'node:buffer';
import { BSONSymbol } from 'bson';
import { normalize } from './decimal.ts';
import { compareNumbers, exact } from './number.ts';
import { BSON_TYPES } from './types.ts';
import { type Document, isNumeric, type Numeric, typeOf, type Value } from './value.ts';

/** The rank of a value's type in the order. A missing value has the rank of BSON undefined. */
export function rankOf(value: Value | undefined): number {
  return BSON_TYPES[value === undefined ? 'undefined' : typeOf(value)].rank;
}

/** Compares two texts: by their bytes, or by the rules of a collation. */
export type TextOrder = (a: string, b: string) => number;

/**
 * Compares two values in BSON's order: below zero, zero or above. Numbers compare exactly by value whatever their types,
 * -0 equals 0, NaN is the lowest number; documents member by member, by type, name and value.
 */
export function compare(a: Value | undefined, b: Value | undefined, texts: TextOrder = compareText): number {
  if (a === b) return 0;
  if (typeof a === 'string' && typeof b === 'string') return texts(a, b);
  const byRank = rankOf(a) - rankOf(b);
  return byRank !== 0 || a === undefined || b === undefined ? byRank : compareAlike(a, b, texts);
}

export function equals(a: Value | undefined, b: Value | undefined, texts: TextOrder = compareText): boolean {
  return compare(a, b, texts) === 0;
}

/** Both are of one rank. */
function compareAlike(a: Value, b: Value, texts: TextOrder): number {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  if (a instanceof Map && b instanceof Map) return compareDocuments(a, b, texts);
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b, texts);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (rankOf(a) === BSON_TYPES.string.rank) return texts(textOf(a), textOf(b));
  return compareScalars(a, b);
}

function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  return value instanceof BSONSymbol ? value.value : '';
}

function compareScalars(a: Value, b: Value): number {
  const x = comparableOf(a);
  const y = comparableOf(b);
  for (const [i, part] of x.entries()) {
    const order = compareParts(part, y[i]);
    if (order !== 0) return order;
  }
  return 0;
}

type Comparable = number | bigint | string | Uint8Array | Document;

/** What decides between two values of one type, the weightiest first. */
function comparableOf(value: Value): Comparable[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || value instanceof Map || Array.isArray(value)) return [];
  switch (value._bsontype) {
    case 'BSONSymbol':
      return [value.value];
    case 'ObjectId':
      return [value.id];
    case 'DateTime':
      return [value.milliseconds];
    case 'Timestamp':
      return [value.t, value.i];
    case 'Binary':
      return [value.position, value.sub_type, value.buffer.subarray(0, value.position)];
    case 'BSONRegExp':
      return [value.pattern, value.options];
    case 'Code':
      return [String(value.code)];
    case 'CodeWithScope':
      return [value.code, value.scope];
    case 'DbPointer':
      return [Buffer.byteLength(value.namespace), value.namespace, value.id.id];
    default:
      return [];
  }
}

function compareParts(a: Comparable, b: Comparable | undefined): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (a instanceof Map && b instanceof Map) return compareDocuments(a, b, compareText);
  return a < (b ?? 0) ? -1 : a > (b ?? 0) ? 1 : 0;
}

/** By UTF-8 bytes, which is by code points: UTF-16 units differ from that only where surrogates meet units above them. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? codePointRank(x) - codePointRank(y) : x - y;
  }
  return a.length - b.length;
}

const codePointRank = (unit: number): number => (unit >= 0xe000 ? unit - 0x2000 : unit + 0x2000);

function compareDocuments(a: Document, b: Document, texts: TextOrder): number {
  const others = b.entries();
  for (const [key, value] of a) {
    const next = others.next();
    if (next.done === true) return 1;
    const [otherKey, other] = next.value;
    const order = rankOf(value) - rankOf(other) || compareText(key, otherKey) || compare(value, other, texts);
    if (order !== 0) return order;
  }
  return others.next().done === true ? 0 : -1;
}

function compareArrays(a: readonly Value[], b: readonly Value[], texts: TextOrder): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compare(a[i], b[i], texts);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/**
 * A text for each value such that two texts are the same exactly where {@link equals} holds; with the `fold` of a
 * collation, where it holds by that.
 */
export function keyOf(value: Value | undefined, fold: (text: string) => string = asItIs): string {
  if (value === undefined) return 'u';
  if (typeof value === 'string') return quote(fold(value));
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value === null) return 'n';
  if (value instanceof Map) return documentKey(value, fold);
  if (Array.isArray(value)) return `[${value.map((element) => keyOf(element, fold)).join(',')}]`;
  if (isNumeric(value)) return numberKey(value);
  if (value._bsontype === 'BSONSymbol') return quote(fold(value.value));
  if (value._bsontype === 'Undefined') return 'u';
  return `${typeOf(value)}(${comparableOf(value).map(partKey).join(',')})`;
}

const asItIs = (text: string): string => text;

/** How values are compared where texts have rules of their own. */
export interface Rules {
  compare(this: void, a: Value | undefined, b: Value | undefined): number;
  equals(this: void, a: Value | undefined, b: Value | undefined): boolean;
  keyOf(this: void, value: Value | undefined): string;
}

const BY_BYTES: Rules = { compare, equals, keyOf: (value) => keyOf(value) };

/** The rules of a collation; without one, texts are compared by their bytes. */
export function rulesOf(
  collation: { readonly compare: TextOrder; readonly fold: (text: string) => string } | undefined,
): Rules {
  if (collation === undefined) return BY_BYTES;
  const { compare: texts, fold } = collation;
  return {
    compare: (a, b) => compare(a, b, texts),
    equals: (a, b) => equals(a, b, texts),
    keyOf: (value) => keyOf(value, fold),
  };
}

function documentKey(document: Document, fold: (text: string) => string = asItIs): string {
  const members = Array.from(document, ([key, value]) => `${quote(key)}:${keyOf(value, fold)}`);
  return `{${members.join(',')}}`;
}

function partKey(part: Comparable): string {
  if (typeof part === 'string') return quote(part);
  if (part instanceof Uint8Array) return Buffer.from(part.buffer, part.byteOffset, part.length).toString('hex');
  return part instanceof Map ? documentKey(part) : String(part);
}

// JSON.stringify escapes lone surrogates too: different strings, different texts.
const quote = (text: string): string => JSON.stringify(text);

// A double with more binary places than this has more than 34 significant digits: no decimal equals it.
const MOST_PLACES_OF_A_DECIMAL = 48;

function numberKey(value: Numeric): string {
  if (value._bsontype === 'Int32') return `#${value.value}`;
  if (value._bsontype === 'Long') return `#${value.toString()}`;
  if (value._bsontype === 'Double') {
    const scaled = value.value * 2 ** MOST_PLACES_OF_A_DECIMAL;
    if (Number.isFinite(scaled) && !Number.isInteger(scaled)) return `#~${value.value}`;
    if (Number.isSafeInteger(value.value)) return `#${value.value + 0}`;
  }
  const decimal = exact(value);
  if (typeof decimal === 'string') return `#${decimal}`;
  const { negative, coefficient, exponent } = normalize(decimal);
  const digits = exponent >= 0 && exponent < 40 ? coefficient * 10n ** BigInt(exponent) : `${coefficient}e${exponent}`;
  return `#${negative ? '-' : ''}${digits}`;
}
