import { ServerError } from '../../errors.ts';
import { toSafeInteger } from '../../values/number.ts';
import { compareBy } from '../match/sort.ts';
import { show } from '../../values/text.ts';
import { isArray, isDocument, isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { namedArguments, type Operator, type OperatorTable, required, type Scope } from './operator.ts';

const SORT_CODES = { notObject: 2942500, unknown: 2942501, missing: { input: 2942502, sortBy: 2942503 } };

/** By `1`, `-1` or a sort specification for elements that are documents. */
const sortArray: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, [], SORT_CODES);
  const input = compile(required(args, 'input'), scope);
  const order = elementOrder(required(args, 'sortBy'), scope);
  return (slots) => {
    const array = input(slots);
    if (isNullish(array)) return null;
    if (isArray(array)) return array.toSorted(order);
    throw new ServerError(
      2942504,
      `The input argument to ${name} must be an array, but was of type: ${typeOrMissing(array)}`,
    );
  };
};

function elementOrder(sortBy: Value, scope: Scope): (a: Value, b: Value) => number {
  if (isDocument(sortBy)) {
    const order = compareBy(sortBy, scope.collation?.compare);
    const documentOf = (value: Value) => (isDocument(value) ? value : new Map());
    return (a, b) => {
      scope.tick();
      return order(documentOf(a), documentOf(b));
    };
  }
  const sign = toSafeInteger(sortBy);
  const { compare } = scope.rules;
  if (sign === 1 || sign === -1) return (a, b) => sign * compare(a, b);
  throw new ServerError(2942507, `The $sort element value must be either 1 or -1, but was ${show(sortBy)}`);
}

const ZIP_OPTIONS = ['inputs', 'useLongestLength', 'defaults'];

const zip: Operator = (name, argument, scope, compile) => {
  if (!isDocument(argument)) {
    throw new ServerError(34460, `${name} only supports an object as an argument, found ${typeOrMissing(argument)}`);
  }
  for (const key of argument.keys()) {
    if (!ZIP_OPTIONS.includes(key)) throw new ServerError(34464, `${name} found an unknown argument: ${key}`);
  }
  const inputs = expressionList(argument.get('inputs') ?? [], 34461, 'inputs');
  const defaults = expressionList(argument.get('defaults') ?? [], 34462, 'defaults');
  const longest = argument.get('useLongestLength') ?? false;
  if (typeof longest !== 'boolean') throw new ServerError(34463, 'useLongestLength must be a bool');
  if (inputs.length === 0) throw new ServerError(34465, `${name} requires at least one input array`);
  if (defaults.length > 0 && !longest) {
    throw new ServerError(34466, 'cannot specify defaults unless useLongestLength is true');
  }
  if (defaults.length > 0 && defaults.length !== inputs.length) {
    throw new ServerError(34467, 'defaults and inputs must have the same length');
  }
  const compiled = inputs.map((input) => compile(input, scope));
  const fallbacks = defaults.map((value) => compile(value, scope));
  return (slots) => {
    const arrays: Value[][] = [];
    for (const input of compiled) {
      const array = input(slots);
      if (isNullish(array)) return null;
      if (!isArray(array)) {
        throw new ServerError(34468, `${name} found a non-array expression in input: ${show(array)}`);
      }
      arrays.push(array);
    }
    const lengths = arrays.map(({ length }) => length);
    const length = longest ? Math.max(...lengths) : Math.min(...lengths);
    const missing = fallbacks.map((value) => value(slots) ?? null);
    return Array.from({ length }, (_, at) => {
      scope.tick();
      return arrays.map((array, nth) => array[at] ?? missing[nth] ?? null);
    });
  };
};

function expressionList(value: Value, code: number, name: string): Value[] {
  if (isArray(value)) return value;
  throw new ServerError(code, `${name} must be an array of expressions, found ${typeOrMissing(value)}`);
}

/** Operators that put arrays in order, or side by side. */
export const ARRAY_ORDER: OperatorTable = { $sortArray: sortArray, $zip: zip };
