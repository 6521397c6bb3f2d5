import { createHash } from 'node:crypto';
import type { BSON, MongoClient } from 'mongodb';
import { encodeDocument } from '../bson/encode.ts';
import { UsageError } from '../errors.ts';
import { pathsOf } from './command-paths.ts';
import { checkAnswer, isRead } from './middleware-answer.ts';
import { neverSent } from './never-sent.ts';
import { commandChannel } from './tracing.ts';
import { currentAttempt } from './transaction-attempt.ts';

/** A command of the mapper on its way to the server, as middleware sees it. */
export interface MiddlewareCommand {
  /** The method of the driver's collection: `find`, `aggregate`, `updateOne` and so on. */
  readonly operation: string;
  readonly collection: string;
  readonly database: string;
  /** True in a transaction. */
  readonly isInTransaction: boolean;
  /** The stored paths that its filter, its update and its sort name. */
  readonly paths: readonly string[];
  /** At most how many documents a `find` asks for. */
  readonly limit: number | undefined;
  /** Of a write, how many documents or operations it holds; undefined where it is about one. */
  readonly batchSize: number | undefined;
  /** Of a `find` or an aggregation, after `next()`: true where the answer has all there is, and not a first batch. */
  readonly isWhole: boolean;
  /** What is given to the driver's method, values included. */
  values(): readonly unknown[];
  /**
   * A text that only commands have in common that ask for the same: of the same collection, with the same values and options. It is a
   * digest, so it tells no values. Comments and sessions do not count.
   */
  key(): string;
  /** Adds a comment, which the server's log and profiler show. */
  comment(text: string): void;
  /** How the server would run a `find` or an aggregation. */
  explain(): Promise<BSON.Document>;
}

/**
 * Code around each command. It calls `next()` to have it sent, and gives what that gives. Of a `find` or an aggregation that is a
 * list of documents as BSON. It may throw instead, and answer a read by itself.
 */
export type Middleware = (command: MiddlewareCommand, next: () => Promise<unknown>) => unknown;

/** What a command is about. */
interface About {
  readonly client: MongoClient;
  readonly operation: string;
  readonly database: string;
  readonly collection: string;
  readonly model: string;
  readonly explain?: (given: readonly unknown[]) => Promise<BSON.Document>;
}

const chains = new WeakMap<MongoClient, readonly Middleware[]>();
let isAny = false;

/** Has a client's commands go through middleware. */
export function useMiddleware(client: MongoClient, chain: readonly Middleware[]): void {
  if (chain.length === 0) return;
  chains.set(client, chain);
  isAny = true;
}

/** @throws UsageError for what is no list of functions. */
export function checkMiddleware(given: unknown): readonly Middleware[] {
  if (given === undefined) return [];
  if (Array.isArray(given) && given.every((each) => typeof each === 'function')) return given as Middleware[];
  throw new UsageError('connect() takes a list of functions as "middleware".');
}

/** True where anybody wants to know of a client's commands. */
export function isWatched(client: MongoClient): boolean {
  return (isAny && chains.has(client)) || commandChannel.hasSubscribers;
}

/** True where middleware sees what commands give. */
export function hasMiddleware(client: MongoClient): boolean {
  return chains.has(client);
}

/**
 * Sends a command through the middleware of its client.
 *
 * @param optionsAt at which place the method takes its options.
 * @param answer tells, after it was sent, whether that was all there is.
 */
export async function runWatched<R>(
  about: About,
  given: readonly unknown[],
  optionsAt: number,
  send: (given: readonly unknown[]) => Promise<R>,
  answer: { isWhole: boolean } = { isWhole: true },
): Promise<R> {
  const sent = [...given];
  const { client, operation, database, collection, model } = about;
  const batchSize = batchSizeOf(operation, given[0]);
  const trace = { operation, collection, database, model, batchSize };
  const traced = (): Promise<R> =>
    commandChannel.hasSubscribers ? commandChannel.tracePromise<R>(() => send(sent), trace) : send(sent);
  const chain = chains.get(client);
  if (chain === undefined) return traced();
  const command = commandOf(about, sent, optionsAt, batchSize, answer);
  const isReading = isRead(operation);
  const once = new OnlyOnce(traced, isReading);
  const last = (): Promise<unknown> => once.call();
  const through = chain.reduceRight<() => Promise<unknown>>(
    (next, middleware) => async () => middleware(command, next),
    last,
  );
  try {
    const result = await through();
    if (isReading) {
      checkAnswer(operation, result);
      return result as R;
    }
  } catch (error) {
    if (once.outcome === null) throw neverSent(error);
    if (isReading || !once.outcome.isDone) throw error;
    // What was done stays done: whoever watches it does not decide that.
    process.emitWarning(`A middleware failed after the command ${operation} was done: ${nameOf(error)}.`);
  }
  return once.result(operation);
}

/** A write is sent once, and what came of it is what the program gets. */
class OnlyOnce<R> {
  outcome: { readonly isDone: true; readonly value: R } | { readonly isDone: false; readonly error: unknown } | null =
    null;
  readonly #send: () => Promise<R>;
  readonly #isRead: boolean;
  #isSent = false;

  constructor(send: () => Promise<R>, isRead: boolean) {
    this.#send = send;
    this.#isRead = isRead;
  }

  async call(): Promise<R> {
    if (this.#isSent && !this.#isRead) throw new UsageError('A middleware called next() twice: a write is sent once.');
    this.#isSent = true;
    try {
      const value = await this.#send();
      this.outcome = { isDone: true, value };
      return value;
    } catch (error) {
      this.outcome = { isDone: false, error };
      throw error;
    }
  }

  result(operation: string): R {
    const { outcome } = this;
    if (outcome === null)
      throw new UsageError(`A middleware answered ${operation}, which writes: it may throw, but not answer by itself.`);
    if (outcome.isDone) return outcome.value;
    throw outcome.error;
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'it threw something else than an error';
}

function commandOf(
  about: About,
  sent: unknown[],
  optionsAt: number,
  batchSize: number | undefined,
  answer: { readonly isWhole: boolean },
): MiddlewareCommand {
  const { operation, collection, database, explain } = about;
  const options = (): Readonly<Record<string, unknown>> => (sent[optionsAt] ?? {}) as Record<string, unknown>;
  let paths: readonly string[] | undefined;
  return {
    operation,
    collection,
    database,
    isInTransaction: currentAttempt() !== undefined,
    get paths() {
      return (paths ??= pathsOf(operation, sent, options()['sort']));
    },
    get limit() {
      const { limit } = options();
      return typeof limit === 'number' && limit !== 0 ? limit : undefined;
    },
    batchSize,
    get isWhole() {
      return answer.isWhole;
    },
    values: () => sent,
    key() {
      const { session: _, signal: _signal, comment: _comment, ...asked } = options();
      const given = [...sent];
      given[optionsAt] = asked;
      return createHash('sha256')
        .update(encodeDocument({ operation, database, collection, given }))
        .digest('base64url');
    },
    comment(text) {
      sent[optionsAt] = { ...options(), comment: text };
    },
    async explain() {
      if (explain !== undefined) return explain(sent);
      throw new UsageError(`explain() tells of find and aggregations, not of ${operation}.`);
    },
  };
}

function batchSizeOf(operation: string, given: unknown): number | undefined {
  return Array.isArray(given) && (operation === 'insertMany' || operation === 'bulkWrite') ? given.length : undefined;
}
