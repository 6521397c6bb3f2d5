import type { BSON, Collection } from 'mongodb';
import { type BsonOptions, Layout } from './bson/layout.ts';
import { readAs } from './bson/types.ts';
import { type Connection, defaultConnection, hasConnection } from './connection.ts';
import { UsageError } from './errors.ts';
import { type Fields, SchemaField } from './schema.ts';

/** How a model behaves. */
export interface ModelOptions {
  /**
   * What happens when others write the same document: with `merge`, changes to different fields, members and elements
   * all survive; of the same one the last write wins.
   * @default 'merge'
   */
  readonly concurrency?: 'merge';
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
}

const CHOICES: Readonly<Record<keyof ModelOptions, readonly unknown[]>> = {
  concurrency: ['merge'],
  unknown: ['error', 'keep', 'drop'],
  validate: [true, false],
};

/** All that a model's documents have in common: made once by `model()`. */
export class ModelDefinition {
  readonly collectionName: string;
  readonly fields: ReadonlyMap<string, SchemaField>;
  readonly unknown: 'error' | 'keep' | 'drop';
  readonly validate: boolean;
  /** Was a validator seen to give a promise? */
  validatesLater = false;
  #unconnected: Layout | undefined;
  readonly #layouts = new WeakMap<Connection, Layout>();

  constructor(collectionName: string, fields: Fields, options: ModelOptions) {
    checkCollectionName(collectionName);
    checkOptions(collectionName, options);
    this.collectionName = collectionName;
    this.fields = new Map(Object.entries(fields).map(([name, schema]) => [name, new SchemaField(name, schema)]));
    this.unknown = options.unknown ?? 'error';
    this.validate = options.validate ?? true;
  }

  /** The connection that the model uses now. */
  connection(): Connection {
    return defaultConnection();
  }

  /** The driver's collection. */
  collection(): Collection<BSON.Document> {
    return this.connection().db.collection(this.collectionName);
  }

  /** What was learned of the documents' shape, under the BSON options of the connection's client. */
  layout(): Layout {
    // Documents can be made of bytes without a connection; the driver's defaults hold then.
    if (!hasConnection()) return (this.#unconnected ??= this.#newLayout({}));
    const connection = this.connection();
    let layout = this.#layouts.get(connection);
    if (layout === undefined) {
      layout = this.#newLayout(connection.client.bsonOptions);
      this.#layouts.set(connection, layout);
    }
    return layout;
  }

  #newLayout(options: BsonOptions): Layout {
    return new Layout(options, ['_id', ...this.fields.keys()], this.#readers());
  }

  /** `long()` and `binary()` fix their field's JavaScript type, whatever the driver's options say. */
  #readers(): Map<string, (value: unknown) => unknown> {
    const readers = new Map<string, (value: unknown) => unknown>();
    for (const { name, kind } of this.fields.values()) {
      if (kind === 'long' || kind === 'binary') readers.set(name, (value) => readAs(kind, value));
    }
    return readers;
  }
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

function checkOptions(model: string, options: ModelOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const choices = Object.hasOwn(CHOICES, name) ? CHOICES[name as keyof ModelOptions] : undefined;
    if (choices === undefined) {
      throw new UsageError(`The model option "${name}" is not known. Known: ${Object.keys(CHOICES).join(', ')}.`, {
        model,
      });
    }
    if (value !== undefined && !choices.includes(value)) {
      const expected = choices.map((choice) => JSON.stringify(choice)).join(' or ');
      throw new UsageError(`The model option "${name}" takes ${expected}; this version has no other.`, { model });
    }
  }
}
