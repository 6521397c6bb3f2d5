import type {
  BSON,
  DeleteOptions,
  DeleteResult,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  ReplaceOptions,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import type { SessionCollection } from '../connection/session-collection.ts';
import { translateWrite } from '../connection/write-outcome.ts';
import type { HardOptions, ScopeOptions } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { type DriverOptions, run } from '../definition/operation.ts';
import { UsageError } from '../errors.ts';
import { castArrayFilters } from '../filter/cast-filter.ts';
import { safeFilter } from '../filter/check-filter.ts';
import { ownFilter } from '../filter/own-filter.ts';
import { removalUpdate } from '../save/door.ts';
import { checkAnswered, type OneWrite, recorderOf, type SentFilter } from '../save/recorder.ts';
import { typeName } from '../schema/bson-types.ts';
import { checkUpsertedId, stampUpdate } from './stamp-update.ts';
import { countedReplacement } from './version-counter.ts';
import { checkReplacementOnce } from './write-once.ts';
import type { ManyOptions, StampOptions } from './write-options.ts';

/** What methods that delete take. */
export interface DeletionOptions extends ScopeOptions, HardOptions {}

/** Documents as the server sends them. */
type Raw = Uint8Array | null;

/** Options that the types of some methods leave out, and that have no place at a write of one document. */
interface Unasked {
  readonly history?: unknown;
}

/** Updates the first document that matches. */
export async function updateOne(
  definition: ModelDefinition,
  filter: object,
  update: object,
  { timestamps, history, unscoped, ...given }: DriverOptions<UpdateOptions> & StampOptions & Unasked = {},
): Promise<UpdateResult> {
  const cast = ownFilter(definition, filter, unscoped);
  const options = safeOptions(definition, given, update);
  const stamped = stampUpdate(definition, update, {
    upsert: options.upsert === true,
    timestamps,
    filter: cast,
    unscoped,
  });
  const recorder = recorderOf(definition);
  recorder.checkOne(definition, 'updateOne', history);
  return write(definition, options, () =>
    recorder.updateOne(definition, cast, { kind: 'update', update: stamped }, options),
  );
}

/** Updates every document that matches: for `updateMany()`, and for a query's `update()`. @param filter as it is sent. */
export async function updateEvery(
  definition: ModelDefinition,
  method: string,
  filter: SentFilter,
  update: object,
  { timestamps, history, unscoped, ...given }: DriverOptions<UpdateOptions> & StampOptions & ManyOptions = {},
): Promise<UpdateResult> {
  const options = safeOptions(definition, given, update);
  const stamped = stampUpdate(definition, update, { upsert: options.upsert === true, timestamps, filter, unscoped });
  const recorder = recorderOf(definition);
  recorder.checkMany(definition, method, history);
  const sent = recorder.manyUpdate(stamped);
  return write(definition, options, (collection) => collection.updateMany(filter, sent, options));
}

/** Replaces the first document that matches. The replacement is what an insert would store, so `createdAt` is new too. */
export async function replaceOne(
  definition: ModelDefinition,
  filter: object,
  replacement: BSON.Document,
  { history, unscoped, ...options }: DriverOptions<ReplaceOptions> & ScopeOptions & Unasked = {},
): Promise<UpdateResult> {
  const cast = ownFilter(definition, filter, unscoped);
  const recorder = recorderOf(definition);
  recorder.checkOne(definition, 'replaceOne', history);
  const replacing = replacingBy(definition, cast, replacement, options.upsert === true);
  return write(definition, options, () => recorder.updateOne(definition, cast, replacing, options));
}

/** Deletes the first document that matches. */
export async function deleteOne(
  definition: ModelDefinition,
  filter: object,
  { history, unscoped, hard, ...options }: DriverOptions<DeleteOptions> & DeletionOptions & Unasked = {},
): Promise<DeleteResult> {
  const cast = ownFilter(definition, filter, unscoped);
  const update = removalUpdate(definition, { hard, unscoped });
  const recorder = recorderOf(definition);
  recorder.checkOne(definition, 'deleteOne', history);
  return write(definition, options, async () =>
    update === null
      ? recorder.deleteOne(definition, cast, options)
      : deletedBy(await recorder.updateOne(definition, cast, { kind: 'update', update }, options)),
  );
}

/** Deletes every document that matches: for `deleteMany()`, and for a query's `delete()`. @param filter as it is sent. */
export async function deleteEvery(
  definition: ModelDefinition,
  method: string,
  filter: SentFilter,
  { history, unscoped, hard, ...options }: DriverOptions<DeleteOptions> & DeletionOptions & ManyOptions = {},
): Promise<DeleteResult> {
  const update = removalUpdate(definition, { hard, unscoped });
  const recorder = recorderOf(definition);
  recorder.checkMany(definition, method, history);
  return write(definition, options, async (collection) =>
    update === null
      ? collection.deleteMany(filter, options)
      : deletedBy(await collection.updateMany(filter, recorder.manyUpdate(update), options)),
  );
}

/** What a method that deletes tells where an extension made an update of it. */
function deletedBy({ acknowledged, matchedCount }: Pick<UpdateResult, 'acknowledged' | 'matchedCount'>): DeleteResult {
  return { acknowledged, deletedCount: matchedCount };
}

/** Updates the first document that matches and gives its bytes as they were, or as they are with `returnDocument: 'after'`. */
export async function findAndUpdate(
  definition: ModelDefinition,
  filter: object,
  update: object,
  { timestamps, unscoped, ...given }: DriverOptions<FindOneAndUpdateOptions> & StampOptions & Unasked = {},
): Promise<Raw> {
  const cast = ownFilter(definition, filter, unscoped);
  const options = safeOptions(definition, given, update);
  const stamped = stampUpdate(definition, update, {
    upsert: options.upsert === true,
    timestamps,
    filter: cast,
    unscoped,
  });
  return findAndWrite(definition, 'findOneAndUpdate', cast, { kind: 'update', update: stamped }, options);
}

/** Replaces the first document that matches, and gives its bytes. */
export async function findAndReplace(
  definition: ModelDefinition,
  filter: object,
  replacement: BSON.Document,
  { unscoped, ...options }: DriverOptions<FindOneAndReplaceOptions> & ScopeOptions & Unasked = {},
): Promise<Raw> {
  const cast = ownFilter(definition, filter, unscoped);
  const replacing = replacingBy(definition, cast, replacement, options.upsert === true);
  return findAndWrite(definition, 'findOneAndReplace', cast, replacing, options);
}

/** Deletes the first document that matches, and gives its bytes. */
export async function findAndDelete(
  definition: ModelDefinition,
  filter: object,
  { unscoped, hard, ...options }: DriverOptions<FindOneAndDeleteOptions> & DeletionOptions & Unasked = {},
): Promise<Raw> {
  const cast = ownFilter(definition, filter, unscoped);
  const update = removalUpdate(definition, { hard, unscoped });
  const one: OneWrite = update === null ? { kind: 'delete' } : { kind: 'update', update };
  return findAndWrite(definition, 'findOneAndDelete', cast, one, options);
}

function findAndWrite(
  definition: ModelDefinition,
  method: string,
  filter: SentFilter,
  one: OneWrite,
  { history, ...options }: DriverOptions<FindOneAndUpdateOptions> & Unasked,
): Promise<Raw> {
  const recorder = recorderOf(definition);
  recorder.checkOne(definition, method, history);
  return write(definition, options, () => {
    checkAnswered(definition, options);
    return recorder.findAndWrite(definition, filter, one, options);
  });
}

/** A replacement, as an update where the model counts the writes. */
function replacingBy(
  definition: ModelDefinition,
  filter: SentFilter,
  replacement: BSON.Document,
  isUpsert: boolean,
): Exclude<OneWrite, { kind: 'delete' }> {
  const id: unknown = replacement['_id'];
  if (isUpsert) checkUpsertedId(definition, filter, id !== undefined);
  checkReplacementOnce(definition, filter, replacement);
  const { version } = definition;
  if (version === undefined) return { kind: 'replace', replacement };
  return { kind: 'update', update: countedReplacement(version, replacement), ...(id !== undefined && { id }) };
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
export function safeOptions<O extends Pick<UpdateOptions, 'arrayFilters'>>(
  definition: ModelDefinition,
  options: O,
  update: object,
): O {
  const { arrayFilters } = options;
  if (arrayFilters === undefined) return options;
  if (!Array.isArray(arrayFilters))
    throw new UsageError(
      `The option "arrayFilters" is a list of filters, got ${typeName(arrayFilters)}.`,
      definition.context,
    );
  const safe = arrayFilters.map((filter, i) => safeFilter(definition, filter, { keys: ['arrayFilters', String(i)] }));
  return { ...options, arrayFilters: castArrayFilters(definition, safe, update) };
}
