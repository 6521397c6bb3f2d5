import type { ObjectId } from 'mongodb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model, ref, objectId, decimal, long, type Filter, type ModelOf } from '../../src/index.ts';
import type { UpdateOperators } from '../../src/types/update.ts';
const deep = z.object({
  l2: z.object({
    l3: z.object({ l4: z.object({ l5: z.object({ l6: z.object({ l7: z.object({ l8: z.number() }) }) }) }) }),
  }),
});
type Json = { v: string; kids: Json[] };
const tree: z.ZodType<Json> = z.lazy(() => z.object({ v: z.string(), kids: z.array(tree) }));
class User extends model(
  'users',
  {
    name: z.string().min(1),
    email: z.email(),
    age: z.int().min(0).optional(),
    tags: z.array(z.string()).default([]),
    address: z
      .object({ city: z.string(), zip: z.string(), geo: z.object({ lat: z.number(), lon: z.number() }).optional() })
      .optional(),
    company: ref<Company>(() => Company).optional(),
    friends: ref<User>(() => User).array(),
    bio: z.string().nullable(),
    items: z.array(
      z.object({ sku: z.string(), qty: z.number(), opts: z.array(z.object({ k: z.string(), n: z.number() })) }),
    ),
    scores: z.record(z.string(), z.number()),
    meta: z.unknown(),
    when: z.date(),
    deep,
    tree,
    shape: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('circle'), r: z.number() }),
      z.object({ kind: z.literal('rect'), w: z.number(), h: z.number() }),
    ]),
    either: z.union([z.string(), z.number()]),
    role: z.enum(['admin', 'user']).default('user'),
    owner: objectId().optional(),
    price: decimal().optional(),
    big: long().optional(),
  },
  { timestamps: true },
) {
  get label() {
    return `${this.name} <${this.email}>`;
  }
  async found(t: string) {
    return Company.create({ title: t, owner: this, staff: [] });
  }
  static byCity(city: string) {
    return this.find({ 'address.city': city });
  }
}
class Company extends model(
  'companies',
  { title: z.string(), owner: ref<User>(() => User), staff: ref<User>(() => User).array() },
  { timestamps: { createdAt: 'made', updatedAt: 'changed' } },
) {}

class Page extends model('pages', { _id: z.string(), n: z.number() }) {}
class Owned extends model('owned', { _id: objectId(), n: z.number() }) {}

class Open extends model('open', { n: z.number() }, { unknown: 'keep' }) {}

declare const u: User;
declare const open: Open;
declare const p: Page;

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

