import {
  BSON,
  type ClientBulkWriteResult,
  MongoBulkWriteError,
  MongoClientBulkWriteError,
  MongoWriteConcernError,
  ObjectId,
} from 'mongodb';
import { isPlainObject } from '../bson/copy.ts';
import type { Connection } from './connection.ts';
import { refusalOf, refusedWrites } from './driver-error.ts';
import { type Outcome, outcomeOf, translate } from './write-outcome.ts';

/** A connection's server, and what it takes in one command. */
export interface BulkServer {
  readonly connection: Connection;
  /** Has it the command `bulkWrite`, which takes writes of all kinds to any collections? MongoDB has since 8.0. */
  readonly hasBulkWrite: boolean;
  /** Writes. */
  readonly writes: number;
  /** Bytes of all writes together. */
  readonly bytes: number;
  /** Bytes of one write. */
  readonly bytesOfOne: number;
}

const WIRE_VERSION_8_0 = 25;

const known = new WeakMap<Connection, Promise<BulkServer>>();

/** The server of a connection, which is asked once. @throws NotConnectedError */
export function serverOf(connection: Connection): Promise<BulkServer> {
  let server = known.get(connection);
  if (server === undefined) {
    server = ask(connection);
    known.set(connection, server);
    server.catch(() => known.delete(connection));
  }
  return server;
}

async function ask(connection: Connection): Promise<BulkServer> {
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
  return ELEMENT + BSON.calculateObjectSize({ value }, { ignoreUndefined: true });
}

function sizeOfMembers(members: Record<string, unknown>): number {
  let size = ELEMENT;
  for (const key of Object.keys(members)) size += key.length * 3 + sizeOf(members[key]);
  return size;
}

/** An element's type, the end of its name and its value, where that has a fixed size; the name of an array's element. */
const ELEMENT = 24;

/** What is known of a bulk write that ended in an error. */
export interface BulkFailure {
  /** The server's errors, by the places of the writes that it refused. */
  readonly refused: ReadonlyMap<number, Error>;
  /** What befell the command as a whole. */
  readonly failure?: { readonly error: unknown; readonly outcome: Outcome };
  /** How many documents were inserted, matched or deleted all the same. */
  readonly done: number;
  /** What is known of the single writes, where the command asked for it. */
  readonly partial?: ClientBulkWriteResult | undefined;
}

/** Reads what either bulk write of the driver throws. */
export function readFailure(error: unknown): BulkFailure {
  if (error instanceof MongoClientBulkWriteError) return readClientFailure(error);
  if (error instanceof MongoBulkWriteError) return readCollectionFailure(error);
  return { refused: new Map(), failure: { error, outcome: outcomeOf(error) }, done: 0 };
}

function readClientFailure(error: MongoClientBulkWriteError): BulkFailure {
  const { writeErrors, writeConcernErrors, partialResult: partial, cause } = error;
  // The driver wraps what ends the command as a whole.
  if (cause !== undefined) return { ...readFailure(cause), partial };
  const refused = new Map(
    Array.from(writeErrors, ([place, { code, message }]) => [
      place,
      refusalOf({ code, errmsg: message, errInfo: undefined }),
    ]),
  );
  const done = partial === undefined ? 0 : partial.insertedCount + partial.matchedCount + partial.deletedCount;
  return { refused, ...failureOf(error, refused, writeConcernErrors[0]), done, partial };
}

function readCollectionFailure(error: MongoBulkWriteError): BulkFailure {
  // The driver dresses up whatever ends a bulk write, a broken connection too.
  if ((error.errorResponse as unknown) instanceof Error) return readFailure(error.errorResponse);
  const { result } = error;
  const refused = new Map(refusedWrites(error).map((each) => [each.index, refusalOf(each)]));
  const done = result.insertedCount + result.matchedCount + result.deletedCount;
  return { refused, ...failureOf(error, refused, result.getWriteConcernError()?.toJSON()), done };
}

/** What befell the command beside the writes that were refused: it was not confirmed, or refused as a whole. */
function failureOf(
  thrown: Error,
  refused: ReadonlyMap<number, Error>,
  unconfirmed: BSON.Document | undefined,
): Pick<BulkFailure, 'failure'> {
  if (unconfirmed === undefined)
    return refused.size > 0 ? {} : { failure: { error: thrown, outcome: outcomeOf(thrown) } };
  const { code, message, errmsg = message } = unconfirmed;
  const error = new MongoWriteConcernError({ writeConcernError: { code, errmsg }, ok: 1 });
  return { failure: { error, outcome: 'applied' } };
}
