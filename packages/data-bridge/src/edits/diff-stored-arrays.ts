import { nameEnd, stringEnd, terminator, valueEnd } from '../bson/bytes.ts';
import type { Identities } from '../bson/identity.ts';
import type { Field } from '../bson/level.ts';
import { latin1 } from '../bson/text.ts';
import { areAllReplaced, MAX_SEARCHED, type ValueEdit } from './edits.ts';
import {
  areOwnIdentities,
  areReplaced,
  changeFrom,
  changeOf,
  countFrom,
  isValueType,
  type StoredArray,
} from './diff-stored-values.ts';
import { CopyInstead } from './copy-instead.ts';
import { copyPlain } from './plain-copy.ts';
import { exactAt, type Source, StoredElements, StoredPositions, StoredPush, StoredSet } from './stored-edits.ts';
import { copyBeside, givesType, losesType } from './stored-types.ts';
import { ARRAY, DOCUMENT, OBJECT_ID, STRING } from '../bson/types.ts';

/** Where the walk stands: a stored array, and what is known of its place. */
export interface Place extends StoredArray {
  /** Of the array, or of the arrays around it. */
  readonly field: Field;
  /** How deep below the document's field. */
  readonly level: number;
  readonly identities: Identities | undefined;
}

/**
 * Compares the value of type `type` at `at`, before `limit`, with a live one: null when they are equal, `undefined` for what
 * only `diff` can decide.
 */
export type Walk = (
  source: Source,
  type: number,
  at: number,
  limit: number,
  field: Field,
  value: unknown,
  level: number,
  identities: Identities | undefined,
) => ValueEdit | null | undefined;

/** @param walk compares elements. */
export function walkArray(walk: Walk, place: Place, value: readonly unknown[]): ValueEdit | null | undefined {
  if (value.length === 0) return place.at + 4 === place.last ? null : undefined;
  const key = place.identities?.key ?? '_id';
  const first = value[0];
  return typeof first === 'object' && first !== null && Object.hasOwn(first, key)
    ? walkIdentified(walk, place, value, key)
    : walkPositions(walk, place, value);
}

/** Elements that are compared by position, or by what they are. */
function walkPositions(walk: Walk, place: Place, value: readonly unknown[]): ValueEdit | null | undefined {
  const { source, at, last, field, level, identities } = place;
  const { bytes, start } = source;
  let children: Map<number, ValueEdit> | null = null;
  let count = 0;
  const isUnique = identities?.isUnique === true;
  const isBound = identities?.isBound === true;
  for (let here = at + 4; here < last; count++) {
    const head = here;
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    here = valueEnd(bytes, start, type, from, last);
    let edit: ValueEdit | null | undefined = null;
    if (count < value.length) {
      edit = walk(source, type, from, last, field, value[count], level + 1, identities?.at(count));
      if (edit === null) continue;
    }
    if (children === null && !isBound && isValueType(type)) {
      const change = changeFrom(place, head, count, value, isUnique);
      if (change !== null) return change;
    }
    if (isUnique) return undefined;
    if (edit !== undefined && children === null && !isValueType(type)) {
      const hasLength = countFrom(place, head) === value.length - count;
      const replaced =
        hasLength && (count > 0 || value.length === 1) ? undefined : replacedFrom(place, head, value, hasLength);
      if (!hasLength || replaced !== undefined) return replaced;
    }
    // What was here may be elsewhere now, and what is here may have been elsewhere.
    if (edit === undefined || losesType(source, type, from, last) || (edit !== null && givesType(edit)))
      return undefined;
    if (edit !== null) (children ??= new Map<number, ValueEdit>()).set(count, edit);
  }
  if (count === value.length) {
    if (children === null) return null;
    if (!areAllReplaced(children, count)) {
      const isByValue = !isBound && areReplaced(place, children);
      if (isByValue === undefined) return changeOf(place, value, isUnique) ?? undefined;
      return new StoredPositions(source, at, children, isByValue);
    }
  } else if (children === null && value.length > count) {
    if (isUnique) return undefined;
    const added = copyPlain(value.slice(count), level) as unknown[] | undefined;
    return added && new StoredPush(source, at, added);
  }
  if (!isBound) {
    const change = count === value.length ? changeOf(place, value, isUnique) : null;
    if (change !== null) return change;
    if (areOwnIdentities(place)) return undefined;
  }
  const copy = copyBeside(source, ARRAY, at, last + 1, value);
  return copy === undefined ? undefined : new StoredSet(source, ARRAY, at, copy);
}

