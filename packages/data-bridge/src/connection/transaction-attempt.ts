import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { type ClientSession, type MongoClient, MongoError, MongoServerError } from 'mongodb';
import { UsageError } from '../errors.ts';
import { outcomeOf } from './write-outcome.ts';

/** How a transaction ended: `restored` when it was taken back, `unknown` when its commit was not answered. */
export type Fate = 'committed' | 'restored' | 'unknown';

/** What takes part in a transaction beside the server: a document in memory. */
export interface Member {
  /** Waits for the operations on it that were started. */
  idle(): Promise<void>;
  /** The transaction is over. */
  leave(fate: Fate): void;
}

/** Anything can be thrown, `undefined` too. */
interface Thrown {
  readonly error: unknown;
}

/** Made by the first transaction: on Node 20 the first use of it slows every promise of the process. */
let storage: AsyncLocalStorage<TransactionAttempt> | null = null;

/** The transaction that the current chain of calls is in, or was started from. */
export function currentAttempt(): TransactionAttempt | undefined {
  return storage?.getStore();
}

/**
 * True where what is done with these options is part of a transaction: the program's own by the option `session`, or
 * one of ours.
 */
export function isInTransaction({ session }: { readonly session?: ClientSession | undefined }): boolean {
  return session?.inTransaction() === true || currentAttempt() !== undefined;
}

/** @throws UsageError inside a transaction, for what a server cannot do there. */
export function refuseInTransaction(method: string, advice: string, model: string): void {
  if (currentAttempt() === undefined) return;
  throw new UsageError(`${method} cannot be part of a transaction: ${advice}.`, { model });
}

/**
 * One run of a transaction's callback: what is done in it, one operation after another, and the documents that take part.
 * When a transaction is tried again, that is a new one.
 */
export class TransactionAttempt {
  readonly client: MongoClient;
  readonly session: ClientSession;
  #members: WeakRef<Member>[] = [];
  readonly #afterCommit = new Map<object, () => Promise<unknown[]>>();
  /** The end of the operations that were started. */
  #tail: Promise<void> = Promise.resolve();
  /** What ended it early. */
  #failure: Thrown | null = null;
  /** What left the callback: where that is another error, it is the one that the program knows. */
  #thrown: Thrown | null = null;
  #phase: 'open' | 'done' | 'over' = 'open';

  constructor(client: MongoClient, session: ClientSession) {
    this.client = client;
    this.session = session;
  }

  /** True when the callback is through: then only the commit can have failed. */
  get isDone(): boolean {
    return this.#phase === 'done';
  }

  /** What left the callback, if anything. */
  get thrown(): Thrown | null {
    return this.#thrown;
  }

  /** True when it was committed or taken back. */
  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /**
   * Runs the program's callback, and waits for all that was started in it. Where it fails, the members are put back at once.
   *
   * @throws what ended it, as the driver has it: by that the driver knows whether to try again.
   */
  async perform<R>(callback: (session: ClientSession) => R | PromiseLike<R>): Promise<R> {
    storage ??= new AsyncLocalStorage();
    let result: R | undefined;
    try {
      // What it gives may begin only when it is awaited, as a query does.
      result = await storage.run(this, async () => callback(this.session));
    } catch (error) {
      this.end(error);
      this.#thrown = { error };
    }
    await Promise.all([this.#tail, ...this.#members.map((member) => member.deref()?.idle())]);
    if (this.#failure === null) {
      this.#phase = 'done';
      return result as R;
    }
    this.finish('restored');
    throw this.#failure.error;
  }

  /** Runs an operation of the driver after those that were started before: a session takes one at a time. */
  run<R>(operation: () => Promise<R>): Promise<R> {
    const result = this.#tail.then(() => {
      this.checkOpen();
      return operation();
    });
    this.#tail = result.then(ignore, (error: unknown) => {
      const reason = reasonToEnd(error);
      if (reason !== null) this.end(reason.error);
    });
    return result;
  }

  /** The same for what cleans up, which an ended transaction needs, too. */
  cleanUp(operation: () => Promise<void>): Promise<void> {
    const result = this.#tail.then(operation);
    this.#tail = result.then(ignore, ignore);
    return result;
  }

  /** @throws UsageError when nothing more can be done in it. */
  checkOpen(): void {
    if (this.#failure !== null) {
      const text =
        'The transaction was ended by an earlier error: let that leave the callback, which then runs again or fails.';
      throw new UsageError(text, { cause: this.#failure.error });
    }
    if (this.#phase === 'open') return;
    throw new UsageError(
      'The transaction is over: await in its callback all that belongs to it, timers and events included.',
    );
  }

  /** True when an error has ended it: it will not be committed. */
  get isEnded(): boolean {
    return this.#failure !== null;
  }

  /** True of an error that only says that an earlier one has ended it. */
  endedBefore(error: unknown): boolean {
    return error instanceof UsageError && this.#failure !== null && error.cause === this.#failure.error;
  }

  /** Ends it: nothing more is sent, and it will not be committed. */
  end(error: unknown): void {
    this.#failure ??= { error };
  }

  /** The driver's options with the session of the transaction. @throws UsageError for another session. */
  withSession<O extends object>(options: O | undefined): O & { session: ClientSession } {
    const { session } = (options ?? {}) as { session?: ClientSession };
    if (session !== undefined && session !== this.session) {
      const text =
        'Inside a transaction everything is part of it: leave the option "session" out, or do this outside of the callback.';
      throw new UsageError(text);
    }
    return { ...(options as O), session: this.session };
  }

  /** @throws UsageError for a model on another connection. */
  checkClient(client: MongoClient, model?: string): void {
    if (client === this.client) return;
    const text =
      'The transaction is one of another connection: bind the model to that by using(connection), or do this outside of the callback.';
    throw new UsageError(text, { model });
  }

  /** Takes in a member. What the program drops meanwhile needs no care. */
  join(member: Member): void {
    this.#members.push(new WeakRef(member));
  }

  /**
   * Notes what is to be called when it is committed, of each owner once: in the order in which they were noted first. It is called
   * outside of the transaction, and else for whomever it was noted: a tenant, an actor.
   *
   * @param call gives what went wrong.
   */
  afterCommit(owner: object, call: () => Promise<unknown[]>): void {
    if (this.#afterCommit.has(owner)) return;
    const outside = (): Promise<unknown[]> => (storage === null ? call() : storage.exit(call));
    this.#afterCommit.set(owner, AsyncResource.bind(outside));
  }

  /** Calls what was noted. Gives what went wrong. */
  async callAfterCommit(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (const call of this.#afterCommit.values()) errors.push(...(await call().catch((error: unknown) => [error])));
    return errors;
  }

  /** It was committed, or taken back, or nobody knows. */
  finish(fate: Fate): void {
    this.#phase = 'over';
    for (const member of this.#members) member.deref()?.leave(fate);
    this.#members = [];
  }
}

/** The error by which the server, or the connection to it, ended the transaction; null where it goes on. */
function reasonToEnd(error: unknown): Thrown | null {
  // A bulk write hides what happened to its command, and the label by which the driver knows that it may try again.
  const { cause, errorResponse } = (error ?? {}) as { readonly cause?: unknown; readonly errorResponse?: unknown };
  const transient = [error, cause, errorResponse].find(isTransient);
  if (transient !== undefined) return { error: transient };
  return error instanceof MongoServerError || outcomeOf(error) === 'unknown' ? { error } : null;
}

function isTransient(error: unknown): boolean {
  return error instanceof MongoError && error.hasErrorLabel('TransientTransactionError');
}

function ignore(): void {
  // Whoever started the operation sees its error.
}
