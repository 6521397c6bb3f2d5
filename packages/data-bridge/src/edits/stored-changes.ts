import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { ABSENT, memberOf } from '../bson/encode.ts';
import { equalValues } from '../bson/equal-values.ts';

/** The keys from the document to a value: names as texts, places in an array as numbers. */
export type StoredKeys = readonly (string | number)[];

/** One change between two stored values, BSON-typed; `ABSENT` where there is no value. */
export interface StoredChange {
  readonly keys: StoredKeys;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * The changes that lead from one stored value to another, types of numbers included. They can be done in their order, and
 * undone in the other. Elements of an array have changes of their own where it did not shrink and most of them stayed.
 */
export function changesBetween(from: unknown, to: unknown, keys: StoredKeys): StoredChange[] {
  if (Object.is(from, to)) return [];
  if (isPlainObject(from) && isPlainObject(to)) return changedMembers(from, to, keys);
  const elements = Array.isArray(from) && Array.isArray(to) ? changedElements(from, to, keys) : null;
  if (elements !== null) return elements;
  return equalInValueAndType(from, to) ? [] : [{ keys, from, to }];
}

function changedMembers(from: object, to: object, keys: StoredKeys): StoredChange[] {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...names].flatMap((name) => changesBetween(memberOf(from, name), memberOf(to, name), [...keys, name]));
}

/** Null where it is shorter to replace the array as a whole. */
function changedElements(from: readonly unknown[], to: readonly unknown[], keys: StoredKeys): StoredChange[] | null {
  if (to.length < from.length || from.length === 0) return null;
  const isChanged = (value: unknown, i: number): boolean => i >= from.length || !equalInValueAndType(value, from[i]);
  if (to.filter((value, i) => i < from.length && isChanged(value, i)).length > from.length / 2) return null;
  return to.flatMap((value, i) => changesBetween(i < from.length ? from[i] : ABSENT, value, [...keys, i]));
}

/** True for two values that are equal and of the same types. Of objects and arrays all that lies in them. */
function equalInValueAndType(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a === ABSENT || b === ABSENT || typeof a !== typeof b) return false;
  if (Array.isArray(a) || isPlainObject(a)) {
    return Array.isArray(a) === Array.isArray(b) && equalValues(a, b) && equalInside(a, b as object);
  }
  return equalValues(a, b);
}

/** Of containers that are equal. */
function equalInside(a: object, b: object): boolean {
  if (Array.isArray(a)) return a.every((element, i) => equalInValueAndType(element, (b as unknown[])[i]));
  return Object.entries(a).every(([key, value]) => equalInValueAndType(value, memberOf(b, key)));
}

/**
 * A value with another one at the keys below it, `ABSENT` to remove it: copied along the keys. Where what is on the way is
 * no container, it becomes one.
 */
export function replacedAt(value: unknown, keys: StoredKeys, end: unknown): unknown {
  const [key, ...inner] = keys;
  if (key === undefined) return end;
  return typeof key === 'number' ? withElement(value, key, inner, end) : withMember(value, key, inner, end);
}

/** An element is removed with those behind it: they were added after it. */
function withElement(value: unknown, at: number, inner: StoredKeys, end: unknown): unknown[] {
  const elements: unknown[] = Array.isArray(value) ? [...(value as unknown[])] : [];
  const element = replacedAt(at < elements.length ? elements[at] : ABSENT, inner, end);
  if (element === ABSENT) return elements.slice(0, at);
  elements[at] = element;
  return elements;
}

function withMember(value: unknown, key: string, inner: StoredKeys, end: unknown): object {
  const members = isPlainObject(value) ? value : {};
  const result = {};
  for (const name of new Set([...Object.keys(members), key])) {
    const member = name === key ? replacedAt(memberOf(members, key), inner, end) : members[name];
    if (member !== ABSENT) setOwn(result, name, member);
  }
  return result;
}
