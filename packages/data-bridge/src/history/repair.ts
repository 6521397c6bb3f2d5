import { checkTaken } from '../connection/taken-options.ts';
import type { Binary, ObjectId } from 'mongodb';
import { slicesOf } from '../bson/batch.ts';
import { ABSENT, encodeDocument } from '../bson/encode.ts';
import { REVISION, REVISION_ID } from '../definition/revision.ts';
import { HistoryError, UsageError } from '../errors.ts';
import { translate } from '../connection/write-outcome.ts';
import { takeAll } from '../connection/raw-batch.ts';
import { changesBetween, replacedAt, type StoredChange, type StoredKeys } from '../edits/stored-changes.ts';
import { type EntryChange, entryChanges, type PendingEntry, type StoredEntry } from './entry.ts';
import { type Fields, newestEntries, lastEntry, present, readPending, stateAt, valueAt } from './read.ts';
import { finish, pendingWhere, type RecordedModel } from './record.ts';

/** What a repair found. */
export interface HistoryRepair {
  /** Writes that were done: their entries are there now. */
  readonly completed: number;
  /** Writes that were not done: what announced them is gone. */
  readonly dropped: number;
}

/** Deletes entries that are older. Gives how many. */
export async function pruneHistory(definition: RecordedModel, options: { readonly olderThan: Date }): Promise<number> {
  checkTaken('pruneHistory', definition, options, ['olderThan']);
  const at = { $lt: checkTime(definition, 'pruneHistory', options.olderThan) };
  if (definition.conditions !== null) {
    const text = 'Entries do not tell of which class of a hierarchy a document was: call pruneHistory() of the root.';
    throw new UsageError(text, definition.context);
  }
  const filter: Record<string, unknown> = { '_id.rev': { $exists: true }, at };
  return inWords(definition, async () => (await definition.historyCollection().deleteMany(filter)).deletedCount);
}

/** Writers that announced a write less than a minute ago may be at it. */
const MINUTE = 60_000;

/**
 * Finds out of each write that was announced and not finished whether it was done: its id is the document's `_revId`, or
 * another write's `prev`, or another writer has seen it. Then its entry is written, of what its writer knew and what is
 * stored; any other announcement is removed.
 */
export async function repairHistory(
  definition: RecordedModel,
  options: { readonly olderThan?: Date } = {},
): Promise<HistoryRepair> {
  checkTaken('repairHistory', definition, options, ['olderThan']);
  const { olderThan = new Date(Date.now() - MINUTE) } = options;
  const time = checkTime(definition, 'repairHistory', olderThan);
  return inWords(definition, async () => {
    const repair = { completed: 0, dropped: 0 };
    for (const pending of (await pendingBy(definition, {})).values()) {
      if (pending.some(({ at }) => at >= time)) continue;
      const { completed, dropped } = await repairDocument(definition, pending);
      repair.completed += completed;
      repair.dropped += dropped;
    }
    return repair;
  });
}

function checkTime(definition: RecordedModel, method: string, time: Date): Date {
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time;
  throw new UsageError(`${method}() takes { olderThan } with a Date.`, definition.context);
}

async function inWords<R>(definition: RecordedModel, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw translate(error, definition.context);
  }
}

/** What was announced, by document. */
async function pendingBy(definition: RecordedModel, filter: object): Promise<Map<string, PendingEntry[]>> {
  const groups = new Map<string, PendingEntry[]>();
  const found = definition.historyCollection().find(pendingWhere({ ...filter }), { raw: true });
  for (const bytes of (await takeAll(found)).flatMap((batch) => slicesOf(batch))) {
    const pending = readPending(bytes);
    const key = Buffer.from(encodeDocument({ doc: pending.doc })).toString('base64');
    groups.set(key, [...(groups.get(key) ?? []), pending]);
  }
  return groups;
}

