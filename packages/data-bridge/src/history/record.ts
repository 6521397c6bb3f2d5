import { BSON, type ClientSession, type ObjectId, type OptionalId, type WriteConcern } from 'mongodb';
import { isInTransaction } from '../connection/transaction-attempt.ts';
import type { SessionCollection } from '../connection/session-collection.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { REVISION, REVISION_ID } from '../definition/revision.ts';
import { serverCode } from '../connection/driver-error.ts';
import { HistoryError, UsageError } from '../errors.ts';
import { outcomeOf, safely, translate } from '../connection/write-outcome.ts';
import type { StoredChange } from '../edits/stored-changes.ts';
import { entryChanges, knownValues, type PendingEntry, type SeenWrite, type StoredEntry } from './entry.ts';
import type { PlannedEntry } from '../document/planned-entry.ts';
import type { Redaction } from '../definition/redaction.ts';

/** A model whose history is kept. */
export interface RecordedModel extends ModelDefinition {
  readonly redaction: Redaction;
}

function isRecorded(definition: ModelDefinition): definition is RecordedModel {
  return definition.redaction !== undefined;
}

/** The model as one that keeps a history. @throws UsageError where it keeps none. */
export function recordedModel(definition: ModelDefinition): RecordedModel {
  if (isRecorded(definition)) return definition;
  const text = 'The model keeps no history: give it the option { history: true }.';
  throw new UsageError(text, definition.context);
}

/** What the writer of a document knows of it before it writes. */
export interface Known {
  readonly doc: unknown;
  /** The last revision of which it has seen all, 0 where there is none. */
  readonly base: number;
  /** The last write that it has seen. */
  readonly seen: SeenWrite | null;
  /** What it is about to change, as it knows it: `to` is not looked at. */
  readonly values: readonly StoredChange[];
  /** True where these are all fields of the document. */
  readonly isWhole: boolean;
}

/** What a write did. */
export interface Done {
  readonly doc: unknown;
  readonly rev: number;
  readonly prev: ObjectId | null;
  readonly changes: readonly StoredChange[];
}

/** How the operations of a write are sent. */
export interface SendOptions {
  readonly session?: ClientSession;
  readonly writeConcern?: WriteConcern;
}

/**
 * Does a write, and writes its entry. In a transaction both go together. Elsewhere a pending entry is written first, by
 * which `repairHistory()` can tell after a crash whether the write was done.
 *
 * @param write does it, with the document's revision incremented and its `_revId` set to the entry's id; null when it met no document.
 * @throws HistoryError when the write was done and the entry was not written.
 */
export async function record(
  definition: RecordedModel,
  entry: PlannedEntry,
  known: Known,
  options: SendOptions,
  write: () => Promise<Done | null>,
): Promise<Done | null> {
  const gathering = gatherings.get(entry);
  if (gathering !== undefined) return gatherFrom(gathering, entry, write);
  const sent = sendOptionsOf(options);
  if (isInTransaction(options)) {
    const done = await write();
    if (done !== null)
      await definition.historyCollection().insertOne(documentOf(entryOf(definition, entry, done)), sent);
    return done;
  }
  await beforehand(definition, options, () => announce(definition, entry, known, sent));
  let done: Done | null;
  try {
    done = await write();
  } catch (error) {
    if (outcomeOf(error) === 'refused') await drop(definition.historyCollection(), entry, sent);
    throw error;
  }
  if (done !== null) return { ...done, rev: await finish(definition, entryOf(definition, entry, done), sent) };
  await drop(definition.historyCollection(), entry, sent);
  return null;
}

/**
 * Does what comes before a write. Where that fails the write was not sent, whatever the error says of the command that it
 * comes from.
 */
export async function beforehand<R>(
  definition: RecordedModel,
  options: SendOptions,
  work: () => Promise<R>,
): Promise<R> {
  try {
    return await work();
  } catch (error) {
    // By the driver's own error a transaction is run again.
    if (isInTransaction(options)) throw error;
    const told = translate(error, definition.context, definition);
    if (outcomeOf(told) === 'refused') throw told;
    const text = 'Nothing was written, since the write could not be announced in the history first: try again.';
    throw new HistoryError(text, { problem: 'unannounced', ...definition.context, cause: safely(error) });
  }
}

/** What gathers the entries of writes that are sent together: they were announced, and are written when all are done. */
interface Gathering {
  /** The write is tried, perhaps once more: nobody knows what becomes of it. */
  begin(entry: PlannedEntry): void;
  /** @param done null where the write was not done. */
  take(entry: PlannedEntry, done: Done | null): void;
}

const gatherings = new WeakMap<PlannedEntry, Gathering>();

/** Has a write's entry gathered, until it is released. */
export function gather(entry: PlannedEntry, gathering: Gathering): void {
  gatherings.set(entry, gathering);
}

export function release(entry: PlannedEntry): void {
  gatherings.delete(entry);
}

/** True where a write's entry is gathered. */
export function isGathered(entry: PlannedEntry): boolean {
  return gatherings.has(entry);
}

async function gatherFrom(
  gathering: Gathering,
  entry: PlannedEntry,
  write: () => Promise<Done | null>,
): Promise<Done | null> {
  gathering.begin(entry);
  try {
    const done = await write();
    gathering.take(entry, done);
    return done;
  } catch (error) {
    if (outcomeOf(error) === 'refused') gathering.take(entry, null);
    throw error;
  }
}

export function sendOptionsOf({ session, writeConcern }: SendOptions): SendOptions {
  return { ...(session !== undefined && { session }), ...(writeConcern !== undefined && { writeConcern }) };
}

