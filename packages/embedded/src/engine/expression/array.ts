import { Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import type { Rules } from '../../values/order.ts';
import { isArray, isNullish, isNumeric, typeOrMissing, type Value } from '../../values/value.ts';
import {
  binary,
  collated,
  eager,
  integerArgument,
  namedArguments,
  type Operator,
  type OperatorTable,
  required,
  truthy,
  unary,
  variadic,
} from './operator.ts';

const MAP_CODES = { notObject: 16878, unknown: 16879, missing: { input: 16880, in: 16882 } };
const FILTER_CODES = { notObject: 28646, unknown: 28647, missing: { input: 28648, cond: 28650 } };
const REDUCE_CODES = { notObject: 40075, unknown: 40076, missing: { input: 40077, initialValue: 40078, in: 40079 } };

/** The name of the element in `$map` and `$filter`. */
function elementName(name: string, args: ReadonlyMap<string, Value>): string {
  const as = args.get('as') ?? 'this';
  if (typeof as !== 'string') throw new ServerError(14, `'as' must be a string in ${name}`);
  return as;
}

const map: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, ['as'], MAP_CODES);
  const input = compile(required(args, 'input'), scope);
  const inner = scope.with(elementName(name, args));
  const [slot = 0] = inner.slots;
  const body = compile(required(args, 'in'), inner.scope);
  return (slots) => {
    const array = input(slots);
    if (isNullish(array)) return null;
    if (!isArray(array)) throw new ServerError(16883, `input to ${name} must be an array not ${typeOrMissing(array)}`);
    return array.map((element) => {
      scope.tick();
      slots[slot] = element;
      return body(slots) ?? null;
    });
  };
};

const filter: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, ['as', 'limit'], FILTER_CODES);
  const input = compile(required(args, 'input'), scope);
  const limit = compile(args.get('limit') ?? null, scope);
  const inner = scope.with(elementName(name, args));
  const [slot = 0] = inner.slots;
  const condition = compile(required(args, 'cond'), inner.scope);
  return (slots) => {
    const array = input(slots);
    if (isNullish(array)) return null;
    if (!isArray(array)) throw new ServerError(28651, `input to ${name} must be an array not ${typeOrMissing(array)}`);
    const most = filterLimit(limit(slots));
    const kept: Value[] = [];
    for (const element of array) {
      if (kept.length >= most) break;
      scope.tick();
      slots[slot] = element;
      if (truthy(condition(slots))) kept.push(element);
    }
    return kept;
  };
};

function filterLimit(limit: Value | undefined): number {
  if (isNullish(limit)) return Infinity;
  const most = integerArgument(limit, 327391, '$filter: limit must be represented as a 32-bit integral value');
  if (most < 1) throw new ServerError(327392, '$filter: limit must be greater than 0');
  return most;
}

const reduce: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, [], REDUCE_CODES);
  const input = compile(required(args, 'input'), scope);
  const initial = compile(required(args, 'initialValue'), scope);
  const inner = scope.with('this', 'value');
  const [thisSlot = 0, valueSlot = 0] = inner.slots;
  const body = compile(required(args, 'in'), inner.scope);
  return (slots) => {
    const array = input(slots);
    if (isNullish(array)) return null;
    if (!isArray(array)) {
      throw new ServerError(40080, `${name} requires that 'input' be an array, found: ${typeOrMissing(array)}`);
    }
    let value = initial(slots);
    for (const element of array) {
      scope.tick();
      slots[thisSlot] = element;
      slots[valueSlot] = value;
      value = body(slots);
    }
    return value;
  };
};

function elementAt(array: Value | undefined, index: Value | undefined, name: string): Value | undefined {
  if (isNullish(array)) return null;
  if (!isArray(array)) {
    throw new ServerError(28689, `${name}'s first argument must be an array, but is ${typeOrMissing(array)}`);
  }
  if (isNullish(index)) return null;
  if (!isNumeric(index)) {
    throw new ServerError(28690, `${name}'s second argument must be a numeric value, but is ${typeOrMissing(index)}`);
  }
  const at = integerArgument(index, 28691, `${name}'s second argument must be representable as a 32-bit integer`);
  return array.at(at);
}

const firstOrLast = (at: 0 | -1): Operator =>
  unary((array, name) => {
    if (isNullish(array)) return null;
    if (!isArray(array))
      throw new ServerError(28689, `${name}'s argument must be an array, but is ${typeOrMissing(array)}`);
    return array.at(at);
  });

function concatArrays(args: readonly (Value | undefined)[]): Value {
  const all: Value[] = [];
  for (const array of args) {
    if (isNullish(array)) return null;
    if (!isArray(array)) {
      throw new ServerError(28664, `$concatArrays only supports arrays, not ${typeOrMissing(array)}`);
    }
    for (const element of array) all.push(element);
  }
  return all;
}

