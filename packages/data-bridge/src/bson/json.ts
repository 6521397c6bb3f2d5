import type { DBRef } from 'mongodb';
import { EncodeError } from '../errors.ts';
import { isPlainObject, setOwn } from './plain-object.ts';
import { isBson } from './bson-classes.ts';

/**
 * A value as `JSON.stringify` can show it: 64-bit integers as decimal strings and bytes as base64, because they would throw or
 * be spread out otherwise. Every other value shows itself.
 *
 * @throws EncodeError for an object that contains itself.
 */
export function toJsonValue(value: unknown): unknown {
  return show(value, { keys: [], containers: [] });
}

/** Where a value stands: the keys that lead to it, and the containers around it. */
interface Place {
  readonly keys: (string | number)[];
  readonly containers: object[];
}

function show(value: unknown, place: Place): unknown {
  if (typeof value === 'bigint' || isBson(value, 'Long')) return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
  if (Array.isArray(value)) return within(value, place, () => value.map((element, i) => showAt(i, element, place)));
  if (value instanceof Map) return within(value, place, () => show(Object.fromEntries(value), place));
  if (isBson(value, 'Code')) return show(value.toJSON(), place);
  if (isBson(value, 'DBRef')) return show(referenceMembers(value), place);
  if (!isPlainObject(value)) return value;
  return within(value, place, () => {
    const shown = {};
    for (const key of Object.keys(value)) setOwn(shown, key, showAt(key, value[key], place));
    return shown;
  });
}

function showAt(key: string | number, value: unknown, place: Place): unknown {
  place.keys.push(key);
  const shown = show(value, place);
  place.keys.pop();
  return shown;
}

function within(container: object, place: Place, showMembers: () => unknown): unknown {
  if (place.containers.includes(container)) throw new EncodeError([...place.keys], 'an object that contains itself');
  place.containers.push(container);
  const shown = showMembers();
  place.containers.pop();
  return shown;
}

/** The class's own `toJSON` loses a field named `__proto__`. */
function referenceMembers({ collection, oid, db, fields }: DBRef): object {
  return { $ref: collection, $id: oid, ...(db !== undefined && { $db: db }), ...fields };
}
