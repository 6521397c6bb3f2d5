import { isPlainObject } from '../bson/plain-object.ts';
import type { Place } from '../schema/schema-shape.ts';
import type { Step } from '../schema/references-in.ts';
import { runSchema, stepInto } from '../schema/structure.ts';
import { Reference } from './reference.ts';

/** What stands for a value that cannot be left out. */
export const NOTHING: unique symbol = Symbol('nothing');

/** What stands in a place without a reference: `undefined` where it may be absent, or null; `NOTHING` where a value must be. */
export function emptyAt(place: Place | undefined, step?: Step): undefined | null | typeof NOTHING {
  const isTaken = (value: unknown): boolean => place !== undefined && runSchema(place.schema, value) !== undefined;
  // An element of a tuple is never absent.
  if (typeof step !== 'number' && isTaken(undefined)) return undefined;
  return isTaken(null) ? null : NOTHING;
}

/** Says that a value was such a reference itself. */
export const GONE: unique symbol = Symbol('gone');

/**
 * Takes such references out of a value, in place: elements out of arrays, members out of objects and records, or null comes for
 * them.
 *
 * @returns the value; `GONE` for one that is such a reference itself.
 */
export function withoutReferences(
  place: Place | undefined,
  value: unknown,
  isMeant: (reference: Reference) => boolean,
): unknown {
  if (value instanceof Reference) return isMeant(value) ? GONE : value;
  const isGone = (step: string | number, inner: unknown): boolean =>
    withoutReferences(stepInto(place, step, value), inner, isMeant) === GONE;
  if (Array.isArray(value)) {
    for (let i = value.length - 1; i >= 0; i--) {
      if (!isGone(i, value[i])) continue;
      const isInTuple = place?.shapes.some(({ elements }) => elements?.[i] !== undefined) === true;
      if (isInTuple) value[i] = null;
      else value.splice(i, 1);
    }
  } else if (value instanceof Map) {
    for (const [key, member] of value as Map<string, unknown>) if (isGone(key, member)) value.delete(key);
  } else if (isPlainObject(value)) {
    for (const key of Object.keys(value)) {
      if (!isGone(key, value[key])) continue;
      const isNamed = place?.shapes.some(({ members }) => members?.has(key) === true) === true;
      if (isNamed && emptyAt(stepInto(place, key, value)) === null) value[key] = null;
      else delete value[key];
    }
  }
  return value;
}
