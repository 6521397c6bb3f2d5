import { ServerError } from '../errors.ts';
import { seal, unseal } from './checksum.ts';
import { isCutKey, type KeyRange, recordSuffix } from './key-range.ts';
import { after, keyBehind, numberKey, rangeBehind, recordIdOf } from './lmdb-keys.ts';
import { LmdbLog } from './lmdb-log.ts';
import { LmdbRecords, type Table } from './lmdb-records.ts';
import { isOutOfSpace } from './lmdb-space.ts';
import { openTables, STORE_FILE, type Tables } from './lmdb-tables.ts';
import type { CollectionStore, Entry, IndexStore, RecordId, ServerState, Storage } from './storage.ts';
import { StoreError } from './store-error.ts';

/** As many keys are removed at a time. */
const REMOVAL_CHUNK = 1_000;

const NOTHING = Buffer.alloc(0);

/**
 * Keeps everything in a folder, in one file of LMDB. Documents and indexes are read from there when a command asks for
 * them, through the system's cache. To read them all into memory at the start instead would be faster afterwards, but
 * it takes 1.5 s and 340 MB for 100,000 documents of 1 KB with two indexes, where this takes 0.4 s, for the check of
 * the file, and memory does not grow; and what a failed transaction has changed in memory would have to be undone.
 *
 * A transaction is on the disk when it returns: `overlappingSync` is off. It keeps the process waiting for the disk.
 */
export class LmdbStorage implements Storage {
  readonly name = 'lmdb';
  readonly persistent = true;
  readonly state: ServerState;
  readonly log: LmdbLog;
  readonly #tables: Tables;
  readonly #folder: string;
  /** The records whose counters the transaction has changed. */
  readonly #changed = new Set<LmdbRecords>();
  #nextCollection = 1;

  private constructor(tables: Tables, folder: string) {
    this.#tables = tables;
    this.#folder = folder;
    this.state = new LmdbState(tables.state);
    this.log = new LmdbLog(tables.log);
  }

  /** Opens the store in the folder `path`, makes both if need be. Throws `StoreError` where it cannot be used. */
  static async open(path: string): Promise<LmdbStorage> {
    return new LmdbStorage(await openTables(path), path);
  }

