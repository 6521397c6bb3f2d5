import type { BSON, CreateCollectionOptions, CreateIndexesOptions, Db } from 'mongodb';
import { refuseInTransaction } from '../connection/transaction-attempt.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { serverCode } from '../connection/driver-error.ts';
import { UsageError } from '../errors.ts';
import { indexConflict } from './index-conflict.ts';
import { storedIndexes } from './model-indexes.ts';
import { modelSchema } from './model-schema.ts';
import { translate } from '../connection/write-outcome.ts';

const NAMESPACE_EXISTS = 48;

/** The options that the driver passes on when it creates several indexes: it leaves all others out. */
const PASSED_ON = ['session', 'commitQuorum', 'readPreference'] as const;

/** What `ensureIndexes` takes. Options of one index stand beside its key, in the model's `indexes`. */
export type EnsureIndexesOptions = Pick<CreateIndexesOptions, (typeof PASSED_ON)[number]>;

/** Options of `ensureCollection`: the driver's, and the validator of the schema. */
export interface EnsureCollectionOptions extends Omit<CreateCollectionOptions, 'validator'> {
  /**
   * What the server itself checks: `true` for the model's schema as JSON Schema, which an existing collection is given
   * too, or a filter of your own for a new one.
   * @default what the model's option `collection` says
   */
  readonly validator?: true | BSON.Document;
}

/** Creates the collection of a model. False when it was there already. */
export async function ensureCollection(
  definition: ModelDefinition,
  given: EnsureCollectionOptions = {},
): Promise<boolean> {
  refuseInTransaction('ensureCollection()', 'call it before', definition.collectionName);
  const { db } = definition.connection();
  const name = definition.collectionName;
  const { validator, ...options } = { ...declaredOptions(definition), ...given };
  const checked = validator === true ? { $jsonSchema: modelSchema(definition.kin.root.definition) } : validator;
  const create = (checked === undefined ? options : { ...options, validator: checked }) as CreateCollectionOptions;
  try {
    // A server may take the creation of what is there, with the same options, for done.
    const exists = await db.listCollections({ name }, { nameOnly: true }).hasNext();
    const created = !exists && (await tryCreate(db, name, create));
    if (!created && validator === true) await db.command({ collMod: name, validator: checked });
    return created;
  } catch (error) {
    throw translate(error, definition.context);
  }
}

/** The options that the model itself has for its collection. */
function declaredOptions({ collectionOptions }: ModelDefinition): EnsureCollectionOptions {
  const { validator, changeStreamPreAndPostImages: images, ...options } = collectionOptions;
  return {
    ...options,
    ...(validator !== undefined && validator !== false && { validator }),
    ...(images !== undefined && { changeStreamPreAndPostImages: { enabled: images } }),
  };
}

/** False when another program was faster. */
async function tryCreate(db: Db, name: string, options: CreateCollectionOptions): Promise<boolean> {
  try {
    await db.createCollection(name, options);
    return true;
  } catch (error) {
    if (serverCode(error) === NAMESPACE_EXISTS) return false;
    throw error;
  }
}

/** Creates the indexes of a model that are not there, and gives the names of all of them. */
export async function ensureIndexes(
  definition: ModelDefinition,
  options: EnsureIndexesOptions = {},
): Promise<string[]> {
  const dropped = Object.keys(options).find((name) => !(PASSED_ON as readonly string[]).includes(name));
  if (dropped !== undefined) {
    const text = `ensureIndexes() takes the options ${PASSED_ON.join(', ')}, not "${dropped}".`;
    throw new UsageError(text, definition.context);
  }
  const indexes = storedIndexes(definition);
  if (indexes.length === 0) return [];
  try {
    // By default the driver leaves out what it takes for no option of an index, a misspelt `unique` say: the server refuses it.
    return await definition.collection().createIndexes(indexes, options, true);
  } catch (error) {
    throw (await indexConflict(definition, indexes, error)) ?? translate(error, definition.context);
  }
}
