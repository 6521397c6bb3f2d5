import { askForFault } from '../support/known-faults.ts';
import { Decimal128, ObjectId } from 'mongodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decimal, long, model, stored, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Item extends model('items', {
  category: z.string(),
  price: z.number(),
  quantity: stored('qty', z.int()),
  big: long().optional(),
  exact: decimal().optional(),
  at: z.date().optional(),
  box: z.object({ width: z.number() }).optional(),
}) {}

const isFaulty = await askForFault('distinct values inside of elements');

const database = useDatabase();
beforeAll(async () => {
  await Item.insertMany([
    { category: 'fruit', price: 1.5, quantity: 100, big: 2n ** 60n, exact: '0.1', at: new Date(5), box: { width: 1 } },
    { category: 'fruit', price: 0.75, quantity: 150, big: 5n, exact: '0.2', at: new Date(3) },
    { category: 'fruit', price: 2, quantity: 80 },
    { category: 'dairy', price: 3.5, quantity: 50, box: { width: 5 } },
    { category: 'dairy', price: 5, quantity: 30 },
  ]);
});
beforeEach(() => {
  database.sent();
});

const none = { category: 'none' };

describe('avg()', () => {
  it('AGG-01 is the mean of a field', async () => {
    expect(await Item.find().avg('price')).toBeCloseTo(2.55, 12);
    expect(database.sent()).toMatchObject([
      { aggregate: 'items', pipeline: [{ $match: {} }, { $group: { _id: null, value: { $avg: '$price' } } }] },
    ]);
  });

  it('AGG-02 is that of the matching documents', async () => {
    expect(await Item.find({ category: 'fruit' }).avg('price')).toBeCloseTo(4.25 / 3, 12);
  });

  it('AGG-03 takes whole numbers', async () => {
    expect(await Item.find().avg('quantity')).toBe(82);
  });

  it('AGG-04 is null over no documents', async () => {
    expect(await Item.find(none).avg('price')).toBeNull();
  });

  it('AGG-14 follows the filter', async () => {
    expect(await Item.find({ price: { $gt: 1 } }).avg('price')).toBe(3);
  });

  it('is null where no document has a number, and exact where they are decimals', async () => {
    expect(await Item.find({ category: 'dairy' }).avg('exact')).toBeNull();
    expect(await Item.find().avg('exact')).toEqual(Decimal128.fromString('0.15'));
  });
});

describe('sum()', () => {
  it('AGG-05 adds up a field', async () => {
    expect(await Item.find().sum('price')).toBe(12.75);
  });

  it('AGG-06 adds up the matching documents', async () => {
    expect(await Item.find({ category: 'dairy' }).sum('quantity')).toBe(80);
  });

  it('AGG-07 is null over no documents, not 0', async () => {
    expect(await Item.find(none).sum('price')).toBeNull();
  });

  it('keeps the type of the field, and goes down a path', async () => {
    expect(await Item.find().sum('big')).toBe(2n ** 60n + 5n);
    expect(await Item.find().sum('exact')).toEqual(Decimal128.fromString('0.3'));
    expect(await Item.find().sum('box.width')).toBe(6);
  });
});

describe('max() and min()', () => {
  it('AGG-08 max() is the greatest value', async () => {
    expect(await Item.find().max('price')).toBe(5);
  });

  it('AGG-09 max() is that of the matching documents', async () => {
    expect(await Item.find({ category: 'fruit' }).max('price')).toBe(2);
  });

  it('AGG-10 max() is null over no documents', async () => {
    expect(await Item.find(none).max('price')).toBeNull();
  });

  it('AGG-11 min() is the least value', async () => {
    expect(await Item.find().min('price')).toBe(0.75);
  });

  it('AGG-12 min() is that of the matching documents', async () => {
    expect(await Item.find({ category: 'dairy' }).min('quantity')).toBe(30);
  });

  it('AGG-13 min() is null over no documents', async () => {
    expect(await Item.find(none).min('price')).toBeNull();
  });

  it('take other types than numbers', async () => {
    expect(await Item.find().max('category')).toBe('fruit');
    expect(await Item.find().min('at')).toEqual(new Date(3));
    expect(await Item.find().max('big')).toBe(2n ** 60n);
    expect(await Item.find().min('_id')).toBeInstanceOf(ObjectId);
  });
});

