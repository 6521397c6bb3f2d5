import { setTimeout as wait } from 'node:timers/promises';
import type { ClientSession, ObjectId } from 'mongodb';
import { slicesOf } from '../bson/batch.ts';
import { setOwn } from '../bson/plain-object.ts';
import { ABSENT, memberOf } from '../bson/encode.ts';
import { Layout } from '../bson/layout.ts';
import { REVISION, REVISION_ID } from '../definition/revision.ts';
import type { ScopeOptions } from '../definition/extension.ts';
import { HistoryError, UsageError } from '../errors.ts';
import { translate } from '../connection/write-outcome.ts';
import { takeBatch } from '../connection/raw-batch.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import { replacedAt, type StoredKeys } from '../edits/stored-changes.ts';
import type { EntryChange, PendingEntry, StoredEntry } from './entry.ts';
import { entriesOf, pendingWhere, type RecordedModel } from './record.ts';
import { fieldsOf, storedIn } from './record-save.ts';

/** Options of what reads a history. */
export interface ReadOptions extends ScopeOptions {
  readonly session?: ClientSession;
}

/** Fields by their stored names, BSON-typed. */
export type Fields = Record<string, unknown>;

/** The newest entries first, of the revisions from `from` to `to`. @param limit 0 for all. */
export async function* newestEntries(
  definition: RecordedModel,
  doc: unknown,
  range: { readonly from?: number; readonly to?: number; readonly filter?: object },
  options: ReadOptions,
  limit = 0,
): AsyncGenerator<StoredEntry, void, undefined> {
  const filter = { ...entriesOf(doc, range.from, range.to), ...range.filter };
  const cursor = definition.historyCollection().find(filter, { ...options, sort: { _id: -1 }, limit, raw: true });
  try {
    while (await cursor.hasNext()) yield* slicesOf(takeBatch(cursor)).map(readEntry);
  } catch (error) {
    throw translate(error, definition.contextOf(doc));
  } finally {
    if (!cursor.closed) await cursor.close();
  }
}

/** The newest entry of a document's history, or null. */
export async function lastEntry(
  definition: RecordedModel,
  doc: unknown,
  options: ReadOptions,
): Promise<StoredEntry | null> {
  for await (const entry of newestEntries(definition, doc, {}, options, 1)) return entry;
  return null;
}

/** The fields of a document as they are stored, of a deleted one as they were then; null where there is neither it nor a history. */
export async function lastFields(
  definition: RecordedModel,
  doc: unknown,
  options: ReadOptions,
): Promise<Fields | null> {
  const stored = await present(definition, doc, options);
  if (stored !== null) return { _id: doc, ...fieldsOf(stored, stored.names()) };
  const last = await lastEntry(definition, doc, options);
  const fields = last && (await stateAt(definition, doc, last._id.rev - 1, options));
  return fields && { _id: doc, ...fields };
}

/** An entry with its values BSON-typed, however the client decodes documents. */
function readEntry(bytes: Uint8Array): StoredEntry {
  const { _id, ...entry } = readRecord<StoredEntry>(bytes);
  const changes = entry.changes && entry.changes.map(readChange);
  return { ...entry, _id: { doc: _id.doc, rev: Number(_id.rev) }, changes };
}

/** The same of what announced one. */
export function readPending(bytes: Uint8Array): PendingEntry {
  const { base, seen, known, ...pending } = readRecord<PendingEntry>(bytes);
  return {
    ...pending,
    base: Number(base),
    seen: seen && { id: seen.id, rev: Number(seen.rev) },
    known: known.map(readChange),
  };
}

function readRecord<R>(bytes: Uint8Array): R {
  const stored = new BsonBaseline(new Layout(), bytes, 0);
  return Object.fromEntries(stored.names().map((name) => [name, stored.exact(name)])) as R;
}

function readChange({ keys, ...change }: EntryChange): EntryChange {
  return { ...change, keys: keys.map((key) => (typeof key === 'string' ? key : Number(key))) };
}

/**
 * The fields of a document as they were stored at a time, or after a revision: without what is redacted. Null when there
 * was no document.
 *
 * @throws HistoryError where the history does not tell; UsageError for a revision that is still to come.
 */
