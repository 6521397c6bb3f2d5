import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, UsageError, ValidationError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { storedThing, Thing } from '../support/things.ts';

useDatabase();

describe('a change made while a save is under way', () => {
  it('is not sent before it was validated', async () => {
    const thing = await Thing.create({ age: 1 });
    thing.age = 2;
    const saved = thing.save();
    thing.age = -5;
    await saved;
    expect((await storedThing(thing))?.['age']).toBe(2);
    await expect(thing.save()).rejects.toThrow(ValidationError);
  });

  it('is not inserted before it was validated', async () => {
    const things = [new Thing({ age: 1 }), new Thing({ age: 1 })];
    const [one, other] = things as [Thing, Thing];
    const saved = [one.save(), Thing.insertMany([other])];
    one.age = other.age = -5;
    await Promise.all(saved);
    for (const thing of things) {
      expect((await storedThing(thing))?.['age']).toBe(1);
      await expect(thing.save()).rejects.toThrow(ValidationError);
    }
  });

  it('goes through its transform with the next save', async () => {
    const thing = await Thing.create({ age: 1 });
    thing.age = 2;
    const saved = thing.save();
    thing.name = '  Ann ';
    await saved;
    await thing.save();
    expect((await storedThing(thing))?.['name']).toBe('Ann');
  });

  it('is validated when it was made while a rule waited', async () => {
    let release = (): void => {};
    const asked = new Promise<void>((resolve) => (release = resolve));
    class Ruled extends model(
      'things',
      { age: z.number().min(0) },
      {
        check: async () => {
          await asked;
          return [];
        },
      },
    ) {}
    const { _id } = await Thing.create({ age: 1 });
    const ruled = Ruled.hydrate({ _id, age: 1 });
    ruled.age = 2;
    const saved = ruled.save();
    ruled.age = -5;
    release();
    await expect(saved).rejects.toThrow(ValidationError);
    expect((await storedThing(ruled))?.['age']).toBe(1);
  });
});

describe('a new document whose insert is under way', () => {
  it('can be deleted', async () => {
    const thing = new Thing({});
    const saved = thing.save();
    const deleted = thing.delete();
    await saved;
    expect(await deleted).toBe(true);
    expect(await storedThing(thing)).toBe(null);
  });

  it('can be reloaded', async () => {
    const thing = new Thing({ name: 'Ann' });
    const saved = thing.save();
    expect((await thing.reload()).name).toBe('Ann');
    await saved;
  });

  it('keeps its _id', async () => {
    const thing = new Thing({});
    const saved = thing.save();
    const { _id } = thing;
    thing.set('_id', new ObjectId());
    await saved;
    await expect(thing.save()).rejects.toThrow(UsageError);
    thing.rollback('_id');
    expect(thing._id).toEqual(_id);
    await thing.save();
  });
});
