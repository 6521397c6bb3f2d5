import {
  BSON,
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoDriverError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';
import { isPlainObject } from './bson/copy.ts';
import { DataBridgeError, DuplicateKeyError, EncodeError, type ErrorContext, NotConnectedError } from './errors.ts';

/**
 * What is known of a write that ended in an error: the server refused it (or never got it), the server did it and could
 * not confirm it as widely as asked, or nobody knows.
 */
export type Outcome = 'refused' | 'applied' | 'unknown';

export function outcomeOf(thrown: unknown): Outcome {
  const error = unwrap(thrown);
  if (error instanceof MongoWriteConcernError) return 'applied';
  if (error instanceof MongoServerError || error instanceof DataBridgeError || isOversized(error) || isUnsent(error))
    return 'refused';
  if (error instanceof MongoNetworkError || error instanceof MongoOperationTimeoutError) return 'unknown';
  // The rest of the driver's own errors are about arguments and states; anything else (an abort, say) may strike at any time.
  return error instanceof MongoDriverError && error.name !== 'MongoPoolClearedError' ? 'refused' : 'unknown';
}

/** The driver dresses up whatever ends a bulk write, a broken connection too, as a refusal of the server. */
function unwrap(error: unknown): unknown {
  return error instanceof MongoBulkWriteError && error.errorResponse instanceof Error ? error.errorResponse : error;
}

/** The server takes no document of more than 16 MiB; its codes, and how the driver ends that cannot write a command so large. */
function isOversized(error: unknown): boolean {
  if (error instanceof MongoInvalidArgumentError) return error.message.includes('larger than the maximum size');
  if (error instanceof RangeError || OVERSIZED.has(serverCode(error))) return true;
  // An insert is refused with a code that many faults share.
  return serverCode(error) === 2 && messageOf(error).includes('object to insert too large');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

const OVERSIZED: ReadonlySet<number | undefined> = new Set([10334, 17419, 17420]);

/** Did the command never leave this process? */
function isUnsent(error: unknown): boolean {
  if (error instanceof MongoNetworkError) return (error as { beforeHandshake?: boolean }).beforeHandshake === true;
  return isDisconnected(error);
}

function isDisconnected(error: unknown): boolean {
  return (
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoClientClosedError
  );
}

/** The driver's error in this package's words where it has some; the driver's own otherwise. */
export function translate(thrown: unknown, context: ErrorContext): unknown {
  const error = unwrap(thrown);
  if (error instanceof MongoServerError && serverCode(error) === 11000) {
    return new DuplicateKeyError(`Another document has the same value under ${violatedIndex(error)}.`, {
      ...context,
      cause: error,
    });
  }
  if (isOversized(error))
    return new EncodeError([], 'it would be larger than the 16 MiB that a server takes', { ...context, cause: error });
  if (isDisconnected(error)) {
    return new NotConnectedError(
      'There is no connection to the server: it was closed, or the server does not answer.',
      { ...context, cause: error },
    );
  }
  return error;
}

/** The fields of the unique index, or its name: of a bulk write the driver keeps the server's sentence alone. */
function violatedIndex(error: MongoServerError): string {
  const fields = keysOf(error['keyPattern']).map((field) => `"${field}"`);
  if (fields.length > 0) return `the unique index on ${fields.join(', ')}`;
  const name = /index: (\S+) dup key: /.exec(error.message)?.[1];
  return name === undefined ? 'a unique index' : `the unique index "${name}"`;
}

/** The names in a part of the server's answer, which the driver leaves as bytes where documents are asked for as bytes. */
function keysOf(part: unknown): string[] {
  if (part instanceof Uint8Array) return Object.keys(BSON.deserialize(part));
  return isPlainObject(part) ? Object.keys(part) : [];
}

/** The server's error code, if it is the server's. */
export function serverCode(error: unknown): number | undefined {
  // Where the driver's option `promoteValues` is off, the code is an Int32.
  return error instanceof MongoServerError && error.code !== undefined ? Number(error.code) : undefined;
}
