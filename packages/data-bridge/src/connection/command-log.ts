import {
  type BSON,
  type CommandFailedEvent,
  type CommandStartedEvent,
  type CommandSucceededEvent,
  type MongoClient,
  MongoNetworkError,
  MongoServerError,
} from 'mongodb';
import { shapeText } from '../schema/shape-text.ts';
import { documentIn, refusalOf, sentenceOf, serverCode } from './driver-error.ts';

/** How many documents a command was about, where the command or its answer tells. */
export interface LogCounts {
  /** Documents, or operations, that the command holds. */
  readonly sent?: number;
  readonly inserted?: number;
  readonly matched?: number;
  readonly modified?: number;
  readonly upserted?: number;
  readonly deleted?: number;
  /** Documents, or values, in the answer: of a cursor those of this batch. */
  readonly returned?: number;
  /** Operations of the command that the server refused. */
  readonly refused?: number;
}

/** Why a command, or an operation in it, failed. */
export interface LogFailure {
  readonly name: string;
  /** The server's code, where it is the server that refused. */
  readonly code?: number;
  /** Without the values that the server quotes, unless `logValues` asks for them. */
  readonly message: string;
}

/** One command that was sent to the server, and what came of it. */
export interface LogEntry {
  /** Its name, such as `find` or `update`. */
  readonly command: string;
  /** The collection that it is about, or several with commas between; undefined where it is about none. */
  readonly collection: string | undefined;
  readonly database: string;
  /** The time from sending it to its answer. */
  readonly milliseconds: number;
  readonly counts: LogCounts;
  /** Undefined where all of it was done. */
  readonly failure: LogFailure | undefined;
  /** True where the driver sent it again, after it failed for a reason that may pass. */
  readonly isRetry: boolean;
  /** True in a transaction. */
  readonly isInTransaction: boolean;
  /** What it asks for, with types in the place of values: `{ filter: { age: { $gte: <number> } } }`. */
  readonly shape: string;
  /** The command with its values, where `logValues` asks for them. */
  readonly statement?: BSON.Document;
}

/** What takes the entries of a log. */
export type Log = (entry: LogEntry) => void;

/** Commands of the driver itself: what nobody asked for, and what holds credentials. */
const OWN = new Set([
  'hello',
  'ismaster',
  'isMaster',
  'endSessions',
  'saslStart',
  'saslContinue',
  'authenticate',
  'getnonce',
]);

/** What the driver adds to a command, and what tells which collection it is about. */
const ADDED = new Set([
  'lsid',
  'txnNumber',
  'autocommit',
  'startTransaction',
  '$clusterTime',
  '$db',
  '$readPreference',
  'collection',
]);

/** Failures after which the driver sends a command again. */
const PASSING: ReadonlySet<number | undefined> = new Set([
  6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
]);

/** How many failed commands may wait to be sent again. */
const MAX_FAILED = 1000;

/** A command whose answer has not come. */
interface Started {
  readonly event: CommandStartedEvent;
  readonly since: number;
  readonly isRetry: boolean;
}

/**
 * Hands an entry for each command of a client to a log, when its answer comes. The client must have `monitorCommands`.
 *
 * @param withValues whether entries hold the values that were sent.
 */
export function logCommands(client: MongoClient, log: Log, withValues: boolean): void {
  const started = new Map<number, Started>();
  // By session: an operation has one, and is over before the next one takes it.
  const failed = new Map<string, string>();

  client.on('commandStarted', (event) => {
    if (OWN.has(event.commandName)) return;
    const isRetry = failed.get(sessionOf(event)) === event.commandName;
    started.set(event.requestId, { event, since: performance.now(), isRetry });
  });
  const end = (event: CommandSucceededEvent | CommandFailedEvent, reply: BSON.Document, error?: Error): void => {
    const sent = started.get(event.requestId);
    if (sent === undefined || !started.delete(event.requestId)) return;
    const session = sessionOf(sent.event);
    failed.delete(session);
    if (error !== undefined && mayPass(error)) failed.set(session, event.commandName);
    // A session that broke may never be used again: the oldest is forgotten.
    if (failed.size > MAX_FAILED) failed.delete(failed.keys().next().value as string);
    tell(log, entryOf(sent, reply, error, withValues));
  };
  client.on('commandSucceeded', (event) => end(event, (event.reply ?? {}) as BSON.Document));
  client.on('commandFailed', (event) => end(event, {}, event.failure));
}

