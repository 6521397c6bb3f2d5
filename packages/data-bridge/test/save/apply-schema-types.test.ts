import fc from 'fast-check';
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { identified, model, ref, SchemaError, ValidationError } from '../../src/index.ts';
import { decimal, long, objectId } from '../../src/zod.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

/* What a program puts into a stored container, past the compiler, gets the type that the schema gives it. */

class Person extends model('persons', { name: z.string() }) {}

class Thing extends model('things', {
  ids: z.array(objectId()).default([]),
  friends: ref<Person>(() => Person).array(),
  lines: z
    .array(z.object({ product: objectId(), count: z.coerce.number(), label: z.string().trim().optional() }))
    .default([]),
  price: z
    .object({ views: long().optional(), total: decimal().optional(), at: z.coerce.date().optional() })
    .default({}),
  size: z.union([z.object({ a: z.string().transform((text) => text.length) }), z.object({ b: z.string() })]).optional(),
}) {}

class Cart extends model('carts', {
  items: identified(z.array(z.object({ sku: z.string(), count: z.coerce.number(), note: z.coerce.string() })), 'sku'),
}) {}

const database = useDatabase();

const hex = (): string => new ObjectId().toHexString();

/** A stored thing, and past the compiler. */
async function load(
  fields: object = {},
): Promise<{ thing: Thing; open: Record<string, any>; read: () => Promise<any> }> {
  const { insertedId } = await database.db.collection('things').insertOne({ friends: [], ...fields });
  const thing = (await Thing.findById(insertedId)) as Thing;
  const read = () => database.db.collection('things').findOne({ _id: insertedId }, { promoteValues: false });
  database.sent();
  return { thing, open: thing as never, read };
}

describe('a value that was put inside a stored one', () => {
  it('has the type of its schema: the text of an id, a document in a list of references', async () => {
    const person = await Person.create({ name: 'Ann' });
    const id = hex();
    const { thing, open, read } = await load({ ids: [new ObjectId()] });
    const { ids } = thing;
    open['ids'].push(id);
    open['friends'].push(person, id);
    await thing.save();
    expect(thing.ids).toBe(ids);
    expect(thing.ids[1]).toEqual(new ObjectId(id));
    expect(await read()).toMatchObject({ ids: thing.ids, friends: [person._id, new ObjectId(id)] });
    expect(thing.isModified()).toBe(false);
  });

  it('has the BSON type of its schema: int64, decimal, date, number', async () => {
    const { thing, open, read } = await load({ price: {}, lines: [{ product: new ObjectId(), count: 1 }] });
    Object.assign(open['price'], { views: 5, total: '1.50', at: '2026-01-02' });
    open['lines'][0].count = '7';
    await thing.save();
    const stored = await read();
    expect(stored.price).toEqual({
      views: Long.fromNumber(5),
      total: Decimal128.fromString('1.50'),
      at: new Date('2026-01-02'),
    });
    expect(Number(stored.lines[0].count)).toBe(7);
  });

  it('in a frozen object too, and in a default that was changed in place', async () => {
    const { thing, open, read } = await load();
    open['lines'].push(Object.freeze({ product: hex(), count: '2' }));
    open['ids'].push(hex());
    await thing.save();
    const { lines, ids } = await read();
    expect([lines[0].product, Number(lines[0].count), ids[0]]).toEqual([
      thing.lines[0]?.product,
      2,
      expect.any(ObjectId),
    ]);
  });

  it('is sent by the operator that the program asked for', async () => {
    const { thing, open, read } = await load({ ids: [] });
    const id = hex();
    open['$addToSet']('ids', id);
    await thing.save();
    expect(database.sent().at(-1)).toMatchObject({ update: { $addToSet: { ids: { $each: [new ObjectId(id)] } } } });
    expect((await read()).ids).toEqual([new ObjectId(id)]);
    open['$addToSet']('ids', id);
    await thing.save();
    expect((await read()).ids).toEqual([new ObjectId(id)]);
  });

  it('is transformed as its schema says, of the same type, too', async () => {
    const { thing, open, read } = await load({ lines: [{ product: new ObjectId(), count: 1 }] });
    open['lines'][0].label = ' x ';
    await thing.save();
    expect((await read()).lines[0].label).toBe('x');
  });

  it('is refused where the schema would refuse what it gives', async () => {
    const { thing, open, read } = await load({ size: { b: 'x' } });
    delete open['size'].b;
    open['size'].a = 'long';
    await expect(thing.save()).rejects.toThrow(SchemaError);
    expect((await read()).size).toEqual({ b: 'x' });
    expect(database.sent().filter(({ update }) => update !== undefined)).toEqual([]);
  });

  it('is still refused where the schema does', async () => {
    const { thing, open } = await load({ ids: [] });
    open['ids'].push('no id');
    await expect(thing.save()).rejects.toThrow(ValidationError);
    expect(thing.ids).toEqual(['no id']);
  });
});

describe('what was loaded', () => {
  it('keeps its type, whatever the schema says', async () => {
    const [first, second] = [hex(), hex()];
    const { thing, open, read } = await load({
      ids: [first],
      lines: [{ product: second, count: new Double(2) }],
      price: { views: 5, total: '1' },
    });
    open['ids'].unshift(hex());
    open['lines'].unshift({ product: hex(), count: '1' });
    open['price'].total = '2.0';
    await thing.save();
    const { ids, lines, price } = await read();
    expect(ids).toEqual([expect.any(ObjectId), first]);
    expect(lines).toEqual([
      { product: expect.any(ObjectId), count: expect.anything() },
      { product: second, count: new Double(2) },
    ]);
    expect(price).toEqual({ views: new Int32(5), total: Decimal128.fromString('2.0') });
  });

  it('in an element that has an identity, wherever that is now', async () => {
    const items = [
      { sku: 'a', count: '1', note: 1 },
      { sku: 'b', count: '2', note: 2 },
    ];
    const { insertedId } = await database.db.collection('carts').insertOne({ items });
    const cart = (await Cart.findById(insertedId)) as Cart;
    cart.items.reverse();
    cart.items.unshift({ sku: 'c', count: '3' as never, note: 'c' });
    (cart.items[1] as { count: number }).count = 7;
    await cart.save();
    expect((await database.db.collection('carts').findOne({ _id: insertedId }))?.['items']).toEqual([
      { sku: 'c', count: 3, note: 'c' },
      { sku: 'b', count: 7, note: 2 },
      { sku: 'a', count: '1', note: 1 },
    ]);
  });

  it('among any changes', async () => {
    const anyId = fc.constantFrom(...Array.from({ length: 4 }, hex));
    const anyStored = fc.array(anyId.chain((id) => fc.constantFrom<string | ObjectId>(id, new ObjectId(id))));
    const property = fc.asyncProperty(
      anyStored,
      fc.array(anyId),
      fc.nat(5),
      fc.boolean(),
      async (stored, added, at, cut) => {
        const { thing, open, read } = await load({ ids: stored });
        open['ids'].splice(at, cut ? 1 : 0, ...added);
        await thing.save();
        const left = [...stored];
        left.splice(at, cut ? 1 : 0);
        const { ids } = await read();
        // A text that was there already is one that was loaded, wherever it is now.
        const place = Math.min(at, stored.length);
        const isOld = (id: unknown) => stored.includes(id as string);
        const expected = added.map((id) => (isOld(id) ? id : new ObjectId(id)));
        expect(ids).toEqual([...left.slice(0, place), ...expected, ...left.slice(place)]);
        expect(thing.isModified()).toBe(false);
      },
    );
    await fc.assert(property, runs(60));
  });
});
