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

/** The numbers of the BSON types, as bytes on the wire (min key as a signed one), with MongoDB's names. */
export const BSON_TYPES = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
} as const;

/** MongoDB's name of a BSON type, as `$type` gives it. */
export type TypeName = keyof typeof BSON_TYPES;

export const TYPE_NAMES: readonly TypeName[] = Object.keys(BSON_TYPES).filter(isTypeName);

/** Whether a text is the name of a BSON type. */
export function isTypeName(name: string): name is TypeName {
  return Object.hasOwn(BSON_TYPES, name);
}

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

/** Whether a value is one of the four number types. */
export function isNumeric(value: Value | undefined): value is Numeric {
  if (!isTagged(value)) return false;
  const tag = value._bsontype;
  return tag === 'Int32' || tag === 'Double' || tag === 'Long' || tag === 'Decimal128';
}

/** Whether a value is null, BSON undefined or missing: what most expressions answer with null. */
export function isNullish(value: Value | undefined): value is null | Undefined | undefined {
  return value === undefined || value === null || value === UNDEFINED;
}

type Tagged = Exclude<Value, string | boolean | null | Value[] | Document>;

function isTagged(value: Value | undefined): value is Tagged {
  return typeof value === 'object' && value !== null && '_bsontype' in value;
}