/** Once more where the write is sent once more. */
async function announce(
  definition: RecordedModel,
  entry: PlannedEntry,
  known: Known,
  options: SendOptions,
): Promise<void> {
  const history = definition.historyCollection();
  try {
    await history.insertOne(documentOf(pendingOf(definition, entry, known)), options);
  } catch (error) {
    if (serverCode(error) === 11000) return;
    // case: it is there, and was not confirmed as widely as asked
    if (outcomeOf(error) === 'applied') await drop(history, entry, options);
    throw error;
  }
}

/** What announces a write. */
export function pendingOf(
  { redaction }: RecordedModel,
  { id, ...entry }: PlannedEntry,
  { doc, base, seen, values, isWhole }: Known,
): PendingEntry {
  const known = knownValues(values, redaction);
  return { _id: id, pending: true, doc, ...entry, base, seen, known, isWhole };
}

/** The write was not done. The pending entry does no harm where it stays: a repair finds out the same. */
async function drop(history: SessionCollection, { id }: PlannedEntry, options: SendOptions): Promise<void> {
  await history.deleteOne(where({ _id: id }), options).catch(() => {});
}

/** The entry of a write that was done. */
export function entryOf(
  definition: RecordedModel,
  planned: PlannedEntry,
  { doc, rev, prev, changes }: Done,
): StoredEntry {
  return { _id: { doc, rev }, ...planned, prev, changes: entryChanges(changes, definition.redaction) };
}

/** Writes the entry of a write that was done. Gives the revision under which it is kept. */
export async function finish(definition: RecordedModel, entry: StoredEntry, options: SendOptions): Promise<number> {
  try {
    const { rev } = entry._id;
    if (await put(definition, entry, options)) return rev;
    // A document that was here before, or was written past the mapper, may have had the number: the next is free.
    const next = { ...entry, _id: { doc: entry._id.doc, rev: await nextRevision(definition, entry._id.doc, options) } };
    await definition
      .collection()
      .updateOne(
        where({ _id: entry._id.doc, [REVISION_ID]: entry.id }),
        { $set: { [REVISION]: next._id.rev } },
        options,
      );
    if (await put(definition, next, options)) return next._id.rev;
    throw new Error('The revision was taken twice.');
  } catch (error) {
    throw unfinished(definition, entry, error);
  }
}

/** The error for a write that was done, and whose entry was not written, or nobody knows. */
export function unfinished(definition: RecordedModel, { _id }: StoredEntry, error: unknown): HistoryError {
  const text =
    outcomeOf(error) === 'unknown'
      ? 'The document was written, and nobody knows whether its entry in the history was: repairHistory() finds out, and writes it where it is missing.'
      : 'The document was written, but its entry in the history was not: repairHistory() will write it, or say what is in its way.';
  return new HistoryError(text, { problem: 'unfinished', ...definition.contextOf(_id.doc), cause: safely(error) });
}

/** Writes an entry and removes what announced it. False where another write has the revision. */
async function put(definition: RecordedModel, entry: StoredEntry, options: SendOptions): Promise<boolean> {
  const history = definition.historyCollection();
  const insert = { insertOne: { document: documentOf(entry) } };
  const remove = { deleteOne: { filter: where({ _id: entry.id }) } };
  try {
    await history.bulkWrite([insert, remove], { ...options, ordered: true });
    return true;
  } catch (error) {
    if (serverCode(error) !== 11000) throw error;
    const isOwn = await history.countDocuments(where({ _id: entry._id, id: entry.id }), options);
    if (isOwn === 0) return false;
    // case: a repair came first
    await history.deleteOne(where({ _id: entry.id }), options);
    return true;
  }
}

/** The revision after the last one that the history has of a document. */
export async function nextRevision(definition: RecordedModel, doc: unknown, { session }: SendOptions): Promise<number> {
  const options = { projection: { _id: 1 }, sort: { _id: -1 }, ...(session !== undefined && { session }) } as const;
  const last = await definition.historyCollection().findOne<{ _id: { rev: unknown } }>(entriesOf(doc), options);
  return last === null ? 1 : Number(last._id.rev) + 1;
}

/** The last revisions that the history has of documents, by their places; undefined of those that it does not know. */
export async function lastRevisions(
  definition: RecordedModel,
  docs: readonly unknown[],
  { session }: SendOptions,
): Promise<(number | undefined)[]> {
  const options = session === undefined ? {} : { session };
  const stages = [
    { $match: { $or: docs.map((doc) => entriesOf(doc)) } },
    { $group: { _id: '$_id.doc', rev: { $max: '$_id.rev' } } },
    // The server says which is which: numbers of other types are the same `_id` to it.
    { $project: { _id: 0, rev: 1, place: { $indexOfArray: [{ $literal: docs }, '$_id'] } } },
  ];
  const found = await definition.historyCollection().aggregate(stages, options).toArray();
  const revisions = new Map(found.map(({ place, rev }) => [Number(place), Number(rev)]));
  return docs.map((_, place) => revisions.get(place));
}

/** A filter of the driver: its types take every `_id` for an ObjectId. */
type Where = Readonly<Record<string, unknown>>;

function where(filter: Where): Where {
  return filter;
}

function documentOf(entry: StoredEntry | PendingEntry): OptionalId<BSON.Document> {
  return entry as unknown as OptionalId<BSON.Document>;
}

/** A filter for the entries of one document, which lie together in the order of their revisions. */
export function entriesOf(doc: unknown, from: unknown = new BSON.MinKey(), to: unknown = new BSON.MaxKey()): Where {
  return { _id: { $gte: { doc, rev: from }, $lte: { doc, rev: to } } };
}

/** A filter for what announced writes whose entries are not there. Their `_id`s lie together, too. */
export function pendingWhere(more: Where): Where {
  return { _id: { $gte: new BSON.ObjectId('0'.repeat(24)) }, pending: true, ...more };
}
