import { type KeyRange, rangeBehind } from './key-range.ts';
import type { Entries, Entry, RecordId } from './storage.ts';

/** As many entries are read first, and at most, at a time. */
const FIRST_CHUNK = 8;
const MAX_CHUNK = 512;

/**
 * The records of a range of entries, read in chunks, more at a time the longer it goes on. What was read ahead is read
 * again when `version` has changed.
 */
export function* scanEntries(
  entries: Entries,
  range: KeyRange,
  backwards: boolean,
  version: () => number,
): Generator<RecordId> {
  let left = range;
  let wanted = FIRST_CHUNK;
  for (;;) {
    const read = version();
    const chunk = entries.scan(left, backwards, wanted);
    let last: Entry | undefined;
    for (const entry of chunk) {
      yield entry.record;
      last = entry;
      if (version() !== read) break;
    }
    const isChanged = version() !== read;
    if (last === undefined || (chunk.length < wanted && !isChanged)) return;
    // Where each entry is followed by a change, all that is read ahead is read in vain.
    wanted = isChanged ? FIRST_CHUNK : Math.min(2 * wanted, MAX_CHUNK);
    left = rangeBehind(left, last.position, backwards);
  }
}
