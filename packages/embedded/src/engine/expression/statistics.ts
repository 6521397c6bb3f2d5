// Accumulators as expressions: over their arguments, or over the elements of one array.
import { ServerError } from '../../errors.ts';
import { accumulate, ACCUMULATORS, countOf, N_ACCUMULATORS } from './accumulator.ts';
import { isArray, isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { collated, namedArguments, type Operator, type OperatorTable, required, variadic } from './operator.ts';

const OF_VALUES = ['$sum', '$avg', '$min', '$max', '$stdDevPop', '$stdDevSamp', '$mergeObjects'];

function ofValues(name: string): Operator {
  const start = ACCUMULATORS.get(name);
  if (start === undefined) throw new Error(`There is no accumulator ${name}`);
  return collated((rules) => variadic((args) => accumulate(start(rules), spread(args))));
}

/** One array argument means its elements. */
function spread(args: readonly (Value | undefined)[]): readonly (Value | undefined)[] {
  const [only] = args;
  return args.length === 1 && isArray(only) ? only : args;
}

const N_CODES = { notObject: 5787900, unknown: 5787901, missing: { n: 5787906, input: 5787907 } };

const keeping: Operator = (name, argument, scope, compile) => {
  const start = N_ACCUMULATORS.get(name);
  if (start === undefined) throw new Error(`There is no accumulator ${name}`);
  const args = namedArguments(name, argument, [], N_CODES);
  const n = compile(required(args, 'n'), scope);
  const input = compile(required(args, 'input'), scope);
  const rules = scope.rules;
  return (slots) => {
    const array = input(slots);
    if (!isArray(array)) {
      throw new ServerError(
        5788200,
        `input to ${name} must be an array, but is ${isNullish(array) ? 'null or missing' : typeOrMissing(array)}`,
      );
    }
    return accumulate(start(countOf(n(slots), name), rules), array);
  };
};

/** Accumulators as expressions. */
export const STATISTICS: OperatorTable = Object.fromEntries([
  ...OF_VALUES.map((name) => [name, ofValues(name)] as const),
  ...[...N_ACCUMULATORS.keys()].map((name) => [name, keeping] as const),
]);
