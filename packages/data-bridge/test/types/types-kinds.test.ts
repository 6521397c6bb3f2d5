import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';

const event = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('click'), x: z.number(), at: z.date(), target: z.object({ id: z.string() }) }),
  z.object({ kind: z.literal('key'), code: z.string(), at: z.date(), held: z.array(z.string()).default([]) }),
  z.object({ kind: z.enum(['up', 'down']), at: z.date(), who: z.string() }),
]);

class Log extends model('logs', {
  evs: z.array(event),
  maybe: z.array(event).optional(),
  deep: z.object({ evs: z.array(event) }),
  flags: z.array(
    z.discriminatedUnion('on', [
      z.object({ on: z.literal(true), since: z.date() }),
      z.object({ on: z.literal(false), why: z.string() }),
    ]),
  ),
  plain: z.array(z.union([z.object({ a: z.number() }), z.object({ b: z.string() })])),
  same: z.array(z.object({ kind: z.enum(['a', 'b']), x: z.number() })),
}) {}

declare const kind: 'click' | 'key';

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

describe('the types of conditions on elements of a union', () => {
  it('take the members of one kind', () => {
    expectCompiled(() => {
      const at = new Date();
      void Log.find({ evs: { $elemMatch: { kind: 'click', x: 1, 'target.id': 'a' } } });
      void Log.find({ evs: { $elemMatch: { kind: { $in: ['click', 'key'] }, code: /a/, held: 'ctrl' } } });
      void Log.find({ evs: { $elemMatch: { kind: { $ne: 'click' }, at } } });
      void Log.find({ evs: { $elemMatch: { kind: { $eq: 'key' }, code: 'a' } } });
      void Log.find({ evs: { $elemMatch: { kind, at } } });
      void Log.find({ evs: { $elemMatch: { 'target.id': 'a', $or: [{ x: { $gt: 1 } }, { code: 'a' }] } } });
      void Log.find({
        evs: {
          $elemMatch: {
            $or: [
              { kind: 'click', x: 1 },
              { kind: 'key', code: 'a' },
            ],
            at,
          },
        },
      });
      void Log.find({ evs: { $elemMatch: { kind: 'up', who: 'a' } }, maybe: { $elemMatch: { who: 'a' } } });
      void Log.find({ evs: { $elemMatch: { at } }, 'deep.evs': { $elemMatch: { kind: 'key', 'held.0': 'a' } } });
      void Log.find({ flags: { $elemMatch: { on: true, since: at } }, same: { $elemMatch: { kind: 'a', x: 1 } } });
      void Log.find({ plain: { $elemMatch: { a: 1, b: 'x' } } });
      void Log.updateMany({}, { $pull: { evs: { kind: 'click', x: { $gt: 1 } }, maybe: { code: 'a' } } });
    });
  });

  it('and not of two', () => {
    expectCompiled(() => {
      // @ts-expect-error -- a click has no code
      void Log.find({ evs: { $elemMatch: { kind: 'click', code: 'a' } } });
      // @ts-expect-error -- nor has it where $eq says so
      void Log.find({ evs: { $elemMatch: { kind: { $eq: 'click' }, code: 'a' } } });
      // @ts-expect-error -- no kind has both
      void Log.find({ evs: { $elemMatch: { x: 1, code: 'a' } } });
      // @ts-expect-error -- a key has no target
      void Log.find({ evs: { $elemMatch: { kind: 'key', 'target.id': 'a' } } });
      // @ts-expect-error -- what is on has no reason
      void Log.find({ flags: { $elemMatch: { on: true, why: 'x' } } });
      // @ts-expect-error -- a click has no code, in a part of $or
      void Log.find({ evs: { $elemMatch: { $or: [{ kind: 'click', code: 'a' }] } } });
      // @ts-expect-error -- below $not
      void Log.find({ evs: { $not: { $elemMatch: { kind: 'click', code: 'a' } } } });
      // @ts-expect-error -- in $all
      void Log.find({ evs: { $all: [{ $elemMatch: { kind: 'click', code: 'a' } }] } });
      // @ts-expect-error -- of a nested array
      void Log.find({ 'deep.evs': { $elemMatch: { kind: 'click', code: 'a' } } });
      // @ts-expect-error -- of one that may be absent
      void Log.find({ maybe: { $elemMatch: { kind: 'click', who: 'a' } } });
      // @ts-expect-error -- in $pull
      void Log.updateMany({}, { $pull: { evs: { kind: 'click', code: 'a' } } });
      // @ts-expect-error -- in an aggregation
      void Log.aggregate().match({ evs: { $elemMatch: { kind: 'click', code: 'a' } } });
      // @ts-expect-error -- no such kind
      void Log.find({ evs: { $elemMatch: { kind: { $in: ['clik'] } } } });
      // @ts-expect-error -- a text for a number
      void Log.find({ evs: { $elemMatch: { kind: 'click', x: 'a' } } });
    });
  });
});
