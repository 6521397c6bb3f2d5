import type { Database } from 'lmdb';
import { seal, unseal } from './checksum.ts';
import { isCutKey, type KeyRange } from './key-range.ts';
import { after, keyBehind, numberKey, rangeBehind, recordIdOf, recordKey } from './lmdb-keys.ts';
import type { Entry, RecordId, RecordStore, StoredRecord } from './storage.ts';
import { StoreError } from './store-error.ts';

/** A table of bytes by bytes, in the order of its keys. */
export type Table = Database<Buffer, Buffer>;

/** The tables that the records of all collections are in. */
export interface RecordTables {
  /** Collection, record → sealed: length of the key of `_id`, the key, the document. */
  readonly records: Table;
  /** Collection, key of `_id` → key in `records`. */
  readonly ids: Table;
  /** Collection → how many records it has, bytes of their documents, and whether a key was cut. */
  readonly counters: Table;
}

const LENGTH_BYTES = 2;

/** So many records and bytes are read ahead at most. */
const MAX_CHUNK_RECORDS = 64;
const MAX_CHUNK_BYTES = 1 << 20;

/** Records in LMDB. Every call has to be within a transaction. */
export class LmdbRecords implements RecordStore {
  readonly #tables: RecordTables;
  readonly #collection: number;
  /** Called before each change. */
  readonly #changing: () => void;
  #count: number;
  #size: number;
  #hasCutKeys: boolean;
  #nextId: RecordId;
  #version = 0;

  constructor(tables: RecordTables, collection: number, changing: () => void) {
    this.#tables = tables;
    this.#collection = collection;
    this.#changing = changing;
    const counters = tables.counters.get(numberKey(collection));
    this.#count = counters?.readDoubleBE(0) ?? 0;
    this.#size = counters?.readDoubleBE(8) ?? 0;
    this.#hasCutKeys = counters?.readUInt8(16) === 1;
    this.#nextId = 1 + this.#lastId();
  }

  get count(): number {
    return this.#count;
  }

  get size(): number {
    return this.#size;
  }

  get hasCutKeys(): boolean {
    return this.#hasCutKeys;
  }

  get(id: RecordId): StoredRecord | undefined {
    return this.#read(recordKey(this.#collection, id));
  }

  find(key: string): StoredRecord | undefined {
    const place = this.#tables.ids.get(this.#idKey(key));
    return place && this.#read(place);
  }

  insert(key: string, bytes: Uint8Array): StoredRecord {
    this.#change(1, bytes.length);
    const id = this.#nextId;
    this.#nextId += 1;
    const place = recordKey(this.#collection, id);
    this.#tables.records.putSync(place, pack(key, bytes));
    this.#tables.ids.putSync(this.#idKey(key), place);
    this.#hasCutKeys ||= isCutKey(key);
    return { id, bytes };
  }

  replace(id: RecordId, bytes: Uint8Array): StoredRecord {
    const place = recordKey(this.#collection, id);
    const before = this.#tables.records.get(place);
    if (before === undefined) throw new RangeError(`There is no record ${id}.`);
    const { key, document } = this.#unpack(id, before);
    this.#change(0, bytes.length - document.length);
    this.#tables.records.putSync(place, pack(key, bytes));
    return { id, bytes };
  }

  remove(id: RecordId): void {
    const place = recordKey(this.#collection, id);
    const before = this.#tables.records.get(place);
    if (before === undefined) return;
    const { key, document } = this.#unpack(id, before);
    this.#change(-1, -document.length);
    this.#tables.records.removeSync(place);
    this.#tables.ids.removeSync(this.#idKey(key));
  }

  /**
   * No cursor of LMDB outlives a command, so records are read in chunks, more at a time while nothing changes. What was
   * read ahead is read again once something has changed.
   */
  *records(): IterableIterator<StoredRecord> {
    let wanted = 1;
    let next = 1;
    for (;;) {
      const version = this.#version;
      const chunk = this.#readFrom(next, wanted);
      for (const record of chunk) {
        next = record.id + 1;
        yield record;
        if (this.#version !== version) break;
      }
      if (chunk.length === 0) return;
      wanted = this.#version === version ? Math.min(2 * wanted, MAX_CHUNK_RECORDS) : 1;
    }
  }

  scan(range: KeyRange, backwards: boolean, limit: number): Entry[] {
    const prefix = numberKey(this.#collection);
    const found = this.#tables.ids.getRange(rangeBehind(prefix, range, backwards, limit));
    return Array.from(found, ({ key, value }) => ({
      position: key.toString('latin1', prefix.length),
      record: recordIdOf(value),
    }));
  }

  /** Writes down the counters: once at the end of a transaction that changed them. */
  saveCounters(): void {
    const counters = Buffer.allocUnsafe(17);
    counters.writeDoubleBE(this.#count, 0);
    counters.writeDoubleBE(this.#size, 8);
    counters.writeUInt8(Number(this.#hasCutKeys), 16);
    this.#tables.counters.putSync(numberKey(this.#collection), counters);
  }

  #lastId(): RecordId {
    const prefix = numberKey(this.#collection);
    const [last] = this.#tables.records.getKeys({ start: after(prefix), end: prefix, reverse: true, limit: 1 });
    return last === undefined ? 0 : recordIdOf(last);
  }

  #idKey(key: string): Buffer {
    return keyBehind(numberKey(this.#collection), key);
  }

  #change(records: number, bytes: number): void {
    this.#changing();
    this.#version += 1;
    this.#count += records;
    this.#size += bytes;
  }

  #read(place: Buffer): StoredRecord | undefined {
    const value = this.#tables.records.get(place);
    if (value === undefined) return undefined;
    const id = recordIdOf(place);
    return { id, bytes: this.#unpack(id, value).document };
  }

  #readFrom(first: RecordId, most: number): StoredRecord[] {
    const range = { start: recordKey(this.#collection, first), end: after(numberKey(this.#collection)), limit: most };
    const chunk: StoredRecord[] = [];
    let bytes = 0;
    for (const { key, value } of this.#tables.records.getRange(range)) {
      const id = recordIdOf(key);
      chunk.push({ id, bytes: this.#unpack(id, value).document });
      bytes += value.length;
      if (bytes > MAX_CHUNK_BYTES) break;
    }
    return chunk;
  }

  #unpack(id: RecordId, value: Buffer): { key: string; document: Buffer } {
    const content = unseal(value);
    if (content === undefined) {
      throw new StoreError('STORE_DAMAGED', `The store is damaged: document ${id} of a collection cannot be read.`);
    }
    const start = LENGTH_BYTES + content.readUInt16LE(0);
    return { key: content.toString('latin1', LENGTH_BYTES, start), document: content.subarray(start) };
  }
}

function pack(key: string, document: Uint8Array): Buffer {
  const head = Buffer.allocUnsafe(LENGTH_BYTES + key.length);
  head.writeUInt16LE(key.length, 0);
  head.write(key, LENGTH_BYTES, 'latin1');
  return seal(head, document);
}
