import type { BSON } from 'mongodb';
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