/** A log that fails must not make the command fail. */
function tell(log: Log, entry: LogEntry): void {
  const warn = (error: unknown): void =>
    process.emitWarning(`The log of a connection failed: ${error instanceof Error ? error.message : String(error)}`);
  try {
    void Promise.resolve(log(entry) as unknown).catch(warn);
  } catch (error) {
    warn(error);
  }
}

function entryOf(
  { event, since, isRetry }: Started,
  reply: BSON.Document,
  error: unknown,
  withValues: boolean,
): LogEntry {
  const { command, commandName, databaseName } = event;
  const statement = Object.fromEntries(Object.entries(command).filter(([key], i) => i > 0 && !ADDED.has(key)));
  return {
    command: commandName,
    collection: collectionOf(event),
    database: databaseName,
    milliseconds: performance.now() - since,
    counts: countsOf(commandName, command, reply),
    failure: failureOf(error ?? refusalIn(reply), withValues),
    isRetry,
    isInTransaction: command['autocommit'] === false,
    shape: shapeText(askedBy(statement)),
    ...(withValues && { statement }),
  };
}

/** The part of a command that its shape is made of: of inserted documents one says enough. */
function askedBy({ ordered: _ordered, documents, ...asked }: BSON.Document): object {
  return Array.isArray(documents) ? { documents: documents.slice(0, 1), ...asked } : asked;
}

function collectionOf({ command, commandName, databaseName }: CommandStartedEvent): string | undefined {
  const given: unknown = commandName === 'getMore' ? command['collection'] : command[commandName];
  if (typeof given === 'string') return given;
  const spaces: unknown = command['nsInfo'];
  if (!Array.isArray(spaces)) return undefined;
  const names = (spaces as { readonly ns: string }[]).map(({ ns }) =>
    ns.startsWith(`${databaseName}.`) ? ns.slice(databaseName.length + 1) : ns.slice(ns.indexOf('.') + 1),
  );
  return [...new Set(names)].join(',');
}

function countsOf(name: string, command: BSON.Document, reply: BSON.Document): LogCounts {
  const n = numberIn(reply['n']);
  const upserted = Array.isArray(reply['upserted']) ? reply['upserted'].length : 0;
  const counts: Record<keyof LogCounts, number | undefined> = {
    sent: lengthOf(command['documents'] ?? command['updates'] ?? command['deletes'] ?? command['ops']),
    inserted: name === 'insert' ? n : numberIn(reply['nInserted']),
    matched: name === 'update' && n !== undefined ? n - upserted : (numberIn(reply['nMatched']) ?? foundBy(reply)),
    modified: numberIn(reply['nModified']),
    upserted: numberIn(reply['nUpserted']) ?? (upserted > 0 ? upserted : undefined),
    deleted: name === 'delete' ? n : numberIn(reply['nDeleted']),
    returned: lengthOf(reply['cursor']?.firstBatch ?? reply['cursor']?.nextBatch ?? reply['values']),
    refused: numberIn(reply['nErrors']) || lengthOf(reply['writeErrors']),
  };
  // What such a command returns are reports on its operations.
  if (name === 'bulkWrite') counts.returned = undefined;
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined)) as LogCounts;
}

/** Of `findAndModify`, whose answer has a part for it. */
function foundBy(reply: BSON.Document): number | undefined {
  return numberIn(documentIn(reply['lastErrorObject'])?.['n']);
}

function numberIn(value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : Number(value);
}

function lengthOf(list: unknown): number | undefined {
  return Array.isArray(list) ? list.length : undefined;
}

/** The first operation that the server refused although it answered, or what it could not confirm. */
function refusalIn(reply: BSON.Document): MongoServerError | undefined {
  const reports = (reply['cursor']?.firstBatch ?? []) as BSON.Document[];
  const refused =
    reply['writeErrors']?.[0] ?? (reply['nErrors'] > 0 ? reports.find(({ ok }) => Number(ok) === 0) : undefined);
  const problem = refused ?? reply['writeConcernError'];
  return problem === undefined ? undefined : refusalOf({ ...problem, code: Number(problem.code) });
}

function failureOf(error: unknown, withValues: boolean): LogFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = serverCode(error);
  const message = error instanceof MongoServerError && !withValues ? sentenceOf(error) : error.message;
  return { name: error.name, ...(code !== undefined && { code }), message };
}

function mayPass(error: Error): boolean {
  return error instanceof MongoNetworkError || PASSING.has(serverCode(error));
}

function sessionOf({ command }: CommandStartedEvent): string {
  const id = (command['lsid'] as { id?: BSON.Binary } | undefined)?.id;
  return id === undefined ? '' : id.toString('hex');
}
