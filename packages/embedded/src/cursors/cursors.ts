import { randomBytes } from 'node:crypto';
import { ServerError } from '../errors.ts';
import type { Document } from '../values/value.ts';
import { CursorReply } from '../messages/reply.ts';

/** Bytes of documents in one batch; a single larger document still goes. As MongoDB's replies. */
export const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** A cursor that nobody asks for that long is closed, unless the parameter `cursorTimeoutMillis` says otherwise. */
const IDLE_TIMEOUT_MS = 10 * 60 * 1000;

/** How a cursor starts. */
export interface CursorOptions {
  /** Documents of the first batch. */
  readonly batchSize: number;
  /** Close after the first batch, whatever is left. */
  readonly singleBatch?: boolean;
  readonly noTimeout?: boolean;
  readonly session?: string | undefined;
}

/** What a cursor reads. */
export interface Results {
  /** True where there is, and will be, nothing more. */
  readonly done: boolean;
  take(batchSize: number): Uint8Array[];
  close(): void;
}

/** Results that may have nothing now and something later. */
export interface Stream extends Results {
  /** Where a new stream would go on after what was taken. */
  readonly token: Document;
  /** Calls `listener` when there may be something. @returns what ends that */
  subscribe(listener: () => void): () => void;
}

interface Cursor {
  readonly id: bigint;
  readonly namespace: string;
  readonly results: Results | Stream;
  readonly session: string | undefined;
  /** When it may be closed, in milliseconds since 1970. */
  expires: number;
  readonly noTimeout: boolean;
  /** Ends the wait of whoever waits for it. */
  interrupt: ((error: ServerError) => void) | undefined;
}

/** The cursors of one server that still have documents to give. They live until read, killed, idle or out of session. */
export class Cursors {
  readonly #cursors = new Map<bigint, Cursor>();
  /** How long a cursor may be idle, in milliseconds. */
  idleTimeout = IDLE_TIMEOUT_MS;

  get count(): number {
    return this.#cursors.size;
  }

  /** The first batch, and a cursor for the rest if there is one. The documents are taken as batches need them. */
  open(namespace: string, documents: Iterable<Uint8Array> | Stream, options: CursorOptions): CursorReply {
    this.closeIdle();
    const results = isStream(documents) ? documents : new IteratedResults(documents);
    const batch = results.take(options.batchSize);
    if (options.singleBatch || results.done) {
      results.close();
      return new CursorReply('firstBatch', batch, 0n, namespace, tokenOf(results));
    }
    const { session, noTimeout = false } = options;
    const cursor: Cursor = { id: newId(), namespace, results, session, expires: 0, noTimeout, interrupt: undefined };
    this.#touch(cursor);
    this.#cursors.set(cursor.id, cursor);
    return new CursorReply('firstBatch', batch, cursor.id, namespace, tokenOf(results));
  }

  /**
   * The next batch. Throws 43 where there is no such cursor, 13 where it reads another namespace, 12051 where somebody
   * waits for it already.
   */
  more(id: bigint, namespace: string, batchSize: number): CursorReply {
    const cursor = this.#cursors.get(id);
    if (cursor === undefined) throw new ServerError(43, `cursor id ${id} not found`);
    if (cursor.namespace !== namespace) {
      throw new ServerError(
        13,
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      );
    }
    if (cursor.interrupt !== undefined) throw new ServerError(12051, `cursor id ${id} is already in use`);
    this.#touch(cursor);
    const { results } = cursor;
    try {
      const batch = results.take(batchSize);
      if (!results.done) return new CursorReply('nextBatch', batch, id, namespace, tokenOf(results));
      this.#close(cursor);
      return new CursorReply('nextBatch', batch, 0n, namespace, tokenOf(results));
    } catch (error) {
      this.#close(cursor);
      throw error;
    }
  }

