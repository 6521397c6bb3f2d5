import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FieldNotLoadedError, model, transaction, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { Car, Motorcycle, Owner, Sports, Vehicle } from '../support/vehicles.ts';

const database = useDatabase();

const raw = (): Promise<object[]> => database.db.collection('vehicles').find().sort({ name: 1 }).toArray();

/** One of each class: a car, a motorcycle, a sports car, a plain vehicle. */
beforeEach(async () => {
  await Vehicle.deleteMany({});
  await Owner.deleteMany({});
  await Car.create({ name: 'c', doors: 4 });
  await Motorcycle.create({ name: 'm', hasSidecar: true });
  await Sports.create({ name: 's', doors: 2, hp: 400 });
  await Vehicle.create({ name: 'v' });
  database.sent();
});

async function all<D>(documents: AsyncIterable<D>): Promise<D[]> {
  const found: D[] = [];
  for await (const each of documents) found.push(each);
  return found;
}

const classes = (documents: readonly object[]): string[] => documents.map((each) => each.constructor.name);

describe('storing', () => {
  it('puts the type beside the fields (INHERIT-06)', async () => {
    expect(await raw()).toMatchObject([
      { name: 'c', doors: 4, _type: 'car' },
      { name: 'm', hasSidecar: true, _type: 'motorcycle' },
      { name: 's', doors: 2, hp: 400, _type: 'sports' },
      { name: 'v' },
    ]);
    expect((await raw())[3]).not.toHaveProperty('_type');
  });

  it.each<readonly [string, () => Promise<unknown>]>([
    ['save', () => new Car({ name: 'x', doors: 1 }).save()],
    ['insertMany of inputs', () => Car.insertMany([{ name: 'x', doors: 1 }])],
    ['insertMany of ids', () => Car.insertMany([{ name: 'x', doors: 1 }], { return: 'ids', validate: false })],
    ['insertMany of documents', () => Vehicle.insertMany([new Car({ name: 'x', doors: 1 })])],
    ['saveAll', () => Vehicle.saveAll([new Car({ name: 'x', doors: 1 }), new Motorcycle({ name: 'y' })])],
    ['bulk', () => Car.bulk().insertOne({ name: 'x', doors: 1 }).execute()],
    ['upsert', () => Car.upsert({ name: 'x' }, { $set: { doors: 1 } })],
    ['transaction', () => transaction(async () => Car.create({ name: 'x', doors: 1 }))],
    ['$clone', async () => (await Car.findOne({ name: 'c' }))?.$clone().assign({ name: 'x', doors: 1 }).save()],
  ])('does so in %s', async (_, store) => {
    await store();
    expect((await raw()).find((each) => 'name' in each && each.name === 'x')).toMatchObject({ doors: 1, _type: 'car' });
    expect(await Car.findOne({ name: 'x' })).toBeInstanceOf(Car);
  });

  it('sends plain inputs as bytes, with their type', async () => {
    const [car] = await Car.insertMany([{ name: 'x', doors: 1 }]);
    expect(car?.get('_type' as string)).toBe('car');
    expect(car?.isModified()).toBe(false);
  });

  it('takes the type of the class itself, as toObject() gives it, and no other', async () => {
    const car = await Car.findOne({ name: 'c' });
    const { _id, ...fields } = car?.toObject() ?? { name: '', doors: 0 };
    expect(fields).toMatchObject({ _type: 'car' });
    expect(await Car.create(fields)).toBeInstanceOf(Car);
    for (const validate of [true, false]) {
      const wrong = { ...fields, _type: 'motorcycle' };
      await expect(Car.create(wrong, { validate })).rejects.toThrow('"_type" says of which class a document is');
      await expect(Car.insertMany([wrong], { validate })).rejects.toThrow(UsageError);
      await expect(Vehicle.insertMany([wrong], { validate })).rejects.toThrow(UsageError);
    }
  });

  it('is refused for a document that changes it', async () => {
    const [car, plain] = await Vehicle.find()
      .sort({ name: 1 })
      .then(([first, , , last]) => [first, last]);
    expect(() => car?.set('_type' as string, 'sports')).toThrow('it cannot be set');
    expect(() => plain?.set('_type' as string, 'sports')).toThrow(UsageError);
    expect(() => car?.assign({ _type: 'x' } as object)).toThrow('cannot be assigned');
  });
});

