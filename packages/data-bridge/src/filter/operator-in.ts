import { isPlainObject } from '../bson/plain-object.ts';

/** The first key of a condition that makes it one with operators. */
export function operatorIn(condition: unknown): string | undefined {
  const keys =
    condition instanceof Map ? [...condition.keys()] : isPlainObject(condition) ? Object.keys(condition) : [];
  return keys.map(String).find((key) => key.startsWith('$'));
}