describe('the types of paths', () => {
  it('QUERY-01 QUERY-07 QUERY-08 QUERY-09 QUERY-10 QUERY-11 QUERY-12 filters take fields, paths and operators of the model, and no others', () => {
    expectCompiled(() => {
      void User.find({
        age: { $gt: 3 },
        tags: 'x',
        'address.city': /r/,
        'address.geo.lat': { $lt: 3 },
        'items.qty': { $gte: 2 },
        items: { $elemMatch: { sku: 'a', qty: { $gt: 1 }, 'opts.k': 'z' } },
        'items.opts.n': 4,
        'deep.l2.l3.l4.l5.l6.l7.l8': 5,
        'scores.math': { $gt: 5 },
        'meta.any.thing': { $gt: 'x' },
        'shape.kind': 'circle',
        'shape.r': 4,
        'shape.w': 3,
        either: 'x',
        role: { $in: ['admin'] },
        bio: null,
        company: u._id,
        friends: u._id,
        'tree.v': 'x',
        'tree.kids.kids.v': 4,
        $or: [{ name: 'a' }, { 'address.zip': 'b' }],
        createdAt: { $lt: new Date() },
        _id: { $in: [u._id, 'abc'] },
        owner: 'abc',
        price: { $gt: 4 },
        big: 5,
      });
      // @ts-expect-error -- a misspelt field
      void User.find({ nmae: 'x' });
      // @ts-expect-error -- a number for a text
      void User.find({ name: 5 });
      // @ts-expect-error -- a number in an operator on a text
      void User.find({ name: { $gt: 5 } });
      // @ts-expect-error -- a pattern for a number
      void User.find({ age: { $regex: 'x' } });
      // @ts-expect-error -- a size of a text
      void User.find({ name: { $size: 5 } });
      // @ts-expect-error -- a misspelt path
      void User.find({ 'address.cty': 'x' });
      // @ts-expect-error -- a number at a path of texts
      void User.find({ 'address.city': 5 });
      // @ts-expect-error -- a text at a path through an array
      void User.find({ 'items.qty': 'x' });
      // @ts-expect-error -- a text in $elemMatch
      void User.find({ items: { $elemMatch: { qty: 'x' } } });
      // @ts-expect-error -- a text eight levels deep
      void User.find({ 'deep.l2.l3.l4.l5.l6.l7.l8': 'x' });
      // @ts-expect-error -- a misspelt path eight levels deep
      void User.find({ 'deep.l2.l3.l4.l5.l6.l7.l9': 1 });
      // @ts-expect-error -- no value of the enum
      void User.find({ role: 'boss' });
      // @ts-expect-error -- no kind of the union
      void User.find({ 'shape.kind': 'square' });
      // @ts-expect-error -- a text in a record of numbers
      void User.find({ 'scores.math': 'x' });
      // @ts-expect-error -- a number for a reference
      void User.find({ company: 5 });
      // @ts-expect-error -- a misspelt field in $or
      void User.find({ $or: [{ nmae: 'x' }] });
      // @ts-expect-error -- a part of an object is not the object
      void User.find({ address: { city: 'x' } });
      // @ts-expect-error -- $where is JavaScript
      void User.find({ $where: 'x' });
      // @ts-expect-error -- texts are ids for equality alone
      void User.find({ owner: { $gt: 'abc' } });
      // @ts-expect-error -- no pattern matches an id
      void User.find({ owner: /a/ });
      void User.find({
        $and: [{ name: 'a' }, { age: { $gt: 25 } }],
        role: { $nin: ['admin'] },
        email: { $exists: true },
      });
    });
  });

  it('updates take fields, paths and operators of the model, and no others', () => {
    expectCompiled(() => {
      void User.updateMany(
        {},
        {
          $set: { 'address.city': 'x', name: 'n' },
          $inc: { age: 1, 'address.geo.lat': 2 },
          $push: { tags: 'x', items: { $each: [{ sku: 'a', qty: 1, opts: [] }] } },
          $unset: { age: true },
          $pull: { items: { sku: 'x' } },
          $currentDate: { when: true },
        },
      );
      void User.updateMany(
        {},
        {
          $set: {
            'items.0.qty': 4,
            'items.$.qty': 4,
            'items.$[].qty': 4,
            'items.$[e].opts.0.k': 'x',
            'items.$[e].opts.$[f].n': 4,
            'tags.0': 'a',
            owner: 'abc',
            'items.$[e]': { sku: 'a', qty: 1, opts: [] },
            'scores.math': 4,
          },
          $inc: { 'items.$[e].qty': 1 },
          $push: { 'items.0.opts': { k: 'a', n: 1 } },
        },
      );
      void User.updateMany({}, [{ $set: { a: 1 } }]);
      // @ts-expect-error -- a text for an element’s number
      void User.updateMany({}, { $set: { 'items.0.qty': 'x' } });
      // @ts-expect-error -- the same with a filtered step
      void User.updateMany({}, { $set: { 'items.$[e].qty': 'x' } });
      // @ts-expect-error -- an array is entered by a step
      void User.updateMany({}, { $set: { 'items.qty': 4 } });
      // @ts-expect-error -- $inc of a text
      void User.updateMany({}, { $inc: { name: 1 } });
      // @ts-expect-error -- $push to a text
      void User.updateMany({}, { $push: { name: 'x' } });
      // @ts-expect-error -- $push of a number to texts
      void User.updateMany({}, { $push: { tags: 5 } });
      // @ts-expect-error -- a number at a path of texts
      void User.updateMany({}, { $set: { 'address.city': 5 } });
      // @ts-expect-error -- no such field
      void User.updateMany({}, { $set: { nope: 5 } });
      // @ts-expect-error -- no such operator
      void User.updateMany({}, { $ste: { name: 'x' } });
      // @ts-expect-error -- a field is no operator
      void User.updateMany({}, { name: 'x' });
    });
  });

  it('documents read, set and change by path', () => {
    expectCompiled(() => {
      u.$inc('age');
      u.$push('tags', 'x');
      u.set('address.city', 'x');
      const c1 = u.get('address.geo.lat');
      expectTypeOf(c1).toEqualTypeOf<number | undefined>();
      const lg = open.get('legacy.flag');
      expectTypeOf(lg).toEqualTypeOf<unknown>();
      expectTypeOf(u.get('legacy.flag' as string)).toEqualTypeOf<unknown>();
      // @ts-expect-error -- the model keeps no other fields
      u.get('legacy.flag');
      // @ts-expect-error -- a misspelt path
      u.get('adress.city');
      // @ts-expect-error -- a misspelt member of an element
      u.get('items.0.qyt');
      expectTypeOf(open.get('n')).toEqualTypeOf<number>();
      const l2 = u.get('items.0.qty');
      expectTypeOf(l2).toEqualTypeOf<number | undefined>();
      const l3 = u.get('name');
      expectTypeOf(l3).toEqualTypeOf<string>();
      const l4 = u.get('deep.l2.l3.l4.l5.l6.l7.l8');
      expectTypeOf(l4).toEqualTypeOf<number>();
      const l5 = u.get('shape.r');
      expectTypeOf(l5).toEqualTypeOf<number | undefined>();
      const l6 = u.get('scores.a');
      expectTypeOf(l6).toEqualTypeOf<number | undefined>();
      const l7 = u.get('meta.a');
      expectTypeOf(l7).toEqualTypeOf<unknown>();
      open.set('legacy.x', 5).set('n', 4);
      u.set('legacy.x' as string, 5)
        .set('items.0.opts.0.k', 'x')
        .set('scores.math', 4)
        .set('meta.a.b', 5);
      // @ts-expect-error -- the model keeps no other fields
      u.set('legacy.x', 5);
      // @ts-expect-error -- a misspelt path
      u.set('adress.city', 'x');
      // @ts-expect-error -- a text for a number
      open.set('n', 'x');
      // @ts-expect-error -- through arrays by places alone
      u.set('items.qty', 4);
      u.$inc('scores.math');
      u.$inc('address.geo.lat', 2);
      // @ts-expect-error -- a number at a path of texts
      u.set('address.city', 5);
      // @ts-expect-error -- $inc of a text
      u.$inc('name');
      // @ts-expect-error -- $inc through an array
      u.$inc('items.qty');
      // @ts-expect-error -- $push of a number to texts
      u.$push('tags', 5);
      // @ts-expect-error -- $push of a number to references
      u.$push('friends', 'x', 5);
      // @ts-expect-error -- the _id stays
      u._id = p._id as never;
    });
  });

  it('the _id of a document is read only, and given to new ones', () => {
    expectCompiled(() => {
      expectTypeOf<Page['_id']>().toEqualTypeOf<string>();
      // @ts-expect-error -- the _id stays, also one of its own schema
      p._id = 'x';
      new Page({ _id: 'a', n: 1 });
      expectTypeOf<Owned['_id']>().toEqualTypeOf<ObjectId>();
    });
  });

  it('a field whose schema refuses what it gives has a message', () => {
    // @ts-expect-error -- it takes a text and gives a number
    expect(model('a', { slug: z.string().transform((text) => text.length) })).toBeTypeOf('function');
    const fields = { trimmed: z.string().trim(), frozen: z.array(z.string()).readonly(), date: z.coerce.date() };
    expect(model('a', fields)).toBeTypeOf('function');
  });

  it('a generic repository has a model', () => {
    class Repository<D> {
      constructor(readonly model: ModelOf<D>) {}
      async all(): Promise<D[]> {
        return this.model.find();
      }
      one(filter: Filter<D>): Promise<D | null> {
        return this.model.findOne(filter);
      }
    }
    expectCompiled(() => {
      const users = new Repository(User);
      expectTypeOf(users.all()).resolves.toEqualTypeOf<User[]>();
      expectTypeOf(users.one({ name: 'x' })).resolves.toEqualTypeOf<User | null>();
      // @ts-expect-error -- a misspelt field
      void users.one({ nmae: 'x' });
    });
  });

  it('no any comes out', () => {
    expectCompiled(() => {
      for (const path of ['meta', 'meta.a'] as const) expectTypeOf(u.get(path)).not.toBeAny();
      expectTypeOf(u.meta).not.toBeAny();
      expectTypeOf(User.distinct('meta.any')).resolves.toEqualTypeOf<unknown[]>();
      expectTypeOf(User.find().lean().first()).resolves.not.toBeAny();
      expectTypeOf<NonNullable<Filter<User>['name']>>().not.toBeAny();
      expectTypeOf<NonNullable<Filter<User>['items.qty']>>().not.toBeAny();
      expectTypeOf<NonNullable<UpdateOperators<User>['$set']>['items.$.qty']>().toExtend<object | number | undefined>();
      expectTypeOf(User.insertMany([])).resolves.toEqualTypeOf<User[]>();
    });
  });
});
