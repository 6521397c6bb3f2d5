// Filters.
// https://www.mongodb.com/docs/manual/reference/operator/query/
import { BSONRegExp } from 'bson';
import { ServerError } from '../../errors.ts';
import { compileExpression } from '../expression/compile.ts';
import { type Environment, truthy } from '../expression/operator.ts';
import { schemaTest } from './json-schema.ts';
import { compileRegex, regexTest } from './regex.ts';
import { equalityTest, inTest, isReference, memberTest, NEVER, type Test, TESTS } from './value-test.ts';
import { splitPath, visit, type Visitor } from '../../values/path.ts';
import { isArray, isDocument, isRegExp, type Document, type Value } from '../../values/value.ts';

/** What a match tells the positional operator `$`. */
export interface MatchDetails {
  /** The index of the array element that the filter matched, if it matched through an array. */
  index: number | undefined;
}

/** Tests a document; fills in `details` if there are any. */
export type Matcher = (document: Document, details?: MatchDetails) => boolean;

/** A compiled part of a filter, for a document or, within `$elemMatch`, an element. */
type Predicate = (subject: Value, details: MatchDetails | undefined) => boolean;

/** Shows the values that a test is about, as {@link visit} does. */
type Locate = (subject: Value, spreadLeaf: boolean, see: Visitor) => boolean;

interface Context extends Environment {
  /** True where this is the filter of a whole document, not of an array element. */
  readonly whole: boolean;
}

/**
 * Compiles a filter for many documents.
 * @throws ServerError 2 (BadValue) and the like for a wrong filter, 238 for an operator that is not supported
 */
export function matcher(filter: Document, environment: Environment = {}): Matcher {
  const { variables, collation, check } = environment;
  return parseFilter(filter, { variables, collation, check, whole: true });
}

function parseFilter(filter: Document, context: Context): Predicate {
  return all(Array.from(filter, ([key, value]) => parseClause(key, value, context)));
}

