import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Catalog } from './catalog/catalog.ts';
import type { Client, Context } from './dispatch/command.ts';
import { ClientTransactions } from './sessions/client-transactions.ts';
import { Cursors } from './cursors/cursors.ts';
import { removeExpired } from './commands/expiry.ts';
import { indexDefinition } from './commands/index-definition.ts';
import { runCommand } from './commands/run-command.ts';
import { Sessions } from './sessions/sessions.ts';
import { MemoryStorage } from './storage/memory.ts';
import type { Storage } from './storage/storage.ts';
import { type Frame, FrameReader, MAX_MESSAGE_SIZE, ProtocolError } from './wire/frame.ts';
import { OP_MSG, opMsgHead, parseOpMsg } from './wire/op-msg.ts';
import { OP_QUERY, opReplyHead, parseOpQuery } from './wire/op-query.ts';

const LOOPBACK = '127.0.0.1';

/** How often documents whose time is over are looked for, in milliseconds. MongoDB does it once a minute. */
const EXPIRY_INTERVAL = 1_000;

/** How to start a server. */
export interface ServerOptions {
  /** The TCP port on 127.0.0.1. @default a free one */
  readonly port?: number;
  /** The path of a Unix domain socket to listen on instead of a port. */
  readonly socket?: string;
  /** The folder that keeps the data; made where there is none. @default in memory, gone with the server */
  readonly path?: string;
}

/** A server that runs in this process. */
export interface RunningServer {
  /** The connection string for the driver. */
  readonly uri: string;
  /** Ends all connections and closes the store, or drops the data in memory. A second call does no harm. */
  close(): Promise<void>;
}

/**
 * Starts a server in this process that speaks MongoDB's protocol on the loopback interface. It is for development,
 * tests, demos and small tools. Like any server of `node:net` it keeps the process alive until `close()`.
 * @throws TypeError for wrong options; StoreError, whose `code` says why, where the folder cannot be used; the error of
 * `node:net` where it cannot listen, such as EADDRINUSE
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  checkOptions(options);
  const storage = await openStorage(options.path);
  try {
    return await serveStorage(storage, options);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** The durable store and LMDB are loaded only where they are wanted. */
async function openStorage(path: string | undefined): Promise<Storage> {
  if (path === undefined) return new MemoryStorage();
  const { LmdbStorage } = await import('./storage/lmdb.ts');
  return LmdbStorage.open(path);
}

async function serveStorage(storage: Storage, options: ServerOptions): Promise<RunningServer> {
  const cursors = new Cursors();
  const sockets = new Set<Socket>();
  let accepted = 0;
  const catalog = new Catalog(storage, indexDefinition);
  const server = createServer();
  await listen(server, options);
  const sessions = new Sessions(storage.persistent ? storage.state : undefined);
  const context: Context = {
    catalog,
    cursors,
    sessions,
    transactions: new ClientTransactions(catalog, cursors, sessions),
    startedAt: new Date(),
    host: hostOf(server),
    maxMessageSize: MAX_MESSAGE_SIZE,
    connections: () => ({ current: sockets.size, total: accepted }),
  };
  server.on('connection', (socket) => {
    accepted += 1;
    sockets.add(socket);
    const ended = new AbortController();
    socket.once('close', () => {
      sockets.delete(socket);
      ended.abort();
    });
    const address = `${socket.remoteAddress ?? 'socket'}:${socket.remotePort ?? 0}`;
    const client = { id: accepted, address, gone: ended.signal };
    serve(socket, (frame) => answer(context, client, frame));
  });
  const expiry = setInterval(() => expire(context), EXPIRY_INTERVAL).unref();

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    clearInterval(expiry);
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    cursors.closeAll();
    await ended;
    await storage.close();
  };
  return { uri: uriOf(context.host, options), close: () => (closed ??= close()) };
}

/** A store that fails now fails the next command too, which can tell somebody. */
function expire({ catalog, cursors, sessions, transactions }: Context): void {
  cursors.closeIdle();
  try {
    transactions.removeExpired();
    removeExpired(catalog);
    if (sessions.hasExpired) catalog.transaction(() => sessions.removeExpired());
  } catch {
    // What has expired is looked for again.
  }
}

const OPTION_NAMES = new Set(['port', 'socket', 'path']);

