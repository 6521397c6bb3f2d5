import type { BsonClasses } from './bson-classes.ts';

/*
 * The types of BSON. Whatever goes by a type's code, its name or its place in MongoDB's order is derived from here.
 */

// One constant for each code, so that the bundler writes the number into every `switch`.
export const DOUBLE = 0x01;
export const STRING = 0x02;
export const DOCUMENT = 0x03;
export const ARRAY = 0x04;
export const BINARY = 0x05;
export const UNDEFINED = 0x06;
export const OBJECT_ID = 0x07;
export const BOOLEAN = 0x08;
export const DATE = 0x09;
export const NULL = 0x0a;
export const REGEX = 0x0b;
export const DB_POINTER = 0x0c;
export const CODE = 0x0d;
export const SYMBOL = 0x0e;
export const CODE_WITH_SCOPE = 0x0f;
export const INT32 = 0x10;
export const TIMESTAMP = 0x11;
export const INT64 = 0x12;
export const DECIMAL128 = 0x13;
export const MAX_KEY = 0x7f;
export const MIN_KEY = 0xff;

/** A type of BSON. */
interface BsonType {
  /** The byte before a stored element. https://bsonspec.org/spec.html */
  readonly code: number;
  /** The name that `$type` and `bsonType` take. */
  readonly name: string;
  /** The place in MongoDB's order. https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/ */
  readonly rank: number;
}

/** All types in MongoDB's order. Values of types of the same rank are compared with each other. */
export const BSON_TYPES = [
  { code: MIN_KEY, name: 'minKey', rank: -1 },
  { code: UNDEFINED, name: 'undefined', rank: 0 },
  { code: NULL, name: 'null', rank: 5 },
  { code: DOUBLE, name: 'double', rank: 10 },
  { code: INT32, name: 'int', rank: 10 },
  { code: INT64, name: 'long', rank: 10 },
  { code: DECIMAL128, name: 'decimal', rank: 10 },
  { code: STRING, name: 'string', rank: 15 },
  { code: SYMBOL, name: 'symbol', rank: 15 },
  { code: DOCUMENT, name: 'object', rank: 20 },
  { code: ARRAY, name: 'array', rank: 25 },
  { code: BINARY, name: 'binData', rank: 30 },
  { code: OBJECT_ID, name: 'objectId', rank: 35 },
  { code: BOOLEAN, name: 'bool', rank: 40 },
  { code: DATE, name: 'date', rank: 45 },
  { code: TIMESTAMP, name: 'timestamp', rank: 47 },
  { code: REGEX, name: 'regex', rank: 50 },
  { code: DB_POINTER, name: 'dbPointer', rank: 55 },
  { code: CODE, name: 'javascript', rank: 60 },
  { code: CODE_WITH_SCOPE, name: 'javascriptWithScope', rank: 65 },
  { code: MAX_KEY, name: 'maxKey', rank: 127 },
] as const satisfies readonly BsonType[];

/** A type's name, as `$type` and `bsonType` take it. */
export type BsonTypeName = (typeof BSON_TYPES)[number]['name'];

const RANKS: ReadonlyMap<BsonTypeName, number> = new Map(BSON_TYPES.map(({ name, rank }) => [name, rank]));

/** The place of a type in MongoDB's order. */
export function rankOfType(name: BsonTypeName): number {
  return RANKS.get(name) as number;
}

/** The types of numbers, whose values are compared with each other. */
export const NUMBER_TYPES: readonly BsonTypeName[] = BSON_TYPES.filter(({ rank }) => rank === rankOfType('double')).map(
  ({ name }) => name,
);

/** How an instance of a class of the bson package is stored, by the tag that it carries. Code with a scope has a type of its own. */
export const TYPE_OF_TAG: { readonly [Tag in keyof BsonClasses]: BsonTypeName } = {
  ObjectId: 'objectId',
  Int32: 'int',
  Double: 'double',
  Long: 'long',
  Decimal128: 'decimal',
  Timestamp: 'timestamp',
  Binary: 'binData',
  BSONRegExp: 'regex',
  BSONSymbol: 'symbol',
  Code: 'javascript',
  DBRef: 'object',
  MinKey: 'minKey',
  MaxKey: 'maxKey',
};