describe('reading', () => {
  it('gives each document as one of its class (INHERIT-07)', async () => {
    const found = await Vehicle.find().sort({ name: 1 });
    expect(classes(found)).toEqual(['Car', 'Motorcycle', 'Sports', 'Vehicle']);
    expect(found.every((each) => each instanceof Vehicle)).toBe(true);
    expect(found.map((each) => each.describe())).toEqual([
      'car c with 4 doors, a vehicle c',
      'vehicle m',
      'car s with 2 doors, a vehicle s',
      'vehicle v',
    ]);
    expect(found.map(({ title }) => title)).toEqual(['~c', '~m', '~s', '~v']);
    expect(found[2]).toBeInstanceOf(Car);
    expect((found[2] as Sports).fast).toBe(true);
  });

  it('findOne does so, too (INHERIT-08, INHERIT-09)', async () => {
    const car = await Vehicle.findOne({ name: 'c' });
    expect(car).toBeInstanceOf(Car);
    expect((car as Car).doors).toBe(4);
    const motorcycle = await Vehicle.findOne({ name: 'm' });
    expect(motorcycle).toBeInstanceOf(Motorcycle);
    expect((motorcycle as Motorcycle).hasSidecar).toBe(true);
  });

  it('can be limited to a very class (INHERIT-10, INHERIT-13)', async () => {
    expect(classes(await Vehicle.find().exactly(Vehicle))).toEqual(['Vehicle']);
    expect(classes(await Vehicle.find().exactly(Car))).toEqual(['Car']);
    expect(classes(await Car.find().exactly(Car))).toEqual(['Car']);
    expect(await Vehicle.find().exactly(Vehicle).count()).toBe(1);
    expect([await Vehicle.count(), await Car.count(), await Sports.count(), await Motorcycle.count()]).toEqual([
      4, 2, 1, 1,
    ]);
  });

  it('includes classes below, and so it does when asked for them outright (INHERIT-11)', async () => {
    expect(await Vehicle.find()).toHaveLength(4);
    expect(await Vehicle.find().of(Vehicle)).toHaveLength(4);
    expect(classes(await Vehicle.find().of(Car).sort({ name: 1 }))).toEqual(['Car', 'Sports']);
    expect(classes(await Vehicle.find({ name: { $ne: 'c' } }).of(Car))).toEqual(['Sports']);
    expect(classes(await Car.find().of(Sports))).toEqual(['Sports']);
    expect(classes(await Car.named('s'))).toEqual(['Sports']);
    expect(await Motorcycle.named('s')).toEqual([]);
  });

  it('of a class gives its own documents alone (INHERIT-12)', async () => {
    expect(classes(await Car.find().sort({ name: 1 }))).toEqual(['Car', 'Sports']);
    expect(classes(await Motorcycle.find())).toEqual(['Motorcycle']);
    const plain = await Vehicle.find().exactly(Vehicle).one();
    expect(await Car.findById(plain._id)).toBeNull();
    expect(await Car.exists({ name: 'v' })).toBe(false);
    expect(await Car.distinct('name')).toEqual(['c', 's']);
    expect(await Car.find().sum('doors')).toBe(6);
  });

  it('has the fields of the root, and its own (INHERIT-15, INHERIT-16)', async () => {
    const owner = await Owner.create({ name: 'o' });
    const made = await Sports.create({ name: 'x', owner, doors: 3, hp: 200 });
    const read = (await Vehicle.findById(made._id)) as Sports;
    expect([read.name, read.doors, read.hp, read.owner?.$id]).toEqual(['x', 3, 200, owner._id]);
    expect(Object.keys(read.toObject()).toSorted()).toEqual(['_id', '_type', 'doors', 'hp', 'name', 'owner']);
  });

  it.each<readonly [string, () => Promise<readonly object[]>]>([
    ['pages', async () => (await Vehicle.find().sort({ name: 1 }).page({ size: 4 })).items],
    ['iteration', async () => all(Vehicle.find().sort({ name: 1 }).batchSize(2))],
    [
      'map',
      async () =>
        Vehicle.find()
          .sort({ name: 1 })
          .map((each) => each),
    ],
    ['aggregations', async () => Vehicle.aggregate().sort({ name: 1 }).hydrate()],
    ['a transaction', async () => transaction(async () => Vehicle.find().sort({ name: 1 }))],
    ['a part of them', async () => Vehicle.find().sort({ name: 1 }).select('name')],
    ['findBy', async () => (await Promise.all(['c', 'm', 's', 'v'].map((name) => Vehicle.findBy({ name })))).flat()],
    [
      'findOneAndUpdate',
      async () =>
        Promise.all(
          ['c', 'm', 's', 'v'].map((name) => Vehicle.findOneAndUpdate({ name }, { $set: { name } }) as Promise<object>),
        ),
    ],
    [
      'findOneAndDelete',
      async () =>
        Promise.all(['c', 'm', 's', 'v'].map((name) => Vehicle.findOneAndDelete({ name }) as Promise<object>)),
    ],
    [
      'bytes',
      async () => (await Vehicle.find().sort({ name: 1 })).map(({ $bytes }) => Vehicle.hydrate($bytes as Uint8Array)),
    ],
    ['objects', async () => (await raw()).map((each) => Vehicle.hydrate(each))],
  ])('in %s', async (_, read) => {
    expect(classes(await read())).toEqual(['Car', 'Motorcycle', 'Sports', 'Vehicle']);
  });

  it('of a part loads the type along, so that it can be saved', async () => {
    const car = (await Vehicle.findOne({ name: 'c' }).select('name')) as Car;
    expect(() => car.doors).toThrow(FieldNotLoadedError);
    car.name = 'cc';
    await car.save();
    expect(await Car.count({ name: 'cc' })).toBe(1);
    expect(() => Vehicle.find().omit('_type' as never)).toThrow('omit() takes no "_type"');
  });

  it('refuses what of() cannot be of', () => {
    expect(() => Vehicle.find().of(Owner as never)).toThrow(
      'of() takes the class of the query, or one that extends it, got another class, Owner.',
    );
    expect(() => Car.find().exactly(Vehicle as never)).toThrow('exactly() takes the class of the query');
    expect(() => Vehicle.find().of('car' as never)).toThrow('got a string.');
    expect(() =>
      Vehicle.find()
        .select('name')
        .of(Car as never),
    ).toThrow('of() comes before select()');
    expect(() =>
      Vehicle.find()
        .lean()
        .of(Car as never),
    ).toThrow(UsageError);
  });

  it('gives plain objects as their class has them', async () => {
    class Box extends model('boxes', { n: z.int() }) {}
    class Safe extends Box.extend(
      { big: z.bigint(), by: z.map(z.string(), z.int()) },
      { type: 'safe', class: () => Safe },
    ) {}
    await Safe.create({ n: 1, big: 5n, by: new Map([['a', 1]]) });
    await Box.create({ n: 2 });
    const [safe, box] = await Box.find().sort({ n: 1 }).lean();
    expect(safe).toEqual({ _id: expect.anything(), n: 1, _type: 'safe', big: 5n, by: new Map([['a', 1]]) });
    expect(box).toEqual({ _id: expect.anything(), n: 2 });
  });

  it('follows references to the right classes', async () => {
    const sports = (await Sports.find().first()) as Sports;
    await Owner.create({ name: 'o', first: sports, car: (await Car.findOne({ name: 'c' })) as Car });
    const [owner] = await Owner.find().with('first', 'car');
    expect(owner?.first?.$doc?.describe()).toBe('car s with 2 doors, a vehicle s');
    expect(owner?.car?.$doc?.doors).toBe(4);
    const lazy = (await Owner.find().first()) as Owner;
    expect(await lazy.first?.$load()).toBeInstanceOf(Sports);
    const motorcycle = (await Motorcycle.find().first()) as Motorcycle;
    await expect(Owner.create({ name: 'p', car: motorcycle as never })).rejects.toThrow('Expected the _id of a Car');
    await Sports.updateMany({}, { $set: { owner: owner as Owner, rival: sports } });
    const [again] = await Sports.find().with('owner.first', 'rival.owner');
    expect(again?.owner?.$doc?.first?.$doc).toBeInstanceOf(Sports);
    expect(again?.rival?.$doc?.owner?.$doc?.name).toBe('o');
    for (const each of await Vehicle.find())
      if (each instanceof Sports) expect((await each.rival?.$load())?.hp).toBe(400);
  });
});

