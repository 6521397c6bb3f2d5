import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../scripts/case-count.ts';
import { ALL_KEYS, recordSuffix } from '../src/storage/key-range.ts';
import { scanEntries } from '../src/storage/scan-entries.ts';
import { scanOver } from '../src/storage/scan-over.ts';
import { SortedKeys } from '../src/storage/sorted-keys.ts';
import type { Entries, Entry } from '../src/storage/storage.ts';

const STORED = 6_000;

/** Entries by their records' numbers, which tells how many of them were read. */
class Counted implements Entries {
  read = 0;
  readonly hasCutKeys = false;
  readonly #keys: SortedKeys;

  constructor(records: Iterable<number>) {
    this.#keys = SortedKeys.of(Array.from(records, recordSuffix).sort());
  }

  scan(...[range, backwards, limit]: Parameters<Entries['scan']>): Entry[] {
    const found = this.#keys.scan(range, backwards, limit);
    this.read += found.length;
    return found.map((position) => ({ position, record: Buffer.from(position, 'latin1').readUIntBE(0, 6) }));
  }
}

/** A store whose records are even, with a layer over it that hides some and adds odd ones. */
const layers = fc.record({
  hiddenFrom: fc.nat(STORED),
  hiddenCount: fc.nat(STORED),
  more: fc.uniqueArray(fc.nat(STORED), { maxLength: 1_200 }),
  backwards: fc.boolean(),
});

describe('what is laid over stored entries', () => {
  it('is read with them in order, and what is hidden is not read again and again', () => {
    fc.assert(
      fc.property(layers, ({ hiddenFrom, hiddenCount, more, backwards }) => {
        const isHidden = (record: number) => record >= 2 * hiddenFrom && record < 2 * (hiddenFrom + hiddenCount);
        const all = Array.from({ length: STORED }, (_, position) => 2 * position);
        const stored = new Counted(all);
        const own = new Counted(more.map((position) => 2 * position + 1));
        const hidden = new Set(all.filter(isHidden).map(recordSuffix));
        const entries: Entries = {
          hasCutKeys: false,
          scan: (range, back, limit) =>
            scanOver(stored, (position) => hidden.has(position), own.scan(range, back, limit), {
              range,
              backwards: back,
              limit,
            }),
        };
        const seen = [...scanEntries(entries, ALL_KEYS, backwards, () => 0)];
        const expected = [...all.filter((record) => !isHidden(record)), ...more.map((position) => 2 * position + 1)];
        expected.sort((a, b) => (backwards ? b - a : a - b));
        expect(seen).toEqual(expected);
        expect(stored.read).toBeLessThan(5 * STORED);
      }),
      { numRuns: caseCount(30) },
    );
  });
});