  collections(): CollectionStore[] {
    const ids = Array.from(this.#tables.collections.getKeys(), (key) => key.readUInt32BE(0));
    this.#nextCollection = 1 + (ids.at(-1) ?? 0);
    return ids.map((id) => this.#collection(id));
  }

  createCollection(): CollectionStore {
    const id = this.#nextCollection;
    this.#nextCollection += 1;
    return this.#collection(id);
  }

  transaction<T>(work: () => T): T {
    try {
      return this.#tables.root.transactionSync(() => {
        const result = work();
        for (const records of this.#changed) records.saveCounters();
        return result;
      });
    } catch (error) {
      this.log.forget();
      throw isOutOfSpace(error, this.#folder, STORE_FILE) ? outOfSpace() : error;
    } finally {
      this.#changed.clear();
    }
  }

  async close(): Promise<void> {
    await this.#tables.root.close();
  }

  #collection(id: number): LmdbCollection {
    return new LmdbCollection(this.#tables, id, this.#changed);
  }
}

/** Names are keys of LMDB: not empty, and at most 1,978 bytes long. */
class LmdbState implements ServerState {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  get(name: string): Uint8Array | undefined {
    const sealed = this.#table.get(Buffer.from(name));
    if (sealed === undefined) return undefined;
    const value = unseal(sealed);
    if (value !== undefined) return value;
    throw new StoreError('STORE_DAMAGED', `The store is damaged: its state "${name}" cannot be read.`);
  }

  set(name: string, value: Uint8Array): void {
    this.#table.putSync(Buffer.from(name), seal(value));
  }

  remove(name: string): void {
    this.#table.removeSync(Buffer.from(name));
  }

  names(prefix: string): string[] {
    const start = Buffer.from(prefix);
    return Array.from(this.#table.getKeys({ start, end: after(start) }), (key) => key.toString());
  }
}

class LmdbCollection implements CollectionStore {
  readonly records: LmdbRecords;
  readonly #tables: Tables;
  readonly #id: number;
  readonly #changed: Set<LmdbRecords>;

  constructor(tables: Tables, id: number, changed: Set<LmdbRecords>) {
    this.#tables = tables;
    this.#id = id;
    this.#changed = changed;
    this.records = new LmdbRecords(tables, id, () => changed.add(this.records));
  }

  get description(): Uint8Array {
    const sealed = this.#tables.collections.get(numberKey(this.#id));
    if (sealed === undefined) return NOTHING;
    const description = unseal(sealed);
    if (description !== undefined) return description;
    throw new StoreError('STORE_DAMAGED', 'The store is damaged: the description of a collection cannot be read.');
  }

  describe(description: Uint8Array): void {
    this.#tables.collections.putSync(numberKey(this.#id), seal(description));
  }

  index(id: number): IndexStore {
    return new LmdbIndex(this.#tables.entries, this.#id, id);
  }

  dropIndex(id: number): void {
    removeAll(this.#tables.entries, numberKey(this.#id, id));
  }

  drop(): void {
    const { collections, counters, records, ids, entries } = this.#tables;
    for (const table of [collections, counters, records, ids, entries]) removeAll(table, numberKey(this.#id));
    this.#changed.delete(this.records);
  }
}

/** The entries of an index, and one key without an entry for what it remembers. */
class LmdbIndex implements IndexStore {
  readonly id: number;
  readonly #entries: Table;
  readonly #prefix: Buffer;
  #multikey: number;
  #hasCutKeys: boolean;

  constructor(entries: Table, collection: number, id: number) {
    this.id = id;
    this.#entries = entries;
    this.#prefix = numberKey(collection, id);
    const remembered = entries.get(this.#prefix);
    this.#multikey = remembered?.readUInt32BE(0) ?? 0;
    this.#hasCutKeys = remembered?.readUInt8(4) === 1;
  }

  get multikey(): number {
    return this.#multikey;
  }

  set multikey(multikey: number) {
    if (multikey !== this.#multikey) this.#remember(multikey, this.#hasCutKeys);
  }

  get hasCutKeys(): boolean {
    return this.#hasCutKeys;
  }

  scan(range: KeyRange, backwards: boolean, limit: number): Entry[] {
    const found = this.#entries.getKeys(rangeBehind(this.#prefix, range, backwards, limit));
    return Array.from(found, (key) => ({
      position: key.toString('latin1', this.#prefix.length),
      record: recordIdOf(key),
    }));
  }

  add(key: string, record: RecordId): void {
    this.#entries.putSync(keyBehind(this.#prefix, key + recordSuffix(record)), NOTHING);
    if (isCutKey(key) && !this.#hasCutKeys) this.#remember(this.#multikey, true);
  }

  remove(key: string, record: RecordId): void {
    this.#entries.removeSync(keyBehind(this.#prefix, key + recordSuffix(record)));
  }

  #remember(multikey: number, hasCutKeys: boolean): void {
    const remembered = Buffer.allocUnsafe(5);
    remembered.writeUInt32BE(multikey, 0);
    remembered.writeUInt8(Number(hasCutKeys), 4);
    this.#entries.putSync(this.#prefix, remembered);
    this.#multikey = multikey;
    this.#hasCutKeys = hasCutKeys;
  }
}

function outOfSpace(): ServerError {
  return new ServerError(
    14031,
    'There is no space left on the disk of the data, so nothing of the command was stored.',
  );
}

/** Removes what begins with `prefix`. */
function removeAll(table: Table, prefix: Buffer): void {
  for (;;) {
    const keys = [...table.getKeys({ start: prefix, end: after(prefix), limit: REMOVAL_CHUNK })];
    if (keys.length === 0) return;
    for (const key of keys) table.removeSync(key);
  }
}
