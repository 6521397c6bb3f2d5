import { int32 } from './bson/bytes.ts';
import type { Cursor } from './commands.ts';
import type { ModelDefinition } from './definition.ts';
import { NotConnectedError } from './errors.ts';
import { translate } from './outcome.ts';

/** What is asked of the server, and how its answers are read. */
export interface Request<R> {
  readonly definition: ModelDefinition;
  /** Gives a new cursor whose documents come as bytes. */
  readonly open: () => Cursor<Uint8Array>;
  /** Reads the documents of one batch. Their bytes lie in the driver's buffers: what is kept must be copied. */
  readonly read: (documents: readonly Uint8Array[]) => R[];
  readonly signal?: AbortSignal | undefined;
}

/** What the driver keeps of a batch: it has gone through the array and knows where each document lies. */
interface Batch {
  readonly bson: Uint8Array;
  readonly isArray: boolean;
  /** Of each element its type, and where its name and value are. */
  readonly elements: readonly (readonly [type: number, name: number, nameLength: number, at: number, size: number])[];
}
interface Reply {
  readonly batch: Batch;
  readonly iterated: number;
  readonly encryptedResponse?: unknown;
  clear(): void;
}

/**
 * The documents that have come. `readBufferedDocuments()` looks for the elements of each document to give its bytes, which
 * takes as long as all else that a read costs; where the driver keeps its replies as it does now, they are taken from there.
 */
function buffered(cursor: Cursor<Uint8Array>): Uint8Array[] {
  const reply = (cursor as { readonly documents?: Reply | null }).documents;
  if (reply === undefined || reply === null || (reply.encryptedResponse ?? null) !== null) return cursor.readBufferedDocuments();
  const { batch, iterated } = reply;
  const isKnown =
    batch?.bson instanceof Uint8Array &&
    batch.isArray === true &&
    Array.isArray(batch.elements) &&
    typeof iterated === 'number' &&
    typeof reply.clear === 'function' &&
    batch.elements.every((element) => element[0] === 3 && isDocumentAt(batch.bson, element[3], element[4]));
  if (!isKnown) return cursor.readBufferedDocuments();
  const documents: Uint8Array[] = [];
  for (let i = iterated; i < batch.elements.length; i++) {
    const element = batch.elements[i] as Batch['elements'][number];
    documents.push(batch.bson.subarray(element[3], element[3] + element[4]));
  }
  reply.clear();
  return documents;
}

function isDocumentAt(bytes: Uint8Array, at: number, size: number): boolean {
  return at >= 0 && size >= 5 && at + size <= bytes.length && bytes[at + size - 1] === 0 && int32(bytes, at) === size;
}

async function all(cursor: Cursor<Uint8Array>): Promise<Uint8Array[]> {
  try {
    let documents: Uint8Array[] | null = null;
    while (await cursor.hasNext()) {
      const batch = buffered(cursor);
      if (documents === null) documents = batch;
      else for (const each of batch) documents.push(each);
    }
    return documents ?? [];
  } finally {
    if (!cursor.closed) await cursor.close();
  }
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
    const { open, read, signal } = this.#request;
    const cursor = open();
    try {
      while (await this.#ask(() => cursor.hasNext())) {
        for (const result of read(buffered(cursor))) {
          signal?.throwIfAborted();
          yield result;
        }
      }
      // case: the connection was closed meanwhile, and the driver ends its cursors as if all had been read
      if (cursor.killed) throw this.#interrupted();
    } finally {
      // case: an aborted signal has the driver close it; closing it again would end the session before the server is told
      if (!cursor.closed) await cursor.close();
    }
  }

  async #toArray(): Promise<R[]> {
    const { open, read } = this.#request;
    return read(await this.#ask(() => all(open())));
  }

  #interrupted(): NotConnectedError {
    const { signal, definition } = this.#request;
    signal?.throwIfAborted();
    const text = 'The connection was closed before everything was read.';
    return new NotConnectedError(text, { model: definition.collectionName });
  }

  async #ask<V>(operation: () => Promise<V>): Promise<V> {
    const { definition, signal } = this.#request;
    // Not every operation of the driver looks at the signal.
    signal?.throwIfAborted();
    try {
      return await operation();
    } catch (error) {
      throw translate(error, { model: definition.collectionName }, definition);
    }
  }
}
