import { Int32 } from 'bson';
import { collationIn, isSameCollation } from '../values/collation.ts';
import { hasOperators, matcher } from '../engine/match/compile.ts';
import { truthy } from '../engine/expression/operator.ts';
import { equals } from '../values/order.ts';
import { show, showElement } from '../values/text.ts';
import { type Document, isArray, isDocument, isNumeric, isRegExp, typeOf, type Value } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import type { IndexDefinition } from '../storage/secondary-index.ts';
import { Fields } from '../messages/fields.ts';
import { documentOf } from '../messages/reply.ts';

/** `background` has meant nothing since MongoDB 4.2, and `v` means nothing to this server. */
const OPTIONS = new Set([
  'key',
  'name',
  'unique',
  'sparse',
  'hidden',
  'prepareUnique',
  'partialFilterExpression',
  'collation',
  'expireAfterSeconds',
  'background',
  'v',
  'ns',
]);

/** Options of kinds of index that this server does not have. */
const UNSUPPORTED = new Set([
  'storageEngine',
  'wildcardProjection',
  'weights',
  'default_language',
  'language_override',
  'textIndexVersion',
  '2dsphereIndexVersion',
  'bits',
  'min',
  'max',
  'bucketSize',
  'clustered',
]);

const OTHER_KINDS = new Set(['text', '2d', '2dsphere', 'hashed', 'geoHaystack']);

/** Reads one of the specifications of `createIndexes`. Throws MongoDB's errors for one that cannot be. */
export function indexDefinition(specification: Document): IndexDefinition {
  const fields = new Fields('createIndexes.indexes', specification);
  fields.refuse(UNSUPPORTED);
  checkOptions(specification);
  const collation = collationIn(specification);
  const pattern = fields.document('key');
  if (pattern === undefined) throw fields.missing('key');
  checkPattern(pattern);
  const name = fields.string('name');
  if (name === undefined) throw fields.missing('name');
  if (name === '' || name === '*') throw new ServerError(2, `The index name '${name}' is not valid.`);

  const expireAfter = expiryOf(fields, pattern);
  const unique = fields.boolean('unique');
  const prepareUnique = fields.boolean('prepareUnique');
  const sparse = fields.boolean('sparse');
  const hidden = fields.boolean('hidden');
  const filter = fields.document('partialFilterExpression');
  const covers = filter && matcher(filter, { collation });
  if (filter !== undefined) checkPartialFilter(filter);
  if (sparse && filter !== undefined) {
    throw new ServerError(67, 'cannot mix "partialFilterExpression" and "sparse" options');
  }
  return {
    specification: documentOf({
      v: new Int32(2),
      key: pattern,
      name,
      unique: unique || undefined,
      prepareUnique: prepareUnique || undefined,
      sparse: sparse || undefined,
      hidden: hidden || undefined,
      partialFilterExpression: filter,
      expireAfterSeconds: expireAfter === undefined ? undefined : fields.value('expireAfterSeconds'),
      collation: collation?.specification,
    }),
    name,
    pattern,
    unique,
    prepareUnique,
    sparse,
    hidden,
    covers,
    collation,
    expireAfter,
  };
}

/** Seconds beyond this are never over. */
const MAX_EXPIRY = 2 ** 31 - 1;

/** When documents expire. Throws 67 for what is no time, and for an index of several fields. */
function expiryOf(fields: Fields, pattern: Document): number | undefined {
  if (fields.value('expireAfterSeconds') === undefined) return undefined;
  const seconds = fields.integer('expireAfterSeconds') ?? 0;
  if (Number.isNaN(seconds) || seconds < 0 || seconds > MAX_EXPIRY) {
    throw new ServerError(67, `TTL index 'expireAfterSeconds' option must be within the range 0 to ${MAX_EXPIRY}`);
  }
  if (pattern.size === 1) return seconds;
  throw new ServerError(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL');
}

/** True where two definitions index the same documents by the same fields: a collection may have only one such. */
export function isSameIndex(a: IndexDefinition, b: IndexDefinition): boolean {
  return (
    equals(a.pattern, b.pattern) &&
    a.unique === b.unique &&
    a.sparse === b.sparse &&
    isSameCollation(a.collation, b.collation) &&
    equals(partialFilter(a), partialFilter(b))
  );
}

function partialFilter({ specification }: IndexDefinition): Value | undefined {
  return specification.get('partialFilterExpression');
}

/** The operators on a field that a partial index may have; of `$exists` only that it does. */
const PARTIAL_OPERATORS = new Set(['$eq', '$gt', '$gte', '$lt', '$lte', '$in', '$type', '$exists', '$comment']);

/** Throws 67 for a filter that MongoDB takes in a query but not in a partial index. */
function checkPartialFilter(filter: Document): void {
  for (const [name, condition] of filter) {
    if (name === '$and' || name === '$or') {
      if (isArray(condition)) for (const part of condition) if (isDocument(part)) checkPartialFilter(part);
    } else if (name.startsWith('$') ? name !== '$comment' : !isPartialCondition(condition)) {
      throw new ServerError(67, `Expression not supported in partial index: ${showElement(name, condition)}`);
    }
  }
}

function isPartialCondition(condition: Value): boolean {
  if (!isDocument(condition) || !hasOperators(condition)) return !isRegExp(condition);
  return [...condition].every(
    ([name, argument]) => PARTIAL_OPERATORS.has(name) && (name !== '$exists' || truthy(argument)),
  );
}

function checkOptions(specification: Document): void {
  for (const name of specification.keys()) {
    if (OPTIONS.has(name) || UNSUPPORTED.has(name)) continue;
    throw new ServerError(
      197,
      `The field '${name}' is not valid for an index specification. Specification: ${show(specification)}`,
    );
  }
}

function checkPattern(pattern: Document): void {
  if (pattern.size === 0) throw new ServerError(67, 'Index keys cannot be an empty object.');
  for (const [path, direction] of pattern) {
    if (path.includes('$**')) throw new ServerError(238, 'The embedded server does not support wildcard indexes.');
    if (path.split('.').includes('')) throw new ServerError(67, 'Index keys cannot contain an empty field.');
    if (path.startsWith('$') || /\.\$(?!id$|ref$|db$)/.test(path)) {
      throw new ServerError(67, `Index key contains an illegal field name: field name starts with '$'.`);
    }
    checkDirection(direction);
  }
}

function checkDirection(direction: Value): void {
  if (isNumeric(direction)) {
    if (Number(direction.toString())) return;
    throw new ServerError(67, 'Values in the index key pattern cannot be 0.');
  }
  if (typeof direction !== 'string') {
    throw new ServerError(
      67,
      `Values in v:2 index key pattern cannot be of type ${typeOf(direction)}. ` +
        'Only numbers > 0, numbers < 0, and strings are allowed.',
    );
  }
  if (OTHER_KINDS.has(direction)) {
    throw new ServerError(238, `The embedded server does not support '${direction}' indexes.`);
  }
  throw new ServerError(67, `Unknown index plugin '${direction}'`);
}
