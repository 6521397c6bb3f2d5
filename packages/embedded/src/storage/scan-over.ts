import { type KeyRange, rangeBehind } from './key-range.ts';
import type { Entries, Entry } from './storage.ts';

/** As many stored entries are read at a time where many of them are hidden. */
const CHUNK = 512;

/**
 * The first `limit` entries of a range as a transaction sees it: the stored ones that are not hidden, and `more`, which
 * are the first `limit` of its own. No more are read than that takes.
 */
export function scanOver(
  stored: Entries,
  isHidden: (position: string) => boolean,
  more: readonly Entry[],
  { range, backwards, limit }: { readonly range: KeyRange; readonly backwards: boolean; readonly limit: number },
): Entry[] {
  // Behind the last of a full list nothing is wanted.
  const last = more.length < limit ? undefined : more.at(-1);
  let left = last === undefined ? range : rangeBehind(range, last.position, !backwards);
  const shown: Entry[] = [];
  for (let wanted = limit; shown.length < limit; wanted = Math.max(limit, CHUNK)) {
    const read = stored.scan(left, backwards, wanted);
    for (const entry of read) if (!isHidden(entry.position)) shown.push(entry);
    const end = read.at(-1);
    if (end === undefined || read.length < wanted) break;
    left = rangeBehind(left, end.position, backwards);
  }
  return mergeEntries(shown, more, backwards, limit);
}

/** Two lists of entries as one, in their order or, both being so, backwards: its first `limit` entries. */
function mergeEntries(a: readonly Entry[], b: readonly Entry[], backwards: boolean, limit: number): Entry[] {
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
