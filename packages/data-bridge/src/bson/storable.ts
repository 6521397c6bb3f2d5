import { ObjectId } from 'mongodb';
import { isPlainObject } from './copy.ts';

/** Deeper values, and those that contain themselves, want a closer look. */
const MAX_DEPTH = 50;

/** Under this a class of the mapper says why its instances cannot be stored, and what to do instead. */
export const unstorable: unique symbol = Symbol('unstorable');

/**
 * Is a value made only of what the bson package writes just as it is? It copies nothing, so it costs a fraction of
 * `toExact`; which has to look at what this refuses, since some of that can be stored too.
 */
export function isStorable(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return true;
    case 'object':
      return value === null || isStorableObject(value, depth + 1);
    default:
      return false;
  }
}

function isStorableObject(value: object, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    // case: `every` skips holes, which are stored as null all the same
    return value.every((element) => isStorable(element, depth));
  }
  if (isPlainObject(value)) return areStorable(value, depth);
  return value instanceof Date ? !Number.isNaN(value.getTime()) : value instanceof ObjectId;
}

function areStorable(members: Record<string, unknown>, depth: number): boolean {
  for (const key of Object.keys(members)) {
    if (key === '_bsontype' || key.includes('\0') || !isWellFormed(key)) return false;
    if (!isStorable(members[key], depth)) return false;
  }
  return true;
}

/** ES2024, and in Node 20. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
