import type { ObjectId } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FieldNotLoadedError, model, stored, UsageError, ValidationError } from '../../src/index.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

class User extends model(
  'users',
  {
    name: z.string().min(1),
    bio: z.string().default('none'),
    age: z.int().optional(),
    address: z.object({ city: z.string(), zip: z.string(), geo: z.object({ lat: z.number(), lon: z.number() }) }),
    items: z.array(z.object({ sku: z.string(), qty: z.int() })).default([]),
    extra: z.object({ a: z.int().optional(), b: z.int().optional() }).optional(),
    minimum: stored('min', z.number().optional()),
  },
  { timestamps: true },
) {
  get label() {
    return `${this.name} (${this.bio})`;
  }
}

const input = {
  name: 'Ann',
  bio: 'long',
  age: 30,
  address: { city: 'Rome', zip: '00100', geo: { lat: 1, lon: 2 } },
  items: [
    { sku: 'a', qty: 1 },
    { sku: 'b', qty: 2 },
  ],
};

const database = useDatabase();
let _id: ObjectId;
beforeEach(async () => {
  await User.deleteMany({});
  ({ _id } = await User.create(input));
  database.sent();
});

const inStore = async () => {
  const {
    _id: _,
    createdAt: _createdAt,
    updatedAt: _updatedAt,
    ...rest
  }: Record<string, unknown> = (await User.collection.findOne<Record<string, unknown>>({ _id })) ?? {};
  return rest;
};

describe('select()', () => {
  it('asks for the fields that it names and the _id', async () => {
    const user = await User.find().select('name', 'address.city').one();
    expect(database.sent()[0]).toMatchObject({ projection: { _id: 1, name: 1, 'address.city': 1 } });
    expect(user).toBeInstanceOf(User);
    expect([user._id, user.name, user.address]).toEqual([_id, 'Ann', { city: 'Rome' }]);
    expect(user.isModified()).toBe(false);
  });

  it('takes the wider of two paths', async () => {
    await User.find().select('address.city', 'address', 'address.zip').one();
    expect(database.sent()[0]).toMatchObject({ projection: { _id: 1, address: 1 } });
  });

  it('knows aliases', async () => {
    await User.updateOne({}, { $set: { minimum: 3 } });
    const user = await User.find().select('minimum').one();
    expect(user.minimum).toBe(3);
    expect(user.toObject()).toEqual({ _id, minimum: 3 });
    const other = await User.find().select('name').one();
    expect(() => (other as User).minimum).toThrow('"minimum" was not loaded');
  });

  it('refuses to read what was not loaded', async () => {
    const user = await User.find().select('name', 'address.city').one();
    expect(() => (user as User).bio).toThrow(FieldNotLoadedError);
    expect(() => user.label).toThrow('"bio" was not loaded');
    expect(() => user.get('bio')).toThrow(FieldNotLoadedError);
    expect(() => user.get('address.zip')).toThrow('"address.zip"');
    expect(() => user.get('address.geo.lat')).toThrow('"address.geo.lat"');
    expect(() => user.get('legacy.flag' as string)).toThrow('"legacy" was not loaded');
    expect(user.get('address.city')).toBe('Rome');
    try {
      expect((user as User).age).toBe('nothing');
    } catch (error) {
      expect(error).toMatchObject({ code: 'DATA_BRIDGE_FIELD_NOT_LOADED', path: 'age', model: 'users', id: _id });
    }
  });

  it('shows what was loaded, without defaults of the rest', async () => {
    const user = await User.find().select('name', 'address.city').one();
    expect(user.toObject()).toEqual({ _id, name: 'Ann', address: { city: 'Rome' } });
    expect(JSON.parse(JSON.stringify(user))).toEqual({ _id: String(_id), name: 'Ann', address: { city: 'Rome' } });
  });

  it('reads defaults of fields that were asked for', async () => {
    await User.collection.updateOne({}, { $unset: { bio: '', items: '' } });
    const user = await User.find().select('bio', 'items.sku').one();
    expect(user.bio).toBe('none');
    // What is stored there may be no array, so nothing is known.
    expect(user.items).toBeUndefined();
    expect(user.toObject()).toEqual({ _id, bio: 'none' });
  });

  it('goes through arrays', async () => {
    const user = await User.find().select('items.sku').one();
    expect(user.items).toEqual([{ sku: 'a' }, { sku: 'b' }]);
    expect(user.get('items.1.sku')).toBe('b');
    expect(() => user.get('items.1.qty')).toThrow('"items.1.qty"');
  });

  it('narrows lean results and their types', async () => {
    const lean = await User.find().select('name', 'address.geo.lat').lean().one();
    expect(lean).toStrictEqual({ _id, name: 'Ann', address: { geo: { lat: 1 } } });
    const same = await User.find().lean().select('name').one();
    expect(same).toStrictEqual({ _id, name: 'Ann' });
    // @ts-expect-error -- not selected
    expect(lean.bio).toBeUndefined();
  });

  it('narrows the type of documents', async () => {
    const user = await User.find().select('name').one();
    // @ts-expect-error -- not selected
    expect(() => user.bio).toThrow(FieldNotLoadedError);
    // @ts-expect-error -- there is no such field
    expect(() => User.find().select('nothing')).not.toThrow();
  });

  it.each<[string, () => unknown]>([
    ['no path', () => User.find().select()],
    ['an empty path', () => User.find().select('' as never)],
    ['an operator', () => User.find().select('items.$' as never)],
    ['a second select()', () => User.find().select('name').select('bio')],
    ['an omit() before', () => User.find().omit('name').select('bio')],
    ['an omit() after', () => User.find().select('name').omit('name')],
    ['a map() before', () => User.find().map(String).select('name')],
    ['a part of an _id', () => User.find().omit('_id.x' as never)],
    ['lean() after map()', () => User.find().map(String).lean()],
  ])('refuses %s', (_what, call) => {
    expect(call).toThrow(UsageError);
  });
});

