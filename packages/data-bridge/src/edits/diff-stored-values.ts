import { ObjectId } from 'mongodb';
import { nameEnd, stringEnd, valueEnd } from '../bson/bytes.ts';
import { equalId, equalText } from '../bson/equal-scalars.ts';
import { flat, latin1 } from '../bson/text.ts';
import { OBJECT_ID, STRING } from '../bson/types.ts';
import type { ValueEdit } from './edits.ts';
import { exactAt, type Source, StoredValues } from './stored-edits.ts';
import { compareValues, MAX_COMPARED, MAX_FOUND, type ValuesEdit } from './values-edit.ts';

/*
 * Stored arrays of texts, ObjectIds and UUIDs, each of which is its own identity. What `compareValues` tells of decoded
 * arrays is told here of the commonest changes, without decoding what stayed.
 */

/** A stored array. */
export interface StoredArray {
  readonly source: Source;
  readonly at: number;
  /** The terminator. */
  readonly last: number;
}

/** True for the type of an element that may be its own identity. */
export function isValueType(type: number): boolean {
  return type === 0x02 || type === 0x07 || type === 0x05;
}

/**
 * What changed in a stored array of another length, of whose elements the first that is not where it was is a text or an id.
 *
 * @param head the type byte of that element.
 * @param place where it is in the array.
 * @returns null where no more can be told than by comparing position by position.
 */
export function changeFrom(
  array: StoredArray,
  head: number,
  place: number,
  value: readonly unknown[],
  isUnique: boolean,
): ValueEdit | null {
  const more = countFrom(array, head) - (value.length - place);
  const removal = more > 0 ? removalFrom(array, head, place, value, isUnique) : null;
  if (removal !== null) return removal;
  return more === 0 && !isUnique ? null : changeOf(array, value, isUnique);
}

/** How many elements there are from that one on. */
export function countFrom({ source: { bytes, start }, last }: StoredArray, head: number): number {
  let count = 0;
  for (let here = head; here < last; count++)
    here = valueEnd(bytes, start, bytes[here] as number, nameEnd(bytes, start, here + 1, last) + 1, last);
  return count;
}

/** The same of an array of texts and ids alone, both decoded. It is not called where values were only replaced in their places. */
export function changeOf(array: StoredArray, value: readonly unknown[], isUnique: boolean): ValueEdit | null {
  const base = textsAndIds(array);
  const copy = base === null ? null : copyOfValues(value);
  if (base === null || copy === null) return null;
  const change = compareValues(base, copy, isUnique);
  if (change === 'whole') return { kind: 'set', base, value: copy };
  return change as ValuesEdit | null;
}

function textsAndIds({ source, at, last }: StoredArray): unknown[] | null {
  const { bytes, start } = source;
  const values: unknown[] = [];
  for (let here = at + 4; here < last;) {
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    here = valueEnd(bytes, start, type, from, last);
    if (type === STRING) values.push(flat(bytes, start, from + 4, here - 1));
    else if (type === OBJECT_ID) values.push(exactAt(source, type, from));
    else return null;
  }
  return values;
}

function copyOfValues(value: readonly unknown[]): unknown[] | null {
  const values: unknown[] = [];
  for (const each of value) {
    const isText = typeof each === 'string' && each.isWellFormed();
    if (!isText && !(each instanceof ObjectId && Object.getPrototypeOf(each) === ObjectId.prototype)) return null;
    values.push(each);
  }
  return values;
}

/**
 * What is left of a stored array after removals.
 *
 * @param head the type byte of the first stored element that is not where it was.
 * @param place where that is in the array.
 * @returns null where more was done than that, or the elements cannot be told apart.
 */
function removalFrom(
  array: StoredArray,
  head: number,
  place: number,
  value: readonly unknown[],
  isUnique: boolean,
): StoredValues | null {
  const { source, at, last } = array;
  const { bytes, start } = source;
  const gone = new Set<number>();
  const removed: unknown[] = [];
  let next = place;
  let count = place;
  for (let here = head; here < last; count++) {
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    here = valueEnd(bytes, start, type, from, last);
    if (next < value.length && isSame(source, type, from, last, value[next])) next++;
    else if (isValueType(type)) {
      gone.add(count);
      removed.push(exactAt(source, type, from));
    } else return null;
    // Of an array in which little is as it was, the rest need not be looked at.
    if (gone.size * count > MAX_FOUND) return null;
  }
  if (next < value.length || gone.size * count > MAX_FOUND) return null;
  const found = valuesIn(array);
  if (found === null) return null;
  const isLong = gone.size * count > MAX_COMPARED;
  return new StoredValues(source, at, gone, { removed, isUnique, hasTexts: found.texts.size > 0, isLong });
}

function isSame({ bytes, start }: Source, type: number, from: number, last: number, value: unknown): boolean {
  if (type === 0x02)
    return typeof value === 'string' && equalText(bytes, start, from + 4, stringEnd(bytes, start, from, last), value);
  return type === 0x07 && value instanceof ObjectId && equalId(bytes, from, value);
}

/**
 * True where each edit of a stored array puts a new text in the place of another value, so that it is known by that;
 * `undefined` where a value may have moved.
 */
export function areReplaced(array: StoredArray, children: ReadonlyMap<number, ValueEdit>): boolean | undefined {
  for (const { kind, value } of children.values()) if (kind !== 'set' || typeof value !== 'string') return false;
  const found = valuesIn(array);
  if (found === null) return false;
  for (const { value } of children.values()) {
    const text = Buffer.from(value as string).toString('latin1');
    if (found.texts.has(text)) return undefined;
    found.texts.add(text);
  }
  return children.size * found.count <= MAX_COMPARED;
}

/** True where the elements of an array can be told apart by what they are. */
export function areOwnIdentities(array: StoredArray): boolean {
  return valuesIn(array) !== null;
}

/** The texts of an array whose elements can be told apart, and how many elements there are; null for another one. */
function valuesIn({ source: { bytes, start }, at, last }: StoredArray): { texts: Set<string>; count: number } | null {
  const texts = new Set<string>();
  const others = new Set<string>();
  let count = 0;
  for (let here = at + 4; here < last; count++) {
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    here = valueEnd(bytes, start, type, from, last);
    if (type === 0x02) texts.add(latin1(bytes, from + 4, here - 1));
    else if (type === 0x07 || (type === 0x05 && bytes[from + 4] === 0x04)) others.add(latin1(bytes, from, here));
    else return null;
  }
  return texts.size + others.size === count ? { texts, count } : null;
}
