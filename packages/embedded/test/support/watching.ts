import type { EventEmitter } from 'node:events';
import type {
  ChangeStream,
  ChangeStreamDocument,
  ChangeStreamOptions,
  Collection,
  Db,
  Document,
  Long,
  MongoClient,
} from 'mongodb';
import type { AnyDocument } from './conformance.ts';

/** What can be watched. */
type Watchable = Pick<Collection<AnyDocument> | Db | MongoClient, 'watch'>;

/** An event, whatever it is of. */
export type AnyEvent = ChangeStreamDocument<AnyDocument> & Document;

/** The driver's cursor behind a stream, which it keeps to itself. It emits `init` when the server has opened it. */
export function cursorOf(stream: object): EventEmitter & { readonly id: Long } {
  return (stream as { cursor: EventEmitter & { id: Long } }).cursor;
}

/** A stream that has been opened: it tells all that happens from now on. */
export class Watching implements AsyncDisposable {
  readonly stream: ChangeStream<AnyDocument, AnyEvent>;

  private constructor(stream: ChangeStream<AnyDocument, AnyEvent>) {
    this.stream = stream;
  }

  static async open(
    watchable: Watchable,
    pipeline: Document[] = [],
    options: ChangeStreamOptions = {},
  ): Promise<Watching> {
    const stream = watchable.watch<AnyDocument, AnyEvent>(pipeline, { maxAwaitTimeMS: 100, ...options });
    const watching = new Watching(stream);
    // The driver sends the command with the first question.
    const early = await stream.tryNext();
    if (early !== null) watching.#early.push(early);
    return watching;
  }

  readonly #early: AnyEvent[] = [];

  /** The next events, so many. */
  async next(count = 1): Promise<AnyEvent[]> {
    const events = this.#early.splice(0, count);
    while (events.length < count) events.push(await this.stream.next());
    return events;
  }

  /** The types of the next events. */
  async types(count: number): Promise<string[]> {
    return (await this.next(count)).map(({ operationType }) => operationType);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stream.close();
  }
}
