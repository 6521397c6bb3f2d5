import { type ClientSession, MongoError, type MongoClient, type TransactionOptions as DriverOptions } from 'mongodb';
import { currentAttempt, TransactionAttempt } from './transaction-attempt.ts';
import { AfterHookError, OutcomeUnknownError, UsageError } from '../errors.ts';
import { outcomeOf, safely, translate } from './write-outcome.ts';

/** The driver's options that a transaction follows. */
const OPTIONS = ['readConcern', 'writeConcern', 'readPreference', 'maxCommitTimeMS'] as const;

/** Options of a transaction: the driver's. */
export type TransactionOptions = Pick<DriverOptions, (typeof OPTIONS)[number]>;

/** What is done in a transaction. It gets the driver's session, for the driver's own methods; everything else needs none. */
export type TransactionCallback<R> = (session: ClientSession) => R | PromiseLike<R>;

/** Runs a callback in a transaction, or in the one around the call. */
export async function runTransaction<R>(
  client: MongoClient,
  callback: TransactionCallback<R>,
  options: TransactionOptions = {},
): Promise<R> {
  if (typeof callback !== 'function') throw new UsageError('transaction() takes a function, which is called in it.');
  const unknown = Object.keys(options).find((name) => !(OPTIONS as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new UsageError(`transaction() takes the options ${OPTIONS.join(', ')}, not "${unknown}".`);
  const outer = currentAttempt();
  return outer === undefined || outer.isOver
    ? begin(client, callback, options)
    : join(outer, client, callback, options);
}

/** An inner transaction is a part of the outer one, and fails with it: what it did so far cannot be taken back alone. */
async function join<R>(
  outer: TransactionAttempt,
  client: MongoClient,
  callback: TransactionCallback<R>,
  options: TransactionOptions,
): Promise<R> {
  outer.checkClient(client);
  outer.checkOpen();
  const [given] = Object.keys(options);
  if (given !== undefined) {
    const text = `transaction() inside another one is a part of that, so it cannot have the option "${given}": give it to the outer one.`;
    throw new UsageError(text);
  }
  try {
    return await callback(outer.session);
  } catch (error) {
    outer.end(error);
    throw error;
  }
}

async function begin<R>(
  client: MongoClient,
  callback: TransactionCallback<R>,
  options: TransactionOptions,
): Promise<R> {
  const session = client.startSession();
  const last: { attempt?: TransactionAttempt } = {};
  const result = await perform(client, session, last, callback, options);
  const errors = (await last.attempt?.callAfterCommit()) ?? [];
  if (errors.length > 0)
    throw new AfterHookError('The transaction was committed, and what a hook did after that failed.', { errors });
  return result;
}

/** Gives what the callback gave in the attempt that was committed. */
async function perform<R>(
  client: MongoClient,
  session: ClientSession,
  last: { attempt?: TransactionAttempt },
  callback: TransactionCallback<R>,
  options: TransactionOptions,
): Promise<R> {
  try {
    const result = await session.withTransaction(() => {
      // A commit that failed may have the callback run again.
      last.attempt?.finish('restored');
      last.attempt = new TransactionAttempt(client, session);
      return last.attempt.perform(callback);
    }, options);
    last.attempt?.finish('committed');
    return result;
  } catch (error) {
    if (last.attempt?.isDone === true) throw failCommit(last.attempt, error);
    throw last.attempt?.thrown ? last.attempt.thrown.error : translate(error, {});
  } finally {
    await session.endSession();
  }
}

const FATES = { refused: 'restored', applied: 'committed', unknown: 'unknown' } as const;

/** The callback was through, and the commit failed. */
function failCommit(attempt: TransactionAttempt, error: unknown): unknown {
  const isUnknown = error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult');
  const outcome = isUnknown ? 'unknown' : outcomeOf(error);
  attempt.finish(FATES[outcome]);
  if (outcome !== 'unknown') return translate(error, {});
  const text =
    'The commit of the transaction was sent, and its answer never came: read what is stored, of documents by reload(), before it is run again.';
  return new OutcomeUnknownError(text, { cause: safely(error) });
}
