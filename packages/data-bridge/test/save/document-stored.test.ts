import { Binary, Decimal128, Double, Int32, Long, ObjectId, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { binary, decimal, long, model, objectId, UsageError } from '../../src/index.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';
import { User } from '../support/user-model.ts';

describe('with a server', () => {
  const database = useDatabase();

  it('two models share one collection', async () => {
    class Full extends model('shared', { name: z.string(), age: z.int() }) {}
    class Part extends model('shared', { name: z.string() }) {}
    const full = await Full.create({ name: 'Ann', age: 30 });
    const part = await Part.findById(full._id);
    expect(part).toBeInstanceOf(Part);
    if (part === null) throw new Error('Expected the document');
    part.name = 'Bob';
    await part.save();
    await full.reload();
    expect([full.name, full.age, part.get('age' as string)]).toEqual(['Bob', 30, 30]);
  });

  it('references taken before reload() and rollback() are detached', async () => {
    const user = await User.create({ name: 'Ann', tags: ['a'], address: { city: 'Rome' } });
    const { tags, address } = user;
    await user.reload();
    tags.push('lost');
    const afterReload = user.tags;
    expect([afterReload === tags, user.isModified()]).toEqual([false, false]);
    if (user.address !== undefined) user.address.city = 'Oslo';
    const before = user.address;
    user.rollback();
    if (before !== undefined) before.city = 'lost';
    if (address !== undefined) address.city = 'lost';
    expect([user.address?.city, user.isModified()]).toEqual(['Rome', false]);
  });

  it('long() and binary() fix the type of their fields, in memory as loaded', async () => {
    class Typed extends model('typed', { long: long(), bytes: binary(), decimal: decimal(), id: objectId() }) {}
    const id = new ObjectId();
    const typed = await Typed.create({
      long: 5,
      bytes: new Binary(Buffer.of(1, 2)),
      decimal: 1.5,
      id: id.toHexString(),
    });
    const found = await Typed.findById(typed._id);
    for (const each of [typed, found]) {
      expect(each?.long).toBe(5n);
      expect(each?.bytes).toEqual(Uint8Array.of(1, 2));
      expect(String(each?.decimal)).toBe('1.5');
      expect(each?.id).toEqual(id);
      expect(each?.isModified()).toBe(false);
    }
    if (found === null) throw new Error('Expected the document');
    found.long += 2n ** 60n;
    found.bytes[0] = 9;
    expect(found.changes()).toEqual([
      { path: 'long', keys: ['long'], from: 5n, to: 2n ** 60n + 5n },
      { path: 'bytes', keys: ['bytes'], from: Uint8Array.of(1, 2), to: Uint8Array.of(9, 2) },
    ]);
    await found.save();
    expect(found.$previousChanges()[0]).toEqual({ path: 'long', keys: ['long'], from: 5n, to: 2n ** 60n + 5n });
    expect(found.toObject()).toMatchObject({ long: 2n ** 60n + 5n, bytes: Uint8Array.of(9, 2) });
    const raw = await database.db
      .collection('typed')
      .findOne({ _id: typed._id }, { promoteValues: false, promoteLongs: false });
    expect(raw?.['long']).toEqual(Long.fromBigInt(2n ** 60n + 5n));
  });

  it('a stored number keeps its type', async () => {
    class Numbers extends model('numbers', {
      int: z.number(),
      double: z.number(),
      long: z.number(),
      list: z.array(z.number()),
    }) {}
    const _id = new ObjectId();
    await database.db.collection('numbers').insertOne({
      _id,
      int: new Int32(1),
      double: new Double(1),
      long: Long.fromNumber(1),
      list: [new Double(1), Long.fromNumber(2)],
    });
    const numbers = await Numbers.findById(_id);
    if (numbers === null) throw new Error('Expected the document');
    for (const name of ['int', 'double', 'long'] as const) numbers[name]++;
    numbers.list.unshift(0);
    await numbers.save();
    const raw = await database.db.collection('numbers').findOne({ _id }, { promoteValues: false });
    expect(raw).toMatchObject({
      int: new Int32(2),
      double: new Double(2),
      long: Long.fromNumber(2),
      list: [new Int32(0), new Double(1), Long.fromNumber(2)],
    });
  });

  it('more fields than a layout learns work like the first ones', async () => {
    const fields = Array.from({ length: 200 }, (_, i) => [`field${i}`, z.int().optional()] as const);
    class Wide extends model('wide', Object.fromEntries(fields)) {}
    const wide = (await Wide.create(Object.fromEntries(fields.map(([name], i) => [name, i])))) as InstanceType<
      typeof Wide
    > &
      Record<string, number>;
    const found = (await Wide.findById(wide._id)) as typeof wide | null;
    if (found === null) throw new Error('Expected the document');
    expect([found['field0'], found['field199'], found.isModified()]).toEqual([0, 199, false]);
    found['field199'] = -1;
    found['field1'] = -1;
    database.sent();
    await found.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { field1: -1, field199: -1 } });
    await found.save();
    expect(database.sent()).toEqual([]);
  });

  it('a document without its _id cannot be saved', async () => {
    const user = User.hydrate({ name: 'x' });
    user.name = 'y';
    await expect(user.save()).rejects.toThrow(UsageError);
    await expect(user.delete()).rejects.toThrow('_id');
  });

  it.each(['string', 5, new UUID(), { a: 1, b: 2 }, Decimal128.fromString('1.50')])(
    'an _id may be anything that is stored: %s',
    async (_id) => {
      class Keyed extends model('keyed', {
        _id: z.custom<unknown>((value) => value !== undefined),
        name: z.string(),
      }) {}
      const keyed = await Keyed.create({ _id, name: 'x' });
      keyed.name = 'y';
      await keyed.save();
      const found = await Keyed.findById(_id);
      expect(found?.name).toBe('y');
      await expect(found?.delete()).resolves.toBe(true);
    },
  );
});
