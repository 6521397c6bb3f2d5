import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { softDelete, tenant, withTenant } from '../../src/extensions.ts';
import { model, ref, RestrictedError } from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';
import { useDatabase } from '../support/database.ts';

class Author extends model('rule-authors', { name: z.string() }) {}

const database = useDatabase();

describe('rules and extensions', () => {
  class Shop extends model('shops', { name: z.string(), ...softDelete.fields }, { extensions: [softDelete] }) {}
  class Item extends model(
    'items',
    { shop: ref<Shop>(() => Shop, { onDelete: 'cascade' }).optional(), ...softDelete.fields },
    { extensions: [softDelete] },
  ) {}
  class Room extends model(
    'rooms',
    { shop: ref<Shop>(() => Shop, { onDelete: 'restrict' }).optional(), ...tenant.fields },
    { extensions: [tenant] },
  ) {}
  class Place extends model(
    'places',
    { name: z.string(), room: ref<Place>(() => Place, { onDelete: 'cascade' }).optional(), ...tenant.fields },
    { extensions: [tenant] },
  ) {}

  it('what is deleted softly takes along softly, { hard: true } for good and what was deleted softly before', async () => {
    await withTenant('a', async () => {
      const shop = await Shop.create({ name: 's' });
      await Item.insertMany([{ shop }, { shop }]);
      await (await Item.findOne())?.delete();
      const [alive] = await Item.find();
      const before = (await Item.find().unscoped('softDelete')).find((each) => each.deletedAt !== null);
      await shop.delete();
      expect(await Item.count()).toBe(0);
      expect((await Item.findById(alive!._id).unscoped('softDelete'))?.deletedAt).toBeInstanceOf(Date);
      expect((await Item.findById(before!._id).unscoped('softDelete'))?.deletedAt).toEqual(before?.deletedAt);
      const [kept] = await Shop.find().unscoped('softDelete');
      await kept?.delete({ hard: true });
      expect([await Shop.count({}, { unscoped: true }), await Item.count({}, { unscoped: true })]).toEqual([0, 0]);
    });
  });

  it('a scope that is none of the deletion holds: what another tenant has neither restricts nor goes', async () => {
    const shop = await Shop.create({ name: 's' });
    await withTenant('b', () => Room.create({ shop }));
    await expect(shop.delete()).rejects.toThrow('There is no tenant');
    await expect(withTenant('b', () => shop.delete())).rejects.toThrow(RestrictedError);
    await expect(Shop.deleteOne({ _id: shop._id }, { unscoped: ['softDelete'] })).rejects.toThrow('There is no tenant');
    await withTenant('a', () => shop.delete({ hard: true }));
    expect(await Room.count({}, { unscoped: true })).toBe(1);
    const room = await withTenant('a', () => Place.create({ name: 'r' }));
    await withTenant('b', () => Place.create({ name: 'other', room }));
    await withTenant('a', async () => {
      await Place.create({ name: 'own', room });
      await room.delete();
    });
    expect((await Place.find().unscoped('tenant')).map(({ name }) => name)).toEqual(['other']);
  });
});