/** @param all what was announced of one document. */
async function repairDocument(definition: RecordedModel, all: readonly PendingEntry[]): Promise<HistoryRepair> {
  const { doc } = all[0] as PendingEntry;
  const applied = await findApplied(definition, doc, all);
  // The newest first: what a write left is what is stored now without those after it.
  for (const each of applied.toSorted((a, b) => b.rev - a.rev))
    await finish(definition, each.entry ?? (await completeEntry(definition, each, applied)), {});
  const isApplied = new Set(applied.map(({ pending }) => pending));
  const dropped = all.filter((pending) => !isApplied.has(pending));
  for (const { _id } of dropped) await definition.historyCollection().deleteOne({ _id });
  return { completed: applied.length, dropped: dropped.length };
}

/** A write that was done, the revision that it made, and its entry where that was written. */
interface Applied {
  readonly pending: PendingEntry;
  readonly rev: number;
  readonly entry?: StoredEntry;
}

async function findApplied(
  definition: RecordedModel,
  doc: unknown,
  all: readonly PendingEntry[],
): Promise<readonly Applied[]> {
  const stored = await present(definition, doc, {});
  const ids = all.map(({ _id }) => _id);
  const filter = { $or: [{ id: { $in: ids } }, { prev: { $in: ids } }] };
  const related: StoredEntry[] = [];
  for await (const entry of newestEntries(definition, doc, { filter }, {})) related.push(entry);
  const seen = all.flatMap((pending) => pending.seen ?? []);
  const applied = all.flatMap((pending): Applied[] => {
    const is = (id: unknown): boolean => pending._id.equals(id as ObjectId);
    const entry = related.find(({ id }) => is(id));
    if (entry !== undefined) return [{ pending, rev: entry._id.rev, entry }];
    if (stored !== null && is(stored.exact(REVISION_ID))) return [{ pending, rev: Number(stored.exact(REVISION)) }];
    const next = related.find(({ prev }) => prev !== null && is(prev));
    const rev = next === undefined ? seen.find(({ id }) => is(id))?.rev : next._id.rev - 1;
    return rev === undefined ? [] : [{ pending, rev }];
  });
  const deletion = stored === null ? await findDeletion(definition, doc, all, applied) : null;
  return deletion === null ? applied : [...applied, deletion];
}

/** A deletion leaves no document that could tell. Where there is none, and no other write deleted it, the first one did. */
async function findDeletion(
  definition: RecordedModel,
  doc: unknown,
  all: readonly PendingEntry[],
  applied: readonly Applied[],
): Promise<Applied | null> {
  const last = await lastEntry(definition, doc, {});
  const known = applied.map(({ pending, rev }) => ({ kind: pending.kind, rev }));
  if (last !== null) known.push({ kind: last.kind, rev: last._id.rev });
  const newest = known.toSorted((a, b) => b.rev - a.rev)[0];
  if (newest?.kind === 'delete') return null;
  const open = all.filter((pending) => pending.kind === 'delete' && !applied.some((each) => each.pending === pending));
  const pending = open.toSorted((a, b) => a.at.getTime() - b.at.getTime())[0];
  return pending === undefined ? null : { pending, rev: (newest?.rev ?? pending.base) + 1 };
}

// ── the entry of a write of which only the announcement is there ────────────────────────────────────────────────────

async function completeEntry(
  definition: RecordedModel,
  each: Applied,
  applied: readonly Applied[],
): Promise<StoredEntry> {
  const { pending, rev } = each;
  const { _id: id, doc, kind, at, by, why, seen } = pending;
  const between: StoredEntry[] = [];
  const range = { from: Math.min(pending.base + 1, rev - 1), to: rev - 1 };
  for await (const entry of newestEntries(definition, doc, range, {})) between.unshift(entry);
  const before =
    between.find(({ _id }) => _id.rev === rev - 1)?.id ?? applied.find((other) => other.rev === rev - 1)?.pending._id;
  const prev = before ?? (seen !== null && seen.rev === rev - 1 ? seen.id : null);
  const changes = await tellChanges(definition, each, between, applied);
  return {
    _id: { doc, rev },
    kind,
    id,
    at,
    ...(by !== undefined && { by }),
    ...(why !== undefined && { why }),
    prev,
    changes,
  };
}

