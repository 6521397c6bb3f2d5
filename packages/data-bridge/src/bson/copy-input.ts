import { copyValue, isMutable } from './copy.ts';

/**
 * A copy of what the program hands over: all that is data, so that nobody else changes what the document has. Instances of
 * the program's own classes, and what cannot be stored, are kept by reference: they are told of by their path later.
 *
 * @param own containers that the document holds at this place already: each stays itself, once.
 */
export function copyInput<V>(value: V, own: Set<object> | null = null): V {
  return (typeof value !== 'object' || value === null ? value : copyObject(value, own, [])) as V;
}

/** @param around each container around the value, followed by its copy: one that contains itself stays so, and is refused later. */
function copyObject(value: object, own: Set<object> | null, around: object[]): unknown {
  if (own?.delete(value) === true) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  // They are the most of what is copied, and contain nothing.
  if (prototype === Date.prototype) return new Date((value as Date).getTime());
  for (let i = 0; i < around.length; i += 2) if (around[i] === value) return around[i + 1];
  if (prototype === Object.prototype || prototype === null) {
    return typeof (value as { toBSON?: unknown }).toBSON === 'function' ? value : copyMembers(value, own, around);
  }
  if (Array.isArray(value)) return copyElements(value, own, around);
  if (value instanceof Map) return copyEntries(value, own, around);
  const isBytes = prototype === Uint8Array.prototype || prototype === Buffer.prototype;
  const isBson = typeof (value as { _bsontype?: unknown })._bsontype === 'string';
  return isBytes || isBson ? copyValue(value) : value;
}

function copyMembers(value: object, own: Set<object> | null, around: object[]): object {
  const copy: Record<string, unknown> = { ...value };
  // Most are leaves, which need not be noted.
  let isNoted = false;
  for (const key in copy) {
    const member = copy[key];
    if (typeof member !== 'object' || member === null) continue;
    if (!isNoted) around.push(value, copy);
    isNoted = true;
    const copied = copyObject(member, own, around);
    // The copy has the key already, so this calls no setter.
    if (copied !== member) copy[key] = copied;
  }
  if (isNoted) around.length -= 2;
  return copy;
}

function copyElements(value: readonly unknown[], own: Set<object> | null, around: object[]): unknown[] {
  const copy: unknown[] = [...value];
  let isNoted = false;
  for (let i = 0; i < copy.length; i++) {
    const element = copy[i];
    if (typeof element !== 'object' || element === null) continue;
    if (!isNoted) around.push(value, copy);
    isNoted = true;
    copy[i] = copyObject(element, own, around);
  }
  if (isNoted) around.length -= 2;
  return copy;
}

function copyEntries(
  value: ReadonlyMap<unknown, unknown>,
  own: Set<object> | null,
  around: object[],
): Map<unknown, unknown> {
  const copy = new Map<unknown, unknown>();
  around.push(value, copy);
  for (const [key, member] of value)
    copy.set(key, typeof member === 'object' && member !== null ? copyObject(member, own, around) : member);
  around.length -= 2;
  return copy;
}

/** The same for a value that takes the place of another one. */
export function ownCopy(value: unknown, held: unknown): unknown {
  if (!isMutable(value) || value === held) return value;
  return copyInput(value, isMutable(held) ? containersIn(held) : null);
}

/** The containers that a value consists of, itself included. */
function containersIn(value: unknown, found = new Set<object>()): Set<object> {
  if (!isMutable(value) || found.has(value)) return found;
  found.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) for (const element of value) containersIn(element, found);
  else if (value instanceof Map) for (const member of value.values()) containersIn(member, found);
  else if (prototype === Object.prototype || prototype === null)
    for (const member of Object.values(value)) containersIn(member, found);
  return found;
}
