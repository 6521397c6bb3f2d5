import type { Batch } from '../bson/batch.ts';
import type { Cursor } from '../connection/session-collection.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { NotConnectedError } from '../errors.ts';
import { translate } from '../connection/write-outcome.ts';
import { takeAll, takeBatch } from '../connection/raw-batch.ts';

/** What is asked of the server, and how its answers are read. */
export interface Request<R> {
  readonly definition: ModelDefinition;
  /** Gives a new cursor whose documents come as bytes. */
  readonly open: () => Cursor<Uint8Array>;
  /** Reads the documents of one batch. Their bytes lie in the driver's buffers: what is kept must be copied. */
  readonly read: (batch: Batch) => R[];
  /** What is done with the results before they are given: with all of them, or with those of each batch. */
  readonly finish?: ((results: readonly unknown[]) => readonly unknown[] | Promise<readonly unknown[]>) | null;
  readonly signal?: AbortSignal | undefined;
}

/** What the server gives: asked for when it is awaited, as a list, or iterated, one after another in constant memory. */
export class Results<R> implements PromiseLike<R[]>, AsyncIterable<R> {
  readonly #request: Request<R>;

  /** @internal */
  constructor(request: Request<R>) {
    this.#request = request;
  }

  then<A = R[], B = never>(
    resolve?: ((results: R[]) => A | PromiseLike<A>) | null,
    reject?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#toArray().then(resolve, reject);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    const { open, read, finish, signal } = this.#request;
    const cursor = open();
    try {
      while (await this.#ask(() => cursor.hasNext())) {
        const batch = read(takeBatch(cursor));
        for (const result of finish ? ((await finish(batch)) as R[]) : batch) {
          signal?.throwIfAborted();
          yield result;
        }
      }
      // case: the connection was closed meanwhile, and the driver ends its cursors as if all had been read
      if (cursor.killed) throw this.#interrupted();
    } finally {
      // case: an aborted signal has the driver close it; closing it again would end the session before the server knows
      if (!cursor.closed) await cursor.close();
    }
  }

  async #toArray(): Promise<R[]> {
    const { open, read, finish } = this.#request;
    const batches = await this.#ask(() => takeAll(open()));
    const [only] = batches;
    const results = only !== undefined && batches.length === 1 ? read(only) : batches.flatMap((batch) => read(batch));
    return finish ? (finish(results) as R[] | Promise<R[]>) : results;
  }

  #interrupted(): NotConnectedError {
    const { signal, definition } = this.#request;
    signal?.throwIfAborted();
    const text = 'The connection was closed before everything was read.';
    return new NotConnectedError(text, definition.context);
  }

  async #ask<V>(operation: () => Promise<V>): Promise<V> {
    const { definition, signal } = this.#request;
    // Not every operation of the driver looks at the signal.
    signal?.throwIfAborted();
    try {
      return await operation();
    } catch (error) {
      throw translate(error, definition.context, definition);
    }
  }
}