function contains(value: Value | undefined, array: Value | undefined, { equals }: Rules): boolean {
  if (!isArray(array)) {
    throw new ServerError(40081, `$in requires an array as a second argument, found: ${typeOrMissing(array)}`);
  }
  return array.some((element) => equals(element, value));
}

function size(array: Value | undefined): Value {
  if (isArray(array)) return new Int32(array.length);
  throw new ServerError(17124, `The argument to $size must be an array, but was of type: ${typeOrMissing(array)}`);
}

function slice([array, first, second]: readonly (Value | undefined)[], count: number): Value {
  if (isNullish(array) || isNullish(first) || (count === 3 && isNullish(second))) return null;
  if (!isArray(array)) {
    throw new ServerError(28724, `First argument to $slice must be an array, but is of type: ${typeOrMissing(array)}`);
  }
  const numeric = (value: Value, nth: string, code: number): number => {
    if (isNumeric(value))
      return integerArgument(value, code + 1, `${nth} argument to $slice can't be represented as a 32-bit integer`);
    throw new ServerError(code, `${nth} argument to $slice must be numeric, but is of type: ${typeOrMissing(value)}`);
  };
  const from = numeric(first, 'Second', 28725);
  if (second === undefined || second === null) return from < 0 ? array.slice(from) : array.slice(0, from);
  const length = numeric(second, 'Third', 28727);
  if (length <= 0) throw new ServerError(28729, `Third argument to $slice must be positive: ${length}`);
  const start = from < 0 ? Math.max(0, array.length + from) : from;
  return array.slice(start, start + length);
}

/** As many numbers as fit in the 100 MiB that MongoDB allows, at its 16 bytes for each. */
const MOST_IN_RANGE = 6_553_600;

function range([start, end, step = new Int32(1)]: readonly (Value | undefined)[]): Value {
  const numeric = (value: Value | undefined, what: string, code: number): number => {
    if (isNumeric(value))
      return integerArgument(value, code + 1, `$range requires ${what} that can be represented as a 32-bit integer`);
    throw new ServerError(code, `$range requires a numeric ${what}, found value of type: ${typeOrMissing(value)}`);
  };
  const from = numeric(start, 'a starting value', 34443);
  const to = numeric(end, 'an ending value', 34445);
  const by = numeric(step, 'a step value', 34447);
  if (by === 0) throw new ServerError(34449, '$range requires a non-zero step value');
  const length = Math.max(0, Math.ceil((to - from) / by));
  if (length > MOST_IN_RANGE) {
    throw new ServerError(146, `$range would use too much memory: ${length} numbers, of ${MOST_IN_RANGE} at most`);
  }
  return Array.from({ length }, (_, index) => new Int32(from + index * by));
}

function indexOfArray(
  [array, value, start, end]: readonly (Value | undefined)[],
  count: number,
  { equals }: Rules,
): Value {
  if (isNullish(array)) return null;
  if (!isArray(array)) {
    throw new ServerError(40090, `$indexOfArray requires an array as a first argument, found: ${typeOrMissing(array)}`);
  }
  const bound = (given: Value | undefined, what: string): number => {
    const index = integerArgument(
      given,
      40096,
      `$indexOfArray requires an integral ${what} index, found a value of type: ${typeOrMissing(given)}`,
    );
    if (index < 0) throw new ServerError(40097, `$indexOfArray requires a nonnegative ${what} index, found: ${index}`);
    return index;
  };
  const from = count > 2 ? bound(start, 'starting') : 0;
  const to = count > 3 ? bound(end, 'ending') : array.length;
  const index = array.findIndex((element, i) => i >= from && i < to && equals(element, value));
  return new Int32(index);
}

function reverse(array: Value | undefined): Value {
  if (isNullish(array)) return null;
  if (isArray(array)) return array.toReversed();
  throw new ServerError(
    34435,
    `The argument to $reverseArray must be an array, but was of type: ${typeOrMissing(array)}`,
  );
}

/** Operators on arrays. */
export const ARRAY: OperatorTable = {
  $map: map,
  $filter: filter,
  $reduce: reduce,
  $arrayElemAt: binary(elementAt),
  $first: firstOrLast(0),
  $last: firstOrLast(-1),
  $concatArrays: variadic(concatArrays),
  $in: collated((rules) => binary((value, array) => contains(value, array, rules))),
  $isArray: unary((value) => isArray(value)),
  $size: unary(size),
  $slice: eager(2, 3, (args) => slice(args, args.length)),
  $range: eager(2, 3, range),
  $indexOfArray: collated((rules) => eager(2, 4, (args) => indexOfArray(args, args.length, rules))),
  $reverseArray: unary(reverse),
};
