import { decode } from '../values/bson.ts';
import type { Environment } from '../engine/expression/operator.ts';
import { type MatchDetails, type Matcher, matcher } from '../engine/match/compile.ts';
import { sortedBy, sortOrder } from '../engine/match/sort.ts';
import type { Document, Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import type { SecondaryIndex } from '../storage/secondary-index.ts';
import type { RecordId, StoredRecord } from '../storage/storage.ts';
import type { Deadline, Scope } from '../dispatch/command.ts';
import { hintOf, isBackwards } from './hint.ts';
import { type IndexScan, type Plan, planQuery } from './planner.ts';

/** Records between two looks at the clock. */
const CLOCK_INTERVAL = 128;

/** Which documents of a collection are wanted, and in which order. */
export interface Query {
  readonly filter: Document;
  readonly sort?: Document | undefined;
  readonly hint?: Value | SecondaryIndex | undefined;
}

/** How much was looked at. */
export interface Statistics {
  keys: number;
  documents: number;
}

/** A record that a filter selected. Its document is decoded when it is asked for, unless it had to be before. */
export class Found {
  readonly record: StoredRecord;
  readonly #matches: Matcher;
  #document: Document | undefined;
  #match: MatchDetails | undefined;

  constructor(record: StoredRecord, matches: Matcher, document?: Document) {
    this.record = record;
    this.#matches = matches;
    this.#document = document;
  }

  get document(): Document {
    return (this.#document ??= decode(this.record.bytes));
  }

  /** What the positional operator `$` means in it. */
  get match(): MatchDetails {
    if (this.#match === undefined) {
      this.#match = { index: undefined };
      this.#matches(this.document, this.#match);
    }
    return this.#match;
  }
}

/** How a query is run, chosen and checked. */
export interface PreparedQuery {
  readonly plan: Plan;
  /** What is found, in the order that is wanted. It reads as it is asked, so the collection may change meanwhile. */
  run(options?: RunOptions): Iterable<Found>;
}

interface RunOptions {
  /** True where each record is wanted once, also where changing it may move it in an index. */
  readonly changing?: boolean;
  readonly statistics?: Statistics;
}

/**
 * Chooses the way to the documents of a query. Throws what a wrong filter, sort or hint deserves; while it runs, 50 when
 * the deadline is over, 175 when the collection was dropped.
 */
export function prepare(collection: Collection, query: Query, scope: Scope): PreparedQuery {
  const { variables, deadline, collation, check } = scope;
  const matches = matcher(query.filter, scope);
  const natural = query.sort?.has('$natural') === true ? query.sort : undefined;
  const sort = natural === undefined && query.sort !== undefined && query.sort.size > 0 ? query.sort : undefined;
  const order = sort && sortOrder(sort, collation?.compare);
  const hint =
    natural === undefined
      ? hintOf(collection, query.hint)
      : ({ kind: 'natural', backwards: isBackwards(natural) } as const);
  const plan = planQuery(collection, { filter: query.filter, sort, hint, collation });
  const run = ({ changing = false, statistics = { keys: 0, documents: 0 } }: RunOptions = {}): Iterable<Found> => {
    const execution: Execution = {
      collection,
      deadline,
      statistics,
      matches,
      options: { variables, collation, check },
    };
    const found = changing && plan.kind === 'index' ? once(recordsOf(plan, execution)) : recordsOf(plan, execution);
    return order === undefined || plan.sorted ? found : sortedBy(found, order, ({ document }) => document);
  };
  return { plan, run };
}

/** What a query finds: see `prepare`. Nothing where there is no collection. */
export function select(
  collection: Collection | undefined,
  query: Query,
  scope: Scope,
  options?: RunOptions,
): Iterable<Found> {
  if (collection !== undefined) return prepare(collection, query, scope).run(options);
  matcher(query.filter, scope);
  if (query.sort !== undefined && !query.sort.has('$natural')) sortOrder(query.sort);
  return [];
}

interface Execution {
  readonly collection: Collection;
  readonly deadline: Deadline | undefined;
  readonly statistics: Statistics;
  /** The test of the whole filter. */
  readonly matches: Matcher;
  readonly options: Environment;
}

function* recordsOf(plan: Plan, execution: Execution): Generator<Found> {
  if (plan.kind === 'union') return yield* unionOf(plan, execution);
  const { filter } = plan;
  const passes = filter && matcher(filter, execution.options);
  for (const record of watched(candidatesOf(plan, execution), execution)) {
    const document = passes && decode(record.bytes);
    if (document === undefined || passes?.(document)) yield new Found(record, execution.matches, document);
  }
}

/** Each record once, whichever branches it is on. */
function* unionOf({ branches, filter }: Extract<Plan, { kind: 'union' }>, execution: Execution): Generator<Found> {
  const passes = filter && matcher(filter, execution.options);
  for (const found of once(concatenated(branches, execution))) if (passes?.(found.document) !== false) yield found;
}

function* concatenated(branches: readonly Plan[], execution: Execution): Generator<Found> {
  for (const branch of branches) yield* recordsOf(branch, execution);
}

function* once(found: Iterable<Found>): Generator<Found> {
  const seen = new Set<RecordId>();
  for (const one of found) {
    if (seen.has(one.record.id)) continue;
    seen.add(one.record.id);
    yield one;
  }
}

function candidatesOf(plan: Exclude<Plan, { kind: 'union' }>, { collection, statistics }: Execution) {
  switch (plan.kind) {
    case 'collection':
      return plan.backwards ? [...collection.records.records()].reverse() : collection.records.records();
    case 'id': {
      statistics.keys += 1;
      const record = collection.ids.find(plan.id);
      return record === undefined ? [] : [record];
    }
    case 'index':
      return indexed(plan, collection, statistics);
  }
}

function* indexed(
  { index, ranges, backwards, repeats }: IndexScan,
  { records }: Collection,
  statistics: Statistics,
): Generator<StoredRecord> {
  const seen = repeats ? new Set<RecordId>() : undefined;
  for (const range of backwards ? ranges.toReversed() : ranges) {
    for (const id of index.scan(range, backwards)) {
      statistics.keys += 1;
      if (seen?.has(id)) continue;
      seen?.add(id);
      const record = records.get(id);
      if (record !== undefined) yield record;
    }
  }
}

function* watched(
  candidates: Iterable<StoredRecord>,
  { collection, deadline, statistics }: Execution,
): Generator<StoredRecord> {
  for (const record of candidates) {
    checkThere(collection);
    statistics.documents += 1;
    if (statistics.documents % CLOCK_INTERVAL === 0) deadline?.check();
    yield record;
  }
  checkThere(collection);
}

function checkThere({ dropped, uuid }: Collection): void {
  if (dropped) throw new ServerError(175, `collection dropped. UUID ${uuid.toUUID().toHexString()}`);
}

/** What is left after `skip`, at most `limit` of it (0: all). */
export function* limited<T>(items: Iterable<T>, skip: number, limit: number): Generator<T> {
  let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  let passed = 0;
  for (const item of items) {
    passed += 1;
    if (passed <= skip) continue;
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}
