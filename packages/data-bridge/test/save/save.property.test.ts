import fc from 'fast-check';
import { describe, it } from 'vitest';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { Any, take } from '../support/document-traces.ts';
import { agree, anyTrace, deepCopy, Model } from '../support/traces.ts';

const database = useDatabase();

describe('a document', () => {
  it('is stored as it is in memory after any trace of changes, saves, reloads and rollbacks', async () => {
    await fc.assert(
      fc.asyncProperty(anyTrace, async ([document, steps]) => {
        const any = new Any(deepCopy(document));
        await any.save();
        const expected = new Model({ ...document, _id: any._id });
        for (const step of steps) await take(step, any, expected);
        agree('in memory', any.$state.toObject(), expected.current);
        await any.save();
        agree('stored', (await Any.findById(any._id))?.$state.toObject(), expected.current);
        agree('in memory after the save', any.$state.toObject(), expected.current);
        database.sent();
        await any.save();
        agree('commands of the second save', database.sent(), []);
      }),
      runs(100),
    );
  });
});
