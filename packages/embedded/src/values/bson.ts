// The codec between BSON bytes and typed values.
import { Reader } from './bson-reader.ts';
import { Writer } from './bson-writer.ts';
import type { Document } from './value.ts';

/**
 * Reads the BSON document that starts at `start`. Binary values share memory with `bytes`.
 * @throws ServerError 22 (InvalidBSON) where the bytes are no valid document, 15 (Overflow) where it nests too deep.
 */
export function decode(bytes: Uint8Array, start = 0): Document {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Reader(buffer, start).document(1);
}

/** Reads the first member of a document and nothing else: the `_id` of a stored one. Throws like `decode`. */
export function decodeFirst(bytes: Uint8Array): Document {
  return new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0).firstMember();
}

// Encoding never calls out, so one buffer serves every call; a large one is not kept.
const MAX_SCRATCH = 1 << 20;
let scratch: Buffer = Buffer.allocUnsafeSlow(1 << 14);

/**
 * Writes a document as BSON, in a buffer of its own.
 * @throws ServerError 22 for a key or regular expression with a NUL, 15 where the document nests too deep.
 */
export function encode(document: Document): Buffer {
  const writer = new Writer(scratch);
  writer.document(document, 1);
  const bytes = Buffer.from(writer.bytes.subarray(0, writer.position));
  if (writer.bytes.length <= MAX_SCRATCH) scratch = writer.bytes;
  return bytes;
}