/** From what the writer knew, brought up to date, to what the write left; null where that cannot be told. */
async function tellChanges(
  definition: RecordedModel,
  { pending, rev }: Applied,
  between: readonly StoredEntry[],
  applied: readonly Applied[],
): Promise<EntryChange[] | null> {
  const left = pending.kind === 'delete' ? {} : await stateLeft(definition, pending.doc, rev);
  const known = left && bringForward(pending, rev, between, applied);
  if (left === null || known === null) return null;
  const values = new Map(known.map(({ keys, value }) => [keys, value]));
  if (pending.isWhole)
    for (const name of Object.keys(left)) if (!known.some(({ keys }) => keys[0] === name)) values.set([name], ABSENT);
  const changes: StoredChange[] = [];
  const hashed: EntryChange[] = [];
  for (const [keys, from] of values) {
    const to = valueAt(left, keys);
    if (!(from instanceof Hash)) changes.push(...changesBetween(from, to, keys));
    else
      for (const change of entryChanges([{ keys, from: ABSENT, to }], definition.redaction))
        hashed.push({ ...change, keys, fromHash: from.hash });
  }
  return [...entryChanges(changes, definition.redaction), ...hashed];
}

async function stateLeft(definition: RecordedModel, doc: unknown, rev: number): Promise<Fields | null> {
  try {
    return await stateAt(definition, doc, rev, {});
  } catch (error) {
    if (error instanceof HistoryError) return null;
    throw error;
  }
}

/** Stands for a value of which the hash is known. */
class Hash {
  readonly hash: Binary;

  constructor(hash: Binary) {
    this.hash = hash;
  }
}

interface KnownValue {
  readonly keys: StoredKeys;
  readonly value: unknown;
}

/** What the writer knew, with what others changed before its write; null where one of them left no entry that tells. */
function bringForward(
  { base, known }: PendingEntry,
  rev: number,
  between: readonly StoredEntry[],
  applied: readonly Applied[],
): KnownValue[] | null {
  let values = known.map(({ keys, ...change }): KnownValue => {
    return {
      keys,
      value: change.fromHash === undefined ? ('from' in change ? change.from : ABSENT) : new Hash(change.fromHash),
    };
  });
  for (let r = base + 1; r < rev; r += 1) {
    const changes = between.find(({ _id }) => _id.rev === r)?.changes;
    if (changes === null) return null;
    if (changes !== undefined) {
      for (const change of changes) values = values.map((each) => changed(each, change));
      continue;
    }
    // A write that was not finished either does no harm where it wrote something else.
    const other = applied.find((each) => each.rev === r)?.pending;
    if (other === undefined || other.isWhole || meets(other.known, known)) return null;
  }
  return values;
}

function meets(some: readonly EntryChange[], others: readonly EntryChange[]): boolean {
  return some.some((each) => others.some((other) => isBelow(each.keys, other.keys) || isBelow(other.keys, each.keys)));
}

function isBelow(keys: StoredKeys, outer: StoredKeys): boolean {
  return outer.every((key, i) => key === keys[i]);
}

function changed({ keys, value }: KnownValue, change: EntryChange): KnownValue {
  const to = change.toHash === undefined ? ('to' in change ? change.to : ABSENT) : new Hash(change.toHash);
  if (isBelow(keys, change.keys))
    return { keys, value: to instanceof Hash ? to : valueAt(to, keys.slice(change.keys.length)) };
  if (!isBelow(change.keys, keys)) return { keys, value };
  return { keys, value: replacedAt(value, change.keys.slice(keys.length), to) };
}
