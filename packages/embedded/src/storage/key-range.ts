import { createHash } from 'node:crypto';
import { keyAfter } from '../values/order-key.ts';

/**
 * Part of the keys of an index. Keys are texts of bytes (characters up to `\xff`), in the order of the bytes.
 */
export interface KeyRange {
  /** The first key. */
  readonly start: string;
  /** The key that ends the range and is not in it; undefined where there is no end. */
  readonly end: string | undefined;
  /** True where it has but one key, which is its start. */
  readonly isSingle?: boolean;
}

/** All keys. */
export const ALL_KEYS: KeyRange = { start: '', end: undefined };

/** Keys have at most that many bytes: LMDB takes 1,978, and short ones make flat trees. */
const MAX_KEY_LENGTH = 256;
const HASH_LENGTH = 32;
const CUT_LENGTH = MAX_KEY_LENGTH - HASH_LENGTH;

/**
 * A key as it is stored. A long one is cut, and told by its hash from others that begin alike: then its place among
 * those says nothing.
 */
export function storedKey(key: string): string {
  if (key.length < MAX_KEY_LENGTH) return key;
  const hash = createHash('sha256').update(key, 'latin1').digest();
  return key.slice(0, CUT_LENGTH) + hash.toString('latin1');
}

/** True where a stored key was cut. */
export function isCutKey(key: string): boolean {
  return key.length === MAX_KEY_LENGTH;
}

/** The range of a single key, as it is stored. */
export function rangeOf(key: string): KeyRange {
  return { start: key, end: keyAfter(key), isSingle: true };
}

/** Where stored keys are that lie from `start` to `end`, and perhaps some more. */
export function storedRange({ start, end }: KeyRange): KeyRange {
  return {
    start: start.slice(0, CUT_LENGTH),
    end: end !== undefined && end.length > CUT_LENGTH ? keyAfter(end.slice(0, CUT_LENGTH)) : end,
  };
}

/** What is left of a range behind the entry at `position`. */
export function rangeBehind({ start, end }: KeyRange, position: string, backwards: boolean): KeyRange {
  return backwards ? { start, end: position } : { start: `${position}\0`, end };
}

/** Enough for a million inserts a second for eight years. */
const RECORD_LENGTH = 6;
const scratch = Buffer.alloc(RECORD_LENGTH);

/** The number of a record as text, in the order of the numbers: what an entry has behind its key. */
export function recordSuffix(record: number): string {
  scratch.writeUIntBE(record, 0, RECORD_LENGTH);
  return scratch.toString('latin1');
}

/** The number of the record that an entry ends with. */
export function recordAtEnd(position: string): number {
  scratch.write(position.slice(-RECORD_LENGTH), 'latin1');
  return scratch.readUIntBE(0, RECORD_LENGTH);
}
