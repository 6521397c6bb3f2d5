import { expect } from 'vitest';
import type { Document } from 'mongodb';
import { type Case, conformanceOfEngine, errorOf, type Workbench } from '../support/conformance.ts';

const numbers = { $range: [0, 3_000] };
const sum = (inner: unknown): Document => ({
  $reduce: { input: numbers, initialValue: 0, in: { $add: ['$$value', inner] } },
});
const one = { $add: ['$$this', 1] };
/** Thousands of millions of steps: minutes, were they not ended. */
const loops: Readonly<Record<string, Document>> = {
  $reduce: sum({ $size: [{ $map: { input: numbers, as: 'a', in: sum(one) } }] }),
  $map: { $map: { input: numbers, as: 'a', in: { $map: { input: numbers, as: 'b', in: sum('$$a') } } } },
  $filter: {
    $filter: {
      input: numbers,
      as: 'a',
      cond: { $eq: [{ $filter: { input: numbers, as: 'b', cond: sum('$$b') } }, []] },
    },
  },
};

const maxTimeMS = 50;

/** The error of a command that would go on for minutes; it has to end soon after its time is over. */
async function ended({ db }: Workbench, command: Document): Promise<void> {
  const start = performance.now();
  expect(await errorOf(db.command({ ...command, maxTimeMS }))).toMatchObject({
    code: 50,
    codeName: 'MaxTimeMSExpired',
  });
  expect(performance.now() - start).toBeLessThan(20_000);
}

async function expectUnchanged({ collection }: Workbench): Promise<void> {
  expect(await collection.find().toArray()).toEqual([{ _id: 1 }]);
}

const cases: Record<string, Case> = Object.fromEntries(
  Object.entries(loops).map(([name, loop]): [string, Case] => [
    `a limit ends a long ${name}`,
    async (bench) => {
      const { collection } = bench;
      const { collectionName: name_ } = collection;
      await collection.insertOne({ _id: 1 });
      const aggregate = (stage: Document): Document => ({ aggregate: name_, pipeline: [stage], cursor: {} });
      await ended(bench, aggregate({ $project: { x: loop } }));
      await ended(bench, aggregate({ $match: { $expr: loop } }));
      await ended(bench, aggregate({ $group: { _id: null, x: { $max: loop } } }));
      await ended(bench, aggregate({ $facet: { a: [{ $set: { x: loop } }] } }));
      await ended(bench, aggregate({ $lookup: { from: name_, let: { x: loop }, pipeline: [], as: 'a' } }));
      await ended(bench, { find: name_, filter: { $expr: loop } });
      await ended(bench, { find: name_, projection: { x: loop } });
      await ended(bench, { find: name_, filter: {}, let: { x: loop } });
      const u = [{ $set: { x: loop } }];
      await ended(bench, { findAndModify: name_, query: {}, update: u });
      await ended(bench, { count: name_, query: { $expr: loop } });
      await ended(bench, { delete: name_, deletes: [{ q: { $expr: loop }, limit: 0 }] });
      await ended(bench, { update: name_, updates: [{ q: {}, u }] });
      await expectUnchanged(bench);
    },
  ]),
);

conformanceOfEngine('time limits', cases);
