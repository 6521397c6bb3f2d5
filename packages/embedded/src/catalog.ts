import { Binary, UUID } from 'bson';
import { ServerError } from './errors.ts';
import { decode } from './engine/bson.ts';
import { type Collation, collationIn } from './engine/collation.ts';
import { validator } from './engine/validate.ts';
import { type Document, isDocument } from './engine/value.ts';
import { readDescription, writeDescription } from './storage/description.ts';
import { IdIndex } from './storage/id-index.ts';
import { type IndexDefinition, type KeyChange, SecondaryIndex } from './storage/secondary-index.ts';
import type { CollectionStore, RecordId, RecordStore, Storage, StoredRecord } from './storage/storage.ts';

/** A namespace, `<database>.<collection>`, may have that many bytes. */
const MAX_NAMESPACE_LENGTH = 255;
const MAX_DATABASE_LENGTH = 63;

/** Reads the description of an index. */
type IndexReader = (specification: Document) => IndexDefinition;

/** A planned change to every index of a collection, in the order of the indexes. */
type KeyChanges = readonly KeyChange[];

/** A collection: its documents, their indexes, and the rule that the documents must keep. */
export class Collection {
  readonly uuid: Binary;
  readonly records: RecordStore;
  readonly #store: CollectionStore;
  #database: string;
  #name: string;
  readonly #indexes = new Map<string, SecondaryIndex>();
  #options: Document = new Map();
  #ids: IdIndex;
  #validate: ((document: Document) => Document | null) | undefined;
  #dropped = false;

  /** A collection without options and indexes. Its store learns of it with the first `setOptions`. */
  constructor(database: string, name: string, store: CollectionStore, uuid = newUuid()) {
    this.#database = database;
    this.#name = name;
    this.uuid = uuid;
    this.records = store.records;
    this.#store = store;
    this.#ids = new IdIndex(this.namespace, this.records, undefined);
  }

  /** The collection that a store has kept. */
  static stored(store: CollectionStore, readIndex: IndexReader): Collection {
    const { database, name, uuid, options, indexes } = readDescription(store.description);
    const collection = new Collection(database, name, store, uuid);
    collection.#useOptions(options);
    for (const { id, specification } of indexes) {
      collection.#useIndex(new SecondaryIndex(collection.namespace, readIndex(specification), store.index(id)));
    }
    return collection;
  }

  get database(): string {
    return this.#database;
  }

  get name(): string {
    return this.#name;
  }

  get namespace(): string {
    return `${this.#database}.${this.#name}`;
  }

  /** Gives it another name. The catalogue has to know. */
  rename(database: string, name: string): void {
    this.#database = database;
    this.#name = name;
    this.#useOptions(this.#options);
    for (const index of this.indexes) index.namespace = this.namespace;
    this.#describe();
  }

  /** Whether the collection is gone: a cursor that still reads it has to end. */
  get dropped(): boolean {
    return this.#dropped;
  }

  /** The index on `_id`. */
  get ids(): IdIndex {
    return this.#ids;
  }

  /** How texts are compared where a command does not say it; by their bytes when undefined. Holds for `_id` always. */
  get collation(): Collation | undefined {
    return this.#ids.definition.collation;
  }

  /** What `create` and `collMod` have set: `collation`, `validator`, `validationLevel`, `validationAction`. */
  get options(): Document {
    return this.#options;
  }

  /** Throws where the validator is no valid rule; then the options stay as they were. */
  setOptions(options: Document): void {
    this.#useOptions(options);
    this.#describe();
  }

  /** The secondary indexes: all but the one on `_id`. */
  get indexes(): Iterable<SecondaryIndex> {
    return this.#indexes.values();
  }

  /** How many indexes there are, that on `_id` included. */
  get indexCount(): number {
    return 1 + this.#indexes.size;
  }

  index(name: string): SecondaryIndex | undefined {
    return this.#indexes.get(name);
  }

