import { BSON } from 'mongodb';
import { float64, nameEnd, terminator, valueEnd } from '../bson/bytes.ts';
import { isShownDefault } from '../bson/equal-values.ts';
import type { Edit } from './edits.ts';
import { copyPlain } from './plain-copy.ts';
import { exactAt, type Source } from './stored-edits.ts';
import { ARRAY, DOCUMENT, DOUBLE, INT32, NULL, OBJECT_ID } from '../bson/types.ts';

/*
 * BSON has types that a program's values do not show. What stays in its place keeps the stored type; what may have moved
 * inside its array is left to `toExact`, which looks for its original.
 */

/**
 * True for the types of containers and of common scalars. Where a value of such a type is replaced by one of another
 * type, it says nothing about the type of the new value.
 */
export function isCommonType(type: number): boolean {
  return (type >= DOUBLE && type <= ARRAY) || (type >= OBJECT_ID && type <= NULL) || type === INT32;
}

/** True where the stored value is, or holds, one whose type the program's value does not show. */
export function losesType(source: Source, type: number, at: number, limit: number): boolean {
  const { bytes, start } = source;
  if (type === DOUBLE) return Number.isInteger(float64(bytes, at));
  if (type !== DOCUMENT && type !== ARRAY) return !isCommonType(type);
  const last = terminator(bytes, start, at, limit);
  for (let here = at + 4; here < last;) {
    const inner = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    if (losesType(source, inner, from, last)) return true;
    here = valueEnd(bytes, start, inner, from, last);
  }
  return false;
}

/** True where the edit gives a number the stored type of its place, which is not its own if it moved there. */
export function givesType(edit: Edit): boolean {
  if (edit.kind === 'set') return edit.value instanceof BSON.Double && Number.isInteger(edit.value.value);
  if (!('children' in edit)) return false;
  for (const child of edit.children.values()) if (givesType(child)) return true;
  return false;
}

/**
 * A copy of a value with the types of what is stored in its place, all of which the walk has compared with it: keys in
 * their stored order, and what is not of a common type unchanged.
 *
 * @returns `undefined` for what `copyPlain` cannot copy: new elements of the array itself, which the walk has not seen, and
 *   what is another value each time that it is read.
 */
export function copyBeside(source: Source, type: number, at: number, limit: number, value: unknown): unknown {
  if (!isCommonType(type) || isWrapped(value)) return exactAt(source, type, at);
  if (typeof value === 'number') return type === DOUBLE ? new BSON.Double(value) : value;
  const isContainer = typeof value === 'object' && value !== null && (type === DOCUMENT || type === ARRAY);
  if (!isContainer) return copyPlain(value, 0);
  const last = terminator(source.bytes, source.start, at, limit);
  const next = copies(source, at, last);
  if (Array.isArray(value)) {
    const elements: unknown[] = [];
    for (const each of value as unknown[]) {
      const copy = next(each);
      if (copy === undefined) return undefined;
      elements.push(copy);
    }
    return elements;
  }
  const members: Record<string, unknown> = {};
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (isShownDefault(value, key, member)) continue;
    const copy = next(member);
    if (copy === undefined) return undefined;
    members[key] = copy;
  }
  return members;
}

/** True for a bigint, and for an integer or a double of a BSON class: the walk knows them only unchanged. */
function isWrapped(value: unknown): boolean {
  return typeof value === 'bigint' || value instanceof BSON.Int32 || value instanceof BSON.Double;
}

/** Copies values beside the stored ones of a container one after another; those beyond its end have no originals. */
function copies(source: Source, at: number, last: number): (value: unknown) => unknown {
  const { bytes, start } = source;
  let here = at + 4;
  return (value) => {
    if (here >= last) return copyPlain(value, 0);
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    here = valueEnd(bytes, start, type, from, last);
    return copyBeside(source, type, from, last, value);
  };
}
