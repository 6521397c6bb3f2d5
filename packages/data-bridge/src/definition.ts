import type { Collection, IndexDescription } from 'mongodb';
import { isPlainObject } from './bson/copy.ts';
import type { Identities } from './bson/identity.ts';
import { type BsonOptions, Layout } from './bson/layout.ts';
import { readAs, typeName } from './bson/types.ts';
import { type Commands, commandsOf } from './commands.ts';
import { type Connection, defaultConnection, type FilterRules, hasConnection } from './connection.ts';
import { NotConnectedError, UsageError } from './errors.ts';
import { type Fields, SchemaField } from './schema.ts';
import { FieldNames, withoutName } from './stored.ts';

/** One index of a model, as the driver's `createIndexes` takes it. */
export type ModelIndex = IndexDescription;

/** What a rule across fields found wrong: where, and a sentence. */
export interface RuleIssue {
  /** The dotted path; the document as a whole when left out. */
  readonly path?: string;
  readonly message: string;
}

/** What happens when others write the same document meanwhile. */
export type Concurrency = 'merge' | 'fields' | 'version';

export const CONCURRENCIES: readonly Concurrency[] = ['merge', 'fields', 'version'];

/** How a model behaves. */
export interface ModelOptions {
  /**
   * What happens when others write the same document between its reading and its saving:
   *
   * - `merge`: changes to different fields, members and elements all survive; of the same one the last write wins.
   * - `fields`: the same, but of what a save changes nothing may have been changed by others: else it is a conflict.
   * - `version`: nothing at all may have been changed: a counter tells.
   *
   * @default 'version' for a model with a `version`, else 'merge'
   */
  readonly concurrency?: Concurrency;
  /**
   * The name of a counter that says how many times a document was written: 1 from its insert on, one more after each
   * save that writes and each update by a static method.
   * @default 'version' where `concurrency` is 'version', else there is none
   */
  readonly version?: string;
  /**
   * What becomes of keys in `new` and `create` that the schema does not name: an error, stored as they are, or left out.
   * @default 'error'
   */
  readonly unknown?: 'error' | 'keep' | 'drop';
  /**
   * Are values validated before they are stored?
   * @default true
   */
  readonly validate?: boolean;
  /**
   * Are the times of the insert and of the last update kept, in `createdAt` and `updatedAt` or under other names?
   * @default false
   */
  readonly timestamps?: boolean | { readonly createdAt?: string; readonly updatedAt?: string };
  /**
   * The fields that the collection is sharded by: their stored values are added to the filter of every save and delete.
   * @default []
   */
  readonly shardKey?: readonly string[];
  /** Indexes that `ensureIndexes()` creates. */
  readonly indexes?: readonly ModelIndex[];
  /** A rule across fields, asked when the fields themselves are valid. It gets a copy of the document's fields. */
  readonly check?: (document: never) => Iterable<RuleIssue> | Promise<Iterable<RuleIssue>>;
}

/** The values that an option takes, or a test of its value and what it expects. */
type Expected = readonly unknown[] | { readonly text: string; readonly test: (value: unknown) => boolean };

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** Times and versions are written by update operators, so their names must stand for themselves in a path. */
function isOwnName(name: unknown): boolean {
  return typeof name === 'string' && name !== '_id' && /^[^$.][^.]*$/.test(name);
}

function areTimes({ createdAt, updatedAt, ...others }: Record<string, unknown>): boolean {
  const names = [createdAt, updatedAt].filter((name) => name !== undefined);
  return names.every(isOwnName) && new Set(names).size === names.length && Object.keys(others).length === 0;
}

const EXPECTED: Readonly<Record<keyof ModelOptions, Expected>> = {
  concurrency: CONCURRENCIES,
  version: { text: 'the name of a field', test: isOwnName },
  unknown: ['error', 'keep', 'drop'],
  validate: [true, false],
  timestamps: {
    text: 'true, false, or { createdAt?: name, updatedAt?: name } with two names of fields',
    test: (value) => typeof value === 'boolean' || (isPlainObject(value) && areTimes(value)),
  },
  shardKey: { text: 'a list of field names', test: (value) => Array.isArray(value) && value.every(isText) },
  indexes: {
    text: 'a list of indexes { key: … }',
    test: (value) => Array.isArray(value) && value.every((index) => isPlainObject(index) && 'key' in index),
  },
  check: { text: 'a function', test: (value) => typeof value === 'function' },
};

