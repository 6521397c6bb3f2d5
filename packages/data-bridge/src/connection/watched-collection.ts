import type { BSON, Collection, ExplainVerbosityLike, MongoClient } from 'mongodb';
import { slicesOf } from '../bson/batch.ts';
import { ownBytes } from '../bson/arena.ts';
import { hasMiddleware, runWatched } from './middleware.ts';
import { asBson, asObjects } from './middleware-answer.ts';
import { takeBatch } from './raw-batch.ts';
import { type Cursor, OPTIONS_AT, type SessionCollection } from './session-collection.ts';

/** Whose commands are watched. */
interface Watched {
  readonly client: MongoClient;
  readonly collection: Collection;
  readonly model: string;
}

type Method = (...given: readonly unknown[]) => unknown;

/** The same collection, whose commands go through the middleware of its client and are told to whoever traces. */
export function watchedCollection(own: SessionCollection, { client, collection, model }: Watched): SessionCollection {
  const { dbName: database, collectionName: name } = collection;
  const methods = own as unknown as Record<string, Method>;
  const call = (method: string, given: readonly unknown[]): unknown => methods[method]?.apply(own, [...given]);
  const about = (operation: string) => ({ client, operation, database, collection: name, model });
  const commands = [...Object.entries(OPTIONS_AT), ['estimatedDocumentCount', 0] as const].map(([method, place]) => {
    return [
      method,
      (...given: unknown[]) => runWatched(about(method), given, place, async (sent) => call(method, sent)),
    ] as const;
  });
  const cursors = (['find', 'aggregate'] as const).map((method) => {
    const open = (given: readonly unknown[]): Cursor => call(method, given) as Cursor;
    return [method, (...given: unknown[]) => new WatchedCursor(about(method), given, open)] as const;
  });
  const { namespace, writeConcern } = own;
  const all = Object.fromEntries<unknown>([...commands, ...cursors]);
  return { ...all, namespace, writeConcern } as unknown as SessionCollection;
}

/** A cursor that is opened when something is asked of it. */
class WatchedCursor implements Cursor {
  readonly #about: { readonly client: MongoClient } & Parameters<typeof runWatched>[0];
  readonly #given: readonly unknown[];
  readonly #open: (given: readonly unknown[]) => Cursor;
  #cursor: Cursor | null = null;
  /** What is to be given before more is read: the first batch, or what a middleware answered. */
  #ready: Uint8Array[] | null = null;
  #isBegun = false;
  #isAnswered = false;

  constructor(
    about: Parameters<typeof runWatched>[0],
    given: readonly unknown[],
    open: (given: readonly unknown[]) => Cursor,
  ) {
    const explain = async ([what, options]: readonly unknown[]): Promise<BSON.Document> =>
      open([what, { ...(options as object | undefined), raw: false }]).explain();
    this.#about = { ...about, explain };
    this.#given = given;
    this.#open = open;
  }

  get closed(): boolean {
    return this.#isAnswered || this.#cursor?.closed === true;
  }

  get killed(): boolean {
    return this.#cursor?.killed === true && !this.#isAnswered;
  }

  get documents(): unknown {
    return this.#ready === null ? (this.#cursor as { readonly documents?: unknown } | null)?.documents : undefined;
  }

  async hasNext(): Promise<boolean> {
    if (!this.#isBegun) await this.#begin();
    if (this.#ready !== null) return this.#ready.length > 0 || (!this.#isAnswered && this.#more());
    return !this.#isAnswered && this.#cursor !== null && this.#cursor.hasNext();
  }

  readBufferedDocuments(): BSON.Document[] {
    const ready = this.#ready;
    this.#ready = null;
    return ready ?? this.#cursor?.readBufferedDocuments() ?? [];
  }

  async toArray(): Promise<BSON.Document[]> {
    const isSeen = hasMiddleware(this.#about.client);
    let own: BSON.Document[] = [];
    let shown: unknown[] = own;
    const send = async (sent: readonly unknown[]): Promise<unknown[]> => {
      own = await this.#opened(sent).toArray();
      shown = isSeen ? asBson(own) : own;
      return shown;
    };
    const result = await runWatched(this.#about, this.#given, 1, send);
    return result === shown ? own : asObjects(result);
  }

  async close(): Promise<void> {
    await this.#cursor?.close();
  }

  explain(verbosity?: ExplainVerbosityLike): Promise<BSON.Document> {
    return this.#open(this.#given).explain(verbosity);
  }

  #opened(given: readonly unknown[]): Cursor {
    this.#cursor = this.#open(given);
    return this.#cursor;
  }

  async #more(): Promise<boolean> {
    this.#ready = null;
    return this.#cursor !== null && this.#cursor.hasNext();
  }

  async #begin(): Promise<void> {
    this.#isBegun = true;
    const answer = { isWhole: false };
    const isSeen = hasMiddleware(this.#about.client);
    let first: Uint8Array[] | undefined;
    const result: unknown = await runWatched(
      this.#about,
      this.#given,
      1,
      async (sent) => {
        const cursor = this.#opened(sent);
        const hasAny = await cursor.hasNext();
        if (!isSeen) return undefined;
        // What a middleware keeps must not lie in the driver's buffers.
        first = hasAny ? slicesOf(takeBatch(cursor)).map((bytes) => ownBytes(bytes)) : [];
        answer.isWhole = cursor.closed || isOver(cursor);
        return first;
      },
      answer,
    );
    if (!isSeen) return;
    this.#isAnswered = result !== first;
    this.#ready = this.#isAnswered ? asBson(result) : (first ?? []);
    if (this.#isAnswered && this.#cursor !== null && !this.#cursor.closed) await this.#cursor.close();
  }
}

/** True where the server has nothing more, as far as the driver's cursor tells. */
function isOver(cursor: object): boolean {
  const { id } = cursor as { readonly id?: { isZero?: () => boolean } | null };
  return id?.isZero?.() === true;
}
