import type { Collection } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import type { Identities } from '../bson/identity.ts';
import { type BsonOptions, Layout } from '../bson/layout.ts';
import type { Reader } from '../bson/level.ts';
import { typeName } from '../schema/bson-types.ts';
import { sessionCollection } from '../connection/collection.ts';
import type { SessionCollection } from '../connection/session-collection.ts';
import { type Connection, defaultConnection, type FilterRules, hasConnection } from '../connection/connection.ts';
import { NotConnectedError, UsageError } from '../errors.ts';
import { checkCollectionName, checkNamespace } from './collection-name.ts';
import { checkExtend, checkTypeKey } from './extend-options.ts';
import { checkExtensions, type Extension } from './extension.ts';
import { Kin } from './kin.ts';
import { type Redaction, redactionOf } from './redaction.ts';
import {
  type BackReferenceField,
  checkReferencesKnown,
  type ReferenceFields,
  referenceFields,
} from './reference-fields.ts';
import { checkShown } from './shown-fields.ts';
import { storedTimes, type Times, timestampsOf } from './times.ts';
import { checkIndexedNames } from './indexed-names.ts';
import { checkOptions, type Concurrency, type ModelIndex, type ModelOptions, type RuleIssue } from './model-options.ts';
import { checkStorable, checkVersion, fieldsByStoredName } from './model-fields.ts';
import { readersOf, shownDefaults } from './field-readers.ts';
import { REVISION, REVISION_ID, withoutRevision } from './revision.ts';
import type { Fields, SchemaField } from '../schema/schema-field.ts';
import { FieldNames } from '../schema/stored-name.ts';

/** Where a model's class keeps its definition: on the prototype, so that documents need no reference to it. */
export const definitionKey: unique symbol = Symbol('definition');

/** A model's class, as those see it that only choose one. */
export interface ModelClass {
  readonly name: string;
  readonly prototype: { readonly [definitionKey]: ModelDefinition };
  using(connection: object): ModelClass;
}

/** What a model's documents are taken from: a connection of their own, a part of the collection. */
interface Binding {
  readonly connection?: Connection | undefined;
  /** Its place in its hierarchy, which it makes itself where it is the root. */
  readonly kin?: (definition: ModelDefinition) => Kin<ModelDefinition, ModelClass>;
}

const UNCONNECTED: FilterRules = { sanitizeFilters: false, allowServerJavaScript: false };

/** All that a model's documents have in common: made once by `model()`. */
export class ModelDefinition {
  readonly collectionName: string;
  /** What errors say of the model; of one of its documents, `contextOf()`. */
  readonly context: { readonly model: string };
  /** The fields of the schema by the names under which they are stored, as everything in here has them. */
  readonly fields: ReadonlyMap<string, SchemaField>;
  /** The same as a list: going through it makes no pairs, which new documents would pay for. */
  readonly fieldList: readonly SchemaField[];
  /** What documents have accessors for: `_id`, the schema's fields, the times and the version, by their stored names. */
  readonly names: ReadonlySet<string>;
  readonly unknown: 'error' | 'keep' | 'drop';
  readonly validate: boolean;
  /** The names under which times are kept; undefined when they are not. */
  readonly timestamps: Times | undefined;
  readonly concurrency: Concurrency;
  /** The name of the counter of writes; undefined when there is none. */
  readonly version: string | undefined;
  /** What the history leaves out; undefined where none is kept. */
  readonly redaction: Redaction | undefined;
  readonly shardKey: readonly string[];
  readonly indexes: readonly ModelIndex[];
  readonly collectionOptions: NonNullable<ModelOptions['collection']>;
  readonly check: ((document: unknown) => Iterable<RuleIssue> | Promise<Iterable<RuleIssue>>) | undefined;
  /** The fields with references, or with some inside, by their stored names; null where there are none. */
  readonly references: ReferenceFields | null;
  /** By name the models whose documents refer to those of this one, and their fields that do. */
  readonly backRefs: ReadonlyMap<string, BackReferenceField>;
  readonly extensions: readonly Extension[];
  /** The stored names of the fields that extensions write instead of a deletion: what a document of the model is found by, besides. */
  readonly removalFields: readonly string[];
  /** The model's place in its hierarchy. */
  readonly kin: Kin<ModelDefinition, ModelClass>;
  /** `programName` for those that name every field: made once, where a save would make several. */
  readonly namer = (stored: string): string => this.#names.programName(stored);
  /** True for a field whose validation may run code of the program's, which may change the value in place. */
  readonly runsCode = (stored: string): boolean =>
    this.check !== undefined || this.fields.get(stored)?.onlyLooks === false;
  /** The stored names of the fields that are written once. */
  readonly writeOnce: readonly string[];
  /** The fields that are read by their names alone. */
  readonly hiddenFields: readonly SchemaField[];
  readonly json: readonly string[];
  /** The stored paths that queries leave out where nobody asks for them. */
  readonly omitted: readonly string[];
  /** What a save may not change. */
  readonly guarded: readonly string[];
  readonly #names: FieldNames;
  readonly #bound: Connection | undefined;
  #timesChecked = 0;
  #validatesLater: boolean | undefined;
  readonly #options: ModelOptions;
  readonly #schemas: Fields;
  #unconnected: Layout | undefined;
  readonly #layouts = new WeakMap<Connection, Layout>();
  readonly #collections = new WeakMap<Connection, Collection>();