/** Where a model's class keeps its definition: on the prototype, so that documents need no reference to it. */
export const definitionKey: unique symbol = Symbol('definition');

/** The names of the fields that hold times. */
interface Times {
  readonly createdAt?: string | undefined;
  readonly updatedAt?: string | undefined;
}

const UNCONNECTED: FilterRules = { sanitizeFilters: false, allowServerJavaScript: false };

/** All that a model's documents have in common: made once by `model()`. */
export class ModelDefinition {
  readonly collectionName: string;
  /** The fields of the schema by the names under which they are stored, as everything in here has them. */
  readonly fields: ReadonlyMap<string, SchemaField>;
  /** What documents have accessors for: `_id`, the schema's fields, the times and the version, by their stored names. */
  readonly names: ReadonlySet<string>;
  readonly unknown: 'error' | 'keep' | 'drop';
  readonly validate: boolean;
  /** The names under which times are kept; undefined when they are not. */
  readonly timestamps: Times | undefined;
  readonly concurrency: Concurrency;
  /** The name of the counter of writes; undefined when there is none. */
  readonly version: string | undefined;
  readonly shardKey: readonly string[];
  readonly indexes: readonly ModelIndex[];
  readonly check: ((document: unknown) => Iterable<RuleIssue> | Promise<Iterable<RuleIssue>>) | undefined;
  readonly #names: FieldNames;
  readonly #bound: Connection | undefined;
  #validatesLater: boolean | undefined;
  readonly #options: ModelOptions;
  readonly #schemas: Fields;
  #unconnected: Layout | undefined;
  readonly #layouts = new WeakMap<Connection, Layout>();
  readonly #collections = new WeakMap<Connection, Collection>();

