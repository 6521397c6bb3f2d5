// https://www.mongodb.com/docs/manual/reference/operator/update-array/
import { ServerError } from '../../errors.ts';
import { hasOperators, matcher } from '../match/compile.ts';
import { toSafeInteger } from '../../values/number.ts';
import type { Collation } from '../../values/collation.ts';
import { rulesOf } from '../../values/order.ts';
import { compareBy } from '../match/sort.ts';
import { showElement } from '../../values/text.ts';
import { type Document, isArray, isDocument, isNumeric, isRegExp, typeOf, type Value } from '../../values/value.ts';
import { badValue, lastName, type ModifierCompiler, notAnArray } from './modifier.ts';

type Change = (array: Value[]) => Value[];

const push: ModifierCompiler = (argument, _path, _name, collation) => {
  const clauses = isDocument(argument) && argument.has('$each') ? argument : undefined;
  const added = clauses === undefined ? [argument] : eachValues(clauses.get('$each') ?? null);
  const change = clauses === undefined ? insertAt(added, undefined) : pushClauses(clauses, added, collation);
  return {
    creates: true,
    apply: (value, context, path) => {
      if (value !== undefined && !isArray(value)) throw notAnArray(path, value, context);
      return change(value ?? []);
    },
  };
};

function eachValues(each: Value): Value[] {
  if (isArray(each)) return each;
  throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeOf(each)}`);
}

/** Puts in the values, then sorts, then cuts, however the clauses are written. */
function pushClauses(clauses: Document, added: readonly Value[], collation: Collation | undefined): Change {
  for (const key of clauses.keys()) {
    if (!['$each', '$position', '$slice', '$sort'].includes(key))
      throw badValue(`Unrecognized clause in $push: ${key}`);
  }
  const insert = insertAt(added, integerClause('$position', clauses.get('$position')));
  const sort = sorter(clauses.get('$sort'), collation);
  const slice = slicer(integerClause('$slice', clauses.get('$slice')));
  return (array) => slice(sort(insert(array)));
}

function integerClause(name: string, value: Value | undefined): number | undefined {
  if (value === undefined) return undefined;
  const integer = toSafeInteger(value);
  if (integer !== undefined) return integer;
  const given = name === '$slice' ? 'but was given' : 'not of';
  throw badValue(
    `The value for ${name} must be an integer value${name === '$slice' ? '' : ','} ${given} type: ${typeOf(value)}`,
  );
}

function insertAt(added: readonly Value[], position: number | undefined): Change {
  return (array) => {
    if (position === undefined) return [...array, ...added];
    const at = position < 0 ? Math.max(0, array.length + position) : Math.min(position, array.length);
    return [...array.slice(0, at), ...added, ...array.slice(at)];
  };
}

function sorter(sort: Value | undefined, collation: Collation | undefined): Change {
  if (sort === undefined) return (array) => array;
  if (isDocument(sort)) {
    if (sort.size === 0) throw badValue('The $sort pattern is empty when it should be a set of fields.');
    const order = sortPattern(sort, collation);
    return (array) => array.toSorted((a, b) => order(asDocument(a), asDocument(b)));
  }
  const sign = isNumeric(sort) ? toSafeInteger(sort) : undefined;
  if (sign !== 1 && sign !== -1) {
    throw badValue('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields');
  }
  const { compare } = rulesOf(collation);
  return (array) => array.toSorted((a, b) => sign * compare(a, b));
}

function sortPattern(sort: Document, collation: Collation | undefined): (a: Document, b: Document) => number {
  try {
    return compareBy(sort, collation?.compare);
  } catch (error) {
    throw error instanceof ServerError
      ? badValue(`The $sort element value must be either 1 or -1: ${error.message}`)
      : error;
  }
}

/** An element without members sorts as if all were missing. */
function asDocument(value: Value): Document {
  return isDocument(value) ? value : new Map();
}

function slicer(limit: number | undefined): Change {
  if (limit === undefined) return (array) => array;
  // Not slice(-0), which is everything.
  return (array) => (limit < 0 ? array.slice(limit) : array.slice(0, limit));
}

const addToSet: ModifierCompiler = (argument, _path, _name, collation) => {
  const { keyOf } = rulesOf(collation);
  const added = isDocument(argument) && argument.has('$each') ? setValues(argument) : [argument];
  return {
    creates: true,
    apply: (value, _context, path) => {
      if (value !== undefined && !isArray(value)) {
        throw badValue(
          `Cannot apply $addToSet to non-array field. Field named '${lastName(path)}' has non-array type ${typeOf(value)}`,
        );
      }
      const present = new Set(value?.map(keyOf));
      const fresh = added.filter((member) => {
        const key = keyOf(member);
        const isNew = !present.has(key);
        present.add(key);
        return isNew;
      });
      return value !== undefined && fresh.length === 0 ? value : [...(value ?? []), ...fresh];
    },
  };
};

function setValues(argument: Document): Value[] {
  const each = argument.get('$each') ?? null;
  if (!isArray(each)) {
    throw new ServerError(14, `The argument to $each in $addToSet must be an array but it was of type ${typeOf(each)}`);
  }
  if (argument.size > 1) {
    throw badValue(`Found unexpected fields after $each in $addToSet: ${[...argument.keys()].join(', ')}`);
  }
  return each;
}

/** An operator that takes elements out of an array. */
function removal(isRemoved: (element: Value) => boolean): ReturnType<ModifierCompiler> {
  return {
    creates: false,
    apply: (value) => {
      if (!isArray(value)) throw badValue('Cannot apply $pull to a non-array value');
      const kept = value.filter((element) => !isRemoved(element));
      return kept.length === value.length ? value : kept;
    },
  };
}

const pull: ModifierCompiler = (argument, _path, _name, collation) => removal(pullCondition(argument, collation));

/** A document is a filter on elements that are documents; operators and expressions test any element; the rest is a value. */
function pullCondition(argument: Value, collation: Collation | undefined): (element: Value) => boolean {
  if (isRegExp(argument) || (isDocument(argument) && testsValues(argument))) {
    const matches = matcher(new Map([['element', argument]]), { collation });
    return (element) => matches(new Map([['element', element]]));
  }
  if (!isDocument(argument)) return (element) => rulesOf(collation).equals(element, argument);
  const matches = matcher(argument, { collation });
  return (element) => isDocument(element) && matches(element);
}

function testsValues(condition: Document): boolean {
  const [first = ''] = condition.keys();
  return hasOperators(condition) && !['$and', '$or', '$nor', '$expr'].includes(first);
}

const pullAll: ModifierCompiler = (argument, _path, name, collation) => {
  const { keyOf } = rulesOf(collation);
  if (!isArray(argument)) throw badValue(`${name} requires an array argument but was given a ${typeOf(argument)}`);
  const keys = new Set(argument.map(keyOf));
  return removal((element) => keys.has(keyOf(element)));
};

const pop: ModifierCompiler = (argument, path) => {
  if (!isNumeric(argument)) throw new ServerError(9, `Expected a number in: ${showElement(path, argument)}`);
  const end = toSafeInteger(argument);
  if (end === undefined) throw new ServerError(9, `Expected an integer: ${showElement(path, argument)}`);
  if (end !== 1 && end !== -1) throw new ServerError(9, `$pop expects 1 or -1, found: ${end}`);
  return {
    creates: false,
    apply: (value, _context, at) => {
      if (value === undefined) return value;
      if (!isArray(value)) {
        throw new ServerError(14, `Path '${at}' contains an element of non-array type '${typeOf(value)}'`);
      }
      if (value.length === 0) return value;
      return end === 1 ? value.slice(0, -1) : value.slice(1);
    },
  };
};

/** The operators on arrays, by name. */
export const ARRAY_OPERATORS: Readonly<Record<string, ModifierCompiler>> = {
  $push: push,
  $addToSet: addToSet,
  $pull: pull,
  $pullAll: pullAll,
  $pop: pop,
};
