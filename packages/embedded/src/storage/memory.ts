import type { CollectionStore, IndexStore, RecordId, RecordStore, Storage, StoredRecord } from './storage.ts';

interface MemoryRecord extends StoredRecord {
  readonly key: string;
  bytes: Uint8Array;
}

/** Keeps everything in this process's memory, gone with it. */
export class MemoryStorage implements Storage {
  readonly name = 'memory';
  readonly persistent = false;

  collections(): CollectionStore[] {
    return [];
  }

  createCollection(): CollectionStore {
    return new MemoryCollection();
  }

  transaction<T>(work: () => T): T {
    return work();
  }

  async close(): Promise<void> {}
}

/** Whoever holds it keeps it: there is nothing to describe, and nothing to do when it is dropped. */
class MemoryCollection implements CollectionStore {
  readonly records = new MemoryRecords();
  readonly description = new Uint8Array();

  describe(): void {}

  index(id: number): IndexStore {
    return new MemoryIndex(id);
  }

  dropIndex(): void {}

  drop(): void {}
}

/** The iterators of a Map go on soundly while it changes, just as `records` promises. */
class MemoryRecords implements RecordStore {
  readonly #byId = new Map<RecordId, MemoryRecord>();
  readonly #byKey = new Map<string, MemoryRecord>();
  #nextId = 1;
  #size = 0;

  get count(): number {
    return this.#byId.size;
  }

  get size(): number {
    return this.#size;
  }

  get(id: RecordId): StoredRecord | undefined {
    return this.#byId.get(id);
  }

  find(key: string): StoredRecord | undefined {
    return this.#byKey.get(key);
  }

  insert(key: string, bytes: Uint8Array): RecordId {
    const record: MemoryRecord = { id: this.#nextId, key, bytes: copy(bytes) };
    this.#nextId += 1;
    this.#size += bytes.length;
    this.#byId.set(record.id, record);
    this.#byKey.set(key, record);
    return record.id;
  }

  replace(id: RecordId, bytes: Uint8Array): void {
    const record = this.#byId.get(id);
    if (record === undefined) throw new RangeError(`There is no record ${id}.`);
    this.#size += bytes.length - record.bytes.length;
    record.bytes = copy(bytes);
  }

  remove(id: RecordId): void {
    const record = this.#byId.get(id);
    if (record === undefined) return;
    this.#size -= record.bytes.length;
    this.#byId.delete(id);
    this.#byKey.delete(record.key);
  }

  records(): IterableIterator<StoredRecord> {
    return this.#byId.values();
  }
}

class MemoryIndex implements IndexStore {
  readonly id: number;
  multikey = false;
  /** One record is the common case, and a Set for each would double the memory. */
  readonly #entries = new Map<string, RecordId | Set<RecordId>>();

  constructor(id: number) {
    this.id = id;
  }

  find(key: string): Iterable<RecordId> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return [];
    return typeof entry === 'number' ? [entry] : entry;
  }

  add(key: string, record: RecordId): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, record);
    else if (typeof entry === 'number') this.#entries.set(key, new Set([entry, record]));
    else entry.add(record);
  }

  remove(key: string, record: RecordId): void {
    const entry = this.#entries.get(key);
    if (entry === record) this.#entries.delete(key);
    else if (typeof entry === 'object') {
      entry.delete(record);
      if (entry.size === 0) this.#entries.delete(key);
    }
  }
}

/** A document arrives as a view on a network message: a view kept would keep the whole message. */
function copy(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes);
}
