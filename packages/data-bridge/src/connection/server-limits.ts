import { BSON, ObjectId } from 'mongodb';
import { EncodedDocument } from '../bson/encoded-document.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import type { Connection } from './connection.ts';
import { translate } from './write-outcome.ts';

/** A connection's server, and what it takes in one command. */
export interface ServerLimits {
  readonly connection: Connection;
  /**
   * True where it has the command `bulkWrite`, which takes writes of all kinds to any collections. MongoDB has since
   * 8.0.
   */
  readonly hasBulkWrite: boolean;
  /** Writes. */
  readonly writes: number;
  /** Bytes of all writes together. */
  readonly bytes: number;
  /** Bytes of one write. */
  readonly bytesOfOne: number;
}

const WIRE_VERSION_8_0 = 25;

const known = new WeakMap<Connection, Promise<ServerLimits>>();

/** The server of a connection, which is asked once. @throws NotConnectedError */
export function limitsOf(connection: Connection): Promise<ServerLimits> {
  let server = known.get(connection);
  if (server === undefined) {
    server = ask(connection);
    known.set(connection, server);
    server.catch(() => known.delete(connection));
  }
  return server;
}

async function ask(connection: Connection): Promise<ServerLimits> {
  let hello: BSON.Document;
  try {
    hello = await connection.db.admin().command({ hello: 1 });
  } catch (error) {
    throw translate(error, {});
  }
  const { maxWireVersion, maxWriteBatchSize, maxMessageSizeBytes, maxBsonObjectSize } = hello;
  const hasBulkWrite = Number(maxWireVersion) >= WIRE_VERSION_8_0;
  return {
    connection,
    hasBulkWrite,
    // Below, the driver begins another command one write earlier than the server would have it,
    writes: Number(maxWriteBatchSize) - (hasBulkWrite ? 0 : 1),
    // and puts no more bytes in a command than a document may have.
    bytes: Number(hasBulkWrite ? maxMessageSizeBytes : maxBsonObjectSize) - ROOM,
    bytesOfOne: Number(maxBsonObjectSize) - ROOM,
  };
}

/** The command around the writes. */
const ROOM = 16 * 1024;
/**
 * How many bytes a value takes in a command, at most. The exact count of the bson package costs as much as encoding it:
 * short texts are taken to have three bytes for each unit, as many as UTF-8 can need.
 */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return ELEMENT + (value.length < 64 ? value.length * 3 : Buffer.byteLength(value));
  if (typeof value !== 'object' || value === null) return ELEMENT;
  if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + ELEMENT + sizeOf(element), ELEMENT);
  if (value instanceof Map) return sizeOf([...value].flat());
  if (isPlainObject(value)) return sizeOfMembers(value);
  if (value instanceof ObjectId || value instanceof Date) return ELEMENT;
  if (value instanceof EncodedDocument) return ELEMENT + value.bytes.length;
  return ELEMENT + BSON.calculateObjectSize({ value }, { ignoreUndefined: true });
}

function sizeOfMembers(members: Record<string, unknown>): number {
  let size = ELEMENT;
  // An upper bound may count what is inherited, too.
  for (const key in members) size += key.length * 3 + sizeOf(members[key]);
  return size;
}

/** An element's type, the end of its name and its value, where that has a fixed size; the name of an array's element. */
const ELEMENT = 24;
