import { randomBytes } from 'node:crypto';
import { BSON, type CommandStartedEvent, type Db, type MongoClientOptions } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { expectConsistent } from '../../../embedded/test/support/consistency.ts';
import { EncodedDocument } from '../../src/bson/encoded-document.ts';
import { connect, type Connection } from '../../src/connection/connection.ts';

/** What a program sent: the command's name is its first key. */
export type Command = BSON.Document;

/** Commands of the driver itself, which no program asked for. */
const DRIVER_COMMANDS = new Set(['hello', 'ismaster', 'ping', 'endSessions', 'saslStart', 'saslContinue']);

/** A database of its own on the server under test, and the default connection of every model. */
export interface TestDatabase {
  readonly connection: Connection;
  readonly db: Db;
  /** Where the server is, with the database's name and without the options. */
  readonly uri: string;
  /** The commands sent since the last call of this. */
  sent(): Command[];
}

/** A database that whoever opened it closes. */
export interface OpenDatabase extends TestDatabase {
  /** Checks that collections agree with their indexes, and drops the database. */
  close(): Promise<void>;
}

export interface DatabaseOptions extends MongoClientOptions {
  /** The address to go through instead of the server's own, such as a proxy's. */
  readonly via?: (server: URL) => Promise<string>;
}

/** The server of `MONGODB_URI`, else an embedded one. */
export async function openServer(): Promise<{ readonly uri: string; close(): Promise<void> }> {
  const uri = process.env['MONGODB_URI'];
  if (uri !== undefined) return { uri, close: async () => {} };
  const { startServer } = await import('@data-bridge/embedded');
  return startServer();
}

/** Opens a database before the tests of the file, or of the suite, in which it is called, and closes it after them. */
export function useDatabase(options: DatabaseOptions = {}): TestDatabase {
  let opened: OpenDatabase | undefined;
  beforeAll(async () => {
    opened = await openDatabase(options);
  });
  afterAll(() => opened?.close());
  const database = (): OpenDatabase => {
    if (opened === undefined) throw new Error('The database is opened when the tests begin, not before.');
    return opened;
  };
  return {
    get connection() {
      return database().connection;
    },
    get db() {
      return database().db;
    },
    get uri() {
      return database().uri;
    },
    sent: () => database().sent(),
  };
}

export async function openDatabase(options: DatabaseOptions = {}): Promise<OpenDatabase> {
  const { via, ...clientOptions } = options;
  const server = await openServer();
  const url = new URL(server.uri);
  if (via !== undefined) {
    url.host = await via(url);
    // A member of a replica set would tell the client where it really is.
    url.searchParams.set('directConnection', 'true');
  }
  url.pathname = `/test-${process.pid}-${randomBytes(6).toString('hex')}`;
  const connection = await connect(url.href, { ...clientOptions, monitorCommands: true });
  // Documents go as bytes only where nobody is shown them. Here they go as in a program that does not watch.
  Object.assign(connection.client.options, { monitorCommands: clientOptions.monitorCommands ?? false });
  const commands: Command[] = [];
  connection.client.on('commandStarted', ({ commandName, command }: CommandStartedEvent) => {
    if (!DRIVER_COMMANDS.has(commandName)) commands.push(readable(command) as Command);
  });
  return {
    connection,
    db: connection.db,
    uri: url.href,
    sent: () => commands.splice(0),
    async close() {
      if (process.env['MONGODB_URI'] === undefined) await expectConsistent(connection.client);
      await connection.db.dropDatabase();
      await connection.close();
      await server.close();
    },
  };
}

/** A command with the documents in it that are sent as bytes. */
function readable(value: unknown): unknown {
  if (value instanceof EncodedDocument) return BSON.deserialize(value.bytes);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readable(member)]));
}

/** The one statement of a list of commands that must be a single insert, update or delete. */
export function onlyStatement(commands: readonly Command[]): BSON.Document {
  const [command] = commands;
  if (command === undefined || commands.length !== 1)
    throw new Error(`Expected one command, got ${commands.length}: ${commands.map((each) => Object.keys(each)[0])}`);
  const statements: unknown = command['updates'] ?? command['documents'] ?? command['deletes'];
  if (!Array.isArray(statements) || statements.length !== 1)
    throw new Error(`Expected one statement in ${Object.keys(command)[0]}`);
  return statements[0] as BSON.Document;
}

/** What the update operators of the one update sent say. */
export function onlyUpdate(commands: readonly Command[]): unknown {
  return onlyStatement(commands)['u'];
}
