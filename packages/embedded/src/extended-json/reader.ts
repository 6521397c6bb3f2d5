// Values from Extended JSON, canonical or relaxed (source: the specification "MongoDB Extended JSON (v2)").
import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'; // prettier-ignore
import { INNER_LENGTH_BYTES } from './writer.ts';
import { readJson } from './json-reader.ts';
import {
  CodeWithScope,
  DateTime,
  DbPointer,
  type Document,
  isDocument,
  UNDEFINED,
  type Value,
} from '../values/value.ts';

/**
 * Reads one value. An object that only looks like a wrapped type, such as `{"$oid": 5}`, is a document.
 * @throws SyntaxError where the text is no JSON
 */
export function fromEjson(text: string): Value {
  return readJson(text, (object) => unwrap(object) ?? object);
}

/** What the only member of an object stands for, by its name; undefined where it stands for nothing. */
const WRAPPERS = new Map<string, (value: Value) => Value | undefined>([
  ['$numberInt', (value) => text(value, /^-?\d{1,10}$/, int32)],
  ['$numberLong', (value) => text(value, /^-?\d{1,19}$/, int64)],
  ['$numberDouble', (value) => text(value, DOUBLE, (digits) => new Double(Number(digits)))],
  ['$numberDecimal', (value) => text(value, /^[-+.\w]+$/, decimal)],
  ['$oid', (value) => text(value, /^[\da-f]{24}$/i, (hex) => new ObjectId(hex))],
  ['$symbol', (value) => text(value, /^/, (symbol) => new BSONSymbol(symbol))],
  ['$code', (value) => text(value, /^/, (code) => new Code(code))],
  ['$date', date],
  ['$binary', binary],
  ['$regularExpression', regularExpression],
  ['$timestamp', timestamp],
  ['$dbPointer', dbPointer],
  ['$minKey', (value) => (isOne(value) ? new MinKey() : undefined)],
  ['$maxKey', (value) => (isOne(value) ? new MaxKey() : undefined)],
  ['$undefined', (value) => (value === true ? UNDEFINED : undefined)],
]);

const DOUBLE = /^(?:-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|-?Infinity|NaN)$/;

function unwrap(object: Document): Value | undefined {
  const [name = ''] = object.keys();
  if (!name.startsWith('$')) return undefined;
  if (object.size === 1) return WRAPPERS.get(name)?.(object.get(name) ?? null);
  const code = object.get('$code');
  const scope = object.get('$scope');
  return object.size === 2 && typeof code === 'string' && isDocument(scope)
    ? new CodeWithScope(code, scope)
    : undefined;
}

function text<T>(value: Value | undefined, pattern: RegExp, make: (text: string) => T): T | undefined {
  return typeof value === 'string' && pattern.test(value) ? make(value) : undefined;
}

function isOne(value: Value): boolean {
  return value instanceof Int32 && value.value === 1;
}

function int32(digits: string): Int32 | undefined {
  const number = Number(digits);
  return number === (number | 0) ? new Int32(number) : undefined;
}

function int64(digits: string): Long | undefined {
  const integer = BigInt(digits);
  return integer === BigInt.asIntN(64, integer) ? Long.fromBigInt(integer) : undefined;
}

function decimal(digits: string): Decimal128 | undefined {
  try {
    return Decimal128.fromString(digits);
  } catch {
    return undefined;
  }
}

/** Canonical dates are longs, relaxed ones ISO 8601. */
function date(value: Value): DateTime | undefined {
  if (value instanceof Long) return new DateTime(value.toBigInt());
  const milliseconds = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : new DateTime(BigInt(milliseconds));
}

function binary(value: Value): Binary | undefined {
  const parts = members(value, 'base64', 'subType');
  const data = text(parts?.[0], /^[\w+/]*={0,2}$/, (base64) => Buffer.from(base64, 'base64'));
  const subtype = text(parts?.[1], /^[\da-f]{1,2}$/i, (hex) => Number.parseInt(hex, 16));
  if (data === undefined || subtype === undefined) return undefined;
  if (subtype !== 2) return new Binary(data, subtype);
  const length = Buffer.alloc(INNER_LENGTH_BYTES);
  length.writeInt32LE(data.length);
  return new Binary(Buffer.concat([length, data]), subtype);
}

function regularExpression(value: Value): BSONRegExp | undefined {
  const [pattern, options] = members(value, 'pattern', 'options') ?? [];
  if (typeof pattern !== 'string' || typeof options !== 'string' || `${pattern}${options}`.includes('\0'))
    return undefined;
  const expression = new BSONRegExp(pattern);
  // The constructor would sort the options, and refuse unknown ones.
  expression.options = options;
  return expression;
}

function timestamp(value: Value): Timestamp | undefined {
  const [seconds, increment] = (members(value, 't', 'i') ?? []).map(unsigned32);
  if (seconds === undefined || increment === undefined) return undefined;
  return new Timestamp({ t: seconds, i: increment });
}

function unsigned32(value: Value): number | undefined {
  const number = value instanceof Int32 || value instanceof Long ? Number(value) : Number.NaN;
  return number === number >>> 0 ? number : undefined;
}

function dbPointer(value: Value): DbPointer | undefined {
  const [namespace, id] = members(value, '$ref', '$id') ?? [];
  return typeof namespace === 'string' && id instanceof ObjectId ? new DbPointer(namespace, id) : undefined;
}

/** The values of a document that has these members and no others. */
function members(value: Value, ...names: readonly string[]): Value[] | undefined {
  if (!isDocument(value) || value.size !== names.length) return undefined;
  const values = names.map((name) => value.get(name));
  return values.includes(undefined) ? undefined : (values as Value[]);
}