describe('rules and hierarchies', () => {
  const called: string[] = [];
  class Part extends model('rule-spare-parts', { name: z.string() }) {}
  class Garage extends model('rule-garages', { name: z.string() }) {}
  class Vehicle extends model('rule-vehicles', {
    name: z.string(),
    garage: ref<Garage>(() => Garage, { onDelete: 'cascade' }).optional(),
  }) {}
  class Car extends Vehicle.extend(
    { spare: ref<Part>(() => Part, { onDelete: 'unset' }).optional() },
    { type: 'car', class: () => Car },
  ) {
    beforeDelete(): void {
      called.push(this.name);
    }
  }
  class Bike extends Vehicle.extend({ gears: z.int() }, { type: 'bike', class: () => Bike }) {}
  class Ticket extends model('rule-tickets', { car: ref<Car>(() => Car, { onDelete: 'cascade' }) }) {}
  class Sign extends model('rule-signs', {
    on: ref.oneOf<Vehicle | Garage>(
      () => Vehicle,
      () => Garage,
      { onDelete: 'cascade' },
    ),
  }) {}

  it('hold for documents of each class, whichever class finds them', async () => {
    const garage = await Garage.create({ name: 'g' });
    const part = await Part.create({ name: 'p' });
    const car = await Car.create({ name: 'c', garage, spare: part });
    const bike = await Bike.create({ name: 'b', garage, gears: 3 });
    await Vehicle.create({ name: 'v' });
    await Ticket.create({ car });
    await Sign.insertMany([{ on: car }, { on: garage }, { on: bike }]);
    const signs = await Sign.find().sort({ _id: 1 }).with('on');
    expect(signs.map(({ on }) => on.$doc?.constructor)).toEqual([Car, Garage, Bike]);
    await part.delete();
    expect((await Car.findById(car._id))?.spare).toBeUndefined();
    await expect(Vehicle.deleteMany({})).rejects.toThrow(/rules: 'apply'/);
    await garage.delete();
    expect([await Ticket.count(), await Sign.count(), called]).toEqual([0, 0, ['c']]);
    expect((await Vehicle.find()).map(({ name }) => name)).toEqual(['v']);
    const other = await Bike.create({ name: 'o', gears: 1 });
    await Sign.create({ on: other });
    expect((await Vehicle.deleteOne({ name: 'o' })).deletedCount).toBe(1);
    expect(await Sign.count()).toBe(0);
  });
});

describe('rules that cannot be followed', () => {
  it('are refused when the model is made', () => {
    const refused = (fields: Parameters<typeof model>[1]): unknown => {
      try {
        return model('refused', fields as never);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused({ a: ref<Author>(() => Author, { onDelete: 'unset' }) })).toMatch(/"a".*optional\(\) or nullable/);
    expect(refused({ o: z.object({ a: zref<Author>(() => Author, { onDelete: 'unset' }) }) })).toMatch(/"o.a"/);
    expect(refused({ t: z.tuple([zref<Author>(() => Author, { onDelete: 'unset' }).optional()]) })).toMatch(/"t.0"/);
    expect(refused({ o: z.object({ 'a.b': zref<Author>(() => Author, { onDelete: 'cascade' }) }) })).toMatch(/name/);
    const Tree = z.object({
      author: zref<Author>(() => Author, { onDelete: 'cascade' }),
      get inner() {
        return z.array(Tree);
      },
    });
    expect(refused({ tree: Tree })).toMatch(/"tree.inner".*contains itself/);
  });

  it('and so are options that ref() does not know', () => {
    expect(() => ref<Author>(() => Author, { onDelete: 'delete' as 'cascade' })).toThrow(/'restrict', 'cascade' or/);
    expect(() => ref<Author>(() => Author, { on: 1 } as never)).toThrow(/not "on"/);
    expect(() => ref<Author>(() => Author, 'cascade' as never)).toThrow(/an object, got a string/);
    expect(() => ref<Author>(() => Author, { class: () => Author })).toThrow(/beside "onDelete"/);
  });

  it('a class that nobody used yet must be named, since it may have hooks', async () => {
    class Owner extends model('owners', { name: z.string() }) {}
    const calls: string[] = [];
    class Pet extends model('pets', {
      owner: ref<Owner>(() => Owner, { onDelete: 'cascade' }),
    }) {
      beforeDelete(): void {
        calls.push('pet');
      }
    }
    class Toy extends model('toys', {
      owner: ref<Owner>(() => Owner, { onDelete: 'cascade', class: () => Toy }),
    }) {
      beforeDelete(): void {
        calls.push('toy');
      }
    }
    const owner = await Owner.create({ name: 'o' });
    await database.db.collection('toys').insertOne({ owner: owner._id });
    await database.db.collection('pets').insertOne({ owner: owner._id });
    await expect(owner.delete()).rejects.toThrow(/class: \(\) => TheClass/);
    expect([await Owner.count(), calls]).toEqual([1, []]);
    expect(await Pet.count()).toBe(1);
    await owner.delete();
    expect(calls.toSorted()).toEqual(['pet', 'toy']);
    expect(await Toy.count()).toBe(0);
  });
});
