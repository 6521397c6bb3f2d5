import type { ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Double, EncodeError, Int32, model, StateTracker } from '../src/index.ts';
import { openDatabase, type TestDatabase } from './support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());

class Thing extends model('things', {
  name: z.string().trim().optional(),
  age: z.number().min(0).optional(),
  value: z.unknown().optional(),
  tags: z.array(z.string()).default([]),
}) {}

/** What is stored, as the driver reads it. */
const stored = ({ _id }: { readonly _id: unknown }) =>
  database.db.collection('things').findOne({ _id: _id as ObjectId });

describe('BSON values changed in place', () => {
  it('are seen after a save', async () => {
    const thing = await Thing.create({ value: new Double(1.5) });
    const value = new Int32(5);
    thing.value = value;
    await thing.save();
    value.value = 6;
    expect(thing.isModified()).toBe(true);
    await thing.save();
    expect((await stored(thing))?.['value']).toBe(6);
  });

  it('are seen in a plain object', () => {
    const tracker = new StateTracker({ n: new Int32(1) });
    tracker.get('n').value = 2;
    expect(tracker.changedFields()).toEqual(['n']);
  });
});

describe('names that BSON cannot hold', () => {
  it.each(['a\0b', '\uD800', '_bsontype'])('%j is refused before anything is sent', async (name) => {
    const thing = await Thing.create({ age: 1 });
    database.sent();
    thing.set(name, 1);
    await expect(thing.save()).rejects.toThrow(EncodeError);
    expect(database.sent()).toEqual([]);
  });
});
