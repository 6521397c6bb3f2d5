import { decode } from '../values/bson.ts';
import { checkDatabaseName } from '../catalog/namespace.ts';
import { ServerError } from '../errors.ts';
import {
  type Client,
  type Command,
  type Context,
  Deadline,
  GENERIC_FIELDS,
  Postponed,
  type Request,
  statementsIn,
} from '../dispatch/command.ts';
import { execute } from '../dispatch/execute.ts';
import { Fields } from '../messages/fields.ts';
import { checkApiVersion, checkReadConcern, checkWriteConcern, witnessTimes } from '../dispatch/concerns.ts';
import { MAX_DOCUMENT_SIZE } from '../messages/limits.ts';
import { encodeError, encodeReply, type Reply, stampOf } from '../messages/reply.ts';
import { sessionName, transactionFields } from '../messages/transaction-fields.ts';
import { COMMANDS, UNSUPPORTED_COMMANDS } from './table.ts';

/** A command as the wire brings it: a document, and document sequences that stand for array fields of it. */
export interface CommandMessage {
  readonly body: Uint8Array;
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  /** The database of an OP_QUERY, which names it outside the document and may only be a greeting. */
  readonly legacyDatabase?: string;
}

/** A reply as BSON, or one that is still to come. */
type Answer = Uint8Array | Promise<Uint8Array>;

/** Bytes that a message may have beside its document. */
const MAX_REPLY_OVERHEAD = 64;

/** The largest document of a message: room for the largest stored one with the command around it. */
const MAX_MESSAGE_DOCUMENT_SIZE = MAX_DOCUMENT_SIZE + 16 * 1024;

/** What may still come as an OP_QUERY: the first words to a server of unknown version. */
const LEGACY_COMMANDS = new Set(['hello', 'isMaster', 'ismaster']);

/**
 * Runs one command and gives the answer as BSON, an error's answer too: at once, unless the command waits for something.
 */
export function runCommand(context: Context, client: Client, message: CommandMessage): Answer {
  try {
    checkSizes(message);
    const body = decode(message.body);
    const [name = ''] = body.keys();
    if (message.legacyDatabase !== undefined && !LEGACY_COMMANDS.has(name)) throw unsupportedQuery(name);
    const command = commandNamed(name);
    const fields = new Fields(name, body);
    checkFields(command, fields, message.sequences);
    const request = requestOf(name, command, fields, message, client);
    checkDatabase(request, command);
    witnessTimes(fields, context.catalog.clock);
    return answerOf(context, request, execute(context, command, request));
  } catch (error) {
    return errorOf(context, error);
  }
}

function answerOf(context: Context, request: Request, reply: Reply | Postponed): Answer {
  if (reply instanceof Postponed) {
    return reply.ready
      .then(() => answerOf(context, request, reply.resume()))
      .catch((error: unknown) => errorOf(context, error));
  }
  request.deadline?.lift();
  return checkedReply(encodeReply(reply, stampOf(context.catalog.clock)), context);
}

function errorOf({ catalog }: Context, error: unknown): Uint8Array {
  return encodeError(asServerError(error), stampOf(catalog.clock));
}

function checkSizes({ body, sequences }: CommandMessage): void {
  for (const { length } of [body, ...[...sequences.values()].flat()]) {
    if (length <= MAX_MESSAGE_DOCUMENT_SIZE) continue;
    throw new ServerError(
      10334,
      `BSONObj size: ${length} is invalid. Size must be between 0 and ${MAX_MESSAGE_DOCUMENT_SIZE}(16MB)`,
    );
  }
}

/** A reply may be somewhat larger than a document; what the wire cannot carry is an error. */
function checkedReply(reply: Uint8Array, { maxMessageSize }: Context): Uint8Array {
  if (reply.length + MAX_REPLY_OVERHEAD <= maxMessageSize) return reply;
  throw new ServerError(10334, `The reply would have ${reply.length} bytes, more than a message can hold`);
}

/** Anything but a `ServerError` is a fault of this server: the client learns of it, and the server goes on. */
function asServerError(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  return new ServerError(1, `The embedded server failed: ${error instanceof Error ? error.message : String(error)}`);
}

function unsupportedQuery(name: string): ServerError {
  return new ServerError(352, `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`);
}

function commandNamed(name: string): Command {
  const command = COMMANDS.get(name);
  if (command !== undefined) return command;
  if (UNSUPPORTED_COMMANDS.has(name)) {
    throw new ServerError(115, `The embedded server does not support the command '${name}'.`);
  }
  throw new ServerError(59, `no such command: '${name}'`);
}

/** Refuses what would change the command's meaning and is not understood, before anything is done. */
function checkFields(command: Command, fields: Fields, sequences: CommandMessage['sequences']): void {
  if (command.fields !== undefined) fields.check(command.fields, GENERIC_FIELDS);
  fields.refuse(command.unsupported);
  checkApiVersion(fields);
  checkReadConcern(fields);
  checkWriteConcern(fields);
  for (const name of sequences.keys()) {
    if (!command.sequences.has(name)) throw fields.unknown(name);
    if (fields.value(name) !== undefined) throw fields.duplicate(name);
  }
}

function checkDatabase({ name, database }: Request, { adminOnly }: Command): void {
  checkDatabaseName(database);
  if (adminOnly && database !== 'admin') {
    throw new ServerError(13, `${name} may only be run against the admin database.`);
  }
}

function requestOf(name: string, command: Command, fields: Fields, message: CommandMessage, client: Client): Request {
  const database = message.legacyDatabase ?? fields.string('$db');
  if (database === undefined) throw new ServerError(40571, 'OP_MSG requests require a $db argument');
  const lsid = fields.document('lsid');
  const session = lsid && sessionName(lsid);
  const limit = fields.milliseconds('maxTimeMS') ?? 0;
  return {
    name,
    database,
    fields,
    client,
    session: session?.id,
    part: transactionFields(fields, session, statementCount(command, fields, message)),
    deadline: limit === 0 ? undefined : new Deadline(limit),
    statements: (field) => statementsIn(fields, field, message.sequences.get(field)),
  };
}

/** How many statements a write has that may be sent again; undefined for other commands. */
function statementCount({ retryable, sequences }: Command, fields: Fields, message: CommandMessage) {
  if (!retryable) return undefined;
  const [field] = sequences;
  return field === undefined ? 1 : (message.sequences.get(field)?.length ?? fields.array(field)?.length ?? 0);
}
