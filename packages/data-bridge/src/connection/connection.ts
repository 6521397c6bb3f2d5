import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { typeName } from '../schema/bson-types.ts';
import { NotConnectedError, UsageError } from '../errors.ts';
import { type Log, logCommands } from './command-log.ts';
import { terminalLog } from './log-text.ts';
import { checkMiddleware, type Middleware, useMiddleware } from './middleware.ts';
import { pageKey } from './page-key.ts';
import { customInspect, type Inspect, inspectAs } from '../bson/inspect.ts';
import { unknownOptions } from './driver-options.ts';
import { hideSecrets, optionsIn, withoutSecrets } from './uri.ts';
import { runTransaction, type TransactionCallback, type TransactionOptions } from './transaction.ts';

const open: Connection[] = [];

/** Asks something of a server that has just been connected to. It does not fail. */
type Look = (connection: Connection) => Promise<void>;

/** What filters of models on a connection may hold. */
export interface FilterRules {
  /**
   * Whether operators in filters are refused unless `trusted()` wraps them.
   * @default false
   */
  readonly sanitizeFilters: boolean;
  /**
   * Whether filters, updates and aggregations may run JavaScript on the server, by `$where`, `$function` and
   * `$accumulator`.
   * @default false
   */
  readonly allowServerJavaScript: boolean;
}

/** Options of a connection: the driver's, and this package's own. */
export interface ClientOptions extends MongoClientOptions, Partial<FilterRules> {
  /**
   * A secret of at least 16 characters, the same in every process, that seals the tokens of `page()`: nobody without it can
   * read or forge one. Without a secret the tokens are as opaque, but their key is public. A forged token says where a page
   * begins and nothing else: its values are compared, never run.
   */
  readonly pageSecret?: string;
  /**
   * A log of the commands that are sent to the server: `true` writes a line for each to the standard error, a function gets
   * each as an entry. It tells collection, time and counts, and what was asked with types in the place of values.
   *
   * ```ts
   * await connect(uri, { log: ({ command, collection, milliseconds }) => metrics.record(command, collection, milliseconds) });
   * ```
   *
   * @default false
   */
  readonly log?: boolean | Log;
  /**
   * Whether the log has the values, too: what it writes may then hold secrets.
   * @default false
   */
  readonly logValues?: boolean;
  /**
   * Code around each command of models, the first outermost: it may time it, add a comment, refuse it, and answer a read by itself.
   *
   * ```ts
   * const timed: Middleware = async (command, next) => {
   *   const start = performance.now();
   *   try {
   *     return await next();
   *   } finally {
   *     metrics.record(command.operation, command.collection, performance.now() - start);
   *   }
   * };
   * await connect(uri, { middleware: [timed] });
   * ```
   *
   * @default []
   */
  readonly middleware?: readonly Middleware[];
}

/**
 * An open connection to one database.
 *
 * ```ts
 * await using db = await connect('mongodb://localhost:27017/app');
 * ```
 */
export class Connection {
  /** The driver's client. */
  readonly client: MongoClient;
  /** The driver's database that the URI names (`test` when it names none). */
  readonly db: Db;
  /** Where the server is, without user, password and other secrets. */
  readonly uri: string;
  /** What filters may hold, as the options of `connect()` say. */
  readonly rules: FilterRules;
  readonly #pageKey: Uint8Array;
  readonly #stopServer: (() => Promise<void>) | undefined;
  #closed: Promise<void> | undefined;

  /** @internal Made by `connect`. */
  constructor(
    client: MongoClient,
    uri: string,
    { pageSecret, ...rules }: FilterRules & Pick<ClientOptions, 'pageSecret'>,
    stopServer?: () => Promise<void>,
  ) {
    this.client = client;
    this.db = client.db();
    this.uri = uri;
    this.rules = rules;
    this.#pageKey = pageKey(pageSecret);
    this.#stopServer = stopServer;
    open.push(this);
  }

  /** @internal What seals the tokens of pages. */
  get pageKey(): Uint8Array {
    return this.#pageKey;
  }

  /** True while it is open. */
  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  /**
   * Runs a callback in a transaction of this connection, as `transaction()` does of the default one.
   *
   * @returns what the callback gives.
   */
  async transaction<R>(callback: TransactionCallback<R>, options?: TransactionOptions): Promise<R> {
    if (!this.isOpen) throw new NotConnectedError('There is no connection: it was closed, so it has no transactions.');
    return runTransaction(this.client, callback, options);
  }

  /** Closes the client, and the embedded server that `connect` started for it. Calling it again is no error. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The driver's client holds the password: neither logs nor JSON show it. */
  toJSON(): { readonly uri: string; readonly isOpen: boolean } {
    return { uri: this.uri, isOpen: this.isOpen };
  }

  [customInspect](_depth: number, options: object, inspect?: Inspect): string {
    return inspectAs('Connection', this.toJSON(), options, inspect);
  }

  async #shutDown(): Promise<void> {
    open.splice(open.indexOf(this), 1);
    try {
      await this.client.close();
    } finally {
      await this.#stopServer?.();
    }
  }
}

/**
 * Opens a connection: `connect()` without what it looks at then.
 *
 * @param look what is asked of the server before the log begins, since no program asked for it.
 */
export async function connect(
  uri: string | undefined = process.env['MONGODB_URI'],
  options: ClientOptions = {},
  look?: Look,
): Promise<Connection> {
  if (uri === undefined || uri === '') {
    throw new NotConnectedError(
      'There is nothing to connect to: pass a URI to connect() or set the environment variable MONGODB_URI.',
    );
  }
  if (typeof uri !== 'string') throw new UsageError(`connect() takes a URI, got ${typeName(uri)}.`);
  if (uri.startsWith('embedded:')) return connectEmbedded(uri.slice('embedded:'.length), options, look);
  return openClient(uri, options, look);
}

