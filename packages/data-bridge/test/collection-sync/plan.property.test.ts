import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { indexSpec, identityOf } from '../../src/collection-sync/index-spec.ts';
import { apply, model, plan, type Plan, type PlanOptions } from '../../src/index.ts';
import { z } from 'zod';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { askForFault } from '../support/known-faults.ts';
import { anyIndexes, type Index } from '../support/random-indexes.ts';

const declared = anyIndexes({ hidden: !(await askForFault('hiding an index that is there')) });

const database = useDatabase();
// A server that drops many collections slowly need not do it at the end alone.
afterEach(() => database.db.dropDatabase());

const field = z.number().optional();
const withIndexes = (collection: string, indexes: readonly Index[]) =>
  class extends model(collection, { a: field, b: field, c: field }, { indexes: indexes as never }) {};

/** A plan that was a file. */
async function planned(collection: string, indexes: readonly Index[], options: PlanOptions): Promise<Plan> {
  return JSON.parse(JSON.stringify(await plan([withIndexes(collection, indexes)], { costs: false, ...options })));
}

/** What the server lists, as it is compared. */
async function listed(collection: string): Promise<string[]> {
  const all = await database.db.collection(collection).indexes();
  return shown(all.filter(({ name }) => name !== '_id_'));
}

function shown(indexes: readonly object[]): string[] {
  return indexes
    .map((each) => indexSpec(each as Index))
    .map((spec) =>
      JSON.stringify([spec.name, identityOf(spec), spec.settings.expireAfterSeconds, spec.settings.hidden]),
    )
    .toSorted();
}

describe('plan() and apply() on a server', () => {
  it('lead from any indexes to any others, killed after each step as well', async () => {
    const collection = `c${randomBytes(4).toString('hex')}`;
    await fc.assert(
      fc.asyncProperty(declared, declared, async (start, end) => {
        const options = { rename: true };
        await database.db.collection(collection).drop();
        await database.db.collection(collection).insertMany([{ a: 1, b: 1, c: 1 }, { a: 2, b: 2, c: 2 }]); // prettier-ignore
        await apply(await planned(collection, start, options));
        expect(await listed(collection)).toEqual(shown(start));

        const next = await planned(collection, end, options);
        // Each call is killed when it has done one step, the last one finds nothing left to do.
        for (const [done, step] of next.steps.entries()) {
          const killed = apply(next, {
            onStep: (each) => {
              expect(each).toEqual(step);
              throw new Error(`killed after ${done}`);
            },
          });
          await expect(killed).rejects.toThrow(`killed after ${done}`);
        }
        expect((await apply(next)).skipped).toHaveLength(next.steps.length);
        expect(await listed(collection)).toEqual(shown(end));
        expect((await planned(collection, end, options)).steps).toEqual([]);
      }),
      runs(100),
    );
  });
});
