import { isCutKey, type KeyRange, recordAtEnd, recordSuffix } from './key-range.ts';
import { Journal } from './journal.ts';
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

const NOTHING = new Uint8Array();

/** Keeps everything in this process's memory, gone with it. */
export class MemoryStorage implements Storage {
  readonly name = 'memory';
  readonly persistent = false;
  readonly #journal = new Journal();
  readonly state = new MemoryState(this.#journal);
  readonly log = new MemoryLog();
  /** Those that have been described. */
  readonly #collections: MemoryCollection[] = [];

  collections(): CollectionStore[] {
    return [...this.#collections];
  }

  createCollection(): CollectionStore {
    return new MemoryCollection(this.#collections, this.#journal);
  }

  transaction<T>(work: () => T): T {
    return this.#journal.run(() => {
      this.#journal.add(this.log.mark());
      return work();
    });
  }

  async close(): Promise<void> {}
}

class MemoryState implements ServerState {
  readonly #values = new Map<string, Uint8Array>();
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get(name: string): Uint8Array | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: Uint8Array): void {
    this.#keep(name);
    this.#values.set(name, copy(value));
  }

  remove(name: string): void {
    this.#keep(name);
    this.#values.delete(name);
  }

  names(prefix: string): string[] {
    return [...this.#values.keys()].filter((name) => name.startsWith(prefix)).sort(byCharacters);
  }

  #keep(name: string): void {
    const before = this.#values.get(name);
    this.#journal.add(() => {
      if (before === undefined) this.#values.delete(name);
      else this.#values.set(name, before);
    });
  }
}

class MemoryCollection implements CollectionStore {
  readonly records: MemoryRecords;
  /** All that the storage has; this one is among them once it has been described. */
  readonly #all: MemoryCollection[];
  readonly #journal: Journal;
  readonly #indexes = new Map<number, MemoryIndex>();
  #description: Uint8Array = NOTHING;

  constructor(all: MemoryCollection[], journal: Journal) {
    this.#all = all;
    this.#journal = journal;
    this.records = new MemoryRecords(journal);
  }

  get description(): Uint8Array {
    return this.#description;
  }

  describe(description: Uint8Array): void {
    const before = this.#description;
    this.#description = copy(description);
    this.#journal.add(() => {
      this.#description = before;
    });
    if (before !== NOTHING) return;
    this.#all.push(this);
    this.#journal.add(() => this.#all.pop());
  }

  index(id: number): IndexStore {
    const index = this.#indexes.get(id) ?? new MemoryIndex(id, this.#journal);
    this.#indexes.set(id, index);
    return index;
  }

  dropIndex(id: number): void {
    const index = this.#indexes.get(id);
    if (index === undefined) return;
    this.#indexes.delete(id);
    this.#journal.add(() => this.#indexes.set(id, index));
  }

  drop(): void {
    const place = this.#all.indexOf(this);
    if (place === -1) return;
    this.#all.splice(place, 1);
    this.#journal.add(() => this.#all.splice(place, 0, this));
  }
}

/** The iterators of a Map go on soundly while it changes, just as `records` promises. */
class MemoryRecords implements RecordStore {
  readonly #byId = new Map<RecordId, MemoryRecord>();
  readonly #byKey = new Map<string, MemoryRecord>();
  readonly #journal: Journal;
  /** Made when it is first asked for: most collections are never read in the order of `_id`. */
  #sorted: SortedKeys | undefined;
  #nextId = 1;
  #size = 0;
  #hasCutKeys = false;
  /** The last transaction that removed a record. */
  #removedIn = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

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
    // Noted first: the maps can be full.
    this.#journal.add(() => this.#take(record));
    this.#put(record);
    this.#hasCutKeys ||= isCutKey(key);
    return { id: record.id, bytes: record.bytes };
  }

  replace(id: RecordId, bytes: Uint8Array): StoredRecord {
    const record = this.#byId.get(id);
    if (record === undefined) throw new RangeError(`There is no record ${id}.`);
    const next: MemoryRecord = { id, key: record.key, bytes: copy(bytes) };
    this.#exchange(record, next);
    this.#journal.add(() => this.#exchange(next, record));
    return next;
  }

  remove(id: RecordId): void {
    const record = this.#byId.get(id);
    if (record === undefined) return;
    if (this.#removedIn !== this.#journal.number) {
      this.#removedIn = this.#journal.number;
      // As undoing goes backwards, this is done when all records are there again.
      this.#journal.add(() => this.#sort());
    }
    this.#take(record);
    this.#journal.add(() => this.#put(record));
  }

  #put(record: MemoryRecord): void {
    this.#size += record.bytes.length;
    this.#byId.set(record.id, record);
    this.#byKey.set(record.key, record);
    this.#sorted?.add(record.key);
  }

  #take(record: MemoryRecord): void {
    this.#size -= record.bytes.length;
    this.#byId.delete(record.id);
    this.#byKey.delete(record.key);
    this.#sorted?.delete(record.key);
  }

  #exchange(before: MemoryRecord, after: MemoryRecord): void {
    this.#size += after.bytes.length - before.bytes.length;
    this.#byId.set(after.id, after);
    this.#byKey.set(after.key, after);
  }

  /** Puts the records into their natural order again. */
  #sort(): void {
    const records = [...this.#byId.values()].sort((a, b) => a.id - b.id);
    this.#byId.clear();
    for (const record of records) this.#byId.set(record.id, record);
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
  readonly #journal: Journal;

  constructor(id: number, journal: Journal) {
    this.id = id;
    this.#journal = journal;
  }

  scan(range: KeyRange, backwards: boolean, limit: number): Entry[] {
    return this.#entries.scan(range, backwards, limit).map((position) => ({ position, record: recordAtEnd(position) }));
  }

  add(key: string, record: RecordId): void {
    this.hasCutKeys ||= isCutKey(key);
    const position = key + recordSuffix(record);
    if (this.#entries.add(position)) this.#journal.add(() => this.#entries.delete(position));
  }

  remove(key: string, record: RecordId): void {
    const position = key + recordSuffix(record);
    if (this.#entries.delete(position)) this.#journal.add(() => this.#entries.add(position));
  }
}

/** A document arrives as a view on a network message: a view kept would keep the whole message. */
function copy(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes);
}

function byCharacters(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
