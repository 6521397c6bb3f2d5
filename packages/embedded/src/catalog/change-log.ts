import type { Timestamp } from 'bson';
import { type Change, type LoggedChange, readChange, type TransactionId, writeChange } from './change.ts';
import type { Clock } from './clock.ts';
import { endOf, logPosition, startOf } from '../storage/log-position.ts';
import type { Namespace } from './namespace.ts';
import type { LogPosition, LogStore, NewLogEntry } from '../storage/storage.ts';

/** What separates the namespaces that one entry is about. */
const SEPARATOR = '\0';

/** True where a namespace, or a database, is one that somebody wants to know of. */
export type Wanted = (namespace: string) => boolean;

/** A change as it happens. */
export interface NewChange {
  /** Later than that of every change before; the same for all changes of one transaction. */
  readonly time: Timestamp;
  readonly change: Change;
  /** The transaction that it is part of, where a client has begun one. */
  readonly transaction?: TransactionId | undefined;
}

/**
 * The changes of all that is stored, in their order: the source of change streams. A change is logged within the
 * storage's transaction, so it is kept with what it is of, or lost with it.
 */
export class ChangeLog {
  readonly #store: LogStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  /** The time of the last change, and how many there were of that time before it. */
  #time: Timestamp | undefined;
  #count = 0;
  #hasNews = false;

  /** Within a transaction of the storage. */
  constructor(store: LogStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    store.begin(startOf(clock.operationTime));
  }

  /** What came after this is in the log. */
  get start(): LogPosition {
    return this.#store.start;
  }

  /** Behind everything that has happened. */
  get end(): LogPosition {
    return endOf(this.#clock.operationTime);
  }

  append({ time, change, transaction }: NewChange): void {
    // Streams tell of a new collection only where they are asked for more than these ever are.
    if (change.kind === 'create') return;
    this.#count = this.#time?.equals(time) === true ? this.#count + 1 : 0;
    this.#time = time;
    this.#store.append(new Entry(time, this.#count, change, transaction));
    this.#hasNews = true;
  }

  /** The storage's transaction has ended. Tells whoever waits of the changes, if they are kept. */
  settle(kept: boolean): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    if (kept) for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after changes. @returns what ends that */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The change at a position, if there is a wanted one. */
  at(position: LogPosition, wanted: Wanted): LoggedChange | undefined {
    const entry = this.#store.at(position);
    return entry && isAbout(entry.topic, wanted) ? readChange(position, entry.bytes) : undefined;
  }

  /** The wanted changes behind a position. To be read before anything is appended. */
  *after(position: LogPosition, wanted: Wanted): Generator<LoggedChange> {
    for (const entry of this.#store.after(position)) {
      if (isAbout(entry.topic, wanted)) yield readChange(entry.position, entry.bytes);
    }
  }
}

/** Costs as little as can be while nobody reads it: most servers are never asked for their log. */
class Entry implements NewLogEntry {
  readonly #time: Timestamp;
  readonly #index: number;
  readonly #change: Change;
  readonly #transaction: TransactionId | undefined;
  readonly #wallTime = Date.now();

  constructor(time: Timestamp, index: number, change: Change, transaction: TransactionId | undefined) {
    this.#time = time;
    this.#index = index;
    this.#change = change;
    this.#transaction = transaction;
  }

  get position(): LogPosition {
    return logPosition(this.#time, this.#index);
  }

  /** The namespaces of collections, or a database. */
  get topic(): string {
    const change = this.#change;
    if (change.kind === 'dropDatabase') return change.database;
    const namespace = namespaceOf(change);
    return change.kind === 'rename' ? namespace + SEPARATOR + namespaceOf(change.to) : namespace;
  }

  get size(): number {
    const change = this.#change;
    const before = 'before' in change ? change.before.length : 0;
    return before + ('after' in change ? change.after.length : 0);
  }

  get bytes(): Uint8Array {
    return writeChange(this.#change, this.#wallTime, this.#transaction);
  }
}

function isAbout(topic: string, wanted: Wanted): boolean {
  return topic.includes(SEPARATOR) ? topic.split(SEPARATOR).some(wanted) : wanted(topic);
}

function namespaceOf({ database, name }: Namespace): string {
  return `${database}.${name}`;
}
