import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';

type Json = { v: string; kids: Record<string, Json> };
const tree: z.ZodType<Json> = z.lazy(() => z.object({ v: z.string(), kids: z.record(z.string(), tree) }));

class User extends model('users', {
  name: z.string(),
  rec: z.record(
    z.string(),
    z.object({
      q: z.number(),
      n: z.string().optional(),
      tags: z.array(z.string()),
      at: z.date(),
      list: z.array(z.object({ k: z.number() })),
    }),
  ),
  nums: z.record(z.string(), z.number()),
  two: z.record(z.string(), z.record(z.string(), z.object({ b: z.boolean() }))),
  lists: z.record(z.string(), z.array(z.number())),
  map: z.map(z.string(), z.object({ q: z.number() })),
  opt: z.object({ r: z.record(z.string(), z.object({ q: z.number() })).optional() }).optional(),
  any: z.record(z.string(), z.unknown()),
  recs: z.array(z.record(z.string(), z.object({ q: z.number() }))),
  tree,
}) {}

declare const user: User;

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

const whole = { q: 1, tags: ['a'], at: new Date(), list: [] };

describe('the types of paths through records', () => {
  it('filters compare a member with values of its type', () => {
    expectCompiled(() => {
      void User.find({ 'rec.a.q': { $gte: 5 }, 'rec.a': null, 'rec.a.tags': 'x', 'rec.b.list.k': 1, 'rec.a.n': /x/ });
      void User.find({ 'rec.a': whole, 'rec.x.list.0.k': 3, 'rec.a.at': { $lt: new Date() }, 'nums.a': 4 });
      void User.find({ 'two.a.b.b': true, 'lists.a': 5, 'map.a.q': 1, 'opt.r.x.q': 1, 'any.a.b.c': 4 });
      void User.find({ 'tree.kids.a.v': 'x', 'tree.kids.a.kids.b.v': 'x', 'recs.a.q': 1, 'recs.0.a.q': 1 });
      void User.find().sort({ 'rec.a.q': 1 }).select('rec.a.q', 'rec.a');
      expectTypeOf(User.distinct('rec.a.q')).resolves.toEqualTypeOf<number[]>();
      // @ts-expect-error -- a text for a number
      void User.find({ 'rec.a.q': 'x' });
      // @ts-expect-error -- a number for a text
      void User.find({ 'rec.a.n': 4 });
      // @ts-expect-error -- a text for a date
      void User.find({ 'rec.a.at': 'x' });
      // @ts-expect-error -- a text for a boolean, in a record of records
      void User.find({ 'two.a.b.b': 'x' });
      // @ts-expect-error -- a text among numbers
      void User.find({ 'lists.a': 'x' });
      // @ts-expect-error -- a text for a number, in a Map
      void User.find({ 'map.a.q': 'x' });
      // @ts-expect-error -- a text for a number, below what may be absent
      void User.find({ 'opt.r.a.q': 'x' });
      // @ts-expect-error -- there is no text inside
      void User.find({ 'opt.r.a.zz': 'x' });
      // @ts-expect-error -- a text for a number, in an array of records
      void User.find({ 'recs.a.q': 'x' });
    });
  });

  it('updates and documents write values of its type', () => {
    expectCompiled(() => {
      void User.updateOne(
        {},
        { $set: { 'rec.a.q': 1, 'rec.a': whole, 'lists.a': [1], 'lists.a.0': 2, 'two.a.c.b': true } },
      );
      void User.updateOne({}, { $inc: { 'rec.a.q': 1, 'nums.a': 2 }, $push: { 'rec.a.tags': 'x', 'lists.a': 4 } });
      void User.updateOne({}, { $currentDate: { 'rec.a.at': true } });
      user.set('rec.a.q', 4).set('rec.b', whole).set('any.a.b', 4).set('two.a.b.b', true);
      user.$inc('rec.a.q').$inc('nums.b').$inc('opt.r.a.q').$push('rec.a.tags', 'x').$push('lists.a', 4);
      expectTypeOf(user.get('rec.a.q')).toEqualTypeOf<number | undefined>();
      // @ts-expect-error -- a text for a number
      void User.updateOne({}, { $set: { 'rec.a.q': 'x' } });
      // @ts-expect-error -- a text cannot be counted up
      void User.updateOne({}, { $inc: { 'rec.a.n': 1 } });
      // @ts-expect-error -- a number is no array
      void User.updateOne({}, { $push: { 'rec.a.q': 1 } });
      // @ts-expect-error -- a text for a number
      user.set('rec.a.q', 'x');
      // @ts-expect-error -- the members have no such name
      user.set('rec.a.zz', 'x');
      // @ts-expect-error -- a number for an object
      user.set('rec.a', 5);
      // @ts-expect-error -- a text cannot be counted up
      user.$inc('rec.a.n');
      // @ts-expect-error -- nor can an object
      user.$inc('rec.a');
      // @ts-expect-error -- a number is no array
      user.$push('rec.a.q', 1);
      // @ts-expect-error -- a number for a boolean, in a record of records
      user.set('two.a.b.b', 1);
    });
  });
});
