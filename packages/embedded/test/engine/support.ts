// Documents for the tests of the engine, written as JavaScript objects: 1 is an int32, 1.5 a double.
import * as bson from 'bson';
import { decode, encode } from '../../src/engine/bson.ts';
import { type Document, isArray, isDocument, type Value } from '../../src/engine/value.ts';
import { ServerError } from '../../src/errors.ts';

/** Any value that the bson package can write. */
export type Input = unknown;

export function doc(input: Record<string, Input> | Map<string, Input>): Document {
  return decode(bson.serialize(input));
}

export function val(input: Input): Value {
  return doc({ v: input }).get('v') ?? null;
}

export const D = (value: number): bson.Double => new bson.Double(value);
export const L = (value: number | string): bson.Long => bson.Long.fromString(String(value));
export const dec = (text: string): bson.Decimal128 => bson.Decimal128.fromString(text);
export const oid = new bson.ObjectId('0123456789abcdef01234567');

/** A value as text that shows the type of every number and the order of keys: `{a: 1, b: 1.0, c: 1L, d: 1m}`. */
export function text(value: Value | undefined): string {
  if (value === undefined) return 'missing';
  if (isArray(value)) return `[${value.map(text).join(', ')}]`;
  if (isDocument(value)) return `{${Array.from(value, ([key, inner]) => `${key}: ${text(inner)}`).join(', ')}}`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  switch (value._bsontype) {
    case 'Int32':
      return String(value.value);
    case 'Double':
      return Number.isInteger(value.value) && !Object.is(value.value, -0)
        ? `${value.value}.0`
        : Object.is(value.value, -0)
          ? '-0.0'
          : String(value.value);
    case 'Long':
      return `${value.toString()}L`;
    case 'Decimal128':
      return `${value.toString()}m`;
    case 'DateTime':
      return `date(${value.milliseconds})`;
    case 'ObjectId':
      return `oid(${value.toHexString()})`;
    default:
      return `${value._bsontype}(${encode(new Map([['', value]])).toString('hex')})`;
  }
}

/** The ServerError that a call throws. */
export function failure(run: () => unknown): ServerError {
  try {
    run();
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
  throw new Error('expected a ServerError');
}
