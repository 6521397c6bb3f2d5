import { float64, nameEnd, terminator, valueEnd } from '../bson/bytes.ts';
import { isShownDefault } from '../bson/equal-values.ts';
import type { Field } from '../bson/level.ts';
import { ARRAY, DOCUMENT, DOUBLE } from '../bson/types.ts';
import { MAX_LEVELS } from './edits.ts';
import { copyPlain, isPlainKey } from './plain-copy.ts';
import type { Source } from './stored-edits.ts';
import { isCommonType, losesType } from './stored-types.ts';

/*
 * Copies of values that take the place of stored ones, in arrays that are sent whole. What is new in such an array may have
 * been elsewhere in it before, so a copy is made only where no type is at stake: where a value would be sent as the same
 * BSON beside any of the originals. `undefined` stands for all else, which `toExact` decides.
 */

// V8 knows that this holds for the keys of a for-in loop; for Object.hasOwn it looks every time.
const { hasOwnProperty } = Object.prototype;

/**
 * @param at where the stored value of that type begins, before `limit`.
 * @param field of the arrays around it.
 * @param level how deep below the document's field.
 */
export function copyInstead(
  source: Source,
  type: number,
  at: number,
  limit: number,
  field: Field,
  value: unknown,
  level: number,
): unknown {
  if (level >= MAX_LEVELS || !isCommonType(type)) return undefined;
  if (type === DOUBLE)
    return Number.isInteger(float64(source.bytes, at)) || Number.isInteger(value) ? undefined : copyPlain(value, level);
  if (type === DOCUMENT && isPlain(value)) return copyMembersInstead(source, at, limit, field, value, level);
  if (type === ARRAY && Array.isArray(value)) return copyElementsInstead(source, at, limit, field, value, level);
  return (type === DOCUMENT || type === ARRAY) && losesType(source, type, at, limit)
    ? undefined
    : copyPlain(value, level);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    typeof (value as { toBSON?: unknown }).toBSON !== 'function'
  );
}

/** Of an object with the stored keys in their order, and others behind them. */
function copyMembersInstead(
  source: Source,
  at: number,
  limit: number,
  { level: names }: Field,
  value: Record<string, unknown>,
  level: number,
): object | undefined {
  const { bytes, start } = source;
  const last = terminator(bytes, start, at, limit);
  const members: Record<string, unknown> = {};
  let previous: Field | null = null;
  let here = at + 4;
  for (const key in value) {
    if (!hasOwnProperty.call(value, key)) return undefined;
    const live = value[key];
    let copy: unknown;
    if (here < last) {
      const learned: Field | null = names.fieldAt(bytes, start, here + 1, last, previous);
      if (learned === null || !learned.isPlain || learned.name !== key) return undefined;
      const type = bytes[here] as number;
      const from = here + 2 + learned.bytes.length;
      copy = copyInstead(source, type, from, last, learned, live, level + 1);
      here = valueEnd(bytes, start, type, from, last);
      previous = learned;
    } else if (isShownDefault(value, key, live)) continue;
    else if (isPlainKey(key)) copy = copyPlain(live, level + 1);
    if (copy === undefined) return undefined;
    members[key] = copy;
  }
  return here < last ? undefined : members;
}

/** Of an array of scalars beside such a one: others may have elements with identities, by which they are paired. */
function copyElementsInstead(
  source: Source,
  at: number,
  limit: number,
  field: Field,
  value: readonly unknown[],
  level: number,
): unknown[] | undefined {
  const { bytes, start } = source;
  const last = terminator(bytes, start, at, limit);
  const elements: unknown[] = [];
  let here = at + 4;
  for (let i = 0; i < value.length || here < last; i++) {
    let copy: unknown;
    if (here >= last) copy = copyPlain(value[i], level + 1);
    else {
      const type = bytes[here] as number;
      const from = nameEnd(bytes, start, here + 1, last) + 1;
      here = valueEnd(bytes, start, type, from, last);
      if (type === DOCUMENT || type === ARRAY) return undefined;
      if (i >= value.length) {
        if (losesType(source, type, from, last)) return undefined;
        continue;
      }
      copy = copyInstead(source, type, from, last, field, value[i], level + 1);
    }
    if (copy === undefined) return undefined;
    elements.push(copy);
  }
  return elements;
}