  /** Builds an index over the documents that are there. Throws, and adds nothing, where they cannot be indexed. */
  addIndex(definition: IndexDefinition): void {
    const id = 1 + Math.max(0, ...Array.from(this.indexes, (index) => index.id));
    const index = new SecondaryIndex(this.namespace, definition, this.#store.index(id));
    try {
      for (const record of this.records.records()) {
        index.apply(record.id, index.plan(undefined, decode(record.bytes), record.id));
      }
    } catch (error) {
      this.#store.dropIndex(id);
      throw error;
    }
    this.#useIndex(index);
    this.#describe();
  }

  removeIndex(name: string): void {
    const index = this.#indexes.get(name);
    if (index === undefined) return;
    this.#indexes.delete(name);
    this.#store.dropIndex(index.id);
    this.#describe();
  }

  /** Removes the collection from its store. */
  drop(): void {
    this.abandon();
    this.#store.drop();
  }

  /** Ends the cursors that read the collection: it is not the one that is stored any more. */
  abandon(): void {
    this.#dropped = true;
  }

  /** Stores a new document. `bytes` is the document as BSON. Throws 11000, 121 or 171, and then stores nothing. */
  insert(document: Document, bytes: Uint8Array, checked = true): void {
    if (checked) this.#check(document);
    const key = this.ids.newKey(document.get('_id') ?? null);
    const changes = this.#plan(undefined, document);
    this.#apply(this.records.insert(key, bytes), changes);
  }

  /** Stores `after` in the place of `before`, of the same `_id`. Throws like `insert`, and then changes nothing. */
  replace(record: StoredRecord, before: Document, after: Document, bytes: Uint8Array, checked = true): void {
    if (checked) this.#check(after, before);
    const changes = this.#plan(before, after, record);
    this.records.replace(record.id, bytes);
    this.#apply(record.id, changes);
  }

  remove(record: StoredRecord): void {
    if (this.#indexes.size > 0) this.#apply(record.id, this.#plan(decode(record.bytes), undefined, record));
    this.records.remove(record.id);
  }

  #useOptions(options: Document): void {
    const rule = options.get('validator');
    this.#validate = isDocument(rule) && rule.size > 0 ? validator(rule) : undefined;
    this.#ids = new IdIndex(this.namespace, this.records, collationIn(options));
    this.#options = options;
  }

  #useIndex(index: SecondaryIndex): void {
    this.#indexes.set(index.definition.name, index);
  }

  #describe(): void {
    const { database, name, uuid, options } = this;
    const indexes = Array.from(this.indexes, ({ id, definition: { specification } }) => ({ id, specification }));
    this.#store.describe(writeDescription({ database, name, uuid, options, indexes }));
  }

  /** With level `moderate`, a document that broke the rule already may go on breaking it. */
  #check(after: Document, before?: Document): void {
    const level = this.#options.get('validationLevel');
    if (this.#validate === undefined || level === 'off' || this.#options.get('validationAction') === 'warn') return;
    const details = this.#validate(after);
    if (details === null) return;
    if (level === 'moderate' && before !== undefined && this.#validate(before) !== null) return;
    const errInfo: Document = new Map([['failingDocumentId', after.get('_id') ?? null]]);
    throw new ServerError(121, 'Document failed validation', { errInfo: errInfo.set('details', details) });
  }

  #plan(before: Document | undefined, after: Document | undefined, record?: StoredRecord): KeyChanges {
    return [...this.#indexes.values()].map((index) => index.plan(before, after, record?.id));
  }

  #apply(record: RecordId, changes: KeyChanges): void {
    let position = 0;
    for (const index of this.#indexes.values()) {
      const change = changes[position];
      if (change !== undefined) index.apply(record, change);
      position += 1;
    }
  }
}

/** All that the server stores: databases → collections. */
export class Catalog {
  readonly #storage: Storage;
  readonly #readIndex: IndexReader;
  readonly #databases = new Map<string, Map<string, Collection>>();

  /** Takes over what the storage has. `readIndex` is what `createIndexes` reads descriptions with. */
  constructor(storage: Storage, readIndex: IndexReader) {
    this.#storage = storage;
    this.#readIndex = readIndex;
    this.#load();
  }

