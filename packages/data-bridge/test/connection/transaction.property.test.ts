import fc from 'fast-check';
import { MongoServerError } from 'mongodb';
import { beforeAll, describe, it } from 'vitest';
import { transaction } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { Any, take } from '../support/document-traces.ts';
import { agree, anyTrace, deepCopy, Model } from '../support/traces.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

useDatabase();
beforeAll(async () => {
  await Any.ensureCollection();
});

class Abort extends Error {}

/** As a server says that another transaction was faster. */
const conflict = () =>
  new MongoServerError({ message: 'conflict', code: 112, errorLabels: ['TransientTransactionError'] });

describe.runIf(isReplicaSet)('any trace of changes, saves, reloads and rollbacks in a transaction', () => {
  it('leaves memory and the store as they were when it fails, and is there once when it is tried again', async () => {
    const property = fc.asyncProperty(
      anyTrace,
      anyTrace,
      fc.boolean(),
      fc.constantFrom(0, 1, 2),
      async ([document, before], [, inside], isNew, failures) => {
        const any = new Any(deepCopy(document));
        const model = new Model({ ...document, _id: any._id });
        if (!isNew) await any.save();
        for (const step of before) await take(step, any, model);
        const storedBefore = (await Any.findById(any._id))?.$state.toObject() ?? null;
        const told = any.isModified();
        const run = async (end: () => void): Promise<Model> => {
          const expected = new Model({});
          [expected.original, expected.current] = [deepCopy(model.original), deepCopy(model.current)];
          for (const step of inside) await take(step, any, expected);
          end();
          return expected;
        };
        const aborted = transaction(() =>
          run(() => {
            throw new Abort();
          }),
        );
        await aborted.catch((error: unknown) => {
          if (!(error instanceof Abort)) throw error;
        });
        agree('in memory after an abort', any.$state.toObject(), model.current);
        agree('modified after an abort', any.isModified(), told);
        agree('stored after an abort', (await Any.findById(any._id))?.$state.toObject() ?? null, storedBefore);
        let runsLeft = failures;
        const expected = await transaction(() =>
          run(() => {
            if (runsLeft-- > 0) throw conflict();
          }),
        );
        agree('in memory after a commit', any.$state.toObject(), expected.current);
        await any.save();
        agree('stored after a commit', (await Any.findById(any._id))?.$state.toObject(), expected.current);
      },
    );
    await fc.assert(property, runs(60));
  });
});