describe('a value of many documents', () => {
  it('follows sort, skip and limit', async () => {
    expect(await Item.find().sort({ price: -1 }).limit(2).sum('quantity')).toBe(80);
    expect(await Item.find().sort({ price: -1 }).skip(3).min('price')).toBe(0.75);
    expect(await Item.find().sort({ price: 1 }).skip(4).limit(0).max('price')).toBe(5);
  });

  it('passes the options on', async () => {
    await Item.find().comment('why').maxTimeMS(5000).sum('price');
    expect(database.sent()[0]).toMatchObject({ comment: 'why', maxTimeMS: 5000 });
  });

  it('AGG-15 takes only paths of fields', async () => {
    const query = Item.find();
    // @ts-expect-error -- there is no such field
    await expect(query.avg('nothing')).resolves.toBeNull();
    // @ts-expect-error -- no number
    await expect(query.avg('category')).resolves.toBeNull();
    // @ts-expect-error -- there is no such member
    await expect(query.max('box.height')).resolves.toBeNull();
  });

  it.each(['', '$price', 'box.', 'box.$x', 'a\0b'])('refuses the path %j', async (path) => {
    await expect(Item.find().avg(path as never)).rejects.toThrow(UsageError);
    await expect(Item.find().distinct(path as never)).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });
});

describe('distinct()', () => {
  it('gives the different values as documents have them', async () => {
    expect((await Item.find().distinct('category')).toSorted()).toEqual(['dairy', 'fruit']);
    expect((await Item.find({ category: 'dairy' }).distinct('quantity')).toSorted((a, b) => a - b)).toEqual([30, 50]);
    expect(new Set(await Item.find().distinct('big'))).toEqual(new Set([2n ** 60n, 5n]));
    expect(await Item.find({ category: 'dairy' }).distinct('box.width')).toEqual([5]);
  });

  it('reads what the schema says at every depth, as min() and its like do', async () => {
    class Deep extends model('deep', {
      big: z.bigint(),
      list: z.array(z.bigint()),
      inner: z.object({ big: z.bigint(), bytes: z.instanceof(Uint8Array) }),
      lines: z.array(z.object({ big: z.int64() })),
      map: z.map(z.string(), z.bigint()),
    }) {}
    await Deep.create({
      big: 1n,
      list: [2n],
      inner: { big: 3n, bytes: new Uint8Array([1]) },
      lines: [{ big: 4n }],
      map: new Map([['a', 5n]]),
    });
    const all = Deep.find();
    expect(await all.distinct('big')).toEqual([1n]);
    expect(await all.distinct('list')).toEqual([2n]);
    expect(await all.distinct('inner.big')).toEqual([3n]);
    expect(await all.distinct('inner.bytes')).toEqual([new Uint8Array([1])]);
    expect(await all.distinct('lines')).toEqual([{ big: 4n }]);
    expect(await all.distinct('map')).toEqual([new Map([['a', 5n]])]);
    expect([await all.min('big'), await all.max('inner.big'), await all.sum('inner.big')]).toEqual([1n, 3n, 3n]);
    expect(await all.max('list')).toEqual([2n]);
  });

  it.skipIf(isFaulty)('reads so inside of elements, too', async () => {
    class Lines extends model('deep_lines', { lines: z.array(z.object({ big: z.int64() })) }) {}
    await Lines.create({ lines: [{ big: 4n }, { big: 5n }] });
    expect(new Set(await Lines.find().distinct('lines.big'))).toEqual(new Set([4n, 5n]));
  });

  it('refuses a query with sort, skip or limit, which the command does not know', async () => {
    await expect(Item.find().sort('price').distinct('price')).rejects.toThrow('sort()');
    await expect(Item.find().skip(1).distinct('price')).rejects.toThrow('skip()');
    await expect(Item.find().limit(1).distinct('price')).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });
});
