import { useDatabase } from '../support/database.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ObjectId } from 'mongodb';
import { EncodeError, model } from '../../src/index.ts';

class Free extends model(
  'free',
  { name: z.string().default(''), value: z.unknown(), record: z.record(z.string(), z.unknown()).optional() },
  { unknown: 'keep' },
) {}

const database = useDatabase();

async function load(_id: ObjectId): Promise<Free> {
  const found = await Free.findById(_id);
  if (found === null) throw new Error('Expected the document to be stored');
  return found;
}

describe('what BSON cannot hold', () => {
  class Point {
    readonly x = 1;
  }
  const cyclic: { self?: unknown } = {};
  cyclic.self = [cyclic];
  let deep: unknown = 1;
  for (let level = 0; level < 101; level++) deep = [deep];

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a cycle', cyclic],
    ['a Set', new Set([1])],
    ['a WeakMap', new WeakMap()],
    ['a Promise', Promise.resolve()],
    ['an invalid Date', new Date(Number.NaN)],
    ['an Int16Array', new Int16Array(1)],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a lone surrogate', 'a\udc00b'],
    ['a bigint beyond 64 bits', -(2n ** 63n) - 1n],
    ['an instance of a class', new Point()],
    ['an Error', new Error('x')],
    ['a URL', new URL('https://example.com')],
    ['more than 100 levels', deep],
    ['a RegExp with a flag that MongoDB does not have', /x/u],
    ['a key with a zero byte', { 'a\0b': 1 }],
    ['a Map with a key that is no string', new Map([[1, 1]])],
    ['a value with an own _bsontype', { _bsontype: 'ObjectId' }],
  ])('is refused by its path before anything is sent: %s', async (_, value) => {
    const stored = await Free.create({ name: 'before' });
    const fresh = new Free({ value: { list: [1, value] } });
    database.sent();
    stored.name = 'after';
    stored.value = { list: [1, value] };
    for (const save of [() => stored.save(), () => fresh.save(), () => Free.insertMany([fresh, { name: 'other' }])]) {
      const error: unknown = await save().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(EncodeError);
      expect((error as EncodeError).code).toBe('DATA_BRIDGE_ENCODE');
      expect((error as EncodeError).path).toMatch(/^value\.list\.1/);
      expect((error as EncodeError).keys.slice(0, 3)).toEqual(['value', 'list', 1]);
    }
    expect(database.sent()).toEqual([]);
    expect([fresh.$isNew, stored.$state.changedFields().toSorted()]).toEqual([true, ['name', 'value']]);
    stored.value = 1;
    fresh.value = 1;
    await stored.save();
    await fresh.save();
    expect(await load(stored._id).then((found) => [found.name, found.value])).toEqual(['after', 1]);
  });

  it('is refused inside an array that was changed in place', async () => {
    const free = await Free.create({ value: [1] });
    (free.value as unknown[]).push(() => 1);
    await expect(free.save()).rejects.toThrow('"value.1"');
    (free.value as unknown[]).pop();
    expect(free.isModified()).toBe(false);
  });

  it('is a document over the size that a server takes', async () => {
    const free = await Free.create({ name: 'before' });
    const fresh = new Free({});
    // case: from 17 MiB on the driver cannot write the command at all
    // case: a little over 16 MiB the server refuses an insert with a code that many faults share
    for (const size of [16.001, 16.5, 17.5]) {
      free.value = new Uint8Array(size * 1024 * 1024);
      fresh.value = free.value;
      for (const save of [() => free.save(), () => fresh.save(), () => Free.insertMany([fresh])]) {
        const error: unknown = await save().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(EncodeError);
        expect((error as Error).message).toContain('16 MiB');
      }
      expect([free.isModified('value'), fresh.$isNew]).toEqual([true, true]);
    }
    free.value = 1;
    await free.save();
    expect((await load(free._id)).value).toBe(1);
  });
});
