import { ObjectId } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EncodeError, model, objectId, UsageError, ValidationError } from '../../src/index.ts';
import { onlyStatement, useDatabase } from '../support/database.ts';

let serial = 0;
class Task extends model('tasks', {
  title: z.string(),
  status: z.string().default('new'),
  tags: z.array(z.string()).default([]),
  serial: z.int().default(() => serial++),
  address: z.object({ city: z.string(), zip: z.string().optional() }).default({ city: 'Rome' }),
  owner: objectId().optional(),
  count: z.int().optional(),
  free: z.unknown(),
}) {}

class Page extends model('pages', { _id: z.string(), title: z.string() }) {}
class Named extends model('named', { _id: z.string().default(() => `n${serial++}`), title: z.string() }) {}

const database = useDatabase();
beforeEach(async () => {
  await Promise.all([Task.deleteMany({}), Page.deleteMany({}), Named.deleteMany({})]);
  database.sent();
});

type Update = Parameters<typeof Task.updateOne>[1];

/** Every static that takes an update, called with this one. */
const withUpdate: readonly (readonly [string, (update: unknown, options?: object) => Promise<unknown>])[] = [
  ['updateOne', (update, options) => Task.updateOne({ title: 't' }, update as Update, options)],
  ['updateMany', (update, options) => Task.updateMany({ title: 't' }, update as Update, options)],
  ['upsert', (update, options) => Task.upsert({ title: 't' }, update as Update, options)],
  ['findOneAndUpdate', (update, options) => Task.findOneAndUpdate({ title: 't' }, update as Update, options)],
];

describe.each(withUpdate)('the update of %s()', (name, call) => {
  const lean = async () => (await Task.find({ title: 't' }).lean())[0];

  it.each([
    ['no operator', {}],
    ['fields without an operator', { title: 'x' }],
    ['fields beside an operator', { $set: { count: 1 }, title: 'x' }],
    ['nothing', undefined],
    ['null', null],
    ['a text', '$set'],
    ['a document', new Task({ title: 't' })],
    ['an operator with a number', { $max: 5 }],
    ['an operator with null', { $set: null }],
    ['an operator with a list', { $set: [{ count: 1 }] }],
    ['a text for an ObjectId', { $set: { owner: 'somebody' } }],
    ['a text for an ObjectId, on insert', { $setOnInsert: { owner: 'somebody' } }],
  ])('is refused with %s', async (_what, update) => {
    await expect(call(update)).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });

  it.each([
    ['a function', { $set: { free: () => 1 } }, '$set.free'],
    ['a bigint beyond 64 bits', { $inc: { count: 2n ** 63n } }, '$inc.count'],
    ['a Set, in a list', { $push: { free: { $each: [new Set()] } } }, '$push.free.$each.0'],
    ['an Invalid Date, in a pipeline', [{ $set: { free: new Date(Number.NaN) } }], '0.$set.free'],
  ])('is refused with %s', async (_what, update, path) => {
    await expect(call(update)).rejects.toThrow(EncodeError);
    await expect(call(update)).rejects.toMatchObject({ path });
    expect(database.sent()).toEqual([]);
  });

  it('has ObjectIds for 24 hexadecimal digits', async () => {
    await Task.create({ title: 't' });
    const owner = new ObjectId();
    await call({ $set: { owner: owner.toHexString(), free: owner.toHexString() } });
    expect(await lean()).toMatchObject({ owner, free: owner.toHexString() });
  });

  it('leaves undefined out', async () => {
    await Task.create({ title: 't', count: 1 });
    await call({ $set: { status: 'done', count: undefined } });
    expect(await lean()).toMatchObject({ status: 'done', count: 1 });
  });

  it('may set nothing, which changes nothing', async () => {
    await Task.create({ title: 't', count: 1 });
    for (const update of [{ $set: {} }, { $set: { count: undefined } }]) await call(update);
    expect(await lean()).toMatchObject({ title: 't', count: 1, status: 'new' });
    await Task.deleteMany({});
    await call({ $set: {} }, name === 'upsert' ? {} : { upsert: true });
    expect(await lean()).toMatchObject({ title: 't', status: 'new', tags: [] });
  });

  it('may be a pipeline', async () => {
    await Task.create({ title: 't', count: 1 });
    await call([{ $set: { count: { $add: ['$count', 1] } } }]);
    expect(await lean()).toMatchObject({ title: 't', count: 2 });
  });

  it('is sent as it was when the method was called', async () => {
    await Task.create({ title: 't' });
    const update = { $set: { tags: ['a'], free: { list: [1] } } };
    const updated = call(update);
    update.$set.tags.push('b');
    update.$set.free.list.push(2);
    await updated;
    expect(await lean()).toMatchObject({ tags: ['a'], free: { list: [1] } });
  });

  it("rejects with the server's error where it is no business of this package", async () => {
    await Task.create({ title: 't' });
    await expect(call({ $nonsense: { count: 1 } })).rejects.toThrow(/nonsense/);
    await expect(call({ $inc: { title: 1 } })).rejects.toMatchObject({
      code: 'DATA_BRIDGE_USAGE',
      cause: { code: 14 },
    });
  });
});

