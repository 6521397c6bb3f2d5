import { useDatabase } from '../support/database.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ObjectId } from 'mongodb';
import { Double, Int32, model } from '../../src/index.ts';
import { storedThing, Thing } from '../support/things.ts';

const database = useDatabase();

describe('BSON values changed in place', () => {
  it('are seen after a save', async () => {
    const thing = await Thing.create({ value: new Double(1.5) });
    thing.value = new Int32(5);
    await thing.save();
    (thing.value as Int32).value = 6;
    expect(thing.isModified()).toBe(true);
    await thing.save();
    expect((await storedThing(thing))?.['value']).toBe(6);
  });
});

it('forgets at a rollback that a field was assigned', async () => {
  class Placed extends model('things', { place: z.object({ city: z.string().trim(), n: z.number() }) }) {}
  const _id = new ObjectId();
  await database.db.collection('things').insertOne({ _id, place: { city: ' x ', n: 1 } });
  const placed = await Placed.findById(_id);
  if (placed === null) throw new Error('Expected the document to be stored');
  placed.place = { city: 'y', n: 2 };
  placed.rollback();
  placed.place.n = 3;
  await placed.save();
  expect((await storedThing(placed))?.['place']).toEqual({ city: ' x ', n: 3 });
});

it('inserts a default that was changed in place after its field was removed', async () => {
  const thing = new Thing({});
  thing.unset('tags');
  thing.tags.push('a');
  await Thing.insertMany([thing]);
  expect((await storedThing(thing))?.['tags']).toEqual(['a']);
});
