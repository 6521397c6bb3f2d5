import { type Connection, InvalidPageTokenError, type Page, type Query } from 'data-bridge';
import type { ClientSession } from 'mongodb';
import { checkOptions, CommandError } from '../errors.ts';
import type { Lease } from './lease.ts';
import type { BatchOptions, BatchResult, Migrated } from './migration.ts';
import { checkPlaces, placesOf } from './places.ts';
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

/** The batches of one migration on their way. */
export class OpenBatches {
  readonly #open = new Map<Promise<unknown>, string>();

  async add<R>(name: string, batch: Promise<R>): Promise<R> {
    this.#open.set(batch, name);
    const result = await batch;
    this.#open.delete(batch);
    return result;
  }

  /**
   * Waits for those that the migration left on their way.
   *
   * @throws what one of them failed with, and CommandError for one that nobody waited for: what came after it may have needed it.
   */
  async end(): Promise<void> {
    const [name] = this.#open.values();
    if (name === undefined) return;
    const failed = (await this.settled()).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    throw new CommandError(`It ended before its "${name}" did: write "await" before batch(), or return what it gives.`);
  }

  /** Waits until none writes any more. */
  settled(): Promise<PromiseSettledResult<unknown>[]> {
    return Promise.allSettled(this.#open.keys());
  }
}

/** @throws CommandError for what is no query of documents, no function, or an option that means nothing. */
export function checkBatch(query: unknown, each: unknown, options: object): void {
  checkOptions('batch', options, ['size', 'name', 'validate']);
  const isQuery = typeof query === 'object' && query !== null && 'page' in query && 'sortedBy' in query;
  if (!isQuery) throw new CommandError('batch() takes a query that was not awaited, as User.find() gives it.');
  if (typeof each !== 'function') throw new CommandError('batch() takes a function, which is given each document.');
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
      const page = await pageAfter(query, name, { size, after: before.after });
      const places = placesOf(page, query.sortedBy);
      const changed = await changeAll(page, each, query.sortedBy);
      if (changed.length > 0) await saveAll(changed, validate);
      // Hooks and timestamps change documents when they are saved.
      checkPlaces(page, query.sortedBy, places);
      const reached = afterPage(before, page, changed.length);
      await store(batches, name, reached, session);
      return reached;
    });
    batches.tell(name, progress);
  }
  return { seen: progress.seen, changed: progress.changed };
}

/** @throws CommandError where the query is another one than when the batch was interrupted. */
async function pageAfter<D>(
  query: Query<D>,
  name: string,
  place: { readonly size: number; readonly after: string | null },
): Promise<Page<D>> {
  try {
    return await query.page(place);
  } catch (cause) {
    if (!(cause instanceof InvalidPageTokenError)) throw cause;
    const text = `The query of "${name}" is another one than when it was interrupted, so its place in it is not known: let it be the same in every run, without the time of day, say. With another "name" the batch begins anew, and sees what it changed again.`;
    throw new CommandError(text, { cause });
  }
}

/**
 * The documents of a page that a function changed, one after another.
 *
 * @throws CommandError for what changes its place in the order.
 */
export async function changeAll<D extends Migrated>(
  page: Page<D>,
  each: (document: D) => unknown,
  sortedBy: readonly string[],
): Promise<D[]> {
  const places = placesOf(page, sortedBy);
  const changed: D[] = [];
  for (const document of page.items) {
    if (typeof document !== 'object' || document === null || !('changes' in document))
      throw new CommandError('batch() takes a query for documents, without lean() and map().');
    await each(document);
    if (document.changes().length > 0) changed.push(document);
  }
  checkPlaces(page, sortedBy, places);
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
