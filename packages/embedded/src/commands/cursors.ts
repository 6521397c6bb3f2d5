import { randomBytes } from 'node:crypto';
import { ServerError } from '../errors.ts';
import { CursorReply } from './reply.ts';

/** Bytes of documents in one batch; a single larger document still goes. As MongoDB's replies. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** A cursor that nobody asks for that long is closed. As MongoDB's `cursorTimeoutMillis`. */
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

interface Cursor {
  readonly id: bigint;
  readonly namespace: string;
  readonly results: Results;
  readonly session: string | undefined;
  /** When it may be closed, in milliseconds since 1970. */
  expires: number;
  readonly noTimeout: boolean;
}

/** The cursors of one server that still have documents to give. They live until read, killed, idle or out of session. */
export class Cursors {
  readonly #cursors = new Map<bigint, Cursor>();

  get count(): number {
    return this.#cursors.size;
  }

  /** The first batch, and a cursor for the rest if there is one. The documents are taken as batches need them. */
  open(namespace: string, documents: Iterable<Uint8Array>, options: CursorOptions): CursorReply {
    this.#closeIdle();
    const results = new Results(documents);
    const batch = results.take(options.batchSize);
    if (options.singleBatch || results.done) {
      results.close();
      return new CursorReply('firstBatch', batch, 0n, namespace);
    }
    const noTimeout = options.noTimeout ?? false;
    const cursor: Cursor = { id: newId(), namespace, results, session: options.session, expires: 0, noTimeout };
    touch(cursor);
    this.#cursors.set(cursor.id, cursor);
    return new CursorReply('firstBatch', batch, cursor.id, namespace);
  }

  /** The next batch. Throws 43 where there is no such cursor, 13 where it reads another namespace. */
  more(id: bigint, namespace: string, batchSize: number): CursorReply {
    const cursor = this.#cursors.get(id);
    if (cursor === undefined) throw new ServerError(43, `cursor id ${id} not found`);
    if (cursor.namespace !== namespace) {
      throw new ServerError(
        13,
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      );
    }
    touch(cursor);
    try {
      const batch = cursor.results.take(batchSize);
      if (!cursor.results.done) return new CursorReply('nextBatch', batch, id, namespace);
      this.#cursors.delete(id);
      return new CursorReply('nextBatch', batch, 0n, namespace);
    } catch (error) {
      this.#cursors.delete(id);
      throw error;
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

  closeAll(): void {
    for (const cursor of this.#cursors.values()) this.#close(cursor);
  }

  #closeIdle(): void {
    const now = Date.now();
    for (const cursor of this.#cursors.values()) {
      if (!cursor.noTimeout && cursor.expires < now) this.#close(cursor);
    }
  }

  #close(cursor: Cursor): void {
    cursor.results.close();
    this.#cursors.delete(cursor.id);
  }
}

/** Documents taken from an iterable in batches, with one read ahead to tell whether there are more. */
class Results {
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

function touch(cursor: Cursor): void {
  cursor.expires = Date.now() + IDLE_TIMEOUT_MS;
}

/** Positive, not 0, and not to be guessed by another client. */
function newId(): bigint {
  return BigInt.asUintN(63, randomBytes(8).readBigUInt64LE()) || 1n;
}