describe("an upsert's new document", () => {
  it('has the values of the filter and of the update, and defaults elsewhere', async () => {
    const task = await Task.upsert({ title: 't', status: 'open' }, { $set: { count: 1 }, $push: { tags: 'a' } });
    expect(task).toBeInstanceOf(Task);
    expect(await Task.find().lean()).toEqual([
      {
        _id: task._id,
        title: 't',
        status: 'open',
        tags: ['a'],
        serial: expect.any(Number),
        address: { city: 'Rome' },
        count: 1,
      },
    ]);
    expect(task.toObject()).toEqual((await Task.findById(task._id))?.toObject());
  });

  it('has its own defaults, computed for it', async () => {
    const [one, two] = [await Task.upsert({ title: '1' }, { $set: { count: 1 } }), await Task.create({ title: '2' })];
    expect(two.serial).toBeGreaterThan(one.serial);
  });

  it('has none of them when a document matches', async () => {
    const { insertedId } = await Task.collection.insertOne({ title: 't' });
    await Task.upsert({ title: 't' }, { $set: { count: 1 } });
    expect(await Task.find().lean()).toEqual([{ _id: insertedId, title: 't', count: 1 }]);
  });

  it.each([
    ['$eq', { status: { $eq: 'open' } }, 'open'],
    ['$in with one value', { status: { $in: ['open'] } }, 'open'],
    ['$and', { $and: [{ status: 'open' }] }, 'open'],
    ['$or with one filter', { $or: [{ status: 'open' }] }, 'open'],
    ['null', { status: null }, null],
    ['$in with several values', { status: { $in: ['open', 'done'] } }, 'new'],
    ['$or with several filters', { $or: [{ status: 'open' }, { status: 'done' }] }, 'new'],
    ['a comparison', { status: { $gt: 'z' } }, 'new'],
    ['a regular expression', { status: /^x/ }, 'new'],
  ])('has what the filter says by %s', async (_operator, filter, status) => {
    const task = await Task.upsert({ title: 't', ...filter }, { $set: { count: 1 } });
    expect(await Task.find({ _id: task._id }).lean()).toMatchObject([{ status }]);
  });

  it('has the members that filter and update name, without the default around them', async () => {
    const one = await Task.upsert({ title: '1', 'address.zip': '1000' }, { $set: { count: 1 } });
    const two = await Task.upsert({ title: '2' }, { $set: { 'address.zip': '2000' } });
    expect([one.address, two.address]).toEqual([{ zip: '1000' }, { zip: '2000' }]);
  });

  it('may rename into a field with a default', async () => {
    const task = await Task.upsert({ title: 't', old: ['a'] } as object, { $rename: { old: 'tags' } as object });
    expect(task.tags).toEqual(['a']);
  });

  it('is what updateOne(), updateMany() and findOneAndUpdate() insert too', async () => {
    await Task.updateOne({ title: '1' }, { $set: { count: 1 } }, { upsert: true });
    await Task.updateMany({ title: '2' }, { $set: { count: 1 } }, { upsert: true });
    await Task.findOneAndUpdate({ title: '3' }, { $set: { count: 1 } }, { upsert: true });
    for (const task of await Task.find().lean()) {
      expect(Object.keys(task).toSorted()).toEqual(['_id', 'address', 'count', 'serial', 'status', 'tags', 'title']);
    }
    expect(await Task.count()).toBe(3);
  });

  it('has an _id of the schema where the model has one of its own', async () => {
    await expect(Page.upsert({ title: 't' }, { $set: { title: 'u' } })).rejects.toThrow(UsageError);
    await expect(Page.updateMany({}, { $set: { title: 'u' } }, { upsert: true })).rejects.toThrow(UsageError);
    await expect(Page.upsert({}, [{ $set: { title: 'u' } }])).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
    expect((await Page.upsert({ _id: 'home' }, { $set: { title: 'u' } }))._id).toBe('home');
    expect((await Page.upsert({ title: 'v' }, { $setOnInsert: { _id: 'v' } }))._id).toBe('v');
    expect((await Named.upsert({ title: 't' }, { $set: { title: 't' } }))._id).toMatch(/^n\d+$/);
  });
});

