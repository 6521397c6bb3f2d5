import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  BulkSaveError,
  ConflictError,
  FieldNotLoadedError,
  model,
  SchemaError,
  stored,
  UsageError,
  ValidationError,
  writeOnce,
} from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Order extends model('once_orders', {
  number: writeOnce(stored('no', z.string())),
  where: stored('place', writeOnce(z.object({ city: z.string() }).optional())),
  n: z.int().default(0),
}) {}

const database = useDatabase();
beforeEach(() => database.db.collection('once_orders').deleteMany({}));

const raw = async () => Order.collection.findOne({}, { projection: { _id: 0 } });

describe('a field that is written once', () => {
  it('is set as often as the program wants before it is stored, and once where it was not stored', async () => {
    const order = new Order({ number: '1' });
    order.number = '2';
    await order.save();
    order.where = { city: 'Rome' };
    await order.save();
    expect(await raw()).toEqual({ no: '2', place: { city: 'Rome' }, n: 0 });
    expect(() => (order.where = { city: 'Pisa' })).toThrow('"where" is written once');
    await order.delete();
  });

  it('is not changed by a document, in place or otherwise', async () => {
    const order = await Order.create({ number: '1', where: { city: 'Rome' } });
    expect(() => (order.number = '2')).toThrow(UsageError);
    expect(() => order.set('number', '2')).toThrow('"number" is written once');
    expect(() => order.assign({ number: '2', n: 5 })).toThrow(ValidationError);
    expect(order.n).toBe(0);
    if (order.where !== undefined) order.where.city = 'Pisa';
    await expect(order.save()).rejects.toThrow('"where" is written once');
    await expect(Order.saveAll([order])).rejects.toThrow('1 of 1');
    expect(await raw()).toMatchObject({ no: '1', place: { city: 'Rome' } });
  });

  it('is not changed by a document that did not load it', async () => {
    const { _id } = await Order.create({ number: '1', where: { city: 'Rome' } });
    const part = (await Order.find({ _id }).select('n').one()) as Order;
    for (const change of [
      () => (part.number = '2'),
      () => part.set('where', { city: 'Pisa' }),
      () => part.unset('where'),
      () => part.assign({ n: 5, number: '2' }),
    ])
      expect(change).toThrow(FieldNotLoadedError);
    part.n = 6;
    await part.save();
    expect(await raw()).toEqual({ no: '1', place: { city: 'Rome' }, n: 6 });
    // Nothing that could have been written once is there.
    expect((await Order.find({ _id }).select('number').one()).number).toBe('1');
  });

  it.each<readonly [string, (order: Order) => Promise<unknown>]>([
    ['save', (order) => order.save()],
    ['save, whoever wins', (order) => order.save({ onConflict: 'mine' })],
    ['saveAll', (order) => Order.saveAll([order, new Order({ number: '9' })])],
  ])('is written by one of two who did not find it stored: %s', async (_, save) => {
    const { _id } = await Order.create({ number: '1' });
    const [first, second] = [await Order.find({ _id }).one(), await Order.find({ _id }).one()];
    first.where = { city: 'Rome' };
    second.where = { city: 'Pisa' };
    second.n = 7;
    await save(first);
    const error: unknown = await save(second).catch((thrown: unknown) => thrown);
    const conflict = error instanceof BulkSaveError ? error.results[0]?.error : error;
    expect(conflict).toBeInstanceOf(ConflictError);
    const told = (conflict as ConflictError).conflicts.map(({ path, original, mine, theirs }) => [
      path,
      original,
      mine,
      theirs,
    ]);
    expect(told).toEqual([['where', undefined, { city: 'Pisa' }, { city: 'Rome' }]]);
    expect(await raw()).toEqual({ no: '1', place: { city: 'Rome' }, n: 0 });
    await second.reload();
    await second.set('n', 7).save();
    expect(await raw()).toEqual({ no: '1', place: { city: 'Rome' }, n: 7 });
  });

  it.each<readonly [string, () => unknown]>([
    ['$set', () => Order.updateOne({}, { $set: { number: '2' } })],
    ['$set inside of it', () => Order.updateMany({}, { $set: { 'where.city': 'Pisa' } })],
    // @ts-expect-error -- the schema asks for it
    ['$unset', () => Order.find().update({ $unset: { number: true } })],
    // @ts-expect-error -- the same
    ['$rename from it', () => Order.updateOne({}, { $rename: { number: 'n' } })],
    ['$rename to it', () => Order.updateOne({}, { $rename: { n: 'number' } })],
    ['findOneAndUpdate', () => Order.findOneAndUpdate({}, { $set: { number: '2' } })],
    ['upsert', () => Order.upsert({ n: 0 }, { $set: { number: '2' } })],
    ['bulk', () => Order.bulk().updateOne({}, { $set: { number: '2' } })],
    ['a stage', () => Order.updateOne({}, [{ $set: { number: '2' } }])],
    ['a stage that removes', () => Order.updateOne({}, [{ $unset: ['n', 'where.city'] }] as never)],
    ['a replacement', () => Order.replaceOne({}, { number: '2' })],
    ['a replacement by findOneAndReplace', () => Order.findOneAndReplace({ number: '1' }, { number: '2' })],
    ['a replacement by bulk', () => Order.bulk().replaceOne({}, { number: '2' }).execute()],
  ])('is not changed by %s', async (_, write) => {
    await Order.create({ number: '1', where: { city: 'Rome' } });
    await expect(Promise.resolve().then(write)).rejects.toThrow('written once');
    expect(await raw()).toEqual({ no: '1', place: { city: 'Rome' }, n: 0 });
  });

  it('is not changed by a stage that makes another document', async () => {
    class Simple extends model('once_orders', { no: writeOnce(z.string()), n: z.int() }) {}
    await expect(Simple.updateOne({}, [{ $replaceWith: {} }])).rejects.toThrow('written once');
  });

  it('may be given by an upsert, and stays in a replacement that has it', async () => {
    await Order.updateOne({ number: '1' }, { $set: { n: 1 } }, { upsert: true });
    await Order.upsert({ n: 2 }, { $setOnInsert: { number: '2' } });
    await Order.updateMany({}, [{ $set: { n: { $add: ['$n', 10] } } }, { $unset: 'extra' }] as never);
    class Numbered extends model('once_orders', { number: writeOnce(stored('no', z.string())), n: z.int() }) {}
    await Numbered.replaceOne({ number: '1' }, { number: '1', n: 5 });
    await Numbered.bulk().replaceOne({ number: '2' }, { number: '2', n: 6 }).execute();
    const all = await Numbered.find().sort('number');
    expect(all.map(({ number, n }) => [number, n])).toEqual([
      ['1', 5],
      ['2', 6],
    ]);
  });

  it('needs a schema', () => {
    expect(() => writeOnce(5 as never)).toThrow(SchemaError);
    expect(() => stored('x', writeOnce(stored('y', z.string())))).toThrow('a field is stored once');
  });
});
