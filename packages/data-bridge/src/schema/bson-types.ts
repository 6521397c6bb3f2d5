import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { Binary, BSONRegExp, Decimal128, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import type { BsonTypeName } from '../bson/types.ts';

/** The BSON types that have a schema of their own: what a schema of each takes, and what it gives. */
export interface BsonValues {
  objectId: { readonly input: ObjectId | string; readonly output: ObjectId };
  decimal: { readonly input: Decimal128 | number | bigint | string; readonly output: Decimal128 };
  long: { readonly input: bigint | number | Long; readonly output: bigint };
  binary: { readonly input: Uint8Array | Binary; readonly output: Uint8Array };
  uuid: { readonly input: UUID | Binary | string; readonly output: UUID };
  timestamp: {
    readonly input: Timestamp | { readonly t: number; readonly i: number };
    readonly output: Timestamp;
  };
  regex: { readonly input: RegExp | BSONRegExp; readonly output: RegExp | BSONRegExp };
}

export type BsonKind = keyof BsonValues;

/** A Standard Schema for one BSON type. It stands as a field of a model; inside other schemas use those of `data-bridge/zod`. */
export interface BsonSchema<Input, Output> {
  /** Its JSON Schema is `{ bsonType }`, MongoDB's own keyword. */
  readonly '~standard': StandardSchemaV1.Props<Input, Output> & StandardJSONSchemaV1.Props<Input, Output>;
  /** Which BSON type: the mapper reads `long` as bigint and `binary` as Uint8Array whatever the driver's options say. */
  readonly '~bson': BsonKind;
  /** The field may be absent. */
  optional(): BsonSchema<Input | undefined, Output | undefined>;
  /** The field may be null. */
  nullable(): BsonSchema<Input | null, Output | null>;
}

/** The plain schema of a kind. */
type Plain<K extends BsonKind> = BsonSchema<BsonValues[K]['input'], BsonValues[K]['output']>;

/** An ObjectId. A string of 24 hexadecimal digits becomes one. */
export function objectId(): Plain<'objectId'> {
  return plainSchema('objectId');
}

/** A Decimal128. A number, a bigint or a decimal string becomes one; a string that needs rounding is refused. */
export function decimal(): Plain<'decimal'> {
  return plainSchema('decimal');
}

/** A 64-bit integer, a bigint in JavaScript. A safe integer or a Long becomes one. */
export function long(): Plain<'long'> {
  return plainSchema('long');
}

/** Bytes, a Uint8Array in JavaScript. A Binary of subtype 0 becomes one. */
export function binary(): Plain<'binary'> {
  return plainSchema('binary');
}

/** A UUID, stored as a binary of subtype 4. Its text, with or without hyphens, or a Binary of that subtype becomes one. */
export function uuid(): Plain<'uuid'> {
  return plainSchema('uuid');
}

/** MongoDB's internal Timestamp, for what replication writes; times of a program are Dates. `{ t, i }` (seconds, ordinal) becomes one. */
export function timestamp(): Plain<'timestamp'> {
  return plainSchema('timestamp');
}

/** A regular expression: a RegExp, or a BSONRegExp for what JavaScript's cannot say. */
export function regex(): Plain<'regex'> {
  return plainSchema('regex');
}

/** What a stored value of this kind is read as. A value of another type stays as it is. */
export function readAs(kind: BsonKind, value: unknown): unknown {
  if (kind === 'long') return toLong(value) ?? value;
  if (kind === 'binary') return toBytes(value) ?? value;
  return value;
}

/** What a schema of this kind makes of a value: its output, or what it expected. It takes its own output as it is. */
export function convertTo<K extends BsonKind>(
  kind: K,
  value: unknown,
): { readonly value: BsonValues[K]['output'] } | { readonly expected: string } {
  const { convert, expected } = TYPES[kind];
  const output = convert(value);
  return output === undefined ? { expected: `Expected ${expected}, got ${typeName(value)}` } : { value: output };
}

/** True where values of other types stand for one of this kind in filters and updates, as a text does for an id. */
export function hasStandIns(kind: string): kind is BsonKind {
  return Object.hasOwn(TYPES, kind) && TYPES[kind as BsonKind].standIns.length > 0;
}

/** True for such a value: `convertTo` says what it stands for. */
export function isStandIn(kind: BsonKind, value: unknown): boolean {
  return TYPES[kind].standIns.includes(typeof value);
}

/** MongoDB's name of the type, as `bsonType` has it. */
export function bsonTypeOf(kind: BsonKind): BsonTypeName {
  return TYPES[kind].bsonType;
}

interface BsonType<Output> {
  readonly bsonType: BsonTypeName;
  readonly expected: string;
  /** Values of which types stand for one of this type in filters and updates, where no schema is asked. */
  readonly standIns: readonly string[];
  /** `undefined` for what cannot be converted. */
  readonly convert: (value: unknown) => Output | undefined;
}

const TYPES: { readonly [K in BsonKind]: BsonType<BsonValues[K]['output']> } = {
  objectId: {
    bsonType: 'objectId',
    expected: 'an ObjectId or a string of 24 hexadecimal digits',
    standIns: ['string'],
    convert: toObjectId,
  },
  decimal: {
    bsonType: 'decimal',
    expected: 'a Decimal128, a finite number, a bigint or a decimal string of at most 34 digits',
    standIns: ['string', 'number'],
    convert: toDecimal,
  },
  long: {
    bsonType: 'long',
    expected: 'a 64-bit integer: a bigint, a safe integer or a Long',
    standIns: ['number'],
    convert: toLong,
  },
  binary: { bsonType: 'binData', expected: 'a Uint8Array or a Binary', standIns: [], convert: toBytes },
  uuid: {
    bsonType: 'binData',
    expected: 'a UUID or its text of 32 hexadecimal digits',
    standIns: ['string'],
    convert: toUuid,
  },
  timestamp: {
    bsonType: 'timestamp',
    expected: 'a Timestamp or { t, i } of two unsigned 32-bit integers',
    standIns: [],
    convert: toTimestamp,
  },
  regex: { bsonType: 'regex', expected: 'a RegExp or a BSONRegExp', standIns: [], convert: toRegex },
};

/** An ObjectId or a 24-digit hexadecimal string as an ObjectId; anything else gives `undefined`. */
export function toObjectId(value: unknown): ObjectId | undefined {
  if (value instanceof ObjectId) return value;
  return typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value) ? ObjectId.createFromHexString(value) : undefined;
}

