import type { Abortable, BSON, BulkWriteOptions } from 'mongodb';
import { type BulkFailure, readFailure } from '../connection/bulk-failure.ts';
import { isInTransaction } from '../connection/transaction-attempt.ts';
import { safely, translate } from '../connection/write-outcome.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { type BulkResult, OutcomeUnknownError } from '../errors.ts';

/** What became of one document of an insert of many. */
export interface InsertFate {
  /** `unknown` where its answer never came; `untried` where the insert ended before it. */
  readonly outcome: 'inserted' | 'refused' | 'unknown' | 'untried';
  /** Why it was not inserted, or was and not confirmed as asked, in this package's words. */
  readonly error?: unknown;
  /** What befell a hook after it was inserted. */
  readonly hookError?: unknown;
}

/** What became of all of them. */
export interface InsertFates {
  readonly fates: readonly InsertFate[];
  /** What befell the command as a whole, where that is all there is to tell. */
  readonly failure?: unknown;
}

const INSERTED: InsertFate = { outcome: 'inserted' };
const UNTRIED: InsertFate = { outcome: 'untried' };

/**
 * Inserts documents by one call of the driver, and tells what became of each. It throws nothing.
 *
 * @param advice what to do where the answer never came.
 */
export async function sendInserts(
  definition: ModelDefinition,
  documents: BSON.Document[],
  options: BulkWriteOptions & Partial<Abortable>,
  advice: string,
): Promise<InsertFates> {
  let answer: BulkFailure;
  try {
    if (options.signal?.aborted === true) return unsent(documents, options.signal.reason);
    await definition.collection().insertMany(documents, options);
    return { fates: documents.map(() => INSERTED) };
  } catch (error) {
    answer = readFailure(error);
  }
  const { refused, failure, done } = answer;
  const asked = options.ordered ?? true;
  const tried = asked && refused.size > 0 ? Math.max(...refused.keys()) + 1 : documents.length;
  const error = failure && wordsOf(definition, failure, advice);
  const fates = documents.map((_, place): InsertFate => {
    const refusal = refused.get(place);
    if (refusal !== undefined) return { outcome: 'refused', error: translate(refusal, definition.context, definition) };
    if (place >= tried) return UNTRIED;
    if (failure === undefined) return INSERTED;
    // Batches go one after another: all up to here were answered.
    const isAnswered = place < done + refused.size;
    if (failure.outcome === 'applied') return isAnswered ? { outcome: 'inserted', error } : UNTRIED;
    return isAnswered ? INSERTED : { outcome: failure.outcome, error };
  });
  const isAllTheSame = error !== undefined && fates.every((fate) => fate.error === error);
  return withoutTakenBack({ fates, ...(isAllTheSame && { failure: error }) }, options);
}

function unsent(documents: readonly BSON.Document[], reason: unknown): InsertFates {
  return { fates: documents.map(() => ({ outcome: 'refused', error: reason })), failure: reason };
}

/** An error ends a transaction, which takes back what was inserted in it before. */
export function withoutTakenBack(told: InsertFates, options: BulkWriteOptions): InsertFates {
  const isEnded = told.fates.some(({ outcome, error }) => outcome !== 'inserted' || error !== undefined);
  if (!isEnded || !isInTransaction(options)) return told;
  const fates = told.fates.map((fate): InsertFate => {
    if (fate.outcome !== 'inserted') return fate;
    return fate.error === undefined ? UNTRIED : { outcome: 'refused', error: fate.error };
  });
  return { ...told, fates };
}

/** The same for the results of a bulk write that failed. */
export function resultsLeft(results: readonly BulkResult[], options: BulkWriteOptions): readonly BulkResult[] {
  // What a hook after it threw ends no transaction.
  if (!isInTransaction(options) || results.every(({ error }) => error === undefined)) return results;
  return results.map(({ operation, error }) => ({ operation, ...(error !== undefined && { error }) }));
}

function wordsOf(
  definition: ModelDefinition,
  { error, outcome }: { readonly error: unknown; readonly outcome: 'applied' | 'refused' | 'unknown' },
  advice: string,
): unknown {
  if (outcome !== 'unknown') return translate(error, definition.context, definition);
  const text = `The documents were sent, and the connection broke before the answer came: any of them may be stored. ${advice}`;
  return new OutcomeUnknownError(text, { ...definition.context, cause: safely(error) });
}
