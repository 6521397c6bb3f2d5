import { ServerError } from '../../errors.ts';
import {
  type Document,
  documentOf,
  isArray,
  isDocument,
  isNullish,
  typeOrMissing,
  type Value,
} from '../../values/value.ts';
import {
  type Compile,
  type Expression,
  namedArguments,
  type Operator,
  type OperatorTable,
  required,
  type Scope,
  unary,
} from './operator.ts';

const GET_FIELD_CODES = { notObject: 3041701, unknown: 3041701, missing: { field: 3041702, input: 3041703 } };
const SET_FIELD_CODES = {
  notObject: 4161100,
  unknown: 4161101,
  missing: { field: 4161102, input: 4161109, value: 4161103 },
};
const UNSET_FIELD_CODES = { notObject: 4161100, unknown: 4161101, missing: { field: 4161102, input: 4161109 } };

const getField: Operator = (name, argument, scope, compile) => {
  const args =
    isDocument(argument) && argument.has('field') ? namedArguments(name, argument, [], GET_FIELD_CODES) : undefined;
  const field = compile(args === undefined ? argument : required(args, 'field'), scope);
  const input = compile(args === undefined ? '$$CURRENT' : required(args, 'input'), scope);
  return (slots) => {
    const key = field(slots);
    if (typeof key !== 'string') {
      throw new ServerError(
        3041704,
        `${name} requires 'field' to evaluate to type String, but got ${typeOrMissing(key)}`,
      );
    }
    const object = input(slots);
    if (isDocument(object)) return object.get(key);
    return object !== undefined && isNullish(object) ? null : undefined;
  };
};

const setField: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, [], SET_FIELD_CODES);
  return fieldSetter(name, args, compile(required(args, 'value'), scope), scope, compile);
};

const unsetField: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, [], UNSET_FIELD_CODES);
  return fieldSetter(name, args, () => undefined, scope, compile);
};

function fieldSetter(
  name: string,
  args: ReadonlyMap<string, Value>,
  value: Expression,
  scope: Scope,
  compile: Compile,
): Expression {
  const key = constantField(name, required(args, 'field'), scope, compile);
  const input = compile(required(args, 'input'), scope);
  return (slots) => {
    const object = input(slots);
    if (isNullish(object)) return null;
    if (!isDocument(object)) throw new ServerError(4161105, `${name} requires 'input' to evaluate to type Object`);
    const result: Document = new Map(object);
    const computed = value(slots);
    if (computed === undefined) result.delete(key);
    else result.set(key, computed);
    return result;
  };
}

function constantField(name: string, field: Value, scope: Scope, compile: Compile): string {
  if (typeof field === 'string' && field.startsWith('$')) {
    throw new ServerError(
      4161108,
      `${name} requires 'field' to evaluate to a constant, but got a field path; use $literal`,
    );
  }
  const isLiteral = typeof field === 'string' || (isDocument(field) && (field.has('$literal') || field.has('$const')));
  const key = isLiteral ? compile(field, scope)([]) : undefined;
  if (typeof key === 'string') return key;
  throw new ServerError(4161106, `${name} requires 'field' to evaluate to a constant String`);
}

function objectToArray(object: Value | undefined): Value {
  if (isNullish(object)) return null;
  if (!isDocument(object)) {
    throw new ServerError(40390, `$objectToArray requires a document input, found: ${typeOrMissing(object)}`);
  }
  return Array.from(object, ([k, v]) => documentOf(['k', k], ['v', v]));
}

function arrayToObject(array: Value | undefined): Value {
  if (isNullish(array)) return null;
  if (!isArray(array)) {
    throw new ServerError(40386, `$arrayToObject requires an array input, found: ${typeOrMissing(array)}`);
  }
  const pairs = isArray(array[0]);
  const object: Document = new Map();
  for (const element of array) {
    const [key, value] = pairs ? entryOfPair(element) : entryOfDocument(element);
    if (key.includes('\0')) throw new ServerError(4940400, 'Key field cannot contain an embedded null byte');
    object.set(key, value);
  }
  return object;
}

function entryOfPair(pair: Value): [string, Value] {
  if (!isArray(pair)) {
    throw new ServerError(
      40396,
      `$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Array was detected, now found: ${typeOrMissing(pair)}`,
    );
  }
  const [key, value] = pair;
  if (pair.length !== 2 || value === undefined) {
    throw new ServerError(
      40397,
      `$arrayToObject requires an array of size 2 arrays, found array of size: ${pair.length}`,
    );
  }
  if (typeof key !== 'string') {
    throw new ServerError(
      40395,
      `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeOrMissing(key)}`,
    );
  }
  return [key, value];
}

function entryOfDocument(entry: Value): [string, Value] {
  if (isArray(entry)) {
    throw new ServerError(
      40391,
      '$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Object was detected, now found: array',
    );
  }
  if (!isDocument(entry)) {
    throw new ServerError(40398, `Unrecognised input type format for $arrayToObject: ${typeOrMissing(entry)}`);
  }
  const key = entry.get('k');
  const value = entry.get('v');
  if (entry.size !== 2) {
    throw new ServerError(
      40392,
      `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${entry.size}`,
    );
  }
  if (key === undefined || value === undefined) {
    throw new ServerError(
      40393,
      "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys",
    );
  }
  if (typeof key !== 'string') {
    throw new ServerError(
      40394,
      `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeOrMissing(key)}`,
    );
  }
  return [key, value];
}

/** Operators on documents. */
export const OBJECT: OperatorTable = {
  $getField: getField,
  $setField: setField,
  $unsetField: unsetField,
  $objectToArray: unary(objectToArray),
  $arrayToObject: unary(arrayToObject),
};