function toDecimal(value: unknown): Decimal128 | undefined {
  if (value instanceof Decimal128) return value;
  if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'bigint' && typeof value !== 'string')
    return undefined;
  try {
    return Decimal128.fromString(String(value));
  } catch {
    return undefined; // no number, or more than 34 digits
  }
}

function toLong(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : undefined;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return Long.isLong(value) && !value.unsigned ? value.toBigInt() : undefined;
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  // Other subtypes carry a meaning that bare bytes would lose.
  return value instanceof Binary && value.sub_type === Binary.SUBTYPE_DEFAULT
    ? new Uint8Array(value.value())
    : undefined;
}

function toUuid(value: unknown): UUID | undefined {
  if (value instanceof UUID) return value;
  if (typeof value === 'string') return UUID.isValid(value) ? new UUID(value) : undefined;
  const isUuid = value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID && value.length() === 16;
  return isUuid ? value.toUUID() : undefined;
}

function toTimestamp(value: unknown): Timestamp | undefined {
  if (value instanceof Timestamp) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const { t, i } = value as { readonly t?: unknown; readonly i?: unknown };
  return isUint32(t) && isUint32(i) ? new Timestamp({ t, i }) : undefined;
}

function isUint32(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value;
}

function toRegex(value: unknown): RegExp | BSONRegExp | undefined {
  return value instanceof RegExp || value instanceof BSONRegExp ? value : undefined;
}

/** @param also what the schema takes besides: null, undefined or both. */
function plainSchema<Input, Output>(
  kind: BsonKind,
  also: readonly (null | undefined)[] = [],
): BsonSchema<Input, Output> {
  const validate = (value: unknown): StandardSchemaV1.Result<Output> => {
    if (also.includes(value as null)) return { value: value as Output };
    const converted = convertTo(kind, value);
    return 'expected' in converted
      ? { issues: [{ message: converted.expected }] }
      : { value: converted.value as Output };
  };
  const bsonType = bsonTypeOf(kind);
  const jsonSchema = (): Record<string, unknown> => ({ bsonType: also.includes(null) ? [bsonType, 'null'] : bsonType });
  return {
    '~standard': {
      version: 1,
      vendor: 'data-bridge',
      validate,
      jsonSchema: { input: jsonSchema, output: jsonSchema },
    },
    '~bson': kind,
    optional: () => plainSchema<Input | undefined, Output | undefined>(kind, [...also, undefined]),
    nullable: () => plainSchema<Input | null, Output | null>(kind, [...also, null]),
  };
}

/** How a message names what it got: the type, never the value. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`;
  const name: unknown = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor
    ?.name;
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object';
  return withArticle(name);
}

/** The name of a class in a sentence. */
export function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}