describe('a type that no class has', () => {
  it('is an error that names it', async () => {
    await database.db.collection('vehicles').insertOne({ name: 'b', _type: 'boat' });
    await expect(Vehicle.find()).rejects.toThrow(
      `The type of a stored document is "boat", which no class of the hierarchy has that was imported: import the module of its class, or give the root the option unknownType: 'parent'.`,
    );
    expect(await Car.count()).toBe(2);
    await database.db.collection('vehicles').updateOne({ name: 'b' }, { $set: { _type: 5 } });
    await expect(Vehicle.find()).rejects.toThrow('The type of a stored document is a number, which');
  });

  it('is read as the root where that says so', async () => {
    class Shape extends model('shapes', { n: z.int() }, { typeKey: '__t', unknownType: 'parent' }) {}
    class Circle extends Shape.extend({ r: z.number() }, { type: 'circle', class: () => Circle }) {}
    await database.db
      .collection('shapes')
      .insertMany([{ n: 1, __t: 'old' }, { n: 2, __t: 'circle', r: 3 }, { n: 3 }] as object[]);
    const found = await Shape.find().sort({ n: 1 });
    expect(classes(found)).toEqual(['Shape', Circle.name, 'Shape']);
    for (const each of found) each.n += 10;
    await Shape.saveAll(found);
    expect(await database.db.collection('shapes').find().sort({ n: 1 }).toArray()).toMatchObject([
      { n: 11, __t: 'old' },
      { n: 12, __t: 'circle', r: 3 },
      { n: 13 },
    ]);
    expect((await Shape.find().exactly(Shape)).length).toBe(2);
  });

  it('and a document of another class are no documents of a class', () => {
    expect(() => Car.hydrate({ _type: 'motorcycle', name: 'x' })).toThrow(
      'whose class does not extend that of the type "car"',
    );
    expect(() => Car.hydrate({ name: 'x' })).toThrow('A stored document has no type, so it is none of the type "car".');
    expect(Car.hydrate({ name: 'x' }, { select: ['name'] })).toBeInstanceOf(Car);
    expect(Car.hydrate({ _type: 'sports', name: 'x', doors: 1, hp: 2 })).toBeInstanceOf(Sports);
  });
});

