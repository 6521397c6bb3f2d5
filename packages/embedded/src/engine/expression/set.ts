import { ServerError } from '../../errors.ts';
import type { Rules } from '../../values/order.ts';
import { isArray, isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { binary, collated, eager, type OperatorTable, truthy, unary, variadic } from './operator.ts';

type Index = Map<string, Value>;

/** The distinct elements by their keys, the first of equal ones, in the order they came. */
function distinct(values: Iterable<Value>, { keyOf }: Rules): Index {
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

function union(args: readonly (Value | undefined)[], name: string, rules: Rules): Value {
  if (args.some(isNullish)) return null;
  return [
    ...distinct(
      args.flatMap((array) => operand(name, 17043, array)),
      rules,
    ).values(),
  ];
}

function intersection(args: readonly (Value | undefined)[], name: string, rules: Rules): Value {
  if (args.some(isNullish)) return null;
  const [first, ...others] = args.map((array) => distinct(operand(name, 17047, array), rules));
  if (first === undefined) return [];
  return [...first].filter(([key]) => others.every((other) => other.has(key))).map(([, value]) => value);
}

function difference(a: Value | undefined, b: Value | undefined, rules: Rules): Value {
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
  const removed = distinct(b, rules);
  return [...distinct(a, rules)].filter(([key]) => !removed.has(key)).map(([, value]) => value);
}

function isSubset(a: Value | undefined, b: Value | undefined, name: string, rules: Rules): boolean {
  const all = distinct(operand(name, 17046, a), rules);
  const others = distinct(operand(name, 17042, b), rules);
  return [...all.keys()].every((key) => others.has(key));
}

function setEquals(args: readonly (Value | undefined)[], name: string, rules: Rules): boolean {
  const [first = new Map(), ...others] = args.map((array) => distinct(operand(name, 17044, array), rules));
  return others.every((other) => other.size === first.size && [...first.keys()].every((key) => other.has(key)));
}

/** Operators that take arrays as sets. */
export const SET: OperatorTable = {
  $setUnion: collated((rules) => variadic((args, name) => union(args, name, rules))),
  $setIntersection: collated((rules) => variadic((args, name) => intersection(args, name, rules))),
  $setDifference: collated((rules) => binary((a, b) => difference(a, b, rules))),
  $setIsSubset: collated((rules) => binary((a, b, name) => isSubset(a, b, name, rules))),
  $setEquals: collated((rules) => eager(2, Infinity, (args, name) => setEquals(args, name, rules))),
  $allElementsTrue: unary((array, name) => operand(name, 17040, array).every(truthy)),
  $anyElementTrue: unary((array, name) => operand(name, 17041, array).some(truthy)),
};
