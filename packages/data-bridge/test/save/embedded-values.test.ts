import { ObjectId } from 'mongodb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

const address = z.object({ street: z.string().nullable(), city: z.string(), zip: z.string() });
const tag = z.object({ label: z.string(), color: z.string().nullable() });
const location = z.object({ name: z.string(), coords: z.object({ lat: z.number(), lng: z.number() }) });

class User extends model('users', {
  name: z.string(),
  address,
  second: address.nullable().optional(),
  tags: z.array(tag).default([]),
  location: location.optional(),
  offices: z.array(address).optional(),
}) {}

const home = () => ({ street: '1 High St', city: 'NYC', zip: '10001' });
const tags = () => [
  { label: 'a', color: 'red' },
  { label: 'b', color: 'green' },
  { label: 'c', color: null },
];

describe('embedded objects and arrays', () => {
  const database = useDatabase();

  const reread = async ({ _id }: User): Promise<User> => {
    const found = await User.findOne({ _id });
    if (found === null) throw new Error('Expected the document to be stored');
    return found;
  };

  it('EMBED-01 reads back the members of an embedded object', async () => {
    const found = await reread(await User.create({ name: 'Ann', address: home() }));
    expect([found.address.city, found.address.zip, found.address.street]).toEqual(['NYC', '10001', '1 High St']);
  });

  it('EMBED-02 knows the types of the members', async () => {
    const user = new User({ name: 'Ann', address: home() });
    expectTypeOf(user.address.city).toEqualTypeOf<string>();
    // @ts-expect-error -- the schema has no such member
    expect(user.address.town).toBeUndefined();
  });

  it('EMBED-03 reads back an embedded array in order', async () => {
    const found = await reread(await User.create({ name: 'Ann', address: home(), tags: tags() }));
    expect(found.tags).toEqual(tags());
  });

  it('EMBED-04 stores null in the place of an embedded object', async () => {
    const none = await reread(await User.create({ name: 'Ann', address: home(), second: null }));
    expect(none.second).toBeNull();
    const second = { street: null, city: 'SF', zip: '94016' };
    const some = await reread(await User.create({ name: 'Ann', address: home(), second }));
    expect(some.second?.city).toBe('SF');
  });

  it('EMBED-05 reads back an object inside an object', async () => {
    const boston = { name: 'Boston', coords: { lat: 42.3601, lng: -71.0589 } };
    const found = await reread(await User.create({ name: 'Ann', address: home(), location: boston }));
    expect([found.location?.coords.lat, found.location?.coords.lng]).toEqual([42.3601, -71.0589]);
  });

  it('EMBED-06 gives plain objects and arrays in toObject()', async () => {
    const found = await reread(await User.create({ name: 'Ann', address: home(), tags: tags() }));
    const object = found.toObject();
    expect(object).toStrictEqual({ _id: found._id, name: 'Ann', address: home(), tags: tags() });
    expect(Object.getPrototypeOf(object.address)).toBe(Object.prototype);
    expect(Array.isArray(object.tags)).toBe(true);
    expect(Object.getPrototypeOf(object.tags[0])).toBe(Object.prototype);
  });

  it('EMBED-07 hydrates what the driver gives', () => {
    const raw = {
      _id: new ObjectId(),
      name: 'Ann',
      address: { street: null, city: 'Austin', zip: '73301' },
      tags: [{ label: 'backend', color: null }],
    };
    const user = User.hydrate(raw);
    expect(user).toBeInstanceOf(User);
    expect([user.address.city, user.tags[0]?.label]).toEqual(['Austin', 'backend']);
    expect([user.isModified(), user.$isNew]).toEqual([false, false]);
  });

  it('EMBED-08 reads back all of it by _id', async () => {
    const boston = { name: 'Boston', coords: { lat: 42.3601, lng: -71.0589 } };
    const found = await reread(await User.create({ name: 'Ann', address: home(), tags: tags(), location: boston }));
    expect([found.address, found.tags, found.location]).toEqual([home(), tags(), boston]);
  });

  it('EMBED-09 finds by a member of an embedded object', async () => {
    const name = 'by member';
    await User.insertMany([
      { name, address: { ...home(), city: 'Kyoto' } },
      { name, address: { ...home(), city: 'Osaka' } },
    ]);
    const found = await User.findOne({ name, 'address.city': 'Kyoto' });
    expect(found?.address.city).toBe('Kyoto');
  });

  it('EMBED-10 finds by a member of any item of an embedded array', async () => {
    const user = await User.create({ name: 'Ann', address: home(), tags: [...tags(), { label: 'x', color: null }] });
    const found = await User.findOne({ 'tags.label': 'x' });
    expect(found?._id).toEqual(user._id);
  });

  it('EMBED-11 stores an empty array', async () => {
    const found = await reread(await User.create({ name: 'Ann', address: home(), tags: [] }));
    expect(found.$state.has('tags')).toBe(true);
    expect(found.tags).toEqual([]);
  });

  it('EMBED-12 stores an object that was assigned whole', async () => {
    const user = await User.create({ name: 'Ann', address: home() });
    user.address = { street: '2 Low St', city: 'LA', zip: '90001' };
    await user.save();
    expect((await reread(user)).address).toEqual({ street: '2 Low St', city: 'LA', zip: '90001' });
  });

  it('EMBED-13 stores members that were changed in place', async () => {
    const user = await reread(await User.create({ name: 'Ann', address: home() }));
    user.address.city = 'After';
    user.address.zip = '2';
    database.sent();
    await user.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { 'address.city': 'After', 'address.zip': '2' } });
    const { address: stored } = await reread(user);
    expect(stored).toEqual({ street: '1 High St', city: 'After', zip: '2' });
  });

  it('EMBED-14 stores an item that was changed in place', async () => {
    const user = await reread(await User.create({ name: 'Ann', address: home(), tags: tags() }));
    const [first] = user.tags;
    if (first !== undefined) first.label = 'new';
    await user.save();
    expect((await reread(user)).tags).toEqual([{ label: 'new', color: 'red' }, ...tags().slice(1)]);
  });

  it('EMBED-15 uses one schema for an object and for the items of an array', async () => {
    const offices = ['NYC', 'LA', 'SF'].map((city) => ({ ...home(), city }));
    const found = await reread(await User.create({ name: 'Ann', address: home(), offices }));
    expect(found.offices?.map(({ city }) => city)).toEqual(['NYC', 'LA', 'SF']);
  });
});
