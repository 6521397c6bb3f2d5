import type { ObjectId } from 'mongodb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type Filter, model, type Query } from '../../src/index.ts';
import { objectId } from '../../src/zod.ts';

const event = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('click'), x: z.number(), target: z.object({ id: z.string() }) }),
  z.object({ kind: z.literal('key'), code: z.string(), held: z.array(z.string()).default([]) }),
]);

class Log extends model('logs', {
  evs: z.array(event),
  maybe: z.array(event).optional(),
  nullables: z.array(z.object({ n: z.number() }).nullable()),
  mixed: z.array(z.union([z.string(), z.object({ sku: z.string() })])),
  tags: z.array(z.string()),
  either: z.union([z.string(), z.array(z.string())]),
  grid: z.array(z.array(z.number())),
  pair: z.tuple([z.string(), z.object({ lat: z.number() })]),
  frozen: z.tuple([z.number(), z.boolean()]).readonly(),
  pairs: z.array(z.tuple([z.string(), z.number()])),
  items: z.array(z.object({ sku: z.string(), qty: z.number(), parts: z.array(z.object({ n: z.number() })) })),
  deep: z.object({ evs: z.array(event), point: z.tuple([z.number(), z.number()]) }),
  any: z.array(z.unknown()),
  lines: z.array(z.object({ product: objectId(), qty: z.number() })),
  ids: z.array(objectId()),
  state: z.union([z.object({ on: z.literal(true), since: z.date() }), z.object({ on: z.literal(false) })]),
}) {}

class Special extends Log {}

declare const log: Log;

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

