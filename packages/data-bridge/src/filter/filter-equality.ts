import { isPlainObject } from '../bson/plain-object.ts';
import { ABSENT } from '../bson/encode.ts';

/*
 * What a filter says that a field equals: the server stores that in the new document of an upsert.
 */

type Conditions = Readonly<Record<string, unknown>>;

/** True where the filter says what this field equals, or a part of it. */
export function isGiven(filter: Conditions, name: string): boolean {
  return Object.entries(filter).some(([key, value]) => {
    if (isJoined(key, value)) return value.some((each) => isPlainObject(each) && isGiven(each, name));
    return (key === name || key.startsWith(`${name}.`)) && valueIn(value) !== ABSENT;
  });
}

/** By its path each value that the filter asks for. */
export function givenValues(filter: Conditions): (readonly [path: string, value: unknown])[] {
  return Object.entries(filter).flatMap(([key, value]) => {
    if (isJoined(key, value)) return value.filter(isPlainObject).flatMap(givenValues);
    const given = key.startsWith('$') ? ABSENT : valueIn(value);
    return given === ABSENT ? [] : [[key, given] as const];
  });
}

/** The value that the field must have, `ABSENT` where the filter says none. */
export function givenValue(filter: Conditions, name: string): unknown {
  for (const [key, value] of Object.entries(filter)) {
    const within = isJoined(key, value) ? value.filter(isPlainObject).map((each) => givenValue(each, name)) : [];
    const found = key === name ? valueIn(value) : within.find((each) => each !== ABSENT);
    if (found !== undefined && found !== ABSENT) return found;
  }
  return ABSENT;
}

function isJoined(key: string, value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && (key === '$and' || (key === '$or' && value.length === 1));
}

/** The one value that a condition leaves, or `ABSENT`. A list of one means that one. */
function valueIn(condition: unknown): unknown {
  if (condition instanceof RegExp) return ABSENT;
  if (!isPlainObject(condition) || !Object.keys(condition).some((key) => key.startsWith('$'))) return condition;
  const { $eq, $in, $all } = condition;
  if ($eq !== undefined) return $eq;
  const only: unknown = [$in, $all].find((list) => Array.isArray(list) && list.length === 1);
  return only === undefined ? ABSENT : (only as readonly unknown[])[0];
}
