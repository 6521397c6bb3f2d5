import type {
  BSON,
  DeleteOptions,
  DeleteResult,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  ObjectId,
  ReplaceOptions,
  UpdateOptions,
  UpdateResult,
  WriteConcernOptions,
} from 'mongodb';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { ABSENT, toExact } from '../bson/encode.ts';
import { typeName } from '../schema/bson-types.ts';
import { siblingDefaults } from '../schema/nested-defaults.ts';
import { castFilter, castUpdate } from '../filter/cast-filter.ts';
import type { SessionCollection } from '../connection/collection.ts';
import { countedReplacement, countedStages } from './version-counter.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { isGiven } from '../filter/filter-equality.ts';
import { isRecorded, type RecordedModel } from '../history/record.ts';
import { type OneWritten, recordStaticWrite, type StaticWrite } from '../history/record-static-write.ts';
import { checkUnrecorded, type ManyOptions, unrecordedUpdate } from './refuse-unrecorded.ts';
import { translateWrite } from '../connection/write-outcome.ts';
import { type DriverOptions, run } from '../definition/operation.ts';
import { operatorIn, refuseServerJavaScript, safeFilter } from '../filter/check-filter.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import { renameInStages } from '../filter/rename-in-expression.ts';

/** What static updates take besides the driver's options. */
export interface StampOptions {
  /**
   * Whether the time of the update is written, as the model's `timestamps` says.
   * @default true
   */
  readonly timestamps?: boolean;
}

