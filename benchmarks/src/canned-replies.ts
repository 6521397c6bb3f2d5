import { BSON, type Document } from 'mongodb';
import { fixtures, setSize } from './fixtures.ts';

/** Message kinds of MongoDB's wire protocol. */
const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;

const namespace = 'bench';

const hello = {
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 25,
  readOnly: false,
  ok: 1,
};

/** The payload of an OP_MSG reply: no flags, one section that is a document. */
function messageBody(document: Document): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), BSON.serialize(document)]);
}

/** The payload of an OP_REPLY: no flags, no cursor, one document. */
function replyBody(document: Document): Buffer {
  const head = Buffer.alloc(20);
  head.writeInt32LE(1, 16);
  return Buffer.concat([head, BSON.serialize(document)]);
}

const found = new Map<string, Buffer>();

function documentsOf(collection: string): readonly Document[] {
  if (collection === 'users') return fixtures.users().docs;
  if (collection === 'baskets') return fixtures.baskets().docs;
  if (collection === 'books') return fixtures.books().docs;
  if (collection === 'authors') return fixtures.authors().docs;
  throw new Error(`There is no canned collection "${collection}".`);
}

/** All of a set's documents, or the first `limit`, in a single batch; made once. */
function findReply(collection: string, limit: number): Buffer {
  const key = `${collection} ${limit}`;
  let reply = found.get(key);
  if (reply === undefined) {
    const docs = documentsOf(collection);
    const firstBatch = limit === 0 ? docs : docs.slice(0, limit);
    reply = messageBody({ cursor: { firstBatch, id: 0n, ns: `${namespace}.${collection}` }, ok: 1 });
    found.set(key, reply);
  }
  return reply;
}

const batches = new Map<string, Buffer>();

/**
 * A batch of all documents of the main set, the first or a further one of a cursor. Nothing is kept of cursors: the id says
 * how many batches are still to come.
 */
function batchReply(batch: 'firstBatch' | 'nextBatch', left: number): Buffer {
  const key = `${batch} ${left}`;
  let reply = batches.get(key);
  if (reply === undefined) {
    const { docs } = fixtures.users();
    // An id beyond 32 bits is none of those that a driver makes up.
    const id = left === 0 ? 0n : BigInt(left) + 2n ** 40n;
    reply = messageBody({ cursor: { [batch]: docs, id, ns: `${namespace}.users` }, ok: 1 });
    if (batches.size > 10) batches.clear();
    batches.set(key, reply);
  }
  return reply;
}

const acknowledgements = new Map<number, Buffer>();

function acknowledge(writes: number): Buffer {
  let reply = acknowledgements.get(writes);
  if (reply === undefined) {
    reply = messageBody({ n: writes, nModified: writes, ok: 1 });
    acknowledgements.set(writes, reply);
  }
  return reply;
}

const helloMessage = messageBody(hello);
const helloReply = replyBody(hello);
const done = messageBody({ ok: 1 });

/** What a `bulkWrite` that asks for its errors alone is told: there were none. */
function acknowledgeBulk(writes: number): Buffer {
  let reply = bulkAcknowledgements.get(writes);
  if (reply === undefined) {
    reply = messageBody({
      cursor: { id: 0n, firstBatch: [], ns: 'admin.$cmd.bulkWrite' },
      nErrors: 0,
      nInserted: 0,
      nMatched: writes,
      nModified: writes,
      nUpserted: 0,
      nDeleted: 0,
      ok: 1,
    });
    bulkAcknowledgements.set(writes, reply);
  }
  return reply;
}

const bulkAcknowledgements = new Map<number, Buffer>();

/** How many operations a write command holds: in its array, or in the first sequence of documents that follows the command. */
function countWrites(command: Document, message: Buffer, commandEnd: number): number {
  const listed = command['updates'] ?? command['deletes'] ?? command['documents'];
  if (Array.isArray(listed)) return listed.length;
  let writes = 0;
  const end = commandEnd + 1 + message.readInt32LE(commandEnd + 1);
  let at = message.indexOf(0, commandEnd + 5) + 1;
  for (; at < end; at += message.readInt32LE(at)) writes++;
  return writes;
}

function answerCommand(message: Buffer): Buffer {
  const start = 21;
  if (message[20] !== 0) throw new Error('The first section of a message must be the command.');
  const name = message.toString('latin1', start + 5, message.indexOf(0, start + 5));
  const end = start + message.readInt32LE(start);
  switch (name) {
    case 'hello':
    case 'ismaster':
      return helloMessage;
    case 'find': {
      const command = BSON.deserialize(message.subarray(start, end));
      // The size of a batch says how many documents a stream has in all.
      const size = Number(command['batchSize'] ?? 0);
      if (size > setSize) return batchReply('firstBatch', size / setSize - 1);
      return findReply(String(command['find']), Number(command['limit'] ?? 0));
    }
    case 'aggregate': {
      const command = BSON.deserialize(message.subarray(start, end));
      const stages = command['pipeline'] as readonly Document[];
      return findReply(
        String(command['aggregate']),
        Number(stages.find((stage) => '$limit' in stage)?.['$limit'] ?? 0),
      );
    }
    case 'getMore': {
      const { getMore } = BSON.deserialize(message.subarray(start, end), { useBigInt64: true });
      return batchReply('nextBatch', Number((getMore as bigint) - 2n ** 40n) - 1);
    }
    case 'update':
    case 'insert':
    case 'delete':
      return acknowledge(countWrites(BSON.deserialize(message.subarray(start, end)), message, end));
    case 'bulkWrite':
      return acknowledgeBulk(countWrites({}, message, end));
    case 'ping':
    case 'endSessions':
      return done;
    default:
      throw new Error(`The canned server has no answer to "${name}".`);
  }
}

/** What a request gets: the kind of the reply and its payload, which is shared and must not be written to. */
export interface Answer {
  readonly kind: number;
  readonly body: Buffer;
  /** True where the program asked for it, not the driver on its own. */
  readonly counts: boolean;
}

/** Answers one whole message, header included. Throws on what the benchmarks have no use for. */
export function answer(message: Buffer): Answer {
  const kind = message.readInt32LE(12);
  if (kind === opQuery) return { kind: opReply, body: helloReply, counts: false };
  if (kind !== opMsg) throw new Error(`The canned server has no answer to message kind ${kind}.`);
  const body = answerCommand(message);
  return { kind: opMsg, body, counts: body !== helloMessage && body !== done };
}
