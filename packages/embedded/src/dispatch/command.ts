import type { Catalog } from '../catalog/catalog.ts';
import { ServerError } from '../errors.ts';
import { decode } from '../values/bson.ts';
import type { Collation } from '../values/collation.ts';
import type { Variables } from '../engine/expression/operator.ts';
import type { DateTime, Document } from '../values/value.ts';
import type { ClientTransactions } from '../sessions/client-transactions.ts';
import type { Cursors } from '../cursors/cursors.ts';
import type { Fields } from '../messages/fields.ts';
import { MAX_BATCH_COUNT } from '../messages/limits.ts';
import type { Reply } from '../messages/reply.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { InTransaction, RetryableWrite } from '../messages/transaction-fields.ts';

/** What the commands of one server share. */
export interface Context {
  readonly catalog: Catalog;
  readonly cursors: Cursors;
  readonly sessions: Sessions;
  readonly transactions: ClientTransactions;
  readonly startedAt: Date;
  /** Where the server is, as `hello` tells it: `<host>:<port>`, or the path of a socket. */
  readonly host: string;
  /** The largest message that the wire takes, in bytes. */
  readonly maxMessageSize: number;
  /** How many clients are connected now, and how many ever were. */
  connections(): { readonly current: number; readonly total: number };
}

/** The connection that a command came on. */
export interface Client {
  readonly id: number;
  readonly address: string;
  /** Aborted when the connection has ended: nobody waits for an answer any more. */
  readonly gone: AbortSignal;
}

/** The time limit of one command, `maxTimeMS`. It is lifted once the command has answered: its cursor may live longer. */
export class Deadline {
  #end: number;

  constructor(milliseconds: number) {
    this.#end = performance.now() + milliseconds;
  }

  /** Throws 50 when the time is over. */
  check(): void {
    if (performance.now() > this.#end) throw this.error();
  }

  error(): ServerError {
    return new ServerError(50, 'operation exceeded time limit');
  }

  /** Milliseconds until then. */
  get left(): number {
    return Math.max(0, this.#end - performance.now());
  }

  lift(): void {
    this.#end = Number.POSITIVE_INFINITY;
  }
}

/** What holds for every expression and every look at the records within one command. */
export interface Scope {
  /** The time of the command: `$$NOW` and `$currentDate`. */
  readonly now: DateTime;
  /** NOW, and the variables of the command's `let`. */
  readonly variables: Variables;
  /** How texts are compared; by their bytes when undefined. */
  readonly collation: Collation | undefined;
  readonly deadline: Deadline | undefined;
  /** Throws when the time is over; undefined where there is no limit. */
  readonly check?: (() => void) | undefined;
}

/** A document of a command, with its bytes where the message had it apart from the command. */
export interface Statement {
  readonly document: Document;
  readonly bytes?: Uint8Array;
}

/** A command as a handler sees it: checked for unknown fields, session and concerns. */
export interface Request {
  /** The command's name as the client wrote it. */
  readonly name: string;
  readonly database: string;
  readonly fields: Fields;
  readonly client: Client;
  /** The text of the session's id; cursors belong to sessions. */
  readonly session: string | undefined;
  /** Set where the client may send the command again, so that it is not done again, or where it is part of a transaction. */
  readonly part: RetryableWrite | InTransaction | undefined;
  /** The end of the time that the command may take. */
  readonly deadline: Deadline | undefined;
  /**
   * The documents of the array field `name`, or of the document sequence that stands for it, decoded one by one.
   * Throws 16 where there are none or too many.
   */
  statements(name: string): Iterable<Statement>;
}

/** What a command answers that has nothing to say yet: it is asked again when something has happened. */
export class Postponed {
  /** Resolves when it is to be asked again. Its error is the command's. */
  readonly ready: Promise<void>;
  /** Runs in a transaction of its own. */
  readonly resume: () => Reply | Postponed;

  constructor(ready: Promise<void>, resume: () => Reply | Postponed) {
    this.ready = ready;
    this.resume = resume;
  }
}

/** An entry in the table of commands. */
export interface Command {
  readonly run: (context: Context, request: Request) => Reply | Postponed;
  /** The fields it knows, beside its name and those that every command may have; undefined where any will do. */
  readonly fields: ReadonlySet<string> | undefined;
  /** Those of them that are refused unless they are false: MongoDB has them, this server does not have. */
  readonly unsupported: ReadonlySet<string>;
  /** Those of them that may come as a document sequence. */
  readonly sequences: ReadonlySet<string>;
  readonly adminOnly: boolean;
  /** True where it writes documents, may bear a transaction number for that, and be sent again. */
  readonly retryable: boolean;
  /** True where it writes documents, given these fields. */
  readonly writesIn: (fields: Fields) => boolean;
  /** True where it may be part of a transaction. */
  readonly inTransactions: boolean;
  /** True where it ends a transaction. */
  readonly endsTransaction: boolean;
}

interface CommandOptions {
  readonly unsupported?: readonly string[];
  readonly sequences?: readonly string[];
  readonly adminOnly?: boolean;
  readonly anyFields?: boolean;
  readonly retryable?: boolean;
  readonly writesIn?: Command['writesIn'];
  /** @default those that may be sent again */
  readonly inTransactions?: boolean;
  readonly endsTransaction?: boolean;
}

/** Builds an entry of the table. `fields` are those that it understands. */
export function command(run: Command['run'], fields: readonly string[] = [], options: CommandOptions = {}): Command {
  const { unsupported = [], sequences = [], adminOnly = false, anyFields = false } = options;
  const { retryable = false, endsTransaction = false } = options;
  return {
    run,
    fields: anyFields ? undefined : new Set([...fields, ...sequences, ...unsupported]),
    unsupported: new Set(unsupported),
    sequences: new Set(sequences),
    adminOnly,
    retryable,
    writesIn: options.writesIn ?? (() => retryable),
    inTransactions: options.inTransactions ?? (retryable || endsTransaction),
    endsTransaction,
  };
}

/** Fields that any command may have. */
export const GENERIC_FIELDS = new Set([
  '$db',
  '$readPreference',
  '$clusterTime',
  'lsid',
  'txnNumber',
  'autocommit',
  'startTransaction',
  'stmtId',
  'stmtIds',
  'comment',
  'maxTimeMS',
  'readConcern',
  'writeConcern',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
]);

/** The documents of an array field, or of the sequence that stands for it. Throws 16 where there are too few or many. */
export function statementsIn(fields: Fields, name: string, sequence?: readonly Uint8Array[]): Iterable<Statement> {
  const documents = sequence ?? fields.documents(name);
  if (documents === undefined) throw fields.missing(name);
  if (documents.length < 1 || documents.length > MAX_BATCH_COUNT) {
    throw new ServerError(
      16,
      `Write batch sizes must be between 1 and ${MAX_BATCH_COUNT}. Got ${documents.length} operations.`,
    );
  }
  return decoded(documents);
}

function* decoded(documents: readonly (Uint8Array | Document)[]): Generator<Statement> {
  for (const document of documents) {
    yield document instanceof Map ? { document } : { document: decode(document), bytes: document };
  }
}
