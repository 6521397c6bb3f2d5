import type { Connection, Page, Query } from 'data-bridge';
import type { ClientSession } from 'mongodb';
import { CommandError } from '../errors.ts';
import type { Lease } from './lease.ts';
import type { BatchOptions, BatchResult, Migrated } from './migration.ts';
import { type Progress, type StepRecord, steps } from './state.ts';

const NOTHING: Progress = { after: null, seen: 0, changed: 0, isOver: false };

/** What the batches of one migration share. */
export interface Batches {
  readonly connection: Connection;
  readonly lease: Lease;
  readonly step: StepRecord;
  readonly signal: AbortSignal;
  /** False on a server that has none. */
  readonly hasTransactions: boolean;
  /** Runs the writes of a page. */
  readonly write: <R>(save: () => Promise<R>) => Promise<R>;
  readonly tell: (name: string, progress: Progress) => void;
}

/** Counts the batches that have no name: each gets the same one in every run. */
export class BatchNames {
  #count = 0;
  readonly #given = new Set<string>();

  take(name: string | undefined): string {
    this.#count += 1;
    const taken = name ?? `batch ${this.#count}`;
    if (!/^[\w -]+$/.test(taken))
      throw new CommandError(`The name of a batch has letters, digits, dashes and spaces, got "${taken}".`);
    if (this.#given.has(taken))
      throw new CommandError(
        `Two batches of one migration have the name "${taken}": what one did would count for both.`,
      );
    this.#given.add(taken);
    return taken;
  }
}

/** Gives each document of a query to a function, page by page, and saves what it changed. */
export async function runBatch<D extends Migrated>(
  batches: Batches,
  name: string,
  query: Query<D>,
  each: (document: D) => unknown,
  { size = 500, validate = true }: BatchOptions,
): Promise<BatchResult> {
  let progress = batches.step.progress?.[name] ?? NOTHING;
  while (!progress.isOver) {
    batches.lease.check();
    batches.signal.throwIfAborted();
    const before = progress;
    progress = await inTransaction(batches, async (session) => {
      const page = await query.page({ size, after: before.after });
      const changed = await changeAll(page, each);
      if (changed.length > 0) await batches.write(() => saveAll(changed, validate));
      const reached = afterPage(before, page, changed.length);
      await store(batches, name, reached, session);
      return reached;
    });
    batches.tell(name, progress);
  }
  return { seen: progress.seen, changed: progress.changed };
}

/** The documents of a page that a function changed, one after another. */
export async function changeAll<D extends Migrated>(page: Page<D>, each: (document: D) => unknown): Promise<D[]> {
  const changed: D[] = [];
  for (const document of page.items) {
    await each(document);
    if (document.changes().length > 0) changed.push(document);
  }
  return changed;
}

/** By the documents' own class, which is bound to their connection. */
async function saveAll(documents: readonly Migrated[], validate: boolean): Promise<void> {
  const { constructor } = documents[0] as Migrated;
  await (constructor as unknown as SavesAll).saveAll(documents, { validate });
}

interface SavesAll {
  saveAll(documents: readonly Migrated[], options: { readonly validate: boolean }): Promise<unknown>;
}

function afterPage({ seen, changed }: Progress, page: Page<unknown>, more: number): Progress {
  return { after: page.next, seen: seen + page.items.length, changed: changed + more, isOver: page.next === null };
}

async function inTransaction<R>(
  { connection, lease, hasTransactions }: Batches,
  work: (session: ClientSession | undefined) => Promise<R>,
): Promise<R> {
  if (!hasTransactions) return work(undefined);
  return connection.transaction(async (session) => {
    if (session.id !== undefined) await lease.note(session.id.id);
    return work(session);
  });
}

/** In the transaction of the documents: what is noted was done, and the other way round. */
async function store(
  { connection, lease, step }: Batches,
  name: string,
  progress: Progress,
  session: ClientSession | undefined,
): Promise<void> {
  const { matchedCount } = await steps(connection.db).updateOne(
    { _id: step._id, token: lease.token },
    { $set: { [`progress.${name}`]: progress } },
    session && { session },
  );
  if (matchedCount === 0) throw lease.lose();
}
