import { refuseNamed } from '../connection/driver-options.ts';
import type {
  AnyClientBulkWriteModel,
  BSON,
  BulkWriteOptions,
  ClientBulkWriteResult,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import { limitsOf } from '../connection/server-limits.ts';
import { type BulkFailure, readFailure } from '../connection/bulk-failure.ts';
import { ownFilter } from '../filter/own-filter.ts';
import { bulkWrite, type SessionCollection } from '../connection/collection.ts';
import { CONCURRENCY, concurrently } from '../connection/concurrently.ts';
import { countedReplacement } from './version-counter.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import type { Document, DocumentClass } from '../save/document.ts';
import { stateOf } from '../document/tracked-document.ts';
import {
  type BulkResult,
  BulkWriteError,
  OutcomeUnknownError,
  UsageError,
  ValidationError,
  type ValidationIssue,
} from '../errors.ts';
import { issueWithin } from './insert-many.ts';
import { checkOwnFields } from '../document/new-document.ts';
import { outcomeOf, safely, translate } from '../connection/write-outcome.ts';
import { checkWriteConcern } from '../save/check-write-concern.ts';
import { insertion } from '../save/save.ts';
import type { Filter } from '../types/filter.ts';
import type { Update } from '../types/update.ts';
import { recorderOf } from '../save/recorder.ts';
import { checkUpsertedId, stampUpdate } from './stamp-update.ts';
import { resultsLeft, sendInserts } from './send-inserts.ts';
import { safeOptions } from './static-writes.ts';
import type { ManyOptions, StampOptions } from './write-options.ts';

/** Options of one update of a bulk write. */
export interface BulkUpdateOptions
  extends Pick<UpdateOptions, 'upsert' | 'arrayFilters' | 'collation' | 'hint'>, StampOptions {}

/** Options of one replacement of a bulk write. */
export type BulkReplaceOptions = Pick<UpdateOptions, 'upsert' | 'collation' | 'hint'>;

/** Options of one deletion of a bulk write. */
export type BulkDeleteOptions = Pick<UpdateOptions, 'collation' | 'hint'>;

/** Options of `execute()`: the driver's, and whether to validate. */
export interface BulkOptions
  extends
    Pick<
      BulkWriteOptions,
      'ordered' | 'session' | 'writeConcern' | 'comment' | 'let' | 'bypassDocumentValidation' | 'timeoutMS'
    >,
    ManyOptions {
  /**
   * Whether inserted and replacing documents are validated before anything is sent.
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

/** One operation: the parts that the driver takes it in, and what an insert or a replacement is made of. */
interface Operation {
  readonly name: BulkResult['operation'];
  /** A replacement that counts is an update. */
  readonly sentAs?: BulkResult['operation'];
  readonly parts: BSON.Document;
  readonly made?: Made;
}

interface Made {
  readonly document: Document<unknown>;
  /** True where the program gave an `_id`. A replacement has none otherwise. */
  readonly hasId: boolean;
}

/**
 * Operations of several kinds on one collection, sent together. Inputs become documents with defaults and are validated,
 * filters are cast and updates note their time, as by the statics of the same names.
 *
 * ```ts
 * const [inserted, updated] = await User.bulk()
 *   .insertOne({ name: 'Ann' })
 *   .updateMany({ age: { $lt: 18 } }, { $set: { minor: true } })
 *   .execute();
 * ```
 *
 * `D` is the class's documents, `I` what `new` takes.
 */
export class Bulk<D, I extends object = object> {
  readonly #model: DocumentClass;
  readonly #operations: Operation[] = [];
  #isExecuted = false;

  /** @internal Made by `Model.bulk()`. */
  constructor(model: DocumentClass) {
    this.#model = model;
  }

  /** How many operations there are. */
  get size(): number {
    return this.#operations.length;
  }

  /** Inserts a new document. */
  insertOne(input: I): this {
    return this.#add({ name: 'insertOne', parts: {}, made: this.#make(input) });
  }

  /** Updates the first document that matches; with `{ upsert: true }` inserts one where none does. */
  updateOne(filter: Filter<D>, update: Update<D>, options?: BulkUpdateOptions): this {
    return this.#update('updateOne', filter, update, options);
  }

  /** Updates every document that matches. */
  updateMany(filter: Filter<D>, update: Update<D>, options?: BulkUpdateOptions): this {
    return this.#update('updateMany', filter, update, options);
  }

  /** Replaces the first document that matches by what an insert would store. */
  replaceOne(filter: Filter<D>, replacement: I, options: BulkReplaceOptions = {}): this {
    const cast = ownFilter(this.#definition, filter);
    const made = this.#make(replacement);
    if (options.upsert === true) checkUpsertedId(this.#definition, cast, made.hasId);
    refuseNamed('replaceOne', this.#definition, options, ['arrayFilters']);
    return this.#add({ name: 'replaceOne', parts: { filter: cast, ...options }, made });
  }

  /** Deletes the first document that matches. */
  deleteOne(filter: Filter<D>, options?: BulkDeleteOptions): this {
    return this.#delete('deleteOne', filter, options);
  }

  /** Deletes every document that matches. */
  deleteMany(filter: Filter<D>, options?: BulkDeleteOptions): this {
    return this.#delete('deleteMany', filter, options);
  }

  /**
   * Validates all new documents, then sends all operations: in their order, ending at the first that fails, or with
   * `{ ordered: false }` in any order, all of them. A server before MongoDB 8.0 tells totals only of many operations, so
   * there each has a command of its own, but inserts.
   *
   * @returns a result for each operation.
   * @throws ValidationError when an input is refused; nothing was sent. The keys of an issue begin with the operation's place.
   * @throws BulkWriteError when any operation failed; its `results` tell of each.
   */
  async execute(options: BulkOptions = {}): Promise<BulkResult[]> {
    const { validate, history, ordered = true, ...sent } = options;
    const definition = this.#definition;
    const recorder = recorderOf(definition);
    recorder.checkMany(definition, 'bulk', history);
    if (this.#isExecuted)
      throw new UsageError('This bulk write was executed before: make a new one.', definition.context);
    checkWriteConcern('execute', { definition, context: definition.context }, sent);
    refuseNamed('execute', definition, sent, ['explain', 'raw', 'verboseResults', 'promoteValues']);
    const finished = await this.#finish(validate ?? definition.validate);
    const asSent = async ({ name, sentAs = name, parts }: Operation): Promise<Operation> => ({
      name,
      ...(await recorder.bulkOperation(definition, { sentAs, parts }, sent)),
    });
    const operations: Operation[] = [];
    // A session takes one command at a time.
    if (sent.session === undefined) operations.push(...(await Promise.all(finished.map(asSent))));
    else for (const operation of finished) operations.push(await asSent(operation));
    if (operations.length === 0) return [];
    this.#isExecuted = true;
    const { hasBulkWrite } = await limitsOf(definition.connection());
    const results = await (hasBulkWrite ? byClient : oneByOne)(definition, operations, { ...sent, ordered });
    if (!results.some(({ error }) => error !== undefined)) return results;
    throw new BulkWriteError(resultsLeft(results, sent), definition.context);
  }

  get #definition(): ModelDefinition {
    return this.#model.prototype[definitionKey];
  }

  #add(operation: Operation): this {
    this.#operations.push(operation);
    return this;
  }

  #make(input: object): Made {
    const document = new this.#model(input);
    checkOwnFields(document);
    return { document, hasId: (input as { _id?: unknown })._id !== undefined };
  }

  #update(
    name: 'updateOne' | 'updateMany',
    filter: object,
    update: object,
    { timestamps, ...given }: BulkUpdateOptions = {},
  ): this {
    const cast = ownFilter(this.#definition, filter);
    const options = safeOptions(this.#definition, given, update);
    const stamped = stampUpdate(this.#definition, update, {
      upsert: options.upsert === true,
      timestamps,
      filter: cast,
    });
    return this.#add({ name, parts: { filter: cast, update: stamped, ...options } });
  }

  #delete(name: 'deleteOne' | 'deleteMany', filter: object, options: BulkDeleteOptions = {}): this {
    refuseNamed(name, this.#definition, options, ['upsert', 'arrayFilters']);
    return this.#add({ name, parts: { filter: ownFilter(this.#definition, filter), ...options } });
  }

  /** What is sent: new documents as they were when they were found valid. */
  async #finish(validated: boolean): Promise<Operation[]> {
    const issues: ValidationIssue[] = [];
    const finished: Operation[] = [];
    for (const [place, operation] of this.#operations.entries()) {
      try {
        finished.push(await finish(operation, validated));
      } catch (error) {
        if (!(error instanceof ValidationError)) throw error;
        issues.push(...error.issues.map((issue) => issueWithin(issue, place)));
      }
    }
    if (issues.length > 0) throw new ValidationError(issues, this.#definition.context);
    return finished;
  }
}

async function finish(operation: Operation, validated: boolean): Promise<Operation> {
  const { name, parts, made } = operation;
  if (made === undefined) return operation;
  const stored = await insertion(stateOf(made.document), validated);
  if (name === 'insertOne') return { name, parts: { document: stored } };
  const { _id, ...others } = stored;
  const replacement = made.hasId ? stored : others;
  const { version } = made.document[definitionKey];
  if (version === undefined) return { name, parts: { ...parts, replacement } };
  return { name, sentAs: 'updateOne', parts: { ...parts, update: countedReplacement(version, replacement) } };
}

type ExecuteOptions = Omit<BulkOptions, 'validate'> & { readonly ordered: boolean };

// ── servers with the command bulkWrite ──────────────────────────────────────────────────────────────────────────────

async function byClient(
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
  return updated === undefined ? results?.deleteResults?.get(place) : countsOf(updated);
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
async function oneByOne(
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
      return countsOf(await collection[sentAs](filter, update, all));
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
