import { Binary, UUID } from 'bson';
import type { ChangePlace, DocumentChange } from './change.ts';
import { ServerError, UnfinishedError } from '../errors.ts';
import { decode } from '../values/bson.ts';
import { type Collation, collationIn } from '../values/collation.ts';
import { validator } from '../engine/match/validate.ts';
import { type Document, isDocument } from '../values/value.ts';
import { readDescription, writeDescription } from '../storage/description.ts';
import { IdIndex } from '../storage/id-index.ts';
import { type IndexDefinition, type KeyChange, refusesDuplicates, SecondaryIndex } from '../storage/secondary-index.ts';
import type { Overlay } from '../storage/overlay.ts';
import type { CollectionStore, RecordId, RecordStore, StoredRecord } from '../storage/storage.ts';
import { WriteConflict } from '../storage/write-conflict.ts';

/** Reads the description of an index. */
export type IndexReader = (specification: Document) => IndexDefinition;

/** Is told of each change of documents. */
export type ChangeListener = (change: DocumentChange) => void;

/** Goes on seeing a collection as it was. */
export interface Witness {
  /**
   * Is told of a change before it is made: what was and what will be stored of a record (undefined for nothing), and
   * what becomes of its keys in the indexes, by their ids.
   */
  keep(
    collection: Collection,
    record: { readonly id: RecordId; readonly key: string },
    before: StoredRecord | undefined,
    after: Uint8Array | undefined,
    changes: ReadonlyMap<number, KeyChange>,
  ): void;
  /** True where the collection itself, its name, its options and its indexes, has to stay as it is. */
  needs(collection: Collection): boolean;
  /** Resolves when it needs nothing any more. */
  readonly ended: Promise<void>;
  /** Is told that the collection itself is changed. */
  lose(collection: Collection): void;
}

/** What a new collection may have. */
interface CollectionParts {
  /** @default a new one */
  readonly uuid?: Binary;
  readonly changed?: ChangeListener | undefined;
  readonly witnesses?: ReadonlySet<Witness>;
}

const NOBODY: ReadonlySet<Witness> = new Set();

