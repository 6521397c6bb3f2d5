import type { BSON } from 'mongodb';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import type { Unscoped } from '../definition/extension.ts';
import { run } from '../definition/operation.ts';
import { UsageError } from '../errors.ts';
import { ownFilter } from '../filter/own-filter.ts';
import type { BackLink } from './back-link.ts';
import { keyOf } from './linked.ts';
import type { Range } from './link-tree.ts';

/** The ids of the documents that refer to each of these, by its id: a range of them in an order. One command for all. */
export async function rankedIds(
  definition: ModelDefinition,
  link: BackLink,
  ids: readonly unknown[],
  { sort, skip, limit, collation, unscoped }: Range,
  options: object = {},
): Promise<Map<string, readonly unknown[]>> {
  const range = [
    ...(sort === undefined ? [] : [{ $sort: sort }]),
    ...(skip ? [{ $skip: skip }] : []),
    ...(limit ? [{ $limit: limit }] : []),
    { $project: { _id: 1 } },
  ];
  const rows = await lookUp(definition, link, ids, range, {
    options: { ...options, ...(collation && { collation }) },
    unscoped,
  });
  return new Map(rows.map(({ _id, found }) => [keyOf(_id), found.map((each) => each['_id'] as unknown)]));
}

/** The number of documents that refer to each of these, by its id. */
export async function countsOf(
  definition: ModelDefinition,
  link: BackLink,
  ids: readonly unknown[],
): Promise<Map<string, number>> {
  const rows = await lookUp(definition, link, ids, [{ $group: { _id: null, n: { $sum: 1 } } }]);
  return new Map(rows.map(({ _id, found: [first] }) => [keyOf(_id), Number(first?.['n'] ?? 0)]));
}

interface Row {
  readonly _id: unknown;
  readonly found: readonly BSON.Document[];
}

async function lookUp(
  definition: ModelDefinition,
  { source, field, stored, isPlain }: BackLink,
  ids: readonly unknown[],
  pipeline: readonly BSON.Document[],
  { options = {}, unscoped }: { readonly options?: object; readonly unscoped?: Unscoped | undefined } = {},
): Promise<Row[]> {
  const other = source.prototype[definitionKey];
  if (other.connection() !== definition.connection()) {
    const text = `Models on different connections cannot be joined by the server: ${source.name} has another one.`;
    throw new UsageError(text, definition.context);
  }
  const scope = ownFilter(other, {}, unscoped);
  const stages = Object.keys(scope).length === 0 ? pipeline : [{ $match: scope }, ...pipeline];
  const join = {
    from: other.collectionName,
    localField: isPlain ? '_id' : 'stored',
    foreignField: other.storedPath(field),
    pipeline: [...stages],
    as: 'found',
  };
  const shown = isPlain ? { _id: 1 } : { _id: 1, stored: stored('$_id') };
  const all = [{ $match: { _id: { $in: [...ids] } } }, { $project: shown }, { $lookup: join }];
  return (await run(definition, options, (collection) => collection.aggregate(all, options).toArray())) as Row[];
}
