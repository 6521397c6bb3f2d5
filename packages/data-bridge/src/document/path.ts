import { isMutable } from '../bson/copy.ts';
import { ownCopy } from '../bson/copy-input.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { typeName } from '../schema/bson-types.ts';
import { UsageError } from '../errors.ts';
import type { Keys } from '../edits/edits.ts';

/** The fields at the root of paths, by their stored names. */
export interface Root {
  /** A path as it is stored, of one in the program's names. */
  stored(path: string): string;
  has(name: string): boolean;
  get(name: string): unknown;
  set(name: string, value: unknown): void;
}

/** The keys of a dotted path. A top-level field whose name has the dots goes first. */
export function keysOf(root: Root, path: string): Keys {
  const stored = root.stored(path);
  return root.has(stored) ? [stored] : (stored.split('.') as [string, ...string[]]);
}

/** The value at a dotted path, `undefined` where the path ends early. */
export function getPath(root: Root, path: string): unknown {
  return valueAt(root, keysOf(root, path));
}

/** The value at those keys. */
export function valueAt(root: Pick<Root, 'get'>, [name, ...keys]: Keys): unknown {
  return keys.reduce((value: unknown, key) => memberOf(value, key), root.get(name));
}

/**
 * Sets a copy of the value at a dotted path, making the objects on the way that are not there.
 *
 * @throws UsageError where a value on the way is no container.
 */
export function setPath(root: Root, path: string, value: unknown): void {
  const keys = keysOf(root, path);
  // Whole fields are copied where they are set.
  const isInner = keys.length > 1 && isMutable(value);
  setAt(root, keys, isInner ? ownCopy(value, valueAt(root, keys)) : value, path);
}

/** The same at those keys. @param path how an error names it. */
export function setAt(root: Pick<Root, 'get' | 'set'>, keys: Keys, value: unknown, path = keys.join('.')): void {
  const last = keys.at(-1) as string;
  const [name, ...inner] = keys.slice(0, -1);
  if (name === undefined) {
    root.set(last, value);
    return;
  }
  if (root.get(name) === undefined) root.set(name, {});
  unfrozen(root.get(name), (copy) => root.set(name, copy));
  let container = root.get(name);
  for (const key of inner) {
    const outer = container;
    if (memberOf(outer, key) === undefined) setMember(outer, key, {}, path);
    container = unfrozen(memberOf(outer, key), (copy) => setMember(outer, key, copy, path));
  }
  setMember(container, last, value, path);
}

/** What a program froze is replaced by a copy that can be changed. */
function unfrozen(container: unknown, replace: (copy: object) => void): unknown {
  if (!isMutable(container) || Object.isExtensible(container)) return container;
  if (!Array.isArray(container) && !isPlainObject(container)) return container;
  const copy: object = Array.isArray(container) ? [...(container as unknown[])] : { ...container };
  replace(copy);
  return copy;
}

/** Removes the value at a dotted path. An array's element becomes null, as with the server's `$unset`. */
export function unsetPath(root: Root, path: string): void {
  if (getPath(root, path) !== undefined) setPath(root, path, undefined);
}

function memberOf(container: unknown, key: string): unknown {
  if (container instanceof Map) return container.get(key);
  return isMutable(container) && Object.hasOwn(container, key)
    ? (container as Record<string, unknown>)[key]
    : undefined;
}

function setMember(container: unknown, key: string, value: unknown, path: string): void {
  if (Array.isArray(container) && isIndex(key)) container[Number(key)] = value === undefined ? null : value;
  else if (container instanceof Map) setEntry(container, key, value);
  else if (!isPlainObject(container))
    throw new UsageError(`"${path}" cannot be set: "${key}" would be a member of ${typeName(container)}.`);
  else if (value === undefined) delete container[key];
  else setOwn(container, key, value);
}

/** An array keeps what is set under any other key beside its elements, where nothing stores it. */
function isIndex(key: string): boolean {
  return String(Number(key) >>> 0) === key && key !== '4294967295';
}

function setEntry(map: Map<unknown, unknown>, key: string, value: unknown): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
