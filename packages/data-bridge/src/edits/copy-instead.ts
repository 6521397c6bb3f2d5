import { BSON, ObjectId } from 'mongodb';
import { float64, int32, milliseconds, nameEnd, stringEnd, terminator, valueEnd } from '../bson/bytes.ts';
import { equalId, equalText } from '../bson/equal-scalars.ts';
import { isShownDefault } from '../bson/equal-values.ts';
import type { Field } from '../bson/level.ts';
import { ARRAY, BOOLEAN, DATE, DOCUMENT, DOUBLE, INT32, NULL, OBJECT_ID, STRING } from '../bson/types.ts';
import { MAX_LEVELS } from './edits.ts';
import { copyPlain, isPlainKey } from './plain-copy.ts';
import type { Source } from './stored-edits.ts';
import { isCommonType, losesType } from './stored-types.ts';

// V8 knows that this holds for the keys of a for-in loop; for Object.hasOwn it looks every time.
const { hasOwnProperty } = Object.prototype;

/**
 * Copies values that take the place of stored ones, in an array that is sent whole. What is new in such an array may have
 * been elsewhere in it before, so a copy is made only where no type is at stake: where a value would be sent as the same
 * BSON beside any of the originals. `undefined` stands for all else, which `toExact` decides.
 */
export class CopyInstead {
  /** How many of the scalars that were copied so far differ from what is stored in their places. */
  changes = 0;
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * @param at where the stored value of that type begins, before `limit`.
   * @param field of the arrays around it.
   * @param level how deep below the document's field.
   */
  copy(type: number, at: number, limit: number, field: Field, value: unknown, level: number): unknown {
    if (level >= MAX_LEVELS || !isCommonType(type)) return undefined;
    if (type === DOCUMENT && isPlain(value)) return this.#copyMembers(at, limit, field, value, level);
    if (type === ARRAY && Array.isArray(value)) return this.#copyElements(at, limit, field, value, level);
    const source = this.#source;
    if (losesType(source, type, at, limit) || (type === DOUBLE && Number.isInteger(value))) return undefined;
    if (!isSame(source, type, at, limit, value)) this.changes += 1;
    return type === DOUBLE && typeof value === 'number' ? new BSON.Double(value) : copyPlain(value, level);
  }

  /** Of an object with the stored keys in their order, and others behind them. */
  #copyMembers(
    at: number,
    limit: number,
    { level: names }: Field,
    value: Record<string, unknown>,
    level: number,
  ): object | undefined {
    const { bytes, start } = this.#source;
    const last = terminator(bytes, start, at, limit);
    const members: Record<string, unknown> = {};
    let previous: Field | null = null;
    let here = at + 4;
    for (const key in value) {
      if (!hasOwnProperty.call(value, key)) return undefined;
      const live = value[key];
      const isShown = isShownDefault(value, key, live);
      let copy: unknown;
      if (here < last) {
        const learned: Field | null = names.fieldAt(bytes, start, here + 1, last, previous);
        if (learned === null || !learned.isPlain || learned.name !== key) return undefined;
        const type = bytes[here] as number;
        const from = here + 2 + learned.bytes.length;
        here = valueEnd(bytes, start, type, from, last);
        previous = learned;
        // A default stays unstored, also where the element beside has stored the member.
        if (isShown) {
          // case: what is stored beside it may be elsewhere now
          if (losesType(this.#source, type, from, last)) return undefined;
          this.changes += 1;
          continue;
        }
        copy = this.copy(type, from, last, learned, live, level + 1);
      } else {
        if (isShown) continue;
        if (isPlainKey(key)) copy = copyPlain(live, level + 1);
        this.changes += 1;
      }
      if (copy === undefined) return undefined;
      members[key] = copy;
    }
    return here < last ? undefined : members;
  }

  /** Of an array of scalars beside such a one: others may have elements with identities, by which they are paired. */
  #copyElements(
    at: number,
    limit: number,
    field: Field,
    value: readonly unknown[],
    level: number,
  ): unknown[] | undefined {
    const { bytes, start } = this.#source;
    const last = terminator(bytes, start, at, limit);
    const elements: unknown[] = [];
    let here = at + 4;
    for (const each of value) {
      let copy: unknown;
      if (here < last) {
        const type = bytes[here] as number;
        if (type === DOCUMENT || type === ARRAY) return undefined;
        const from = nameEnd(bytes, start, here + 1, last) + 1;
        here = valueEnd(bytes, start, type, from, last);
        copy = this.copy(type, from, last, field, each, level + 1);
      } else {
        copy = copyPlain(each, level + 1);
        this.changes += 1;
      }
      if (copy === undefined) return undefined;
      elements.push(copy);
    }
    // What was removed may be elsewhere now.
    return here < last ? undefined : elements;
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    typeof (value as { toBSON?: unknown }).toBSON !== 'function'
  );
}

/** The stored scalar is this value. */
function isSame({ bytes, start }: Source, type: number, at: number, limit: number, value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return type === STRING && equalText(bytes, start, at + 4, stringEnd(bytes, start, at, limit), value);
    case 'number':
      return (
        (type === INT32 && Object.is(int32(bytes, at), value)) ||
        (type === DOUBLE && Object.is(float64(bytes, at), value))
      );
    case 'boolean':
      return type === BOOLEAN && (bytes[at] === 1) === value;
    default:
      if (value === null) return type === NULL;
      if (type === DATE) return value instanceof Date && value.getTime() === milliseconds(bytes, at);
      return type === OBJECT_ID && value instanceof ObjectId && equalId(bytes, at, value);
  }
}
