// Sizes, timestamps and chance.
import { Buffer } from 'node:buffer';
import { Binary, Double, Int32, Long, Timestamp } from 'bson';
import { ServerError } from '../../errors.ts';
import { encode } from '../../values/bson.ts';
import { isDocument, isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { type Operator, type OperatorTable, unary } from './operator.ts';

function binarySize(value: Value | undefined, name: string): Value {
  if (isNullish(value)) return null;
  if (typeof value === 'string') return new Int32(Buffer.byteLength(value));
  if (value instanceof Binary) return new Int32(value.position);
  throw new ServerError(51276, `${name} requires a string or BinData argument, found: ${typeOrMissing(value)}`);
}

function bsonSize(value: Value | undefined, name: string): Value {
  if (isNullish(value)) return null;
  if (isDocument(value)) return new Int32(encode(value).length);
  throw new ServerError(31393, `${name} requires a document input, found: ${typeOrMissing(value)}`);
}

const ofTimestamp = (code: number, part: (timestamp: Timestamp) => number): Operator =>
  unary((value, name) => {
    if (isNullish(value)) return null;
    if (value instanceof Timestamp) return Long.fromNumber(part(value));
    throw new ServerError(code, `Argument to ${name} must be a timestamp, but is ${typeOrMissing(value)}`);
  });

const random: Operator = (name, argument) => {
  if (isDocument(argument) && argument.size > 0)
    throw new ServerError(3040501, `${name} does not currently accept arguments`);
  return () => new Double(Math.random());
};

/** Operators that belong to no larger family. */
export const MISC: OperatorTable = {
  $binarySize: unary(binarySize),
  $bsonSize: unary(bsonSize),
  $tsSecond: ofTimestamp(5687301, ({ t }) => t),
  $tsIncrement: ofTimestamp(5687302, ({ i }) => i),
  $rand: random,
};
