import { BSON, Decimal128, ObjectId, UUID } from 'mongodb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model, UsageError, ValidationError } from '../src/index.ts';
import { kindOf } from '../src/schema/schema-library.ts';
import { binary, decimal, long, objectId, regex, timestamp, uuid } from '../src/zod.ts';
import { useDatabase } from './support/database.ts';

const hex = '507f1f77bcf86cd799439011';
const id = ObjectId.createFromHexString(hex);

describe('the types of data-bridge/zod', () => {
  it('nest in every other type', () => {
    const Order = z.object({
      customer: objectId(),
      lines: z.array(z.object({ price: decimal(), ids: z.tuple([uuid()]).optional() })),
      totals: z.record(z.string(), long()),
      either: z.union([objectId(), z.boolean()]),
      filled: decimal().default(Decimal128.fromString('0')),
    });
    const output = Order.parse({ customer: hex, lines: [{ price: '1.5' }], totals: { a: 1 }, either: hex });
    expect(output).toEqual({
      customer: id,
      lines: [{ price: Decimal128.fromString('1.5') }],
      totals: { a: 1n },
      either: id,
      filled: Decimal128.fromString('0'),
    });
    expect(Order.parse(output)).toEqual(output);
    expectTypeOf<z.output<typeof Order>['lines'][number]['price']>().toEqualTypeOf<Decimal128>();
    expectTypeOf<z.input<typeof Order>['either']>().toEqualTypeOf<ObjectId | string | boolean>();
  });

  it('say where the wrong value is', () => {
    const { error } = z.object({ ids: z.array(objectId()) }).safeParse({ ids: [hex, 'no'] });
    expect(error?.issues).toEqual([
      {
        code: 'custom',
        path: ['ids', 1],
        message: 'Expected an ObjectId or a string of 24 hexadecimal digits, got a string',
      },
    ]);
  });

  it('are required in objects', () => {
    expect(z.object({ id: objectId() }).safeParse({}).success).toBe(false);
    expect(z.object({ id: objectId().optional() }).safeParse({}).success).toBe(true);
  });

  it('take checks, notes and steps as other types do', () => {
    const positive = long()
      .refine((value) => value > 0n, 'must be positive')
      .describe('a count');
    expect(positive.parse(5)).toBe(5n);
    expect(positive.safeParse(-5).error?.issues[0]?.message).toBe('must be positive');
    expect(positive.description).toBe('a count');
    expect(objectId().transform(String).parse(id)).toBe(hex);
    expect(z.custom<string | ObjectId>().pipe(objectId()).parse(hex)).toEqual(id);
  });

  it('say what they are to JSON Schema', () => {
    const schema = z.object({ id: objectId().refine(() => true), at: timestamp().nullable(), data: binary() });
    expect(z.toJSONSchema(schema)).toMatchObject({
      properties: {
        id: { bsonType: 'objectId' },
        at: { anyOf: [{ bsonType: 'timestamp' }, { type: 'null' }] },
        data: { bsonType: 'binData' },
      },
    });
  });
});

describe('the BSON type of a field', () => {
  it('is found through wrappers and copies', () => {
    const wrapped = [
      objectId(),
      objectId().optional(),
      objectId().nullable().optional(),
      objectId().nullish().default(null),
      objectId().prefault(hex),
      objectId().catch(id),
      objectId().optional().nonoptional(),
      objectId().readonly(),
      objectId().brand('id'),
      objectId()
        .refine(() => true)
        .describe('an id'),
    ];
    expect(wrapped.map(kindOf)).toEqual(wrapped.map(() => 'objectId'));
  });

  it('is none where the values are others', () => {
    const others = [z.array(objectId()), objectId().transform(String), z.union([objectId(), z.string()]), z.string()];
    expect([...others, undefined, null, 'text'].map(kindOf)).toEqual(Array(7).fill(undefined));
  });
});

class Item extends model('items', {
  _id: objectId(),
  owner: objectId().nullable().optional(),
  size: long().default(0n),
  data: binary().optional(),
  inner: z.object({ key: uuid(), price: decimal(), pattern: regex().optional() }).optional(),
}) {}

describe('a model of them', () => {
  const database = useDatabase();

  it('stores what they make of the input, and reads it back', async () => {
    const key = new UUID();
    const created = await Item.create({
      _id: hex,
      owner: hex,
      data: Uint8Array.of(1),
      inner: { key: key.toString(), price: '1.50', pattern: /a/i },
    });
    expect(created.inner?.price).toEqual(Decimal128.fromString('1.50'));
    const stored = await database.db.collection('items').findOne({ _id: id }, { promoteLongs: false });
    expect(stored).toMatchObject({ _id: id, owner: id, size: BSON.Long.ZERO });

    const found = await Item.findById(hex);
    expect(found?.owner).toEqual(id);
    expect(found?.size).toBe(0n);
    expect(found?.data).toStrictEqual(Uint8Array.of(1));
    expect(found?.inner?.key).toEqual(key);
    expect(found?.inner?.pattern).toEqual(/a/i);
  });

  it('has strings of 24 hexadecimal digits for ObjectIds in filters', async () => {
    const owner = new ObjectId();
    const { _id } = await Item.create({ _id: new ObjectId(), owner });
    const found = await Item.findOne({ owner: owner.toHexString() as never });
    expect(found?._id).toEqual(_id);
    await expect(Item.findOne({ owner: 'no' as never })).rejects.toThrow(UsageError);
  });

  it('refuses what they refuse, by its path', async () => {
    const item = new Item({ _id: new ObjectId(), inner: { key: 'no', price: '1' } });
    const refused: unknown = await item.save().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ValidationError);
    expect((refused as ValidationError).issues.map(({ path }) => path)).toEqual(['inner.key']);
  });

  it('changes in place what was loaded', async () => {
    const { _id } = await Item.create({ _id: new ObjectId(), inner: { key: new UUID(), price: 1 } });
    const item = await Item.findById(_id);
    if (item?.inner === undefined) throw new Error('Expected the document to be stored');
    item.inner.price = Decimal128.fromString('2');
    item.size = 5n;
    await item.save();
    const again = await Item.findById(_id);
    expect([again?.inner?.price.toString(), again?.size]).toEqual(['2', 5n]);
  });
});
