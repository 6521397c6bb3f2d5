// Random operations: what the embedded server makes of them in memory is what it makes of them in a folder, and what the
// server at MONGODB_URI makes of them but for what is known of that one. FUZZ_SECONDS says for how long, FUZZ_CASES how
// many at most, FC_SEED which ones.
import fc from 'fast-check';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseCount } from '../../../scripts/case-count.ts';
import { type Found, knownDifference } from './differential/known-differences.ts';
import { type Outcome, outcomes, said, show, trials } from './differential/trial.ts';
import { expectConsistent } from './support/consistency.ts';
import { targets } from './support/servers.ts';

// No more than have been looked at: what is known is known of these.
const numRuns = Number(process.env['FUZZ_CASES'] ?? caseCount(4_000));

const [inMemory, ...others] = targets;

describe.each(others)('random operations on the embedded server and on $name', ({ product, open }) => {
  // The same code over another storage needs no long search.
  const seconds = product === 'embedded' ? 2 : Number(process.env['FUZZ_SECONDS'] ?? 5);
  const closings: (() => Promise<unknown>)[] = [];
  let embedded: Db;
  let other: Db;

  async function databaseAt(uri: string): Promise<Db> {
    const client = await new MongoClient(uri).connect();
    const db = client.db(`differential_${process.pid}`);
    closings.unshift(
      () => db.dropDatabase(),
      () => client.close(),
    );
    return db;
  }

  beforeAll(async () => {
    const servers = [await inMemory.open(), await open()] as const;
    closings.push(...servers.map((server) => () => server.close()));
    embedded = await databaseAt(servers[0].uri);
    other = await databaseAt(servers[1].uri);
  });

  afterAll(async () => {
    await expectConsistent(embedded.client);
    if (product === 'embedded') await expectConsistent(other.client);
    for (const close of closings) await close();
  });

  it('come to the same', { timeout: 60_000 + 3_000 * seconds }, async () => {
    const seen = new Map<string, number>();
    let cases = 0;
    const same = fc.asyncProperty(trials, async (trial) => {
      const { documents, operations } = trial;
      const [ours, theirs] = await Promise.all([outcomes(embedded, trial), outcomes(other, trial)]);
      for (const [index, operation] of operations.entries()) {
        cases += 1;
        const found = { documents, operation, embedded: outcomeAt(ours, index), other: outcomeAt(theirs, index) };
        if (isSame(found)) continue;
        const known = knownDifference(product, found);
        if (known === undefined) expect.fail(describeDifference(product, found));
        seen.set(known, (seen.get(known) ?? 0) + 1);
      }
    });
    await fc.assert(same, { numRuns, interruptAfterTimeLimit: 1000 * seconds });
    const { seed } = fc.readConfigureGlobal();
    const differences = Array.from(seen, ([name, count]) => `${count} × ${name}`)
      .sort()
      .join(', ');
    console.log(`${cases} random operations of seed ${seed}. Known differences: ${differences || 'none'}.`);
    expect(cases).toBeGreaterThan(0);
  });
});

function outcomeAt(outcomes: readonly Outcome[], index: number): Outcome {
  const outcome = outcomes[index];
  if (outcome === undefined) throw new Error('An operation without an outcome.');
  return outcome;
}

/** The numbers of errors differ in many ways that nobody minds: it counts that there is one. */
function isSame({ embedded, other }: Found): boolean {
  return 'code' in embedded ? 'code' in other : said(embedded) === said(other);
}

function describeDifference(product: string, { documents, operation, embedded, other }: Found): string {
  return `${show(documents, operation)}\nembedded: ${said(embedded)}\n${product}: ${said(other)}`;
}
