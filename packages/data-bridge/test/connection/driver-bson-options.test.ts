import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DuplicateKeyError, long, model } from '../../src/index.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

class Item extends model('items', {
  free: z.unknown(),
  other: z.unknown(),
  long: long().optional(),
  tags: z.array(z.string()).default([]),
}) {}

/** The driver's BSON options, as a client is made with them. */
describe.each([
  { promoteValues: false },
  { promoteLongs: false },
  { useBigInt64: true },
  { promoteBuffers: true },
  { bsonRegExp: true },
])('under the option %j', (options) => {
  const database = useDatabase(options);
  beforeEach(() => Item.deleteMany({}));

  it('documents are read, shown, changed and saved', async () => {
    const values = {
      int: new Int32(1),
      double: new Double(1),
      long: Long.fromString('9007199254740993'),
      text: 'x',
      bytes: Buffer.of(1, 2),
      regex: /x/i,
      decimal: Decimal128.fromString('1.5'),
      list: [new Double(1), { n: Long.fromNumber(1) }],
    };
    const { _id } = await Item.create({ free: values, other: Long.fromNumber(5), long: 5 });
    const item = await Item.findById(_id);
    if (item === null) throw new Error('Expected the document');
    void [item.free, item.other, item.tags];
    item.toObject();
    JSON.stringify(item);
    inspect(item);
    expect([item.isModified(), item.$state.toUpdate()]).toEqual([false, null]);
    expect(item.long).toBe(5n);
    const [lean] = await Item.find().lean();
    expect(lean?.long).toBe(5n);
    expect(item.toObject().free).toEqual(lean?.free);

    (item.free as { text: string }).text = 'y';
    item.tags.push('a');
    database.sent();
    await item.save();
    expect(onlyUpdate(database.sent())).toEqual({
      $set: { 'free.text': 'y' },
      $push: { tags: { $each: ['a'] } },
    });
    item.set('free.list.0', 7);
    await item.save();
    await item.reload();
    expect([item.tags, item.isModified()]).toEqual([['a'], false]);
    const raw = await database.db.collection('items').findOne({ _id }, { promoteValues: false, useBigInt64: false });
    expect(raw?.['free']).toMatchObject({
      int: new Int32(1),
      double: new Double(1),
      list: [new Double(7), { n: Long.fromNumber(1) }],
    });
  });

  it('outcomes and counts are understood', async () => {
    const item = await Item.create({ free: 1 });
    await expect(Item.create({ _id: item._id, free: 2 })).rejects.toThrow(DuplicateKeyError);
    const twins = [new Item({ free: 1 }), new Item({ free: 2, _id: item._id }), new Item({ free: 3 })];
    await expect(Item.insertMany(twins, { ordered: false })).rejects.toMatchObject({
      cause: { name: 'DuplicateKeyError' },
    });
    expect(twins.map(({ $isNew }) => $isNew)).toEqual([false, true, false]);
    expect(await Item.count()).toBe(3);
    item.tags.push('x');
    await database.db.collection('items').updateOne({ _id: item._id }, { $set: { tags: 5 } });
    await item.save();
    expect((await Item.findById(item._id))?.tags.map(String)).toEqual(['x']);
    await expect(item.delete()).resolves.toBe(true);
    await expect(item.delete()).resolves.toBe(false);
    expect(Number((await Item.deleteMany({ _id: { $ne: new ObjectId() } })).deletedCount)).toBe(2);
  });
});
