import { type IndexKey, indexKeys, type FieldPath } from '../values/index-keys.ts';
import type { Collation } from '../values/collation.ts';
import { toNumber } from '../values/number.ts';
import { orderKey, reversedKey } from '../values/order-key.ts';
import { splitPath } from '../values/path.ts';
import { type Document, isNumeric, type Value } from '../values/value.ts';
import { duplicateKeyError } from './duplicate-key.ts';
import { ALL_KEYS, type KeyRange, rangeBehind, rangeOf, storedKey } from './key-range.ts';
import { scanEntries } from './scan-entries.ts';
import type { IndexStore, RecordId } from './storage.ts';

/** What an index is, beside its name. */
export interface IndexDefinition {
  /** The description that `listIndexes` gives. */
  readonly specification: Document;
  readonly name: string;
  readonly pattern: Document;
  readonly unique: boolean;
  /** Takes no new duplicates, while there may be old ones: before it becomes unique. */
  readonly prepareUnique: boolean;
  /** Leaves out documents that have none of the fields. */
  readonly sparse: boolean;
  /** Kept up to date and, if unique, enforced, but not used to find documents. */
  readonly hidden: boolean;
  /** The documents of a partial index; all when undefined. */
  readonly covers: ((document: Document) => boolean) | undefined;
  /** How texts are compared; by their bytes when undefined. */
  readonly collation: Collation | undefined;
  /** Seconds after the date in its field at which a document expires; never when undefined. */
  readonly expireAfter: number | undefined;
}

/** The keys of one document in one index, as they are stored → parts. */
type Keys = ReadonlyMap<string, IndexKey>;

/** A change to the keys of one record, checked before it is made. */
export interface KeyChange {
  readonly before: Keys;
  readonly after: Keys;
  /** The fields that have several values in `after`, as bits. */
  readonly multikey: number;
}

const NO_KEYS: Keys = new Map();

/** As many entries are read at a time where all are. */
const CHUNK = 512;

/** Fields from that one on share a bit. */
const LAST_BIT = 30;

/** An index as a way to records. */
export interface ScannableIndex {
  readonly definition: IndexDefinition;
  /** Which fields are in the opposite order. */
  readonly descending: readonly boolean[];
  /** True where entries come in the order of their values: long keys are cut. */
  readonly hasOrder: boolean;
  /** True where some document has several values in a field. */
  isMultikey(field: number): boolean;
  /** The records of a range. The iteration may be suspended while the index changes: it goes on behind where it was. */
  scan(range: KeyRange, backwards: boolean): Iterable<RecordId>;
}

/** An index of a collection: from the values of its fields, in their order, to the records that have them. */
export class SecondaryIndex implements ScannableIndex {
  readonly descending: readonly boolean[];
  /** The collection's, for error messages. */
  namespace: string;
  readonly #store: IndexStore;
  readonly #paths: readonly FieldPath[];
  #definition: IndexDefinition;
  /** Another one with each entry that comes or goes. */
  #version = 0;

  constructor(namespace: string, definition: IndexDefinition, store: IndexStore) {
    this.namespace = namespace;
    this.#definition = definition;
    this.#store = store;
    this.#paths = [...definition.pattern.keys()].map(splitPath);
    this.descending = isDescending(definition.pattern);
  }

  get definition(): IndexDefinition {
    return this.#definition;
  }

  /** Takes another definition, of the same documents in the same order: whoever scans it goes on. */
  redefine(definition: IndexDefinition): void {
    this.#definition = definition;
  }

  /** The name of its store. */
  get id(): number {
    return this.#store.id;
  }

