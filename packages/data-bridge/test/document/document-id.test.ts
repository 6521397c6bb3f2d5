import { useDatabase } from '../support/database.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ObjectId } from 'mongodb';
import { model, UsageError } from '../../src/index.ts';
import { Thing } from '../support/things.ts';

useDatabase();

describe('an _id', () => {
  it('cannot be changed in place', async () => {
    class Keyed extends model('keyed', { _id: z.object({ a: z.number() }) }) {}
    const keyed = await Keyed.create({ _id: { a: 1 } });
    keyed._id.a = 2;
    await expect(keyed.save()).rejects.toThrow(UsageError);
  });

  it.each([undefined, null])('cannot be %s, for which the driver would make one', async (_id) => {
    class Keyed extends model('keyed', { _id: z.any() }) {}
    await expect(Keyed.create({ _id })).rejects.toThrow(UsageError);
    await expect(Keyed.insertMany([{ _id }])).rejects.toThrow(UsageError);
  });

  it('becomes an ObjectId when a new document is assigned its text', () => {
    const thing = new Thing({});
    const hex = '507f1f77bcf86cd799439011';
    thing.set('_id', hex);
    expect(thing._id).toEqual(new ObjectId(hex));
    expect(() => thing.set('_id', 'x')).toThrow(UsageError);
  });
});
