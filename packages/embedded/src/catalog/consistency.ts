import type { Collection } from './collection.ts';
import { decode } from '../values/bson.ts';
import type { Document } from '../values/value.ts';
import { isCutKey, recordAtEnd, recordSuffix } from '../storage/key-range.ts';
import type { SecondaryIndex } from '../storage/secondary-index.ts';
import type { RecordId } from '../storage/storage.ts';
import { StoreError } from '../storage/store-error.ts';

/** An entry that an index has too much, or not. */
export interface StrayEntry {
  readonly index: string;
  readonly record: RecordId;
}

/** What a collection has, and what is wrong with it. */
export interface Findings {
  readonly records: number;
  /** How many entries each index has, that on `_id` included. */
  readonly entries: ReadonlyMap<string, number>;
  /** Entries without the document that they are of. */
  readonly extra: readonly StrayEntry[];
  /** Entries that documents should have. */
  readonly missing: readonly StrayEntry[];
  /** What else is wrong, in words that tell no value. */
  readonly errors: readonly string[];
}

/** The entries that an index should have and has not met yet. */
class IndexCheck {
  readonly #index: SecondaryIndex;
  readonly #wanted = new Set<string>();
  #multikey = 0;
  #hasCutKeys = false;

  constructor(index: SecondaryIndex) {
    this.#index = index;
  }

  expect(record: RecordId, document: Document): void {
    const { after, multikey } = this.#index.keysOf(document);
    for (const key of after.keys()) {
      this.#wanted.add(key + recordSuffix(record));
      this.#hasCutKeys ||= isCutKey(key);
    }
    this.#multikey |= multikey;
  }

  /** Compares with what is there. @returns how many entries that is */
  run(extra: StrayEntry[], missing: StrayEntry[], errors: string[]): number {
    const { name, unique } = this.#index.definition;
    let count = 0;
    let previous: string | undefined;
    for (const position of this.#index.positions()) {
      count += 1;
      if (!this.#wanted.delete(position)) extra.push({ index: name, record: recordAtEnd(position) });
      const key = position.slice(0, -recordSuffix(0).length);
      if (unique && key === previous) errors.push(`the unique index "${name}" has a key twice`);
      previous = key;
    }
    for (const position of this.#wanted) missing.push({ index: name, record: recordAtEnd(position) });
    if (!this.#index.knowsOf(this.#multikey, this.#hasCutKeys)) {
      errors.push(`the index "${name}" does not know of what kind its keys are`);
    }
    return count;
  }
}

/**
 * Looks whether every document has its entry in every index and every entry its document, and whether the counters say
 * what there is. It reads all of the collection, and keeps a key for each entry meanwhile.
 */
export function inspect(collection: Collection): Findings {
  const { records, ids } = collection;
  const checks = Array.from(collection.indexes, (index) => ({
    name: index.definition.name,
    check: new IndexCheck(index),
  }));
  const extra: StrayEntry[] = [];
  const missing: StrayEntry[] = [];
  const errors: string[] = [];
  const entries = new Map<string, number>();
  let count = 0;
  try {
    let size = 0;
    let last = 0;
    for (const { id, bytes } of records.records()) {
      const document = decode(bytes);
      count += 1;
      size += bytes.length;
      if (id <= last) errors.push('documents are not in their natural order');
      last = id;
      if (ids.find(document.get('_id') ?? null)?.id !== id) missing.push({ index: '_id_', record: id });
      for (const { check } of checks) check.expect(id, document);
    }
    if (records.count !== count) errors.push(`the collection counts ${records.count} documents and has ${count}`);
    if (records.size !== size) errors.push(`the collection counts ${records.size} bytes and has ${size}`);
    let idCount = 0;
    for (const record of ids.all()) {
      idCount += 1;
      if (records.get(record) === undefined) extra.push({ index: '_id_', record });
    }
    entries.set('_id_', idCount);
    if (idCount !== count) errors.push(`the index "_id_" has ${idCount} entries for ${count} documents`);
    for (const { name, check } of checks) entries.set(name, check.run(extra, missing, errors));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    errors.push(error.message);
  }
  return { records: count, entries, extra, missing, errors };
}
