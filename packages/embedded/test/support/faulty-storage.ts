import type {
  CollectionStore,
  IndexStore,
  LogStore,
  RecordStore,
  ServerState,
  Storage,
} from '../../src/storage/storage.ts';

/** What a storage can be made to fail with. */
export type Fault = () => unknown;

/** A storage that fails at a change of the test's choice. */
export class FaultyStorage implements Storage {
  readonly #storage: Storage;
  #left = Number.POSITIVE_INFINITY;
  #fault: Fault = () => undefined;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Lets the change with that number, counted from now on, fail. */
  failAt(change: number, fault: Fault): void {
    this.#left = change;
    this.#fault = fault;
  }

  /** Fails no more. @returns whether it has failed */
  heal(): boolean {
    const hasFailed = this.#left <= 0;
    this.#left = Number.POSITIVE_INFINITY;
    return hasFailed;
  }

  get name(): string {
    return this.#storage.name;
  }

  get persistent(): boolean {
    return this.#storage.persistent;
  }

  get state(): ServerState {
    return this.#failing(this.#storage.state, ['set', 'remove']);
  }

  get log(): LogStore {
    return this.#failing(this.#storage.log, ['append']);
  }

  collections(): CollectionStore[] {
    return this.#storage.collections().map((store) => this.#collection(store));
  }

  createCollection(): CollectionStore {
    return this.#collection(this.#storage.createCollection());
  }

  transaction<T>(work: () => T): T {
    return this.#storage.transaction(work);
  }

  close(): Promise<void> {
    return this.#storage.close();
  }

  #collection(store: CollectionStore): CollectionStore {
    const records: RecordStore = this.#failing(store.records, ['insert', 'replace', 'remove']);
    const failing = this.#failing(store, ['describe', 'dropIndex', 'drop']);
    const index = (id: number): IndexStore => this.#failing(store.index(id), ['add', 'remove']);
    return new Proxy(failing, {
      get: (target, name) =>
        name === 'records' ? records : name === 'index' ? index : Reflect.get(target, name, target),
    });
  }

  /** The same with calls that count, and one of which fails. */
  #failing<T extends object>(target: T, names: readonly string[]): T {
    return new Proxy(target, {
      get: (inner, name) => {
        const value: unknown = Reflect.get(inner, name, inner);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (names.includes(String(name))) this.#count();
          return Reflect.apply(value, inner, args);
        };
      },
      set: (inner, name, value) => Reflect.set(inner, name, value, inner),
    });
  }

  #count(): void {
    this.#left -= 1;
    if (this.#left === 0) throw this.#fault();
  }
}