describe('omit()', () => {
  it('asks for all the rest', async () => {
    const user = await User.find().omit('bio', 'address.geo').omit('items.qty').one();
    expect(database.sent()[0]).toMatchObject({ projection: { bio: 0, 'address.geo': 0, 'items.qty': 0 } });
    expect([user.name, user.address, user.items]).toEqual([
      'Ann',
      { city: 'Rome', zip: '00100' },
      [{ sku: 'a' }, { sku: 'b' }],
    ]);
    expect(() => (user as unknown as User).bio).toThrow(FieldNotLoadedError);
    expect(() => user.get('address.geo.lat')).toThrow('"address.geo.lat"');
    expect(user.get('legacy.flag' as string)).toBeUndefined();
    expect(user.age).toBe(30);
  });

  it('may leave out the _id, and such a document cannot be saved', async () => {
    const user = await User.find().select('name').omit('_id').one();
    expect(database.sent()[0]).toMatchObject({ projection: { name: 1, _id: 0 } });
    user.name = 'Bob';
    await expect(user.save()).rejects.toThrow('without its _id');
    await expect(user.reload()).rejects.toThrow(UsageError);
    expect(() => user.get('_id')).toThrow(FieldNotLoadedError);
    expect((await User.find().omit('_id').one()).toObject()).not.toHaveProperty('_id');
  });
});

