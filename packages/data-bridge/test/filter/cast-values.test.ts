import { type } from 'arktype';
import { Decimal128, Long, ObjectId, UUID } from 'mongodb';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decimal as plainDecimal, objectId as plainId, UsageError } from '../../src/index.ts';
import { decimal, long, objectId, uuid } from '../../src/zod.ts';
import { useDatabase } from '../support/database.ts';
import { askForFault } from '../support/known-faults.ts';
import { type Loose, looseModel } from '../support/loose-models.ts';

const database = useDatabase();

const hex = '65f0a1b2c3d4e5f601234567';
const other = '65f0a1b2c3d4e5f601234568';
const id = new ObjectId(hex);
const key = '0ec1b8a6-52a6-4a35-8f3a-7f5f0e2f7c11';
const dec = (text: string): Decimal128 => Decimal128.fromString(text);

const item = z.object({
  product: objectId(),
  price: decimal().optional(),
  key: uuid().optional(),
  at: z.coerce.date().optional(),
  n: long().optional(),
  note: z.string().optional(),
});
const fields = {
  items: z.array(item),
  ids: z.array(objectId()).default([]),
  box: z.object({ item: item.optional(), by: z.record(z.string(), objectId()).optional() }).optional(),
  price: decimal().optional(),
  text: z.string().optional(),
  any: z.unknown().optional(),
  byName: z.map(z.string(), item).optional(),
  either: z.union([objectId(), z.object({ product: objectId() })]).optional(),
  idOrNumber: z.union([z.int(), objectId(), z.null()]).optional(),
  priceOrText: z.union([decimal(), z.string()]).optional(),
};
const stored = {
  items: [
    { product: id, price: dec('1.5'), key: new UUID(key), at: new Date(5), note: hex },
    { product: new ObjectId(other) },
  ],
  ids: [id],
  box: { item: { product: id }, by: { a: id } },
  text: hex,
  any: hex,
  either: id,
  idOrNumber: id,
  priceOrText: dec('2'),
};

const found: readonly Loose[] = [
  { 'items.product': hex },
  { 'items.0.product': hex },
  { idOrNumber: hex },
  { idOrNumber: { $in: [5, hex] } },
  { priceOrText: 2 },
  { 'items.product': { $in: [hex] } },
  { 'items.product': { $not: { $in: [new ObjectId().toHexString()] } } },
  { items: { $elemMatch: { product: hex, note: hex } } },
  { items: { $elemMatch: { product: { $in: [hex] } } } },
  { items: { $all: [{ $elemMatch: { product: hex } }, { $elemMatch: { product: other } }] } },
  { items: { product: other } },
  { ids: hex },
  { 'ids.0': hex },
  { ids: [hex] },
  { ids: { $elemMatch: { $eq: hex } } },
  { 'box.item.product': hex },
  { 'box.item': { product: hex } },
  { box: { item: { product: hex }, by: { a: hex } } },
  { 'box.by.a': hex },
  { either: hex },
  { either: { $in: [hex] } },
  { 'items.price': '1.5' },
  { 'items.price': { $gte: '1.5', $lt: 1.6 } },
  { 'items.key': key },
  { 'items.at': new Date(5).toISOString() },
  { $or: [{ 'items.product': hex }, { text: 'none' }] },
  { $nor: [{ 'items.product': new ObjectId().toHexString() }] },
  // What is text, or of which nothing is known, stays text.
  { text: hex, any: hex, 'items.note': hex },
];

const joined: readonly Loose[] = [
  { 'items.product': { $all: [hex, other] } },
  { items: { $elemMatch: { $or: [{ product: hex }, { price: '7' }] } } },
];
const isFaulty = await askForFault('joined conditions on elements');

