import type {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  ObjectId,
} from 'mongodb';
import { types } from 'node:util';
import { hasToBson } from './copy.ts';

/** The classes of the bson package by the tag that their instances carry. */
export interface BsonClasses {
  ObjectId: ObjectId;
  Int32: Int32;
  Double: Double;
  Long: Long;
  Decimal128: Decimal128;
  Timestamp: BSON.Timestamp;
  Binary: Binary;
  BSONRegExp: BSONRegExp;
  BSONSymbol: BSONSymbol;
  Code: Code;
  DBRef: DBRef;
  MinKey: BSON.MinKey;
  MaxKey: BSON.MaxKey;
}

// Every BSON class has it, of whatever copy of the package, and no stored document can: its key is no string.
const version = Symbol.for('@@mdb.bson.version');

/** True for an instance of the BSON class of that tag. A plain object with a `_bsontype` of its own is none. */
export function isBson<K extends keyof BsonClasses>(value: unknown, tag: K): value is BsonClasses[K] {
  return isObject(value) && version in value && (value as { _bsontype?: unknown })._bsontype === tag;
}

/** The tag of a BSON class's instance, undefined for everything else. */
export function bsonTag(value: object): keyof BsonClasses | undefined {
  return version in value ? (value as { _bsontype?: keyof BsonClasses })._bsontype : undefined;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What is stored in the place of a live value: what its `toBSON` gives, where it has one. */
export function toStored(value: unknown): unknown {
  return isObject(value) && hasToBson(value) ? value.toBSON() : value;
}

export function isDate(value: unknown): value is Date {
  return value instanceof Date || types.isDate(value);
}

export function isRegExp(value: unknown): value is RegExp {
  return value instanceof RegExp || types.isRegExp(value);
}

export function isUint8Array(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || types.isUint8Array(value);
}

export function isMap(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map || types.isMap(value);
}