  /** The same index with another store: one that is laid over its own. */
  over(cover: (store: IndexStore) => IndexStore): SecondaryIndex {
    return new SecondaryIndex(this.namespace, this.definition, cover(this.#store));
  }

  isMultikey(field: number): boolean {
    return (this.#store.multikey & bitOf(field)) !== 0;
  }

  get hasOrder(): boolean {
    return !this.#store.hasCutKeys;
  }

  scan(range: KeyRange, backwards: boolean): Iterable<RecordId> {
    return scanEntries(this.#store, range, backwards, () => this.#version);
  }

  /** Where all entries are, in their order. */
  *positions(): Generator<string> {
    let left = ALL_KEYS;
    for (;;) {
      const chunk = this.#store.scan(left, false, CHUNK);
      for (const { position } of chunk) yield position;
      const last = chunk.at(-1);
      if (last === undefined) return;
      left = rangeBehind(left, last.position, false);
    }
  }

  /** True where it knows of fields with several values, as bits, and of keys that were cut. */
  knowsOf(multikey: number, hasCutKeys: boolean): boolean {
    return (multikey & ~this.#store.multikey) === 0 && (!hasCutKeys || this.#store.hasCutKeys);
  }

  /** The keys that a document has in it, as those of a new one. */
  keysOf(document: Document): KeyChange {
    const keys = this.#keysOf(document);
    return { before: NO_KEYS, after: keys, multikey: this.#multikeyOf(keys) };
  }

  /**
   * What becomes of the keys when `record` (undefined for a new one) goes from `before` to `after`. Changes nothing.
   * Throws 11000 where a key of `after` belongs to another record of a unique index, 171 for parallel arrays.
   */
  plan(before: Document | undefined, after: Document | undefined, record?: RecordId): KeyChange {
    const keys = this.#keysOf(after);
    const keysBefore = this.#keysOf(before);
    if (refusesDuplicates(this.definition)) {
      for (const [text, key] of keys) {
        if (keysBefore.has(text)) continue;
        this.#store.claim?.(text);
        for (const owner of this.scan(rangeOf(text), false)) if (owner !== record) throw this.#duplicate(key);
      }
    }
    return { before: keysBefore, after: keys, multikey: this.#multikeyOf(keys) };
  }

  /** Makes a planned change. */
  apply(record: RecordId, { before, after, multikey }: KeyChange): void {
    for (const text of before.keys()) {
      if (after.has(text)) continue;
      this.#store.remove(text, record);
      this.#version += 1;
    }
    for (const text of after.keys()) {
      if (before.has(text)) continue;
      this.#store.add(text, record);
      this.#version += 1;
    }
    if (multikey !== 0) this.#store.multikey |= multikey;
  }

  /** The keys of a document that was there before the index, which may be built over duplicates if it is only prepared. */
  planBuild(document: Document, record: RecordId): KeyChange {
    return this.definition.unique ? this.plan(undefined, document, record) : this.keysOf(document);
  }

  /** The records that share a key with `document`, for each of its keys that several have. */
  *sharing(document: Document): Generator<RecordId[]> {
    for (const text of this.#keysOf(document).keys()) {
      const owners = [...this.scan(rangeOf(text), false)];
      if (owners.length > 1) yield owners;
    }
  }

  #keysOf(document: Document | undefined): Keys {
    if (document === undefined || this.definition.covers?.(document) === false) return NO_KEYS;
    const keys = new Map<string, IndexKey>();
    for (const key of indexKeys(this.#paths, document)) {
      if (this.definition.sparse && key.every((part) => part === undefined)) continue;
      keys.set(storedKey(key.map((part, field) => this.#partKey(part, field)).join('')), key);
    }
    return keys;
  }

  /** A missing field counts as null, as in MongoDB. */
  #partKey(part: Value | undefined, field: number): string {
    const key = orderKey(part ?? null, this.definition.collation?.fold);
    return this.descending[field] === true ? reversedKey(key) : key;
  }

  /** The fields that are not the same in all keys of a document. */
  #multikeyOf(keys: Keys): number {
    const [first, ...others] = keys.values();
    if (first === undefined || others.length === 0) return 0;
    let bits = 0;
    for (const [field, part] of first.entries()) {
      const key = this.#partKey(part, field);
      if (others.some((other) => this.#partKey(other[field], field) !== key)) bits |= bitOf(field);
    }
    return bits;
  }

  #duplicate(key: IndexKey) {
    const { name, pattern } = this.definition;
    const values = new Map([...pattern.keys()].map((path, part) => [path, key[part] ?? null]));
    return duplicateKeyError(this.namespace, name, pattern, values);
  }
}

/** True where a key that one document has is taken from no other. */
export function refusesDuplicates({ unique, prepareUnique }: IndexDefinition): boolean {
  return unique || prepareUnique;
}

function bitOf(field: number): number {
  return 1 << Math.min(field, LAST_BIT);
}

/** Which fields of a pattern are in the opposite order. */
function isDescending(pattern: Document): boolean[] {
  return Array.from(pattern.values(), (direction) => isNumeric(direction) && toNumber(direction) < 0);
}
