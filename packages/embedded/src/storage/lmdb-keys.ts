import type { KeyRange } from './key-range.ts';
import type { RecordId } from './storage.ts';

/** A number that names a collection or an index has that many bytes. */
const NUMBER_BYTES = 4;
/** Enough for a million inserts a second for eight years. */
const RECORD_ID_BYTES = 6;

/** What part of a table is read. */
export interface TableRange {
  readonly start: Buffer;
  readonly end: Buffer;
  readonly limit: number;
  readonly reverse?: boolean;
  readonly exclusiveStart?: boolean;
  readonly inclusiveEnd?: boolean;
}

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

/** The record that a key of `recordKey` ends with. */
export function recordIdOf(key: Buffer): RecordId {
  return key.readUIntBE(key.length - RECORD_ID_BYTES, RECORD_ID_BYTES);
}

/** A key of `storedKey`, or an entry of an index, behind the numbers that say whose it is. */
export function keyBehind(prefix: Buffer, key: string): Buffer {
  const bytes = Buffer.allocUnsafe(prefix.length + key.length);
  prefix.copy(bytes);
  bytes.write(key, prefix.length, 'latin1');
  return bytes;
}

/** The keys of a table that lie in a range of what is behind `prefix`, in the form that LMDB asks for. */
export function rangeBehind(prefix: Buffer, range: KeyRange, backwards: boolean, limit: number): TableRange {
  // Nothing but a mark is at the prefix itself.
  const start = keyBehind(prefix, range.start === '' ? '\0' : range.start);
  const end = range.end === undefined ? after(prefix) : keyBehind(prefix, range.end);
  // LMDB takes the start of a range into it, and not its end: backwards too.
  if (!backwards) return { start, end, limit };
  return { start: end, end: start, limit, reverse: true, exclusiveStart: true, inclusiveEnd: true };
}

/** The first key after all that begin with `prefix`. Not for a prefix of nothing but 0xff. */
export function after(prefix: Buffer): Buffer {
  let end = prefix.length;
  while (prefix[end - 1] === 0xff) end -= 1;
  const next = Buffer.from(prefix.subarray(0, end));
  next.writeUInt8(next.readUInt8(end - 1) + 1, end - 1);
  return next;
}
