import { ObjectId } from 'mongodb';
import { isPlainObject } from './plain-object.ts';

/** Deeper values, and those that contain themselves, need a closer look. */
const MAX_DEPTH = 50;

/** Under this a class of the mapper says why its instances cannot be stored, and what to do instead. */
export const unstorable: unique symbol = Symbol('unstorable');

/**
 * True for a value made only of what the bson package writes just as it is. It copies nothing, so it costs a fraction
 * of `toExact`; which has to look at what this refuses, since some of that can be stored too.
 */
export function isStorable(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed();
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
    if (key === '_bsontype' || key.includes('\0') || !key.isWellFormed()) return false;
    if (!isStorable(members[key], depth)) return false;
  }
  return true;
}

/**
 * A copy of such a value, of which everything that could be changed in place is new; `undefined` for all others. It costs
 * less than `toExact`, which is then to be asked.
 */
export function copyStorable(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : undefined;
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : copyObject(value, depth + 1);
    default:
      return undefined;
  }
}

function copyObject(value: object, depth: number): unknown {
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return copyElements(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return copyMembers(value as Record<string, unknown>, depth);
  if (prototype === ObjectId.prototype) return value;
  if (prototype !== Date.prototype) return undefined;
  const time = (value as Date).getTime();
  return Number.isNaN(time) ? undefined : new Date(time);
}

function copyElements(value: readonly unknown[], depth: number): unknown {
  const copies: unknown[] = [];
  for (let i = 0; i < value.length; i++) {
    const copy = copyStorable(value[i], depth);
    if (copy === undefined) return undefined;
    copies.push(copy);
  }
  return copies;
}

// V8 knows that this holds for the keys of a for-in loop; for Object.hasOwn it looks every time.
const { hasOwnProperty } = Object.prototype;

function copyMembers(value: Record<string, unknown>, depth: number): unknown {
  const copies: Record<string, unknown> = {};
  // A list of the keys would be most of what is made here.
  for (const key in value) {
    if (!hasOwnProperty.call(value, key)) continue;
    const copy = isPlainKey(key) ? copyStorable(value[key], depth) : undefined;
    if (copy === undefined) return undefined;
    copies[key] = copy;
  }
  return copies;
}

/** Keys that were seen to be plain: programs use few. */
const plainKeys = new Set<string>();
const MAX_PLAIN_KEYS = 4096;

/** True for what can be assigned, and written by the bson package, as it is. */
export function isPlainKey(key: string): boolean {
  if (plainKeys.has(key)) return true;
  if (key === '_bsontype' || key === '__proto__' || key.includes('\0') || !key.isWellFormed()) return false;
  if (plainKeys.size < MAX_PLAIN_KEYS) plainKeys.add(key);
  return true;
}
