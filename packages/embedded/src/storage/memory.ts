import { isCutKey, type KeyRange, recordAtEnd, recordSuffix } from './key-range.ts';
import { SortedKeys } from './sorted-keys.ts';
import { MemoryLog } from './memory-log.ts';
import type {
  CollectionStore,
  Entry,
  IndexStore,
  RecordId,
  RecordStore,
  ServerState,
  Storage,
  StoredRecord,
} from './storage.ts';

/** Never changed in place: whoever has found one keeps what it was. */
interface MemoryRecord extends StoredRecord {
  readonly key: string;
}

/** Keeps everything in this process's memory, gone with it. */
export class MemoryStorage implements Storage {
  readonly name = 'memory';
  readonly persistent = false;
  readonly state = new MemoryState();
  readonly log = new MemoryLog();

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

class MemoryState implements ServerState {
  readonly #values = new Map<string, Uint8Array>();

  get(name: string): Uint8Array | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: Uint8Array): void {
    this.#values.set(name, copy(value));
  }

  remove(name: string): void {
    this.#values.delete(name);
  }

  names(prefix: string): string[] {
    return [...this.#values.keys()].filter((name) => name.startsWith(prefix)).sort(byCharacters);
  }
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
  /** Made when it is first asked for: most collections are never read in the order of `_id`. */
  #sorted: SortedKeys | undefined;
  #nextId = 1;
  #size = 0;
  #hasCutKeys = false;

  get hasCutKeys(): boolean {
    return this.#hasCutKeys;
  }

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
    this.#sorted?.add(key);
    this.#hasCutKeys ||= isCutKey(key);
    return { id: record.id, bytes: record.bytes };
  }

  replace(id: RecordId, bytes: Uint8Array): StoredRecord {
    const record = this.#byId.get(id);
    if (record === undefined) throw new RangeError(`There is no record ${id}.`);
    const next: MemoryRecord = { id, key: record.key, bytes: copy(bytes) };
    this.#size += bytes.length - record.bytes.length;
    this.#byId.set(id, next);
    this.#byKey.set(record.key, next);
    return next;
  }

  remove(id: RecordId): void {
    const record = this.#byId.get(id);
    if (record === undefined) return;
    this.#size -= record.bytes.length;
    this.#byId.delete(id);
    this.#byKey.delete(record.key);
    this.#sorted?.delete(record.key);
  }

  scan(range: KeyRange, backwards: boolean, limit: number): Entry[] {
    this.#sorted ??= SortedKeys.of([...this.#byKey.keys()].sort(byCharacters));
    return this.#sorted
      .scan(range, backwards, limit)
      .map((position) => ({ position, record: this.#byKey.get(position)?.id ?? 0 }));
  }

  records(): IterableIterator<StoredRecord> {
    return this.#byId.values();
  }
}

/** Each entry is one text, the key and the number of the record, so that the order of the texts is that of the entries. */
class MemoryIndex implements IndexStore {
  readonly id: number;
  multikey = 0;
  hasCutKeys = false;
  readonly #entries = new SortedKeys();

  constructor(id: number) {
    this.id = id;
  }

  scan(range: KeyRange, backwards: boolean, limit: number): Entry[] {
    return this.#entries.scan(range, backwards, limit).map((position) => ({ position, record: recordAtEnd(position) }));
  }

  add(key: string, record: RecordId): void {
    this.hasCutKeys ||= isCutKey(key);
    this.#entries.add(key + recordSuffix(record));
  }

  remove(key: string, record: RecordId): void {
    this.#entries.delete(key + recordSuffix(record));
  }
}

/** A document arrives as a view on a network message: a view kept would keep the whole message. */
function copy(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes);
}

function byCharacters(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
