import { BSON } from 'mongodb';
import { float64, nameEnd, terminator, valueEnd } from '../bson/bytes.ts';
import type { Edit } from './edits.ts';
import { copyPlain } from './plain-copy.ts';
import { exactAt, type Source } from './stored-edits.ts';

/*
 * BSON has types that a program's values do not tell. What stays in its place keeps the stored type; what may have moved
 * inside its array is left to `toExact`, which looks for its original.
 */

/** A scalar of one of these types, or a container, that gives way to a value of another type tells nothing about that one's. */
export function isCommonType(type: number): boolean {
  return (type >= 0x01 && type <= 0x04) || (type >= 0x07 && type <= 0x0a) || type === 0x10;
}

/** The stored value is, or holds, one of which the program's does not tell the type. */
export function losesType(source: Source, type: number, at: number, limit: number): boolean {
  const { bytes, start } = source;
  if (type === 0x01) return Number.isInteger(float64(bytes, at));
  if (type !== 0x03 && type !== 0x04) return !isCommonType(type);
  const last = terminator(bytes, start, at, limit);
  for (let here = at + 4; here < last;) {
    const inner = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    if (losesType(source, inner, from, last)) return true;
    here = valueEnd(bytes, start, inner, from, last);
  }
  return false;
}

/** The edit gives a number the stored type of its place, which is not its own if it moved there. */
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
  if (typeof value === 'number') return type === 0x01 ? new BSON.Double(value) : value;
  const isContainer = typeof value === 'object' && value !== null && (type === 0x03 || type === 0x04);
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
    const copy = next((value as Record<string, unknown>)[key]);
    if (copy === undefined) return undefined;
    members[key] = copy;
  }
  return members;
}

/** An integer or a double in another guise, which the walk knows only unchanged. */
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
