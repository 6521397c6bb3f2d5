import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model, type ModelOf, type Ref } from '../../src/index.ts';
import { Car, Motorcycle, Owner, Sports, Vehicle } from '../support/vehicles.ts';

describe('the types of a hierarchy', () => {
  it('give documents the fields of all classes above theirs', () => {
    const look = async (car: Car, sports: Sports): Promise<void> => {
      expectTypeOf(sports.hp).toEqualTypeOf<number>();
      expectTypeOf(sports.doors).toEqualTypeOf<number>();
      expectTypeOf(sports.name).toEqualTypeOf<string>();
      expectTypeOf(sports.owner).toEqualTypeOf<Ref<Owner> | undefined>();
      expectTypeOf(sports.toObject().hp).toEqualTypeOf<number>();
      expectTypeOf(sports.toObject().name).toEqualTypeOf<string>();
      expectTypeOf(car.get('doors')).toEqualTypeOf<number>();
      expectTypeOf(sports.get('name')).toEqualTypeOf<string>();
      expectTypeOf(sports).toExtend<Car>();
      expectTypeOf(car).toExtend<Vehicle>();
      expectTypeOf(car).not.toExtend<Sports>();
      expectTypeOf(await Sports.find().lean())
        .items.toHaveProperty('name')
        .toEqualTypeOf<string>();
      expectTypeOf(await Sports.find().lean())
        .items.toHaveProperty('hp')
        .toEqualTypeOf<number>();
      car.$inc('doors', 1);
      sports.assign({ name: 'x', hp: 3 });
      const own = await sports.owner?.$load();
      expectTypeOf(own?.name).toEqualTypeOf<string | undefined>();
    };
    expectTypeOf(look).toBeFunction();
  });

  it('let statics take what their class has, and refuse what it has not', () => {
    const look = async (car: Car): Promise<void> => {
      await Car.find({ doors: 4, name: 'x' });
      await Sports.find({ hp: 3, doors: 2 }).sort({ hp: -1 }).with('owner', 'rival.owner');
      // @ts-expect-error a vehicle has no doors
      await Vehicle.find({ doors: 4 });
      // @ts-expect-error not a number
      await Car.find({ doors: 'x' });
      await Car.create({ name: 'x', doors: 4 });
      // @ts-expect-error doors are missing
      await Car.create({ name: 'x' });
      // @ts-expect-error the name is missing
      await Sports.create({ doors: 2, hp: 1 });
      await Motorcycle.create({ name: 'm' });
      new Sports({ name: 'x', doors: 2, hp: 1 });
      await Sports.insertMany([{ name: 'x', doors: 2, hp: 1 }]);
      await Sports.updateMany({ name: 'x' }, { $inc: { hp: 1, doors: 2 } });
      expectTypeOf(await Car.findOne({ name: 'x' })).toEqualTypeOf<Car | null>();
      expectTypeOf(await Car.named('x')).toEqualTypeOf<Car[]>();
      expectTypeOf(await Vehicle.find().of(Sports)).toEqualTypeOf<Sports[]>();
      expectTypeOf(await Vehicle.find().exactly(Vehicle)).toEqualTypeOf<Vehicle[]>();
      // @ts-expect-error an owner is no vehicle
      await Vehicle.find().of(Owner);
      const [owner] = await Owner.find().with('first', 'car');
      expectTypeOf(owner?.car?.$doc?.doors).toEqualTypeOf<number | undefined>();
      // @ts-expect-error a name of every document
      Vehicle.extend({ save: z.string() }, { type: 'x', class: () => Car });
      for (const each of await Vehicle.find())
        if (each instanceof Sports) expectTypeOf(each.hp).toEqualTypeOf<number>();
        else if (each instanceof Car) expectTypeOf(each.doors).toEqualTypeOf<number>();
      const all: ModelOf<Car> = Car;
      expectTypeOf(await all.findOne()).toEqualTypeOf<Car | null>();
      expectTypeOf(Car.type).toEqualTypeOf<string | null>();
      expectTypeOf(car.$clone()).toExtend<Car>();
    };
    expectTypeOf(look).toBeFunction();
  });

  it('keep the history of the root', () => {
    class Thing extends model('things', { a: z.string() }, { history: true }) {}
    class Part extends Thing.extend({ b: z.int() }, { type: 'part', class: () => Part }) {}
    const look = async (part: Part): Promise<void> => {
      expectTypeOf(part.$revision).toEqualTypeOf<number | null>();
      expectTypeOf((await Part.asOf(part._id, 1))?.b).toEqualTypeOf<number | undefined>();
      expectTypeOf(await Part.restore(part._id)).toEqualTypeOf<Part>();
    };
    expectTypeOf(look).toBeFunction();
  });
});
