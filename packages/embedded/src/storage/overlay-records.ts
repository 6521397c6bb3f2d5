import { isCutKey, type KeyRange, recordAtEnd, recordSuffix } from './key-range.ts';
import { scanOver } from './scan-over.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { Entry, RecordId, RecordStore, StoredRecord } from './storage.ts';
import { type Rival, WriteConflict } from './write-conflict.ts';

/** New records are numbered from here on, behind all that are stored. */
const FIRST_ID = 2 ** 47;

/** What a transaction sees in the place of what is stored. */
interface Version {
  readonly key: string;
  /** Undefined where there is nothing. */
  readonly record: StoredRecord | undefined;
  /** True where the transaction wrote it itself; otherwise it is what was stored before somebody else wrote. */
  readonly own: boolean;
}

/** What the same records are to another transaction. */
export interface RecordRival extends Rival {
  readonly records: OverlayRecords;
}

/**
 * The records of a collection as a transaction sees them: as they were when it began, and what it has written since.
 * A record that others have changed has its old version here; all the rest is read where it is stored.
 */
export class OverlayRecords implements RecordStore {
  readonly #base: RecordStore;
  readonly #keyOf: (bytes: Uint8Array) => string;
  readonly #rivals: () => Iterable<RecordRival>;
  readonly #byId = new Map<RecordId, Version>();
  readonly #byKey = new Map<string, Version>();
  /** Those of the versions that are records, by their numbers and by their keys. */
  readonly #ids = new SortedKeys();
  readonly #keys = new SortedKeys();
  /** How much more there is than in the store. */
  #count = 0;
  #size = 0;
  #hasCutKeys = false;
  #nextId = FIRST_ID;

  /** @param keyOf the key of a stored document @param rivals the other open transactions that know the collection */
  constructor(base: RecordStore, keyOf: (bytes: Uint8Array) => string, rivals: () => Iterable<RecordRival>) {
    this.#base = base;
    this.#keyOf = keyOf;
    this.#rivals = rivals;
  }

  get hasCutKeys(): boolean {
    return this.#hasCutKeys || this.#base.hasCutKeys;
  }

  get count(): number {
    return this.#base.count + this.#count;
  }

  get size(): number {
    return this.#base.size + this.#size;
  }

  get(id: RecordId): StoredRecord | undefined {
    const version = this.#byId.get(id);
    return version === undefined ? this.#base.get(id) : version.record;
  }

  find(key: string): StoredRecord | undefined {
    const version = this.#byKey.get(key);
    return version === undefined ? this.#base.find(key) : version.record;
  }

  /** Throws `WriteConflict` where another transaction has written the record of that key, or written and committed it. */
  claim(key: string): void {
    const version = this.#byKey.get(key);
    if (version?.own === true) return;
    if (version !== undefined) throw new WriteConflict();
    for (const rival of this.#rivals()) if (rival.records.#byKey.get(key)?.own === true) throw new WriteConflict(rival);
  }

  claimRecord(id: RecordId): void {
    this.#claimed(id);
  }

  insert(key: string, bytes: Uint8Array): StoredRecord {
    this.claim(key);
    const record: StoredRecord = { id: this.#nextId, bytes: Buffer.from(bytes) };
    this.#nextId += 1;
    this.#write(record.id, key, undefined, record);
    this.#hasCutKeys ||= isCutKey(key);
    return record;
  }

  replace(id: RecordId, bytes: Uint8Array): StoredRecord {
    const { key, record } = this.#claimed(id);
    if (record === undefined) throw new RangeError(`There is no record ${id}.`);
    const next: StoredRecord = { id, bytes: Buffer.from(bytes) };
    this.#write(id, key, record, next);
    return next;
  }

  remove(id: RecordId): void {
    const { key, record } = this.#claimed(id);
    if (record !== undefined) this.#write(id, key, record, undefined);
  }

  /**
   * Keeps what was stored before somebody else's write: a record that was not there is undefined `before`, one that is
   * no more is undefined `after`.
   */
  keep(id: RecordId, key: string, before: StoredRecord | undefined, after: Uint8Array | undefined): void {
    const version: Version = { key, record: before, own: false };
    if (!this.#byId.has(id)) {
      this.#byId.set(id, version);
      if (before !== undefined) this.#ids.add(recordSuffix(id));
    }
    if (!this.#byKey.has(key)) {
      this.#byKey.set(key, version);
      if (before !== undefined) this.#keys.add(key);
    }
    // What is added to the store from now on is not seen here.
    this.#tally(before?.bytes, after);
  }

  /** As natural order is that of the numbers, what takes the place of stored records comes between them. */
  *records(): IterableIterator<StoredRecord> {
    let last = 0;
    for (const record of this.#base.records()) {
      yield* this.#versions(last, record.id);
      last = record.id;
      const version = this.#byId.get(last);
      const seen = version === undefined ? record : version.record;
      if (seen !== undefined) yield seen;
    }
    yield* this.#versions(last, Number.POSITIVE_INFINITY);
  }

  scan(range: KeyRange, backwards: boolean, limit: number): Entry[] {
    const versions = this.#keys.scan(range, backwards, limit);
    const entries = versions.map((position) => ({ position, record: this.#byKey.get(position)?.record?.id ?? 0 }));
    return scanOver(this.#base, (position) => this.#byKey.has(position), entries, { range, backwards, limit });
  }

  /** The records of versions whose numbers lie between two others. */
  *#versions(from: RecordId, to: RecordId): Generator<StoredRecord> {
    const end = Number.isFinite(to) ? recordSuffix(to) : undefined;
    for (let last = from; ;) {
      const [next] = this.#ids.scan({ start: `${recordSuffix(last)}\0`, end }, false, 1);
      if (next === undefined) return;
      last = recordAtEnd(next);
      const record = this.#byId.get(last)?.record;
      if (record !== undefined) yield record;
    }
  }

  /** The version of a record that is to be written. */
  #claimed(id: RecordId): Pick<Version, 'key' | 'record'> {
    const version = this.#byId.get(id);
    if (version?.own === true) return version;
    if (version !== undefined) throw new WriteConflict();
    const record = this.#base.get(id);
    const key = record === undefined ? '' : this.#keyOf(record.bytes);
    if (record !== undefined) this.claim(key);
    return { key, record };
  }

  #write(id: RecordId, key: string, before: StoredRecord | undefined, after: StoredRecord | undefined): void {
    const version: Version = { key, record: after, own: true };
    this.#byId.set(id, version);
    this.#byKey.set(key, version);
    if (after === undefined) {
      this.#ids.delete(recordSuffix(id));
      this.#keys.delete(key);
    } else {
      this.#ids.add(recordSuffix(id));
      this.#keys.add(key);
    }
    this.#tally(after?.bytes, before?.bytes);
  }

  #tally(more: Uint8Array | undefined, less: Uint8Array | undefined): void {
    this.#count += Number(more !== undefined) - Number(less !== undefined);
    this.#size += (more?.length ?? 0) - (less?.length ?? 0);
  }
}
