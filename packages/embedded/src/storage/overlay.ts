import { ServerError } from '../errors.ts';
import { OverlayIndex } from './overlay-index.ts';
import { OverlayRecords } from './overlay-records.ts';
import type { CollectionStore, IndexStore, RecordStore } from './storage.ts';
import type { Rival } from './write-conflict.ts';

const NOTHING = new Uint8Array();

/** A collection as a transaction sees it. What it writes is kept here, and nowhere else. */
export class Overlay implements CollectionStore, Rival {
  readonly records: OverlayRecords;
  readonly description = NOTHING;
  readonly ended: Promise<void>;
  readonly #rivals: () => Iterable<Overlay>;
  readonly #indexes = new Map<number, OverlayIndex>();

  /**
   * @param keyOf the key of a stored document
   * @param ended resolves when the transaction has ended
   * @param rivals the overlays of the same collection that other open transactions have
   */
  constructor(
    records: RecordStore,
    keyOf: (bytes: Uint8Array) => string,
    ended: Promise<void>,
    rivals: () => Iterable<Overlay>,
  ) {
    this.records = new OverlayRecords(records, keyOf, rivals);
    this.ended = ended;
    this.#rivals = rivals;
  }

  /** Lays itself over a stored index. */
  cover(index: IndexStore, unique: boolean): OverlayIndex {
    const overlay = new OverlayIndex(index, unique, this.#rivals);
    this.#indexes.set(index.id, overlay);
    return overlay;
  }

  covered(id: number): OverlayIndex | undefined {
    return this.#indexes.get(id);
  }

  describe(): void {}

  index(id: number): OverlayIndex {
    const index = this.covered(id);
    if (index !== undefined) return index;
    throw new ServerError(263, 'Cannot create new indexes on existing collection in a multi-document transaction.');
  }

  dropIndex(): void {}

  drop(): void {}
}
