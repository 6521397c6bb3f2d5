import { Int32, Long, ObjectId } from 'bson';
import { DateTime, type Document } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import { type Command, command, type Context, type Request } from '../dispatch/command.ts';
import { MAX_BATCH_COUNT, MAX_DOCUMENT_SIZE, PRODUCT } from '../messages/limits.ts';
import { documentOf } from '../messages/reply.ts';
import { SESSION_TIMEOUT_MINUTES } from '../sessions/sessions.ts';
import { type InTransaction, sessionName } from '../messages/transaction-fields.ts';

/** MongoDB 8.0: drivers send `bulkWrite` from 25 on. */
const MAX_WIRE_VERSION = 25;

/** The name of the replica set whose only member this server is. */
const SET_NAME = 'rs0';

/** Elections that there were: none. A restarted server is no other primary. */
const ELECTION = new ObjectId('7fffffff0000000000000001');
const TERM = new Long(1);

/** Presents the primary of a replica set of one: only to such do drivers send transactions and retryable writes. */
function greet(context: Context, { client }: Request, primary: 'isWritablePrimary' | 'ismaster'): Document {
  const { host, maxMessageSize } = context;
  return documentOf({
    helloOk: true,
    setName: SET_NAME,
    setVersion: new Int32(1),
    hosts: [host],
    primary: host,
    me: host,
    electionId: ELECTION,
    [primary]: true,
    secondary: false,
    lastWrite: lastWrite(context),
    maxBsonObjectSize: new Int32(MAX_DOCUMENT_SIZE),
    maxMessageSizeBytes: new Int32(maxMessageSize),
    maxWriteBatchSize: new Int32(MAX_BATCH_COUNT),
    localTime: DateTime.now(),
    logicalSessionTimeoutMinutes: new Int32(SESSION_TIMEOUT_MINUTES),
    connectionId: new Int32(client.id),
    minWireVersion: new Int32(0),
    maxWireVersion: new Int32(MAX_WIRE_VERSION),
    readOnly: false,
    product: PRODUCT,
  });
}

function lastWrite({ catalog }: Context): Document {
  const time = catalog.clock.operationTime;
  const opTime = documentOf({ ts: time, t: TERM });
  const date = new DateTime(BigInt(time.getHighBitsUnsigned()) * 1000n);
  return documentOf({ opTime, lastWriteDate: date, majorityOpTime: opTime, majorityWriteDate: date });
}

function endSessions(context: Context, { name, fields }: Request): Document {
  for (const { id } of (fields.documents(name) ?? []).map(sessionName)) {
    context.transactions.endSession(id);
    context.cursors.endSession(id);
    context.sessions.end(id);
  }
  return new Map();
}

/** Without names it ends all of them: there are no users whose own they could be. */
function killSessions(context: Context, request: Request): Document {
  return request.fields.documents(request.name)?.length === 0 ? endAllSessions(context) : endSessions(context, request);
}

function killAllSessions(context: Context, { name, fields }: Request): Document {
  if ((fields.documents(name) ?? []).length > 0) {
    throw new ServerError(
      11,
      'Could not find the user: the embedded server has none. Name no user to end all sessions.',
    );
  }
  return endAllSessions(context);
}

function endAllSessions({ transactions, cursors, sessions }: Context): Document {
  transactions.endAllSessions();
  cursors.endAllSessions();
  sessions.endAll();
  return new Map();
}

function commitTransaction({ transactions }: Context, request: Request): Document {
  transactions.commit(partOf(request));
  return new Map();
}

function abortTransaction({ transactions }: Context, request: Request): Document {
  transactions.abort(partOf(request));
  return new Map();
}

function partOf({ name, part }: Request): InTransaction {
  if (part?.kind === 'transaction') return part;
  throw new ServerError(125, `${name} must be run within a transaction`);
}

// A newer driver may tell more of itself, or ask for what it can do without: a greeting is never refused.
const anyFields = { anyFields: true };
// Belongs to transactions over several shards, which this server does not have.
const END_FIELDS = ['recoveryToken'];
const END = { adminOnly: true, endsTransaction: true };
const legacyHello = command((context, request) => greet(context, request, 'ismaster'), [], anyFields);

export const sessionCommands: Readonly<Record<string, Command>> = {
  hello: command((context, request) => greet(context, request, 'isWritablePrimary'), [], anyFields),
  isMaster: legacyHello,
  ismaster: legacyHello,
  ping: command(() => new Map()),
  endSessions: command(endSessions),
  killSessions: command(killSessions),
  killAllSessions: command(killAllSessions),
  commitTransaction: command(commitTransaction, END_FIELDS, END),
  abortTransaction: command(abortTransaction, END_FIELDS, END),
  refreshSessions: command(() => new Map()),
};
