import { BSON, ObjectId } from 'mongodb';
import { EncodedDocument } from './encoded-document.ts';
import { isPlainObject } from './plain-object.ts';

/**
 * How many bytes a value takes in a command, at most. The exact count of the bson package costs as much as encoding it:
 * short texts are taken to have three bytes for each unit, as many as UTF-8 can need.
 */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return ELEMENT + (value.length < 64 ? value.length * 3 : Buffer.byteLength(value));
  if (typeof value !== 'object' || value === null) return ELEMENT;
  if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + ELEMENT + sizeOf(element), ELEMENT);
  if (value instanceof Map) return sizeOf([...value].flat());
  if (isPlainObject(value)) return sizeOfMembers(value);
  if (value instanceof ObjectId || value instanceof Date) return ELEMENT;
  if (value instanceof EncodedDocument) return ELEMENT + value.bytes.length;
  return ELEMENT + BSON.calculateObjectSize({ value }, { ignoreUndefined: true });
}

function sizeOfMembers(members: Record<string, unknown>): number {
  let size = ELEMENT;
  // An upper bound may count what is inherited, too.
  for (const key in members) size += key.length * 3 + sizeOf(members[key]);
  return size;
}

/** An element's type, the end of its name and its value, where that has a fixed size; the name of an array's element. */
const ELEMENT = 24;
