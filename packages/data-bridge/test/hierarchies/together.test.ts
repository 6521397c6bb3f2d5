import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backRef, model, ref, RestrictedError, stored } from '../../src/index.ts';
import { openDatabase, useDatabase } from '../support/database.ts';
import { Car, Motorcycle, Vehicle } from '../support/vehicles.ts';

/* Hierarchies and what else models have: references to them and from them, delete rules, changes, a history. */

const database = useDatabase();

class Town extends model('towns', { name: z.string() }, { backRefs: { homes: backRef<House>(() => House, 'town') } }) {}
class House extends model(
  'houses',
  { name: z.string(), town: ref<Town>(() => Town, { onDelete: 'cascade' }).optional() },
  { history: true, backRefs: { guests: backRef<Guest>(() => Guest, 'house') } },
) {}
class Castle extends House.extend(
  { towers: z.bigint(), lord: ref<Guest>(() => Guest, { onDelete: 'unset' }).optional() },
  { type: 'castle', class: () => Castle },
) {}
class Ruin extends Castle.extend({ since: stored('s', z.int()) }, { type: 'ruin', class: () => Ruin }) {}
class Guest extends model('guests', {
  name: z.string(),
  house: ref<House>(() => House, { onDelete: 'restrict' }).optional(),
  castle: ref<Castle>(() => Castle, { onDelete: 'unset' }).optional(),
}) {}

beforeEach(async () => {
  for (const name of ['towns', 'houses', 'guests', 'houses_history']) await database.db.collection(name).deleteMany({});
  database.sent();
});

describe('delete rules', () => {
  it('are followed once for each document, whatever its class', async () => {
    const town = await Town.create({ name: 't' });
    await House.insertMany([
      new House({ name: 'h', town }),
      new Castle({ name: 'c', town, towers: 1n }),
      new Ruin({ name: 'r', town, towers: 1n, since: 1 }),
    ]);
    await town.delete();
    expect(await House.count()).toBe(0);
    expect(await database.db.collection('houses_history').countDocuments({ kind: 'delete' })).toBe(3);
  });

  it('are followed where the program used a class below only', async () => {
    class Room extends model('rule-rooms', { town: ref<Town>(() => Town, { onDelete: 'cascade' }) }) {}
    class Hall extends Room.extend({ seats: z.int() }, { type: 'hall', class: () => Hall }) {
      static readonly deleted: number[] = [];

      beforeDelete(): void {
        Hall.deleted.push(this.seats);
      }
    }
    const town = await Town.create({ name: 't' });
    await Hall.create({ town, seats: 5 });
    await town.delete();
    expect(Hall.deleted).toEqual([5]);
    expect(await database.db.collection('rule-rooms').countDocuments()).toBe(0);
  });

  it('of a reference to a class hold for the classes below it', async () => {
    const ruin = await Ruin.create({ name: 'r', towers: 1n, since: 1 });
    const guest = await Guest.create({ name: 'g', house: ruin, castle: ruin });
    const restricted = await ruin.delete().catch((error: unknown) => error);
    expect(restricted).toBeInstanceOf(RestrictedError);
    expect(restricted).toMatchObject({ count: 1 });
    await expect(House.deleteMany({}, { history: false })).rejects.toThrow("pass { rules: 'apply' }");
    guest.unset('house');
    await guest.save();
    await House.deleteMany({}, { rules: 'apply', history: false });
    expect((await Guest.findById(guest._id))?.castle).toBeUndefined();
  });

  it('of a reference that a class adds hold for its documents', async () => {
    const guest = await Guest.create({ name: 'g' });
    const castle = await Castle.create({ name: 'c', towers: 1n, lord: guest });
    await guest.delete();
    await castle.reload();
    expect(castle.lord).toBeUndefined();
    expect(await House.count()).toBe(1);
  });
});