describe('a replacement', () => {
  it('is what create() would store, without an _id of its own', async () => {
    const { _id } = await Task.create({ title: 't', count: 1, free: 'gone afterwards' });
    await Task.replaceOne({ title: 't' }, { title: 'u', count: 2 });
    expect(await Task.find().lean()).toEqual([
      { _id, title: 'u', status: 'new', tags: [], serial: expect.any(Number), address: { city: 'Rome' }, count: 2 },
    ]);
    database.sent();
    await Task.replaceOne({ title: 'u' }, { title: 'v', _id: undefined } as never);
    expect(onlyStatement(database.sent())['u']).not.toHaveProperty('_id');
  });

  it('may say the _id that it replaces or inserts', async () => {
    const { _id } = await Task.create({ title: 't' });
    const { matchedCount } = await Task.replaceOne({ title: 't' }, { _id: _id.toHexString(), title: 'u' });
    expect(matchedCount).toBe(1);
    const other = new ObjectId();
    await Task.replaceOne({ title: 'none' }, { _id: other, title: 'v' }, { upsert: true });
    expect((await Task.findById(other))?.title).toBe('v');
  });

  it.each([
    ['replaceOne', (input: object, options?: object) => Task.replaceOne({ title: 't' }, input as never, options)],
    [
      'findOneAndReplace',
      (input: object, options?: object) => Task.findOneAndReplace({ title: 't' }, input as never, options),
    ],
  ])('of %s() is validated before anything is sent, unless an option forbids it', async (_name, call) => {
    await Task.create({ title: 't' });
    database.sent();
    const bad = { title: 5, unknown: 1 };
    await expect(call(bad)).rejects.toThrow(ValidationError);
    await expect(call(bad)).rejects.toMatchObject({ issues: [{ path: 'unknown' }, { path: 'title' }] });
    await expect(call({ $set: { title: 'u' } })).rejects.toThrow(ValidationError);
    expect(database.sent()).toEqual([]);
    await call({ title: 5 }, { validate: false });
    expect(await Task.find().lean()).toMatchObject([{ title: 5 }]);
  });

  it('with an upsert says the _id where the schema has one', async () => {
    await Named.create({ _id: 'a', title: 't' });
    await Named.replaceOne({ title: 't' }, { title: 'u' });
    expect(await Named.find().lean()).toEqual([{ _id: 'a', title: 'u' }]);
    const unsaid = { title: 'v' };
    await expect(Named.replaceOne({ title: 'v' }, unsaid, { upsert: true })).rejects.toThrow(UsageError);
    await expect(Named.findOneAndReplace({ title: 'v' }, unsaid, { upsert: true })).rejects.toThrow(UsageError);
    await Named.replaceOne({ _id: 'b' }, unsaid, { upsert: true });
    await Named.replaceOne({ title: 'w' }, { _id: 'c', title: 'w' }, { upsert: true });
    expect((await Named.find().sort('_id')).map(({ _id }) => _id)).toEqual(['a', 'b', 'c']);
  });
});
