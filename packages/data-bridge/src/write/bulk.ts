import { checkTaken } from '../connection/taken-options.ts';
import type { BSON } from 'mongodb';
import { limitsOf } from '../connection/server-limits.ts';
import { exactFilter, ownFilter } from '../filter/own-filter.ts';
import { countedReplacement } from './version-counter.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import type { DocumentClass } from '../save/document.ts';
import { stateOf } from '../document/tracked-document.ts';
import { type BulkResult, BulkWriteError, UsageError, ValidationError, type ValidationIssue } from '../errors.ts';
import { issueWithin } from './insert-many.ts';
import { checkOwnFields } from '../document/new-document.ts';
import { checkWriteConcern } from '../save/check-write-concern.ts';
import { removalUpdate } from '../save/door.ts';
import { insertion, type InsertionOptions } from '../save/save.ts';
import { rulesForMany } from '../references/delete-rules.ts';
import type { Filter } from '../types/filter.ts';
import type { Update } from '../types/update.ts';
import { checkHooks, errorAfter, hooksFor } from '../save/run-hooks.ts';
import { settle } from '../save/settle.ts';
import { recorderOf, type SentFilter } from '../save/recorder.ts';
import { stampUpdate } from './stamp-update.ts';
import { checkUpsertedId } from './upsert.ts';
import { byClient, type Made, oneByOne, type Operation } from './send-bulk.ts';
import { isDeletion, type Send, sendFollowing } from './send-following.ts';
import { resultsLeft } from './send-inserts.ts';
import { sentOptions } from './static-writes.ts';
import { checkReplacementOnce } from './write-once.ts';
import {
  type BulkDeleteOptions,
  type BulkOptions,
  type BulkReplaceOptions,
  type BulkUpdateOptions,
  IN_BULK,
} from './bulk-options.ts';

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
  replaceOne(filter: Filter<D>, replacement: I, given: BulkReplaceOptions = {}): this {
    checkTaken('replaceOne', this.#definition, given, [...IN_BULK.replace, 'unscoped']);
    const { unscoped, ...options } = given;
    const cast = exactFilter(this.#definition, filter, unscoped);
    const made = { ...this.#make(replacement), unscoped };
    if (options.upsert === true) checkUpsertedId(this.#definition, cast, made.hasId);
    const sent = sentOptions(this.#definition, options);
    return this.#add({ name: 'replaceOne', parts: { filter: cast, ...sent }, made });
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
    const definition = this.#definition;
    checkTaken('execute', definition, options, [...IN_BULK.execute, ...OF_EXECUTE]);
    const { validate, history, hooks, unscoped, rules, ordered = true, ...sent } = options;
    checkHooks('execute', definition.context, hooks);
    const recorder = recorderOf(definition);
    recorder.checkMany(definition, 'bulk', history);
    const deletes = this.#operations.some(({ name }) => isDeletion(name));
    const isFollowed = deletes && rulesForMany('bulk', definition, rules).length > 0;
    if (this.#isExecuted)
      throw new UsageError('This bulk write was executed before: make a new one.', definition.context);
    checkWriteConcern('execute', { definition, context: definition.context }, sent);
    const finished = await this.#finish({ validate, hooks, unscoped, session: sent.session });
    const asSent = async ({ name, rule, sentAs = name, parts }: Operation): Promise<Operation> => ({
      name,
      ...(rule !== undefined && { rule }),
      ...(await recorder.bulkOperation(definition, { sentAs, parts }, sent)),
    });
    const operations: Operation[] = [];
    // A session takes one command at a time.
    if (sent.session === undefined) operations.push(...(await Promise.all(finished.map(asSent))));
    else for (const operation of finished) operations.push(await asSent(operation));
    if (operations.length === 0) return [];
    this.#isExecuted = true;
    const { hasBulkWrite } = await limitsOf(definition.connection());
    const send: Send = (some) => (hasBulkWrite ? byClient : oneByOne)(definition, some, { ...sent, ordered });
    const sentResults = await (isFollowed
      ? sendFollowing(definition, operations, send, { ...sent, ...(hooks !== undefined && { hooks }), ordered })
      : send(operations));
    const results = await callAfter(this.#operations, operations, sentResults, { hooks, session: sent.session });
    if (!results.some(({ error, hookError }) => error !== undefined || hookError !== undefined)) return results;
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

  #update(name: 'updateOne' | 'updateMany', filter: object, update: object, given: BulkUpdateOptions = {}): this {
    checkTaken(name, this.#definition, given, [...IN_BULK.update, 'timestamps', 'unscoped']);
    const { timestamps, unscoped, ...others } = given;
    const cast = ownFilter(this.#definition, filter, unscoped);
    const options = sentOptions(this.#definition, others, update);
    const stamped = stampUpdate(this.#definition, update, {
      upsert: options.upsert === true,
      timestamps,
      filter: cast,
      unscoped,
    });
    return this.#add({ name, parts: { filter: cast, update: stamped, ...options } });
  }

  #delete(name: 'deleteOne' | 'deleteMany', filter: object, given: BulkDeleteOptions = {}): this {
    checkTaken(name, this.#definition, given, [...IN_BULK.delete, 'unscoped', 'hard']);
    const { unscoped, hard, ...options } = given;
    const sent = sentOptions(this.#definition, options);
    const parts = { filter: ownFilter(this.#definition, filter, unscoped), ...sent };
    const update = removalUpdate(this.#definition, { hard, unscoped });
    const rule = { hard, unscoped };
    if (update === null) return this.#add({ name, rule, parts });
    return this.#add({
      name,
      rule,
      sentAs: name === 'deleteOne' ? 'updateOne' : 'updateMany',
      parts: { ...parts, update },
    });
  }

  /** What is sent: new documents as they were when they were found valid. */
  async #finish(options: FinishOptions): Promise<Operation[]> {
    const issues: ValidationIssue[] = [];
    const finished: Operation[] = [];
    for (const [place, operation] of this.#operations.entries()) {
      try {
        finished.push(await finish(operation, options));
      } catch (error) {
        if (!(error instanceof ValidationError)) throw error;
        issues.push(...error.issues.map((issue) => issueWithin(issue, place)));
      }
    }
    if (issues.length > 0) throw new ValidationError(issues, this.#definition.context);
    return finished;
  }
}

/** Options of the package's own. */
const OF_EXECUTE = ['validate', 'history', 'hooks', 'unscoped', 'rules'] as const;

type FinishOptions = InsertionOptions;

async function finish(operation: Operation, options: FinishOptions): Promise<Operation> {
  const { name, parts, made } = operation;
  if (made === undefined) return operation;
  const kind = name === 'insertOne' ? 'insert' : 'replace';
  const { unscoped = options.unscoped } = made;
  const stored = await insertion(stateOf(made.document), kind, { ...options, unscoped });
  if (name === 'insertOne') return { name, parts: { document: stored } };
  const { _id, ...others } = stored;
  const replacement = made.hasId ? stored : others;
  checkReplacementOnce(made.document[definitionKey], parts['filter'] as SentFilter, replacement, unscoped);
  const { version } = made.document[definitionKey];
  if (version === undefined) return { name, parts: { ...parts, replacement } };
  return { name, sentAs: 'updateOne', parts: { ...parts, update: countedReplacement(version, replacement) } };
}

/** What comes after an insert is called when all is sent, and only of those that were confirmed as asked. */
async function callAfter(
  made: readonly Operation[],
  sent: readonly Operation[],
  results: readonly BulkResult[],
  options: FinishOptions,
): Promise<BulkResult[]> {
  const told: BulkResult[] = [];
  for (const [place, result] of results.entries()) {
    const document = made[place]?.made?.document;
    const isInserted = result.operation === 'insertOne' && 'insertedId' in result && result.error === undefined;
    const state = isInserted && document !== undefined ? stateOf(document) : null;
    const hooks = state && hooksFor(state, options);
    if (state === null || hooks === null) {
      told.push(result);
      continue;
    }
    settle(state, { kind: 'insert', document: sent[place]?.parts['document'] as BSON.Document, entry: undefined });
    const hookError = await errorAfter(state, hooks, 'insert');
    told.push(hookError === undefined ? result : { ...result, hookError });
  }
  return told;
}
