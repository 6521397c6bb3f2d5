import { Binary, Int32, Long } from 'bson';
import { decode, encode } from '../values/bson.ts';
import { DateTime, type Document, documentOf, isArray, isDocument } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import type { ServerState } from '../storage/storage.ts';
import type { RetryableWrite } from '../messages/transaction-fields.ts';

/** A session that nobody uses that long is forgotten: what `hello` promises to clients. */
export const SESSION_TIMEOUT_MINUTES = 30;
const SESSION_TIMEOUT_MS = SESSION_TIMEOUT_MINUTES * 60_000;

/** So many sessions are remembered at a time. */
const MAX_SESSIONS = 100_000;

/** The names of sessions in the state of the server: this and their ids. */
const STATE_PREFIX = 'session ';

/** What is remembered of a session. */
export interface Session {
  /** Its last transaction number. */
  readonly number: bigint;
  /** How the retryable writes of that number were answered. */
  readonly answers: readonly Answer[];
  /** True where that is the number of a transaction that was committed. */
  readonly committed: boolean;
  /** When it was last used, in milliseconds since 1970. */
  readonly used: number;
}

/** The answer to one retryable write. */
interface Answer {
  /** The numbers of its statements. */
  readonly statements: readonly number[];
  readonly reply: Uint8Array;
}

/**
 * The sessions that have sent transaction numbers. Where the storage is persistent they are kept there too, so that a
 * write is done once, though the server was restarted before the client could ask again.
 */
export class Sessions {
  readonly #state: ServerState | undefined;
  /** The one that was used last comes last. */
  readonly #sessions = new Map<string, Session>();

  /** @param state where they outlive the server; undefined where nothing does */
  constructor(state?: ServerState) {
    this.#state = state;
    const stored = (state?.names(STATE_PREFIX) ?? []).map((name) => {
      return [name.slice(STATE_PREFIX.length), readSession(state?.get(name))] as const;
    });
    for (const [id, session] of stored.sort(([, a], [, b]) => a.used - b.used)) this.#sessions.set(id, session);
  }

  find(id: string): Session | undefined {
    const session = this.#sessions.get(id);
    return session !== undefined && isOver(session) ? undefined : session;
  }

  /**
   * The answer that this very write had. Throws 225 where a later one has come since, 238 where only some of its
   * statements were answered.
   */
  answered({ session: { id }, number, statements }: RetryableWrite): Uint8Array | undefined {
    const session = this.find(id);
    if (session === undefined || number > session.number) return undefined;
    if (number < session.number) throw tooOld(id, number, session.number);
    for (const answer of session.answers) {
      const repeated = statements.filter((statement) => answer.statements.includes(statement)).length;
      if (repeated === statements.length && repeated === answer.statements.length) return answer.reply;
      if (repeated === 0) continue;
      throw new ServerError(
        238,
        'The embedded server does not support a retryable write of which some statements have been executed before.',
      );
    }
    return undefined;
  }

  /** Notes that a transaction has begun. Throws 261 where there are too many sessions. */
  begin(id: string, number: bigint): void {
    this.#keep(id, { number, answers: [], committed: false, used: Date.now() });
  }

  /**
   * Notes how a write was answered, within its transaction of the storage. What is given back has to be called once
   * that is through.
   */
  remember({ session: { id }, number, statements }: RetryableWrite, reply: Uint8Array): () => void {
    const before = this.find(id);
    const answers = before?.number === number ? before.answers : [];
    return this.#store(id, {
      number,
      answers: [...answers, { statements, reply }],
      committed: false,
      used: Date.now(),
    });
  }

  /** Notes that a transaction was committed. Like `remember`. */
  committed(id: string, number: bigint): () => void {
    return this.#store(id, { number, answers: [], committed: true, used: Date.now() });
  }

  /** True where there are sessions whose time is over. */
  get hasExpired(): boolean {
    const [oldest] = this.#sessions.values();
    return oldest !== undefined && isOver(oldest);
  }

  /** Forgets the sessions whose time is over. */
  removeExpired(): void {
    for (const [id, session] of this.#sessions) {
      if (!isOver(session)) return;
      this.end(id);
    }
  }

  end(id: string): void {
    if (this.#sessions.delete(id)) this.#state?.remove(STATE_PREFIX + id);
  }

  endAll(): void {
    for (const id of this.#sessions.keys()) this.end(id);
  }

  /** Throws 261 where there is no room for another session. */
  checkRoom(id: string): void {
    if (this.#sessions.size < MAX_SESSIONS || this.#sessions.has(id)) return;
    this.removeExpired();
    if (this.#sessions.size < MAX_SESSIONS) return;
    throw new ServerError(
      261,
      'Unable to add session into the cache because the number of active sessions is too high',
    );
  }

  #store(id: string, session: Session): () => void {
    this.checkRoom(id);
    this.#state?.set(STATE_PREFIX + id, writeSession(session));
    return () => this.#keep(id, session);
  }

  #keep(id: string, session: Session): void {
    this.checkRoom(id);
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
  }
}

function isOver({ used }: Session): boolean {
  return Date.now() - used > SESSION_TIMEOUT_MS;
}

/** The error for a transaction number that is not the last one of its session. */
export function tooOld(id: string, number: bigint, last: bigint): ServerError {
  return new ServerError(
    225,
    `The transaction number ${number} is prohibited on session ${id} because a newer one, ${last}, has already started.`,
  );
}

function writeSession({ number, answers, committed, used }: Session): Uint8Array {
  const described = answers.map(({ statements, reply }) =>
    documentOf(['statements', statements.map((statement) => new Int32(statement))], ['reply', new Binary(reply)]),
  );
  return encode(
    documentOf(
      ['number', Long.fromBigInt(number)],
      ['answers', described],
      ['committed', committed],
      ['used', new DateTime(BigInt(used))],
    ),
  );
}

/** Reads what `writeSession` wrote. Throws for anything else. */
function readSession(bytes: Uint8Array | undefined): Session {
  const document: Document = bytes === undefined ? new Map() : decode(bytes);
  const number = document.get('number');
  const answers = document.get('answers');
  const used = document.get('used');
  if (!(number instanceof Long) || !isArray(answers) || !(used instanceof DateTime)) throw unreadable();
  return {
    number: number.toBigInt(),
    committed: document.get('committed') === true,
    used: Number(used.milliseconds),
    answers: answers.map((answer) => {
      const reply = isDocument(answer) ? answer.get('reply') : undefined;
      const statements = isDocument(answer) ? answer.get('statements') : undefined;
      if (!(reply instanceof Binary) || !isArray(statements)) throw unreadable();
      return {
        reply: reply.value(),
        statements: statements.map((statement) => (statement instanceof Int32 ? statement.value : -1)),
      };
    }),
  };
}

function unreadable(): Error {
  return new Error('What is stored of a session cannot be read.');
}