describe('the types of filters', () => {
  it('$elemMatch takes the fields of every kind of a union', () => {
    expectCompiled(() => {
      void Log.find({ evs: { $elemMatch: { kind: 'click', x: 1 } } });
      void Log.find({ evs: { $elemMatch: { kind: { $in: ['click', 'key'] }, code: /a/, held: 'ctrl' } } });
      void Log.find({ evs: { $elemMatch: { 'target.id': 'a', $or: [{ x: { $gt: 1 } }, { code: 'a' }] } } });
      void Log.find({ maybe: { $elemMatch: { kind: 'key', code: 'a' } }, 'deep.evs': { $elemMatch: { x: 1 } } });
      void Log.find({ evs: { $all: [{ $elemMatch: { kind: 'click' } }, { $elemMatch: { code: 'a' } }] } });
      void Log.find({ evs: { $not: { $elemMatch: { kind: 'key' } } } });
      // @ts-expect-error -- no kind has the field
      void Log.find({ evs: { $elemMatch: { kind: 'click', z: 1 } } });
      // @ts-expect-error -- no such kind
      void Log.find({ evs: { $elemMatch: { kind: 'clik' } } });
      // @ts-expect-error -- a text for a number
      void Log.find({ evs: { $elemMatch: { kind: 'click', x: 'a' } } });
      // @ts-expect-error -- the same below $not
      void Log.find({ evs: { $not: { $elemMatch: { x: 'a' } } } });
      // @ts-expect-error -- a misspelt path of one kind
      void Log.find({ evs: { $elemMatch: { 'target.ib': 'a' } } });
    });
  });

  it('$elemMatch takes what elements that may be null, or values, or arrays can be', () => {
    expectCompiled(() => {
      void Log.find({ nullables: { $elemMatch: { n: { $gt: 1 } } }, grid: { $elemMatch: { $size: 2 } } });
      void Log.find({ mixed: { $elemMatch: { sku: 'a' } } });
      void Log.find({ mixed: { $elemMatch: { $regex: 'a' } }, tags: { $elemMatch: { $in: ['a'], $ne: 'b' } } });
      void Log.find({ any: { $elemMatch: { whatever: 1 } } });
      // @ts-expect-error -- a text for a number
      void Log.find({ nullables: { $elemMatch: { n: 'a' } } });
      // @ts-expect-error -- no such member
      void Log.find({ mixed: { $elemMatch: { skus: 'a' } } });
      // @ts-expect-error -- a number for a text
      void Log.find({ tags: { $elemMatch: { $gt: 1 } } });
      // @ts-expect-error -- a size of a text
      void Log.find({ tags: { $elemMatch: { $size: 1 } } });
    });
  });

  it('$not takes every operator that the field takes', () => {
    expectCompiled(() => {
      void Log.find({ tags: { $not: { $size: 0 } }, either: { $not: { $size: 1 } }, grid: { $not: { $size: 3 } } });
      void Log.find({ tags: { $not: { $all: ['a', /b/] } }, 'items.parts': { $not: { $size: 2 } } });
      void Log.find({
        tags: { $not: /a/ },
        'items.qty': { $not: { $gt: 2, $mod: [2, 0] } },
        'items.sku': { $not: /x/ },
      });
      void Log.find({ tags: { $not: { $not: { $size: 0 } } } });
      // @ts-expect-error -- a size is a number
      void Log.find({ tags: { $not: { $size: 'a' } } });
      // @ts-expect-error -- a number is in no array of texts
      void Log.find({ tags: { $not: { $all: [1] } } });
      // @ts-expect-error -- a text has no size
      void Log.find({ 'items.sku': { $not: { $size: 0 } } });
      // @ts-expect-error -- no such operator
      void Log.find({ tags: { $not: { $sise: 0 } } });
    });
  });

  it('paths go to the places of tuples, and of arrays', () => {
    expectCompiled(() => {
      void Log.find({ 'pair.0': 'a', 'pair.1.lat': { $gt: 1 }, 'frozen.1': true, 'deep.point.0': 4 });
      void Log.find({ 'pair.lat': 4, 'pairs.0': ['a', 1], 'pairs.0.1': 4 });
      void Log.find({ 'tags.0': { $exists: true }, 'items.0.qty': 4, 'items.0.parts.0.n': 4, 'evs.0.kind': 'click' });
      void Log.find().sort({ 'pair.1.lat': 1, 'items.0.qty': -1 }).sort('pair.0').sort(['deep.point.0']);
      // @ts-expect-error -- a number at the place of a text
      void Log.find({ 'pair.0': 4 });
      // @ts-expect-error -- a text at the place of a number
      void Log.find({ 'pair.1.lat': 'a' });
      // @ts-expect-error -- the pair has two places
      void Log.find({ 'pair.2': 'a' });
      // @ts-expect-error -- a text has no members
      void Log.find({ 'pair.0.lat': 4 });
      // @ts-expect-error -- a misspelt member
      void Log.find({ 'pair.1.lot': 4 });
      // @ts-expect-error -- a number for the texts of an array
      void Log.find({ 'tags.0': 4 });
      // @ts-expect-error -- a text for the number of an element
      void Log.find({ 'items.0.qty': 'a' });
      // @ts-expect-error -- a misspelt member of an element
      void Log.find({ 'items.0.qyt': 4 });
      // @ts-expect-error -- a sort by what is not there
      void Log.find().sort({ 'pair.5': 1 });
    });
  });

  it('documents and updates go to the places of tuples', () => {
    expectCompiled(() => {
      expectTypeOf(log.get('pair.1.lat')).toEqualTypeOf<number>();
      expectTypeOf(log.get('pair.0')).toEqualTypeOf<string>();
      log.set('pair.1.lat', 4);
      void Log.updateMany(
        {},
        { $set: { 'pair.0': 'a', 'pair.1.lat': 4, 'deep.point.1': 4 }, $inc: { 'pair.1.lat': 1 } },
      );
      // @ts-expect-error -- a number at the place of a text
      void Log.updateMany({}, { $set: { 'pair.0': 4 } });
      // @ts-expect-error -- $inc of a text
      void Log.updateMany({}, { $inc: { 'pair.0': 1 } });
      // @ts-expect-error -- the pair has two places
      void Log.updateMany({}, { $set: { 'pair.2': 'a' } });
      // @ts-expect-error -- a number at the place of a text
      log.set('pair.0', 4);
    });
  });

  it('the text of an ObjectId stands for it at every depth, for equality alone', () => {
    expectCompiled(() => {
      const hex = '507f1f77bcf86cd799439011';
      void Log.find({ 'lines.product': hex, 'ids.0': hex, ids: { $in: [hex] } });
      void Log.find({ lines: { $elemMatch: { product: { $ne: hex }, qty: 1 } }, ids: { $all: [hex] } });
      void Log.updateMany({}, { $set: { 'lines.0.product': hex, 'ids.0': hex } });
      void Log.find({ ids: { $not: { $in: [hex] } }, 'lines.product': { $not: { $eq: hex } } });
      void Log.find({ lines: { $not: { $elemMatch: { product: hex } } }, _id: { $not: { $in: [log, hex] } } });
      void Log.find({ ids: { $not: { $all: [hex] }, $elemMatch: { $not: { $eq: hex } } } });
      void Log.updateMany({}, { $push: { ids: hex }, $addToSet: { ids: { $each: [hex, log] } } });
      void Log.updateMany(
        {},
        { $pull: { ids: { $in: [hex, log] }, lines: { product: hex } }, $pullAll: { ids: [hex] } },
      );
      log.$push('ids', hex, log).$addToSet('ids', hex).$pull('ids', hex);
      // @ts-expect-error -- no text is less than an id
      void Log.find({ ids: { $not: { $lt: hex } } });
      // @ts-expect-error -- nor is any number an id
      void Log.updateMany({}, { $push: { ids: 5 } });
      // @ts-expect-error -- in documents too
      log.$push('ids', 5);
      // @ts-expect-error -- and no id is a text
      log.$push('tags', log._id);
      // @ts-expect-error -- no text is less than an id
      void Log.find({ 'lines.product': { $gt: hex } });
      // @ts-expect-error -- nor is any text a number
      void Log.find({ lines: { $elemMatch: { qty: hex } } });
    });
  });

  it('$pull takes a condition on one kind of a union', () => {
    expectCompiled(() => {
      void Log.updateMany({}, { $pull: { evs: { kind: 'click', x: { $gt: 1 } }, maybe: { code: 'a' } } });
      void Log.updateMany({}, { $pull: { nullables: { n: 1 }, mixed: { sku: 'a' }, tags: { $in: ['a'] } } });
      void Log.updateMany({}, { $pull: { mixed: 'a', 'deep.evs': { held: 'ctrl' } } });
      void Log.updateMany({}, { $pull: { tags: /^x/, items: { sku: /^x/ } } });
      // @ts-expect-error -- no number matches a pattern
      void Log.updateMany({}, { $pull: { 'items.0.parts': /^x/ } });
      // @ts-expect-error -- no kind has the field
      void Log.updateMany({}, { $pull: { evs: { z: 1 } } });
      // @ts-expect-error -- a text for a number
      void Log.updateMany({}, { $pull: { evs: { x: 'a' } } });
      // @ts-expect-error -- no such kind
      void Log.updateMany({}, { $pull: { evs: { kind: 'clik' } } });
    });
  });

  it('aggregate().match() takes the same, also of what stages give', () => {
    expectCompiled(() => {
      void Log.aggregate().match({ evs: { $elemMatch: { kind: 'click', x: 1 } }, tags: { $not: { $size: 0 } } });
      void Log.aggregate().match({ 'pair.0': 'a', 'state.since': new Date() });
      void Log.aggregate().unwind('evs').match({ 'evs.x': 1, 'evs.kind': 'click', 'evs.target.id': 'a' });
      void Log.aggregate()
        .raw<z.infer<typeof event>>({ $replaceWith: '$evs' })
        .match({ kind: 'click', x: 1, code: 'a' });
      void Log.aggregate()
        .group({ _id: '$state.since', n: { $sum: 1 } })
        .match({ n: { $not: { $gt: 3 } } });
      // @ts-expect-error -- no kind has the field
      void Log.aggregate().match({ evs: { $elemMatch: { z: 1 } } });
      // @ts-expect-error -- a text for a number
      void Log.aggregate().unwind('evs').match({ 'evs.x': 'a' });
      // @ts-expect-error -- a size is a number
      void Log.aggregate().match({ tags: { $not: { $size: 'a' } } });
      // @ts-expect-error -- expressions have no places: `$pair.0` is the member "0"
      void Log.aggregate().project({ first: '$pair.0' });
    });
  });

  it('what takes documents of a model takes those of its subclass', () => {
    expectCompiled(() => {
      const some: Query<Log> = Special.find();
      const ofLogs: Filter<Log> = {};
      const filter: Filter<Special> = ofLogs;
      expectTypeOf(Special.find({ 'pair.0': 'a' })).resolves.toEqualTypeOf<Special[]>();
      expectTypeOf<NonNullable<Filter<Log>['_id']>>().not.toBeAny();
      expectTypeOf(log._id).toEqualTypeOf<ObjectId>();
      return [some, filter];
    });
  });
});
