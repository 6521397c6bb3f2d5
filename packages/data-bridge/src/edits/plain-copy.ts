import { ObjectId } from 'mongodb';
import { isShownDefault } from '../bson/equal-values.ts';

/*
 * Copies of values that have no original, of the commonest kinds: texts, numbers, booleans, null, Dates, ObjectIds, and
 * objects and arrays of them. `undefined` stands for all others, which `toExact` copies or refuses.
 */

/** Deeper ones are left to `toExact`, which knows how deep a document may be. */
const maxCopied = 40;

// V8 knows that this holds for the keys of a for-in loop; for Object.hasOwn it looks every time.
const { hasOwnProperty } = Object.prototype;

/** @param depth how deep the value lies. */
export function copyPlain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : undefined;
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : copyObject(value, depth);
    default:
      return undefined;
  }
}

function copyObject(value: object, depth: number): unknown {
  if (depth > maxCopied || typeof (value as { toBSON?: unknown }).toBSON === 'function') return undefined;
  if (Array.isArray(value)) return copyElements(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return copyMembers(value as Record<string, unknown>, depth);
  if (prototype === Date.prototype) return copyDate(value as Date);
  return prototype === ObjectId.prototype ? value : undefined;
}

function copyElements(value: readonly unknown[], depth: number): unknown[] | undefined {
  const elements: unknown[] = [];
  for (const each of value) {
    const copy = copyPlain(each, depth + 1);
    if (copy === undefined) return undefined;
    elements.push(copy);
  }
  return elements;
}

function copyMembers(value: Record<string, unknown>, depth: number): object | undefined {
  const members: Record<string, unknown> = {};
  for (const key in value) {
    if (!hasOwnProperty.call(value, key) || !isPlainKey(key)) return undefined;
    if (isShownDefault(value, key, value[key])) continue;
    const copy = copyPlain(value[key], depth + 1);
    if (copy === undefined) return undefined;
    members[key] = copy;
  }
  return members;
}

/** `undefined` for an invalid one. */
export function copyDate(value: Date): Date | undefined {
  const time = value.getTime();
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** The key means nothing to BSON or to JavaScript, and both can hold it. */
export function isPlainKey(key: string): boolean {
  return (
    key !== '_bsontype' &&
    key !== '__proto__' &&
    key.charCodeAt(0) !== 0x24 &&
    !key.includes('\0') &&
    key.isWellFormed()
  );
}
