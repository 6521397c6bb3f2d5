import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, transaction } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { Car, Motorcycle, Owner, Sports, Vehicle } from '../support/vehicles.ts';

const database = useDatabase();
const vehicles = () => database.db.collection('vehicles');

/** Two cars, one of them a sports car, a motorcycle, a plain vehicle. */
beforeEach(async () => {
  await vehicles().deleteMany({});
  await Vehicle.insertMany([
    new Car({ name: 'c', doors: 4 }),
    new Motorcycle({ name: 'm' }),
    new Sports({ name: 's', doors: 2, hp: 400 }),
    new Vehicle({ name: 'v' }),
  ]);
  database.sent();
});

/** The names of what a write changed: what has this name by now. */
const named = async (name: string): Promise<number> => vehicles().countDocuments({ name });

describe('writes of a class', () => {
  it.each<readonly [string, () => Promise<unknown>, number]>([
    ['updateMany', () => Car.updateMany({}, { $set: { name: 'x' } }), 2],
    ['updateOne', () => Motorcycle.updateOne({}, { $set: { name: 'x' } }), 1],
    ['a pipeline', () => Car.updateMany({}, [{ $set: { name: 'x' } }] as never), 2],
    ['a query', () => Car.find().update({ $set: { name: 'x' } }), 2],
    [
      'of()',
      () =>
        Vehicle.find()
          .of(Sports)
          .update({ $set: { name: 'x' } }),
      1,
    ],
    [
      'exactly()',
      () =>
        Vehicle.find()
          .exactly(Vehicle)
          .update({ $set: { name: 'x' } }),
      1,
    ],
    [
      'bulk',
      () =>
        Car.bulk()
          .updateMany({}, { $set: { name: 'x' } })
          .execute(),
      2,
    ],
    ['the root', () => Vehicle.updateMany({}, { $set: { name: 'x' } }), 4],
    ['findOneAndUpdate', () => Motorcycle.findOneAndUpdate({}, { $set: { name: 'x' } }), 1],
    ['a transaction', () => transaction(async () => Sports.updateMany({}, { $set: { name: 'x' } })), 1],
  ])('update its documents alone: %s', async (_, write, count) => {
    await write();
    expect(await named('x')).toBe(count);
  });

  it('delete its documents alone (INHERIT-14)', async () => {
    expect((await Motorcycle.deleteMany({})).deletedCount).toBe(1);
    expect(await Car.count()).toBe(2);
    expect((await Car.deleteMany({ name: 'v' })).deletedCount).toBe(0);
    expect((await Sports.deleteOne({})).deletedCount).toBe(1);
    await Car.bulk().deleteMany({}).execute();
    expect((await Vehicle.find()).map(({ name }) => name)).toEqual(['v']);
    await Vehicle.find().delete();
    expect(await vehicles().countDocuments()).toBe(0);
  });

  it.each<readonly [string, () => Promise<unknown>]>([
    ['upsert', () => Car.upsert({ name: 'n' }, { $set: { doors: 1 } })],
    ['updateOne', () => Car.updateOne({ name: 'n' }, { $set: { doors: 1 } }, { upsert: true })],
    ['updateMany', () => Car.updateMany({ name: 'n' }, { $set: { doors: 1 } }, { upsert: true })],
    ['findOneAndUpdate', () => Car.findOneAndUpdate({ name: 'n' }, { $set: { doors: 1 } }, { upsert: true })],
    [
      'bulk',
      () =>
        Car.bulk()
          .updateOne({ name: 'n' }, { $set: { doors: 1 } }, { upsert: true })
          .execute(),
    ],
    ['replaceOne', () => Car.replaceOne({ name: 'n' }, { name: 'n', doors: 1 }, { upsert: true })],
  ])('insert one of the class itself, where others extend it: %s', async (_, write) => {
    await write();
    expect(await vehicles().findOne({ name: 'n' })).toMatchObject({ name: 'n', doors: 1, _type: 'car' });
  });

  it('insert one of a class that none extends, and of the root', async () => {
    expect(await Sports.upsert({ name: 'n' }, { $set: { doors: 1, hp: 1 } })).toBeInstanceOf(Sports);
    const plain = await Vehicle.upsert({ name: 'w' }, { $set: { name: 'w' } });
    expect(await vehicles().findOne({ _id: plain._id })).toEqual({ _id: plain._id, name: 'w' });
  });

  it('cannot change the class of a document', async () => {
    class Base extends model('anything', { name: z.string() }, { unknown: 'keep' }) {}
    class Below extends Base.extend({}, { type: 'below', class: () => Below }) {}
    const typed = { _type: 'sports' } as object;
    for (const update of [
      { $set: typed },
      { $setOnInsert: typed },
      { $unset: { _type: '' } },
      { $rename: { name: '_type' } },
      [{ $set: typed }],
      [{ $unset: '_type' }],
      [{ $replaceWith: '$$ROOT' }],
    ])
      for (const Class of [Car, Base] as unknown as (typeof Car)[])
        await expect(Class.updateMany({}, update as never, { upsert: true })).rejects.toThrow(
          /of which class a document is/,
        );
    await expect(Vehicle.updateMany({}, { $set: typed })).rejects.toThrow('the schema has no such field');
    await expect(Base.create({ name: 'x', ...typed })).rejects.toThrow('leave it out');
    const kept = await Base.create({ name: 'x' });
    expect(() => kept.set('_type' as string, 'below')).toThrow('cannot be set');
    expect(Below.types).toEqual(['below']);
    expect(await Sports.count()).toBe(1);
  });

  it('replace documents of exactly that class', async () => {
    expect(await Car.replaceOne({ name: 's' }, { name: 'x', doors: 1 })).toMatchObject({ matchedCount: 0 });
    expect(await Vehicle.replaceOne({ name: 'c' }, { name: 'x' })).toMatchObject({ matchedCount: 0 });
    expect(await Car.findOneAndReplace({ name: 'c' }, { name: 'x', doors: 1 })).toBeInstanceOf(Car);
    await Vehicle.bulk().replaceOne({ name: 'v' }, { name: 'y' }).replaceOne({ name: 'm' }, { name: 'z' }).execute();
    expect((await vehicles().find().sort({ name: 1 }).toArray()).map(({ name, _type }) => [name, _type])).toEqual([
      ['m', 'motorcycle'],
      ['s', 'sports'],
      ['x', 'car'],
      ['y', undefined],
    ]);
  });

  it('save documents of several classes by one command', async () => {
    const found = await Vehicle.find().sort({ name: 1 });
    for (const each of found) each.name += '!';
    (found[2] as Sports).hp++;
    database.sent();
    await Vehicle.saveAll([...found, new Motorcycle({ name: 'n' })]);
    expect(database.sent().length).toBeLessThanOrEqual(2);
    expect((await Vehicle.find().sort({ name: 1 })).map(({ name }) => name)).toEqual(['c!', 'm!', 'n', 's!', 'v!']);
    expect((await Sports.find().first())?.hp).toBe(401);
  });

  it('of one document validate what its class says', async () => {
    const car = (await Vehicle.findOne({ name: 'c' })) as Car;
    car.doors = 1.5;
    await expect(car.save()).rejects.toThrow('doors');
    car.doors = 5;
    car.name = 'cc';
    database.sent();
    await car.save();
    expect(await vehicles().findOne({ _id: car._id })).toMatchObject({ doors: 5, name: 'cc', _type: 'car' });
    await car.reload();
    expect(car.doors).toBe(5);
    await car.delete();
    expect(await Car.count()).toBe(1);
  });
});

