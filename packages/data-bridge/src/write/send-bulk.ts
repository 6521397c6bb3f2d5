import type { AnyClientBulkWriteModel, BSON, BulkWriteOptions, ClientBulkWriteResult, UpdateResult } from 'mongodb';
import { type BulkFailure, readFailure } from '../connection/bulk-failure.ts';
import { bulkWrite } from '../connection/collection.ts';
import type { SessionCollection } from '../connection/session-collection.ts';
import { CONCURRENCY, concurrently } from '../connection/concurrently.ts';
import { outcomeOf, safely, translate } from '../connection/write-outcome.ts';
import type { HardOptions, ScopeOptions, Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { type BulkResult, OutcomeUnknownError } from '../errors.ts';
import type { Document } from '../save/document.ts';
import { sendInserts } from './send-inserts.ts';

/*
 * The operations of a bulk write on their way to the server, and what it tells of each.
 */

/** One operation: the parts that the driver takes it in, and what an insert or a replacement is made of. */
export interface Operation {
  readonly name: BulkResult['operation'];
  /** A replacement that counts is an update. */
  readonly sentAs?: BulkResult['operation'];
  readonly parts: BSON.Document;
  readonly made?: Made;
  /** Of a deletion: what it says that the rules of references need to know. */
  readonly rule?: HardOptions & ScopeOptions;
}

export interface Made {
  readonly document: Document<unknown>;
  /** True where the program gave an `_id`. A replacement has none otherwise. */
  readonly hasId: boolean;
  /** Of a replacement: the scopes that are left out. */
  readonly unscoped?: Unscoped | undefined;
}

/** How operations are sent. */
export type ExecuteOptions = Omit<BulkWriteOptions, 'ordered'> & { readonly ordered: boolean };

// ── servers with the command bulkWrite ──────────────────────────────────────────────────────────────────────────────

export async function byClient(
  definition: ModelDefinition,
  operations: readonly Operation[],
  options: ExecuteOptions,
): Promise<BulkResult[]> {
  const { namespace } = definition.collection();
  const models = operations.map(
    ({ name, sentAs = name, parts }) =>
      ({ namespace, name: sentAs, ...parts }) as AnyClientBulkWriteModel<BSON.Document>,
  );
  // However the client decodes documents, the driver compares with plain numbers, and so do programs.
  const sent = { ...options, verboseResults: true, promoteValues: true, promoteLongs: true, useBigInt64: false };
  const answer = await bulkWrite(definition.connection().client, models, sent).then(
    (partial): BulkFailure => ({ refused: new Map(), done: 0, partial }),
    readFailure,
  );
  const { refused, failure, partial } = answer;
  return operations.map((operation, place) => {
    const result = resultAt(operation, place, partial);
    const reason =
      refused.get(place) ?? (result === undefined || failure?.outcome === 'applied' ? failure?.error : undefined);
    const isOpen = result === undefined && !refused.has(place) && failure?.outcome !== 'refused';
    const error = reason === undefined ? undefined : errorOf(definition, reason, isOpen);
    return { operation: operation.name, ...result, ...(error !== undefined && { error }) };
  });
}

function resultAt(
  { name, parts }: Operation,
  place: number,
  results: ClientBulkWriteResult | undefined,
): Told | undefined {
  if (name === 'insertOne')
    return results?.insertResults?.has(place) === true ? { insertedId: parts['document']._id as unknown } : undefined;
  const updated = results?.updateResults?.get(place);
  return updated === undefined ? results?.deleteResults?.get(place) : toldOf(name, updated);
}

/** Where an extension makes an update of a deletion, it is told as a deletion. */
function toldOf(name: Operation['name'], counts: Counts): Told {
  return name.startsWith('delete') ? { deletedCount: counts.matchedCount } : countsOf(counts);
}

function countsOf({ matchedCount, modifiedCount, upsertedId }: Counts): Told {
  if (upsertedId === undefined || upsertedId === null) return { matchedCount, modifiedCount };
  // case: of an upsert the driver's client gives the server's count, which has the new document in it
  return { matchedCount: 0, modifiedCount, upsertedId };
}

type Counts = Pick<UpdateResult, 'matchedCount' | 'modifiedCount'> & { readonly upsertedId?: unknown };

/** @param isOpen true where nobody knows whether it was done. */
function errorOf(definition: ModelDefinition, reason: unknown, isOpen: boolean): unknown {
  if (!isOpen) return translate(reason, definition.context, definition);
  const text = 'The operation was sent, and its answer never came: read what is stored before it is sent again.';
  return new OutcomeUnknownError(text, { ...definition.context, cause: safely(reason) });
}

// ── others ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The driver tells of each of many inserts, so they go together; each other operation alone. */
export async function oneByOne(
  definition: ModelDefinition,
  operations: readonly Operation[],
  { ordered, ...options }: ExecuteOptions,
): Promise<BulkResult[]> {
  const results: BulkResult[] = operations.map(({ name }) => ({ operation: name }));
  const atOnce = ordered || options.session !== undefined ? 1 : CONCURRENCY;
  let isStopped = false;
  await concurrently(groupsOf(operations, ordered), atOnce, async (group) => {
    if (isStopped) return;
    const told = await (group[0]?.[1].name === 'insertOne'
      ? insertAll(definition, group, { ...options, ordered })
      : performOne(definition, group, options));
    told.forEach((result, i) => {
      const [place, { name }] = group[i] as Placed;
      results[place] = { operation: name, ...result };
    });
    isStopped = ordered && told.some(({ error }) => error !== undefined);
  });
  return results;
}

/** An operation and its place in the list. */
type Placed = readonly [place: number, operation: Operation];
type Told = Omit<BulkResult, 'operation'>;

/** Inserts that go together, and each other operation for itself. */
function groupsOf(operations: readonly Operation[], ordered: boolean): Placed[][] {
  const groups: Placed[][] = [];
  let inserts: Placed[] | undefined;
  for (const placed of operations.entries()) {
    const isInsert = placed[1].name === 'insertOne';
    if (isInsert && inserts !== undefined) inserts.push(placed);
    else groups.push([placed]);
    if (isInsert) inserts ??= groups.at(-1);
    else if (ordered) inserts = undefined;
  }
  return groups;
}

async function insertAll(
  definition: ModelDefinition,
  group: readonly Placed[],
  options: ExecuteOptions,
): Promise<Told[]> {
  const documents = group.map(([, { parts }]) => parts['document'] as BSON.Document);
  const { fates } = await sendInserts(
    definition,
    documents,
    options,
    'Read what is stored before they are sent again.',
  );
  return fates.map(({ outcome, error }, i): Told => {
    const inserted = outcome === 'inserted' ? { insertedId: documents[i]?.['_id'] as unknown } : {};
    return { ...inserted, ...(error !== undefined && { error }) };
  });
}

async function performOne(
  definition: ModelDefinition,
  [placed]: readonly Placed[],
  options: Omit<ExecuteOptions, 'ordered'>,
): Promise<Told[]> {
  if (placed === undefined) return [];
  try {
    return [await perform(definition.collection(), placed[1], options)];
  } catch (error) {
    return [{ error: errorOf(definition, error, outcomeOf(error) === 'unknown') }];
  }
}

async function perform(
  collection: SessionCollection,
  { name, sentAs = name, parts }: Operation,
  options: Omit<ExecuteOptions, 'ordered'>,
): Promise<Told> {
  const { filter, update, replacement, ...own } = parts;
  const all = { ...options, ...own };
  switch (sentAs) {
    case 'updateOne':
    case 'updateMany':
      return toldOf(name, await collection[sentAs](filter, update, all));
    case 'replaceOne':
      return countsOf(await collection.replaceOne(filter, replacement, all));
    case 'deleteOne':
    case 'deleteMany': {
      const { deletedCount } = await collection[sentAs](filter, all);
      return { deletedCount };
    }
    case 'insertOne': {
      const { insertedId } = await collection.insertOne(parts['document'] as BSON.Document, all);
      return { insertedId };
    }
  }
}
