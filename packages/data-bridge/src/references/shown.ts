import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { Reference, referencesIn } from './reference.ts';

/** True where a query was asked for what any of these references refers to. */
export function showsDocuments(value: unknown): boolean {
  return referencesIn(value).some(({ isShown }) => isShown);
}

/** What JSON shows of a field: the documents that a query was asked for, in the place of their ids. @param json what it would show else. */
export function jsonWithDocuments(value: unknown, json: unknown): unknown {
  if (value instanceof Reference) return value.isShown ? value.toJSON() : json;
  if (Array.isArray(value)) return value.map((each, i) => jsonWithDocuments(each, (json as unknown[])[i]));
  const members = value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value;
  if (!isPlainObject(members)) return json;
  const shown = {};
  for (const [key, member] of Object.entries(json as object))
    setOwn(shown, key, jsonWithDocuments(members[key], member));
  return shown;
}
