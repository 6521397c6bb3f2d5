import { pairValues } from '../bson/identity.ts';

/** An array whose elements are told apart by what they are, of which some were removed, added or moved. */
export interface ValuesEdit {
  readonly kind: 'values';
  readonly base: readonly unknown[];
  readonly value: readonly unknown[];
  readonly removed: readonly unknown[];
  /** All that the original has not. They go where these say, where those that stay stand in their old order: */
  readonly added: readonly unknown[];
  /** before all others, */
  readonly first: readonly unknown[];
  /** behind one that stays, */
  readonly inserted: readonly Insertion[];
  /** behind all others. */
  readonly last: readonly unknown[];
  /** True where those that stay stand in another order. */
  readonly isMoved: boolean;
  /** True where it is declared that none is there twice. */
  readonly isUnique: boolean;
  /** True where texts are among them. */
  readonly hasTexts: boolean;
  /** True for what operators may say, and a pipeline should not: it would compare too much. */
  readonly isLong: boolean;
}

/** New values, and the one that they were put behind. The names are those that the pipeline reads. */
export interface Insertion {
  readonly p: unknown;
  readonly v: readonly unknown[];
}

/** Values to look for, times those to look through, beyond which an array is sent whole: by operators, and by pipelines. */
export const MAX_FOUND = 1_000_000;
export const MAX_COMPARED = 100_000;

/** The longest array whose elements a pipeline puts in another order. */
const MAX_MOVED = 100;

/**
 * The edit of an array of values that are told apart by what they are.
 *
 * @returns `'in place'` where each that is new took the place of another one, `'whole'` where nothing stayed or the edit
 *   would be too long; null where its elements cannot be told apart.
 */
export function compareValues(
  base: readonly unknown[],
  value: readonly unknown[],
  isUnique: boolean,
): ValuesEdit | 'in place' | 'whole' | null {
  const origins = pairValues(value, base, isUnique);
  if (origins === null) return null;
  const isKept: boolean[] = [];
  const added: unknown[] = [];
  let isInPlace = base.length === value.length;
  let isMoved = false;
  let last = -1;
  for (let i = 0; i < origins.length; i++) {
    const origin = origins[i] as number;
    if (origin < 0) added.push(value[i]);
    else {
      isKept[origin] = true;
      isMoved ||= origin < last;
      isInPlace &&= origin === i;
      last = origin;
    }
  }
  // Where nothing stayed the array was replaced, and others' elements with it.
  if (last < 0 && base.length > 0 && added.length > 0) return 'whole';
  if (isInPlace && !isUnique) return 'in place';
  const removed = base.filter((_, i) => isKept[i] !== true);
  const places = placesOfNew(value, origins);
  const isOperator = !isMoved && (added.length === 0 || (removed.length === 0 && places.last.length === added.length));
  const searched = (removed.length + added.length + places.inserted.length) * Math.max(base.length, value.length);
  if (searched > (isOperator ? MAX_FOUND : MAX_COMPARED)) return 'whole';
  if (isMoved && value.length > MAX_MOVED) return 'whole';
  // case: -0 in the place of 0, which are one value
  if (searched === 0 && !isMoved) return null;
  const hasTexts = base.some(isText) || added.some(isText);
  const isLong = searched > MAX_COMPARED;
  return { kind: 'values', base, value, removed, added, ...places, isMoved, isUnique, hasTexts, isLong };
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function placesOfNew(
  value: readonly unknown[],
  origins: readonly number[],
): Pick<ValuesEdit, 'first' | 'inserted' | 'last'> {
  const end = origins.findLastIndex((origin) => origin >= 0) + 1;
  const first: unknown[] = [];
  const inserted: { readonly p: unknown; readonly v: unknown[] }[] = [];
  let behind = first;
  for (let i = 0; i < end; i += 1) {
    if ((origins[i] as number) < 0) {
      if (i > 0 && (origins[i - 1] as number) >= 0) inserted.push({ p: value[i - 1], v: (behind = []) });
      behind.push(value[i]);
    }
  }
  return { first, inserted, last: value.slice(end) };
}
