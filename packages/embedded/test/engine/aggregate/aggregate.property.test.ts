// Random pipelines: what the embedded server makes of them is what a plain recomputation makes, and what any server at
// MONGODB_URI makes. FC_RUNS says how many.
import fc from 'fast-check';
import type { Document } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../../scripts/case-count.ts';
import { naiveRun, type NaiveStage, pipelineSteps } from '../../support/naive-stages.ts';
import { useDatabase } from '../../support/server.ts';
import { targetsOfEngine } from '../../support/servers.ts';

const numRuns = caseCount(60);

const someDocument = fc.record(
  {
    a: fc.integer({ min: -2, max: 4 }),
    b: fc.constantFrom('x', 'y', null),
    t: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);

const documents = fc
  .array(someDocument, { maxLength: 12 })
  .map((all): Document[] => all.map((members, position) => ({ _id: position + 1, ...members })));

const steps: fc.Arbitrary<NaiveStage[]> = fc.array(pipelineSteps, { minLength: 1, maxLength: 6 });

describe.each(targetsOfEngine)('random pipelines on $name', (target) => {
  const database = useDatabase(target);

  it('come to what a plain recomputation comes to', async () => {
    let count = 0;
    const holds = fc.asyncProperty(documents, steps, async (input, chosen) => {
      const collection = database.db.collection(`c${(count += 1)}`);
      if (input.length > 0) await collection.insertMany(input.map((document) => ({ ...document })));
      const stages = chosen.flatMap((step) => step.stages);
      expect(await collection.aggregate(stages).toArray()).toEqual(naiveRun(input, chosen));
      await collection.drop();
    });
    await fc.assert(holds, { numRuns });
  });
});
