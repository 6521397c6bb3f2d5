import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, objectId, ObjectId, stored } from '../src/index.ts';
import { openDatabase, type TestDatabase } from './support/database.ts';

class Range extends model(
  'ranges',
  {
    name: z.string(),
    minimum: stored('min', z.number().min(0)),
    owner: stored('o', objectId().optional()),
    place: stored('p', z.object({ city: z.string() }).optional()),
    tags: stored('t', z.array(z.string()).default([])),
  },
  { unknown: 'keep' },
) {}

let database: TestDatabase;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());

const raw = (id: unknown) => database.db.collection('ranges').findOne({ _id: id as never });

describe('a field stored under another name', () => {
  it('is stored under that one, read under its own', async () => {
    const range = await Range.create({ name: 'a', minimum: 3, place: { city: 'Rome' } });
    expect(await raw(range._id)).toEqual({ _id: range._id, name: 'a', min: 3, p: { city: 'Rome' }, t: [] });
    const found = await Range.findOne({ minimum: 3 });
    expect(found?.toObject()).toEqual({ _id: range._id, name: 'a', minimum: 3, place: { city: 'Rome' }, tags: [] });
    expect(JSON.parse(JSON.stringify(found))).toMatchObject({ minimum: 3 });
    expect(inspect(found)).toContain('minimum: 3');
  });

  it('is changed, told and saved', async () => {
    const range = await Range.create({ name: 'b', minimum: 3, place: { city: 'Rome' } });
    range.minimum = 4;
    range.set('place.city', 'Paris');
    range.$push('tags', 'x');
    expect(range.isModified('minimum')).toBe(true);
    expect(range.isModified('place')).toBe(true);
    expect(range.get('place.city')).toBe('Paris');
    const changes = [
      { path: 'minimum', keys: ['minimum'], from: 3, to: 4 },
      { path: 'place.city', keys: ['place', 'city'], from: 'Rome', to: 'Paris' },
    ];
    expect(range.changes()).toEqual(expect.arrayContaining(changes));
    database.sent();
    await range.save();
    expect(range.$previousChanges()).toEqual(expect.arrayContaining(changes));
    expect(await raw(range._id)).toEqual({ _id: range._id, name: 'b', min: 4, p: { city: 'Paris' }, t: ['x'] });
    range.minimum = 9;
    range.rollback('minimum');
    expect(range.minimum).toBe(4);
    range.unset('place');
    await range.save();
    expect(await raw(range._id)).toEqual({ _id: range._id, name: 'b', min: 4, t: ['x'] });
  });
});

export { ObjectId };