describe('a root with a type', () => {
  class Animal extends model('beasts', { name: z.string() }, { type: 'animal' }) {}
  class Dog extends Animal.extend({ tricks: z.int() }, { type: 'dog', class: () => Dog }) {}

  it('stores it, and reads what has none as its own', async () => {
    await Animal.create({ name: 'a' });
    await Dog.create({ name: 'd', tricks: 1 });
    await database.db.collection('beasts').insertOne({ name: 'old' });
    const found = await Animal.find().sort({ name: 1 });
    expect(classes(found)).toEqual(['Animal', 'Dog', 'Animal']);
    expect(await database.db.collection('beasts').countDocuments({ _type: 'animal' })).toBe(1);
    expect((await Animal.find().exactly(Animal).sort({ name: 1 })).map(({ name }) => name)).toEqual(['a', 'old']);
    const [, , old] = found;
    expect(old?.isModified()).toBe(false);
    if (old) old.name = 'older';
    await old?.save();
    expect(await Animal.count({ name: 'older' })).toBe(1);
  });
});

describe('connections', () => {
  it('take the whole hierarchy along', async () => {
    const other = database.connection;
    const Bound = Vehicle.using(other);
    const found = await Bound.find().sort({ name: 1 });
    expect(found.map((each) => [each instanceof Vehicle, each instanceof Car, each.describe()])).toEqual([
      [true, true, 'car c with 4 doors, a vehicle c'],
      [true, false, 'vehicle m'],
      [true, true, 'car s with 2 doors, a vehicle s'],
      [true, false, 'vehicle v'],
    ]);
    expect(await Bound.find().of(Car)).toHaveLength(2);
    expect(await Car.using(other).count()).toBe(2);
    expect(Car.using(other).type).toBe('car');
    expect(() => Bound.extend({}, { type: 'x', class: () => Car })).toThrow('not of what using() gave');
  });
});