function parseClause(key: string, value: Value, context: Context): Predicate {
  if (!key.startsWith('$')) return parseField(fieldAt(splitPath(key)), value, context);
  const parse = FILTER_OPERATORS.get(key);
  if (parse !== undefined) return parse(key, value, context);
  if (UNSUPPORTED_QUERIES.has(key)) throw new ServerError(238, `The query operator ${key} is not supported`);
  throw badValue(
    `unknown top level operator: ${key}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
  );
}

/** Operators that stand in place of a field, by name. */
export const FILTER_OPERATORS: ReadonlyMap<string, (name: string, argument: Value, context: Context) => Predicate> =
  new Map([
    ['$and', (name, argument, context) => all(parseList(name, argument, context))],
    ['$or', (name, argument, context) => any(parseList(name, argument, context))],
    ['$nor', (name, argument, context) => not(any(parseList(name, argument, context)))],
    ['$expr', parseExpr],
    ['$jsonSchema', parseJsonSchema],
    ['$comment', () => () => true],
    ['$alwaysTrue', () => () => true],
    ['$alwaysFalse', () => () => false],
  ]);

/** Operators of MongoDB's filters that are refused by name. */
export const UNSUPPORTED_QUERIES: ReadonlySet<string> = new Set(
  '$where $text $sampleRate $near $nearSphere $geoWithin $geoIntersects $within $geoNear'.split(' '),
);

function parseList(name: string, argument: Value, context: Context): Predicate[] {
  if (!isArray(argument)) throw badValue(`${name} must be an array`);
  if (argument.length === 0) throw badValue('$and/$or/$nor must be a nonempty array');
  return argument.map((filter) => {
    if (!isDocument(filter)) throw badValue('$or/$and/$nor entries need to be full objects');
    return parseFilter(filter, context);
  });
}

function parseExpr(_name: string, argument: Value, context: Context): Predicate {
  if (!context.whole) throw badValue('$expr can only be applied to the top-level document');
  const expression = compileExpression(argument, context);
  return (subject) => isDocument(subject) && truthy(expression(subject));
}

function parseJsonSchema(_name: string, argument: Value): Predicate {
  if (!isDocument(argument)) throw new ServerError(14, '$jsonSchema must be an object');
  const test = schemaTest(argument);
  return (subject) => test(subject);
}

function parseField(locate: Locate, value: Value, context: Context): Predicate {
  if (isRegExp(value)) return at(locate, regexTest(value));
  if (isDocument(value) && hasOperators(value)) return parseOperators(locate, value, context);
  return at(locate, equalityTest(value, context.collation));
}

/** True where a document holds operators rather than a value to compare with: its first key decides. */
export function hasOperators(document: Document): boolean {
  const [first] = document.keys();
  return first !== undefined && first.startsWith('$') && !isReference(document);
}

function parseOperators(locate: Locate, operators: Document, context: Context): Predicate {
  const predicates: Predicate[] = [];
  for (const [name, argument] of operators) {
    // `$options` belongs to its `$regex`.
    if (name === '$options' && operators.has('$regex')) continue;
    predicates.push(parseOperator(locate, name, argument, operators, context));
  }
  return all(predicates);
}

function parseOperator(locate: Locate, name: string, argument: Value, siblings: Document, context: Context): Predicate {
  const parse = VALUE_OPERATORS.get(name);
  if (parse !== undefined) return parse(locate, argument, context, siblings);
  if (UNSUPPORTED_QUERIES.has(name)) throw new ServerError(238, `The query operator ${name} is not supported`);
  throw badValue(`unknown operator: ${name}`);
}

/** Compiles an operator on the values that are located; `siblings` are the operators beside it, and itself. */
type OperatorParser = (locate: Locate, argument: Value, context: Context, siblings: Document) => Predicate;

/** The operators on the values of a field, by name. */
export const VALUE_OPERATORS: ReadonlyMap<string, OperatorParser> = new Map<string, OperatorParser>([
  ...Array.from(TESTS, ([name, test]): [string, OperatorParser] => [
    name,
    (locate, argument, { collation }) => at(locate, test(argument, collation), name !== '$size'),
  ]),
  [
    '$ne',
    (locate, argument, { collation }) => {
      if (isRegExp(argument)) throw badValue("Can't have regex as arg to $ne.");
      return not(at(locate, equalityTest(argument, collation)));
    },
  ],
  ['$exists', (locate, argument) => (truthy(argument) ? at(locate, isThere) : not(at(locate, isThere)))],
  ['$nin', (locate, argument, { collation }) => not(at(locate, inTest(argument, collation, '$nin')))],
  ['$not', (locate, argument, context) => not(parseNot(locate, argument, context))],
  [
    '$regex',
    (locate, argument, _context, siblings) => at(locate, regexTest(regexArgument(argument, siblings.get('$options')))),
  ],
  [
    '$options',
    () => {
      throw badValue('$options needs a $regex');
    },
  ],
  ['$all', parseAll],
  ['$elemMatch', parseElemMatch],
  ['$comment', () => () => true],
]);

function parseNot(locate: Locate, argument: Value, context: Context): Predicate {
  if (isRegExp(argument)) return at(locate, regexTest(argument));
  if (!isDocument(argument)) throw badValue('$not needs a regex or a document');
  if (argument.size === 0) throw badValue('$not cannot be empty');
  return parseOperators(locate, argument, context);
}

function regexArgument(argument: Value, options: Value | undefined): BSONRegExp {
  if (options !== undefined && typeof options !== 'string') throw badValue('$options has to be a string');
  if (isRegExp(argument)) {
    if (options !== undefined && argument.options !== '') {
      throw new ServerError(51075, 'options set in both $regex and $options');
    }
    return options === undefined ? argument : checkedRegex(argument.pattern, options);
  }
  if (typeof argument !== 'string') throw badValue('$regex has to be a string');
  return checkedRegex(argument, options ?? '');
}

function checkedRegex(pattern: string, options: string): BSONRegExp {
  if (pattern.includes('\0')) throw new ServerError(51109, 'Regular expression cannot contain an embedded null byte');
  compileRegex(pattern, options);
  return new BSONRegExp(pattern, options);
}

function parseAll(locate: Locate, argument: Value, context: Context): Predicate {
  if (!isArray(argument)) throw badValue('$all needs an array');
  if (argument.length === 0) return at(locate, NEVER);
  const nested = argument.map((member) => (isDocument(member) && hasOperators(member) ? member : undefined));
  if (nested[0]?.has('$elemMatch')) {
    return all(
      nested.map((member) => {
        const filter = member?.get('$elemMatch');
        if (filter === undefined) throw badValue('$all/$elemMatch has to be consistent');
        return parseElemMatch(locate, filter, context);
      }),
    );
  }
  if (nested.some((member) => member !== undefined)) throw badValue('no $ expressions in $all');
  return all(argument.map((member) => at(locate, memberTest(member, context.collation))));
}

const NOT_ON_VALUES: ReadonlySet<string> = new Set(['$and', '$or', '$nor', '$where', '$expr', '$jsonSchema']);

/** Some element passes the operators, or is a document or array that passes the filter. */
function parseElemMatch(locate: Locate, argument: Value, context: Context): Predicate {
  if (!isDocument(argument)) throw badValue('$elemMatch needs an Object');
  const [first = ''] = argument.keys();
  const inner = { ...context, whole: false };
  const passes =
    hasOperators(argument) && !NOT_ON_VALUES.has(first)
      ? parseOperators(itself, argument, inner)
      : ofContainers(parseFilter(argument, inner));
  return (subject, details) =>
    locate(subject, false, (value, outer) => {
      const index = isArray(value) ? value.findIndex((element) => passes(element, undefined)) : -1;
      if (index !== -1 && details !== undefined) details.index = outer ?? index;
      return index !== -1;
    });
}

/** An array passes a filter as a document whose keys are its indexes. */
function ofContainers(filter: Predicate): Predicate {
  return (subject) => (isDocument(subject) || isArray(subject)) && filter(subject, undefined);
}

const itself: Locate = (subject, _spreadLeaf, see) => see(subject, undefined);

function fieldAt(path: readonly string[]): Locate {
  const [only = ''] = path;
  const walk: Locate = (subject, spreadLeaf, see) =>
    (isDocument(subject) || isArray(subject)) && visit(subject, path, spreadLeaf, see);
  if (path.length > 1) return walk;
  // Most filters name a plain field: no need to walk.
  return (subject, spreadLeaf, see) => {
    const value = isDocument(subject) ? subject.get(only) : subject;
    return isArray(value) ? walk(subject, spreadLeaf, see) : see(value, undefined);
  };
}

const isThere: Test = (value) => value !== undefined;

/** The test on some located value; with `spreadLeaf` an array passes if one of its elements does. */
function at(locate: Locate, test: Test, spreadLeaf = true): Predicate {
  return (subject, details) =>
    locate(subject, spreadLeaf, (value, index) => {
      if (!test(value)) return false;
      if (details !== undefined && index !== undefined) details.index = index;
      return true;
    });
}

function all(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (only !== undefined && predicates.length === 1) return only;
  return (subject, details) => predicates.every((predicate) => predicate(subject, details));
}

// A match of one of several does not say which element it was: `$` stays without an index, as in MongoDB.
function any(predicates: readonly Predicate[]): Predicate {
  return (subject) => predicates.some((predicate) => predicate(subject, undefined));
}

function not(predicate: Predicate): Predicate {
  return (subject) => !predicate(subject, undefined);
}

function badValue(message: string): ServerError {
  return new ServerError(2, message);
}
