import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model, objectId, ref, stored, ValidationError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

/* One model with fields of every library. */

class Maker extends model('makers', { name: z.string() }) {}

class Product extends model('products', {
  name: z.string().trim().min(1),
  price: v.pipe(v.number(), v.minValue(0)),
  code: type('/^[a-z]+$/'),
  kind: v.optional(v.picklist(['book', 'toy']), 'toy'),
  labels: z.array(z.string()).default([]),
  sizes: type({ width: 'number', 'height?': 'number', depth: 'number = 1' }).array(),
  parts: v.optional(v.array(v.object({ name: v.pipe(v.string(), v.toUpperCase()), count: v.optional(v.number(), 1) }))),
  grid: z.array(z.array(z.int())).optional(),
  note: type('string | undefined'),
  weight: stored('w', v.optional(v.number())),
  maker: ref<Maker>(() => Maker).optional(),
  batch: objectId().nullable(),
}) {}

const database = useDatabase();

describe('a model with fields of Zod, Valibot and ArkType', () => {
  const input = { name: ' Ball ', price: 3, code: 'ball', note: undefined, sizes: [], batch: null };

  it('fills defaults, transforms and stores', async () => {
    const product = await Product.create({ ...input, parts: [{ name: 'skin' }], grid: [[1], [2, 3]], weight: 5 });
    const raw = await database.db.collection('products').findOne({ _id: product._id });
    expect(raw).toEqual({
      _id: product._id,
      name: 'Ball',
      price: 3,
      code: 'ball',
      kind: 'toy',
      labels: [],
      sizes: [],
      parts: [{ name: 'SKIN', count: 1 }],
      grid: [[1], [2, 3]],
      w: 5,
      batch: null,
    });
    expectTypeOf(product.kind).toEqualTypeOf<'book' | 'toy'>();
    expectTypeOf(product.sizes).toEqualTypeOf<{ width: number; height?: number; depth: number }[]>();
    expectTypeOf(product.weight).toEqualTypeOf<number | undefined>();
  });

  it('is changed in place, and validated where it changed', async () => {
    const { _id } = await Product.create({ ...input, sizes: [{ width: 1 }], parts: [{ name: 'a', count: 2 }] });
    const product = (await Product.findById(_id)) as Product;
    product.sizes.push({ width: 2, height: 3, depth: 4 });
    product.grid = [[7]];
    const [part] = product.parts ?? [];
    if (part !== undefined) part.count = 4;
    await product.save();
    const raw = await database.db.collection('products').findOne({ _id });
    const changed = {
      sizes: [
        { width: 1, depth: 1 },
        { width: 2, height: 3, depth: 4 },
      ],
      grid: [[7]],
      parts: [{ name: 'A', count: 4 }],
    };
    expect(raw).toMatchObject(changed);
    if (part !== undefined) part.count = 'x' as never;
    product.sizes.push({ width: 'y' as never, depth: 1 });
    product.grid[0]?.push('z' as never);
    product.price = -1;
    const error = (await product.save().catch((thrown: unknown) => thrown)) as ValidationError;
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.issues.map(({ path }) => path).toSorted()).toEqual([
      'grid.0.1',
      'parts.0.count',
      'price',
      'sizes.2.width',
    ]);
    expect(error.message).not.toMatch(/-1\b/);
    expect(await database.db.collection('products').findOne({ _id })).toMatchObject(changed);
  });

  it('has the JSON Schema of each library that gives one', () => {
    const { properties, required } = Product.jsonSchema as { properties: object; required: string[] };
    expect(properties).toMatchObject({
      name: { bsonType: 'string' },
      code: { bsonType: 'string', pattern: '^[a-z]+$' },
      labels: { bsonType: 'array', items: { bsonType: 'string' } },
      sizes: { bsonType: 'array', items: { bsonType: 'object', properties: { width: { bsonType: 'number' } } } },
      grid: { bsonType: 'array', items: { items: { multipleOf: 1 } } },
      maker: { bsonType: 'objectId' },
      batch: { bsonType: ['objectId', 'null'] },
    });
    expect(required).toEqual(expect.arrayContaining(['name', 'price', 'code', 'batch']));
    expect(required).not.toContain('weight');
  });

  it("gives Valibot's fields none: Valibot converts by another package, @valibot/to-json-schema", () => {
    expect('jsonSchema' in v.string()['~standard']).toBe(false);
    const { price, kind, parts, w } = Product.jsonSchema['properties'] as Record<string, object>;
    expect([price, kind, parts, w]).toEqual([{}, {}, {}, {}]);
  });

  it('is checked by the server with that schema', async () => {
    await Product.ensureCollection({ validator: true });
    await Product.create({ ...input, sizes: [{ width: 1.5 }] });
    const collection = database.db.collection('products');
    const fine = { name: 'x', price: 1, code: 'abc', sizes: [], batch: null };
    await collection.insertOne({ ...fine });
    for (const wrong of [
      { code: 'ABC' },
      { labels: 'x' },
      { sizes: [{ width: 'x' }] },
      { grid: [[1.5]] },
      { maker: 'x' },
    ])
      await expect(collection.insertOne({ ...fine, ...wrong })).rejects.toMatchObject({ code: 121 });
  });
});
