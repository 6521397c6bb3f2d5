import fc from 'fast-check';
import { expect } from 'vitest';
import { Random } from './laws-random.ts';

const chosen = process.env['LAW_CASE'];

/** The case that `LAW_CASE` names, to be run besides the random ones. */
export const examples: [number][] = chosen === undefined ? [] : [[Number(chosen)]];

/** Runs a law on so many random cases. It says whether there was something to save: at least half must have had that. */
export async function forAllCases(cases: number, law: (id: number, random: Random) => Promise<boolean>): Promise<void> {
  let saves = 0;
  const property = fc.asyncProperty(fc.noShrink(fc.nat()), async (id) => {
    if (await law(id, new Random(id))) saves += 1;
  });
  await fc.assert(property, { numRuns: cases, examples });
  expect(saves).toBeGreaterThan(cases / 2);
}