describe('text in filters', () => {
  it.each(isFaulty ? found : [...found, ...joined])('finds what it stands for: %j', async (filter) => {
    const { Model, load } = looseModel(database, fields);
    await load(stored);
    expect(await Model.count(filter)).toBe(1);
    expect(await Model.find(filter).lean()).toHaveLength(1);
  });

  it('works with Valibot and ArkType', async () => {
    const { Model, load } = looseModel(database, {
      v: v.array(v.object({ p: plainId() as Loose, d: v.optional(plainDecimal() as Loose) })),
      a: type({ on: type.instanceOf(ObjectId) }),
    });
    await load({ v: [{ p: id, d: dec('2') }], a: { on: id } });
    expect(await Model.count({ 'v.p': hex, 'v.d': '2' })).toBe(1);
    expect(await Model.count({ v: { $elemMatch: { p: hex } } })).toBe(1);
  });

  it.each([{ 'items.product': 'no id' }, { items: { $elemMatch: { product: 'x' } } }, { 'items.price': 'much' }])(
    'that cannot be such a value is refused by its path: %j',
    async (filter) => {
      const { Model } = looseModel(database, fields);
      expect(() => Model.find(filter)).toThrow(UsageError);
      expect(() => Model.find(filter)).toThrow(/"items\.(product|price)"/);
      expect(() => Model.find(filter)).not.toThrow(/much|no id/);
    },
  );
});

describe('text in updates', () => {
  const updates: readonly (readonly [Loose, Loose])[] = [
    [{ $set: { 'items.0.product': other } }, { 'items.0.product': new ObjectId(other) }],
    [{ $set: { 'items.1': { product: hex, price: '2' } } }, { 'items.1': { product: id, price: dec('2') } }],
    [{ $set: { ids: [hex, other] } }, { ids: [id, new ObjectId(other)] }],
    [{ $set: { 'box.by.b': hex } }, { 'box.by.b': id }],
    [{ $set: { 'items.$[].price': 3 } }, { 'items.1.price': dec('3') }],
    [{ $set: { 'items.0.n': 5 } }, { 'items.0.n': new Long(5) }],
    [
      { $push: { items: { product: hex, price: '1', key } } },
      { 'items.2': { product: id, price: dec('1'), key: new UUID(key) } },
    ],
    [{ $push: { items: { $each: [{ product: hex }], $position: 0 } } }, { 'items.0': { product: id } }],
    [{ $addToSet: { ids: hex } }, { ids: [id] }],
    [{ $pull: { ids: hex } }, { ids: [] }],
    [{ $pull: { ids: { $in: [hex] } } }, { ids: [] }],
    [{ $pull: { items: { product: hex } } }, { 'items.0.product': new ObjectId(other) }],
    [{ $pull: { items: { product: { $in: [hex] } } } }, { 'items.0.product': new ObjectId(other) }],
    [{ $pullAll: { ids: [hex] } }, { ids: [] }],
    [{ $inc: { price: '1.5' } }, { price: dec('1.5') }],
    [{ $inc: { price: 1 } }, { price: dec('1') }],
    [{ $mul: { 'items.0.price': '2' } }, { 'items.0.price': dec('3.0') }],
    [{ $set: { text: hex, any: hex } }, { text: hex, any: hex }],
    [{ $set: { byName: new Map([['a', { product: hex }]]) } }, { byName: { a: { product: id } } }],
    [{ $set: { idOrNumber: other } }, { idOrNumber: new ObjectId(other) }],
    [{ $set: { priceOrText: '2' } }, { priceOrText: '2' }],
    [{ $set: { either: other } }, { either: new ObjectId(other) }],
    [{ $set: { either: { product: other } } }, { either: { product: new ObjectId(other) } }],
  ];

  it.each(updates)('is stored as what it stands for: %j', async (update, expected) => {
    const { Model, load, raw } = looseModel(database, fields);
    const document = await load(stored);
    await Model.updateOne({ _id: document._id }, update);
    const after = await database.db
      .collection(Model.collection.collectionName)
      .findOne({ _id: document._id }, { promoteValues: false, promoteLongs: false });
    for (const [path, value] of Object.entries(expected)) {
      const at = path.split('.').reduce((inner: Loose, step) => inner[step], after);
      expect(at).toEqual(value);
    }
    expect(await raw(document)).not.toBeNull();
  });
});

