import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Binary, Decimal128, Long, ObjectId } from 'mongodb';

/** The BSON types that have a schema of their own. */
export type BsonKind = 'objectId' | 'decimal' | 'long' | 'binary';

/** A Standard Schema for one BSON type. It stands as a field of a model; inside other schemas use those of `data-bridge/zod`. */
export interface BsonSchema<Input, Output> {
  readonly '~standard': StandardSchemaV1.Props<Input, Output>;
  /** Which BSON type: the mapper reads `long` as bigint and `binary` as Uint8Array whatever the driver's options say. */
  readonly '~bson': BsonKind;
  /** The field may be absent. */
  optional(): BsonSchema<Input | undefined, Output | undefined>;
  /** The field may be null. */
  nullable(): BsonSchema<Input | null, Output | null>;
}

/** An ObjectId. A string of 24 hexadecimal digits becomes one. */
export function objectId(): BsonSchema<ObjectId | string, ObjectId> {
  return schema('objectId', 'Expected an ObjectId or a string of 24 hexadecimal digits', toObjectId);
}

/** A Decimal128. A number, a bigint or a decimal string becomes one; a string that needs rounding is refused. */
export function decimal(): BsonSchema<Decimal128 | number | bigint | string, Decimal128> {
  return schema(
    'decimal',
    'Expected a Decimal128, a finite number, a bigint or a decimal string of at most 34 digits',
    toDecimal,
  );
}

/** A 64-bit integer, a bigint in JavaScript. A safe integer or a Long becomes one. */
export function long(): BsonSchema<bigint | number | Long, bigint> {
  return schema('long', 'Expected a 64-bit integer: a bigint, a safe integer or a Long', toLong);
}

/** Bytes, a Uint8Array in JavaScript. A Binary of subtype 0 becomes one. */
export function binary(): BsonSchema<Uint8Array | Binary, Uint8Array> {
  return schema('binary', 'Expected a Uint8Array or a Binary', toBytes);
}

/** What a stored value of this kind is read as. A value of another type stays as it is. */
export function readAs(kind: BsonKind, value: unknown): unknown {
  if (kind === 'long') return toLong(value) ?? value;
  if (kind === 'binary') return toBytes(value) ?? value;
  return value;
}

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

function schema<Input, Output>(
  kind: BsonKind,
  expected: string,
  convert: (value: unknown) => Output | undefined,
  also: readonly (null | undefined)[] = [],
): BsonSchema<Input, Output> {
  const validate = (value: unknown): StandardSchemaV1.Result<Output> => {
    if (also.includes(value as null)) return { value: value as Output };
    const output = convert(value);
    return output === undefined ? { issues: [{ message: `${expected}, got ${typeName(value)}` }] } : { value: output };
  };
  return {
    '~standard': { version: 1, vendor: 'data-bridge', validate },
    '~bson': kind,
    optional: () => schema<Input | undefined, Output | undefined>(kind, expected, convert, [...also, undefined]),
    nullable: () => schema<Input | null, Output | null>(kind, expected, convert, [...also, null]),
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
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}
