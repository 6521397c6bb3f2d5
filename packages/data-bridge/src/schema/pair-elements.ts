import { equalValues } from '../bson/equal-values.ts';
import { hasMember, isMembers, keysIn, memberAt } from './members.ts';

/** True where both are absent, or equal as BSON compares. */
export function isSame(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (a !== undefined && b !== undefined && equalValues(a, b));
}

export function isAmong(values: readonly unknown[], value: unknown): boolean {
  return values.some((each) => isSame(value, each));
}

/**
 * Tells of each value whether it equals one of the originals. Most stand in their order, so the one after the last that was
 * found is tried first; texts and numbers are looked up.
 */
export function whichAreAmong(values: readonly unknown[], originals: readonly unknown[]): boolean[] {
  let next = 0;
  let texts: Set<unknown> | null = null;
  return values.map((value) => {
    if (next < originals.length && isSame(value, originals[next])) {
      next++;
      return true;
    }
    if (typeof value === 'string') return (texts ??= new Set(originals)).has(value);
    const found = originals.findIndex((each) => isSame(value, each));
    if (found >= 0) next = found + 1;
    return found >= 0;
  });
}

/** Comparing each with each is left at so many pairs. */
export const MAX_PAIRS = 100_000;

/**
 * Pairs elements that nothing tells apart with those that are missing: each with the one that it has most in common with.
 *
 * @param isKept by element whether it is one of the originals, unaltered.
 * @returns by place the original of an element.
 */
export function pairAlike(
  elements: readonly unknown[],
  isKept: readonly boolean[],
  missing: readonly unknown[],
): Map<number, unknown> {
  if (elements.length * missing.length > MAX_PAIRS) return new Map();
  const candidates: { readonly place: number; readonly original: unknown; readonly score: number }[] = [];
  elements.forEach((element, place) => {
    if (isKept[place] === true) return;
    for (const original of missing) {
      const score = likeness(element, original);
      if (score > 0) candidates.push({ place, original, score });
    }
  });
  candidates.sort((a, b) => b.score - a.score);
  const pairs = new Map<number, unknown>();
  const used = new Set<unknown>();
  for (const { place, original } of candidates) {
    if (pairs.has(place) || used.has(original)) continue;
    pairs.set(place, original);
    used.add(original);
  }
  return pairs;
}

/** How many values two have in common at the same paths; in arrays anywhere. */
export function likeness(a: unknown, b: unknown): number {
  if (isSame(a, b)) return 1;
  if (isMembers(a) && isMembers(b)) {
    const inCommon = keysIn(a).filter((key) => hasMember(b, key));
    return inCommon.reduce((sum, key) => sum + likeness(memberAt(a, key), memberAt(b, key)), 0);
  }
  if (Array.isArray(a) && Array.isArray(b))
    return a.filter((element) => b.some((each) => likeness(element, each) > 0)).length;
  return 0;
}
