import { Int32 } from 'bson';
import { keyOf } from '../engine/order.ts';
import { DateTime, type Document } from '../engine/value.ts';
import { type Command, command, type Context, type Request } from './command.ts';
import { MAX_BATCH_COUNT, MAX_DOCUMENT_SIZE, PRODUCT } from './limits.ts';
import { documentOf } from './reply.ts';

/** MongoDB 8.0: drivers send `bulkWrite` from 25 on. */
const MAX_WIRE_VERSION = 25;
const SESSION_TIMEOUT_MINUTES = 30;

/**
 * Presents a standalone server: without a replica set's name drivers send no transaction numbers, and this server has
 * neither transactions nor retryable writes.
 */
function greet(context: Context, { client }: Request, primary: 'isWritablePrimary' | 'ismaster'): Document {
  return documentOf({
    helloOk: true,
    [primary]: true,
    maxBsonObjectSize: new Int32(MAX_DOCUMENT_SIZE),
    maxMessageSizeBytes: new Int32(context.maxMessageSize),
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

/** Sessions have no state here but their cursors. */
function endSessions(context: Context, { name, fields }: Request): Document {
  for (const id of fields.documents(name) ?? []) context.cursors.endSession(keyOf(id));
  return new Map();
}

// A newer driver may tell more of itself, or ask for what it can do without: a greeting is never refused.
const anyFields = { anyFields: true };
const legacyHello = command((context, request) => greet(context, request, 'ismaster'), [], anyFields);

export const sessionCommands: Readonly<Record<string, Command>> = {
  hello: command((context, request) => greet(context, request, 'isWritablePrimary'), [], anyFields),
  isMaster: legacyHello,
  ismaster: legacyHello,
  ping: command(() => new Map()),
  endSessions: command(endSessions),
  killSessions: command(endSessions),
  refreshSessions: command(() => new Map()),
};