  constructor(collectionName: string, fields: Fields, options: ModelOptions, bound?: Connection) {
    checkCollectionName(collectionName);
    if (!isPlainObject(fields)) {
      const text = `model() takes an object of fields and their schemas, got ${typeName(fields)}.`;
      throw new UsageError(text, { model: collectionName });
    }
    checkOptions(collectionName, options);
    this.collectionName = collectionName;
    const times = timestampsOf(options.timestamps);
    this.concurrency = options.concurrency ?? (options.version === undefined ? 'merge' : 'version');
    this.version = options.version ?? (this.concurrency === 'version' ? 'version' : undefined);
    const counter = this.version === undefined ? [] : [this.version];
    this.#names = new FieldNames(collectionName, fields, [...Object.values(times ?? {}), ...counter]);
    this.fields = fieldsByStoredName(fields, this.#names);
    this.unknown = options.unknown ?? 'error';
    this.validate = options.validate ?? true;
    this.timestamps = times && storedTimes(times, this.#names);
    this.shardKey = (options.shardKey ?? []).map((path) => this.storedPath(path));
    this.indexes = options.indexes ?? [];
    this.check = options.check as typeof this.check;
    const names = ['_id', ...this.fields.keys(), ...Object.values(this.timestamps ?? {})];
    if (this.version !== undefined) checkVersion(collectionName, this.version, names);
    this.names = new Set([...names, ...counter]);
    this.#options = options;
    this.#schemas = fields;
    this.#bound = bound;
  }

  /** The same model on another connection. */
  on(connection: Connection): ModelDefinition {
    return new ModelDefinition(this.collectionName, this.#schemas, this.#options, connection);
  }

  /**
   * A dotted path as it is stored: a field may have another name there, given by `stored()`. Below its first name a path
   * is the same on both sides, and so is one that begins with no field's name.
   */
  storedPath(path: string): string {
    if (typeof path !== 'string')
      throw new UsageError(`A path must be a string, got ${typeName(path)}.`, { model: this.collectionName });
    return this.#names.storedPath(path);
  }

  /** Has any field another name in the program than the stored one? */
  get renames(): boolean {
    return this.#names.renames;
  }

  /** What the program calls the field that is stored under this name. */
  shownName(stored: string): string {
    return this.#names.shownName(stored);
  }

  /** The dotted path, for people, of the value at those stored keys. */
  shownPath([name = '', ...inner]: readonly (string | number)[]): string {
    return [this.shownName(String(name)), ...inner].join('.');
  }

  /** Stored fields as the program calls them: the object itself where there is nothing to change. */
  shownFields<T extends object>(stored: T): T {
    return this.#names.shown(stored);
  }

  /** Is it a stored name that the program does not use, since it calls the field otherwise? */
  isHidden(name: string): boolean {
    return this.#names.isHidden(name);
  }

  /** Is it a field that is not for the program to take back: the `_id`, or one that the mapper writes itself? */
  isOwn(name: string): boolean {
    return name === '_id' || name === this.version || Object.values(this.timestamps ?? {}).includes(name);
  }

  /** Are there validators that wait? Those that are written so are known, others when they are seen to give a promise. */
  get validatesLater(): boolean {
    return (this.#validatesLater ??= [...this.fields.values()].some((field) => field.isAsync));
  }

  set validatesLater(seen: boolean) {
    this.#validatesLater = seen;
  }

  /** The connection that the model uses now. */
  connection(): Connection {
    const connection = this.#bound ?? defaultConnection();
    if (!connection.isOpen) {
      const text = 'There is no connection: the one that the model is bound to was closed.';
      throw new NotConnectedError(text, { model: this.collectionName });
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
  collection(): Commands {
    return commandsOf(this.driverCollection(), this.connection().client, this.collectionName);
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
    return new Layout(options, [...this.names], this.readers(), this.#identities);
  }

  /** What the schemas declare of the arrays in the documents. */
  get #identities(): Identities {
    return { key: undefined, at: (name) => this.fields.get(String(name))?.identities };
  }

  /** `long()` and `binary()` fix their field's JavaScript type, whatever the driver's options say. */
  readers(): Map<string, (value: unknown) => unknown> {
    const readers = new Map<string, (value: unknown) => unknown>();
    for (const { name, kind } of this.fields.values()) {
      if (kind === 'long' || kind === 'binary') readers.set(name, (value) => readAs(kind, value));
    }
    return readers;
  }
}

/** What the mapper counts, nobody else may write. */
function checkVersion(model: string, version: string, taken: readonly string[]): void {
  if (!taken.includes(version)) return;
  const text = `The model option "version" needs a name of its own: "${version}" is that of another field.`;
  throw new UsageError(text, { model });
}

/** The server's rules for names, and `system.`, which it keeps for itself. */
function checkCollectionName(name: string): void {
  const wrong = (problem: string): never => {
    throw new UsageError(`The name of a model's collection ${problem}.`);
  };
  if (typeof name !== 'string') wrong('must be a string');
  if (name === '') wrong('is empty');
  if (name.includes('$')) wrong('must not have a "$"');
  if (name.includes('\0')) wrong('must not have a zero byte');
  if (name.startsWith('system.')) wrong('must not start with "system.", which is reserved');
}

/** The server's limit for the name of a collection with its database's. */
const MAX_NAMESPACE = 255;

function checkNamespace(database: string, model: string): void {
  const size = Buffer.byteLength(`${database}.${model}`);
  if (size <= MAX_NAMESPACE) return;
  const text = `The names of the database and of the model's collection are too long: ${size} bytes together, of at most ${MAX_NAMESPACE}.`;
  throw new UsageError(text, { model });
}

function checkOptions(model: string, options: ModelOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const expected = Object.hasOwn(EXPECTED, name) ? EXPECTED[name as keyof ModelOptions] : undefined;
    if (expected === undefined) {
      const known = Object.keys(EXPECTED).join(', ');
      throw new UsageError(`The model option "${name}" is not known. Known: ${known}.`, { model });
    }
    if (value === undefined || isExpected(expected, value)) continue;
    const text = 'text' in expected ? expected.text : expected.map((choice) => JSON.stringify(choice)).join(' or ');
    throw new UsageError(`The model option "${name}" takes ${text}; this version has no other.`, { model });
  }
}

function isExpected(expected: Expected, value: unknown): boolean {
  return 'text' in expected ? expected.test(value) : expected.includes(value);
}

function fieldsByStoredName(fields: Fields, names: FieldNames): Map<string, SchemaField> {
  const made = Object.entries(fields).map(([name, schema]) => {
    const stored = names.storedPath(name);
    return [stored, new SchemaField(stored, withoutName(schema), name)] as const;
  });
  return new Map(made);
}

/** The names that the option gives, only those that are there. */
function timestampsOf(option: ModelOptions['timestamps']): Times | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === true) return { createdAt: 'createdAt', updatedAt: 'updatedAt' };
  return Object.fromEntries(Object.entries(option).filter(([, name]) => name !== undefined));
}

function storedTimes(times: Times, names: FieldNames): Times {
  return Object.fromEntries(Object.entries(times).map(([kind, name]) => [kind, names.storedPath(name)]));
}
