/** The place of a record in its collection's natural order. Grows with each insert and is never used again. */
export type RecordId = number;

/** A stored document. */
export interface StoredRecord {
  readonly id: RecordId;
  /** The canonical text of its `_id`. */
  readonly key: string;
  /** The document as BSON. Never changed in place: a replaced record has new bytes. */
  readonly bytes: Uint8Array;
}

/**
 * The documents of one collection, in the order of their insertion, and by `_id`. It knows bytes and keys and nothing
 * of BSON. Everything is synchronous: a command runs to its end before the next one starts.
 */
export interface RecordStore {
  /** How many records there are. */
  readonly count: number;
  /** Bytes of all documents together. */
  readonly size: number;
  get(id: RecordId): StoredRecord | undefined;
  find(key: string): StoredRecord | undefined;
  /** Stores a copy of `bytes` under a key that no record has. */
  insert(key: string, bytes: Uint8Array): StoredRecord;
  /** Stores a copy of `bytes` in the place of the record, which keeps its key and its position. */
  replace(id: RecordId, bytes: Uint8Array): void;
  remove(id: RecordId): void;
  /**
   * All records in natural order. The iteration may be suspended while the store changes: a record that stays is
   * visited exactly once, one that was removed before its turn is not, one that was added meanwhile comes last.
   */
  records(): IterableIterator<StoredRecord>;
}

/** Where collections keep their documents. */
export interface Storage {
  /** Names what this is, for `serverStatus`. */
  readonly name: string;
  /** A new, empty store for a collection. */
  createStore(namespace: string): RecordStore;
}
