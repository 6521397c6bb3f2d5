import { checkTaken, type DriverOptions, TAKEN } from '../connection/taken-options.ts';
import type { AggregateOptions, BSON, DeleteOptions, DeleteResult, UpdateOptions, UpdateResult } from 'mongodb';
import { elementOf, stepAlong } from '../filter/cast-values.ts';
import { readerOf } from '../schema/deep-readers.ts';
import type { Place } from '../schema/schema-shape.ts';
import { DocumentNotFoundError, UsageError } from '../errors.ts';
import { run } from '../definition/operation.ts';
import { checkPath, partOf, type QuerySpec, sentFilter, stagesOf } from './query-spec.ts';
import { deleteEvery, type DeletionOptions, updateEvery } from '../write/static-writes.ts';
import type { ManyOptions, StampOptions } from '../write/write-options.ts';

/** How the values of many documents become one. */
export type Accumulator = '$avg' | '$sum' | '$min' | '$max';

/** How much a server reports about its plan for a query. */
export type Verbosity = 'queryPlanner' | 'executionStats' | 'allPlansExecution';

/** How many documents the query has, its `skip` and `limit` included. */
export async function count(spec: QuerySpec<unknown>): Promise<number> {
  const { sort: _, limit, ...rest } = spec.options;
  // The driver's type for counting lacks some options of find that the server's aggregate takes.
  const options = { ...rest, ...(limit ? { limit } : {}) };
  // It is an Int32 where the driver's option `promoteValues` is off.
  return Number(
    await run(spec.definition, spec.options, async (collection) =>
      collection.countDocuments(sentFilter(spec), options),
    ),
  );
}

/** The only one of these documents, two of which are asked for. @throws DocumentNotFoundError, UsageError */
export function only<D>({ definition: { context } }: QuerySpec<unknown>, [one, another]: readonly D[]): D {
  if (one === undefined) throw new DocumentNotFoundError('No document matches the query.', context);
  if (another !== undefined)
    throw new UsageError('one() found several documents: make the filter narrower, or use first().', context);
  return one;
}

/** The different values at a path of the matching documents. */
export async function distinct(spec: QuerySpec<unknown>, path: string): Promise<unknown[]> {
  const { definition } = spec;
  const options = optionsOfAll('distinct', spec, TAKEN.distinct);
  const stored = checkPath('distinct', path, definition);
  const values = await run(spec.definition, spec.options, async (collection) =>
    collection.distinct(stored, sentFilter(spec), options),
  );
  return values.map((value: unknown) => readAt(spec, stored, value, 'element'));
}

/** What the server makes of the values at a path of the query's documents; null of no documents. */
export async function accumulate(spec: QuerySpec<unknown>, operator: Accumulator, path: string): Promise<unknown> {
  const stored = checkPath(operator.slice(1), path, spec.definition);
  const stages = [...stagesOf(spec), { $group: { _id: null, value: { [operator]: `$${stored}` } } }];
  const { sort: _sort, skip: _skip, limit: _limit, ...options } = spec.options;
  // The cursors of find and of aggregate take different options about time-outs; the types say so, the values do not.
  const cursorOptions = options as AggregateOptions;
  const groups = await run(spec.definition, spec.options, (collection) =>
    collection.aggregate(stages, cursorOptions).toArray(),
  );
  const value: unknown = groups[0]?.['value'] ?? null;
  // An average of whole numbers is none.
  return operator === '$avg' ? value : readAt(spec, stored, value);
}

/** How the server would run the query. */
export async function explain(spec: QuerySpec<unknown>, verbosity: Verbosity): Promise<BSON.Document> {
  const { definition, options } = spec;
  return run(definition, options, async (collection) =>
    collection.find(sentFilter(spec), { ...options, ...partOf(spec) }).explain(verbosity),
  );
}

/** Updates every matching document. */
export async function updateAll(
  spec: QuerySpec<unknown>,
  update: object,
  options: DriverOptions<UpdateOptions, 'updateMany'> & StampOptions & ManyOptions = {},
): Promise<UpdateResult> {
  if (options.upsert !== undefined) checkTaken('update', spec.definition, { upsert: options.upsert }, []);
  const { unscoped = spec.unscoped } = options;
  const own = optionsOfAll('update', spec, TAKEN.updateMany);
  const filter = sentFilter({ ...spec, unscoped });
  return updateEvery(spec.definition, 'update', filter, update, own, { ...options, unscoped });
}

/** Deletes every matching document. */
export async function deleteAll(
  spec: QuerySpec<unknown>,
  options: DriverOptions<DeleteOptions, 'delete'> & DeletionOptions & ManyOptions = {},
): Promise<DeleteResult> {
  const { unscoped = spec.unscoped } = options;
  const own = optionsOfAll('delete', spec, TAKEN.delete);
  return deleteEvery(spec.definition, 'delete', sentFilter({ ...spec, unscoped }), own, { ...options, unscoped });
}

/** The query's options for an operation that always takes every matching document. @param taken those that it can hand on. */
function optionsOfAll(
  method: string,
  { definition, options }: QuerySpec<unknown>,
  taken: readonly string[],
): BSON.Document {
  const given = (['sort', 'skip', 'limit'] as const).find((name) => options[name]);
  if (given !== undefined)
    throw new UsageError(
      `${method}() takes every document that matches, so the query can have no ${given}().`,
      definition.context,
    );
  const { sort: _sort, skip: _skip, limit: _limit, ...others } = options;
  checkTaken(method, definition, others, taken);
  return others;
}

/** Values as documents have them: a bigint, a Map or bytes where the schema says so at the path, which may go through arrays. */
function readAt(
  { definition }: QuerySpec<unknown>,
  stored: string,
  value: unknown,
  isOf: 'field' | 'element' = 'field',
): unknown {
  const [name = '', ...keys] = stored.split('.');
  const place = keys.reduce<Place | undefined>(stepAlong, definition.fields.get(name)?.place);
  const inside = isOf === 'element' ? (elementOf(place) ?? place) : place;
  const read = inside === undefined ? null : readerOf(inside);
  return read === null ? value : read(value);
}
