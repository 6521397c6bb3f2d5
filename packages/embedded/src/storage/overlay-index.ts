import { isCutKey, type KeyRange, recordAtEnd, recordSuffix } from './key-range.ts';
import { scanOver } from './scan-over.ts';
import type { KeyChange } from './secondary-index.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { Entry, IndexStore, RecordId } from './storage.ts';
import { type Rival, WriteConflict } from './write-conflict.ts';

/** What the same index is to another transaction. */
export interface IndexRival extends Rival {
  covered(id: number): OverlayIndex | undefined;
}

/** An index as a transaction sees it: what is stored, less and more a few entries. */
export class OverlayIndex implements IndexStore {
  readonly id: number;
  readonly #base: IndexStore;
  readonly #unique: boolean;
  readonly #rivals: () => Iterable<IndexRival>;
  /** Entries that are not stored: of the transaction, or removed by others. */
  readonly #more = new SortedKeys();
  readonly #moreOf = new Set<string>();
  /** Stored entries that are hidden: removed by the transaction, or added by others. */
  readonly #less = new Set<string>();
  /** The keys of a unique index that the transaction, or that others have given away or taken. */
  readonly #own = new Set<string>();
  readonly #foreign = new Set<string>();
  #multikey = 0;
  #hasCutKeys = false;

  constructor(base: IndexStore, unique: boolean, rivals: () => Iterable<IndexRival>) {
    this.id = base.id;
    this.#base = base;
    this.#unique = unique;
    this.#rivals = rivals;
  }

  get multikey(): number {
    return this.#multikey | this.#base.multikey;
  }

  set multikey(multikey: number) {
    this.#multikey |= multikey;
  }

  get hasCutKeys(): boolean {
    return this.#hasCutKeys || this.#base.hasCutKeys;
  }

  scan(range: KeyRange, backwards: boolean, limit: number): Entry[] {
    const more = this.#more.scan(range, backwards, limit);
    const entries = more.map((position) => ({ position, record: recordAtEnd(position) }));
    return scanOver(this.#base, (position) => this.#less.has(position), entries, { range, backwards, limit });
  }

  /** Throws `WriteConflict` where another transaction has written that key of a unique index. */
  claim(key: string): void {
    if (!this.#unique || this.#own.has(key)) return;
    if (this.#foreign.has(key)) throw new WriteConflict();
    for (const rival of this.#rivals()) {
      if (rival.covered(this.id)?.owns(key) === true) throw new WriteConflict(rival);
    }
    this.#own.add(key);
  }

  owns(key: string): boolean {
    return this.#own.has(key);
  }

  add(key: string, record: RecordId): void {
    this.claim(key);
    this.#hasCutKeys ||= isCutKey(key);
    this.#show(key + recordSuffix(record));
  }

  remove(key: string, record: RecordId): void {
    this.claim(key);
    this.#hide(key + recordSuffix(record));
  }

  /** Goes on showing what is stored now, after somebody else's change to the keys of a record. */
  keep(record: RecordId, { before, after }: KeyChange): void {
    const suffix = recordSuffix(record);
    for (const key of before.keys()) {
      if (after.has(key)) continue;
      if (this.#unique) this.#foreign.add(key);
      this.#show(key + suffix);
    }
    for (const key of after.keys()) {
      if (before.has(key)) continue;
      if (this.#unique) this.#foreign.add(key);
      this.#hide(key + suffix);
    }
  }

  #show(position: string): void {
    if (this.#less.delete(position)) return;
    this.#more.add(position);
    this.#moreOf.add(position);
  }

  #hide(position: string): void {
    if (this.#moreOf.delete(position)) this.#more.delete(position);
    else this.#less.add(position);
  }
}
