import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { literal, long, model, type ObjectId, stored, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class User extends model('users', {
  name: z.string(),
  age: z.number().optional(),
  views: long().optional(),
  tags: z.array(z.string()).default([]),
  address: z.object({ city: z.string(), zip: z.string() }).optional(),
  orders: z.array(z.object({ sku: z.string(), price: z.number() })).default([]),
}) {
  get label() {
    return `${this.name}!`;
  }
}
class Order extends model('orders', { buyer: z.string(), least: stored('min', z.number()) }) {}

const database = useDatabase();

beforeEach(async () => {
  await User.deleteMany({});
  await Order.deleteMany({});
  await User.insertMany([
    { name: 'Ann', age: 30, views: 5n, tags: ['a', 'b'], address: { city: 'Rome', zip: '1' } },
    { name: 'Bob', age: 20, views: 7n, tags: ['b'], address: { city: 'Rome', zip: '2' } },
    { name: 'Cy', orders: [{ sku: 'x', price: 3 }] },
  ]);
  await Order.insertMany([
    { buyer: 'Ann', least: 1 },
    { buyer: 'Ann', least: 2 },
    { buyer: 'Bob', least: 3 },
  ]);
  database.sent();
});

describe('an aggregation', () => {
  it('groups, sorts and counts, with the types of what it gives', async () => {
    const cities = await User.aggregate()
      .match({ age: { $gte: 18 } })
      .group({
        _id: '$address.city',
        people: { $sum: 1 },
        mean: { $avg: '$age' },
        oldest: { $max: '$age' },
        names: { $push: '$name' },
      })
      .sort({ people: -1 });
    expectTypeOf(cities).toEqualTypeOf<
      { _id: string | null; people: number; mean: number | null; oldest: number | null; names: string[] }[]
    >();
    expect(cities).toEqual([{ _id: 'Rome', people: 2, mean: 25, oldest: 30, names: ['Ann', 'Bob'] }]);
    expect(await User.aggregate().match({ tags: 'b' }).count('n')).toEqual([{ n: 2 }]);
  });

  it('keeps, leaves out and computes fields', async () => {
    const shown = await User.aggregate()
      .sort({ name: 1 })
      .project({ name: 1, city: '$address.city', _id: 0, old: { $gt: ['$age', 25] } });
    expectTypeOf(shown).toEqualTypeOf<{ name: string; city: string | undefined; old: boolean }[]>();
    expect(shown[0]).toEqual({ name: 'Ann', city: 'Rome', old: true });
    expect(shown[2]).toEqual({ name: 'Cy', old: false });
    const less = await User.aggregate().project({ tags: 0, orders: 0, _id: 0 }).limit(1);
    expectTypeOf<keyof (typeof less)[0]>().toEqualTypeOf<'name' | 'age' | 'views' | 'address'>();
    const [more] = await User.aggregate()
      .match({ name: 'Cy' })
      .addFields({ next: { $add: [{ $size: '$orders' }, 1] } });
    expectTypeOf(more?.next).toEqualTypeOf<number | undefined>();
    expect(more).toMatchObject({ name: 'Cy', next: 2 });
    const prices = User.aggregate().addFields({ prices: '$orders.price' });
    expectTypeOf<Awaited<typeof prices>[0]['prices']>().toEqualTypeOf<number[] | undefined>(); // stored before its default
  });

  it('takes lists apart', async () => {
    const tags = await User.aggregate()
      .unwind('tags')
      .group({ _id: '$tags', n: { $count: {} } })
      .sort({ _id: 1 });
    expectTypeOf(tags).toEqualTypeOf<{ _id: string; n: number }[]>();
    expect(tags).toEqual([
      { _id: 'a', n: 1 },
      { _id: 'b', n: 2 },
    ]);
  });

  it('joins another model, under the names that the program uses', async () => {
    const [ann] = await User.aggregate()
      .match({ name: 'Ann' })
      .lookup({ from: Order, localField: 'name', foreignField: 'buyer', as: 'bought' })
      .project({ _id: 0, bought: 1 });
    expectTypeOf(ann?.bought[0]?.least).toEqualTypeOf<number | undefined>();
    expect(ann?.bought.map(({ least }) => least).toSorted()).toEqual([1, 2]);
    expect(ann?.bought[0]).not.toHaveProperty('min');
  });

  it('runs several at once', async () => {
    const [both] = await User.aggregate().facet({
      cities: (users) => users.match({ address: { $exists: true } }).group({ _id: '$address.city' }),
      all: (users) => users.count('n'),
    });
    expectTypeOf(both).toEqualTypeOf<{ cities: { _id: string | null }[]; all: { n: number }[] } | undefined>();
    expect(both).toEqual({ cities: [{ _id: 'Rome' }], all: [{ n: 3 }] });
  });

  it('reads fields that fix their type as it would in a document', async () => {
    const most = await User.aggregate().group({ _id: null, most: { $max: '$views' }, all: { $push: '$views' } });
    expectTypeOf(most[0]?.most).toEqualTypeOf<bigint | null | undefined>();
    expect(most[0]).toMatchObject({ most: 7n, all: expect.arrayContaining([5n, 7n]) as unknown });
    expect(await User.aggregate().match({ name: 'Bob' }).project({ _id: 0, views: 1 })).toEqual([{ views: 7n }]);
    expect(await User.aggregate().match({ name: 'Bob' }).project({ _id: 0, seen: '$views' })).toEqual([{ seen: 7n }]);
    expect(
      await User.aggregate()
        .match({ name: 'Bob' })
        .project({ _id: 0, views: { $size: '$tags' } }),
    ).toEqual([{ views: 1 }]);
  });

  it('gives plain objects, and documents where it is asked for them', async () => {
    const [plain] = await User.aggregate().match({ name: 'Ann' });
    expect(plain).not.toBeInstanceOf(User);
    const [ann] = await User.aggregate().match({ name: 'Ann' }).sort({ age: 1 }).limit(1).hydrate();
    expectTypeOf(ann).toEqualTypeOf<User | undefined>();
    expect(ann?.label).toBe('Ann!');
    ann?.tags.push('new');
    await ann?.save();
    expect((await User.findOne({ name: 'Ann' }))?.tags).toEqual(['a', 'b', 'new']);
    const found: string[] = [];
    for await (const user of User.aggregate().sort({ name: -1 }).hydrate()) found.push(user.label);
    expect(found).toEqual(['Cy!', 'Bob!', 'Ann!']);
  });

  it('is not hydrated once its results have another shape', () => {
    const grouped = User.aggregate().group({ _id: '$name' });
    // @ts-expect-error what a group gives is no document
    expect(() => grouped.hydrate()).toThrow(UsageError);
    const changed = User.aggregate().addFields({ name: '$address.city' });
    // @ts-expect-error nor is a document with computed fields
    expect(() => changed.hydrate()).toThrow(/before what makes something else/);
  });

  it('speaks the names of the program where fields are stored under others', async () => {
    expect(
      await Order.aggregate()
        .match({ least: { $gt: 1 } })
        .sort({ least: -1 })
        .project({ _id: 0, least: 1 }),
    ).toEqual([{ least: 3 }, { least: 2 }]);
    expect(database.sent()[0]?.['pipeline'].slice(0, 2)).toEqual([
      { $match: { min: { $gt: 1 } } },
      { $sort: new Map([['min', -1]]) },
    ]);
    const [sums] = await Order.aggregate()
      .group({ _id: '$buyer', sum: { $sum: '$least' } })
      .sort({ sum: 1, _id: 1 });
    expect(sums).toEqual({ _id: 'Ann', sum: 3 });
    expect(await Order.aggregate().match({ buyer: 'Bob' }).project({ _id: 0 })).toEqual([{ buyer: 'Bob', least: 3 }]);
    const [order] = await Order.aggregate().match({ buyer: 'Bob' });
    expect(order).toMatchObject({ buyer: 'Bob', least: 3 });
    expect(order).not.toHaveProperty('min');
    const [whole] = await Order.aggregate().match({ least: 2 }).hydrate();
    expect(whole?.least).toBe(2);
  });

  it('takes any other stage, of which the program says what it gives', async () => {
    const sizes = await User.aggregate()
      .raw<{ n: number }>({ $project: { _id: 0, n: { $size: '$tags' } } })
      .sort({ n: 1 });
    expectTypeOf(sizes).toEqualTypeOf<{ n: number }[]>();
    expect(sizes).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });

  it('is lazy, immutable and iterable, and gives its first result alone', async () => {
    const all = User.aggregate().sort({ name: 1 });
    const one = all.limit(1);
    expect(database.sent()).toEqual([]);
    expect(await one).toHaveLength(1);
    expect(await all.skip(1)).toHaveLength(2);
    expect((await all.first())?.name).toBe('Ann');
    expect(await all.match({ name: 'nobody' }).first()).toBeNull();
    const names: string[] = [];
    for await (const { name } of all) names.push(name);
    expect(names).toEqual(['Ann', 'Bob', 'Cy']);
  });

  it('passes options on, and stops at a signal', async () => {
    await User.aggregate({ comment: 'note', allowDiskUse: true }).limit(1);
    expect(database.sent()[0]).toMatchObject({ comment: 'note', allowDiskUse: true });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(User.aggregate({ signal })).rejects.toThrow('enough');
    expect(() => User.aggregate({ raw: true } as never)).toThrow(UsageError);
  });

  it('shows how it would run', async () => {
    expect(await User.aggregate().match({ name: 'Ann' }).explain()).toBeTypeOf('object');
  });

  it('compares a literal, and never runs it', async () => {
    const [row] = await User.aggregate()
      .match({ name: literal('Ann') })
      .project({ _id: 0, text: { $literal: '$name' }, same: literal('$name') as never });
    expect(row).toEqual({ text: '$name', same: '$name' });
  });

  it('says what is wrong with a stage, before anything is sent', async () => {
    expect(() => User.aggregate().limit(0)).toThrow(/whole number from 1/);
    expect(() => User.aggregate().skip(-1)).toThrow(UsageError);
    expect(() => User.aggregate().match({ name: undefined as never })).toThrow(/undefined/);
    expect(() => User.aggregate().project({ name: undefined as never })).toThrow(
      /The stage has undefined at "\$project.name"/,
    );
    expect(() => User.aggregate().raw({ $match: {}, $sort: {} })).toThrow(/one key/);
    expect(() => User.aggregate().raw({ sample: 1 })).toThrow(/one key/);
    expect(() =>
      User.aggregate().lookup({ from: Date, localField: 'name', foreignField: 'x' as never, as: 'y' }),
    ).toThrow(/takes a model/);
    expect(() => User.aggregate().facet({ x: () => [] as never })).toThrow(/"x" gave an array/);
    await expect(User.aggregate().raw({ $nonsense: {} })).rejects.toThrow(UsageError);
    expect(database.sent()).toHaveLength(1);
  });

  it('SECURITY-04 refuses $accumulator in a group, and names it', () => {
    const js = {
      $accumulator: { init: 'function() {}', accumulate: 'function() {}', merge: 'function() {}', lang: 'js' },
    };
    expect(() => User.aggregate().group({ _id: null, n: js as never })).toThrow(/\$accumulator/);
    expect(() => User.aggregate().raw({ $group: { _id: null, n: js } })).toThrow(UsageError);
    expect(() => User.aggregate().match({ $where: 'true' } as never)).toThrow(/\$where/);
    expect(() => User.aggregate().addFields({ n: { $function: { body: 'x', args: [], lang: 'js' } } })).toThrow(
      /\$function/,
    );
  });

  it('does not compile with wrong fields', () => {
    const users = User.aggregate();
    const ids = users.project({ _id: 1 });
    // @ts-expect-error no such field
    users.match({ nmae: 'x' });
    // @ts-expect-error a number is no name
    users.match({ name: 5 });
    // @ts-expect-error no such path
    users.group({ _id: '$adress.city' });
    // @ts-expect-error no such accumulator
    users.group({ _id: '$name', n: { $smu: 1 } });
    // @ts-expect-error no list
    users.unwind('name');
    // @ts-expect-error no such field
    users.sort({ nmae: 1 });
    // @ts-expect-error no such field in what is joined
    users.lookup({ from: Order, localField: 'name', foreignField: 'byer', as: 'x' });
    // @ts-expect-error what a group gives has no name
    users.group({ _id: '$name' }).sort({ name: 1 });
    // @ts-expect-error nor can a filter ask for it
    users.group({ _id: '$name' }).match({ name: 'x' });
    expectTypeOf<Awaited<ReturnType<typeof ids.first>>>().toEqualTypeOf<{ _id: ObjectId } | null>();
    expect(users).toBeDefined();
  });
});
