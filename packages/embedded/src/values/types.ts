/*
 * The types of BSON. Whatever goes by a type's code, its name or its place in the order of types is derived from here.
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

/**
 * All types by the names that `$type` knows: the byte before a stored element, https://bsonspec.org/spec.html, and the
 * place in BSON's order, https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
 * Values of types of the same rank are compared with each other.
 */
export const BSON_TYPES = {
  minKey: { code: MIN_KEY, rank: -1 },
  undefined: { code: UNDEFINED, rank: 0 },
  null: { code: NULL, rank: 5 },
  double: { code: DOUBLE, rank: 10 },
  int: { code: INT32, rank: 10 },
  long: { code: INT64, rank: 10 },
  decimal: { code: DECIMAL128, rank: 10 },
  string: { code: STRING, rank: 15 },
  symbol: { code: SYMBOL, rank: 15 },
  object: { code: DOCUMENT, rank: 20 },
  array: { code: ARRAY, rank: 25 },
  binData: { code: BINARY, rank: 30 },
  objectId: { code: OBJECT_ID, rank: 35 },
  bool: { code: BOOLEAN, rank: 40 },
  date: { code: DATE, rank: 45 },
  timestamp: { code: TIMESTAMP, rank: 47 },
  regex: { code: REGEX, rank: 50 },
  dbPointer: { code: DB_POINTER, rank: 55 },
  javascript: { code: CODE, rank: 60 },
  javascriptWithScope: { code: CODE_WITH_SCOPE, rank: 65 },
  maxKey: { code: MAX_KEY, rank: 127 },
} as const;

/** MongoDB's name of a BSON type, as `$type` gives it. */
export type TypeName = keyof typeof BSON_TYPES;

const TYPE_NAMES: readonly TypeName[] = Object.keys(BSON_TYPES).filter(isTypeName);

/** The types of numbers. */
export const NUMBER_TYPES: readonly TypeName[] = TYPE_NAMES.filter(
  (name) => BSON_TYPES[name].rank === BSON_TYPES.double.rank,
);

/** True for the name of a BSON type. */
export function isTypeName(name: string): name is TypeName {
  return Object.hasOwn(BSON_TYPES, name);
}

const NAMES_BY_NUMBER: ReadonlyMap<number, TypeName> = new Map(
  TYPE_NAMES.map((name) => [name === 'minKey' ? -1 : BSON_TYPES[name].code, name]),
);

/** The type of a number as `$type` takes it: its code, which is negative for min key. */
export function typeOfNumber(number: number): TypeName | undefined {
  return NAMES_BY_NUMBER.get(number);
}