describe('aggregations', () => {
  it('see the documents of the class alone', async () => {
    expect(await Car.aggregate().group({ _id: null, doors: { $sum: '$doors' } })).toEqual([{ _id: null, doors: 6 }]);
    expect(
      await Sports.aggregate()
        .match({ name: { $ne: 'c' } })
        .count('n'),
    ).toEqual([{ n: 1 }]);
    expect(await Vehicle.aggregate().count('n')).toEqual([{ n: 4 }]);
    expect(await Car.aggregate().facet({ all: (cars) => cars.count('n') })).toEqual([{ all: [{ n: 2 }] }]);
    const [hydrated] = await Car.aggregate().match({ name: 's' }).hydrate();
    expect(hydrated).toBeInstanceOf(Sports);
  });

  it('join those of a class', async () => {
    await Owner.deleteMany({});
    await Owner.create({ name: 'c' });
    const [owner] = await Owner.aggregate().lookup({
      from: Car,
      localField: 'name',
      foreignField: 'name',
      as: 'found',
    });
    expect(owner?.found.map(({ name }) => name)).toEqual(['c']);
    await Vehicle.create({ name: 'c' });
    expect(
      (await Owner.aggregate().lookup({ from: Car, localField: 'name', foreignField: 'name', as: 'found' }))[0]?.found,
    ).toHaveLength(1);
    expect(
      (await Owner.aggregate().lookup({ from: Vehicle, localField: 'name', foreignField: 'name', as: 'found' }))[0]
        ?.found,
    ).toHaveLength(2);
    const car = (await Car.findOne({ name: 'c' })) as Car;
    await Owner.updateOne({ name: 'c' }, { $set: { car } });
    expect((await Owner.aggregate().lookup('car', 'of'))[0]?.of.map(({ doors }) => doors)).toEqual([4]);
  });
});

describe('watch', () => {
  it('tells of the documents of a class, each as one of its own', async () => {
    expect(() => Car.watch()).toThrow(
      "whether it is of a document of this class: pass { fullDocument: 'updateLookup' }, or watch the root's class.",
    );
    await using changes = await Car.watch([], { fullDocument: 'updateLookup' }).opened();
    await Motorcycle.create({ name: 'other' });
    await Vehicle.updateMany({}, { $set: { name: 'x' } });
    await Sports.create({ name: 'new', doors: 1, hp: 1 });
    const seen: string[] = [];
    for await (const change of changes) {
      if (change.operationType !== 'insert' && change.operationType !== 'update') continue;
      seen.push(`${change.operationType} ${change.fullDocument?.constructor.name}`);
      if (change.operationType === 'insert') break;
    }
    expect(seen.toSorted()).toEqual(['insert Sports', 'update Car', 'update Sports']);
  });
});
