import type { Catalog } from '../catalog/catalog.ts';
import { ServerError } from '../errors.ts';
import type { Transaction } from '../catalog/transaction.ts';
import type { Cursors } from '../cursors/cursors.ts';
import { CursorReply, type Reply } from '../messages/reply.ts';
import { type Sessions, tooOld } from './sessions.ts';
import type { InTransaction } from '../messages/transaction-fields.ts';

/** A transaction that takes longer is aborted. As MongoDB's `transactionLifetimeLimitSeconds`. */
const LIFETIME_SECONDS = 60;

interface OpenTransaction {
  readonly number: bigint;
  readonly transaction: Transaction;
  /** The cursors that it has opened, with their namespaces: they end with it. */
  readonly cursors: Map<bigint, string>;
  /** When it is aborted, in milliseconds of the process. */
  readonly expires: number;
}

/** The transactions that clients have begun, one at a time in each session. */
export class ClientTransactions {
  readonly #catalog: Catalog;
  readonly #cursors: Cursors;
  readonly #sessions: Sessions;
  readonly #lifetime: number;
  /** Those that are open, by the ids of their sessions. */
  readonly #open = new Map<string, OpenTransaction>();

  constructor(catalog: Catalog, cursors: Cursors, sessions: Sessions, lifetimeSeconds = LIFETIME_SECONDS) {
    this.#catalog = catalog;
    this.#cursors = cursors;
    this.#sessions = sessions;
    this.#lifetime = lifetimeSeconds * 1000;
  }

  /** Runs a command in its transaction. An error ends the transaction. */
  run(part: InTransaction, command: () => Reply): Reply {
    const open = part.starts ? this.#begin(part) : this.#continue(part);
    try {
      const reply = this.#catalog.transaction(() => this.#catalog.within(open.transaction, command));
      if (reply instanceof CursorReply && reply.id !== 0n) open.cursors.set(reply.id, reply.namespace);
      if (reply instanceof Map && reply.has('writeErrors')) this.#close(part.session.id);
      return reply;
    } catch (error) {
      this.#close(part.session.id);
      throw error;
    }
  }

  /** Stores what a transaction has written. A second call does no harm. Throws 251 where it was aborted. */
  commit(part: InTransaction): void {
    const { session, number } = part;
    const last = this.#sessions.find(session.id);
    if (last?.number === number && last.committed) return;
    const { transaction } = this.#continue(part);
    try {
      const kept = this.#catalog.transaction(() => {
        this.#catalog.commit(transaction, { session: session.bytes, number });
        return this.#sessions.committed(session.id, number);
      });
      kept();
    } finally {
      this.#close(session.id);
    }
  }

  /** Throws 251 where it was aborted before, 256 where it was committed. */
  abort(part: InTransaction): void {
    this.#continue(part);
    this.#close(part.session.id);
  }

  /** Aborts what is open in a session. */
  endSession(id: string): void {
    if (this.#open.has(id)) this.#close(id);
  }

  endAllSessions(): void {
    for (const id of this.#open.keys()) this.#close(id);
  }

  /** Aborts what has been open for too long. */
  removeExpired(): void {
    for (const [id, { expires }] of this.#open) if (expires <= performance.now()) this.#close(id);
  }

  /** Throws where a cursor was not opened in this transaction, but in another or in none. */
  checkCursor(id: bigint, part: InTransaction | undefined): void {
    for (const [session, { cursors, number }] of this.#open) {
      const isOwn = part?.session.id === session && part.number === number;
      if (cursors.has(id) === isOwn) continue;
      if (!isOwn && part === undefined) {
        throw new ServerError(
          50740,
          `Cannot run getMore on cursor ${id}, which was created in a transaction, without it`,
        );
      }
      throw new ServerError(50741, `Cannot run getMore on cursor ${id} in a transaction that has not created it`);
    }
  }

  #begin({ session: { id }, number }: InTransaction): OpenTransaction {
    const last = this.#sessions.find(id);
    if (last !== undefined && number < last.number) throw tooOld(id, number, last.number);
    if (last?.number === number) {
      throw new ServerError(
        117,
        `Cannot start a transaction at transaction number ${number}, which has been used before`,
      );
    }
    this.endSession(id);
    this.#sessions.begin(id, number);
    const open: OpenTransaction = {
      number,
      transaction: this.#catalog.begin(),
      cursors: new Map(),
      expires: performance.now() + this.#lifetime,
    };
    this.#open.set(id, open);
    return open;
  }

  #continue({ session: { id }, number }: InTransaction): OpenTransaction {
    const last = this.#sessions.find(id);
    if (last === undefined || number > last.number) {
      throw new ServerError(
        251,
        `Given transaction number ${number} does not match any in-progress transactions. ` +
          `The active transaction number is ${last?.number ?? -1}`,
      );
    }
    if (number < last.number) throw tooOld(id, number, last.number);
    if (last.committed) throw new ServerError(256, `Transaction with txnNumber ${number} has been committed.`);
    const open = this.#open.get(id);
    if (open?.transaction.isOpen === true && open.expires > performance.now()) return open;
    this.endSession(id);
    throw new ServerError(251, `Transaction with txnNumber ${number} has been aborted.`);
  }

  #close(id: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    this.#catalog.abort(open.transaction);
    for (const [cursor, namespace] of open.cursors) this.#cursors.kill(cursor, namespace);
  }
}
