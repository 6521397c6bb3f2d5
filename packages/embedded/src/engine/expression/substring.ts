// Parts of strings. Strings are counted in UTF-8 bytes or in code points, never in UTF-16 units.
import { Buffer } from 'node:buffer';
import { Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import { toNumber } from '../../values/number.ts';
import { isNullish, isNumeric, typeOrMissing, type Value } from '../../values/value.ts';
import { eager, integerArgument, type OperatorTable } from './operator.ts';
import { coerce } from './string.ts';

type Arguments = readonly (Value | undefined)[];

function substringOfBytes([value, start, count]: Arguments, name: string): Value {
  const bytes = Buffer.from(coerce(value, name), 'utf8');
  const from = whole(start, 16034, 'starting index', name);
  const length = whole(count, 16035, 'length', name);
  if (from < 0) throw new ServerError(50752, `${name}: starting index must be non-negative (got: ${from})`);
  const to = length < 0 ? bytes.length : Math.min(bytes.length, from + length);
  if (isContinuation(bytes[from])) {
    throw new ServerError(28656, `${name}: Invalid range, starting index is a UTF-8 continuation byte.`);
  }
  if (isContinuation(bytes[to])) {
    throw new ServerError(28657, `${name}: Invalid range, ending index is in the middle of a UTF-8 character.`);
  }
  return bytes.toString('utf8', Math.min(from, bytes.length), Math.max(from, to));
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function whole(value: Value | undefined, code: number, what: string, name: string): number {
  if (isNumeric(value)) return Math.trunc(toNumber(value));
  throw new ServerError(code, `${name}: ${what} must be a numeric type (is BSON type ${typeOrMissing(value)})`);
}

function substringOfCodePoints([value, start, count]: Arguments, name: string): Value {
  const points = [...coerce(value, name)];
  const from = indexArgument(start, { type: 34450, range: 34451, sign: 34455 }, 'starting index', name);
  const length = indexArgument(count, { type: 34452, range: 34453, sign: 34454 }, 'length', name);
  return points.slice(from, from + length).join('');
}

interface IndexCodes {
  readonly type: number;
  readonly range: number;
  readonly sign: number;
}

function indexArgument(value: Value | undefined, codes: IndexCodes, what: string, name: string): number {
  if (!isNumeric(value)) {
    throw new ServerError(codes.type, `${name}: ${what} must be a numeric type (is BSON type ${typeOrMissing(value)})`);
  }
  const index = integerArgument(
    value,
    codes.range,
    `${name}: ${what} cannot be represented as a 32-bit integral value`,
  );
  if (index >= 0) return index;
  throw new ServerError(codes.sign, `${name}: ${what} must be a nonnegative integer.`);
}

/** How a string is counted and searched. */
interface Units {
  /** The codes of the errors for a string and for a substring that are none. */
  readonly codes: readonly [number, number];
  length(text: string): number;
  /** Where a text is found first in the units from `from` on and before `to`; -1 if nowhere. */
  search(text: string, sought: string, from: number, to: number): number;
}

const CODE_POINTS: Units = {
  codes: [40093, 40094],
  length: (text) => Array.from(text).length,
  search: (text, sought, from, to) => {
    const points = [...text].slice(0, to);
    const start = points.slice(0, from).join('').length;
    const found = points.join('').indexOf(sought, start);
    return found < 0 ? -1 : CODE_POINTS.length(text.slice(0, found));
  },
};

const BYTES: Units = {
  codes: [40091, 40092],
  length: (text) => Buffer.byteLength(text),
  search: (text, sought, from, to) => Buffer.from(text, 'utf8').subarray(0, to).indexOf(sought, from, 'utf8'),
};

const indexOf =
  ({ codes, length, search }: Units) =>
  ([text, sought, start, end]: Arguments, name: string): Value => {
    if (isNullish(text)) return null;
    if (typeof text !== 'string') throw notText(codes[0], name, 'first', text);
    if (typeof sought !== 'string') throw notText(codes[1], name, 'second', sought);
    const size = length(text);
    const from = start === undefined ? 0 : bound(start, 'starting', name);
    const to = end === undefined ? size : Math.min(size, bound(end, 'ending', name));
    return new Int32(from > to ? -1 : search(text, sought, from, to));
  };

function notText(code: number, name: string, nth: string, value: Value | undefined): ServerError {
  return new ServerError(code, `${name} requires a string as the ${nth} argument, found: ${typeOrMissing(value)}`);
}

function bound(value: Value, what: string, name: string): number {
  const message = `${name} requires an integral ${what} index, found a value of type: ${typeOrMissing(value)}`;
  const index = integerArgument(value, 40096, message);
  if (index >= 0) return index;
  throw new ServerError(40097, `${name} requires a nonnegative ${what} index, found: ${index}`);
}

/** Operators on parts of strings. */
export const SUBSTRING: OperatorTable = {
  $substr: eager(3, 3, substringOfBytes),
  $substrBytes: eager(3, 3, substringOfBytes),
  $substrCP: eager(3, 3, substringOfCodePoints),
  $indexOfBytes: eager(2, 4, indexOf(BYTES)),
  $indexOfCP: eager(2, 4, indexOf(CODE_POINTS)),
};
