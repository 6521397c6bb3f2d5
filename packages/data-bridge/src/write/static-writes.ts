import type {
  BSON,
  DeleteOptions,
  DeleteResult,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  Hint,
  ReplaceOptions,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import type { SessionCollection } from '../connection/session-collection.ts';
import { translateWrite } from '../connection/write-outcome.ts';
import type { HardOptions, ScopeOptions } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { checkTaken, type DriverOptions, TAKEN } from '../connection/taken-options.ts';
import { run } from '../definition/operation.ts';
import { UsageError } from '../errors.ts';
import { castArrayFilters } from '../filter/cast-filter.ts';
import { safeFilter } from '../filter/check-filter.ts';
import { exactFilter, ownFilter } from '../filter/own-filter.ts';
import { hintOf, sortOf } from '../filter/sort-order.ts';
import { checkRules, rulesForMany, rulesOf, type RulesOptions } from '../references/delete-rules.ts';
import { applyRules, idsOf } from '../save/apply-rules.ts';
import { removalUpdate } from '../save/door.ts';
import { checkAnswered, type OneWrite, recorderOf, type SentFilter } from '../save/recorder.ts';
import { CHUNK } from '../references/load-targets.ts';
import { typeName } from '../schema/bson-types.ts';
import { stampUpdate } from './stamp-update.ts';
import { checkUpsertedId } from './upsert.ts';
import { countedReplacement } from './version-counter.ts';
import { checkReplacementOnce } from './write-once.ts';
import type { ManyOptions, StampOptions } from './write-options.ts';

/** What methods that delete take. */
export interface DeletionOptions extends ScopeOptions, HardOptions, RulesOptions {}

/** Documents as the server sends them. */
type Raw = Uint8Array | null;

/** An option that the types of some methods leave out, since it has no place at a write of one document. */
interface Unasked {
  readonly history?: unknown;
}

/** Options of the package's own. */
const STAMPED = ['timestamps', 'history'] as const;

/** Updates the first document that matches. */
export async function updateOne(
  definition: ModelDefinition,
  filter: object,
  update: object,
  options: DriverOptions<UpdateOptions, 'updateOne'> & StampOptions & Unasked = {},
): Promise<UpdateResult> {
  checkTaken('updateOne', definition, options, [...TAKEN.updateOne, ...STAMPED]);
  const { timestamps, history, unscoped, ...given } = options;
  const cast = ownFilter(definition, filter, unscoped);
  const sent = sentOptions(definition, given, update);
  const upsert = sent.upsert === true;
  const stamped = stampUpdate(definition, update, { upsert, timestamps, filter: cast, unscoped });
  const recorder = recorderOf(definition);
  recorder.checkOne(definition, 'updateOne', history);
  return write(definition, sent, () => recorder.updateOne(definition, cast, { kind: 'update', update: stamped }, sent));
}

/**
 * Updates every document that matches: for `updateMany()`, and for a query's `update()`.
 *
 * @param filter as it is sent.
 * @param own what the query says.
 */
export async function updateEvery(
  definition: ModelDefinition,
  method: string,
  filter: SentFilter,
  update: object,
  own: UpdateOptions,
  options: DriverOptions<UpdateOptions, 'updateMany'> & StampOptions & ManyOptions = {},
): Promise<UpdateResult> {
  checkTaken(method, definition, options, [...TAKEN.updateMany, ...STAMPED]);
  const { timestamps, history, unscoped, ...given } = options;
  const sent = { ...own, ...sentOptions(definition, given, update) };
  const stamped = stampUpdate(definition, update, { upsert: sent.upsert === true, timestamps, filter, unscoped });
  const recorder = recorderOf(definition);
  recorder.checkMany(definition, method, history);
  const made = recorder.manyUpdate(stamped);
  return write(definition, sent, (collection) => collection.updateMany(filter, made, sent));
}

/** Replaces the first document that matches. The replacement is what an insert would store, so `createdAt` is new too. */
export async function replaceOne(
  definition: ModelDefinition,
  filter: object,
  replacement: BSON.Document,
  { history, unscoped, ...options }: DriverOptions<ReplaceOptions, 'replaceOne'> & ScopeOptions & Unasked = {},
): Promise<UpdateResult> {
  const cast = exactFilter(definition, filter, unscoped);
  const recorder = recorderOf(definition);
  recorder.checkOne(definition, 'replaceOne', history);
  const replacing = replacingBy(definition, cast, replacement, { upsert: options.upsert === true, unscoped });
  const sent = sentOptions(definition, options);
  return write(definition, sent, () => recorder.updateOne(definition, cast, replacing, sent));
}

/** Deletes the first document that matches. */
export async function deleteOne(
  definition: ModelDefinition,
  filter: object,
  options: DriverOptions<DeleteOptions, 'delete'> & DeletionOptions & Unasked = {},
): Promise<DeleteResult> {
  checkTaken('deleteOne', definition, options, [...TAKEN.delete, 'history']);
  const { history, unscoped, hard, rules, ...given } = options;
  const found = ownFilter(definition, filter, unscoped);
  const update = removalUpdate(definition, { hard, unscoped });
  const recorder = recorderOf(definition);
  recorder.checkOne(definition, 'deleteOne', history);
  const sent = sentOptions(definition, given);
  checkRules('deleteOne', definition, rules);
  const cast = await followedFilter(definition, found, sent, { hard, unscoped, rules });
  return write(definition, sent, async () =>
    update === null
      ? recorder.deleteOne(definition, cast, sent)
      : deletedBy(await recorder.updateOne(definition, cast, { kind: 'update', update }, sent)),
  );
}

/** Deletes every document that matches: for `deleteMany()`, and for a query's `delete()`. The parameters are those of `updateEvery`. */
export async function deleteEvery(
  definition: ModelDefinition,
  method: string,
  filter: SentFilter,
  own: DeleteOptions,
  options: DriverOptions<DeleteOptions, 'delete'> & DeletionOptions & ManyOptions = {},
): Promise<DeleteResult> {
  checkTaken(method, definition, options, [...TAKEN.delete, 'history']);
  const { history, unscoped, hard, rules, ...given } = options;
  const update = removalUpdate(definition, { hard, unscoped });
  const recorder = recorderOf(definition);
  recorder.checkMany(definition, method, history);
  const sent = { ...own, ...sentOptions(definition, given) };
  const remove = (meant: SentFilter): Promise<DeleteResult> =>
    write(definition, sent, async (collection) =>
      update === null
        ? collection.deleteMany(meant, sent)
        : deletedBy(await collection.updateMany(meant, recorder.manyUpdate(update), sent)),
    );
  if (rulesForMany(method, definition, rules).length === 0) return remove(filter);
  const ids = await idsOf(definition, filter, choosing(sent));
  await applyRules(definition, ids, { ...sent, hard, unscoped });
  let deletedCount = 0;
  for (let from = 0; from < ids.length; from += CHUNK)
    deletedCount += (await remove(among(filter, ids.slice(from, from + CHUNK)))).deletedCount;
  return { acknowledged: true, deletedCount };
}

/** Follows the rules of references to the first document that matches, and gives a filter for it alone; the filter itself where there are none. */
async function followedFilter(
  definition: ModelDefinition,
  filter: SentFilter,
  sent: BSON.Document,
  { hard, unscoped, rules }: DeletionOptions,
): Promise<SentFilter> {
  if (rules === 'ignore' || rulesOf(definition).length === 0) return filter;
  const ids = await idsOf(definition, filter, { ...choosing(sent), limit: 1 });
  await applyRules(definition, ids, { ...sent, hard, unscoped });
  return among(filter, ids);
}

/** Of documents that match those with these ids. */
function among(filter: SentFilter, ids: readonly unknown[]): SentFilter {
  return { $and: [filter, { _id: { $in: ids } }] };
}

/** The options that say which documents are meant, for finding them first. */
function choosing(sent: BSON.Document): BSON.Document {
  const names = ['sort', 'collation', 'hint', 'let', 'session', 'comment', 'maxTimeMS', 'timeoutMS', 'signal'];
  return Object.fromEntries(names.filter((name) => sent[name] !== undefined).map((name) => [name, sent[name]]));
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
  {
    timestamps,
    unscoped,
    ...given
  }: DriverOptions<FindOneAndUpdateOptions, 'findOneAndUpdate'> & StampOptions & Unasked,
): Promise<Raw> {
  const cast = ownFilter(definition, filter, unscoped);
  const options = sentOptions(definition, given, update);
  const upsert = options.upsert === true;
  const stamped = stampUpdate(definition, update, { upsert, timestamps, filter: cast, unscoped });
  return findAndWrite(definition, 'findOneAndUpdate', cast, { kind: 'update', update: stamped }, options);
}

/** Replaces the first document that matches, and gives its bytes. */
export async function findAndReplace(
  definition: ModelDefinition,
  filter: object,
  replacement: BSON.Document,
  { unscoped, ...options }: DriverOptions<FindOneAndReplaceOptions, 'findOneAndReplace'> & ScopeOptions & Unasked,
): Promise<Raw> {
  const cast = exactFilter(definition, filter, unscoped);
  const replacing = replacingBy(definition, cast, replacement, { upsert: options.upsert === true, unscoped });
  return findAndWrite(definition, 'findOneAndReplace', cast, replacing, sentOptions(definition, options));
}

/** Deletes the first document that matches, and gives its bytes. */
export async function findAndDelete(
  definition: ModelDefinition,
  filter: object,
  given: DriverOptions<FindOneAndDeleteOptions, 'findOneAndDelete'> & DeletionOptions & Unasked = {},
): Promise<Raw> {
  checkTaken('findOneAndDelete', definition, given, [...TAKEN.findOneAndDelete, 'history']);
  const { unscoped, hard, rules, ...options } = given;
  const found = ownFilter(definition, filter, unscoped);
  const update = removalUpdate(definition, { hard, unscoped });
  const one: OneWrite = update === null ? { kind: 'delete' } : { kind: 'update', update };
  const sent = sentOptions(definition, options);
  checkRules('findOneAndDelete', definition, rules);
  const cast = await followedFilter(definition, found, sent, { hard, unscoped, rules });
  return findAndWrite(definition, 'findOneAndDelete', cast, one, sent);
}

function findAndWrite(
  definition: ModelDefinition,
  method: string,
  filter: SentFilter,
  one: OneWrite,
  { history, ...options }: FindOneAndUpdateOptions & Unasked,
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
  { upsert, unscoped }: { readonly upsert: boolean } & ScopeOptions,
): Exclude<OneWrite, { kind: 'delete' }> {
  const id: unknown = replacement['_id'];
  if (upsert) checkUpsertedId(definition, filter, id !== undefined);
  checkReplacementOnce(definition, filter, replacement, unscoped);
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

/** What options may name: paths, and filters. */
type Naming = Pick<FindOneAndUpdateOptions, 'arrayFilters' | 'sort'> & { readonly hint?: Hint };

/** The options as they are sent: with stored names. Filters for elements of arrays are filters like others. */
export function sentOptions<O extends Naming>(definition: ModelDefinition, options: O, update: object = {}): O {
  const { arrayFilters, hint, sort } = options;
  if (arrayFilters === undefined && hint === undefined && sort === undefined) return options;
  if (arrayFilters !== undefined && !Array.isArray(arrayFilters))
    throw new UsageError(
      `The option "arrayFilters" is a list of filters, got ${typeName(arrayFilters)}.`,
      definition.context,
    );
  const safe = arrayFilters?.map((filter, i) => safeFilter(definition, filter, { keys: ['arrayFilters', String(i)] }));
  return {
    ...options,
    ...(safe && { arrayFilters: castArrayFilters(definition, safe, update) }),
    ...(hint !== undefined && { hint: hintOf(definition, hint) }),
    ...(sort !== undefined && { sort: sortOf(definition, sort) }),
  };
}
