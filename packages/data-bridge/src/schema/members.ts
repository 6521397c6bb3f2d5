import { isPlainObject, setOwn } from '../bson/plain-object.ts';

/** What holds members by names: a plain object or a Map. */
export type Members = Record<string, unknown> | Map<string, unknown>;

export function isMembers(value: unknown): value is Members {
  return isPlainObject(value) || value instanceof Map;
}

export function keysIn(members: Members): string[] {
  return members instanceof Map ? [...members.keys()] : Object.keys(members);
}

export function hasMember(members: unknown, key: string): boolean {
  return members instanceof Map ? members.has(key) : isPlainObject(members) && Object.hasOwn(members, key);
}

export function memberAt(members: Members, key: string): unknown {
  if (members instanceof Map) return members.get(key);
  return Object.hasOwn(members, key) ? members[key] : undefined;
}

export function putMember(members: Members, key: string, value: unknown): void {
  if (members instanceof Map) members.set(key, value);
  else setOwn(members, key, value);
}

export function removeMember(members: Members, key: string): void {
  if (members instanceof Map) members.delete(key);
  else delete members[key];
}

/** The container itself, or a copy where the program froze it. */
export function unfrozen<C extends object>(container: C): C {
  if (Object.isExtensible(container)) return container;
  return (Array.isArray(container) ? [...(container as unknown[])] : { ...container }) as C;
}

/** Removes the member at the end of these keys, where there is one. */
export function removeAlong(value: unknown, keys: readonly string[]): void {
  const holder = holderAlong(value, keys);
  const last = keys.at(-1);
  if (last !== undefined && isMembers(holder) && hasMember(holder, last)) removeMember(holder, last);
}

/** The same, an element of an array, too: those behind it move up. */
export function cutAlong(value: unknown, keys: readonly string[]): void {
  const holder = holderAlong(value, keys);
  if (Array.isArray(holder)) holder.splice(Number(keys.at(-1)), 1);
  else removeAlong(value, keys);
}

function holderAlong(value: unknown, keys: readonly string[]): unknown {
  let holder = value;
  for (const key of keys.slice(0, -1)) {
    if (Array.isArray(holder)) holder = (holder as unknown[])[Number(key)];
    else holder = isMembers(holder) ? memberAt(holder, key) : undefined;
  }
  return holder;
}
