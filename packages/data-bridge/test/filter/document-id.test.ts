import { ObjectId } from 'mongodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidIdError, model, objectId, ref, stored, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Country extends model('countries', { _id: z.string() }) {}
class Customer extends model('customers', { name: z.string() }) {}
class Other extends model('others', { name: z.string() }) {}
class Order extends model('orders', {
  number: z.number(),
  customer: stored('customer_id', ref<Customer>(() => Customer).optional()),
  watchers: ref<Customer>(() => Customer).array(),
  country: ref<Country>(() => Country).optional(),
  owner: objectId().optional(),
}) {}

const database = useDatabase();
let ann: Customer;
let bob: Customer;
let italy: Country;
beforeAll(async () => {
  [ann, bob] = (await Customer.insertMany([{ name: 'Ann' }, { name: 'Bob' }])) as [Customer, Customer];
  italy = await Country.create({ _id: 'IT' });
  await Order.create({ number: 1, customer: ann, watchers: [bob], country: italy, owner: ann._id });
  await Order.create({ number: 2, customer: bob, watchers: [ann, bob] });
});

describe('A document in a filter', () => {
  it('stands for its _id where documents are referred to', async () => {
    const numbers = async (filter: Parameters<typeof Order.find<Order>>[0]): Promise<number[]> =>
      (await Order.find(filter).sort('number')).map(({ number }) => number);
    expect(await Order.count({ customer: ann })).toBe(1);
    expect(await numbers({ customer: { $eq: ann } })).toEqual([1]);
    expect(await numbers({ customer: { $ne: ann } })).toEqual([2]);
    expect(await numbers({ customer: { $in: [ann, bob._id, ann._id.toHexString()] } })).toEqual([1, 2]);
    expect(await numbers({ customer: { $nin: [ann] } })).toEqual([2]);
    expect(await numbers({ customer: { $not: { $eq: ann } } })).toEqual([2]);
    expect(await numbers({ $or: [{ customer: ann }, { number: 5 }] })).toEqual([1]);
    expect(await numbers({ $and: [{ $nor: [{ customer: ann }] }] })).toEqual([2]);
    expect(await numbers({ watchers: ann })).toEqual([2]);
    expect(await numbers({ watchers: [ann, bob] as never })).toEqual([2]);
    expect(await numbers({ watchers: { $all: [ann, bob] } as never })).toEqual([2]);
    expect(await numbers({ watchers: { $elemMatch: { $eq: ann } } as never })).toEqual([2]);
    expect(await numbers({ 'watchers.0': bob })).toEqual([1]);
    expect(await numbers({ country: italy as never })).toEqual([1]);
    expect(await numbers({ owner: ann })).toEqual([1]);
    expect(await Order.findBy({ customer: ann }).count()).toBe(1);
    expect(await Order.exists({ customer: ann })).toBe(true);
    expect(await Order.distinct('number', { customer: ann })).toEqual([1]);
    expect((await Order.findOne({ customer: bob }))?.number).toBe(2);
    expect(await Customer.count({ _id: ann })).toBe(1);
    expect((await Customer.findById(ann as never))?.name).toBe('Ann');
  });

  it('does so before it is stored, in what is written by filter, and in aggregations', async () => {
    const made = new Customer({ name: 'New' });
    expect(await Order.count({ customer: made })).toBe(0);
    const order = await Order.create({ number: 3, watchers: [] });
    await Order.updateOne({ number: 3 }, { $set: { customer: ann }, $push: { watchers: ann } });
    await Order.updateOne({ number: 3 }, { $push: { watchers: { $each: [bob, made] } } });
    await Order.updateOne({ customer: ann, number: 3 }, { $pull: { watchers: made } });
    await order.reload();
    expect([order.customer?.$id, order.watchers.map(({ $id }) => $id)]).toEqual([ann._id, [ann._id, bob._id]]);
    await Order.bulk()
      .updateOne({ customer: ann, number: 3 }, { $set: { customer: bob } })
      .execute();
    expect(await Order.aggregate().match({ customer: bob }).sort({ number: 1 }).project({ _id: 0, number: 1 })).toEqual(
      [{ number: 2 }, { number: 3 }],
    );
    await Order.deleteMany({ number: 3, customer: bob });
    expect(await Order.count({ number: 3 })).toBe(0);
  });

  it('is refused where it belongs to another model than the one that is referred to', () => {
    const other = new Other({ name: 'x' });
    for (const filter of [{ customer: other }, { watchers: { $in: [other] } }, { customer: { $ne: other } }])
      expect(() => Order.find(filter as never)).toThrow(
        /^"(customer|watchers)" is the _id of a Customer or such a document, got a document of an Other\.$/,
      );
    expect(() => Customer.find({ _id: other as never })).toThrow('"_id" is a document of this model');
  });

  it('of a bound model is one of the model', async () => {
    const Bound = Customer.using(database.connection);
    expect(await Order.count({ customer: await Bound.findOne({ name: 'Ann' }) })).toBe(1);
  });
});

describe('findById() of a text that is no id', () => {
  it('fails with a class, a code and the path, so that a server can answer with 404', async () => {
    const error: unknown = await Order.findById('abc').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InvalidIdError);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      name: 'InvalidIdError',
      code: 'DATA_BRIDGE_INVALID_ID',
      path: '_id',
      model: 'orders',
    });
    expect((error as Error).message).not.toContain('abc');
  });

  it.each<[string, () => unknown, string]>([
    ['a filter', () => Order.find({ customer: 'abc' }), 'customer'],
    ['a list in a filter', () => Order.find({ owner: { $in: ['abc'] } }), 'owner'],
    ['a static update', () => Order.updateOne({}, { $set: { owner: 'abc' } }), 'owner'],
    ['deleteOne()', () => Order.deleteOne({ _id: 'abc' }), '_id'],
    ['a new document', () => new Order({ _id: 'abc', number: 1, watchers: [] }), '_id'],
  ])('so does %s', async (_what, call, path) => {
    const error: unknown = await Promise.resolve()
      .then(call)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_INVALID_ID', path });
  });

  it('is null for an id that nobody has', async () => {
    expect(await Order.findById(new ObjectId().toHexString())).toBe(null);
    expect(await Country.findById('abc')).toBe(null);
  });
});
