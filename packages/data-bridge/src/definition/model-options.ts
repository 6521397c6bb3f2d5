import type { BSON, CollationOptions, IndexDescription } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { UsageError } from '../errors.ts';
import { type AnyExtension, isExtension } from './extension.ts';

/** One index of a model, as the driver's `createIndexes` takes it. */
export type ModelIndex = IndexDescription;

/** What the server itself keeps of a collection beside its indexes. */
export interface CollectionOptions {
  /** What the server checks of documents: `true` for the model's schema as JSON Schema, `false` for nothing, or a filter. */
  readonly validator?: boolean | BSON.Document;
  /**
   * Whether documents that broke the rule before may go on breaking it (`moderate`), or whether nothing is checked (`off`).
   * @default 'strict', and 'moderate' where a collection that is there gets its first validator
   */
  readonly validationLevel?: 'off' | 'strict' | 'moderate';
  /**
   * Whether what breaks the rule is refused, or only logged by the server.
   * @default 'error'
   */
  readonly validationAction?: 'error' | 'warn';
  /**
   * Whether change streams can ask for documents as they were before and after a change.
   * @default false
   */
  readonly changeStreamPreAndPostImages?: boolean;
  /** How texts are compared where nothing else is said. It is set for good when the collection is created. */
  readonly collation?: CollationOptions;
}

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
   * - `fields`: the same, but it is a conflict where others changed what a save changes.
   * - `version`: it is a conflict where others changed anything at all; a counter shows it.
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
   * What happens to keys in `new` and `create` that the schema does not name: an error, stored as they are, or left out.
   * @default 'error'
   */
  readonly unknown?: 'error' | 'keep' | 'drop';
  /**
   * Whether values are validated before they are stored.
   * @default true
   */
  readonly validate?: boolean;
  /**
   * Whether the times of the insert and of the last update are kept, in `createdAt` and `updatedAt` or under other
   * names.
   * @default false
   */
  readonly timestamps?: boolean | { readonly createdAt?: string; readonly updatedAt?: string };
  /**
   * Whether each insert, update and delete of a document is kept in the collection `<collection>_history`. `redact` has
   * the dotted paths that never enter it.
   * @default false
   */
  readonly history?: boolean | { readonly redact?: readonly string[] };
  /**
   * The fields that the collection is sharded by: their stored values are added to the filter of every save and delete.
   * @default []
   */
  readonly shardKey?: readonly string[];
  /**
   * The documents of other models that refer to those of this one, by the name that documents have them under:
   * `{ books: backRef<Book>(() => Book, 'author') }`. They are no fields.
   * @default {}
   */
  readonly backRefs?: Readonly<Record<string, object>>;
  /**
   * The names of getters of the class that JSON shows beside the fields. Of a document that was loaded in part those are left out that
   * read what was not loaded.
   * @default []
   */
  readonly json?: readonly string[];
  /**
   * The paths that queries do not load unless their `select()` names them, or `whole()` asks for all.
   * @default []
   */
  readonly omit?: readonly string[];
  /**
   * What the server keeps of the collection: its validator and other options, which `ensureCollection()` and `apply()` set.
   * @default {}
   */
  readonly collection?: CollectionOptions;
  /** Indexes that `ensureIndexes()` and `apply()` create. */
  readonly indexes?: readonly ModelIndex[];
  /**
   * What the model has in common with others: soft deletion, tenants, who wrote it. Their fields are spread among the model's.
   * @default []
   */
  readonly extensions?: readonly AnyExtension[];
  /**
   * What documents of this very class are stored with, where others extend it.
   * @default they have none: what is stored without a type is of this class
   */
  readonly type?: string;
  /**
   * The stored name under which documents of a hierarchy tell their class: `'__t'` for data of Mongoose.
   * @default '_type'
   */
  readonly typeKey?: string;
  /**
   * What happens when a document is read whose type no class has that was imported: an error, or it is read as one of this class.
   * @default 'error'
   */
  readonly unknownType?: 'error' | 'parent';
  /** A rule across fields, asked when the fields themselves are valid. It gets a copy of the document's fields. */
  readonly check?: (document: never) => Iterable<RuleIssue> | Promise<Iterable<RuleIssue>>;
}

const COLLECTION_OPTIONS: Readonly<Record<keyof CollectionOptions, (value: unknown) => boolean>> = {
  validator: (value) => typeof value === 'boolean' || isPlainObject(value),
  validationLevel: (value) => value === 'off' || value === 'strict' || value === 'moderate',
  validationAction: (value) => value === 'error' || value === 'warn',
  changeStreamPreAndPostImages: (value) => typeof value === 'boolean',
  collation: (value) => isPlainObject(value) && isText(value['locale']),
};

function areCollectionOptions(options: Record<string, unknown>): boolean {
  return Object.entries(options).every(
    ([name, value]) =>
      value === undefined ||
      (Object.hasOwn(COLLECTION_OPTIONS, name) && COLLECTION_OPTIONS[name as keyof CollectionOptions](value)),
  );
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

function isRedaction({ redact, ...others }: Record<string, unknown>): boolean {
  return (redact === undefined || (Array.isArray(redact) && redact.every(isText))) && Object.keys(others).length === 0;
}

function isBackReference(value: unknown): boolean {
  return isPlainObject(value) && typeof value['source'] === 'function' && typeof value['field'] === 'string';
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
  history: {
    text: 'true, false, or { redact?: a list of paths }',
    test: (value) => typeof value === 'boolean' || (isPlainObject(value) && isRedaction(value)),
  },
  shardKey: { text: 'a list of field names', test: (value) => Array.isArray(value) && value.every(isText) },
  json: { text: 'a list of the names of getters', test: (value) => Array.isArray(value) && value.every(isText) },
  omit: { text: 'a list of paths', test: (value) => Array.isArray(value) && value.every(isText) },
  collection: {
    text: 'an object of validator, validationLevel, validationAction, changeStreamPreAndPostImages and collation',
    test: (value) => isPlainObject(value) && areCollectionOptions(value),
  },
  indexes: {
    text: 'a list of indexes { key: … }',
    test: (value) => Array.isArray(value) && value.every((index) => isPlainObject(index) && 'key' in index),
  },
  backRefs: {
    text: 'an object of what backRef() gives',
    test: (value) => isPlainObject(value) && Object.values(value).every(isBackReference),
  },
  extensions: {
    text: 'a list of what extension() gave',
    test: (value) => Array.isArray(value) && value.every(isExtension),
  },
  type: { text: 'a text that is not empty', test: isText },
  typeKey: { text: 'the name of a field', test: isOwnName },
  unknownType: ['error', 'parent'],
  check: { text: 'a function', test: (value) => typeof value === 'function' },
};

/** @throws UsageError for an option that is not known, or that has another value than it takes. */
export function checkOptions(model: string, options: ModelOptions): void {
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
