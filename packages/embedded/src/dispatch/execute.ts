// How a command is run: at once or when others let it, by itself or as part of a transaction, and not twice.
import { Long } from 'bson';
import type { Catalog } from '../catalog/catalog.ts';
import { ServerError, UnfinishedError } from '../errors.ts';
import { type Rival, WriteConflict } from '../storage/write-conflict.ts';
import { type Command, type Context, Postponed, type Request } from './command.ts';
import { checkConcernsOfPart } from './concerns.ts';
import { encodeReply, NO_STAMP, type Reply } from '../messages/reply.ts';
import type { InTransaction, RetryableWrite } from '../messages/transaction-fields.ts';

/** Errors after which a client may try its transaction again as a whole. */
const TRANSIENT = new Set([24, 112, 246, 251]);

/** Runs a command. */
export function execute(context: Context, command: Command, request: Request): Reply | Postponed {
  const { part } = request;
  checkCursor(context, request);
  return part?.kind === 'transaction'
    ? executePart(context, command, request, part)
    : attempt(context, command, request);
}

function executePart(context: Context, command: Command, request: Request, part: InTransaction): Reply {
  const { name, database, fields } = request;
  if (!command.inTransactions || (command.writesIn(fields) && !command.retryable)) {
    throw new ServerError(263, `Cannot run '${name}' in a multi-document transaction.`);
  }
  if (!command.adminOnly && ['admin', 'config', 'local'].includes(database)) {
    throw new ServerError(263, `Cannot run command against the '${database}' database in a transaction.`);
  }
  checkConcernsOfPart(fields, part, command.endsTransaction);
  try {
    if (command.endsTransaction) return only(command.run(context, request), name);
    return context.transactions.run(part, () => only(command.run(context, request), name));
  } catch (error) {
    throw error instanceof ServerError && TRANSIENT.has(error.code)
      ? error.labelled('TransientTransactionError')
      : error;
  }
}

/** In a transaction nothing is waited for. */
function only(reply: Reply | Postponed, name: string): Reply {
  if (!(reply instanceof Postponed)) return reply;
  throw new ServerError(263, `Cannot run '${name}' in a multi-document transaction.`);
}

/** Runs a command outside of transactions. Where one is in its way, it waits until that has ended. */
function attempt(context: Context, command: Command, request: Request): Reply | Postponed {
  const { catalog } = context;
  const { part, fields } = request;
  try {
    if (part?.kind === 'retryable') return once(context, command, request, part);
    const run = (): Reply | Postponed => command.run(context, request);
    return stored(catalog, command.writesIn(fields) ? catalog.write(run) : catalog.transaction(run));
  } catch (error) {
    if (!(error instanceof WriteConflict) || error.rival === undefined) throw error;
    return new Postponed(endOf(error.rival, request), () => attempt(context, command, request));
  }
}

/** The answer to a retryable write: the one that it had before, if it had one. */
function once(context: Context, command: Command, request: Request, write: RetryableWrite): Reply {
  const { catalog, sessions, transactions } = context;
  const answered = sessions.answered(write);
  if (answered !== undefined) return answered;
  // A session does one thing at a time: whoever writes outside of its transaction has given that up.
  transactions.endSession(write.session.id);
  // What could not be remembered is not done at all.
  sessions.checkRoom(write.session.id);
  const [reply, kept] = catalog.write(() => {
    const first = only(command.run(context, request), request.name);
    try {
      const encoded = encodeReply(first, NO_STAMP);
      return [encoded, sessions.remember(write, encoded)] as const;
    } catch (error) {
      throw new UnfinishedError(error);
    }
  });
  kept();
  return reply;
}

/** What is asked again reads what is stored, too. */
function stored(catalog: Catalog, reply: Reply | Postponed): Reply | Postponed {
  if (!(reply instanceof Postponed)) return reply;
  return new Postponed(reply.ready, () => stored(catalog, catalog.transaction(reply.resume)));
}

/** Resolves when a transaction has ended. Rejects when the command may not wait any longer. */
async function endOf({ ended }: Rival, { deadline, client: { gone } }: Request): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let leave: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      void ended.then(resolve);
      if (deadline !== undefined) timer = setTimeout(() => reject(deadline.error()), deadline.left);
      leave = () => reject(new ServerError(279, 'The client has disconnected'));
      gone.addEventListener('abort', leave);
      if (gone.aborted) leave();
    });
  } finally {
    clearTimeout(timer);
    if (leave !== undefined) gone.removeEventListener('abort', leave);
  }
}

/** A cursor of a transaction is read in it, and no other. */
function checkCursor({ transactions }: Context, { name, fields, part }: Request): void {
  const id = name === 'getMore' ? fields.value(name) : undefined;
  if (id instanceof Long) transactions.checkCursor(id.toBigInt(), part?.kind === 'transaction' ? part : undefined);
}