describe('references', () => {
  it('back to a class find documents of all classes', async () => {
    const town = await Town.create({ name: 't' });
    const castle = await Castle.create({ name: 'c', town, towers: 1n });
    await House.create({ name: 'h', town });
    const guest = await Guest.create({ name: 'g', house: castle });
    const [found] = await Town.find().with('homes.guests');
    expect(found?.homes.map((home) => [home.constructor.name, home.guests.length]).toSorted()).toEqual([
      ['Castle', 1],
      ['House', 0],
    ]);
    const [read] = await Castle.find().with('guests');
    expect(read?.guests[0]?._id).toEqual(guest._id);
    const lazy = await House.find().sort({ name: 1 });
    database.sent();
    expect([(await lazy[0]?.guests.$load())?.length, (await lazy[1]?.guests.$load())?.length]).toEqual([1, 0]);
    expect(database.sent()).toHaveLength(1);
  });

  it('inside of documents of several classes are loaded by one query for each model', async () => {
    const town = await Town.create({ name: 't' });
    const guests = await Guest.insertMany([
      { name: 'a', house: await Castle.create({ name: 'c', town, towers: 1n }) },
      { name: 'b', house: await House.create({ name: 'h', town }) },
    ]);
    database.sent();
    const found = await Guest.find().with('house.town');
    expect(database.sent().map((command) => String(command['find']))).toEqual(['guests', 'houses', 'towns']);
    expect(found.map((guest) => guest.house?.$doc?.town?.$doc?.name)).toEqual(['t', 't']);
    expect(guests).toHaveLength(2);
  });

  it('to a class take no reference to another one', async () => {
    const motorcycle = await Motorcycle.create({ name: 'm' });
    class Driver extends model('drivers', { car: ref<Car>(() => Car) }) {}
    await expect(Driver.create({ car: Motorcycle.ref(motorcycle._id) as never })).rejects.toThrow(
      'Expected the _id of a Car',
    );
    const driver = await Driver.create({ car: Vehicle.ref(motorcycle._id) as never });
    expect(await driver.car.$load()).toBeNull();
  });
});

describe('what the collection as a whole tells', () => {
  it('is refused to a class that is a part of it', async () => {
    await Castle.create({ name: 'c', towers: 1n });
    expect(await House.estimatedCount()).toBe(1);
    await expect(Castle.estimatedCount()).rejects.toThrow('use count()');
    await expect(Castle.pruneHistory({ olderThan: new Date() })).rejects.toThrow('call pruneHistory() of the root');
    expect(await House.pruneHistory({ olderThan: new Date(Date.now() + 1000) })).toBe(1);
  });

  it('has the types of each class: in aggregations, and in changes', async () => {
    await Ruin.create({ name: 'r', towers: 5n, since: 1 });
    expect((await House.aggregate().match({ name: 'r' }))[0]).toMatchObject({ towers: 5n });
    await using changes = await House.watch([], { fullDocument: 'updateLookup' }).opened();
    await Ruin.updateMany({}, { $set: { towers: 6n, since: 2 } }, { history: false });
    for await (const change of changes) {
      if (change.operationType !== 'update') continue;
      expect(change.fullDocument).toBeInstanceOf(Ruin);
      expect(change.updateDescription.updatedFields).toMatchObject({ towers: 6n, since: 2 });
      break;
    }
  });
});

it('a hierarchy on another connection is saved and found there', async () => {
  const archive = await openDatabase();
  try {
    const There = Vehicle.using(archive.connection);
    const OurCar = Car.using(archive.connection);
    await OurCar.create({ name: 'far', doors: 2 });
    await There.create({ name: 'plain' });
    const found = await There.find().sort({ name: 1 });
    expect(found.map((each) => each instanceof Car)).toEqual([true, false]);
    for (const each of found) each.name += '!';
    await There.saveAll(found);
    expect((await OurCar.find()).map(({ name }) => name)).toEqual(['far!']);
    expect(await There.find().of(Car).count()).toBe(1);
    expect(await Vehicle.count({ name: 'far!' })).toBe(0);
    expect(OurCar.root?.prototype).toBeInstanceOf(Vehicle);
  } finally {
    await archive.close();
  }
});
