import type { BSON, CreateCollectionOptions, CreateIndexesOptions, Db } from 'mongodb';
import type { ModelDefinition } from './definition.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { serverCode, translate } from './outcome.ts';
import type { JsonSchema } from './schema-library.ts';

const NAMESPACE_EXISTS = 48;

/** Options of `ensureCollection`: the driver's, and the validator of the schema. */
export interface EnsureCollectionOptions extends Omit<CreateCollectionOptions, 'validator'> {
  /**
   * What the server itself checks: `true` for the model's schema as JSON Schema, which an existing collection is given
   * too, or a filter of your own for a new one.
   * @default none
   */
  readonly validator?: true | BSON.Document;
}

/** Creates the collection of a model. False when it was there already. */
export async function ensureCollection(
  definition: ModelDefinition,
  { validator, ...options }: EnsureCollectionOptions = {},
): Promise<boolean> {
  const { db } = definition.connection();
  const name = definition.collectionName;
  const checked = validator === true ? { $jsonSchema: modelSchema(definition) } : validator;
  const create = (checked === undefined ? options : { ...options, validator: checked }) as CreateCollectionOptions;
  try {
    // A server may take the creation of what is there, with the same options, for done.
    const exists = await db.listCollections({ name }, { nameOnly: true }).hasNext();
    const created = !exists && (await tryCreate(db, name, create));
    if (!created && validator === true) await db.command({ collMod: name, validator: checked });
    return created;
  } catch (error) {
    throw translate(error, { model: definition.collectionName });
  }
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

/** What the server checks of a model's documents, as MongoDB's `$jsonSchema`. */
export function modelSchema({ fields, timestamps }: ModelDefinition): JsonSchema {
  const times = [timestamps?.createdAt, timestamps?.updatedAt].filter((time) => time !== undefined);
  return jsonSchemaOf(fields, Object.fromEntries(times.map((time) => [time, { bsonType: 'date' }])));
}

/** Creates the indexes of a model that are not there, and gives the names of all of them. */
export async function ensureIndexes(
  definition: ModelDefinition,
  options: CreateIndexesOptions = {},
): Promise<string[]> {
  if (definition.indexes.length === 0) return [];
  try {
    return await definition.collection().createIndexes([...definition.indexes], options);
  } catch (error) {
    throw translate(error, { model: definition.collectionName });
  }
}
