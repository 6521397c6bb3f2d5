import { useDatabase } from '../support/database.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, UsageError } from '../../src/index.ts';
import { storedThing, Thing } from '../support/things.ts';

useDatabase();

describe('what a document is made of', () => {
  it('is no other document, of which nothing would be copied', () => {
    // @ts-expect-error -- a document is no input
    expect(() => new Thing(new Thing({ name: 'Ann' }))).toThrow(UsageError);
  });

  it('is not changed by a constructor when it is read', async () => {
    class Aged extends model('things', { age: z.number().optional() }, { unknown: 'drop' }) {
      constructor(input: { age?: number }) {
        super({ ...input, age: 7 });
      }
    }
    const { _id } = await Aged.create({});
    await expect(Aged.findById(_id)).rejects.toThrow('The constructor of Aged must hand its first argument to super()');
  });

  it('may have getters and members that cannot be set', async () => {
    class Placed extends model('things', { place: z.object({ city: z.string().trim() }) }) {}
    const readOnly = { value: ' Oslo ', enumerable: true };
    const place = {
      get city() {
        return ' Rome ';
      },
    };
    const placed = await Placed.create({ place });
    expect((await storedThing(placed))?.['place']).toEqual({ city: 'Rome' });
    placed.place = Object.defineProperty({ city: '' }, 'city', { ...readOnly, writable: false });
    await placed.save();
    expect((await storedThing(placed))?.['place']).toEqual({ city: 'Oslo' });
  });
});
