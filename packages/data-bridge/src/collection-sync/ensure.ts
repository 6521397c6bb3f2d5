import type { BSON, CreateCollectionOptions, CreateIndexesOptions, Db } from 'mongodb';
import { refuseInTransaction } from '../connection/transaction-attempt.ts';
import { castFilter } from '../filter/cast-filter.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { ModelIndex } from '../definition/model-options.ts';
import { serverCode } from '../connection/driver-error.ts';
import { UsageError } from '../errors.ts';
import { trusted } from '../filter/literal.ts';
import { indexConflict, nameOf } from './index-conflict.ts';
import { jsonSchemaOf } from '../schema/json-schema.ts';
import { translate } from '../connection/write-outcome.ts';
import type { JsonSchema } from '../schema/schema-library.ts';

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

/** What the server checks of a model's documents, as MongoDB's `$jsonSchema`: in a hierarchy, of its class and those that extend it. */
export function modelSchema(definition: ModelDefinition): JsonSchema {
  const { kin } = definition;
  if (kin.isAlone) return ownSchema(definition);
  const [only, ...others] = kin.all.map((each) => typedSchema(each.definition));
  return others.length === 0 && only !== undefined ? only : { anyOf: [only, ...others] };
}

/** The same of the documents of that very class. What has no type is of the root. */
function typedSchema(definition: ModelDefinition): JsonSchema {
  const { kin } = definition;
  const { required, properties, ...schema } = ownSchema(definition) as OwnSchema;
  if (kin.parent !== null) return { ...schema, required: [...(required ?? []), kin.key], properties };
  const below = kin.types.filter((type) => type !== kin.type);
  const type = kin.unknownType === 'parent' ? { not: { enum: below } } : { enum: [kin.type, null] };
  return { ...schema, ...(required && { required }), properties: { ...properties, [kin.key]: type } };
}

interface OwnSchema extends JsonSchema {
  readonly required?: readonly string[];
  readonly properties: JsonSchema;
}

function ownSchema({ fields, timestamps, version }: ModelDefinition): JsonSchema {
  const times = [timestamps?.createdAt, timestamps?.updatedAt].filter((time) => time !== undefined);
  const counter = version === undefined ? {} : { [version]: { bsonType: 'number' } };
  return jsonSchemaOf(fields, {
    ...Object.fromEntries(times.map((time) => [time, { bsonType: 'date' }])),
    ...counter,
  });
}

/** The indexes of a model's collection over the fields as they are stored: those of all classes of its hierarchy. */
export function storedIndexes(definition: ModelDefinition): ModelIndex[] {
  return definition.kin.root.all.flatMap((each) => ownIndexes(each.definition).map((index) => keptOf(each, index)));
}

/**
 * A unique index of a class that extends another is kept of its documents alone: else two of others that lack the field would
 * collide. It has the type in its name, since siblings may have one of the same key.
 */
function keptOf({ conditions, key, type }: ModelDefinition['kin'], index: ModelIndex): ModelIndex {
  const given = (index.partialFilterExpression ?? {}) as Readonly<Record<string, unknown>>;
  if (conditions === null || index.unique !== true || index.sparse === true || Object.hasOwn(given, key)) return index;
  const name = index.name ?? `${nameOf(index)}_${type}`;
  return { ...index, name, partialFilterExpression: { ...given, ...conditions } };
}

function ownIndexes(definition: ModelDefinition): ModelIndex[] {
  if (!definition.renames) return [...definition.indexes];
  const stored = (paths: object): Record<string, never> =>
    Object.fromEntries(Object.entries(paths).map(([path, value]) => [definition.storedPath(path), value as never]));
  return definition.indexes.map(({ key, weights, wildcardProjection, partialFilterExpression, ...index }) => ({
    ...index,
    key: key instanceof Map ? new Map(Object.entries(stored(Object.fromEntries(key)))) : stored(key),
    ...(weights && { weights: stored(weights) }),
    ...(wildcardProjection && { wildcardProjection: stored(wildcardProjection) }),
    ...(partialFilterExpression && {
      partialFilterExpression: castFilter(definition, trusted(partialFilterExpression)),
    }),
  }));
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
