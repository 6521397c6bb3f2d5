import type { Document, Value } from '../engine/value.ts';
import { keyOf } from '../engine/order.ts';
import { isIndex, splitPath } from '../engine/path.ts';
import { duplicateKeyError } from './duplicate-key.ts';
import { type FieldPath, type IndexKey, indexKeys } from './index-keys.ts';
import type { IndexStore, RecordId } from './storage.ts';

/** What an index is, beside its name. */
export interface IndexDefinition {
  /** The description that `listIndexes` gives. */
  readonly specification: Document;
  readonly name: string;
  readonly pattern: Document;
  readonly unique: boolean;
  /** Leaves out documents that have none of the fields. */
  readonly sparse: boolean;
  /** Kept up to date and, if unique, enforced, but not used to find documents. */
  readonly hidden: boolean;
  /** The documents of a partial index; all when undefined. */
  readonly covers: ((document: Document) => boolean) | undefined;
}

/** The keys of one document in one index: canonical text → parts. */
type Keys = ReadonlyMap<string, IndexKey>;

/** A change to the keys of one record, checked before it is made. */
export interface KeyChange {
  readonly before: Keys;
  readonly after: Keys;
}

const NO_KEYS: Keys = new Map();

/**
 * An index of a collection: from the values of its fields to the records that have them. It answers equality and keeps
 * uniqueness; it has no order.
 */
export class SecondaryIndex {
  readonly definition: IndexDefinition;
  readonly #namespace: string;
  readonly #store: IndexStore;
  readonly #paths: readonly FieldPath[];
  readonly #answers: boolean;

  constructor(namespace: string, definition: IndexDefinition, store: IndexStore) {
    this.#namespace = namespace;
    this.definition = definition;
    this.#store = store;
    this.#paths = [...definition.pattern.keys()].map(splitPath);
    // A filter on `a.0` also means members named "0" of the elements of `a`: only a scan finds those.
    const positional = this.#paths.some((path) => path.slice(1).some(isIndex));
    this.#answers = !definition.hidden && definition.covers === undefined && !positional;
  }

  /** What its store is called. */
  get id(): number {
    return this.#store.id;
  }

  /**
   * The records whose fields equal `values`, one per field of the pattern, or undefined where the index cannot tell:
   * it leaves some documents out, or the fields of one document may have come from different elements of an array.
   */
  find(values: readonly Value[]): Iterable<RecordId> | undefined {
    if (!this.#answers || (this.#store.multikey && this.#paths.length > 1)) return undefined;
    return this.#store.find(textOf(values));
  }

  /**
   * What becomes of the keys when `record` (undefined for a new one) goes from `before` to `after`. Changes nothing.
   * Throws 11000 where a key of `after` belongs to another record of a unique index, 171 for parallel arrays.
   */
  plan(before: Document | undefined, after: Document | undefined, record?: RecordId): KeyChange {
    const change = { before: this.#keysOf(before), after: this.#keysOf(after) };
    if (this.definition.unique) {
      for (const [text, key] of change.after) {
        for (const owner of this.#store.find(text)) if (owner !== record) throw this.#duplicate(key);
      }
    }
    return change;
  }

  /** Makes a planned change. */
  apply(record: RecordId, { before, after }: KeyChange): void {
    for (const text of before.keys()) if (!after.has(text)) this.#store.remove(text, record);
    for (const text of after.keys()) if (!before.has(text)) this.#store.add(text, record);
    if (after.size > 1) this.#store.multikey = true;
  }

  #keysOf(document: Document | undefined): Keys {
    if (document === undefined || this.definition.covers?.(document) === false) return NO_KEYS;
    const keys = new Map<string, IndexKey>();
    for (const key of indexKeys(this.#paths, document)) {
      if (this.definition.sparse && key.every((part) => part === undefined)) continue;
      keys.set(textOf(key), key);
    }
    return keys;
  }

  #duplicate(key: IndexKey) {
    const { name, pattern } = this.definition;
    const values = new Map([...pattern.keys()].map((path, part) => [path, key[part] ?? null]));
    return duplicateKeyError(this.#namespace, name, pattern, values);
  }
}

/** The canonical text of a key: equal exactly for equal keys. A missing field counts as null, as in MongoDB. */
function textOf(key: IndexKey): string {
  return key.length === 1 ? keyOf(key[0] ?? null) : keyOf(key.map((part) => part ?? null));
}
