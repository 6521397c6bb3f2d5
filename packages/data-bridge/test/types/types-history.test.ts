import { expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type HistoryPage, model, ObjectId } from '../../src/index.ts';

class Kept extends model('kept', { name: z.string() }, { history: true }) {}
class Redacted extends model('redacted', { _id: z.string(), ssn: z.string() }, { history: { redact: ['ssn'] } }) {}
class Plain extends model('plain', { name: z.string() }) {}
class Off extends model('off', { name: z.string() }, { history: false }) {}

it('a history is offered where it is kept', () => {
  const use = async (kept: Kept, redacted: Redacted) => {
    expectTypeOf(await kept.$history()).toEqualTypeOf<HistoryPage>();
    expectTypeOf(await kept.$revert(1)).toEqualTypeOf<Kept>();
    expectTypeOf(kept.$revision).toEqualTypeOf<number | null>();
    expectTypeOf(await Kept.restore(kept._id)).toEqualTypeOf<Kept>();
    expectTypeOf((await Kept.asOf(new ObjectId(), new Date()))?.name).toEqualTypeOf<string | undefined>();
    expectTypeOf(await Redacted.restore(redacted._id)).toEqualTypeOf<Redacted>();
    // @ts-expect-error -- a revision or a time
    await Kept.asOf(kept._id, 'yesterday');
    // @ts-expect-error -- only `false` can be said
    await Kept.updateMany({}, { $set: { name: 'x' } }, { history: true });
    await Kept.updateMany({}, { $set: { name: 'x' } }, { history: false });
    await kept.$revert(1, { validate: false });
    // @ts-expect-error -- what it refers to is not reverted
    await kept.$revert(1, { cascade: true });
    // @ts-expect-error -- what it refers to is not restored
    await Kept.restore(kept._id, { cascade: true });
  };
  expectTypeOf(use).toBeFunction();
});

it('and nowhere else', () => {
  const use = async (plain: Plain, off: Off) => {
    // @ts-expect-error -- the model keeps no history
    await plain.$history();
    // @ts-expect-error -- the model keeps no history
    await Plain.asOf(plain._id, 1);
    // @ts-expect-error -- the model keeps no history
    await off.$revert(1);
  };
  expectTypeOf(use).toBeFunction();
});