describe('text in arrayFilters', () => {
  it('is compared as what it stands for', async () => {
    const { Model, load, raw } = looseModel(database, fields);
    const document = await load(stored);
    const update = { $set: { 'items.$[e].note': 'found', 'ids.$[i]': other } };
    const arrayFilters = [{ 'e.product': hex, 'e.price': { $in: ['1.5'] } }, { i: hex }];
    await Model.updateOne({ _id: document._id }, update, { arrayFilters });
    const after: Loose = await raw(document);
    expect(after.items.map(({ note }: Loose) => note)).toEqual(['found', undefined]);
    expect(after.ids).toEqual([new ObjectId(other)]);
  });

  const set = { $set: { 'items.$[e].note': 'found' } };
  const cases: readonly (readonly [Loose, Loose])[] = [
    [set, { 'e.product': hex }],
    [set, { 'e.product': { $in: [hex] } }],
    [set, { $or: [{ 'e.product': hex }, { 'e.price': '7' }] }],
    [set, { 'e.price': { $gte: '1.5' } }],
    [{ $unset: { text: '' }, ...set }, { 'e.key': key }],
  ];

  it.each(cases)('finds what it stands for: %j, %j', async (update, filter) => {
    const { Model, load } = looseModel(database, fields);
    const notes = async (_id: unknown) =>
      (await Model.collection.findOne({ _id }))?.items.map(({ note }: Loose) => note) as unknown;
    const one = await load(stored);
    await Model.updateOne({ _id: one._id }, update, { arrayFilters: [filter] });
    expect(await notes(one._id)).toEqual(['found', undefined]);
    const two = await load(stored);
    await Model.bulk()
      .updateMany({ _id: two._id }, update, { arrayFilters: [filter] })
      .execute();
    expect(await notes(two._id)).toEqual(['found', undefined]);
    const three = await load(stored);
    await Model.findOneAndUpdate({ _id: three._id }, update, { arrayFilters: [filter] });
    expect(await notes(three._id)).toEqual(['found', undefined]);
  });

  it('of scalars, and of arrays in arrays', async () => {
    const { Model, load } = looseModel(database, {
      ids: z.array(objectId()),
      rows: z.array(z.object({ ids: z.array(objectId()) })),
    });
    const document = await load({ ids: [id], rows: [{ ids: [id] }] });
    const update = { $set: { 'ids.$[e]': other, 'rows.$[].ids.$[f]': other } };
    await Model.updateOne({ _id: document._id }, update, { arrayFilters: [{ e: hex }, { f: { $in: [hex] } }] });
    const after = await Model.collection.findOne({ _id: document._id });
    expect(after).toMatchObject({ ids: [new ObjectId(other)], rows: [{ ids: [new ObjectId(other)] }] });
  });

  it('that cannot be such a value is refused by its path', async () => {
    const { Model } = looseModel(database, fields);
    const wrong = Model.updateOne({}, set, { arrayFilters: [{ 'e.product': 'no id' }] });
    await expect(wrong).rejects.toThrow(/"arrayFilters\.e\.product"/);
  });
});

describe('text in atomic operators of a document', () => {
  it('is stored as what it stands for', async () => {
    const { load, raw } = looseModel(database, fields);
    const document = await load(stored);
    document.$push('items', { product: hex, price: '1' }).$pull('ids', hex).$inc('price', 2);
    await document.save();
    const after: Loose = await raw(document);
    expect(after.items[2]).toEqual({ product: id, price: dec('1') });
    expect(after.ids).toEqual([]);
    expect(after.price).toEqual(dec('2'));
    expect(document.isModified()).toBe(false);
    document.$mul('price', 2);
    await document.save();
    expect((await raw(document))?.['price']).toEqual(dec('4'));
  });
});
