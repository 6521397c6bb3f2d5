import { decode } from '../engine/bson.ts';
import { type MatchDetails, type Matcher, matcher } from '../engine/match.ts';
import { compareBy } from '../engine/order.ts';
import type { Document } from '../engine/value.ts';
import type { Collection } from '../catalog.ts';
import { ServerError } from '../errors.ts';
import type { StoredRecord } from '../storage/storage.ts';
import { isBackwards } from './arguments.ts';
import { candidates } from './candidates.ts';
import type { Deadline, Scope } from './command.ts';

/** Records between two looks at the clock. */
const CLOCK_INTERVAL = 128;

/** A record that a filter selected, with its document where it had to be decoded. */
export interface Found {
  readonly record: StoredRecord;
  readonly document: Document | undefined;
  /** What the positional operator `$` means in it. */
  readonly match: MatchDetails;
}

/** The document of a found record. */
export function documentOfFound({ record, document }: Found): Document {
  return document ?? decode(record.bytes);
}

/**
 * The records that a filter selects, in natural order. It reads as it is asked, so the collection may change meanwhile
 * (see `RecordStore.records`). A filter that is nothing but equality on `_id` decodes nothing. Throws, before the first
 * record, what a wrong filter deserves; 50 when the deadline is over, 175 when the collection was dropped.
 */
export function select(
  collection: Collection | undefined,
  filter: Document,
  { variables, deadline }: Scope,
): Iterable<Found> {
  const matches = matcher(filter, { variables });
  if (collection === undefined) return [];
  const { records, exact } = candidates(collection, filter);
  return matching(watched(collection, records, deadline), exact ? undefined : matches);
}

function* matching(records: Iterable<StoredRecord>, matches: Matcher | undefined): Generator<Found> {
  for (const record of records) {
    const match: MatchDetails = { index: undefined };
    const document = matches && decode(record.bytes);
    if (document === undefined || matches?.(document, match)) yield { record, document, match };
  }
}

function* watched(
  collection: Collection,
  records: Iterable<StoredRecord>,
  deadline: Deadline | undefined,
): Generator<StoredRecord> {
  let seen = 0;
  for (const record of records) {
    checkThere(collection);
    seen += 1;
    if (seen % CLOCK_INTERVAL === 0) deadline?.check();
    yield record;
  }
  checkThere(collection);
}

function checkThere({ dropped, uuid }: Collection): void {
  if (dropped) throw new ServerError(175, `collection dropped. UUID ${uuid.toUUID().toHexString()}`);
}

/** What is found, sorted. Throws at once for a wrong specification. `backwards` turns the natural order round. */
export function sorted(found: Iterable<Found>, sort: Document | undefined, backwards = false): Iterable<Found> {
  if (sort === undefined || sort.size === 0) return backwards ? [...found].reverse() : found;
  if (sort.has('$natural')) return isBackwards(sort) ? [...found].reverse() : found;
  const order = compareBy(sort);
  return [...found]
    .map((one) => ({ ...one, document: documentOfFound(one) }))
    .sort((a, b) => order(a.document, b.document));
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
