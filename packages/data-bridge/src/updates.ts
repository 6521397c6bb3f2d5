import type {
  BSON,
  Collection,
  DeleteOptions,
  DeleteResult,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  ReplaceOptions,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import { isPlainObject, setOwn } from './bson/copy.ts';
import { typeName } from './bson/types.ts';
import { castFilter, castUpdate } from './cast.ts';
import type { ModelDefinition } from './definition.ts';
import { UsageError } from './errors.ts';
import { translate } from './outcome.ts';

/** What static updates take besides the driver's options. */
export interface StampOptions {
  /**
   * Is the time of the update written, as the model's `timestamps` says?
   * @default true
   */
  readonly timestamps?: boolean;
}

/** What methods that store a whole document take besides the driver's options. */
export interface ValidateOptions {
  /**
   * Is the document validated first?
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

/** Documents as the server sends them. */
type Raw = Uint8Array | null;

/** Updates the first document that matches, or every one. */
export async function updateMatching(
  definition: ModelDefinition,
  method: 'updateOne' | 'updateMany',
  filter: object,
  update: object,
  { timestamps, ...options }: UpdateOptions & StampOptions = {},
): Promise<UpdateResult> {
  const cast = castFilter(definition, filter);
  const stamped = stamp(definition, update, { upsert: options.upsert === true, timestamps, filter: cast });
  return run(definition, (collection) => collection[method](cast, stamped, options));
}

/** Replaces the first document that matches. The replacement is what an insert would store, so `createdAt` is new too. */
export async function replaceMatching(
  definition: ModelDefinition,
  filter: object,
  replacement: BSON.Document,
  options: ReplaceOptions = {},
): Promise<UpdateResult> {
  const cast = castFilter(definition, filter);
  return run(definition, (collection) => collection.replaceOne(cast, replacement, options));
}

/** Deletes the first document that matches, or every one. */
export async function deleteMatching(
  definition: ModelDefinition,
  method: 'deleteOne' | 'deleteMany',
  filter: object,
  options: DeleteOptions = {},
): Promise<DeleteResult> {
  const cast = castFilter(definition, filter);
  return run(definition, (collection) => collection[method](cast, options));
}

/** Updates the first document that matches and gives its bytes as they were, or as they are with `returnDocument: 'after'`. */
export async function findAndUpdate(
  definition: ModelDefinition,
  filter: object,
  update: object,
  { timestamps, ...options }: FindOneAndUpdateOptions & StampOptions = {},
): Promise<Raw> {
  const cast = castFilter(definition, filter);
  const stamped = stamp(definition, update, { upsert: options.upsert === true, timestamps, filter: cast });
  return run(definition, (collection) => collection.findOneAndUpdate(cast, stamped, raw(options))) as Promise<Raw>;
}

/** Replaces the first document that matches, and gives its bytes. */
export async function findAndReplace(
  definition: ModelDefinition,
  filter: object,
  replacement: BSON.Document,
  options: FindOneAndReplaceOptions = {},
): Promise<Raw> {
  const cast = castFilter(definition, filter);
  return run(definition, (collection) => collection.findOneAndReplace(cast, replacement, raw(options))) as Promise<Raw>;
}

/** Deletes the first document that matches, and gives its bytes. */
export async function findAndDelete(
  definition: ModelDefinition,
  filter: object,
  options: FindOneAndDeleteOptions = {},
): Promise<Raw> {
  const cast = castFilter(definition, filter);
  return run(definition, (collection) => collection.findOneAndDelete(cast, raw(options))) as Promise<Raw>;
}

/** Runs an operation of the driver, and says its errors in this package's words. */
export async function run<R>(
  definition: ModelDefinition,
  operation: (collection: Collection) => Promise<R>,
): Promise<R> {
  try {
    return await operation(definition.collection());
  } catch (error) {
    throw translate(error, { model: definition.collectionName });
  }
}

/** Bytes alone: a projection would give a part of a document, and metadata another shape. */
function raw<O extends { projection?: unknown; includeResultMetadata?: boolean }>(
  options: O,
): O & { raw: true; includeResultMetadata: false } {
  if (options.projection !== undefined)
    throw new UsageError('A projection would give a part of a document: use find().');
  return { ...options, raw: true, includeResultMetadata: false };
}

interface Stamping {
  readonly upsert: boolean;
  readonly timestamps: boolean | undefined;
  readonly filter: Readonly<Record<string, unknown>>;
}

/** The update as it is sent: ids cast, the time of the update added, and what an upsert's new document begins with. */
function stamp(definition: ModelDefinition, update: object, stamping: Stamping): BSON.Document {
  if (Array.isArray(update)) return stampPipeline(definition, update as BSON.Document[], stamping);
  if (!isPlainObject(update) || Object.keys(update).length === 0) {
    throw new UsageError(`An update needs operators such as $set, got ${typeName(update)} without any.`);
  }
  const plain = Object.keys(update).find((key) => !key.startsWith('$'));
  if (plain !== undefined) {
    throw new UsageError(
      `An update has operators such as $set at its top, not "${plain}": use replaceOne() to replace a document.`,
    );
  }
  const stamped = castUpdate(definition, update);
  const written = writtenFields(stamped);
  const { updatedAt, createdAt } = definition.timestamps ?? {};
  const now = new Date();
  const add = (operator: string, name: string, value: unknown): void => {
    if (written.has(name)) return;
    const operand = (stamped[operator] ??= {});
    setOwn(operand, name, value);
    written.add(name);
  };
  if (stamping.timestamps !== false && updatedAt !== undefined) add('$max', updatedAt, now);
  if (!stamping.upsert) return stamped;
  if (stamping.timestamps !== false && createdAt !== undefined) add('$setOnInsert', createdAt, now);
  for (const field of definition.fields.values()) {
    if (isFiltered(stamping.filter, field.name)) continue;
    const value = field.defaultValue();
    if (value !== undefined) add('$setOnInsert', field.name, value);
  }
  return stamped;
}

function stampPipeline(
  definition: ModelDefinition,
  stages: BSON.Document[],
  { timestamps }: Stamping,
): BSON.Document[] {
  const updatedAt = definition.timestamps?.updatedAt;
  if (timestamps === false || updatedAt === undefined) return stages;
  return [...stages, { $set: { [updatedAt]: { $max: [`$${updatedAt}`, new Date()] } } }];
}

/** The fields that an update's operators name: a second operator on one of them is a conflict. */
function writtenFields(update: BSON.Document): Set<string> {
  const paths = Object.values(update).flatMap((operand) => (isPlainObject(operand) ? Object.keys(operand) : []));
  return new Set(paths.map((path) => path.split('.', 1)[0] as string));
}

/** Does the filter speak of this field? What it equals is stored by the server itself. */
function isFiltered(filter: Readonly<Record<string, unknown>>, name: string): boolean {
  return Object.entries(filter).some(([key, value]) => {
    if (Array.isArray(value) && key.startsWith('$'))
      return value.some((each) => isPlainObject(each) && isFiltered(each, name));
    return key === name || key.startsWith(`${name}.`);
  });
}