export async function stateAt(
  definition: RecordedModel,
  doc: unknown,
  when: Date | number,
  options: ReadOptions,
): Promise<Fields | null> {
  const target = typeof when === 'number' ? when : await revisionAt(definition, doc, when, options);
  if (target === null) return null;
  for (let tries = 0; ; tries += 1) {
    const now = await present(definition, doc, options);
    const past = new Past(definition, doc, now);
    for await (const entry of newestEntries(definition, doc, { from: target + 1 }, options)) past.undo(entry);
    const state = past.at(target);
    if (state === MISSING) throw await past.missing(options);
    if (state !== UNFINISHED) return state;
    // Most often the writer is about to write its entry.
    if (tries === MAX_WAITS) throw await past.unfinished(options);
    await wait(5 * 2 ** tries);
  }
}

/** How often an entry is waited for that is on its way. */
const MAX_WAITS = 5;

/** The last revision that was made by that time; null when there was no document yet. */
async function revisionAt(
  definition: RecordedModel,
  doc: unknown,
  time: Date,
  options: ReadOptions,
): Promise<number | null> {
  for await (const { _id } of newestEntries(definition, doc, { filter: { at: { $lte: time } } }, options))
    return _id.rev;
  const oldest = await definition.historyCollection().findOne(entriesOf(doc), { ...options, sort: { _id: 1 } });
  const isStored = oldest === null && (await present(definition, doc, options)) !== null;
  if (oldest === null ? !isStored : oldest['kind'] === 'insert') return null;
  throw new HistoryError('The history of the document begins later: what was before is not known, or was pruned.', {
    problem: 'pruned',
    ...definition.contextOf(doc),
  });
}

/** The document as it is stored now, or null. */
export async function present(
  definition: RecordedModel,
  doc: unknown,
  options: ReadOptions,
): Promise<BsonBaseline | null> {
  try {
    const filter: Record<string, unknown> = { _id: doc };
    const found = await definition.collection().findOne(filter, { ...options, raw: true });
    return found && storedIn(definition, found as unknown as Uint8Array);
  } catch (error) {
    throw translate(error, definition.contextOf(doc));
  }
}

/** The entry of the last write is not there. */
const UNFINISHED = Symbol('unfinished');

/** Older entries are not there. */
const MISSING = Symbol('missing');

/** Stands in the place of a value that is known by its hash only. */
class Hashed {}

const HASHED = new Hashed();

/** A document on its way back: one entry after the other is undone. */
class Past {
  readonly #definition: RecordedModel;
  readonly #doc: unknown;
  /** The id of the last write to the document that is stored now. */
  readonly #lastId: ObjectId | null;
  #fields: Fields | null;
  /** The revision that the fields are of; null while that of a deleted document is not known. */
  #revision: number | null;
  #error: HistoryError | null = null;
  #isUnfinished = false;
  readonly #newest: number | null;

  constructor(definition: RecordedModel, doc: unknown, stored: BsonBaseline | null) {
    this.#definition = definition;
    this.#doc = doc;
    this.#fields = stored && strippedFields(definition, stored);
    const revision = stored?.exact(REVISION) ?? ABSENT;
    this.#revision = stored && (revision === ABSENT ? 0 : Number(revision));
    this.#newest = this.#revision;
    const id = stored?.exact(REVISION_ID) ?? ABSENT;
    this.#lastId = id === ABSENT ? null : (id as ObjectId);
  }