function checkOptions(options: ServerOptions): void {
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.has(name)) throw new TypeError(`Expected the options port, socket or path, got "${name}".`);
  }
  const { port, socket, path } = options;
  if (path !== undefined && (typeof path !== 'string' || path === '')) {
    throw new TypeError('Expected "path" to be the path of a folder.');
  }
  if (port !== undefined && socket !== undefined) throw new TypeError('Expected "port" or "socket", got both.');
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new TypeError(`Expected "port" to be an integer from 0 to 65535, got ${String(port)}.`);
  }
  if (socket !== undefined && (typeof socket !== 'string' || socket === '')) {
    throw new TypeError('Expected "socket" to be the path of a Unix domain socket.');
  }
}

async function listen(server: Server, { port = 0, socket }: ServerOptions): Promise<void> {
  if (socket === undefined) server.listen(port, LOOPBACK);
  else server.listen(socket);
  await once(server, 'listening');
  // What may fail from now on is a single connection that could not be accepted, for want of file handles, say.
  server.on('error', () => {});
}

/** Where the server listens: `<host>:<port>`, or the path of a socket. */
function hostOf(server: Server): string {
  const address = server.address();
  if (address === null) throw new Error('The server does not listen.');
  return typeof address === 'string' ? address : `${LOOPBACK}:${address.port}`;
}

/**
 * Clients look for the members of a set by the names that it gives itself. Those of sockets they would write in small
 * letters, so there they are told to look no further.
 */
function uriOf(host: string, { socket }: ServerOptions): string {
  return socket === undefined ? `mongodb://${host}/` : `mongodb://${encodeURIComponent(host)}/?directConnection=true`;
}

/** The parts of an answer; none where the client waits for none. */
type Answer = readonly Uint8Array[];

/**
 * Answers the messages of a connection one after another. A client that does not read its answers is not read either.
 * While an answer waits for something the connection is read, or its end would not be noticed; the messages wait.
 */
function serve(socket: Socket, respond: (frame: Frame) => Answer | Promise<Answer>): void {
  const frames = new FrameReader();
  let isWaiting = false;
  const proceed = (): void => {
    while (!isWaiting && !socket.destroyed && !socket.writableNeedDrain) {
      const frame = frames.next();
      if (frame === undefined) {
        if (socket.isPaused()) socket.resume();
        return;
      }
      const answer = respond(frame);
      if (answer instanceof Promise) void wait(answer);
      else send(socket, answer);
    }
    if (!isWaiting || frames.size > MAX_MESSAGE_SIZE) socket.pause();
  };
  const wait = async (answer: Promise<Answer>): Promise<void> => {
    isWaiting = true;
    const parts = await answer;
    isWaiting = false;
    if (!socket.destroyed) attempt(() => send(socket, parts));
    attempt(proceed);
  };
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      // This message cannot be understood, so what follows it cannot be either. The other connections go on.
      socket.destroy(error instanceof Error ? error : undefined);
    }
  };
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    frames.add(chunk);
    attempt(proceed);
  });
  socket.on('drain', () => attempt(proceed));
  socket.on('error', () => socket.destroy());
}

function send(socket: Socket, parts: readonly Uint8Array[]): void {
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
}

function answer(context: Context, client: Client, frame: Frame): Answer | Promise<Answer> {
  switch (frame.opCode) {
    case OP_MSG: {
      const { moreToCome, body, sequences } = parseOpMsg(frame);
      const reply = runCommand(context, client, { body, sequences });
      return answerWith(reply, (bytes) => (moreToCome ? [] : [opMsgHead(frame.requestId, bytes), bytes]));
    }
    case OP_QUERY: {
      const { namespace, query } = parseOpQuery(frame);
      const database = namespace.endsWith(COMMAND_SUFFIX) ? namespace.slice(0, -COMMAND_SUFFIX.length) : undefined;
      if (database === undefined) throw new ProtocolError(`an OP_QUERY asks for ${namespace}, which is no command`);
      const reply = runCommand(context, client, { body: query, sequences: new Map(), legacyDatabase: database });
      return answerWith(reply, (bytes) => [opReplyHead(frame.requestId, bytes), bytes]);
    }
    default:
      throw new ProtocolError(`the opcode ${frame.opCode} is not supported`);
  }
}

function answerWith(reply: Uint8Array | Promise<Uint8Array>, wrap: (reply: Uint8Array) => Answer) {
  return reply instanceof Promise ? reply.then(wrap) : wrap(reply);
}

/** What the namespace of a command ends with in an OP_QUERY. */
const COMMAND_SUFFIX = '.$cmd';
