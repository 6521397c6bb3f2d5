import { bsonTag, isMap, isObject } from '../bson/bson-classes.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { typeName } from './bson-types.ts';

const MAX_ELEMENTS = 3;
const MAX_DEPTH = 8;

/** A value as logs may show it, with types in the place of what it holds: `{ age: { $gte: <number> } }`. */
export function shapeText(value: unknown, depth = 0): string {
  if (!isObject(value) || bsonTag(value) !== undefined) return typeText(value);
  if (depth > MAX_DEPTH) return '…';
  if (Array.isArray(value)) {
    const elements = value.slice(0, MAX_ELEMENTS).map((each) => shapeText(each, depth + 1));
    if (value.length > MAX_ELEMENTS) elements.push(`… ${value.length - MAX_ELEMENTS} more`);
    return `[${elements.join(', ')}]`;
  }
  if (!isMap(value) && !isPlainObject(value)) return typeText(value);
  const entries = isMap(value) ? [...value] : Object.entries(value);
  return braced(entries.map(([key, member]) => `${keyText(String(key))}: ${shapeText(member, depth + 1)}`));
}

function typeText(value: unknown): string {
  return `<${typeName(value).replace(/^an? /, '')}>`;
}

/** Members in braces. */
export function braced(members: readonly string[]): string {
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/** A key as one writes it in an object. */
export function keyText(key: string): string {
  return /^[\w$]+$/.test(key) ? key : `'${key}'`;
}