  /** What keeps the documents. */
  get storage(): Pick<Storage, 'name' | 'persistent'> {
    return this.#storage;
  }

  /**
   * Runs a command: what it changes is stored when this returns. As in MongoDB, a `ServerError` leaves in place what
   * was changed before it: each document is changed whole or not at all. Any other error undoes the whole command where
   * the storage is persistent.
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

  collection(database: string, name: string): Collection | undefined {
    checkCollectionName(database, name);
    return this.#databases.get(database)?.get(name);
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
    const collection = new Collection(database, name, this.#storage.createCollection());
    collection.setOptions(options);
    this.#add(collection);
    return collection;
  }

  drop(collection: Collection): void {
    this.#forget(collection);
    collection.drop();
  }

  /** Gives a collection another name, in another database perhaps. Throws 48 where there is one of that name. */
  rename(collection: Collection, database: string, name: string): void {
    if (this.collection(database, name) !== undefined) throw new ServerError(48, 'target namespace exists');
    checkNewName(database, name);
    this.#checkCase(database);
    this.#forget(collection);
    collection.rename(database, name);
    this.#add(collection);
  }

  /** The names of the databases that hold a collection, sorted. */
  databases(): string[] {
    return [...this.#databases.keys()].sort();
  }

  /** The collections of a database, in the order of their creation. */
  collections(database: string): Collection[] {
    return [...(this.#databases.get(database)?.values() ?? [])];
  }

  /** Where nothing was kept of what a command changed, all is as it was before the command. */
  #stored<T>(work: () => T): T {
    try {
      return this.#storage.transaction(work);
    } catch (error) {
      if (this.#storage.persistent) this.#load();
      throw error;
    }
  }

  #load(): void {
    for (const collections of this.#databases.values())
      for (const collection of collections.values()) collection.abandon();
    this.#databases.clear();
    this.#storage.transaction(() => {
      for (const store of this.#storage.collections()) this.#add(Collection.stored(store, this.#readIndex));
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

  /** Two databases whose names differ only by case could not live on every file system. */
  #checkCase(database: string): void {
    if (this.#databases.has(database)) return;
    const folded = database.toLowerCase();
    const other = this.databases().find((name) => name.toLowerCase() === folded);
    if (other === undefined) return;
    throw new ServerError(
      13297,
      `db already exists with different case already have: [${other}] trying to create [${database}]`,
    );
  }
}

function newUuid(): Binary {
  return new Binary(new UUID().buffer, Binary.SUBTYPE_UUID);
}

/** Where a collection is. */
export interface Namespace {
  readonly database: string;
  readonly name: string;
}

/** Takes `<database>.<collection>` apart. Throws 73 for what is none. */
export function splitNamespace(namespace: string): Namespace {
  const dot = namespace.indexOf('.');
  if (dot < 1 || dot === namespace.length - 1) throw new ServerError(73, `Invalid namespace specified '${namespace}'`);
  return { database: namespace.slice(0, dot), name: namespace.slice(dot + 1) };
}

/** Throws 73 where a database cannot be called that. Source: the MongoDB manual, "Naming Restrictions". */
export function checkDatabaseName(name: string): void {
  if (name === '' || Buffer.byteLength(name) > MAX_DATABASE_LENGTH || /[/\\. "$*<>:|?\0]/.test(name)) {
    throw new ServerError(73, `Invalid database name: '${name}'`);
  }
}

function checkNewName(database: string, name: string): void {
  if (name.startsWith('system.')) throw new ServerError(73, `Invalid system namespace: ${database}.${name}`);
}

function checkCollectionName(database: string, name: string): void {
  const namespace = `${database}.${name}`;
  if (name === '' || name.startsWith('.') || name.endsWith('.') || /[$\0]/.test(name)) {
    throw new ServerError(73, `Invalid namespace specified '${namespace}'`);
  }
  if (Buffer.byteLength(namespace) > MAX_NAMESPACE_LENGTH) {
    throw new ServerError(
      73,
      `Fully qualified namespace is too long. Namespace: ${namespace} Max: ${MAX_NAMESPACE_LENGTH}`,
    );
  }
}
