import { type } from 'arktype';
import type { Decimal128, ObjectId, UUID } from 'mongodb';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { identified, type IdentityKey, model, SchemaError, stored, UsageError } from '../../src/index.ts';
import { identified as identifiedZod, objectId } from '../../src/zod.ts';
import { type Command, onlyStatement, useDatabase } from '../support/database.ts';

const Part = z.object({ code: z.string(), qty: z.int() });
const Item = z.object({
  sku: z.string(),
  qty: z.int(),
  price: z.object({ net: z.number(), tax: z.number() }).optional(),
  tags: z.array(z.string()).optional(),
  parts: identifiedZod(z.array(Part), 'code').optional(),
});

class Order extends model('orders', {
  items: identified(z.array(Item).default([]), 'sku'),
  rows: z.array(z.object({ _id: z.int(), n: z.int().optional() })).optional(),
  days: z.record(z.string(), z.object({ items: identifiedZod(z.array(Item), 'sku') })).optional(),
}) {}

const database = useDatabase();

type OrderInput = ConstructorParameters<typeof Order>[0];

/** Two writers' documents of what is stored. */
async function twice(input: OrderInput): Promise<[Order, Order]> {
  const { _id } = await Order.create(input);
  const loaded = await Promise.all([Order.findOne({ _id }), Order.findOne({ _id })]);
  database.sent();
  return loaded as [Order, Order];
}

const reread = async ({ _id }: Order) => (await Order.find({ _id }).one()).toObject();
const names = (commands: readonly Command[]) => commands.map((command) => Object.keys(command)[0]);
const item = (sku: string, qty = 1) => ({ sku, qty });
const find = (order: Order, sku: string) => {
  const found = order.items.find((each) => each.sku === sku);
  if (found === undefined) throw new Error(`Expected an item ${sku}`);
  return found;
};

describe('two writers of one array', () => {
  it('edit, add and remove different elements, in one round trip each', async () => {
    const [mine, theirs] = await twice({ items: [item('A'), item('B'), item('C')] });
    find(mine, 'B').qty = 5;
    theirs.items.splice(0, 1);
    theirs.items.push(item('D'));
    await theirs.save();
    await mine.save();
    expect(names(database.sent())).toEqual(['update', 'update']);
    mine.items.push(item('E'));
    theirs.items.reverse();
    find(theirs, 'D').qty = 9;
    await mine.save();
    await theirs.save();
    expect(names(database.sent())).toEqual(['update', 'update']);
    // A writer's order is of the elements that it knows: those of others follow.
    expect((await reread(mine)).items).toEqual([item('D', 9), item('C'), item('B', 5), item('E')]);
  });

  it('edit members of one element', async () => {
    const [mine, theirs] = await twice({ items: [{ ...item('A'), price: { net: 1, tax: 1 } }] });
    find(mine, 'A').price = { net: 2, tax: 1 };
    Object.assign(find(theirs, 'A'), { qty: 7, tags: ['new'] });
    await theirs.save();
    await mine.save();
    expect((await reread(mine)).items).toEqual([{ sku: 'A', qty: 7, price: { net: 2, tax: 1 }, tags: ['new'] }]);
  });

  it('edit arrays in elements, and below records', async () => {
    const parts = [
      { code: 'x', qty: 1 },
      { code: 'y', qty: 1 },
    ];
    const [mine, theirs] = await twice({ items: [{ ...item('A'), parts }], days: { 7: { items: [item('A')] } } });
    const mineParts = find(mine, 'A').parts ?? [];
    mineParts.push({ code: 'z', qty: 1 });
    mine.days?.['7']?.items.push(item('B'));
    theirs.items.push(item('C'));
    Object.assign(find(theirs, 'A').parts?.[1] ?? {}, { qty: 8 });
    Object.assign(theirs.days?.['7']?.items[0] ?? {}, { qty: 8 });
    await theirs.save();
    await mine.save();
    expect(names(database.sent())).toEqual(['update', 'update']);
    expect(await reread(mine)).toMatchObject({
      items: [{ sku: 'A', parts: [parts[0], { code: 'y', qty: 8 }, { code: 'z', qty: 1 }] }, item('C')],
      days: { 7: { items: [item('A', 8), item('B')] } },
    });
  });

  it('add the same key once: the later one replaces the other', async () => {
    const [mine, theirs] = await twice({ items: [item('A')] });
    mine.items.push(item('B', 1));
    theirs.items.push(item('B', 2), item('C'));
    await theirs.save();
    await mine.save();
    expect(names(database.sent())).toEqual(['update', 'update', 'update']);
    expect((await reread(mine)).items).toEqual([item('A'), item('C'), item('B', 1)]);
    database.sent();
    await mine.save();
    expect(database.sent()).toEqual([]);
  });

  it('cannot bring back what the other removed', async () => {
    const [mine, theirs] = await twice({ items: [item('A'), item('B')] });
    find(mine, 'A').qty = 5;
    theirs.items.shift();
    await theirs.save();
    await mine.save();
    expect((await reread(mine)).items).toEqual([item('B')]);
  });

  it('use a unique _id where nothing is declared', async () => {
    const [mine, theirs] = await twice({ items: [], rows: [{ _id: 1 }, { _id: 2 }] });
    Object.assign(mine.rows?.[1] ?? {}, { n: 5 });
    theirs.rows?.shift();
    theirs.rows?.push({ _id: 3 });
    await theirs.save();
    await mine.save();
    expect((await reread(mine)).rows).toEqual([{ _id: 2, n: 5 }, { _id: 3 }]);
  });
});

