import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EncodeError, model, SchemaError, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Free extends model(
  'free',
  { name: z.string().default(''), value: z.unknown(), record: z.record(z.string(), z.unknown()).optional() },
  { unknown: 'keep' },
) {}

const database = useDatabase();

const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'a.b', '$x', '0', '$', '.', 'a.', 'length'];

/** The members of an object in an order that does not count. */
const sorted = (object: object): [string, unknown][] => Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** `{[key]: value}` with the key as a member of its own, `__proto__` too. */
const only = (key: string, value: unknown): Record<string, unknown> => Object.fromEntries([[key, value]]);

async function load(_id: ObjectId): Promise<Free> {
  const found = await Free.findById(_id);
  if (found === null) throw new Error('Expected the document to be stored');
  return found;
}

describe.each(keys)('the key "%s"', (key) => {
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

describe('names of fields that mean something to MongoDB or JavaScript', () => {
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

describe('a key that cannot be', () => {
  it.each(['a\0b', '\uD800', '_bsontype'])(
    '%j is refused before anything is sent, for BSON cannot hold it',
    async (name) => {
      const free = await Free.create({ name: 'a' });
      database.sent();
      free.set(name, 1);
      await expect(free.save()).rejects.toThrow(EncodeError);
      expect(database.sent()).toEqual([]);
    },
  );

  it.each(['01', '4294967295', '1e3', 'x'])('"%s" of an array is refused', async (key) => {
    const free = await Free.create({ value: ['a'] });
    expect(() => free.set(`value.${key}`, 'b')).toThrow(UsageError);
    expect(free.isModified()).toBe(false);
  });
});
