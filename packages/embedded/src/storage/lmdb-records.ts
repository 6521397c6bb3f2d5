import { crc32 } from 'node:zlib';
import type { Database } from 'lmdb';
import { after, idKey, numberKey, recordIdOf, recordKey, textBytes } from './lmdb-keys.ts';
import type { RecordId, RecordStore, StoredRecord } from './storage.ts';
import { StoreError } from './store-error.ts';

/** A table of bytes by bytes, in the order of its keys. */
export type Table = Database<Buffer, Buffer>;

/** The tables that the records of all collections are in. */
export interface RecordTables {
  /** Collection, record → checksum, text of `_id`, document. */
  readonly records: Table;
  /** Collection, text of `_id` → key in `records`. */
  readonly ids: Table;
  /** Collection → how many records it has, bytes of their documents, id of the next record. */
  readonly counters: Table;
}

const CHECKSUM_BYTES = 4;
const HEAD_BYTES = CHECKSUM_BYTES + 2;

/** So many records and bytes are read ahead at most. */
const MAX_CHUNK_RECORDS = 64;
const MAX_CHUNK_BYTES = 1 << 20;

/** Records in LMDB. Every call has to be within a transaction. */
export class LmdbRecords implements RecordStore {
  readonly #tables: RecordTables;
  readonly #collection: number;
  /** Called before each change. */
  readonly #changing: () => void;
  #count = 0;
  #size = 0;
  #nextId = 1;
  #version = 0;

  constructor(tables: RecordTables, collection: number, changing: () => void) {
    this.#tables = tables;
    this.#collection = collection;
    this.#changing = changing;
    const counters = tables.counters.get(numberKey(collection));
    if (counters === undefined) return;
    this.#count = counters.readDoubleBE(0);
    this.#size = counters.readDoubleBE(8);
    this.#nextId = counters.readDoubleBE(16);
  }

  get count(): number {
    return this.#count;
  }

  get size(): number {
    return this.#size;
  }

  get(id: RecordId): StoredRecord | undefined {
    return this.#read(recordKey(this.#collection, id));
  }

  find(key: string): StoredRecord | undefined {
    const found = this.#tables.ids.get(idKey(this.#collection, textBytes(key)));
    return found && this.#read(found);
  }

  insert(key: string, bytes: Uint8Array): RecordId {
    this.#change(1, bytes.length);
    const id = this.#nextId;
    this.#nextId += 1;
    const text = textBytes(key);
    const place = recordKey(this.#collection, id);
    this.#tables.records.putSync(place, pack(text, bytes));
    this.#tables.ids.putSync(idKey(this.#collection, text), place);
    return id;
  }

  replace(id: RecordId, bytes: Uint8Array): void {
    const place = recordKey(this.#collection, id);
    const before = this.#tables.records.get(place);
    if (before === undefined) throw new RangeError(`There is no record ${id}.`);
    const { text, document } = this.#unpack(id, before);
    this.#change(0, bytes.length - document.length);
    this.#tables.records.putSync(place, pack(text, bytes));
  }

  remove(id: RecordId): void {
    const place = recordKey(this.#collection, id);
    const before = this.#tables.records.get(place);
    if (before === undefined) return;
    const { text, document } = this.#unpack(id, before);
    this.#change(-1, -document.length);
    this.#tables.records.removeSync(place);
    this.#tables.ids.removeSync(idKey(this.#collection, text));
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

  /** Writes down the counters: once at the end of a transaction that changed them. */
  saveCounters(): void {
    const counters = Buffer.allocUnsafe(24);
    counters.writeDoubleBE(this.#count, 0);
    counters.writeDoubleBE(this.#size, 8);
    counters.writeDoubleBE(this.#nextId, 16);
    this.#tables.counters.putSync(numberKey(this.#collection), counters);
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

  #unpack(id: RecordId, value: Buffer): { text: Buffer; document: Buffer } {
    if (value.length < HEAD_BYTES || crc32(value.subarray(CHECKSUM_BYTES)) !== value.readUInt32LE(0)) {
      throw new StoreError('STORE_DAMAGED', `The store is damaged: document ${id} of a collection cannot be read.`);
    }
    const start = HEAD_BYTES + value.readUInt16LE(CHECKSUM_BYTES);
    return { text: value.subarray(HEAD_BYTES, start), document: value.subarray(start) };
  }
}

function pack(text: Buffer, document: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(HEAD_BYTES + text.length + document.length);
  value.writeUInt16LE(text.length, CHECKSUM_BYTES);
  text.copy(value, HEAD_BYTES);
  value.set(document, HEAD_BYTES + text.length);
  value.writeUInt32LE(crc32(value.subarray(CHECKSUM_BYTES)), 0);
  return value;
}
