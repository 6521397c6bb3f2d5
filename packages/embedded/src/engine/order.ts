// BSON's order across all types.
// https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
import { Buffer } from 'node:buffer';
import { normalize } from './decimal.ts';
import { ServerError } from '../errors.ts';
import { compareNumbers, exact, toSafeInteger } from './number.ts';
import { isIndex, splitPath } from './path.ts';
import {
  type Document,
  isArray,
  isDocument,
  isNumeric,
  type Numeric,
  type TypeName,
  typeOf,
  UNDEFINED,
  type Value,
} from './value.ts';

// Types of one rank are compared with each other by value.
const RANKS: Readonly<Record<TypeName, number>> = {
  minKey: -1,
  undefined: 0,
  null: 5,
  int: 10,
  long: 10,
  double: 10,
  decimal: 10,
  string: 15,
  symbol: 15,
  object: 20,
  array: 25,
  binData: 30,
  objectId: 35,
  bool: 40,
  date: 45,
  timestamp: 47,
  regex: 50,
  dbPointer: 55,
  javascript: 60,
  javascriptWithScope: 65,
  maxKey: 127,
};

/** The rank of a value's type in the order. A missing value has the rank of BSON undefined. */
export function rankOf(value: Value | undefined): number {
  return value === undefined ? RANKS.undefined : RANKS[typeOf(value)];
}

/**
 * Compares two values in BSON's order: below zero, zero or above. Numbers compare exactly by value whatever their types,
 * -0 equals 0, NaN is the lowest number; documents member by member, by type, name and value.
 */
export function compare(a: Value | undefined, b: Value | undefined): number {
  if (a === b) return 0;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const byRank = rankOf(a) - rankOf(b);
  return byRank !== 0 || a === undefined || b === undefined ? byRank : compareAlike(a, b);
}

export function equals(a: Value | undefined, b: Value | undefined): boolean {
  return compare(a, b) === 0;
}

/** Both are of one rank. */
function compareAlike(a: Value, b: Value): number {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  if (a instanceof Map && b instanceof Map) return compareDocuments(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return compareScalars(a, b);
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
  if (a instanceof Map && b instanceof Map) return compareDocuments(a, b);
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

function compareDocuments(a: Document, b: Document): number {
  const others = b.entries();
  for (const [key, value] of a) {
    const next = others.next();
    if (next.done === true) return 1;
    const [otherKey, other] = next.value;
    const order = rankOf(value) - rankOf(other) || compareText(key, otherKey) || compare(value, other);
    if (order !== 0) return order;
  }
  return others.next().done === true ? 0 : -1;
}

function compareArrays(a: readonly Value[], b: readonly Value[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** A text for each value such that two texts are the same exactly where {@link equals} holds. */
export function keyOf(value: Value | undefined): string {
  if (value === undefined) return 'u';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value === null) return 'n';
  if (value instanceof Map) return documentKey(value);
  if (Array.isArray(value)) return `[${value.map(keyOf).join(',')}]`;
  if (isNumeric(value)) return numberKey(value);
  if (value._bsontype === 'BSONSymbol') return quote(value.value);
  if (value._bsontype === 'Undefined') return 'u';
  return `${typeOf(value)}(${comparableOf(value).map(partKey).join(',')})`;
}

function documentKey(document: Document): string {
  const members = Array.from(document, ([key, value]) => `${quote(key)}:${keyOf(value)}`);
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

/**
 * An order of documents by a sort specification, `{path: 1 | -1, …}`. A missing value counts as null; an array by its
 * lowest element when ascending and by its highest when descending; an empty array comes before null.
 * @throws ServerError 15975 and the like for a wrong specification
 */
export function compareBy(sort: Document): (a: Document, b: Document) => number {
  const fields = Array.from(sort, ([path, direction]) => sortField(path, direction));
  return (a, b) => {
    for (const { path, sign } of fields) {
      const order = sign * compare(sortKey(a, path, sign), sortKey(b, path, sign));
      if (order !== 0) return order;
    }
    return 0;
  };
}

function sortField(path: string, direction: Value): { path: readonly string[]; sign: 1 | -1 } {
  if (isDocument(direction)) throw new ServerError(238, 'Sorting by an expression such as $meta is not supported');
  if (!isNumeric(direction)) {
    throw new ServerError(15974, `Illegal key in $sort specification: ${path}: expected a number`);
  }
  const sign = toSafeInteger(direction);
  if (sign !== 1 && sign !== -1) {
    throw new ServerError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
  }
  const components = splitPath(path);
  if (components.includes('')) throw new ServerError(15998, 'FieldPath field names may not be empty strings.');
  if (path.startsWith('$')) throw new ServerError(16410, "FieldPath field names may not start with '$'.");
  return { path: components, sign };
}

function sortKey(document: Document, path: readonly string[], sign: 1 | -1): Value {
  const [first = '', ...rest] = path;
  const value = document.get(first);
  if (rest.length === 0 && !isArray(value)) return value ?? null;
  const keys: Value[] = [];
  collectKeys(value, path, 1, keys);
  return keys.reduce((best, key) => (sign * compare(key, best) < 0 ? key : best));
}

/** Adds at least one key. */
function collectKeys(value: Value | undefined, path: readonly string[], depth: number, keys: Value[]): void {
  const component = path[depth];
  if (component === undefined) {
    if (!isArray(value)) keys.push(value ?? null);
    else if (value.length === 0) keys.push(UNDEFINED);
    else for (const element of value) keys.push(element);
  } else if (isDocument(value)) {
    collectKeys(value.get(component), path, depth + 1, keys);
  } else if (isArray(value) && isIndex(component)) {
    collectKeys(value[Number(component)], path, depth + 1, keys);
  } else if (isArray(value) && value.length > 0) {
    for (const element of value) collectKeys(isDocument(element) ? element : undefined, path, depth, keys);
  } else {
    keys.push(null);
  }
}