describe('a save of such an array', () => {
  const items = [item('A'), item('B')];

  it('sends what changed in an element, found by its key', async () => {
    const [order] = await twice({ items });
    find(order, 'B').qty = 5;
    await order.save();
    expect(onlyStatement(database.sent())).toEqual({
      q: { _id: order._id },
      u: { $set: { 'items.$[e0].qty': 5 } },
      arrayFilters: [{ 'e0.sku': 'B' }],
      collation: { locale: 'simple' },
    });
    expect(order.$previousChanges()).toEqual([{ path: 'items.1.qty', keys: ['items', 1, 'qty'], from: 1, to: 5 }]);
  });

  it('may be sent twice, when elements were added too', async () => {
    const [order] = await twice({ items });
    order.items.push(item('C'));
    const { update, guard } = order.$state.toUpdate() ?? {};
    expect(guard).toEqual({ 'items.sku': { $nin: ['C'] } });
    const filter = { _id: order._id, ...guard };
    await Order.collection.updateOne(filter, update as object);
    await order.save();
    expect((await reread(order)).items).toEqual([...items, item('C')]);
  });

  it('goes in one command with others', async () => {
    const [order] = await twice({ items });
    const [another, theirs] = await twice({ items });
    order.items.reverse();
    another.items.push(item('C'));
    find(theirs, 'A').qty = 3;
    await theirs.save();
    await Order.saveAll([order, another]);
    expect((await reread(order)).items).toEqual([item('B'), item('A')]);
    expect((await reread(another)).items).toEqual([item('A', 3), item('B'), item('C')]);
  });

  it('takes atomic operators', async () => {
    const [order, theirs] = await twice({ items });
    order.$push('items', item('C'));
    theirs.$pull('items', item('A'));
    await theirs.save();
    await order.save();
    expect(order.items).toEqual([item('B'), item('C')]);
    expect((await reread(order)).items).toEqual([item('B'), item('C')]);
  });

  it('of a document loaded in part writes what was loaded', async () => {
    const [whole] = await twice({ items: [{ ...item('A'), tags: ['x'] }, item('B')] });
    const part = await Order.find({ _id: whole._id }).select('items.sku', 'items.qty').one();
    (part.items as { qty: number }[])[1] = item('B', 4);
    (part.items as object[]).push(item('C'));
    await part.save();
    expect((await reread(whole)).items).toEqual([{ ...item('A'), tags: ['x'] }, item('B', 4), item('C')]);
    (part.items as object[]).shift();
    await expect(part.save()).rejects.toThrow(UsageError);
  });

  it('compares keys as they are, whatever the collection takes for equal', async () => {
    const name = 'folded';
    await database.db.createCollection(name, { collation: { locale: 'en', strength: 1 } });
    class Folded extends model(name, { items: identified(z.array(Item), 'sku') }) {}
    const folded = await Folded.create({ items: [item('a'), item('A'), item('B')] });
    folded.items.reverse();
    Object.assign(folded.items[1] ?? {}, { qty: 5 });
    await folded.save();
    folded.items.splice(2, 1);
    await folded.save();
    folded.items.push(item('b'));
    await folded.save();
    expect((await Folded.find().one()).items).toEqual([item('B'), item('A', 5), item('b')]);
  });

  it('treats an array with two elements of one key as any other', async () => {
    const [order] = await twice({ items: [item('A'), item('A', 2)] });
    Object.assign(order.items[1] ?? {}, { qty: 3 });
    await order.save();
    expect(onlyStatement(database.sent())['u']).toEqual({ $set: { 'items.1.qty': 3 } });
  });
});

