import { createHash } from 'node:crypto';
import type { RecordId } from './storage.ts';

/** A number that names a collection or an index has that many bytes, and so has the length of a text. */
const NUMBER_BYTES = 4;
/** Enough for a million inserts a second for eight years. */
const RECORD_ID_BYTES = 6;
const LENGTH_BYTES = 2;

/** LMDB's keys may have 1,978 bytes; short ones make flat trees. */
const MAX_TEXT_BYTES = 256;
const HASH_BYTES = 32;

/** Keys of LMDB: numbers first byte first, so that the order of the bytes is that of the numbers. */
export function numberKey(...numbers: readonly number[]): Buffer {
  const key = Buffer.allocUnsafe(numbers.length * NUMBER_BYTES);
  for (const [position, number] of numbers.entries()) key.writeUInt32BE(number, position * NUMBER_BYTES);
  return key;
}

/** A record of a collection: in natural order within its collection. */
export function recordKey(collection: number, id: RecordId): Buffer {
  const key = Buffer.allocUnsafe(NUMBER_BYTES + RECORD_ID_BYTES);
  key.writeUInt32BE(collection, 0);
  key.writeUIntBE(id, NUMBER_BYTES, RECORD_ID_BYTES);
  return key;
}

/** The record that a key of `recordKey` or `entryKey` ends with. */
export function recordIdOf(key: Buffer): RecordId {
  return key.readUIntBE(key.length - RECORD_ID_BYTES, RECORD_ID_BYTES);
}

/** An `_id` of a collection. `text` is of `textBytes`. */
export function idKey(collection: number, text: Buffer): Buffer {
  return Buffer.concat([numberKey(collection), text]);
}

/**
 * What all entries of one text in one index begin with. The length keeps a text apart from those that begin with it.
 */
export function entryPrefix(collection: number, index: number, text: Buffer): Buffer {
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt16BE(text.length, 0);
  return Buffer.concat([numberKey(collection, index), length, text]);
}

/** An entry of an index: one record that has this text. */
export function entryKey(prefix: Buffer, id: RecordId): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + RECORD_ID_BYTES);
  prefix.copy(key);
  key.writeUIntBE(id, prefix.length, RECORD_ID_BYTES);
  return key;
}

/** The first key after all that begin with `prefix`. Not for a prefix of nothing but 0xff. */
export function after(prefix: Buffer): Buffer {
  let end = prefix.length;
  while (prefix[end - 1] === 0xff) end -= 1;
  const next = Buffer.from(prefix.subarray(0, end));
  next.writeUInt8(next.readUInt8(end - 1) + 1, end - 1);
  return next;
}

/** The text of a value as part of a key. A long one is cut, and told by its hash from others that begin like it. */
export function textBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < MAX_TEXT_BYTES) return bytes;
  const hash = createHash('sha256').update(bytes).digest();
  return Buffer.concat([bytes.subarray(0, MAX_TEXT_BYTES - HASH_BYTES), hash]);
}
