import fc from 'fast-check';
import { MongoServerError } from 'mongodb';
import { beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type HookName, model, transaction } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

/*
 * In which order hooks run, whatever is retried: conflicts that are settled, and transactions that are run again.
 */

const BEFORE: readonly HookName[] = ['beforeValidate', 'beforeSave'];
const NAMES: readonly HookName[] = [
  ...BEFORE,
  'beforeInsert',
  'beforeUpdate',
  'beforeDelete',
  'afterInsert',
  'afterUpdate',
  'afterSave',
  'afterDelete',
  'afterCommit',
];

let log: string[] = [];

class Base extends model(
  'hooked_counters',
  { n: z.int().default(0), m: z.int().default(0), hooked: z.int().default(0) },
  { concurrency: 'fields' },
) {}
class Counter extends Base {}
for (const name of NAMES) {
  Counter.on(name, () => void log.push(`class ${name}`));
  // The parent's come first, whenever they were given.
  Base.on(name, async (counter) => {
    await Promise.resolve();
    log.push(`parent ${name}`);
    if (name === 'beforeSave') counter.hooked += 1;
  });
}

useDatabase();
beforeAll(async () => {
  await Counter.ensureCollection();
});

const lines = (names: readonly HookName[]): string[] => names.flatMap((name) => [`parent ${name}`, `class ${name}`]);
const before = (last: HookName): string[] => lines([...BEFORE, last]);

type Step = { readonly do: 'change' | 'both' | 'clean' | 'delete'; readonly onConflict: 'mine' | 'theirs' };

const step = fc.record<Step>({
  do: fc.constantFrom('change', 'change', 'both', 'both', 'clean', 'delete'),
  onConflict: fc.constantFrom('mine', 'theirs'),
});

/** Does the steps to a new document. Gives what should have been called but for what comes after the commit. */
async function perform(steps: readonly Step[]): Promise<{ expected: string[]; writes: number }> {
  const counter = await Counter.create({});
  const expected = [...before('beforeInsert'), ...lines(['afterInsert', 'afterSave'])];
  let writes = 1;
  const after = (names: readonly HookName[]): void => {
    writes += 1;
    expected.push(...lines(names));
  };
  let hooked = 1;
  for (const { do: kind, onConflict } of steps) {
    if (kind === 'delete') {
      await counter.delete();
      expected.push(...lines(['beforeDelete']));
      after(['afterDelete']);
      return { expected, writes };
    }
    if (kind === 'both') await Counter.updateOne({ _id: counter._id }, { $inc: { n: 10 } });
    if (kind !== 'clean') counter.n += 1;
    await counter.save({ onConflict });
    if (kind === 'clean') continue;
    expected.push(...before('beforeUpdate'));
    // What the hook set is written in any case.
    after(['afterUpdate', 'afterSave']);
    hooked += 1;
    expect(counter.hooked).toBe(hooked);
  }
  return { expected, writes };
}

it('hooks run in the stated order, before a save once whatever conflicts it met', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 5 }), async (steps) => {
      log = [];
      const { expected, writes } = await perform(steps);
      const commits = log.filter((line) => line.endsWith('afterCommit'));
      expect(log.filter((line) => !line.endsWith('afterCommit'))).toEqual(expected);
      expect(commits).toEqual(Array.from({ length: writes }, () => lines(['afterCommit'])).flat());
    }),
    runs(120),
  );
});

it.runIf(isReplicaSet)('in a transaction at each try, and after the commit once for each document', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      fc.nat(2),
      async (all, failures) => {
        log = [];
        let tries = 0;
        const expected: string[] = [];
        await transaction(async () => {
          tries += 1;
          for (const steps of all)
            expected.push(...(await perform(steps.filter((each) => each.do !== 'both'))).expected);
          if (tries > failures) return;
          const error = new MongoServerError({ message: 'again', code: 112 });
          error.addErrorLabel('TransientTransactionError');
          throw error;
        });
        expect(tries).toBe(failures + 1);
        expect(log).toEqual([...expected, ...all.flatMap(() => lines(['afterCommit']))]);
      },
    ),
    runs(60),
  );
});