describe('a save of a part-loaded document', () => {
  it('sends what changed and leaves the rest alone', async () => {
    const user = await User.find().select('name', 'address.city').one();
    user.name = 'Bob';
    user.address.city = 'Paris';
    await user.save();
    const update = onlyUpdate(database.sent().slice(1));
    expect(update).toMatchObject({ $set: { name: 'Bob', 'address.city': 'Paris' } });
    expect(await inStore()).toEqual({ ...input, name: 'Bob', address: { ...input.address, city: 'Paris' } });
    expect(() => (user as User).updatedAt).toThrow(FieldNotLoadedError);
    expect(user.isModified()).toBe(false);
    database.sent();
    await user.save();
    expect(database.sent()).toEqual([]);
  });

  it('refuses to set what was not loaded', async () => {
    const user = (await User.find().select('name', 'address.city').one()) as User;
    expect(() => (user.bio = undefined as never)).toThrow(FieldNotLoadedError);
    expect(() => user.set('address.zip', 'x')).toThrow('"address.zip" was not loaded');
    expect(() => user.unset('address.zip' as string)).toThrow(FieldNotLoadedError);
    expect(() => user.unset('bio')).toThrow(FieldNotLoadedError);
    expect(() => user.$inc('age')).toThrow(FieldNotLoadedError);
    expect(user.isModified()).toBe(false);
  });

  it('sets a whole field that was not loaded, whatever is stored, and then knows it', async () => {
    const user = (await User.find().select('name').one()) as User;
    user.bio = 'new';
    expect([user.bio, user.isModified('bio')]).toEqual(['new', true]);
    database.sent();
    await user.save();
    expect(onlyUpdate(database.sent())).toMatchObject({ $set: { bio: 'new' } });
    expect((await inStore())['bio']).toBe('new');
    expect([user.bio, user.isModified()]).toEqual(['new', false]);
    user.set('items', [{ sku: 'n', qty: 1 }] as never);
    await user.save();
    user.items.push({ sku: 'm', qty: 2 });
    await user.save();
    expect((await inStore())['items']).toEqual([
      { sku: 'n', qty: 1 },
      { sku: 'm', qty: 2 },
    ]);
    expect(() => user.address).toThrow(FieldNotLoadedError);
    user.bio = 5 as never;
    await expect(user.save()).rejects.toThrow(ValidationError);
    user.rollback();
    user.bio = 'z';
    user.rollback('bio');
    expect(user.isModified()).toBe(false);
  });

  it('but not with concurrency: fields, which would not see what it overwrites', async () => {
    const user = (await User.find().select('name').one()) as User;
    user.bio = 'new';
    await expect(user.save({ concurrency: 'fields' })).rejects.toThrow(FieldNotLoadedError);
    class Fields extends model('users', { bio: z.string().optional() }, { concurrency: 'fields' }) {}
    const part = (await Fields.find().select('_id').one()) as Fields;
    expect(() => (part.bio = 'x')).toThrow(FieldNotLoadedError);
  });

  it('is made by hydrate() of a part that says so; else it is taken for whole', async () => {
    const part = User.hydrate({ _id, name: 'Ann', address: { city: 'Rome' } }, { select: ['name', 'address.city'] });
    expect(part.name).toBe('Ann');
    expect(() => part.bio).toThrow(FieldNotLoadedError);
    part.address.zip = '1';
    await expect(part.save({ validate: false })).rejects.toThrow('"address.zip" was not loaded');
    part.rollback();
    part.address.city = 'Oslo';
    await part.save();
    expect(await inStore()).toEqual({ ...input, address: { ...input.address, city: 'Oslo' } });
    expect(User.hydrate({ _id, name: 'Ann' }).bio).toBe('none');
    const withoutId = User.hydrate({ name: 'Ann' }, { select: ['name'] });
    expect(() => withoutId.get('_id')).toThrow(FieldNotLoadedError);
    expect(() => User.hydrate({}, { select: ['a..b' as never] })).toThrow(UsageError);
    expect(() => User.hydrate({}, { select: 'name' as never })).toThrow(
      'as a list of paths that were loaded, got a string',
    );
    expect(() => User.hydrate({}, { select: [] })).toThrow('as a list of paths that were loaded, got none');
    expect(() => User.hydrate({}, { select: ['name age' as never] })).toThrow("write { select: ['name', 'age'] }");
  });

  it('refuses to set or remove what was loaded in part as a whole', async () => {
    const user = (await User.find().select('name', 'address.city', 'address.geo.lat').one()) as User;
    expect(() => (user.address = input.address)).toThrow('"address" was loaded in part');
    expect(() => user.set('address.geo', { lat: 3, lon: 4 })).toThrow('"address.geo" was loaded in part');
    expect(() => user.unset('address' as string)).toThrow(UsageError);
    user.address.geo = 5 as never;
    await expect(user.save({ validate: false })).rejects.toThrow('"address.geo" was loaded in part');
    user.rollback();
    delete (user.address as { geo?: unknown }).geo;
    await expect(user.save({ validate: false })).rejects.toThrow('"address.geo" was loaded in part');
    user.rollback();
    user.address.zip = '1';
    await expect(user.save()).rejects.toThrow('"address.zip" was not loaded');
    user.rollback();
    user.address.geo = { lat: 9 } as never;
    await user.save();
    expect(await inStore()).toEqual({ ...input, address: { ...input.address, geo: { lat: 9, lon: 2 } } });
  });

  it('sets members of an object that is not there one by one', async () => {
    const user = await User.find().select('extra.a').one();
    expect(user.extra).toBeUndefined();
    await User.collection.updateOne({ _id }, { $set: { extra: { b: 2 } } });
    user.set('extra.a', 1);
    await user.save();
    expect((await inStore())['extra']).toEqual({ a: 1, b: 2 });
    expect(user.extra).toEqual({ a: 1 });
  });

  it('lets an array loaded in part grow, and nothing else', async () => {
    const user = await User.find().select('items.sku').one();
    user.items.push({ sku: 'c', qty: 3 } as never);
    await user.save();
    expect((await inStore())['items']).toEqual([...input.items, { sku: 'c', qty: 3 }]);
    (user as User).$push('items', { sku: 'd', qty: 4 });
    await user.save();
    expect((await inStore())['items']).toEqual([...input.items, { sku: 'c', qty: 3 }, { sku: 'd', qty: 4 }]);
    for (const change of [
      () => user.items.pop(),
      () => user.items.reverse(),
      () => ((user.items[0] as { sku: string }).sku = 'z'),
      () => (user.items.length = 0),
    ]) {
      change();
      await expect(user.save()).rejects.toThrow('"items" was loaded in part');
      user.rollback();
    }
    expect(() => (user as User).$pull('items', { sku: 'a', qty: 1 })).toThrow('"items" was loaded in part');
  });

  it('validates what was loaded', async () => {
    const user = await User.find().select('name', 'address.city').one();
    user.address.city = 5 as never;
    const error: unknown = await user.save().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues.map(({ path }) => path)).toEqual(['address.city']);
    user.address.city = 'Oslo';
    user.name = '';
    await expect(user.save()).rejects.toThrow(ValidationError);
    user.name = 'Ann';
    await user.save();
    expect((await inStore())['address']).toEqual({ ...input.address, city: 'Oslo' });
  });

  it('is reloaded in part', async () => {
    const user = await User.find().select('name').one();
    await User.updateOne({}, { $set: { name: 'Eve', bio: 'new' } });
    await user.reload();
    expect(user.toObject()).toEqual({ _id, name: 'Eve' });
    expect(() => (user as User).bio).toThrow(FieldNotLoadedError);
  });

  it('takes the results of operators in part', async () => {
    const user = await User.find().select('age', 'items.sku').one();
    (user as User).$inc('age', 2);
    (user as User).$push('items', { sku: 'c', qty: 3 });
    await user.save();
    expect(user.age).toBe(32);
    expect(user.items).toEqual([{ sku: 'a' }, { sku: 'b' }, { sku: 'c' }]);
    expect(await inStore()).toMatchObject({ age: 32, items: [{ qty: 1 }, { qty: 2 }, { qty: 3 }] });
  });

  it('may be deleted', async () => {
    const user = await User.find().select('name').one();
    expect(await user.delete()).toBe(true);
  });
});

