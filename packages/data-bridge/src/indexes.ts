import type { CreateCollectionOptions, CreateIndexesOptions } from 'mongodb';
import type { ModelDefinition } from './definition.ts';
import { serverCode, translate } from './outcome.ts';

const NAMESPACE_EXISTS = 48;

/** Creates the collection of a model. False when it was there already. */
export async function ensureCollection(
  definition: ModelDefinition,
  options: CreateCollectionOptions = {},
): Promise<boolean> {
  const { db } = definition.connection();
  const name = definition.collectionName;
  try {
    // A server may take the creation of what is there, with the same options, for done.
    if (await db.listCollections({ name }, { nameOnly: true }).hasNext()) return false;
    await db.createCollection(name, options);
    return true;
  } catch (error) {
    if (serverCode(error) === NAMESPACE_EXISTS) return false;
    throw translate(error, { model: definition.collectionName });
  }
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
