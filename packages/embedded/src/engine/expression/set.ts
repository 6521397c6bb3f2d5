import { ServerError } from '../../errors.ts';
import { keyOf } from '../order.ts';
import { isArray, isNullish, typeOrMissing, type Value } from '../value.ts';
import { binary, eager, type OperatorTable, truthy, unary, variadic } from './operator.ts';

type Index = Map<string, Value>;

/** The distinct elements by their keys, the first of equal ones, in the order they came. */
function distinct(values: Iterable<Value>): Index {
  const index: Index = new Map();
  for (const value of values) {
    const key = keyOf(value);
    if (!index.has(key)) index.set(key, value);
  }
  return index;
}

function operand(name: string, code: number, value: Value | undefined): Value[] {
  if (isArray(value)) return value;
  throw new ServerError(
    code,
    `All operands of ${name} must be arrays. One argument is of type: ${typeOrMissing(value)}`,
  );
}

function union(args: readonly (Value | undefined)[], name: string): Value {
  if (args.some(isNullish)) return null;
  return [...distinct(args.flatMap((array) => operand(name, 17043, array))).values()];
}

function intersection(args: readonly (Value | undefined)[], name: string): Value {
  if (args.some(isNullish)) return null;
  const [first, ...others] = args.map((array) => distinct(operand(name, 17047, array)));
  if (first === undefined) return [];
  return [...first].filter(([key]) => others.every((other) => other.has(key))).map(([, value]) => value);
}

function difference(a: Value | undefined, b: Value | undefined): Value {
  if (isNullish(a) || isNullish(b)) return null;
  if (!isArray(a))
    throw new ServerError(
      17048,
      `both operands of $setDifference must be arrays. First argument is of type: ${typeOrMissing(a)}`,
    );
  if (!isArray(b))
    throw new ServerError(
      17049,
      `both operands of $setDifference must be arrays. Second argument is of type: ${typeOrMissing(b)}`,
    );
  const removed = distinct(b);
  return [...distinct(a)].filter(([key]) => !removed.has(key)).map(([, value]) => value);
}

function isSubset(a: Value | undefined, b: Value | undefined, name: string): boolean {
  const all = distinct(operand(name, 17046, a));
  const others = distinct(operand(name, 17042, b));
  return [...all.keys()].every((key) => others.has(key));
}

function setEquals(args: readonly (Value | undefined)[], name: string): boolean {
  const [first = new Map(), ...others] = args.map((array) => distinct(operand(name, 17044, array)));
  return others.every((other) => other.size === first.size && [...first.keys()].every((key) => other.has(key)));
}

/** Operators that take arrays as sets. */
export const SET: OperatorTable = {
  $setUnion: variadic(union),
  $setIntersection: variadic(intersection),
  $setDifference: binary(difference),
  $setIsSubset: binary(isSubset),
  $setEquals: eager(2, Infinity, setEquals),
  $allElementsTrue: unary((array, name) => operand(name, 17040, array).every(truthy)),
  $anyElementTrue: unary((array, name) => operand(name, 17041, array).some(truthy)),
};
