import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

const fields = { name: z.string().min(3), age: z.int().optional() };
class Checked extends model('checked', fields, { timestamps: true }) {}

describe('ensureCollection', () => {
  useDatabase();

  it('gives a new collection the schema as its validator', async () => {
    expect(await Checked.ensureCollection({ validator: true })).toBe(true);
    const ann = await Checked.create({ name: 'Ann', age: 2_147_483_648 });
    expect(ann.isModified()).toBe(false);
    await expect(Checked.collection.insertOne({ name: 'Al' })).rejects.toMatchObject({ code: 121 });
    await expect(Checked.collection.insertOne({ name: 'Bob', createdAt: 'today' })).rejects.toMatchObject({
      code: 121,
    });
  });

  it('gives it to a collection that was there', async () => {
    class Later extends model('later', fields) {}
    expect(await Later.ensureCollection()).toBe(true);
    await Later.collection.insertOne({ name: 'Al' });
    expect(await Later.ensureCollection({ validator: true })).toBe(false);
    await expect(Later.collection.insertOne({ name: 'Al' })).rejects.toMatchObject({ code: 121 });
  });

  it('takes a validator of the program', async () => {
    class Own extends model('own', fields) {}
    expect(await Own.ensureCollection({ validator: { name: { $ne: 'nobody' } } })).toBe(true);
    await expect(Own.collection.insertOne({ name: 'nobody' })).rejects.toMatchObject({ code: 121 });
  });

  it('shows the schema', () => {
    expect(Checked.jsonSchema).toMatchObject({
      bsonType: 'object',
      required: ['name'],
      properties: { name: { bsonType: 'string', minLength: 3 }, createdAt: { bsonType: 'date' } },
    });
  });
});
