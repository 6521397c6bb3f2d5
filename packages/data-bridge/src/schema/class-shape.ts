import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { impossible, SCALAR, type Shape, UNKNOWN } from './schema-shape.ts';

const STORED: ReadonlyMap<unknown, Shape> = new Map<unknown, Shape>([
  [Uint8Array, { type: 'scalar', kind: 'binary' }],
  [Buffer, { type: 'scalar', kind: 'buffer' }],
  [Map, { type: 'record', kind: 'map', keepsOthers: true }],
  [Object, UNKNOWN],
  [Array, { type: 'array' }],
  ...[Date, RegExp, Binary, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Double, Int32, Long].map(
    (each) => [each, SCALAR] as const,
  ),
  ...[MaxKey, MinKey, ObjectId, Timestamp, UUID].map((each) => [each, SCALAR] as const),
]);

/** What the instances of a class are as BSON has them. */
export function classShape(constructor: unknown): Shape {
  if (typeof constructor !== 'function') return UNKNOWN;
  return (
    STORED.get(constructor) ??
    impossible(`instances of ${constructor.name === '' ? 'a class' : constructor.name}, which BSON does not give back`)
  );
}
