import { crc32c } from './crc32c.ts';
import { documentAt, endOfCString, HEADER_SIZE, ProtocolError, writeHeader, type Frame } from './frame.ts';

export const OP_MSG = 2013;

const CHECKSUM_PRESENT = 1 << 0;
const MORE_TO_COME = 1 << 1;
/** A receiver must refuse bits of the lower half that it does not know, and ignore those of the upper half. */
const UNKNOWN_REQUIRED_BITS = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME);

const BODY = 0;
const DOCUMENT_SEQUENCE = 1;

/**
 * Most documents of one message. A write batch may hold 100,000, and one somewhat over that deserves a proper error;
 * a flood of 5-byte documents would only fill the memory with views on it.
 */
const MAX_DOCUMENTS = 200_000;

/** A parsed OP_MSG. Documents are views on the message. */
export interface OpMsg {
  /** The sender waits for no answer. */
  readonly moreToCome: boolean;
  readonly body: Buffer;
  /** The document sequences by their names; they stand for array fields of the body. */
  readonly sequences: ReadonlyMap<string, readonly Buffer[]>;
}

/** Takes an OP_MSG apart (source: the MongoDB wire protocol, "OP_MSG"). Throws `ProtocolError`. */
export function parseOpMsg({ bytes }: Frame): OpMsg {
  if (bytes.length < HEADER_SIZE + 4) throw new ProtocolError('an OP_MSG has no flags');
  const flags = bytes.readUInt32LE(HEADER_SIZE);
  if (flags & UNKNOWN_REQUIRED_BITS) throw new ProtocolError(`an OP_MSG has unknown required flags (${flags})`);
  const end = flags & CHECKSUM_PRESENT ? verifyChecksum(bytes) : bytes.length;
  return { moreToCome: (flags & MORE_TO_COME) !== 0, ...parseSections(bytes, HEADER_SIZE + 4, end) };
}

/** Checks the CRC-32C in the last four bytes and gives the offset where it starts. */
function verifyChecksum(bytes: Buffer): number {
  const end = bytes.length - 4;
  if (end < HEADER_SIZE + 4) throw new ProtocolError('an OP_MSG has no checksum where its flags promise one');
  if (crc32c(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) {
    throw new ProtocolError('the checksum of an OP_MSG does not match its bytes');
  }
  return end;
}

function parseSections(bytes: Buffer, start: number, end: number): Pick<OpMsg, 'body' | 'sequences'> {
  let body: Buffer | undefined;
  const sequences = new Map<string, Buffer[]>();
  let documents = 0;
  let at = start;
  while (at < end) {
    const kind = bytes[at];
    at += 1;
    if (kind === BODY) {
      if (body !== undefined) throw new ProtocolError('an OP_MSG has two bodies');
      body = documentAt(bytes, at, end);
      at += body.length;
    } else if (kind === DOCUMENT_SEQUENCE) {
      const sequence = parseSequence(bytes, at, end, MAX_DOCUMENTS - documents);
      if (sequences.has(sequence.name)) throw new ProtocolError('an OP_MSG has two sequences of one name');
      sequences.set(sequence.name, sequence.documents);
      documents += sequence.documents.length;
      at = sequence.end;
    } else {
      throw new ProtocolError(`an OP_MSG has a section of the unknown kind ${kind}`);
    }
  }
  if (body === undefined) throw new ProtocolError('an OP_MSG has no body');
  return { body, sequences };
}

function parseSequence(bytes: Buffer, start: number, limit: number, room: number) {
  if (limit - start < 4) throw new ProtocolError('a document sequence has no size');
  const size = bytes.readInt32LE(start);
  if (size < 5 || size > limit - start) throw new ProtocolError(`a document sequence of ${size} bytes does not fit`);
  const end = start + size;
  const nul = endOfCString(bytes, start + 4, end);
  const documents: Buffer[] = [];
  let at = nul + 1;
  while (at < end) {
    if (documents.length === room) throw new ProtocolError(`a message holds more than ${MAX_DOCUMENTS} documents`);
    const document = documentAt(bytes, at, end);
    documents.push(document);
    at += document.length;
  }
  return { name: bytes.toString('utf8', start + 4, nul), documents, end };
}

/** What goes before `body` on the wire to make it an OP_MSG that answers the request `responseTo`. */
export function opMsgHead(responseTo: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(HEADER_SIZE + 5);
  writeHeader(head, responseTo, OP_MSG, body.length);
  return head;
}
