import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EncodeError, model, SchemaError } from '../../src/index.ts';
import { openDatabase, type TestDatabase } from '../support/database.ts';

class Free extends model(
  'free',
  { name: z.string().default(''), value: z.unknown(), record: z.record(z.string(), z.unknown()).optional() },
  { unknown: 'keep' },
) {}

let database: TestDatabase;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());

const hostileKeys = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  'a.b',
  '$x',
  '0',
  '$',
  '.',
  'a.',
  'length',
];

/** The members of an object in an order that does not count. */
const sorted = (object: object): [string, unknown][] => Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** `{[key]: value}` with the key as a member of its own, `__proto__` too. */
const only = (key: string, value: unknown): Record<string, unknown> => Object.fromEntries([[key, value]]);

async function load(_id: ObjectId): Promise<Free> {
  const found = await Free.findById(_id);
  if (found === null) throw new Error('Expected the document to be stored');
  return found;
}

describe.each(hostileKeys)('the key "%s"', (key) => {
  it('is safe in an object', async () => {
    const { _id } = await Free.create({ record: { other: 1 } });
    const free = await load(_id);
    const record = free.record ?? {};
    Object.defineProperty(record, key, { value: { n: 1 }, configurable: true, enumerable: true, writable: true });
    await free.save();
    const second = await load(_id);
    expect(sorted(second.record ?? {})).toEqual(sorted({ ...only(key, { n: 1 }), other: 1 }));
    const inner = Object.getOwnPropertyDescriptor(second.record, key)?.value as { n: number; m?: number };
    inner.n = 2;
    inner.m = 3;
    await second.save();
    const third = await load(_id);
    expect(Object.getOwnPropertyDescriptor(third.record, key)?.value).toEqual({ n: 2, m: 3 });
    expect(delete (third.record as Record<string, unknown>)[key]).toBe(true);
    await third.save();
    expect((await load(_id)).record).toStrictEqual({ other: 1 });
    expect('n' in {}).toBe(false);
  });

  it('is safe in an object that is not tracked yet', async () => {
    const { _id } = await Free.create({ record: only(key, only(key, [only(key, 1)])) });
    const free = await load(_id);
    expect(Object.entries(free.record ?? {})).toEqual(Object.entries(only(key, only(key, [only(key, 1)]))));
    expect(free.isModified()).toBe(false);
  });

  it('is safe in a Map', async () => {
    const { _id } = await Free.create({ value: new Map<string, unknown>([[key, new Map([[key, 1]])]]) });
    expect(Object.entries((await load(_id)).value as object)).toEqual([[key, only(key, 1)]]);
  });

  it('is safe as a stored field that the schema does not know', async () => {
    const _id = new ObjectId();
    await database.db.collection('free').insertOne(Object.assign(only(key, { n: 1 }), { _id, name: 'x' }));
    const free = await load(_id);
    expect([free.get(key), free.$state.has(key as never)]).toEqual([{ n: 1 }, true]);
    expect(Object.keys(free.toObject()).toSorted()).toEqual(['_id', key, 'name'].toSorted());
    expect(JSON.parse(JSON.stringify(free))).toHaveProperty(['name'], 'x');
    free.name = 'y';
    await free.save();
    (free.get(key) as { n: number }).n = 2;
    await free.save();
    expect((await load(_id)).get(key)).toEqual({ n: 2 });
    free.set(key, 3);
    await free.save();
    expect((await load(_id)).get(key)).toBe(3);
    free.unset(key);
    await free.save();
    expect((await load(_id)).toObject()).toStrictEqual({ _id, name: 'y' });
    expect('n' in {}).toBe(false);
  });

  it('is safe as a new field', async () => {
    const { _id } = await Free.create({ name: 'x', ...only(key, { n: 1 }) });
    expect(sorted((await load(_id)).$state.toObject())).toEqual(sorted({ _id, name: 'x', ...only(key, { n: 1 }) }));
  });
});

describe('hostile names in a schema', () => {
  it.each(['', 'a.b', '$x', '0', 'length', 'name', 'prototype'])('"%s" is a field like any other', async (key) => {
    const Odd = class extends model('odd', {
      [key]: z.object({ n: z.int() }).optional(),
      other: z.int().default(1),
    }) {};
    const odd = (await Odd.create(only(key, { n: 1 }) as never)) as InstanceType<typeof Odd> &
      Record<string, { n: number }>;
    (odd[key] as { n: number }).n = 2;
    await odd.save();
    const found = (await Odd.findById(odd._id)) as typeof odd | null;
    expect(found?.[key]).toEqual({ n: 2 });
    expect(found?.get(key)).toEqual({ n: 2 });
    found?.unset(key);
    await found?.save();
    expect(await database.db.collection('odd').findOne({ _id: odd._id })).toEqual({ _id: odd._id, other: 1 });
    found?.set(key, { n: 3 });
    await found?.save();
    expect(((await Odd.findById(odd._id)) as typeof odd | null)?.[key]).toEqual({ n: 3 });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'save', '$state', 'get', 'toJSON'])(
    '"%s" is refused with a reason',
    (key) => {
      expect(() => model('odd', only(key, z.string()) as never)).toThrow(SchemaError);
      expect(() => model('odd', only(key, z.string()) as never)).toThrow(`"${key}"`);
    },
  );
});

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
      free.value = 'x'.repeat(size * 1024 * 1024);
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
