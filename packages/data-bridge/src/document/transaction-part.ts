import { currentAttempt, type Fate, type Member, type TransactionAttempt } from '../connection/transaction-attempt.ts';
import { type ErrorContext, UsageError } from '../errors.ts';
import type { OperationQueue } from './operation-queue.ts';

/** What a transaction needs of a document. */
export interface Participant {
  /** Its part in the transaction that is under way; null where it takes part in none. */
  part: TransactionPart | null;
  readonly operations: OperationQueue;
  readonly context: ErrorContext;
  /** Keeps everything that a transaction that is taken back puts back. */
  keep(): KeptState;
  /** The transaction's commit was never answered, and the document was written in it. */
  doubted(): void;
}

/** A document as it was at some time. */
export interface KeptState {
  /** Takes the document back. */
  restore(): void;
  /** True where the document was saved or deleted since. */
  isWritten(): boolean;
}

/** A document's part in one run of a transaction. */
export class TransactionPart implements Member {
  readonly attempt: TransactionAttempt;
  /** True when more was done than reading. */
  isFirm: boolean;
  readonly #document: Participant;
  readonly #kept: KeptState;

  constructor(document: Participant, attempt: TransactionAttempt, isFirm: boolean) {
    this.attempt = attempt;
    this.isFirm = isFirm;
    this.#document = document;
    this.#kept = document.keep();
  }

  idle(): Promise<void> {
    return this.#document.operations.idle();
  }

  leave(fate: Fate): void {
    if (this.#document.part !== this) return;
    this.#document.part = null;
    if (fate === 'restored') this.#kept.restore();
    if (fate === 'unknown' && this.#kept.isWritten()) this.#document.doubted();
  }
}

/**
 * Has a document take part in the transaction around the call, if there is one, from now on until that is over.
 *
 * @param isReading true where a value was handed out that may be changed in place. It need not be, so whoever does
 *   more comes first.
 * @throws UsageError while others are busy with the document.
 */
export function joinTransaction(document: Participant, isReading: boolean): void {
  const attempt = currentAttempt();
  const { part } = document;
  if (attempt === undefined && part === null) return;
  if (attempt !== undefined && part?.attempt === attempt) {
    part.isFirm ||= !isReading;
    return;
  }
  const obstacle = findObstacle(document);
  if (isReading && (part !== null || obstacle !== null)) return;
  if (attempt === undefined || attempt.isOver) {
    if (obstacle === null) document.part = null;
    return;
  }
  if (obstacle !== null) throw new UsageError(obstacle, document.context);
  document.part = new TransactionPart(document, attempt, !isReading);
  attempt.join(document.part);
}

/** Why nothing may be done with a document now where the call is, because of a transaction; null where it may. */
export function findObstacle({ part, operations }: Participant): string | null {
  const attempt = currentAttempt();
  if (part?.attempt === attempt) return null;
  if (part?.isFirm === true)
    return 'The document takes part in a transaction that is under way: do this inside of its callback, or when it is over.';
  return attempt === undefined || attempt.isOver || !operations.isBusy
    ? null
    : 'An operation on the document began before the transaction and is not over: await it first.';
}
