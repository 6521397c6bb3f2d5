import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, objectId, ref } from '../../src/index.ts';

class User extends model(
  'users',
  {
    name: z.string(),
    age: z.int().optional(),
    nick: z.string().nullable(),
    role: z.string().default('guest'),
    address: z.object({ city: z.string(), zip: z.string().optional(), no: z.int().default(1) }).optional(),
    tags: z.array(z.string()),
    holes: z.array(z.string().nullable()),
    items: z.array(
      z.object({
        sku: z.string(),
        note: z.string().optional(),
        parts: z.array(z.object({ q: z.number(), r: z.number().optional() })),
      }),
    ),
    kept: z.record(z.string(), z.object({ q: z.number(), n: z.string().optional() })),
    scores: z.record(z.string(), z.number()),
    meta: z.unknown(),
    shape: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('circle'), r: z.number() }),
      z.object({ kind: z.literal('dot'), w: z.number().optional() }),
    ]),
    owner: objectId().optional(),
    boss: ref<User>(() => User),
  },
  { timestamps: true },
) {}

class Open extends model('open', { n: z.number(), o: z.string().optional() }, { unknown: 'keep' }) {}

declare const user: User;
declare const open: Open;

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

describe('the types of what removes values', () => {
  it('$unset takes what may be absent: optional members, those with a default, and those of records', () => {
    expectCompiled(() => {
      void User.updateOne({}, { $unset: { age: 1, role: true, address: '', 'address.zip': '', 'address.no': 1 } });
      void User.updateMany(
        {},
        { $unset: { 'holes.0': 1, 'items.0.note': 1, 'items.$[e].note': 1, 'items.$[].note': 1 } },
      );
      void User.upsert({}, { $unset: { 'items.0.parts.$[e].r': 1, 'kept.a': 1, 'kept.a.n': 1, 'scores.math': 1 } });
      void User.findOneAndUpdate({}, { $unset: { meta: 1, 'meta.a.b': 1, 'shape.w': 1, owner: 1 } });
      void User.find().update({ $unset: { age: 1 } });
      void User.bulk().updateMany({}, { $unset: { age: 1 } });
      // @ts-expect-error -- a required field
      void User.updateOne({}, { $unset: { name: '' } });
      // @ts-expect-error -- a field that may be null is there all the same
      void User.updateMany({}, { $unset: { nick: '' } });
      // @ts-expect-error -- a required member
      void User.upsert({}, { $unset: { 'address.city': '' } });
      // @ts-expect-error -- a required member of an element
      void User.findOneAndUpdate({}, { $unset: { 'items.0.sku': '' } });
      // @ts-expect-error -- the same with a filtered step
      void User.updateOne({}, { $unset: { 'items.$[e].sku': '' } });
      // @ts-expect-error -- null would stay in the place of a text
      void User.updateOne({}, { $unset: { 'tags.0': '' } });
      // @ts-expect-error -- null would stay in the place of an object
      void User.updateOne({}, { $unset: { 'items.0': '' } });
      // @ts-expect-error -- a required member in a record
      void User.updateOne({}, { $unset: { 'kept.a.q': '' } });
      // @ts-expect-error -- what tells the kinds of a union apart
      void User.updateOne({}, { $unset: { 'shape.kind': '' } });
      // @ts-expect-error -- a required member of one kind
      void User.updateOne({}, { $unset: { 'shape.r': '' } });
      // @ts-expect-error -- the _id
      void User.updateOne({}, { $unset: { _id: '' } });
      // @ts-expect-error -- a time that the model keeps
      void User.updateOne({}, { $unset: { updatedAt: '' } });
      // @ts-expect-error -- a required reference
      void User.updateOne({}, { $unset: { boss: '' } });
      // @ts-expect-error -- no such field
      void User.updateOne({}, { $unset: { nmae: '' } });
      // @ts-expect-error -- a required field, in a bulk write
      void User.bulk().updateOne({}, { $unset: { name: '' } });
      // @ts-expect-error -- a required field, of what a query finds
      void User.find().update({ $unset: { name: '' } });
      // @ts-expect-error -- a required field of a model that keeps others
      void Open.updateOne({}, { $unset: { n: '' } });
    });
  });

  it('$rename takes the same, and a name of the schema where the model keeps no others', () => {
    expectCompiled(() => {
      void User.updateOne({}, { $rename: { age: 'nick', 'address.zip': 'address.city' } });
      void Open.updateOne({}, { $rename: { o: 'other' } });
      // @ts-expect-error -- a required field
      void User.updateOne({}, { $rename: { name: 'nick' } });
      // @ts-expect-error -- a required member
      void User.updateOne({}, { $rename: { 'address.city': 'nick' } });
      // @ts-expect-error -- no such field
      void User.updateOne({}, { $rename: { age: 'nikc' } });
    });
  });

  it('unset() of a document does, too', () => {
    expectCompiled(() => {
      user.unset('age').unset('role').unset('address').unset('address.zip').unset('address.no').unset('holes.0');
      user.unset('items.0.note').unset('kept.a').unset('kept.a.n').unset('scores.b').unset('meta.x').unset('shape.w');
      user.unset('owner').unset('legacy.flag' as string);
      open.unset('o').unset('legacy').unset('legacy.flag');
      // @ts-expect-error -- a required field
      user.unset('name');
      // @ts-expect-error -- a required member
      user.unset('address.city');
      // @ts-expect-error -- a required member of an element
      user.unset('items.0.sku');
      // @ts-expect-error -- null would stay
      user.unset('tags.0');
      // @ts-expect-error -- a required member in a record
      user.unset('kept.a.q');
      // @ts-expect-error -- the _id
      user.unset('_id');
      // @ts-expect-error -- a time that the model keeps
      user.unset('updatedAt');
      // @ts-expect-error -- no such field
      user.unset('nmae');
      // @ts-expect-error -- a required field of a model that keeps others
      open.unset('n');
    });
  });
});