/** How one document takes the place of another. */
interface ReplaceOptions {
  readonly checked?: boolean;
  readonly kind?: 'update' | 'replace';
  readonly written?: readonly string[] | undefined;
}

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
  readonly #changed: ChangeListener | undefined;
  readonly #witnesses: ReadonlySet<Witness>;
  /** True where change streams may ask for the documents before and after a change. */
  #keepsImages = false;
  #dropped = false;

  /** A collection without options and indexes. Its store learns of it with the first `setOptions`. */
  constructor(database: string, name: string, store: CollectionStore, parts: CollectionParts = {}) {
    this.#database = database;
    this.#name = name;
    this.uuid = parts.uuid ?? newUuid();
    this.#changed = parts.changed;
    this.#witnesses = parts.witnesses ?? NOBODY;
    this.records = store.records;
    this.#store = store;
    this.#ids = new IdIndex(this.namespace, this.records, undefined);
  }

  /** The collection that a store has kept. */
  static stored(store: CollectionStore, readIndex: IndexReader, parts: Omit<CollectionParts, 'uuid'> = {}): Collection {
    const { database, name, uuid, options, indexes } = readDescription(store.description);
    const collection = new Collection(database, name, store, { ...parts, uuid });
    collection.#useOptions(options);
    for (const { id, specification } of indexes) {
      collection.#useIndex(new SecondaryIndex(collection.namespace, readIndex(specification), store.index(id)));
    }
    return collection;
  }

  /** The same collection with what a transaction has laid over it. */
  over(overlay: Overlay, changed: ChangeListener): Collection {
    const view = new Collection(this.#database, this.#name, overlay, { uuid: this.uuid, changed });
    view.#options = this.#options;
    view.#validate = this.#validate;
    view.#keepsImages = this.#keepsImages;
    view.#ids = new IdIndex(this.namespace, overlay.records, this.collation);
    for (const index of this.indexes) {
      view.#useIndex(index.over((store) => overlay.cover(store, refusesDuplicates(index.definition))));
    }
    return view;
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

  /** Where changes of its documents take place. */
  get place(): ChangePlace {
    return { database: this.#database, name: this.#name, uuid: this.uuid };
  }

  /** Gives it another name. The catalogue has to know. */
  rename(database: string, name: string): void {
    this.#alter();
    this.#database = database;
    this.#name = name;
    this.#useOptions(this.#options);
    for (const index of this.indexes) index.namespace = this.namespace;
    this.#describe();
    for (const witness of this.#witnesses) witness.lose(this);
  }

  /** True where the collection is gone: a cursor that still reads it has to end. */
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
    this.checkUnneeded();
    this.#useOptions(options);
    this.#alter();
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
    this.checkUnneeded();
    const id = 1 + Math.max(0, ...Array.from(this.indexes, (index) => index.id));
    const index = new SecondaryIndex(this.namespace, definition, this.#store.index(id));
    try {
      for (const record of this.records.records()) {
        index.apply(record.id, index.planBuild(decode(record.bytes), record.id));
      }
    } catch (error) {
      this.#store.dropIndex(id);
      throw error;
    }
    this.#alter();
    this.#useIndex(index);
    this.#describe();
  }

  /** Gives an index other options, of those that need no other keys. Duplicates were looked for before. */
  changeIndex(index: SecondaryIndex, definition: IndexDefinition): void {
    this.#alter();
    index.redefine(definition);
    this.#describe();
  }

  removeIndex(name: string): void {
    const index = this.#indexes.get(name);
    if (index === undefined) return;
    this.#alter();
    this.#indexes.delete(name);
    this.#store.dropIndex(index.id);
    this.#describe();
  }

  /** Removes the collection from its store. */
  drop(): void {
    this.#alter();
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
    try {
      const record = this.records.insert(key, bytes);
      if (this.#witnesses.size > 0) this.#tell({ id: record.id, key }, undefined, bytes, changes);
      this.#apply(record.id, changes);
      this.#changed?.({
        kind: 'insert',
        database: this.#database,
        name: this.#name,
        uuid: this.uuid,
        after: record.bytes,
      });
    } catch (error) {
      throw unfinished(error);
    }
  }

  /**
   * Stores `after` in the place of `before`, of the same `_id`. Throws like `insert`, and then changes nothing.
   * `checked` says whether it must keep the collection's rule, `kind` what change streams call it; `written`, where
   * operators made the change, which paths they wrote to.
   */
  replace(
    record: StoredRecord,
    before: Document,
    after: Document,
    bytes: Uint8Array,
    { checked = true, kind = 'update', written }: ReplaceOptions = {},
  ): void {
    if (checked) this.#check(after, before);
    this.records.claimRecord?.(record.id);
    const changes = this.#plan(before, after, record);
    try {
      const stored = this.records.replace(record.id, bytes);
      if (this.#witnesses.size > 0) {
        this.#tell({ id: record.id, key: this.ids.keyOf(before.get('_id') ?? null) }, record, bytes, changes);
      }
      this.#apply(record.id, changes);
      const images = { before: record.bytes, after: stored.bytes, keepsImages: this.#keepsImages };
      this.#changed?.({ ...this.place, ...images, kind, written });
    } catch (error) {
      throw unfinished(error);
    }
  }

  remove(record: StoredRecord): void {
    this.records.claimRecord?.(record.id);
    const isWitnessed = this.#witnesses.size > 0;
    const document = isWitnessed || this.#indexes.size > 0 ? decode(record.bytes) : undefined;
    const changes = document === undefined ? [] : this.#plan(document, undefined, record);
    try {
      this.records.remove(record.id);
      if (isWitnessed) {
        this.#tell({ id: record.id, key: this.ids.keyOf(document?.get('_id') ?? null) }, record, undefined, changes);
      }
      this.#apply(record.id, changes);
      this.#changed?.({ ...this.place, kind: 'delete', before: record.bytes, keepsImages: this.#keepsImages });
    } catch (error) {
      throw unfinished(error);
    }
  }

  /** Does a change that has been checked where it was first made: in a transaction. */
  redo(change: DocumentChange): void {
    if (change.kind === 'insert') return this.insert(decode(change.after), change.after, false);
    const before = decode(change.before);
    const record = this.ids.find(before.get('_id') ?? null);
    if (record === undefined) throw new Error(`A transaction changes a document of ${this.namespace} that is gone.`);
    if (change.kind === 'delete') return this.remove(record);
    const written = change.kind === 'update' ? change.written : undefined;
    this.replace(record, before, decode(change.after), change.after, { checked: false, kind: change.kind, written });
  }

  #useOptions(options: Document): void {
    const rule = options.get('validator');
    const validate = isDocument(rule) && rule.size > 0 ? validator(rule) : undefined;
    this.#ids = new IdIndex(this.namespace, this.records, collationIn(options));
    this.#validate = validate;
    const images = options.get('changeStreamPreAndPostImages');
    this.#keepsImages = isDocument(images) && images.get('enabled') === true;
    this.#options = options;
  }

  /** Throws where somebody needs the collection as it is. */
  checkUnneeded(): void {
    for (const witness of this.#witnesses) if (witness.needs(this)) throw new WriteConflict(witness);
  }

  /** Like `checkUnneeded`, and tells of the change that follows. */
  #alter(): void {
    this.checkUnneeded();
    for (const witness of this.#witnesses) witness.lose(this);
  }

  #tell(
    record: { readonly id: RecordId; readonly key: string },
    before: StoredRecord | undefined,
    after: Uint8Array | undefined,
    changes: KeyChanges,
  ): void {
    const byIndex = new Map<number, KeyChange>();
    for (const [position, index] of [...this.#indexes.values()].entries()) {
      const change = changes[position];
      if (change !== undefined) byIndex.set(index.id, change);
    }
    for (const witness of this.#witnesses) witness.keep(this, record, before, after, byIndex);
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

/** An error in the middle of a change. What waits for a transaction has changed nothing but a view, which is dropped. */
function unfinished(error: unknown): unknown {
  return error instanceof WriteConflict ? error : new UnfinishedError(error);
}

function newUuid(): Binary {
  return new Binary(new UUID().buffer, Binary.SUBTYPE_UUID);
}