/** What methods that store a whole document take besides the driver's options. */
export interface ValidateOptions {
  /**
   * Whether the document is validated first.
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

/** A filter as it is sent. */
type Sent = Readonly<Record<string, unknown>>;

/** Documents as the server sends them. */
type Raw = Uint8Array | null;

/** Updates the first document that matches, or every one. */
export async function updateMatching(
  definition: ModelDefinition,
  method: 'updateOne' | 'updateMany',
  filter: object,
  update: object,
  given: DriverOptions<UpdateOptions> & StampOptions & ManyOptions = {},
): Promise<UpdateResult> {
  const cast = castFilter(definition, filter);
  if (method === 'updateMany') return updateEvery(definition, method, cast, update, given);
  const { timestamps, history, ...driverOptions } = given;
  const options = safeOptions(definition, driverOptions);
  const stamped = stamp(definition, update, { upsert: options.upsert === true, timestamps, filter: cast });
  if (isRecorded(definition)) {
    const one = { kind: 'update', update: stamped } as const;
    return updateResult(definition, await writeOne(definition, cast, one, { ...options, history }));
  }
  checkUnrecorded(definition, method, history);
  return write(definition, options, (collection) => collection.updateOne(cast, stamped, options));
}

/**
 * Updates every document that matches: for `updateMany()`, and for a query's `update()`.
 *
 * @param filter as it is sent.
 */
export async function updateEvery(
  definition: ModelDefinition,
  method: string,
  filter: Sent,
  update: object,
  { timestamps, history, ...given }: DriverOptions<UpdateOptions> & StampOptions & ManyOptions,
): Promise<UpdateResult> {
  const options = safeOptions(definition, given);
  const stamped = stamp(definition, update, { upsert: options.upsert === true, timestamps, filter });
  checkUnrecorded(definition, method, history);
  const sent = unrecordedUpdate(definition, stamped);
  return write(definition, options, (collection) => collection.updateMany(filter, sent, options));
}

/** What the driver tells of such an update. */
function updateResult(definition: ModelDefinition, written: OneWritten | null): UpdateResult {
  const { before = null, after = null } = written ?? {};
  const isUpsert = before === null && after !== null;
  return {
    acknowledged: true,
    matchedCount: before === null ? 0 : 1,
    modifiedCount: before === null ? 0 : 1,
    upsertedCount: isUpsert ? 1 : 0,
    upsertedId: isUpsert ? (new BsonBaseline(definition.layout(), after, 0).original('_id') as ObjectId) : null,
  };
}

/** Replaces the first document that matches. The replacement is what an insert would store, so `createdAt` is new too. */
export async function replaceMatching(
  definition: ModelDefinition,
  filter: object,
  replacement: BSON.Document,
  options: DriverOptions<ReplaceOptions> = {},
): Promise<UpdateResult> {
  const cast = castFilter(definition, filter);
  if (options.upsert === true) checkUpsertedId(definition, cast, Object.hasOwn(replacement, '_id'));
  const { version } = definition;
  const counted = version === undefined ? null : countedReplacement(version, replacement);
  if (isRecorded(definition)) {
    const one = replacing(replacement, counted);
    return updateResult(definition, await writeOne(definition, cast, one, options));
  }
  return write(definition, options, (collection) =>
    counted === null ? collection.replaceOne(cast, replacement, options) : collection.updateOne(cast, counted, options),
  );
}

/** Deletes the first document that matches, or every one. */
export async function deleteMatching(
  definition: ModelDefinition,
  method: 'deleteOne' | 'deleteMany',
  filter: object,
  given: DriverOptions<DeleteOptions> & ManyOptions = {},
): Promise<DeleteResult> {
  const cast = castFilter(definition, filter);
  if (method === 'deleteMany') return deleteEvery(definition, method, cast, given);
  const { history, ...options } = given;
  if (isRecorded(definition)) {
    const written = await writeOne(definition, cast, { kind: 'delete' }, { ...options, history });
    return { acknowledged: true, deletedCount: written === null ? 0 : 1 };
  }
  checkUnrecorded(definition, method, history);
  return write(definition, options, (collection) => collection.deleteOne(cast, options));
}

/** Deletes every document that matches: for `deleteMany()`, and for a query's `delete()`. @param filter as it is sent. */
export async function deleteEvery(
  definition: ModelDefinition,
  method: string,
  filter: Sent,
  { history, ...options }: DriverOptions<DeleteOptions> & ManyOptions,
): Promise<DeleteResult> {
  checkUnrecorded(definition, method, history);
  return write(definition, options, (collection) => collection.deleteMany(filter, options));
}

/** Updates the first document that matches and gives its bytes as they were, or as they are with `returnDocument: 'after'`. */
export async function findAndUpdate(
  definition: ModelDefinition,
  filter: object,
  update: object,
  { timestamps, ...given }: DriverOptions<FindOneAndUpdateOptions> & StampOptions = {},
): Promise<Raw> {
  const cast = castFilter(definition, filter);
  const options = safeOptions(definition, given);
  const stamped = stamp(definition, update, { upsert: options.upsert === true, timestamps, filter: cast });
  if (isRecorded(definition)) {
    const one = { kind: 'update', update: stamped } as const;
    return oneOf(await writeOne(definition, cast, one, options), options);
  }
  return write(definition, options, (collection) =>
    collection.findOneAndUpdate(cast, stamped, raw(definition, options)),
  ) as Promise<Raw>;
}

/** Replaces the first document that matches, and gives its bytes. */
export async function findAndReplace(
  definition: ModelDefinition,
  filter: object,
  replacement: BSON.Document,
  options: DriverOptions<FindOneAndReplaceOptions> = {},
): Promise<Raw> {
  const cast = castFilter(definition, filter);
  if (options.upsert === true) checkUpsertedId(definition, cast, Object.hasOwn(replacement, '_id'));
  const { version } = definition;
  const counted = version === undefined ? null : countedReplacement(version, replacement);
  if (isRecorded(definition)) {
    const one = replacing(replacement, counted);
    return oneOf(await writeOne(definition, cast, one, options), options);
  }
  return write(definition, options, (collection) =>
    counted === null
      ? collection.findOneAndReplace(cast, replacement, raw(definition, options))
      : collection.findOneAndUpdate(cast, counted, raw(definition, options)),
  ) as Promise<Raw>;
}

/** Deletes the first document that matches, and gives its bytes. */
export async function findAndDelete(
  definition: ModelDefinition,
  filter: object,
  options: DriverOptions<FindOneAndDeleteOptions> = {},
): Promise<Raw> {
  const cast = castFilter(definition, filter);
  if (isRecorded(definition)) {
    const written = await writeOne(definition, cast, { kind: 'delete' }, options);
    return written?.before ?? null;
  }
  return write(definition, options, (collection) =>
    collection.findOneAndDelete(cast, raw(definition, options)),
  ) as Promise<Raw>;
}

/** A replacement, as an update where that counts the writes. */
function replacing(replacement: BSON.Document, counted: BSON.Document[] | null): StaticWrite {
  const id: unknown = replacement['_id'];
  return counted === null
    ? { kind: 'replace', replacement }
    : { kind: 'update', update: counted, ...(id !== undefined && { id }) };
}

/** Writes the first document that matches, and its entry in the history. */
function writeOne(
  definition: RecordedModel,
  filter: Readonly<Record<string, unknown>>,
  one: StaticWrite,
  { history, ...options }: (FindOneAndUpdateOptions | UpdateOptions | DeleteOptions) & { readonly history?: unknown },
): Promise<OneWritten | null> {
  if (history !== undefined) {
    const text = 'The option "history" is for writes of many documents: those of one write its entry always.';
    throw new UsageError(text, definition.context);
  }
  const sent = raw(definition, options as FindOneAndUpdateOptions);
  return write(definition, options, () => recordStaticWrite(definition, filter, one, sent));
}

function oneOf(written: OneWritten | null, { returnDocument }: Pick<FindOneAndUpdateOptions, 'returnDocument'>): Raw {
  return (returnDocument === 'after' ? written?.after : written?.before) ?? null;
}

/** Runs a write, of which it may not be known whether it was done. */
function write<R>(
  definition: ModelDefinition,
  options: object,
  operation: (collection: SessionCollection) => Promise<R>,
): Promise<R> {
  return run(definition, options, operation, translateWrite);
}

/** Filters for elements of arrays are filters like others. */
export function safeOptions<O extends Pick<UpdateOptions, 'arrayFilters'>>(definition: ModelDefinition, options: O): O {
  const { arrayFilters } = options;
  if (arrayFilters === undefined) return options;
  if (!Array.isArray(arrayFilters))
    throw new UsageError(
      `The option "arrayFilters" is a list of filters, got ${typeName(arrayFilters)}.`,
      definition.context,
    );
  const safe = arrayFilters.map((filter, i) => safeFilter(definition, filter, { keys: ['arrayFilters', String(i)] }));
  return { ...options, arrayFilters: safe };
}

/** Bytes alone, which an unacknowledged write does not give. */
function raw<O extends WriteConcernOptions>(
  definition: ModelDefinition,
  options: O,
): O & { raw: true; includeResultMetadata: false } {
  const { w } = options.writeConcern ?? definition.collection().writeConcern ?? {};
  if (w === 0) {
    throw new UsageError("The server's answer has the document: write concern 0 gives none.", definition.context);
  }
  return { ...options, raw: true, includeResultMetadata: false };
}

interface Stamping {
  readonly upsert: boolean;
  readonly timestamps: boolean | undefined;
  readonly filter: Readonly<Record<string, unknown>>;
}

/** The update as it is sent: ids cast, the time of the update and the next version added, and what an upsert's new document begins with. */
export function stamp(definition: ModelDefinition, update: object, stamping: Stamping): BSON.Document {
  if (Array.isArray(update)) return stampPipeline(definition, update as BSON.Document[], stamping);
  checkOperators(definition, update);
  const stamped = castUpdate(definition, update);
  const written = writtenFields(stamped);
  const { updatedAt, createdAt } = definition.timestamps ?? {};
  const now = new Date();
  const add = (operator: string, name: string, value: unknown): void => {
    if (written.has(name)) return;
    setOwn((stamped[operator] ??= {}), name, value);
    written.add(name);
  };
  if (stamping.timestamps !== false && updatedAt !== undefined) add('$max', updatedAt, now);
  if (definition.version !== undefined) add('$inc', definition.version, 1);
  if (!stamping.upsert) return stamped;
  if (stamping.timestamps !== false && createdAt !== undefined) add('$setOnInsert', createdAt, now);
  const inside = Object.values(stamped)
    .flatMap((operand) => Object.keys(operand))
    .filter((path) => path.includes('.'));
  for (const field of definition.fields.values()) {
    for (const [path, value] of siblingDefaults(field.place, field.name, inside))
      if (!isGiven(stamping.filter, path)) setOwn((stamped['$setOnInsert'] ??= {}), path, value);
    if (isGiven(stamping.filter, field.name)) continue;
    const value = field.defaultValue();
    if (value !== undefined) add('$setOnInsert', field.name, value);
  }
  checkUpsertedId(definition, stamping.filter, written.has('_id'));
  return stamped;
}

function stampPipeline(
  definition: ModelDefinition,
  stages: BSON.Document[],
  { upsert, timestamps, filter }: Stamping,
): BSON.Document[] {
  const copy = toExact(stages, ABSENT, []) as unknown[];
  const wrong = copy.find((stage) => operatorIn(stage) === undefined);
  if (wrong !== undefined)
    throw new UsageError(
      `An update as a list takes stages such as { $set: … }, got ${typeName(wrong)}.`,
      definition.context,
    );
  refuseServerJavaScript(definition, copy, []);
  const stored = renameInStages(definition, copy) as BSON.Document[];
  const sent = definition.version === undefined ? stored : countedStages(definition.version, stored);
  const { updatedAt, createdAt } = definition.timestamps ?? {};
  if (upsert) checkUpsertedId(definition, filter, false);
  if (timestamps === false) return sent;
  if (upsert && createdAt !== undefined) {
    const text = `A pipeline cannot tell an insert from an update, so "${createdAt}" would be missing: use operators such as $set, or pass { timestamps: false }.`;
    throw new UsageError(text, definition.context);
  }
  if (updatedAt === undefined) return sent;
  return [...sent, { $set: { [updatedAt]: { $max: [`$${updatedAt}`, new Date()] } } }];
}

/** The server would take an update without operators for a replacement of the whole document. */
function checkOperators(definition: ModelDefinition, update: object): void {
  const refuse = (text: string): never => {
    throw new UsageError(text, definition.context);
  };
  if (!isPlainObject(update)) return refuse(`An update takes operators such as $set, got ${typeName(update)}.`);
  const keys = Object.keys(update);
  if (keys.length === 0) return refuse('An update takes operators such as $set, got none.');
  const plain = keys.find((key) => !key.startsWith('$'));
  if (plain !== undefined)
    refuse(`An update has operators such as $set at its top, not "${plain}": use replaceOne() to replace a document.`);
}

/**
 * The server makes an ObjectId where an upsert has no `_id`, which a model with an `_id` schema of its own may not want.
 *
 * @param known true where it is known beside what the filter says.
 */
export function checkUpsertedId(definition: ModelDefinition, filter: Stamping['filter'], known: boolean): void {
  if (known || !definition.fields.has('_id') || isGiven(filter, '_id')) return;
  const text =
    'The model has an _id schema of its own, so an upsert must say the _id of the document that it may insert.';
  throw new UsageError(text, definition.context);
}

/** The fields that an update's operators name: a second operator on one of them is a conflict. */
function writtenFields(update: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Set<string> {
  const paths = Object.values(update).flatMap((operand) => Object.keys(operand));
  const renamed = Object.values(update['$rename'] ?? {}).map(String);
  return new Set([...paths, ...renamed].map((path) => path.split('.', 1)[0] as string));
}
