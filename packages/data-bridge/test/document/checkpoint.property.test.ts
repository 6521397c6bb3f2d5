import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Checkpoint } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { Any, take } from '../support/document-traces.ts';
import { agree, anyTrace, deepCopy, type Members, Model } from '../support/traces.ts';

useDatabase();

/** Between two steps: a checkpoint is made, or the document goes back to one. */
const anyMove = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc.constant({ kind: 'keep' as const }),
  fc.record({ kind: fc.constant('back' as const), to: fc.nat() }),
);

interface Kept {
  readonly checkpoint: Checkpoint;
  readonly then: Members;
}

describe('checkpoints', () => {
  it('lead back to what a deep copy holds, from any trace of changes, saves and reloads', async () => {
    const property = fc.asyncProperty(
      anyTrace,
      fc.boolean(),
      fc.array(anyMove, { minLength: 20, maxLength: 20 }),
      async ([document, steps], isNew, moves) => {
        const any = new Any(deepCopy(document));
        const expected = new Model({ ...document, _id: any._id });
        if (!isNew) await any.save();
        const kept: Kept[] = [];
        for (const [i, step] of steps.entries()) {
          const move = moves[i];
          if (move?.kind === 'keep') kept.push({ checkpoint: any.$checkpoint(), then: deepCopy(expected.current) });
          if (move?.kind === 'back' && kept.length > 0) {
            const { checkpoint, then } = kept[move.to % kept.length] as Kept;
            checkpoint.rollback();
            expected.current = deepCopy(then);
            agree('in memory, gone back', any.$state.toObject(), expected.current);
          }
          await take(step, any, expected);
        }
        agree('in memory', any.$state.toObject(), expected.current);
        agree('changed', any.isModified(), any.$isNew || expected.changed().length > 0);
        await any.save();
        agree('stored', (await Any.findById(any._id))?.$state.toObject(), expected.current);
      },
    );
    await fc.assert(property, runs(100));
  });
});