  undo(entry: StoredEntry): void {
    const { rev } = entry._id;
    if (this.#error !== null || this.#isUnfinished) return;
    if (this.#revision === null) {
      this.#revision = rev;
      this.#isUnfinished = entry.kind !== 'delete';
      if (this.#isUnfinished) return;
    }
    // It was written after the document was read.
    if (rev > this.#revision) return;
    if (rev < this.#revision && this.#revision === this.#newest) this.#isUnfinished = true;
    else if (rev < this.#revision || entry.changes === null)
      this.#error = this.#gap(`Revision ${rev + 1} has no entry`);
    else this.#undoChanges(entry, entry.changes);
  }

  #undoChanges({ kind }: StoredEntry, changes: readonly EntryChange[]): void {
    this.#revision = Number(this.#revision) - 1;
    if (kind === 'insert') this.#fields = null;
    else this.#fields = changes.toReversed().reduce<Fields>(undone, kind === 'delete' ? {} : (this.#fields ?? {}));
  }

  /** The fields after that revision. */
  at(revision: number): Fields | null | typeof UNFINISHED | typeof MISSING {
    if (this.#isUnfinished) return UNFINISHED;
    if (this.#error !== null) throw this.#error;
    if (this.#revision === null) return null;
    if (revision > this.#revision) {
      const text = `The document has no revision ${revision} yet: its last one is ${this.#revision}.`;
      throw new UsageError(text, this.#context);
    }
    // Nothing at all below the last revision: its entry is on its way, or was never written.
    if (revision < this.#revision && this.#revision === this.#newest) return UNFINISHED;
    if (revision < this.#revision) return MISSING;
    const hashed = this.#fields && pathOfHash(this.#fields, []);
    if (hashed === null) return this.#fields;
    const text = `"${this.#definition.programPath(hashed)}" was too large for the history, which has only its hash.`;
    throw new HistoryError(text, { problem: 'too-large', ...this.#context });
  }

  /** True where there is what announced the entry of the last write. */
  async unfinished(options: ReadOptions): Promise<HistoryError> {
    const filter = this.#newest === null ? pendingWhere({ doc: this.#doc, kind: 'delete' }) : { _id: this.#lastId };
    const announced = await this.#definition.historyCollection().countDocuments(filter, options);
    if (announced === 0)
      return this.#gap(this.#newest === null ? 'The deletion has no entry' : `Revision ${this.#newest} has no entry`);
    const text = 'A write of the document was not followed by its entry: repairHistory() writes it.';
    return new HistoryError(text, { problem: 'unfinished', ...this.#context });
  }

  /** True where there is nothing before, or only one entry is missing. */
  async missing(options: ReadOptions): Promise<HistoryError> {
    const revision = Number(this.#revision);
    const older = await this.#definition.historyCollection().countDocuments(entriesOf(this.#doc, 0, revision), options);
    if (older > 0) return this.#gap(`Revision ${revision} has no entry`);
    const text = `The history of the document goes back to revision ${revision}: what was before was pruned.`;
    return new HistoryError(text, { problem: 'pruned', ...this.#context });
  }

  get #context(): { readonly model: string; readonly id: unknown } {
    return this.#definition.contextOf(this.#doc);
  }

  #gap(what: string): HistoryError {
    const text = `${what}, since it was made with { history: false } or past the mapper: what was before cannot be told.`;
    return new HistoryError(text, { problem: 'gap', ...this.#context });
  }
}

function strippedFields({ redaction }: RecordedModel, stored: BsonBaseline): Fields {
  const fields = {};
  for (const [name, value] of Object.entries(fieldsOf(stored, stored.names()))) {
    const stripped = redaction.strip([name], value);
    if (stripped !== ABSENT) setOwn(fields, name, stripped);
  }
  return fields;
}

function undone(fields: Fields, change: EntryChange): Fields {
  const { keys } = change;
  // What is inside of a value that is not known is not known either.
  for (let size = 1; size < keys.length; size += 1) if (valueAt(fields, keys.slice(0, size)) === HASHED) return fields;
  const from = 'fromHash' in change ? HASHED : 'from' in change ? change.from : ABSENT;
  return replacedAt(fields, keys, from) as Fields;
}

/** The value at those keys below another one, or `ABSENT`. */
export function valueAt(value: unknown, keys: StoredKeys): unknown {
  return keys.reduce<unknown>((outer, key) => {
    if (typeof key === 'string') return memberOf(outer, key);
    return Array.isArray(outer) && key < outer.length ? outer[key] : ABSENT;
  }, value);
}

function pathOfHash(value: unknown, keys: StoredKeys): StoredKeys | null {
  if (value === HASHED) return keys;
  if (typeof value !== 'object' || value === null || '_bsontype' in value) return null;
  const isArray = Array.isArray(value);
  for (const [key, member] of Object.entries(value)) {
    const found = pathOfHash(member, [...keys, isArray ? Number(key) : key]);
    if (found !== null) return found;
  }
  return null;
}
