import type { Timestamp } from 'bson';
import type { Change, TransactionId } from './change.ts';
import { ChangeLog } from './change-log.ts';
import { Clock } from './clock.ts';
import { Collection, type IndexReader } from './collection.ts';
import { ServerError, UnfinishedError } from '../errors.ts';
import type { Document } from '../values/value.ts';
import { checkCollectionName, checkNewName, differByCase } from './namespace.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { Storage } from '../storage/storage.ts';
import { WriteConflict } from '../storage/write-conflict.ts';
import { type Step, Transaction } from './transaction.ts';

/** All that the server stores: databases → collections. */
export class Catalog {
  readonly #storage: Storage;
  readonly #readIndex: IndexReader;
  readonly #databases = new Map<string, Map<string, Collection>>();
  readonly #open = new Set<Transaction>();
  /** The transaction through which everything is seen now. */
  #current: Transaction | undefined;
  /** What all changes of the transaction that is being committed have in common. */
  #commit: { readonly time: Timestamp; readonly transaction: TransactionId } | undefined;
  readonly clock: Clock;
  readonly log: ChangeLog;

  /** Takes over what the storage has. `readIndex` is what `createIndexes` reads descriptions with. */
  constructor(storage: Storage, readIndex: IndexReader) {
    this.#storage = storage;
    this.#readIndex = readIndex;
    this.clock = new Clock(storage.state);
    this.log = storage.transaction(() => new ChangeLog(storage.log, this.clock));
    this.#load();
  }

  /** What keeps the documents. */
  get storage(): Pick<Storage, 'name' | 'persistent'> {
    return this.#storage;
  }

