import {
  MongoClientClosedError,
  MongoDriverError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';
import {
  describeFields,
  DUPLICATE_KEY,
  documentIn,
  duplicateKeyOf,
  INVALID_DOCUMENT,
  indexNameOf,
  isMisuse,
  isWithoutTransactions,
  reasonOf,
  sentenceOf,
  serverCode,
  withoutValues,
} from './driver-error.ts';
import {
  DataBridgeError,
  DuplicateKeyError,
  EncodeError,
  type ErrorContext,
  HistoryError,
  NotConnectedError,
  OutcomeUnknownError,
  UsageError,
  ValidationError,
  type ValidationIssue,
} from '../errors.ts';
import { validatorIssues } from './server-validation.ts';
import { wasNeverSent } from './never-sent.ts';

/**
 * What is known of a write that ended in an error: the server refused it (or never got it), the server did it and could
 * not confirm it as widely as asked, or nobody knows.
 */
export type Outcome = 'refused' | 'applied' | 'unknown';

/**
 * A server that shuts down, steps down or loses a shard in the midst of a command says so with one of these: the write may
 * be done or not. https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
 */
const INTERRUPTIONS: ReadonlySet<number | undefined> = new Set([6, 7, 89, 91, 189, 262, 9001, 11600, 11602]);

export function outcomeOf(thrown: unknown): Outcome {
  const error = reasonOf(thrown);
  if (wasNeverSent(error)) return 'refused';
  if (error instanceof MongoWriteConcernError) return 'applied';
  if (error instanceof HistoryError && error.problem === 'unfinished') return 'applied';
  if (INTERRUPTIONS.has(serverCode(error))) return 'unknown';
  if (error instanceof MongoServerError || error instanceof DataBridgeError || isOversized(error) || isUnsent(error))
    return 'refused';
  if (isInterrupted(error)) return 'unknown';
  // The rest of the driver's own errors are about arguments and states; anything else (an abort, say) may happen at any time.
  return error instanceof MongoDriverError && error.name !== 'MongoPoolClearedError' ? 'refused' : 'unknown';
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

/** True for a command that never left this process. */
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

/**
 * The driver's error in this package's words where it has some; else the driver's own. What the server said is without the
 * values that it quoted, in a `cause` too.
 *
 * @param names the model, which says what the program calls the stored fields.
 */
export function translate(thrown: unknown, context: ErrorContext, names: Names = STORED): unknown {
  const error = reasonOf(thrown);
  if (isOversized(error)) {
    const text = 'it would be larger than the 16 MiB that a server takes';
    return new EncodeError([], text, { ...context, cause: safely(error) });
  }
  if (isDisconnected(error)) {
    const text = 'There is no connection to the server: it was closed, or the server does not answer.';
    return new NotConnectedError(text, { ...context, cause: error });
  }
  if (isInterrupted(error)) {
    const text = "The connection to the server broke, or the server's answer did not come in time.";
    return new NotConnectedError(text, { ...context, cause: error });
  }
  return error instanceof MongoServerError
    ? translateRefusal(error, names, { ...context, cause: safely(error) })
    : error;
}

/** The same for a write that belongs to no document: of one whose answer did not come nobody knows whether it was done. */
export function translateWrite(thrown: unknown, context: ErrorContext, names?: Names): unknown {
  const error = reasonOf(thrown);
  if (!(error instanceof MongoError) || outcomeOf(error) !== 'unknown') return translate(thrown, context, names);
  const text =
    'The write was sent, and the connection broke before its answer came: read what is stored before you send it again.';
  return new OutcomeUnknownError(text, { ...context, cause: safely(error) });
}

/** True for an error of this package by which nobody knows whether a write was done. */
export function isUnknown(error: unknown): boolean {
  return error instanceof OutcomeUnknownError;
}

/** True where the connection broke, or the time ran out. */
function isInterrupted(error: unknown): boolean {
  return error instanceof MongoNetworkError || error instanceof MongoOperationTimeoutError;
}

/** The error as a cause: it may go into logs. */
export function safely(error: unknown): unknown {
  return error instanceof MongoServerError ? withoutValues(error) : error;
}

function translateRefusal(error: MongoServerError, names: Names, context: ErrorContext): unknown {
  const code = serverCode(error);
  if (isWithoutTransactions(error)) {
    const text =
      'This server has no transactions: they need a replica set, of one member at least. Start it with --replSet and call rs.initiate() once.';
    return new UsageError(text, context);
  }
  if (code === DUPLICATE_KEY) return duplicateKeyError(error, names, context);
  if (code === INVALID_DOCUMENT) return new ValidationError(refusedIssues(error, names), context);
  if (error instanceof MongoWriteConcernError || !isMisuse(error)) return context.cause;
  return new UsageError(`The server refuses the call (code ${code}): ${sentenceOf(error)}`, context);
}

/** What the program calls the stored fields. */
interface Names {
  programName(name: string): string;
  programPath(keys: readonly string[]): string;
}
const STORED: Names = { programName: (name) => name, programPath: (keys) => keys.join('.') };

function duplicateKeyError(error: MongoServerError, names: Names, context: ErrorContext): DuplicateKeyError {
  const duplicate = duplicateKeyOf(error, (path) => names.programPath(path.split('.')));
  const name = indexNameOf(error);
  const named = name === undefined ? 'a unique index' : `the unique index "${name}"`;
  const index = duplicate.fields?.length ? `the unique index on ${describeFields(duplicate)}` : named;
  const text = `Another document has the same value under ${index}: choose another value, or load that document.`;
  return new DuplicateKeyError(text, { ...context, ...duplicate });
}

/** What a collection's validator refused. */
function refusedIssues(error: MongoServerError, names: Names): ValidationIssue[] {
  return validatorIssues(documentIn(error['errInfo'])).map((issue) => shownIssue(issue, names));
}

function shownIssue({ keys, message, value }: ValidationIssue, names: Names): ValidationIssue {
  const [name, ...inner] = keys;
  const shown = [...(name === undefined ? [] : [names.programName(String(name))]), ...inner];
  const issue = { keys: shown, path: shown.join('.'), message };
  return Object.defineProperty(issue, 'value', { value, enumerable: false });
}
