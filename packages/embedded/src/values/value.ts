import type {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import type { TypeName } from './types.ts';

/** A BSON document: ordered, and safe for every key. A stored document with one key twice shows the first. */
export type Document = Map<string, Value>;

/**
 * A BSON value with its type. Numbers are always `Int32`, `Double`, `Long` or `Decimal128`, never JavaScript numbers.
 * A missing value is no `Value`; where one can be missing, the type says `Value | undefined`.
 *
 * A `Binary` of subtype 2 keeps its inner length as the first four bytes of its payload, so that any bytes survive.
 */
export type Value =
  | string
  | boolean
  | null
  | Int32
  | Double
  | Long
  | Decimal128
  | ObjectId
  | Binary
  | Timestamp
  | BSONRegExp
  | Code
  | BSONSymbol
  | MinKey
  | MaxKey
  | DateTime
  | CodeWithScope
  | DbPointer
  | Undefined
  | Value[]
  | Document;

/** A number of one of the four BSON types. */
export type Numeric = Int32 | Double | Long | Decimal128;

/** Milliseconds since 1970, any 64-bit integer: stored dates may lie outside what a JavaScript `Date` can hold. */
export class DateTime {
  readonly _bsontype = 'DateTime';
  readonly milliseconds: bigint;

  constructor(milliseconds: bigint) {
    this.milliseconds = BigInt.asIntN(64, milliseconds);
  }

  static now(): DateTime {
    return new DateTime(BigInt(Date.now()));
  }
}

/** BSON type 15, deprecated: JavaScript code with a scope. */
export class CodeWithScope {
  readonly _bsontype = 'CodeWithScope';
  readonly code: string;
  readonly scope: Document;

  constructor(code: string, scope: Document) {
    this.code = code;
    this.scope = scope;
  }
}

/** BSON type 12, deprecated: a namespace and an ObjectId. */
export class DbPointer {
  readonly _bsontype = 'DbPointer';
  readonly namespace: string;
  readonly id: ObjectId;

  constructor(namespace: string, id: ObjectId) {
    this.namespace = namespace;
    this.id = id;
  }
}

/** BSON type 6, deprecated. Its one instance is {@link UNDEFINED}; JavaScript's `undefined` stands for a missing value. */
export class Undefined {
  readonly _bsontype = 'Undefined';
}

export const UNDEFINED = new Undefined();

/** How deep documents and arrays may nest, the outermost document included, as in MongoDB. */
export const MAX_DEPTH = 200;

/** Up to this many bytes texts are read and written unit by unit: native calls cost more than they save. */
export const SHORT_TEXT = 24;

const TYPE_OF_TAG = {
  Int32: 'int',
  Double: 'double',
  Long: 'long',
  Decimal128: 'decimal',
  ObjectId: 'objectId',
  Binary: 'binData',
  Timestamp: 'timestamp',
  BSONRegExp: 'regex',
  Code: 'javascript',
  BSONSymbol: 'symbol',
  MinKey: 'minKey',
  MaxKey: 'maxKey',
  DateTime: 'date',
  CodeWithScope: 'javascriptWithScope',
  DbPointer: 'dbPointer',
  Undefined: 'undefined',
} as const satisfies Record<string, TypeName>;

/** MongoDB's name of the type of a value. */
export function typeOf(value: Value): TypeName {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (value === null) return 'null';
  if (value instanceof Map) return 'object';
  if (Array.isArray(value)) return 'array';
  return TYPE_OF_TAG[value._bsontype];
}

/** As {@link typeOf}, with `missing` for a value that is not there, as `$type` in an expression has it. */
export function typeOrMissing(value: Value | undefined): TypeName | 'missing' {
  return value === undefined ? 'missing' : typeOf(value);
}

/** A document of these members. */
export function documentOf(...members: readonly (readonly [string, Value])[]): Document {
  return new Map(members);
}

export function isDocument(value: Value | undefined): value is Document {
  return value instanceof Map;
}

export function isArray(value: Value | undefined): value is Value[] {
  return Array.isArray(value);
}

export function isRegExp(value: Value | undefined): value is BSONRegExp {
  return isTagged(value) && value._bsontype === 'BSONRegExp';
}

export function isDate(value: Value | undefined): value is DateTime {
  return value instanceof DateTime;
}

/** True where a value is one of the four number types. */
export function isNumeric(value: Value | undefined): value is Numeric {
  if (!isTagged(value)) return false;
  const tag = value._bsontype;
  return tag === 'Int32' || tag === 'Double' || tag === 'Long' || tag === 'Decimal128';
}

/** True where a value is null, BSON undefined or missing: what most expressions answer with null. */
export function isNullish(value: Value | undefined): value is null | Undefined | undefined {
  return value === undefined || value === null || value === UNDEFINED;
}

type Tagged = Exclude<Value, string | boolean | null | Value[] | Document>;

function isTagged(value: Value | undefined): value is Tagged {
  return typeof value === 'object' && value !== null && '_bsontype' in value;
}
