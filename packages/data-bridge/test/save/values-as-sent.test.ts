import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, objectId } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Values extends model('sent_values', {
  name: z.string().optional(),
  age: z.int().optional(),
  score: z.number().optional(),
  active: z.boolean().optional(),
  tags: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  createdAt: z.date().optional(),
  refId: objectId().optional(),
}) {}

type Input = ConstructorParameters<typeof Values>[0];

const HEX = '507f1f77bcf86cd799439011';

describe('values as the server gets them', () => {
  useDatabase();

  /** Does the server see the stored document by this filter? The driver's own, so that the mapper has no part in it. */
  const isStoredAs = async (input: Input, filter: object): Promise<boolean> => {
    const { _id } = await Values.create(input);
    return (await Values.collection.countDocuments({ ...filter, _id })) === 1;
  };

  it('TYPES-01 a string', async () => {
    expect(await isStoredAs({ name: 'Alice' }, { name: { $type: 'string' } })).toBe(true);
  });

  it('TYPES-02 an integer, not a string or a double', async () => {
    expect(await isStoredAs({ age: 30 }, { age: { $type: 'int' } })).toBe(true);
    expect(await isStoredAs({ age: 30 }, { age: { $type: ['string', 'double'] } })).toBe(false);
  });

  it('TYPES-03 a number with a fraction as a double', async () => {
    expect(await isStoredAs({ score: 95.5 }, { score: { $type: 'double' } })).toBe(true);
  });

  it('TYPES-04 true as a bool, not as 1', async () => {
    expect(await isStoredAs({ active: true }, { active: { $type: 'bool' } })).toBe(true);
    expect(await isStoredAs({ active: true }, { active: 1 })).toBe(false);
  });

  it('TYPES-05 an array that matches whole, in its order', async () => {
    const tags = ['a', 'b', 'c'];
    expect(await isStoredAs({ tags }, { tags, 'tags.0': { $type: 'string' } })).toBe(true);
    expect(await isStoredAs({ tags }, { tags: ['b', 'a', 'c'] })).toBe(false);
    expect(await Values.exists({ tags })).toBe(true);
  });

  it('TYPES-06 an embedded object of exactly its entries', async () => {
    const metadata = { key: 'value', count: 42 };
    expect(await isStoredAs({ metadata }, { metadata })).toBe(true);
    expect(await isStoredAs({ metadata: { ...metadata, more: 1 } }, { metadata })).toBe(false);
    expect(await Values.count({ metadata })).toBe(1);
  });

  it('TYPES-07 a Date compared as a date, which finds later documents only', async () => {
    const [early, late] = [new Date('2025-03-01T00:00:00Z'), new Date('2025-03-03T00:00:00Z')];
    expect(await isStoredAs({ name: 'early', createdAt: early }, { createdAt: { $type: 'date' } })).toBe(true);
    await Values.create({ name: 'late', createdAt: late });
    const found = await Values.find({ createdAt: { $gt: new Date('2025-03-02T00:00:00Z') } });
    expect(found.map(({ name }) => name)).toEqual(['late']);
  });

  it('TYPES-08 a Date that is found by its millisecond', async () => {
    const createdAt = new Date('2024-06-01T12:34:56.789Z');
    expect(await isStoredAs({ createdAt }, { createdAt })).toBe(true);
    expect((await Values.findOne({ createdAt }))?.createdAt).toEqual(createdAt);
    expect(await Values.exists({ createdAt: new Date(createdAt.getTime() + 1) })).toBe(false);
  });

  it('TYPES-15 an _id that is read back as an ObjectId of the driver', async () => {
    const { _id } = await Values.create({ name: 'with an id' });
    const found = await Values.findById(_id);
    expect(found?._id).toBeInstanceOf(ObjectId);
    expect(found?._id).toEqual(_id);
  });
});

describe('ids', () => {
  const check = (value: unknown): unknown => {
    const result = objectId()['~standard'].validate(value);
    if (result instanceof Promise) throw new Error('Expected objectId() to check at once');
    return result.issues === undefined ? result.value : 'refused';
  };
  const hexOf = (value: unknown): unknown => (value instanceof ObjectId ? value.toHexString() : value);

  it('TYPES-09 of a new document print as 24 hexadecimal digits', () => {
    expect(String(new Values({})._id)).toMatch(/^[0-9a-f]{24}$/);
  });

  it('TYPES-10 are made of 24 hexadecimal digits', () => {
    expect(check(HEX)).toBeInstanceOf(ObjectId);
    expect(hexOf(check(HEX))).toBe(HEX);
  });

  it('TYPES-11 are taken as they are', () => {
    expect(hexOf(check(new ObjectId(HEX)))).toBe(HEX);
  });

  it('TYPES-12 are not made of any text', () => {
    expect(check('invalid')).toBe('refused');
  });

  it('TYPES-13 of the same digits are equal', () => {
    expect(new ObjectId(HEX).equals(new ObjectId(HEX))).toBe(true);
    expect(new ObjectId(HEX).equals(HEX)).toBe(true);
  });

  it('TYPES-14 serve as keys by their digits', () => {
    expect(new Set([new ObjectId(HEX), new ObjectId(HEX)].map((id) => id.toHexString())).size).toBe(1);
  });

  it('TYPES-16 are digits or ObjectIds, and neither other texts nor numbers', () => {
    expect([HEX, new ObjectId(HEX), 'invalid', 12_345].map(check).map(hexOf)).toEqual([HEX, HEX, 'refused', 'refused']);
  });
});
