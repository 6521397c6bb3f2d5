import { Buffer } from 'node:buffer';
import { Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import { toNumber } from '../../values/number.ts';
import { compareText } from '../../values/order.ts';
import { DateTime, isNullish, isNumeric, typeOrMissing, type Value } from '../../values/value.ts';
import { dateText } from './convert.ts';
import { binary, type Operator, type OperatorTable, unary, variadic } from './operator.ts';

function concat(args: readonly (Value | undefined)[]): Value {
  let text = '';
  for (const value of args) {
    if (isNullish(value)) return null;
    if (typeof value !== 'string')
      throw new ServerError(16702, `$concat only supports strings, not ${typeOrMissing(value)}`);
    text += value;
  }
  return text;
}

/** How the string functions take other values: numbers and dates are written out, nothing is empty. */
export function coerce(value: Value | undefined, name: string): string {
  if (isNullish(value)) return '';
  if (typeof value === 'string') return value;
  if (isNumeric(value)) return value._bsontype === 'Double' ? String(toNumber(value)) : value.toString();
  if (value instanceof DateTime) return dateText(value);
  throw new ServerError(16007, `can't convert from BSON type ${typeOrMissing(value)} to String in ${name}`);
}

function split(text: Value | undefined, separator: Value | undefined): Value {
  if (isNullish(text) || isNullish(separator)) return null;
  if (typeof text !== 'string') {
    throw new ServerError(
      40085,
      `$split requires an expression that evaluates to a string as a first argument, found: ${typeOrMissing(text)}`,
    );
  }
  if (typeof separator !== 'string') {
    throw new ServerError(
      40086,
      `$split requires an expression that evaluates to a string as a second argument, found: ${typeOrMissing(separator)}`,
    );
  }
  if (separator === '') throw new ServerError(40087, '$split requires a non-empty separator');
  return text.split(separator);
}

function requireString(value: Value | undefined, code: number, name: string): string {
  if (typeof value === 'string') return value;
  throw new ServerError(code, `${name} requires a string argument, found: ${typeOrMissing(value)}`);
}

const changeCase = (change: (text: string) => string): Operator => unary((value, name) => change(coerce(value, name)));

/** Operators on strings. Case changes touch ASCII letters only, as in MongoDB. */
export const STRING: OperatorTable = {
  $concat: variadic(concat),
  $split: binary(split),
  $toLower: changeCase((text) => text.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase())),
  $toUpper: changeCase((text) => text.replaceAll(/[a-z]+/g, (part) => part.toUpperCase())),
  $strcasecmp: binary((a, b, name) => {
    const order = compareText(coerce(a, name).toUpperCase(), coerce(b, name).toUpperCase());
    return new Int32(Math.sign(order));
  }),
  $strLenBytes: unary((value, name) => new Int32(Buffer.byteLength(requireString(value, 34473, name)))),
  $strLenCP: unary((value, name) => new Int32([...requireString(value, 34471, name)].length)),
};
