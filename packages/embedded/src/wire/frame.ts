/** The largest message either side may send, in bytes; `hello` names it. */
export const MAX_MESSAGE_SIZE = 48_000_000;

/** Bytes of the header that every message starts with: length, request id, response to, opcode, four int32 each. */
export const HEADER_SIZE = 16;

/**
 * A message that breaks the protocol itself, so that nothing after it on the connection can be trusted: the connection
 * is closed without an answer. What is wrong inside a well-formed message is a `ServerError` and is answered.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** One message as it came. */
export interface Frame {
  readonly requestId: number;
  readonly opCode: number;
  /** The whole message, header included: a view on what the socket delivered. */
  readonly bytes: Buffer;
}

/**
 * Cuts a stream of bytes into messages (source: the MongoDB wire protocol, "Standard Message Header"). Chunks are
 * joined at most twice per message, however small they come.
 */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  #needed = HEADER_SIZE;

  /** Bytes that are there and not yet taken. */
  get size(): number {
    return this.#size;
  }

  /** Takes what the socket delivered. */
  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next whole message, or undefined until more bytes come. Throws `ProtocolError` for an impossible length. */
  next(): Frame | undefined {
    if (this.#size < this.#needed) return undefined;
    const bytes = this.#join();
    const length = bytes.readInt32LE(0);
    if (length < HEADER_SIZE || length > MAX_MESSAGE_SIZE) {
      throw new ProtocolError(`message length ${length} is outside ${HEADER_SIZE}..${MAX_MESSAGE_SIZE}`);
    }
    if (bytes.length < length) {
      this.#needed = length;
      return undefined;
    }
    this.#keep(bytes.subarray(length));
    return { requestId: bytes.readInt32LE(4), opCode: bytes.readInt32LE(12), bytes: bytes.subarray(0, length) };
  }

  #join(): Buffer {
    const [first, second] = this.#chunks;
    const joined = first !== undefined && second === undefined ? first : Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [joined];
    return joined;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
    this.#needed = HEADER_SIZE;
  }
}

/** Fills in the header at the start of `message`, whose length is that of the buffer plus `extra` bytes sent after it. */
export function writeHeader(message: Buffer, responseTo: number, opCode: number, extra = 0): void {
  message.writeInt32LE(message.length + extra, 0);
  // A client tells answers apart by `responseTo`; the id of an answer is never referred to.
  message.writeInt32LE(0, 4);
  message.writeInt32LE(responseTo, 8);
  message.writeInt32LE(opCode, 12);
}

/** The document that starts at `start`: a view on `bytes`. Only its length and its last byte are looked at. */
export function documentAt(bytes: Buffer, start: number, end: number): Buffer {
  if (end - start < 5) throw new ProtocolError(`a document is cut off at byte ${start}`);
  const length = bytes.readInt32LE(start);
  if (length < 5 || length > end - start || bytes[start + length - 1] !== 0) {
    throw new ProtocolError(`the document at byte ${start} is not framed as BSON`);
  }
  return bytes.subarray(start, start + length);
}

/** The end of the NUL-terminated string that starts at `start`: the offset of its NUL. */
export function endOfCString(bytes: Buffer, start: number, end: number): number {
  const nul = bytes.indexOf(0, start);
  if (nul === -1 || nul >= end) throw new ProtocolError(`a name has no end from byte ${start}`);
  return nul;
}