/**
 * The connection that models use when they are bound to no other: the first one that is still open.
 *
 * @throws NotConnectedError when none is open.
 */
export function defaultConnection(): Connection {
  const [first] = open;
  if (first === undefined)
    throw new NotConnectedError('There is no connection: call connect() first, or again after close().');
  return first;
}

/**
 * Runs a callback in a transaction of the default connection: all that is done in it is stored, or nothing. Every operation
 * inside takes part by itself; they are sent one after another, also under `Promise.all`. What the driver may try again is
 * tried again with documents as they were before, so the callback must not do anything else that cannot be done twice.
 * When it fails, its documents are as they were when it first used them.
 *
 * ```ts
 * await transaction(async () => {
 *   from.balance -= 10;
 *   to.balance += 10;
 *   await saveAll([from, to]);
 * });
 * ```
 *
 * A transaction inside another one of the same connection is a part of that, and fails with it.
 *
 * @returns what the callback gives.
 * @throws what the callback throws; UsageError where the server has no transactions, and for what cannot be part of one;
 *   OutcomeUnknownError when the answer to the commit never came.
 */
export async function transaction<R>(callback: TransactionCallback<R>, options?: TransactionOptions): Promise<R> {
  return defaultConnection().transaction(callback, options);
}

/** True while any connection is open. */
export function hasConnection(): boolean {
  return open.length > 0;
}

async function connectEmbedded(where: string, options: ClientOptions, look: Look | undefined): Promise<Connection> {
  if (where === '') throw new UsageError('"embedded:" needs a place: embedded:memory, or embedded: and a folder.');
  const { startServer } = await loadEmbedded();
  const server = await startServer(where === 'memory' ? {} : { path: where });
  try {
    return await openClient(server.uri, options, look, () => server.close());
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function loadEmbedded(): Promise<typeof import('@data-bridge/embedded')> {
  try {
    return await import('@data-bridge/embedded');
  } catch (cause) {
    throw new UsageError(
      'connect("embedded:…") needs the package @data-bridge/embedded: npm install @data-bridge/embedded.',
      { cause },
    );
  }
}

async function openClient(
  uri: string,
  {
    sanitizeFilters = false,
    allowServerJavaScript = false,
    pageSecret,
    log,
    logValues,
    middleware,
    ...options
  }: ClientOptions,
  look: Look | undefined,
  stopServer?: () => Promise<void>,
): Promise<Connection> {
  if (options.raw === true)
    throw new UsageError('connect() does not take the option "raw": documents and counts could not be read.');
  if (pageSecret !== undefined && (typeof pageSecret !== 'string' || pageSecret.length < 16))
    throw new UsageError('connect() takes a text of at least 16 characters as "pageSecret".');
  const rules = { sanitizeFilters, allowServerJavaScript };
  for (const [name, value] of Object.entries(rules)) {
    if (typeof value !== 'boolean') throw new UsageError(`connect() takes true or false as "${name}".`);
  }
  const shown = withoutSecrets(uri);
  const takeEntry = checkLog(log, logValues, options);
  const chain = checkMiddleware(middleware);
  const client = newClient(uri, shown, takeEntry === undefined ? options : { ...options, monitorCommands: true });
  useMiddleware(client, chain);
  try {
    await client.connect();
  } catch (cause) {
    await client.close();
    throw new NotConnectedError(`Could not connect to ${shown}: ${hideSecrets(uri, messageOf(cause))}`, {
      cause: hideCause(uri, cause),
    });
  }
  const connection = new Connection(
    client,
    shown,
    pageSecret === undefined ? rules : { ...rules, pageSecret },
    stopServer,
  );
  await look?.(connection);
  if (takeEntry !== undefined) logCommands(client, takeEntry, logValues === true);
  return connection;
}

/** What takes the entries; undefined where nothing is logged. */
function checkLog(log: unknown, logValues: unknown, { monitorCommands }: MongoClientOptions): Log | undefined {
  const refuse = (text: string): never => {
    throw new UsageError(text);
  };
  if (log !== undefined && typeof log !== 'boolean' && typeof log !== 'function')
    refuse(`connect() takes true, false or a function as "log", got ${typeName(log)}.`);
  if (logValues !== undefined && typeof logValues !== 'boolean')
    refuse('connect() takes true or false as "logValues".');
  const isOff = log === undefined || log === false;
  if (isOff && logValues === true) refuse('connect() takes "logValues" with "log", which is off.');
  if (!isOff && monitorCommands === false) refuse('connect() cannot log commands with "monitorCommands: false".');
  if (isOff) return undefined;
  return log === true ? terminalLog() : (log as Log);
}

function newClient(uri: string, shown: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(uri, { ...options, ignoreUndefined: true });
  } catch (cause) {
    const unknown = unknownOptions(messageOf(cause), Object.keys(options));
    if (unknown.length > 0)
      throw new UsageError(
        `connect() has no option ${unknown.map((name) => `"${name}"`).join(', ')}${unknown.includes('debug') ? ': log shows what is sent' : ''}.`,
        { cause },
      );
    const [inUri] = unknownOptions(messageOf(cause), optionsIn(uri));
    const reason = inUri === undefined ? messageOf(cause) : `there is no option "${inUri}"`;
    throw new NotConnectedError(`Could not use the URI ${shown}: ${hideSecrets(uri, reason)}`, {
      cause: hideCause(uri, cause),
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The cause is kept unless its own message holds a secret: logs print causes too. */
function hideCause(uri: string, cause: unknown): unknown {
  return hideSecrets(uri, messageOf(cause)) === messageOf(cause) ? cause : undefined;
}