describe('identified()', () => {
  const objects = z.array(z.object({ sku: z.string(), note: z.string().optional(), deep: z.object({}), any: z.any() }));

  it.each<[string, object, string]>([
    ['a member that is not there', objects, 'nope'],
    ['a member that may be absent', objects, 'note'],
    ['a member that is an object', objects, 'deep'],
    ['an array of something else', z.array(z.string()), 'length'],
    ['an array of either', z.array(z.union([z.object({ sku: z.string() }), z.number()])), 'sku'],
    ['a schema of no array', z.object({ sku: z.string() }), 'sku'],
    ['a member that may be null', z.array(z.object({ sku: z.string().nullable() })), 'sku'],
    ['an ArkType array without it', type({ id: 'string' }).array(), 'sku'],
  ])('refuses %s', (_, schema, key) => {
    const calls = [() => identified(schema as never, key as never), () => identifiedZod(schema as never, key as never)];
    for (const call of schema instanceof z.ZodType ? calls : calls.slice(0, 1)) expect(call).toThrow(SchemaError);
  });

  it.each(['', '$x', 'a.b', '0', 5])('refuses the key %j', (key) => {
    expect(() => identified(objects, key as never)).toThrow(SchemaError);
  });

  it('refuses what is no schema, and what stands in its place', () => {
    expect(() => identified(undefined as never, 'sku' as never)).toThrow(SchemaError);
    expect(() => identified(identified(objects, 'sku'), 'sku')).toThrow(SchemaError);
    expect(() => identified(stored('x', objects), 'sku')).toThrow('put stored(…) around it');
  });

  it('takes schemas of all libraries, and schemas that contain themselves', () => {
    const Node = z.object({
      name: z.string(),
      get children(): z.ZodArray<typeof Node> {
        return identifiedZod(z.array(Node), 'name');
      },
    });
    class Tree extends model('trees', {
      nodes: identified(z.array(Node), 'name'),
      valibot: identified(v.optional(v.array(v.object({ id: v.number() }))), 'id'),
      arktype: stored('ark', identified(type({ id: 'string' }).array(), 'id')),
      ids: identified(z.array(z.object({ id: objectId(), at: z.date() })).nullable(), 'at'),
      either: z.union([z.string(), z.lazy(() => identifiedZod(z.array(Part), 'code').min(1))]).readonly(),
    }) {}
    const tree = Tree.hydrate({
      nodes: [{ name: 'a', children: [{ name: 'b', children: [{ name: 'c', children: [] }] }] }],
      valibot: [{ id: 1 }],
      ark: [{ id: '1' }],
      either: [
        { code: 'x', qty: 1 },
        { code: 'y', qty: 1 },
      ],
    });
    const deepest = tree.nodes[0]?.children[0]?.children[0];
    Object.assign(deepest ?? {}, { added: 1 });
    tree.valibot?.push({ id: 2 });
    tree.arktype.pop();
    (tree.either as unknown as object[]).splice(0, 1);
    expect(tree.$state.toUpdate()).toEqual({
      update: {
        $set: { 'nodes.$[e0].children.$[e1].children.$[e2].added': 1 },
        $push: { valibot: { $each: [{ id: 2 }] } },
        $pull: { ark: { id: { $in: ['1'] } }, either: { code: { $in: ['x'] } } },
      },
      guard: { 'valibot.id': { $nin: [2] } },
      arrayFilters: [{ 'e0.name': 'a' }, { 'e1.name': 'b' }, { 'e2.name': 'c' }],
      collation: { locale: 'simple' },
    });
  });

  it('leaves a schema what it is', () => {
    expect(Order.jsonSchema).toMatchObject({ properties: { items: { bsonType: 'array' } } });
    expect(identifiedZod(z.array(Part), 'code').min(1).safeParse([]).success).toBe(false);
    expect(identifiedZod(z.array(Part).describe('parts'), 'code').description).toBe('parts');
    expect(new Order({}).items).toEqual([]);
  });

  it('takes scalars that are always there, by their types', () => {
    interface Element {
      readonly text: string;
      readonly when: Date;
      readonly id: ObjectId;
      readonly uuid: UUID;
      readonly price: Decimal128;
      readonly maybe?: string;
      readonly none: string | null;
      readonly list: string[];
      readonly deep: { readonly a: number };
    }
    expectTypeOf<IdentityKey<readonly Element[]>>().toEqualTypeOf<'text' | 'when' | 'id' | 'uuid' | 'price'>();
    expectTypeOf<IdentityKey<string>>().toBeNever();
    expectTypeOf<Order['items'][number]['sku']>().toEqualTypeOf<string>();
    expectTypeOf(identifiedZod(z.array(Part), 'code')).toEqualTypeOf<z.ZodArray<typeof Part>>();
    // @ts-expect-error the elements have no such member
    expect(() => identified(z.array(Part), 'nope')).toThrow(SchemaError);
    // @ts-expect-error a member that may be absent tells nothing apart
    expect(() => identifiedZod(z.array(Item), 'tags')).toThrow(SchemaError);
    // @ts-expect-error no array
    expect(() => identified(z.string(), 'length')).toThrow(SchemaError);
  });
});
