import type { Entry } from './storage.ts';

/** Two lists of entries as one, in their order or, both being so, backwards: its first `limit` entries. */
export function mergeEntries(a: readonly Entry[], b: readonly Entry[], backwards: boolean, limit: number): Entry[] {
  const merged: Entry[] = [];
  let nextA = 0;
  let nextB = 0;
  while (merged.length < limit) {
    const [fromA, fromB] = [a[nextA], b[nextB]];
    if (fromA === undefined && fromB === undefined) break;
    if (fromB === undefined || (fromA !== undefined && fromA.position < fromB.position !== backwards)) {
      if (fromA !== undefined) merged.push(fromA);
      nextA += 1;
    } else {
      merged.push(fromB);
      nextB += 1;
    }
  }
  return merged;
}