  /**
   * Runs a command: what it changes is stored when this returns. As in MongoDB, a `ServerError` leaves in place what
   * was changed before it: each document is changed whole or not at all. Any other error undoes the whole command.
   */
  transaction<T>(command: () => T): T {
    const result = this.#stored((): { value: T } | { refusal: ServerError } => {
      try {
        return { value: command() };
      } catch (error) {
        if (error instanceof ServerError) return { refusal: error };
        throw error;
      }
    });
    if ('refusal' in result) throw result.refusal;
    return result.value;
  }

  /**
   * Like `transaction`, for what writes outside of clients' transactions. While some are open it is one itself, done as a
   * whole: it throws a `WriteConflict` where it has to wait for one of them, and then has changed nothing.
   */
  write<T>(command: () => T): T {
    return this.transaction(() => {
      if (this.#open.size === 0) return command();
      const transaction = this.begin();
      let isDone = true;
      try {
        return this.within(transaction, command);
      } catch (error) {
        isDone = error instanceof ServerError && !(error instanceof WriteConflict);
        throw error;
      } finally {
        if (isDone) this.commit(transaction);
        else this.abort(transaction);
      }
    });
  }

  /** Begins a transaction, which sees from now on what is stored now. */
  begin(): Transaction {
    const transaction = new Transaction(this.#open);
    this.#open.add(transaction);
    return transaction;
  }

  /** Runs something that reads and writes within a transaction. */
  within<T>(transaction: Transaction, work: () => T): T {
    this.#current = transaction;
    try {
      return work();
    } finally {
      this.#current = undefined;
    }
  }

  /** Stores what a transaction has written. `id` is what a client calls it: then its changes are told as one. */
  commit(transaction: Transaction, id?: TransactionId): void {
    this.abort(transaction);
    if (id !== undefined && transaction.steps.length > 0) this.#commit = { time: this.clock.tick(), transaction: id };
    try {
      for (const step of transaction.steps) this.#redo(step);
    } catch (error) {
      throw new UnfinishedError(error);
    } finally {
      this.#commit = undefined;
    }
  }

  /** Gives a transaction up. */
  abort(transaction: Transaction): void {
    this.#open.delete(transaction);
    transaction.end();
  }

  collection(database: string, name: string): Collection | undefined {
    checkCollectionName(database, name);
    const stored = this.#databases.get(database)?.get(name);
    return this.#current === undefined ? stored : this.#current.find(`${database}.${name}`, stored);
  }

  /** The collection, or error 26. */
  existing(database: string, name: string): Collection {
    const collection = this.collection(database, name);
    if (collection === undefined) throw new ServerError(26, `ns does not exist: ${database}.${name}`);
    return collection;
  }

  /** The collection, made if it is not there: what every write does. */
  ensure(database: string, name: string): Collection {
    return this.collection(database, name) ?? this.create(database, name);
  }

  /** A new collection. Throws 48 where it exists, 73 where the name cannot be used. */
  create(database: string, name: string, options: Document = new Map()): Collection {
    const namespace = `${database}.${name}`;
    if (this.collection(database, name) !== undefined) {
      throw new ServerError(48, `Collection ${namespace} already exists.`);
    }
    checkNewName(database, name);
    this.#checkCase(database);
    this.#checkUntaken(database, name);
    if (this.#current !== undefined) return newIn(this.#current, database, name, options);
    const collection = new Collection(database, name, this.#storage.createCollection(), this.#parts);
    collection.setOptions(options);
    this.#add(collection);
    this.#changed({ ...collection.place, kind: 'create' });
    return collection;
  }

  drop(collection: Collection): void {
    if (this.#current !== undefined) return this.#current.remove(collection);
    collection.drop();
    this.#forget(collection);
    this.#changed({ ...collection.place, kind: 'drop' });
  }

  /** Drops all collections of a database. @returns how many there were */
  dropDatabase(database: string): number {
    const collections = this.collections(database);
    for (const collection of collections) collection.checkUnneeded();
    for (const collection of collections) this.drop(collection);
    if (collections.length > 0) this.#changed({ kind: 'dropDatabase', database });
    return collections.length;
  }

  /**
   * Gives a collection another name, in another database perhaps. Throws 48 where there is one of that name, unless
   * that is to go.
   */
  rename(collection: Collection, database: string, name: string, dropTarget = false): void {
    const target = this.collection(database, name);
    if (target !== undefined && !dropTarget) throw new ServerError(48, 'target namespace exists');
    checkNewName(database, name);
    this.#checkCase(database);
    this.#checkUntaken(database, name);
    collection.checkUnneeded();
    if (target !== undefined) {
      target.drop();
      this.#forget(target);
    }
    this.#forget(collection);
    const before = collection.place;
    collection.rename(database, name);
    this.#add(collection);
    this.#changed({ ...before, kind: 'rename', to: { database, name } });
  }

  /** The names of the databases that hold a collection, sorted. */
  databases(): string[] {
    return [...this.#databases.keys()].sort();
  }

  /** The collections of a database, in the order of their creation. */
  collections(database: string): Collection[] {
    return [...(this.#databases.get(database)?.values() ?? [])];
  }

  /** Where it throws, nothing is kept of what was changed, and all is as it was before. */
  #stored<T>(work: () => T): T {
    let kept = false;
    try {
      const result = this.#storage.transaction(() => {
        const done = work();
        this.clock.save();
        return done;
      });
      kept = true;
      return result;
    } catch (error) {
      this.#load();
      throw error;
    } finally {
      this.log.settle(kept);
    }
  }

  readonly #changed = (change: Change): void => {
    this.log.append({ ...(this.#commit ?? { time: this.clock.tick() }), change });
  };

  readonly #parts = { changed: this.#changed, witnesses: this.#open };

  #redo(step: Step): void {
    if (step.kind === 'create') {
      const { database, name, options, indexes } = step.view;
      const collection = this.create(database, name, options);
      for (const { definition } of indexes) collection.addIndex(definition);
    } else {
      const { database, name } = step.change;
      (step.collection ?? this.existing(database, name)).redo(step.change);
    }
  }

  #load(): void {
    for (const transaction of this.#open) this.abort(transaction);
    for (const collections of this.#databases.values())
      for (const collection of collections.values()) collection.abandon();
    this.#databases.clear();
    this.#storage.transaction(() => {
      for (const store of this.#storage.collections())
        this.#add(Collection.stored(store, this.#readIndex, this.#parts));
    });
  }

  #forget({ database, name }: Collection): void {
    const collections = this.#databases.get(database);
    collections?.delete(name);
    if (collections?.size === 0) this.#databases.delete(database);
  }

  #add(collection: Collection): void {
    const collections = this.#databases.get(collection.database) ?? new Map<string, Collection>();
    this.#databases.set(collection.database, collections.set(collection.name, collection));
  }

  /** A name that an open transaction has taken has to be free when that is committed. */
  #checkUntaken(database: string, name: string): void {
    for (const other of this.#open) {
      if (other !== this.#current && other.hasTaken(database, name)) throw new WriteConflict(other);
    }
  }

  /** Two databases whose names differ only by case could not live on every file system. */
  #checkCase(database: string): void {
    if (this.#databases.has(database)) return;
    const known = [...this.databases(), ...(this.#current?.madeIn() ?? [])];
    const other = known.find((name) => differByCase(name, database));
    if (other === undefined) return;
    throw new ServerError(
      13297,
      `db already exists with different case already have: [${other}] trying to create [${database}]`,
    );
  }
}

/** A collection that is there for a transaction alone. It lives in memory until that is committed. */
function newIn(transaction: Transaction, database: string, name: string, options: Document): Collection {
  const store = new MemoryStorage().createCollection();
  const collection = new Collection(database, name, store, { changed: transaction.changed });
  collection.setOptions(options);
  transaction.add(collection);
  return collection;
}
