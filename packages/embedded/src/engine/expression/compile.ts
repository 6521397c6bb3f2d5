// The aggregation expression language.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation/
import { ServerError } from '../../errors.ts';
import { ARITHMETIC } from './arithmetic.ts';
import { ARRAY } from './array.ts';
import { ARRAY_ORDER } from './array-order.ts';
import { BITS } from './bits.ts';
import { COMPARE } from './compare.ts';
import { CONTROL } from './control.ts';
import { CONVERT } from './convert.ts';
import { DATE_MATH } from './date-math.ts';
import { DATE_PARTS } from './date-parts.ts';
import { DATE_TEXT } from './date-text.ts';
import { MISC } from './misc.ts';
import { OBJECT } from './object.ts';
import { type Environment, type Expression, type Operator, ROOT_SLOT, Scope } from './operator.ts';
import { POWER } from './power.ts';
import { REGEX } from './regex.ts';
import { REPLACE } from './replace.ts';
import { ROUNDING } from './rounding.ts';
import { SET } from './set.ts';
import { STATISTICS } from './statistics.ts';
import { STRING } from './string.ts';
import { SUBSTRING } from './substring.ts';
import { DateTime, type Document, isArray, isDocument, type Value } from '../../values/value.ts';

/** The operators that are supported, by name. */
export const EXPRESSIONS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...ARITHMETIC,
    ...ARRAY,
    ...ARRAY_ORDER,
    ...BITS,
    ...COMPARE,
    ...CONTROL,
    ...CONVERT,
    ...DATE_MATH,
    ...DATE_PARTS,
    ...DATE_TEXT,
    ...MISC,
    ...OBJECT,
    ...POWER,
    ...REGEX,
    ...REPLACE,
    ...ROUNDING,
    ...SET,
    ...STATISTICS,
    ...STRING,
    ...SUBSTRING,
  }),
);

/** What MongoDB has and this server does not have: refused as such, so that nobody looks for a spelling mistake. */
export const UNSUPPORTED_EXPRESSIONS: ReadonlySet<string> = new Set(
  '$accumulator $encStrContains $function $median $meta $percentile $sampleRate $toHashedIndexKey $toUUID'.split(' '),
);

const SYSTEM_VARIABLES_UNSUPPORTED: ReadonlySet<string> = new Set(
  'CLUSTER_TIME DESCEND PRUNE KEEP SEARCH_META USER_ROLES JS_SCOPE IS_MR'.split(' '),
);

/**
 * Compiles an expression for many documents.
 * @returns the value of the expression for a document, `undefined` where it is missing
 * @throws ServerError for an expression that is wrong whatever the document; the result throws for wrong operands
 */
export function compileExpression(
  expression: Value,
  environment: Environment = {},
): (root: Document) => Value | undefined {
  const compiled = compile(expression, new Scope(environment));
  return (root) => compiled([root]);
}

function compile(expression: Value, scope: Scope): Expression {
  if (typeof expression === 'string' && expression.startsWith('$')) return compilePath(expression, scope);
  if (isArray(expression)) return compileArray(expression, scope);
  if (isDocument(expression)) return compileDocument(expression, scope);
  return () => expression;
}

function compileArray(array: readonly Value[], scope: Scope): Expression {
  const elements = array.map((element) => compile(element, scope));
  return (slots) => elements.map((element) => element(slots) ?? null);
}

function compileDocument(document: Document, scope: Scope): Expression {
  const [first] = document;
  if (first?.[0].startsWith('$')) {
    if (document.size > 1) {
      throw new ServerError(
        15983,
        `An object representing an expression must have exactly one field: ${[...document.keys()].join(', ')}`,
      );
    }
    return compileOperator(first[0], first[1], scope);
  }
  const members = Array.from(document, ([key, value]) => [checkedField(key), compile(value, scope)] as const);
  return (slots) => {
    const result: Document = new Map();
    for (const [key, value] of members) {
      const computed = value(slots);
      if (computed !== undefined) result.set(key, computed);
    }
    return result;
  };
}

function compileOperator(name: string, argument: Value, scope: Scope): Expression {
  const operator = EXPRESSIONS.get(name);
  if (operator !== undefined) return operator(name, argument, scope, compile);
  if (UNSUPPORTED_EXPRESSIONS.has(name))
    throw new ServerError(238, `The expression operator '${name}' is not supported`);
  throw new ServerError(168, `Unrecognized expression '${name}'`);
}

/** True where there is an operator of that name, supported or not. */
export function isKnownOperator(name: string): boolean {
  return EXPRESSIONS.has(name) || UNSUPPORTED_EXPRESSIONS.has(name);
}

/** True where a document is an operator with its argument rather than a literal one. */
export function isOperatorExpression(value: Value): boolean {
  return isDocument(value) && value.size > 0 && [...value.keys()][0]?.startsWith('$') === true;
}

function compilePath(text: string, scope: Scope): Expression {
  if (text === '$') throw new ServerError(16872, "'$' by itself is not a valid FieldPath");
  if (!text.startsWith('$$')) {
    const path = fieldPath(text.slice(1));
    return (slots) => followInto(slots[ROOT_SLOT], path, 0);
  }
  const [name = '', ...path] = text.slice(2).split('.');
  const variable = compileVariable(name, scope);
  if (path.length === 0) return variable;
  for (const field of path) checkedField(field);
  return (slots) => followInto(variable(slots), path, 0);
}

function compileVariable(name: string, scope: Scope): Expression {
  if (name === '') throw new ServerError(16869, 'empty variable names are not allowed');
  const slot = scope.slotOf(name);
  if (slot !== undefined) return (slots) => slots[slot];
  const { variables } = scope;
  if (variables.has(name)) return () => variables.get(name);
  if (name === 'ROOT' || name === 'CURRENT') return (slots) => slots[ROOT_SLOT];
  if (name === 'REMOVE') return () => undefined;
  if (name === 'NOW') {
    const now = DateTime.now();
    return () => now;
  }
  if (SYSTEM_VARIABLES_UNSUPPORTED.has(name)) throw new ServerError(238, `The variable $$${name} is not supported`);
  throw new ServerError(17276, `Use of undefined variable: ${name}`);
}

/** Follows a path from its component `from` on; arrays on the way give arrays of what their documents have there. */
function followInto(value: Value | undefined, path: readonly string[], from: number): Value | undefined {
  if (isDocument(value)) {
    const next = value.get(path[from] ?? '');
    return from === path.length - 1 ? next : followInto(next, path, from + 1);
  }
  if (!isArray(value)) return undefined;
  const found: Value[] = [];
  for (const element of value) {
    const inner = isDocument(element) ? followInto(element, path, from) : undefined;
    if (inner !== undefined) found.push(inner);
  }
  return found;
}

/** The components of a path to a field. */
export function fieldPath(path: string): string[] {
  if (path === '') throw new ServerError(40352, 'FieldPath cannot be constructed with empty string');
  if (path.endsWith('.')) throw new ServerError(40353, "FieldPath must not end with a '.'.");
  return path.split('.').map(checkedField);
}

function checkedField(name: string): string {
  if (name === '') throw new ServerError(15998, 'FieldPath field names may not be empty strings.');
  if (name.startsWith('$')) {
    throw new ServerError(
      16410,
      `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
    );
  }
  if (name.includes('\0')) throw new ServerError(16411, 'FieldPath field names may not contain null bytes.');
  if (name.includes('.')) throw new ServerError(16412, "FieldPath field names may not contain '.'.");
  return name;
}
