import type { DBRef } from 'mongodb';
import { isBson } from './live.ts';
import { isPlainObject, setOwn } from './copy.ts';

/**
 * A value as `JSON.stringify` can show it: 64-bit integers as decimal strings and bytes as base64, as they would throw or
 * be spread out otherwise. Every other value shows itself.
 */
export function toJsonValue(value: unknown): unknown {
  if (typeof value === 'bigint' || isBson(value, 'Long')) return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
  if (Array.isArray(value)) return value.map(toJsonValue);
  if (value instanceof Map) return toJsonValue(Object.fromEntries(value));
  if (isBson(value, 'Code')) return toJsonValue(value.toJSON());
  if (isBson(value, 'DBRef')) return toJsonValue(referenceMembers(value));
  if (!isPlainObject(value)) return value;
  const shown = {};
  for (const key of Object.keys(value)) setOwn(shown, key, toJsonValue(value[key]));
  return shown;
}

/** The class's own `toJSON` loses a field named `__proto__`. */
function referenceMembers({ collection, oid, db, fields }: DBRef): object {
  return { $ref: collection, $id: oid, ...(db !== undefined && { $db: db }), ...fields };
}