describe('a rule across fields', () => {
  class Range extends model(
    'ranges',
    { low: z.number(), high: z.number(), note: z.string().optional() },
    { check: ({ low, high }) => (low > high ? [{ path: 'low', message: 'must not be above high' }] : []) },
  ) {}

  it('needs the fields that it reads', async () => {
    await Range.create({ low: 1, high: 2 });
    const part = await Range.find().select('low').one();
    part.low = 5;
    await expect(part.save()).rejects.toThrow('"high" was not loaded');
    const both = await Range.find().select('low', 'high').one();
    both.low = 5;
    await expect(both.save()).rejects.toThrow('must not be above high');
    both.low = 2;
    await both.save();
  });
});

describe('a shard key', () => {
  class Order extends model(
    'orders',
    { company: z.string(), place: z.object({ country: z.string(), town: z.string() }), total: z.number() },
    { shardKey: ['company', 'place.country'] },
  ) {}

  it('is loaded with every selection', async () => {
    await Order.create({ company: 'x', place: { country: 'it', town: 'Rome' }, total: 1 });
    const order = await Order.find().select('total').one();
    order.total = 2;
    database.sent();
    await order.save();
    expect(database.sent()[0]).toMatchObject({
      updates: [{ q: { _id: order._id, company: 'x', 'place.country': 'it' } }],
    });
    const without = await Order.find().omit('place').one();
    without.total = 3;
    await expect(without.save()).rejects.toThrow('without its shard key');
  });
});
