import type { KeyRange } from './key-range.ts';

/** The place of a record in its collection's natural order. Grows with each insert and is never used again. */
export type RecordId = number;

/** A stored document. */
export interface StoredRecord {
  readonly id: RecordId;
  /** The document as BSON. Never changed in place: a replaced record has new bytes. */
  readonly bytes: Uint8Array;
}

/** A key and a record that has it. */
export interface Entry {
  /** Where the entry is in the order of all entries: the key, and what tells it from the others of that key. */
  readonly position: string;
  readonly record: RecordId;
}

/** Entries in the order of their keys. Keys are those of `storedKey`. */
export interface Entries {
  /** True where a key has ever been cut. Only ever goes from false to true. */
  readonly hasCutKeys: boolean;
  /** Called before somebody takes a key that only one may have. Throws where another transaction takes or gives it. */
  claim?(key: string): void;
  /** At most `limit` entries of a range, from its start, or backwards from its end. */
  scan(range: KeyRange, backwards: boolean, limit: number): Entry[];
}

/**
 * The documents of one collection, in the order of their insertion, and by the key of their `_id`. It knows bytes and
 * keys and nothing of BSON. Everything is synchronous: a command runs to its end before the next one starts.
 */
export interface RecordStore extends Entries {
  /** How many records there are. */
  readonly count: number;
  /** Bytes of all documents together. */
  readonly size: number;
  get(id: RecordId): StoredRecord | undefined;
  /** The record that has that key. */
  find(key: string): StoredRecord | undefined;
  /** Called before a record is changed. Throws where another transaction changes it. */
  claimRecord?(id: RecordId): void;
  /** Stores a copy of `bytes` under a key that no record has. */
  insert(key: string, bytes: Uint8Array): StoredRecord;
  /** Stores a copy of `bytes` in the place of the record, which keeps its key and its position. */
  replace(id: RecordId, bytes: Uint8Array): StoredRecord;
  remove(id: RecordId): void;
  /**
   * All records in natural order. The iteration may be suspended while the store changes: a record that stays is
   * visited exactly once, one that was removed before its turn is not, one that was added meanwhile comes last.
   */
  records(): IterableIterator<StoredRecord>;
}

/** Which records have which keys in one index. */
export interface IndexStore extends Entries {
  /** Names it within its collection. */
  readonly id: number;
  /** The fields in which one record has ever had several values, as bits. Bits are only ever added. */
  multikey: number;
  add(key: string, record: RecordId): void;
  remove(key: string, record: RecordId): void;
}

/** Everything that belongs to one collection. */
export interface CollectionStore {
  readonly records: RecordStore;
  /** What `describe` was given last; nothing yet in a new store. */
  readonly description: Uint8Array;
  /** Keeps a copy of what the catalogue says of the collection: its names, options and indexes. */
  describe(description: Uint8Array): void;
  /** The index of that id; an empty one, if there is none yet. */
  index(id: number): IndexStore;
  dropIndex(id: number): void;
  /** Removes the collection with all that it has. */
  drop(): void;
}

/** What the server has to remember of itself: small values by their names. */
export interface ServerState {
  get(name: string): Uint8Array | undefined;
  /** Keeps a copy of `value`. */
  set(name: string, value: Uint8Array): void;
  remove(name: string): void;
  /** The names that begin with `prefix`, in order. */
  names(prefix: string): string[];
}

/**
 * Where an entry of the log is: a text of twelve bytes whose order is that of the log. Eight say the time of the commit,
 * four the place among the entries of that time.
 */
export type LogPosition = string;

/** An entry of the log. What it says is worked out when it is read, or at once where it is written to a disk. */
export interface LogEntry {
  readonly position: LogPosition;
  /** What it is about. */
  readonly topic: string;
  readonly bytes: Uint8Array;
}

/** An entry that is to be logged. It must not change from then on. */
export interface NewLogEntry extends LogEntry {
  /** About how many bytes it keeps from being forgotten. */
  readonly size: number;
}

/** The log keeps so many entries and bytes at least and about a tenth more at most; the oldest make room. */
export const MAX_LOG_ENTRIES = 20_000;
export const MAX_LOG_BYTES = 16 * 2 ** 20;

/** The last changes of everything that is stored, in their order. It knows nothing of what they are. */
export interface LogStore {
  /** What came after this is in the log. */
  readonly start: LogPosition;
  /** Says where a log that has no start yet starts. */
  begin(start: LogPosition): void;
  /** Adds an entry behind all others. */
  append(entry: NewLogEntry): void;
  /** The entry at a position. */
  at(position: LogPosition): LogEntry | undefined;
  /** The entries behind a position. To be read before anything is appended. */
  after(position: LogPosition): Iterable<LogEntry>;
}

/** Where collections are kept. */
export interface Storage {
  /** Names what this is, for `serverStatus`. */
  readonly name: string;
  /** True where it outlives the server. */
  readonly persistent: boolean;
  readonly state: ServerState;
  readonly log: LogStore;
  /**
   * What is there when the server starts, in the order of creation, and again after a transaction has failed: stores
   * from before that are no longer of use.
   */
  collections(): CollectionStore[];
  createCollection(): CollectionStore;
  /**
   * Runs `work` and keeps all that it changed, for good when this returns. Throws what `work` throws and what the
   * storage itself fails with; then it has kept nothing.
   */
  transaction<T>(work: () => T): T;
  close(): Promise<void>;
}
