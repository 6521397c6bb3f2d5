import { Int32 } from 'bson';
import type { Collation } from '../values/collation.ts';
import { orderKey } from '../values/order-key.ts';
import type { Document, Value } from '../values/value.ts';
import { duplicateKeyError } from './duplicate-key.ts';
import { ALL_KEYS, type KeyRange, storedKey } from './key-range.ts';
import { scanEntries } from './scan-entries.ts';
import type { IndexDefinition, ScannableIndex } from './secondary-index.ts';
import type { RecordId, RecordStore, StoredRecord } from './storage.ts';

const ID_PATTERN: Document = new Map([['_id', new Int32(1)]]);

/** The description of the index that every collection has. */
export const ID_INDEX: Document = new Map<string, Value>([
  ['v', new Int32(2)],
  ['key', ID_PATTERN],
  ['name', '_id_'],
]);

/** The index on `_id`: the record store itself. An `_id` never changes, and is no array. */
export class IdIndex implements ScannableIndex {
  readonly definition: IndexDefinition;
  readonly descending = [false];
  readonly #namespace: string;
  readonly #records: RecordStore;

  constructor(namespace: string, records: RecordStore, collation: Collation | undefined) {
    this.#namespace = namespace;
    this.#records = records;
    this.definition = {
      specification: ID_INDEX,
      name: '_id_',
      pattern: ID_PATTERN,
      unique: true,
      prepareUnique: false,
      sparse: false,
      hidden: false,
      covers: undefined,
      collation,
      expireAfter: undefined,
    };
  }

  get hasOrder(): boolean {
    return !this.#records.hasCutKeys;
  }

  isMultikey(): boolean {
    return false;
  }

  find(id: Value): StoredRecord | undefined {
    return this.#records.find(this.keyOf(id));
  }

  /** The key of a new document. Throws 11000 where there is one of that `_id`. */
  newKey(id: Value): string {
    const key = this.keyOf(id);
    this.#records.claim?.(key);
    if (this.#records.find(key) === undefined) return key;
    throw duplicateKeyError(this.#namespace, '_id_', ID_PATTERN, new Map([['_id', id]]));
  }

  keyOf(id: Value): string {
    return storedKey(orderKey(id, this.definition.collation?.fold));
  }

  /** The records of all entries. */
  all(): Iterable<RecordId> {
    return this.scan(ALL_KEYS, false);
  }

  scan(range: KeyRange, backwards: boolean): Iterable<RecordId> {
    if (range.isSingle !== true) return scanEntries(this.#records, range, backwards, () => 0);
    const record = this.#records.find(range.start);
    return record === undefined ? [] : [record.id];
  }
}
