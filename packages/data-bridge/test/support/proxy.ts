import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { BSON, type MongoClientOptions } from 'mongodb';
import { afterAll } from 'vitest';
import { type TestDatabase, useDatabase } from './database.ts';

/**
 * What befalls a command on its way:
 * - `'cutBefore'`: the connection breaks before the server sees it;
 * - `'cutAfter'`: it breaks after the server acted, before the answer comes;
 * - `{ answer }`: it is answered so, and the server does not see it;
 * - a function: the answer comes when its promise resolves, with what it gives in the place of the server's answer.
 */
export type Fault =
  | 'cutBefore'
  | 'cutAfter'
  | { readonly answer: BSON.Document }
  | ((reply: BSON.Document) => BSON.Document | Promise<BSON.Document>);

const OP_MSG = 2013;
/** Length, request id, response to, opcode; flag bits; the kind of the first section. */
const BODY = 16 + 4 + 1;
/** Where the first key of a body is, which names the command: behind its length and the type of the value. */
const NAME = BODY + 4 + 1;

/** As `useDatabase()`, with a proxy between the driver and the server. */
export function useProxiedDatabase(options: MongoClientOptions = {}): {
  readonly proxy: FaultyProxy;
  readonly database: TestDatabase;
} {
  const proxy = new FaultyProxy();
  afterAll(() => proxy.close()); // after the database, whose hook comes later
  return { proxy, database: useDatabase(proxy.options(options)) };
}

/** A TCP proxy in front of a server that lets faults befall the next command of a name. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #faults = new Map<string, Fault>();
  readonly #always = new Map<string, Fault>();
  #port = 0;
  #target: { readonly host: string; readonly port: number } = { host: '127.0.0.1', port: 0 };

  constructor() {
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Starts it in front of a server; its own address. */
  async listen(server: URL): Promise<string> {
    this.#target = { host: server.hostname, port: Number(server.port || 27017) };
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * What opens a database through it: the driver never sends a write again by itself, and soon finds a server that is back.
   * The program's own options come last.
   */
  options<O extends object>(options?: O) {
    const via = (server: URL): Promise<string> => this.listen(server);
    const heartbeat = { heartbeatFrequencyMS: 50, minHeartbeatFrequencyMS: 50 };
    return { via, retryWrites: false, directConnection: true, ...heartbeat, ...options };
  }

  /** The next command of this name meets the fault. */
  next(command: string, fault: Fault): void {
    this.#faults.set(command, fault);
  }

  /** Every command of this name meets the fault. */
  always(command: string, fault: Fault): void {
    this.#always.set(command, fault);
  }

  async close(): Promise<void> {
    this.#port = (this.#server.address() as AddressInfo).port;
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Listens again where it did before it was closed. */
  async reopen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  #accept(client: Socket): void {
    const server = connect(this.#target);
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    let onReply: Fault | undefined;
    eachMessage(client, (message) => {
      const fault = this.#take(message);
      if (fault === 'cutBefore') return cut();
      if (typeof fault === 'object') return void client.write(answerTo(message, fault.answer));
      onReply = fault;
      server.write(message);
    });
    eachMessage(server, async (message) => {
      const fault = onReply;
      onReply = undefined;
      if (fault === undefined) client.write(message);
      else if (typeof fault !== 'function') cut();
      else client.write(withBody(message, await fault(bodyOf(message))));
    });
  }

  #take(message: Buffer): Fault | undefined {
    if (message.readInt32LE(12) !== OP_MSG) return undefined;
    const name = message.toString('latin1', NAME, message.indexOf(0, NAME));
    const fault = this.#faults.get(name) ?? this.#always.get(name);
    this.#faults.delete(name);
    return fault;
  }
}

/** Calls back with each whole message of the wire protocol: its first four bytes tell its length. */
function eachMessage(socket: Socket, callback: (message: Buffer) => void | Promise<void>): void {
  let chunks: Buffer[] = [];
  let length = 0;
  let wanted = 4;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < wanted) return; // joined for each chunk, a large message would be copied hundreds of times
    let received = Buffer.concat(chunks, length);
    wanted = 4;
    while (received.length >= wanted) {
      const size = received.readInt32LE(0);
      if (received.length < size) {
        wanted = size;
        break;
      }
      void callback(received.subarray(0, size));
      received = received.subarray(size);
    }
    chunks = [received];
    length = received.length;
  });
}

function bodyOf(message: Buffer): BSON.Document {
  return BSON.deserialize(message.subarray(BODY, BODY + message.readInt32LE(BODY)));
}

/** The command's own bytes with another body: its id becomes that of what is answered. */
function answerTo(command: Buffer, answer: BSON.Document): Buffer {
  const message = withBody(command, answer);
  command.copy(message, 8, 4, 8);
  message.writeInt32LE(0, 16);
  return message;
}

function withBody(message: Buffer, body: BSON.Document): Buffer {
  const changed = Buffer.concat([message.subarray(0, BODY), BSON.serialize(body)]);
  changed.writeInt32LE(changed.length, 0);
  return changed;
}