  constructor(
    collectionName: string,
    fields: Fields,
    options: ModelOptions,
    { connection, kin = (definition) => Kin.root(definition, options) }: Binding = {},
  ) {
    checkCollectionName(collectionName);
    if (!isPlainObject(fields)) {
      const text = `model() takes an object of fields and their schemas, got ${typeName(fields)}.`;
      throw new UsageError(text, { model: collectionName });
    }
    checkOptions(collectionName, options);
    this.collectionName = collectionName;
    this.context = { model: collectionName };
    const times = timestampsOf(options.timestamps);
    this.concurrency = options.concurrency ?? (options.version === undefined ? 'merge' : 'version');
    this.version = options.version ?? (this.concurrency === 'version' ? 'version' : undefined);
    const counter = this.version === undefined ? [] : [this.version];
    this.kin = kin(this);
    const typed = this.kin.type === null ? [] : [this.kin.key];
    this.#names = new FieldNames(collectionName, fields, [...Object.values(times ?? {}), ...counter, ...typed]);
    this.fields = fieldsByStoredName(fields, this.#names, this.kin);
    this.fieldList = [...this.fields.values()];
    this.unknown = options.unknown ?? 'error';
    this.validate = options.validate ?? true;
    this.timestamps = times && storedTimes(times, this.#names);
    this.shardKey = (options.shardKey ?? []).map((path) => this.storedPath(path));
    this.indexes = options.indexes ?? [];
    this.collectionOptions = options.collection ?? {};
    this.check = options.check as typeof this.check;
    this.extensions = (options.extensions ?? []) as readonly Extension[];
    checkExtensions(collectionName, fields, this.extensions);
    this.removalFields = this.extensions
      .filter(({ remove, scope }) => remove !== undefined && scope !== undefined)
      .flatMap((each) => Object.keys(each.fields).map((name) => this.storedPath(name)));
    const names = ['_id', ...this.fields.keys(), ...Object.values(this.timestamps ?? {})];
    if (this.version !== undefined) checkVersion(collectionName, this.version, [...names, ...Object.keys(fields)]);
    this.names = new Set([...names, ...counter]);
    const others = ['_id', ...Object.values(this.timestamps ?? {}), ...counter];
    if (typed.length > 0) checkTypeKey(collectionName, this.kin, [...Object.keys(fields), ...others]);
    this.backRefs = new Map(Object.entries((options.backRefs ?? {}) as Record<string, BackReferenceField>));
    this.hiddenFields = this.fieldList.filter(({ isHidden }) => isHidden);
    this.json = options.json ?? [];
    this.omitted = (options.omit ?? []).map((path) => this.storedPath(path));
    checkShown(collectionName, options, (path) => this.#isField(this.storedPath(path)));
    const redaction = redactionOf(this, options.history, (path) => this.#isField(path));
    // A hierarchy has one history, which never holds what any of its classes hides.
    const { definition: root } = this.kin.root;
    this.redaction = root === this ? redaction : root.redaction;
    this.redaction?.include(this.hiddenFields.map(({ name }) => name));
    this.writeOnce = this.fieldList.filter(({ isWriteOnce }) => isWriteOnce).map(({ name }) => name);
    this.guarded = ['_id', ...counter, REVISION, REVISION_ID, ...this.writeOnce, this.kin.key];
    this.#options = options;
    this.#schemas = fields;
    this.#bound = connection;
    this.checkTypes();
    this.references = referenceFields(this.fieldList, collectionName);
  }

  /** The same model on another connection. */
  on(connection: Connection): ModelDefinition {
    const kin = (): typeof this.kin => this.kin;
    return new ModelDefinition(this.collectionName, this.#schemas, this.#options, { connection, kin });
  }

  /**
   * A model of the same collection that has more fields.
   *
   * @throws UsageError for options that cannot be, SchemaError for a field that cannot be.
   */
  extended(fields: Fields, given: unknown): ModelDefinition {
    checkExtend(this, fields, given);
    const { type, class: claim, indexes = [], json = [] } = given;
    checkTypeKey(this.collectionName, this.kin, this.kin.type === null ? this.names : []);
    const options = { ...this.#options, type, indexes, json: [...this.json, ...json] };
    const child = new ModelDefinition(this.collectionName, { ...this.#schemas, ...fields }, options, {
      kin: (definition) => this.kin.child(definition, type, claim as () => ModelClass),
    });
    child.kin.join();
    return child;
  }

  /** What holds for all documents of the model beside others in its collection, as a filter; null where nothing does. */
  get conditions(): Readonly<Record<string, unknown>> | null {
    return this.kin.conditions;
  }

  /** The stored name under which the documents tell their class; null where there are no others. */
  get typeKey(): string | null {
    return this.kin.isAlone ? null : this.kin.key;
  }

  /** What errors say of the document with this `_id`. */
  contextOf(id: unknown): { readonly model: string; readonly id: unknown } {
    return { model: this.collectionName, id };
  }

  /**
   * A dotted path as it is stored: a field may have another name there, given by `stored()`. Below its first name a path
   * is the same on both sides, and so is one that begins with no field's name.
   */
  storedPath(path: string): string {
    if (typeof path !== 'string') throw new UsageError(`A path must be a string, got ${typeName(path)}.`, this.context);
    return this.#names.storedPath(path);
  }

  /** Names as they are stored: the list itself where all are the same. */
  storedNames(names: readonly string[]): readonly string[] {
    return this.#names.renames ? names.map((name) => this.#names.storedPath(name)) : names;
  }

  /** True where any field has another name in the program than the stored one. */
  get renames(): boolean {
    return this.#names.renames;
  }

  /** What the program calls the field that is stored under this name. */
  programName(stored: string): string {
    return this.#names.programName(stored);
  }

  /** The dotted path, for people, of the value at those stored keys. */
  programPath([name = '', ...inner]: readonly (string | number)[]): string {
    return [this.programName(String(name)), ...inner].join('.');
  }

  /** Stored fields as the program calls them, without the mapper's own: the object itself where there is nothing to change. */
  programFields<T extends object>(stored: T): T {
    return this.#names.programFields(this.redaction === undefined ? stored : withoutRevision(stored));
  }

  /** True for a stored name that the program does not use, since it calls the field otherwise. */
  isHidden(name: string): boolean {
    return this.#names.isHidden(name);
  }

  /** True for a field that is not for the program to take back: the `_id`, or one that the mapper writes itself. */
  isOwn(name: string): boolean {
    return (
      name === '_id' ||
      name === this.version ||
      name === this.typeKey ||
      this.isRevision(name) ||
      Object.values(this.timestamps ?? {}).includes(name)
    );
  }

  /** True for a time that the mapper keeps, and that is no field of the schema. */
  isTime(name: string): boolean {
    const { timestamps } = this;
    if (timestamps === undefined) return false;
    return (name === timestamps.createdAt || name === timestamps.updatedAt) && !this.fields.has(name);
  }

  /** True where what is stored under this name numbers the writes of a document whose history is kept. */
  isRevision(name: string): boolean {
    return this.redaction !== undefined && (name === REVISION || name === REVISION_ID);
  }

  /** What a document needs to be found again and saved, whatever else was asked for. */
  get alwaysLoaded(): readonly string[] {
    const own = [this.version, this.typeKey].filter((name) => typeof name === 'string');
    const always = [...this.shardKey, ...own, ...this.removalFields];
    if (this.redaction === undefined) return always;
    const { updatedAt } = this.timestamps ?? {};
    return [...always, REVISION, REVISION_ID, ...(updatedAt === undefined ? [] : [updatedAt])];
  }

  /**
   * True where there are validators that wait. Those that are written so are known, others when they are seen to give a
   * promise.
   */
  get validatesLater(): boolean {
    return (this.#validatesLater ??= [...this.fields.values()].some((field) => field.isAsync));
  }

  set validatesLater(seen: boolean) {
    this.#validatesLater = seen;
  }

  /** The connection that the model was bound to by `using()`. */
  get bound(): Connection | undefined {
    return this.#bound;
  }

  /** The connection that the model uses now. */
  connection(): Connection {
    const connection = this.#bound ?? defaultConnection();
    if (!connection.isOpen) {
      const text = 'There is no connection: the one that the model is bound to was closed.';
      throw new NotConnectedError(text, this.context);
    }
    return connection;
  }

  /**
   * What filters may hold. A filter is checked when it is given: one that is made before anything is connected is the
   * program's own, so its operators are taken.
   */
  get rules(): FilterRules {
    return (this.#bound ?? (hasConnection() ? defaultConnection() : undefined))?.rules ?? UNCONNECTED;
  }

  /** The collection for all that the mapper itself sends: in the transaction around the call, if there is one. */
  collection(): SessionCollection {
    return sessionCollection(this.driverCollection(), this.connection().client, this.collectionName);
  }

  /** The driver's collection: made once for each connection, since the driver works out all its options anew each time. */
  driverCollection(): Collection {
    const connection = this.connection();
    let collection = this.#collections.get(connection);
    if (collection === undefined) {
      checkNamespace(connection.db.databaseName, this.collectionName);
      collection = connection.db.collection(this.collectionName);
      this.#collections.set(connection, collection);
    }
    return collection;
  }

  /** The collection of the model's history. */
  historyCollection(): SessionCollection {
    const { client, db } = this.connection();
    const name = `${this.collectionName}_history`;
    checkNamespace(db.databaseName, name);
    return sessionCollection(db.collection(name), client, this.collectionName);
  }

  #isField(path: string): boolean {
    return path !== '_id' && !path.startsWith('_id.') && this.#begins(path);
  }

  #begins(path: string): boolean {
    const [name = ''] = path.split('.', 1);
    return this.names.has(name);
  }

  /** What was learned of the documents' shape, under the BSON options of the connection's client. */
  layout(): Layout {
    // Documents can be made of bytes without a connection; the driver's defaults hold then.
    if (this.#bound === undefined && !hasConnection()) return (this.#unconnected ??= this.#newLayout({}));
    const connection = this.connection();
    let layout = this.#layouts.get(connection);
    if (layout === undefined) {
      layout = this.#newLayout(connection.client.bsonOptions);
      this.#layouts.set(connection, layout);
    }
    return layout;
  }

  #newLayout(options: BsonOptions): Layout {
    this.checkTypes();
    checkReferencesKnown(this.fieldList, this.references, this.collectionName);
    return new Layout(options, [...this.names], this.readers(), this.#identities, shownDefaults(this.fields.values()));
  }

  /** What the schemas declare of the arrays in the documents. */
  get #identities(): Identities {
    return { key: undefined, at: (name) => this.fields.get(String(name))?.identities };
  }

  /** Schemas fix JavaScript types inside of their fields, whatever the driver's options say. */
  readers(): Map<string, Reader> {
    return readersOf(this.fields.values());
  }

  /**
   * Looked for when the model is made and, since schemas may be made later, once more when it is used.
   *
   * @throws SchemaError for a type that BSON does not have, and for an index over what the schemas do not name.
   */
  checkTypes(): void {
    if (this.#timesChecked > 1) return;
    checkStorable(this);
    if (this.unknown !== 'keep') checkIndexedNames(this);
    this.#timesChecked++;
  }
}
