import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { ABSENT, encodeDocument, toExact } from '../../src/bson/encode.ts';
import { equalValues } from '../../src/bson/equal.ts';
import { diff } from '../../src/state/edits.ts';
import { canonical } from '../support/laws-canonical.ts';
import { mutated, randomDocument, randomValue } from '../support/laws-documents.ts';
import { Random } from '../support/laws-random.ts';
import { exact, live, reread } from '../support/laws-store.ts';

const numRuns = caseCount(2000);

/** Runs a check on random cases, each made of one number. */
function forAll(check: (random: Random) => void): void {
  const property = fc.property(fc.noShrink(fc.nat()), (seed) => check(new Random(seed)));
  fc.assert(property, { numRuns });
}

describe('toExact', () => {
  it('gives what was decoded back as it was stored', () => {
    forAll((random) => {
      const bytes = encodeDocument(randomDocument(random));
      const stored = exact(bytes);
      for (const [name, value] of Object.entries(live(bytes)))
        expect(toExact(value, stored[name], [name])).toBe(stored[name]);
    });
  });

  it('changes types, never values', () => {
    forAll((random) => {
      const bytes = encodeDocument({ value: randomValue(random) });
      const value = mutated(random, live(bytes)['value']);
      const sent = toExact(value, random.chance(0.5) ? exact(bytes)['value'] : ABSENT, []);
      expect(canonical(reread(sent))).toBe(canonical(value));
    });
  });

  it('keeps the types of elements in any order', () => {
    forAll((random) => {
      const bytes = encodeDocument({ list: random.list(random.below(8), () => randomValue(random, 1)) });
      const before = exact(bytes)['list'] as unknown[];
      fc.pre(new Set(before.map((element) => canonical(element))).size === before.length);
      const moved = (live(bytes)['list'] as unknown[]).toSorted(() => random.next() - 0.5);
      const types = (list: unknown) => (list as unknown[]).map((element) => canonical(element, true)).toSorted();
      expect(types(toExact(moved, before, []))).toEqual(types(before));
    });
  });
});

describe('diff', () => {
  it('finds a change exactly where the values are not equal', () => {
    forAll((random) => {
      const bytes = encodeDocument({ value: randomValue(random) });
      const base = exact(bytes)['value'];
      const unchanged = live(bytes)['value'];
      expect(diff(base, unchanged, [])).toBeNull();
      const value = random.chance(0.1) ? randomValue(random) : mutated(random, unchanged);
      expect(diff(base, value, []) === null).toBe(equalValues(base, value));
    });
  });
});
