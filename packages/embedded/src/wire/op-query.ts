import { documentAt, endOfCString, HEADER_SIZE, ProtocolError, writeHeader, type Frame } from './frame.ts';

export const OP_QUERY = 2004;
const OP_REPLY = 1;

/** Bit 3 of an OP_REPLY: the server can answer further requests while a cursor waits. Set by every MongoDB since 1.6. */
const AWAIT_CAPABLE = 1 << 3;

/** A parsed OP_QUERY: the way clients say their first hello to a server whose version they do not know yet. */
export interface OpQuery {
  /** `<database>.$cmd` for a command. */
  readonly namespace: string;
  readonly query: Buffer;
}

/** Takes an OP_QUERY apart (source: the MongoDB wire protocol, "OP_QUERY"). Throws `ProtocolError`. */
export function parseOpQuery({ bytes }: Frame): OpQuery {
  const name = HEADER_SIZE + 4;
  if (bytes.length < name) throw new ProtocolError('an OP_QUERY has no flags');
  const nul = endOfCString(bytes, name, bytes.length);
  // Two int32 follow the name: documents to skip and to return, of no meaning to a command.
  const query = documentAt(bytes, nul + 9, bytes.length);
  return { namespace: bytes.toString('utf8', name, nul), query };
}

/** What goes before `body` on the wire to make it an OP_REPLY with that one document. */
export function opReplyHead(responseTo: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(HEADER_SIZE + 20);
  writeHeader(head, responseTo, OP_REPLY, body.length);
  head.writeInt32LE(AWAIT_CAPABLE, HEADER_SIZE);
  head.writeInt32LE(1, HEADER_SIZE + 16);
  return head;
}