  /** True where a cursor may have more later than it has now; undefined where there is no such cursor. */
  awaits(id: bigint): boolean | undefined {
    const cursor = this.#cursors.get(id);
    return cursor && isStream(cursor.results);
  }

  /**
   * Resolves when a cursor may have something, or when the time is over. Rejects where it is closed meanwhile: by
   * `killCursors`, with its session, or because whoever waits is gone.
   */
  async news(id: bigint, milliseconds: number, gone: AbortSignal): Promise<void> {
    const cursor = this.#cursors.get(id);
    if (cursor === undefined || !isStream(cursor.results)) return;
    const { results } = cursor;
    const leave = (): void => this.#close(cursor);
    let timer: NodeJS.Timeout | undefined;
    let unsubscribe: (() => void) | undefined;
    gone.addEventListener('abort', leave);
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(resolve, milliseconds);
        unsubscribe = results.subscribe(resolve);
        cursor.interrupt = reject;
        if (gone.aborted) leave();
      });
    } finally {
      clearTimeout(timer);
      unsubscribe?.();
      gone.removeEventListener('abort', leave);
      cursor.interrupt = undefined;
    }
  }

  /** Closes a cursor; false where there is none of that namespace. */
  kill(id: bigint, namespace: string): boolean {
    const cursor = this.#cursors.get(id);
    if (cursor?.namespace !== namespace) return false;
    this.#close(cursor);
    return true;
  }

  /** Closes the cursors of a session. */
  endSession(session: string): void {
    for (const cursor of this.#cursors.values()) if (cursor.session === session) this.#close(cursor);
  }

  /** Closes the cursors of all sessions; those without one stay. */
  endAllSessions(): void {
    for (const cursor of this.#cursors.values()) if (cursor.session !== undefined) this.#close(cursor);
  }

  /** Closes the cursors that nobody has asked for too long. */
  closeIdle(): void {
    const now = Date.now();
    for (const cursor of this.#cursors.values()) {
      const isWaitedFor = cursor.interrupt !== undefined;
      if (!cursor.noTimeout && !isWaitedFor && cursor.expires < now) this.#close(cursor);
    }
  }

  closeAll(): void {
    for (const cursor of this.#cursors.values()) this.#close(cursor);
  }

  #touch(cursor: Cursor): void {
    cursor.expires = Date.now() + this.idleTimeout;
  }

  #close(cursor: Cursor): void {
    cursor.results.close();
    this.#cursors.delete(cursor.id);
    cursor.interrupt?.(new ServerError(237, `cursor id ${cursor.id} was killed`));
  }
}

/** Documents taken from an iterable in batches, with one read ahead to tell whether there are more. */
class IteratedResults implements Results {
  readonly #iterator: Iterator<Uint8Array>;
  #next: IteratorResult<Uint8Array> | undefined;

  constructor(documents: Iterable<Uint8Array>) {
    this.#iterator = documents[Symbol.iterator]();
  }

  get done(): boolean {
    return this.#peek().done === true;
  }

  take(batchSize: number): Uint8Array[] {
    const batch: Uint8Array[] = [];
    let bytes = 0;
    while (batch.length < batchSize) {
      const next = this.#peek();
      if (next.done === true) break;
      bytes += next.value.length;
      if (batch.length > 0 && bytes > MAX_BATCH_BYTES) break;
      batch.push(next.value);
      this.#next = undefined;
    }
    return batch;
  }

  close(): void {
    this.#iterator.return?.();
  }

  #peek(): IteratorResult<Uint8Array> {
    this.#next ??= this.#iterator.next();
    return this.#next;
  }
}

function isStream(results: object): results is Stream {
  return 'subscribe' in results;
}

function tokenOf(results: Results | Stream): Pick<CursorReply, 'token'> {
  return { token: isStream(results) ? results.token : undefined };
}

/** Positive, not 0, and not to be guessed by another client. */
function newId(): bigint {
  return BigInt.asUintN(63, randomBytes(8).readBigUInt64LE()) || 1n;
}
