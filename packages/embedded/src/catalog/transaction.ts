import type { DocumentChange } from './change.ts';
import type { Collection, Witness } from './collection.ts';
import { ServerError } from '../errors.ts';
import { decode } from '../values/bson.ts';
import { differByCase } from './namespace.ts';
import type { KeyChange } from '../storage/secondary-index.ts';
import { Overlay } from '../storage/overlay.ts';
import type { RecordId, StoredRecord } from '../storage/storage.ts';

/** A collection as a transaction sees it. */
interface View {
  readonly collection: Collection;
  readonly overlay: Overlay;
  /** True where the transaction has read or written it: nobody changes what it is until the transaction ends. */
  used: boolean;
}

/** What a transaction has done, to be done to what is stored when it is committed. */
export type Step =
  | { readonly kind: 'create'; readonly view: Collection }
  | {
      readonly kind: 'change';
      /** Where it is stored; undefined where the transaction has made the collection. */
      readonly collection: Collection | undefined;
      readonly change: DocumentChange;
    };

/**
 * A transaction: what it reads is what was stored when it began, and what it has written since. Until it is committed
 * nothing of it is stored. Whoever writes first to a record wins; the other's write fails, or waits.
 */
export class Transaction implements Witness {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly #open: ReadonlySet<Transaction>;
  readonly #views = new Map<Collection, View>();
  readonly #created = new Map<string, Collection>();
  /** What was renamed, dropped or altered meanwhile: what there was is not known any more. */
  readonly #lost = new Set<string>();
  readonly #steps: Step[] = [];
  #end: () => void = () => {};
  #isOpen = true;

  /** @param open all open transactions, this one among them */
  constructor(open: ReadonlySet<Transaction>) {
    this.#open = open;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** True where it has neither been committed nor given up. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** How a collection is seen; undefined where there is none. Throws 246 where what it was is not known any more. */
  find(namespace: string, stored: Collection | undefined): Collection | undefined {
    if (this.#lost.has(namespace)) {
      throw new ServerError(
        246,
        'Unable to read from a snapshot due to pending collection catalog changes; please retry the operation.',
      );
    }
    if (stored === undefined) return this.#created.get(namespace);
    const view = this.#viewOf(stored);
    view.used = true;
    return view.collection;
  }

  /** Adds a collection that it has made. */
  add(collection: Collection): void {
    this.#created.set(collection.namespace, collection);
    this.#steps.push({ kind: 'create', view: collection });
  }

  /** Takes back a collection that it has made. */
  remove(collection: Collection): void {
    this.#created.delete(collection.namespace);
    const step = this.#steps.findIndex((one) => one.kind === 'create' && one.view === collection);
    this.#steps.splice(step, 1);
  }

  /** The databases that it has made collections in. */
  madeIn(): string[] {
    return Array.from(this.#created.values(), ({ database }) => database);
  }

  /** True where others may not make a collection of that name, because it has. */
  hasTaken(database: string, name: string): boolean {
    return this.#created.has(`${database}.${name}`) || this.madeIn().some((taken) => differByCase(taken, database));
  }

  /** Listens to a collection that it has made. */
  readonly changed = (change: DocumentChange): void => {
    this.#steps.push({ kind: 'change', collection: undefined, change });
  };

  keep(
    stored: Collection,
    { id, key }: { readonly id: RecordId; readonly key: string },
    before: StoredRecord | undefined,
    after: Uint8Array | undefined,
    changes: ReadonlyMap<number, KeyChange>,
  ): void {
    // Nobody reads it any more: whatever it is by now, with other indexes perhaps, is of no concern here.
    if (this.#lost.has(stored.namespace)) return;
    const { overlay } = this.#viewOf(stored);
    overlay.records.keep(id, key, before, after);
    for (const [index, change] of changes) overlay.index(index).keep(id, change);
  }

  needs(stored: Collection): boolean {
    return this.#views.get(stored)?.used === true;
  }

  lose(stored: Collection): void {
    this.#lost.add(stored.namespace);
  }

  /** Lets those go on who wait for it. */
  end(): void {
    this.#isOpen = false;
    this.#end();
  }

  #viewOf(stored: Collection): View {
    const known = this.#views.get(stored);
    if (known !== undefined) return known;
    const keyOf = (bytes: Uint8Array): string => stored.ids.keyOf(decode(bytes).get('_id') ?? null);
    const overlay = new Overlay(stored.records, keyOf, this.ended, () => this.#rivals(stored));
    const collection = stored.over(overlay, (change) => {
      this.#steps.push({ kind: 'change', collection: stored, change });
    });
    const view: View = { collection, overlay, used: false };
    this.#views.set(stored, view);
    return view;
  }

  *#rivals(stored: Collection): Generator<Overlay> {
    for (const other of this.#open) {
      const overlay = other === this ? undefined : other.#views.get(stored)?.overlay;
      if (overlay !== undefined) yield overlay;
    }
  }
}
