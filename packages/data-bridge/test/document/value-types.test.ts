import { Binary, Decimal128, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { binary, decimal, model, objectId } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Values extends model('values', {
  text: z.string().optional(),
  integer: z.int().optional(),
  number: z.number().optional(),
  flag: z.boolean().default(true),
  list: z.array(z.string()).optional(),
  record: z.record(z.string(), z.unknown()).optional(),
  when: z.date().optional(),
  price: decimal().optional(),
  bytes: binary().optional(),
  refId: objectId().optional(),
  free: z.unknown(),
}) {}

type Input = ConstructorParameters<typeof Values>[0];

describe('values of every type', () => {
  useDatabase();

  const reread = async (input: Input): Promise<Values> => {
    const { _id } = await Values.create(input);
    const found = await Values.findById(_id);
    if (found === null) throw new Error('Expected the document to be stored');
    return found;
  };
  const rereadFree = async (free: unknown): Promise<unknown> => (await reread({ free })).free;

  it('TYPES-17 a string', async () => {
    expect((await reread({ text: 'hello world' })).text).toBe('hello world');
  });

  it('TYPES-18 an integer', async () => {
    expect((await reread({ integer: 42 })).integer).toBe(42);
  });

  it('TYPES-19 a number', async () => {
    expect((await reread({ number: 3.14159 })).number).toBe(3.14159);
  });

  it('TYPES-20 false where the default is true', async () => {
    expect((await reread({ flag: false })).flag).toBe(false);
  });

  it('TYPES-21 an array of strings in its order', async () => {
    expect((await reread({ list: ['one', 'two', 'three'] })).list).toEqual(['one', 'two', 'three']);
  });

  it('TYPES-22 a record', async () => {
    expect((await reread({ record: { key: 'value', count: 42 } })).record).toEqual({ key: 'value', count: 42 });
  });

  it('TYPES-23 a Date to the millisecond', async () => {
    const when = new Date();
    const found = await reread({ when });
    expect(found.when).toBeInstanceOf(Date);
    expect(found.when?.getTime()).toBe(when.getTime());
  });

  it('TYPES-24 a decimal', async () => {
    const found = await reread({ price: '123.45' });
    expect(found.price).toBeInstanceOf(Decimal128);
    expect(found.price?.toString()).toBe('123.45');
  });

  it('TYPES-25 bytes as a Uint8Array', async () => {
    const found = await reread({ bytes: Uint8Array.of(0, 1, 2, 3, 255, 254, 253) });
    expect(found.bytes).toBeInstanceOf(Uint8Array);
    expect([...(found.bytes ?? [])]).toEqual([0, 1, 2, 3, 255, 254, 253]);
  });

  it('TYPES-26 an ObjectId beside _id', async () => {
    const refId = new ObjectId();
    expect((await reread({ refId })).refId?.toHexString()).toBe(refId.toHexString());
  });

  it('TYPES-27 found by an ObjectId', async () => {
    const refId = new ObjectId();
    const { _id } = await Values.create({ refId });
    expect((await Values.findOne({ refId }))?._id).toEqual(_id);
    expect((await Values.findOne({ refId: refId.toHexString() as never }))?._id).toEqual(_id);
  });

  it('TYPES-28 null in a free-form field', async () => {
    const found = await reread({ free: null });
    expect(found.toObject()).toHaveProperty('free', null);
    expect(found.free).toBeNull();
  });

  it('TYPES-29 booleans in a free-form field', async () => {
    expect([await rereadFree(true), await rereadFree(false)]).toEqual([true, false]);
  });

  it('TYPES-30 integers in a free-form field', async () => {
    expect([await rereadFree(42), await rereadFree(2147483648)]).toEqual([42, 2147483648]);
  });

  it('TYPES-31 numbers in a free-form field', async () => {
    expect([await rereadFree(3.14), await rereadFree(Infinity)]).toEqual([3.14, Infinity]);
  });

  it('TYPES-32 strings in a free-form field', async () => {
    expect([await rereadFree('hello'), await rereadFree('世界🚀')]).toEqual(['hello', '世界🚀']);
  });

  it('TYPES-33 bytes with a zero byte inside', async () => {
    const found = await rereadFree(Uint8Array.of(1, 0, 2));
    expect(found).toBeInstanceOf(Binary);
    expect([...(found as Binary).value()]).toEqual([1, 0, 2]);
    expect([...((await reread({ bytes: Uint8Array.of(1, 0, 2) })).bytes ?? [])]).toEqual([1, 0, 2]);
  });

  it('TYPES-34 an empty array', async () => {
    expect(await rereadFree([])).toStrictEqual([]);
  });

  it('TYPES-35 an array of several types', async () => {
    expect(await rereadFree([1, 'two', 3, true, null])).toStrictEqual([1, 'two', 3, true, null]);
  });

  it('TYPES-36 an empty object', async () => {
    expect(await rereadFree({})).toStrictEqual({});
  });

  it('TYPES-37 three levels of objects', async () => {
    expect(await rereadFree({ a: { b: { c: 'deep' } } })).toStrictEqual({ a: { b: { c: 'deep' } } });
  });

  it('TYPES-38 an ObjectId in a free-form field', async () => {
    const id = new ObjectId();
    const found = await rereadFree(id);
    expect(found).toBeInstanceOf(ObjectId);
    expect(id.equals(found as ObjectId)).toBe(true);
  });

  it('TYPES-39 a Date in a free-form field', async () => {
    expect(await rereadFree(new Date('2024-01-15T10:30:45Z'))).toStrictEqual(new Date('2024-01-15T10:30:45Z'));
  });

  it('TYPES-40 objects and arrays of several types together', async () => {
    const value = () => ({
      users: [
        { name: 'Ann', age: 30 },
        { name: 'Bob', age: 25 },
      ],
      meta: { created: new Date(0), by: ObjectId.createFromHexString('507f1f77bcf86cd799439011') },
    });
    expect(await rereadFree(value())).toEqual(value());
  });

  it('TYPES-41 twenty levels', async () => {
    let value: object | undefined;
    for (let level = 19; level >= 0; level--) value = value === undefined ? { level } : { level, next: value };
    expect(await rereadFree(value)).toStrictEqual(value);
  });
});
