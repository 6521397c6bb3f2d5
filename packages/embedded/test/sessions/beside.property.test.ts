import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { withLmdbStorage } from '../support/in-process.ts';
import { randomCommand, Server } from '../support/random-commands.ts';

const steps = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: randomCommand },
    { weight: 3, arbitrary: fc.constant('begin' as const) },
    { weight: 2, arbitrary: fc.constant('commit' as const) },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

async function check(storage: Storage, taken: readonly unknown[]): Promise<void> {
  const [beside, alone] = [new Server(storage), new Server(new MemoryStorage())];
  const open: (() => void)[] = [];
  for (const step of taken) {
    if (step === 'begin') open.push(beside.beginBeside());
    else if (step === 'commit') open.shift()?.();
    else expect(beside.run(step as object)).toEqual(alone.run(step as object));
  }
  for (const commit of open) commit();
  expect(beside.contents()).toEqual(alone.contents());
  await beside.expectConsistent();
}

describe('commands beside transactions that have nothing to do with them', () => {
  it('are answered in memory as without those', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (taken) => check(new MemoryStorage(), taken)),
      { numRuns: caseCount(100) },
    );
  });

  it('are answered in a folder as without those', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (taken) => withLmdbStorage((storage) => check(storage, taken))),
      { numRuns: caseCount(10) },
    );
  });
});
