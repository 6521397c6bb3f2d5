import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IndexSet } from '../../src/tracking/index-set.ts';
import { runs } from '../support/arbitrary.ts';

it('is a set in the order of addition, be there few or many', () => {
  const steps = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 0, max: 3 })), { maxLength: 120, size: 'max' });
  fc.assert(
    fc.property(steps, (all) => {
      const set = new IndexSet();
      const model = new Set<number>();
      for (const [index, way] of all) {
        const before = set.list();
        const then = [...model];
        for (const each of [set, model]) {
          if (way === 0) each.delete(index);
          else each.add(index);
        }
        expect([set.list(), before, set.has(index)]).toEqual([[...model], then, way !== 0]);
      }
    }),
    runs(10_000),
  );
});
