import { readFailure } from '../connection/bulk-failure.ts';
import { bulkWrite } from '../connection/collection.ts';
import { serverCode } from '../connection/driver-error.ts';
import { limitsOf } from '../connection/server-limits.ts';
import { isInTransaction } from '../connection/transaction-attempt.ts';
import { translate } from '../connection/write-outcome.ts';
import { REVISION } from '../definition/revision.ts';
import type { InsertWrite, Write } from '../document/document-state.ts';
import type { PlannedEntry } from '../document/planned-entry.ts';
import type { PlannedState, WriteBatch } from '../save/recorder.ts';
import type { PendingEntry, StoredEntry } from './entry.ts';
import { insertDone, knownBeforeInsert, knownBeforeUpdate, mayBeKnown, renumber } from './record-save.ts';
import {
  beforehand,
  type Done,
  entryOf,
  finish,
  gather,
  lastRevisions,
  pendingOf,
  type RecordedModel,
  release,
  type SendOptions,
  sendOptionsOf,
  unfinished,
} from './record.ts';

/*
 * Entries of writes that are sent together: all are announced by one command before them, and written by one after. A crash
 * between leaves the announcements, and a repair finds out of each, as it does of single writes.
 */

/** Announces writes of one model. In a transaction nothing is announced: what is written goes with its entry. */
export async function announceAll(
  definition: RecordedModel,
  writes: readonly PlannedState[],
  options: SendOptions,
): Promise<WriteBatch> {
  const sent = sendOptionsOf(options);
  await beforehand(definition, options, () => numberInserts(definition, writes, sent));
  if (!isInTransaction(options)) {
    const announcements = writes.map(({ state, write }): PendingEntry => {
      const known = write.kind === 'insert' ? knownBeforeInsert(write.document) : knownBeforeUpdate(state, write.tree);
      return pendingOf(definition, entryIn(write), known);
    });
    await beforehand(definition, options, () => announce(definition, announcements, sent));
  }
  return new EntryBatch(definition, writes, sent);
}

async function announce(
  definition: RecordedModel,
  announcements: readonly PendingEntry[],
  options: SendOptions,
): Promise<void> {
  const history = definition.historyCollection();
  try {
    await history.insertMany([...announcements] as object[], { ...options, ordered: false });
  } catch (error) {
    // One that is there was announced before: its write is sent once more.
    const { refused, failure } = readFailure(error);
    // case: they are there, and were not confirmed as widely as asked
    if (failure?.outcome === 'applied')
      await history.deleteMany({ _id: { $in: announcements.map(({ _id }) => _id) } }, options).catch(() => {});
    if (failure !== undefined || [...refused.values()].some((each) => serverCode(each) !== 11000)) throw error;
  }
}

/** Documents whose `_id`s may have been in the collection before go on where those ended. */
async function numberInserts(
  definition: RecordedModel,
  writes: readonly PlannedState[],
  options: SendOptions,
): Promise<void> {
  const inserts = writes.flatMap(({ state, write }) =>
    write.kind === 'insert' && state.unanswered !== write && mayBeKnown(state) ? [write.document] : [],
  );
  if (inserts.length === 0) return;
  const last = await lastRevisions(
    definition,
    inserts.map(({ _id }): unknown => _id),
    options,
  );
  inserts.forEach((document, place) => (document[REVISION] = (last[place] ?? 0) + 1));
}

function entryIn({ entry }: Write): PlannedEntry {
  return entry as PlannedEntry;
}

class EntryBatch implements WriteBatch {
  readonly #definition: RecordedModel;
  readonly #writes: readonly PlannedState[];
  readonly #options: SendOptions;
  /** Entries of the writes that were done, and null for those that were not. Of the others nobody knows. */
  readonly #known = new Map<PlannedEntry, StoredEntry | null>();

  constructor(definition: RecordedModel, writes: readonly PlannedState[], options: SendOptions) {
    this.#definition = definition;
    this.#writes = writes;
    this.#options = options;
    for (const { write } of writes) gather(entryIn(write), this);
  }

  begin(entry: PlannedEntry): void {
    this.#known.delete(entry);
  }

  take(entry: PlannedEntry, done: Done | null): void {
    this.#known.set(entry, done && entryOf(this.#definition, entry, done));
  }

  inserted(write: InsertWrite): void {
    this.take(entryIn(write), insertDone(write.document));
  }

  dropped(write: Write): void {
    this.take(entryIn(write), null);
  }

  async finish(): Promise<ReadonlyMap<Write, unknown>> {
    for (const { write } of this.#writes) release(entryIn(write));
    const done = this.#writes.flatMap((planned) => {
      const entry = this.#known.get(entryIn(planned.write));
      return entry ? [{ planned, entry }] : [];
    });
    const failures = new Map<Write, unknown>();
    try {
      await this.#put(done.map(({ entry }) => entry));
    } catch (error) {
      // A revision that is taken already is told one by one, where the next free one is found.
      const isClash = readFailure(error).refused.size > 0 && !isInTransaction(this.#options);
      for (const { planned, entry } of done) {
        const failure = isClash ? await this.#finishOne(planned, entry) : this.#failureOf(entry, error);
        if (failure !== undefined) failures.set(planned.write, failure);
      }
    }
    return failures;
  }

  /** Writes entries, and removes what announced them and what was not done. */
  async #put(entries: readonly StoredEntry[]): Promise<void> {
    const documents = entries as unknown as object[];
    const history = this.#definition.historyCollection();
    if (isInTransaction(this.#options)) {
      if (entries.length > 0) await history.insertMany(documents, this.#options);
      return;
    }
    const filter = { _id: { $in: [...this.#known.keys()].map(({ id }) => id) } };
    const { hasBulkWrite, connection } = await limitsOf(this.#definition.connection());
    if (!hasBulkWrite) {
      if (entries.length > 0) await history.insertMany(documents, this.#options);
      await history.deleteMany(filter, this.#options);
      return;
    }
    const { namespace } = history;
    const inserts = documents.map((document) => ({ namespace, name: 'insertOne', document }) as const);
    // In this order: an announcement goes when its entry is there.
    await bulkWrite(connection.client, [...inserts, { namespace, name: 'deleteMany', filter }], {
      ...this.#options,
      ordered: true,
    });
  }

  async #finishOne(planned: PlannedState, entry: StoredEntry): Promise<unknown> {
    try {
      const rev = await finish(this.#definition, entry, this.#options);
      if (rev !== entry._id.rev) renumber(planned, rev);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #failureOf(entry: StoredEntry, error: unknown): unknown {
    // A transaction takes the write back, too.
    if (isInTransaction(this.#options)) return translate(error, this.#definition.context, this.#definition);
    return unfinished(this.#definition, entry, error);
  }
}
