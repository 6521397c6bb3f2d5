import type { RecordId, RecordStore, Storage, StoredRecord } from './storage.ts';

interface MemoryRecord extends StoredRecord {
  bytes: Uint8Array;
}

/** Keeps documents in this process's memory, gone with it. */
export class MemoryStorage implements Storage {
  readonly name = 'memory';

  createStore(): RecordStore {
    return new MemoryStore();
  }
}

/** The iterators of a Map go on soundly while it changes, just as `records` promises. */
class MemoryStore implements RecordStore {
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

  insert(key: string, bytes: Uint8Array): StoredRecord {
    const record: MemoryRecord = { id: this.#nextId, key, bytes: copy(bytes) };
    this.#nextId += 1;
    this.#size += bytes.length;
    this.#byId.set(record.id, record);
    this.#byKey.set(key, record);
    return record;
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

/** A document arrives as a view on a network message: a view kept would keep the whole message. */
function copy(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes);
}
