import { createHash } from 'node:crypto';
import { type Batch, joinBatches } from '../bson/batch.ts';
import { ABSENT, encodeDocument, memberOf } from '../bson/encode.ts';
import { count } from './query-operations.ts';
import { afterPosition, type OrderKey, unpageableType } from './keyset.ts';
import { type Position, readToken, writeToken } from './page-token.ts';
import { run } from '../definition/operation.ts';
import { checkCount, finished, open, type QuerySpec, readBatch, refuse, sortOf } from './query-spec.ts';
import { takeAll } from '../connection/raw-batch.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';

/** Which page `page()` gives. */
export interface PageOptions {
  /** How many documents a page has at most. */
  readonly size: number;
  /** A token of another page of the query: the documents after that place. Null means the first page. */
  readonly after?: string | null;
  /** A token of another page of the query: the documents before that place. */
  readonly before?: string | null;
  /**
   * Whether it is counted how many documents the query has in all.
   * @default false
   */
  readonly total?: boolean;
}

/** Some documents of a query in its order, and where they lie. */
export interface Page<D> {
  readonly items: D[];
  /** The place after the items, null where nothing followed them. */
  readonly next: string | null;
  /** The place before the items, null on the first page. */
  readonly previous: string | null;
  /** How many documents the query has in all, where that was asked for. */
  readonly total?: number;
}

/** One page of a query's documents: those after a place, not those after a number of others. */
export async function page<D>(spec: QuerySpec<D>, options: PageOptions): Promise<Page<D>> {
  const { size, after = null, before = null, total = false } = (options as PageOptions | undefined) ?? { size: 0 };
  checkCount('page', size, 1);
  const keys = orderOf(spec);
  if (after !== null && before !== null) refuse(spec, 'page() takes a token in "after" or in "before", not both.');
  const token = after ?? before;
  const { pageKey } = spec.definition.connection();
  const binding = bindingOf(spec, keys);
  const from = token === null ? null : readToken(token, binding, pageKey);
  const { batch, isCut } = await documentsFrom(spec, keys, { from, size, backwards: before !== null });
  const layout = spec.definition.layout();
  const places = batch.starts.map((start) => valuesOf(spec, keys, new BsonBaseline(layout, batch.bytes, start)));
  const write = (position: Position | null): string | null => position && writeToken(position, binding, pageKey);
  const [first, last] = [places[0], places.at(-1)];
  const start: Position | null = first === undefined ? from : { values: first, side: 'before' };
  const end: Position | null = last === undefined ? from : { values: last, side: 'after' };
  return {
    items: await finished(spec, readBatch(spec, batch)),
    next: write(isCut || before !== null ? end : null),
    previous: write(before === null ? from && start : isCut ? start : null),
    ...(total ? { total: await count(spec) } : {}),
  };
}

interface Wanted {
  readonly from: Position | null;
  readonly size: number;
  readonly backwards: boolean;
}

/** The documents in the query's order, and whether there are more in the direction that was asked for. */
async function documentsFrom(
  spec: QuerySpec<unknown>,
  keys: readonly OrderKey[],
  { from, size, backwards }: Wanted,
): Promise<{ readonly batch: Batch; readonly isCut: boolean }> {
  const way = backwards ? keys.map(reverse) : keys;
  const condition =
    from && afterPosition(way, backwards ? { ...from, side: from.side === 'before' ? 'after' : 'before' } : from);
  // One document more shows whether there are more; all come in one batch.
  const options = { batchSize: size + 1, ...spec.options, sort: sortBy(way), limit: size + 1 };
  const found = await run(spec.definition, spec.options, () =>
    takeAll(open({ ...spec, filter: both(spec.filter, condition), options })),
  );
  const { bytes, starts } = joinBatches(found);
  const wanted = starts.slice(0, size);
  return { batch: { bytes, starts: backwards ? wanted.toReversed() : wanted }, isCut: starts.length > size };
}

function reverse({ path, direction }: OrderKey): OrderKey {
  return { path, direction: direction === 1 ? -1 : 1 };
}

function sortBy(keys: readonly OrderKey[]): Map<string, 1 | -1> {
  return new Map(keys.map(({ path, direction }) => [path, direction]));
}

function both(filter: Readonly<Record<string, unknown>>, condition: object | null): Record<string, unknown> {
  if (condition === null) return { ...filter };
  return Object.keys(filter).length === 0 ? { ...condition } : { $and: [filter, condition] };
}

/**
 * The query's order, with the `_id` at its end so that no two documents are alike in it.
 *
 * @throws UsageError for a query that has no pages.
 */
function orderOf(spec: QuerySpec<unknown>): OrderKey[] {
  const { definition, options, selection } = spec;
  const given = (['skip', 'limit'] as const).find((name) => options[name]);
  if (given !== undefined) refuse(spec, `page() has a size and a place, so the query can have no ${given}().`);
  const keys = [...sortOf(definition, options.sort ?? {})].map(([path, direction]): OrderKey => {
    if (typeof direction === 'number') return { path, direction };
    return refuse(spec, 'page() cannot follow the score of a text search, which no filter knows.');
  });
  const order = keys.some(({ path }) => path === '_id')
    ? keys
    : [...keys, { path: '_id', direction: keys.at(-1)?.direction ?? 1 }];
  const hidden = order.find(({ path }) => selection !== null && selection.at(path.split('.')) !== 'whole');
  if (hidden !== undefined)
    refuse(
      spec,
      `page() needs what the query is sorted by: load "${definition.programPath(hidden.path.split('.'))}", too.`,
    );
  return order;
}

/** What a token belongs to: a place in one query's order says nothing about another's. */
function bindingOf({ definition, filter, options }: QuerySpec<unknown>, keys: readonly OrderKey[]): Uint8Array {
  const { namespace } = definition.collection();
  const query = encodeDocument({ namespace, filter, keys, collation: options.collation ?? null });
  return createHash('sha256').update(query).digest();
}

/** Where a document stands in the order. @throws UsageError where a filter cannot say what comes after it. */
function valuesOf(spec: QuerySpec<unknown>, keys: readonly OrderKey[], stored: BsonBaseline): unknown[] {
  return keys.map(({ path }) => {
    const value = valueAt(stored, path);
    const type = unpageableType(value);
    const shown = spec.definition.programPath(path.split('.'));
    if (type !== undefined)
      refuse(spec, `page() cannot follow "${shown}", which holds a value of the type ${type} in a document.`);
    if (path === '_id' && isCollated(spec) && hasText(value))
      refuse(spec, 'page() cannot follow an _id that is text under a collation, by which two may be equal.');
    return value;
  });
}

/** BSON-typed. What is missing stands where null does. */
function valueAt(stored: BsonBaseline, path: string): unknown {
  const [name = '', ...inner] = path.split('.');
  let value = stored.exact(name);
  for (const key of inner) {
    if (Array.isArray(value)) return value;
    value = memberOf(value, key);
  }
  return value === ABSENT ? null : value;
}

function isCollated({ options: { collation } }: QuerySpec<unknown>): boolean {
  return collation !== undefined && collation.locale !== 'simple';
}

function hasText(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    (typeof value === 'object' && value !== null && !('_bsontype' in value) && !(value instanceof Date))
  );
}
