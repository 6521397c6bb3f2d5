import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { deserialize, type Document, serialize } from 'bson';
import { crc32c } from '../../src/wire/crc32c.ts';

/** A message as it came from the server. */
export interface RawReply {
  readonly opCode: number;
  readonly responseTo: number;
  readonly flags: number;
  readonly document: Document;
}

/** A connection that sends whatever bytes a test wants. */
export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  /** What came behind it: joined when a message is whole, or a large one would be copied for each chunk. */
  #chunks: Buffer[] = [];
  #size = 0;
  #wake: () => void = () => {};
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#wake();
    });
    // The server may cut the connection while a test still writes.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async connect(uri: string): Promise<RawClient> {
    const { hostname, port } = new URL(uri);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The next reply, or undefined when the server closed the connection instead. */
  async receive(): Promise<RawReply | undefined> {
    for (;;) {
      if (this.#received.length < 4) this.#join();
      const length = this.#received.length >= 4 ? this.#received.readInt32LE(0) : Number.POSITIVE_INFINITY;
      if (this.#size >= length) {
        this.#join();
        const message = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        this.#size -= length;
        return parseReply(message);
      }
      if (this.closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #join(): void {
    this.#received = Buffer.concat([this.#received, ...this.#chunks]);
    this.#chunks = [];
  }

  async command(document: Document): Promise<Document | undefined> {
    this.send(opMsg([body(document)]));
    return (await this.receive())?.document;
  }

  close(): void {
    this.socket.destroy();
  }
}

function parseReply(message: Buffer): RawReply {
  const opCode = message.readInt32LE(12);
  const start = opCode === 1 ? 36 : 21;
  return {
    opCode,
    responseTo: message.readInt32LE(8),
    flags: message.readUInt32LE(16),
    document: deserialize(message.subarray(start)),
  };
}

export function header(length: number, opCode: number, requestId = 1): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(length, 0);
  bytes.writeInt32LE(requestId, 4);
  bytes.writeInt32LE(opCode, 12);
  return bytes;
}

export interface OpMsgOptions {
  readonly flags?: number;
  readonly requestId?: number;
  /** Adds a checksum: the right one, or this one. */
  readonly checksum?: true | number;
}

/** An OP_MSG of these sections. */
export function opMsg(
  sections: readonly Uint8Array[],
  { flags = 0, requestId = 1, checksum }: OpMsgOptions = {},
): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE((checksum === undefined ? flags : flags | 1) >>> 0, 0);
  const content = Buffer.concat([head, ...sections]);
  if (checksum === undefined) return Buffer.concat([header(16 + content.length, 2013, requestId), content]);
  const message = Buffer.concat([header(20 + content.length, 2013, requestId), content, Buffer.alloc(4)]);
  const sum = checksum === true ? crc32c(message.subarray(0, -4)) : checksum;
  message.writeUInt32LE(sum, message.length - 4);
  return message;
}

/** A section of kind 0. */
export function body(document: Document): Buffer {
  return Buffer.concat([Buffer.of(0), serialize(document)]);
}

/** A section of kind 1. */
export function sequence(name: string, documents: readonly Document[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((document) => serialize(document))]);
  const head = Buffer.alloc(5);
  head.writeUInt8(1, 0);
  head.writeInt32LE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

/** An OP_QUERY with a command. */
export function opQuery(namespace: string, document: Document, requestId = 1): Buffer {
  const tail = Buffer.alloc(8);
  tail.writeInt32LE(-1, 4);
  const content = Buffer.concat([Buffer.alloc(4), Buffer.from(`${namespace}\0`), tail, serialize(document)]);
  return Buffer.concat([header(16 + content.length, 2004, requestId), content]);
}