/**
 * An array that is sent whole: one of another length, or one of which every element changed.
 *
 * @param head the type byte of the first stored element that is not where it was.
 * @returns `undefined` also where an element of an array of the same length is as it was.
 */
function replacedFrom(
  { source, at, last, field, level }: Place,
  head: number,
  value: readonly unknown[],
  hasLength: boolean,
): StoredSet | undefined {
  const { bytes, start } = source;
  const elements: unknown[] = [];
  const copies = new CopyInstead(source);
  let here = at + 4;
  for (let i = 0; i < value.length || here < last; i++) {
    let copy: unknown;
    if (here >= last) copy = copyPlain(value[i], level);
    else {
      const isAsBefore = here < head;
      const { changes } = copies;
      const type = bytes[here] as number;
      const from = nameEnd(bytes, start, here + 1, last) + 1;
      here = valueEnd(bytes, start, type, from, last);
      if (i >= value.length) {
        if (losesType(source, type, from, last)) return undefined;
        continue;
      }
      copy = isAsBefore
        ? copyBeside(source, type, from, last, value[i])
        : copies.copy(type, from, last, field, value[i], level + 1);
      if (hasLength && copies.changes === changes) return undefined;
    }
    if (copy === undefined) return undefined;
    elements.push(copy);
  }
  return new StoredSet(source, ARRAY, at, elements);
}

/**
 * Elements that are identified by ObjectIds or by texts, each of which is the first member of its element and still is
 * what and where it was.
 */
function walkIdentified(
  walk: Walk,
  { source, at, last, field, level, identities }: Place,
  value: readonly unknown[],
  key: string,
): ValueEdit | null | undefined {
  const { bytes, start } = source;
  const children = new Map<number, ValueEdit>();
  const ids = new Map<number, unknown>();
  let idType = 0;
  let size = 0;
  let count = 0;
  for (let here = at + 4; here < last; count++) {
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    here = valueEnd(bytes, start, type, from, last);
    if (type !== DOCUMENT || !isPlain(value[count])) return undefined;
    const found = bytes[from + 4] as number;
    if (found !== (idType || found) || (found !== OBJECT_ID && found !== STRING)) return undefined;
    idType = found;
    const id = field.level.fieldAt(bytes, start, from + 5, last, null);
    if (id?.name !== key) return undefined;
    size = id.bytes.length;
    const edit = walk(source, type, from, last, field, value[count], level + 1, identities?.at(count));
    if (edit === null) continue;
    // An identity that changed is another element.
    if (edit?.kind !== 'object' || edit.children.has(key)) return undefined;
    children.set(count, edit);
    ids.set(count, exactAt(source, idType, from + 6 + size));
  }
  if (count !== value.length) return undefined;
  if (children.size === 0) return null;
  if (children.size * count > MAX_SEARCHED || !areApart(source, at, last, idType, size)) return undefined;
  return new StoredElements(source, at, { key, children, ids, hasTexts: idType === STRING });
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * The first members of the elements of an array differ from each other.
 *
 * @param size of their name.
 */
function areApart({ bytes, start }: Source, at: number, last: number, type: number, size: number): boolean {
  const seen = new Set<string>();
  let count = 0;
  for (let here = at + 4; here < last; count++) {
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    const id = from + 6 + size;
    seen.add(latin1(bytes, id, type === OBJECT_ID ? id + 12 : stringEnd(bytes, start, id, last)));
    here = terminator(bytes, start, from, last) + 1;
  }
  return seen.size === count;
}
