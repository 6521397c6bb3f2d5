import { MongoServerError, MongoWriteConcernError } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connect, model, NotConnectedError, OutcomeUnknownError } from '../../src/index.ts';
import { useProxiedDatabase } from '../support/proxy.ts';

class Item extends model('items', {
  name: z.string(),
  count: z.number().default(0),
  tags: z.array(z.string()).default([]),
}) {}

const { proxy, database } = useProxiedDatabase();
beforeEach(async () => {
  await Item.deleteMany({});
  await Item.insertMany([{ name: 'a' }, { name: 'b' }]);
  database.sent();
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('Expected an error'),
    (error: unknown) => error,
  );
}

const stored = async () => (await Item.find().sort('name').lean()).map(({ _id: _, ...fields }) => fields);
const item = async (name = 'a') => (await Item.findOne({ name })) ?? expect.fail('Expected an item');
const names = () => database.sent().map((command) => Object.keys(command)[0]);

const inc = { $inc: { count: 1 } };
const one = [
  { name: 'a', count: 1, tags: [] },
  { name: 'b', count: 0, tags: [] },
];
const untouched = [
  { name: 'a', count: 0, tags: [] },
  { name: 'b', count: 0, tags: [] },
];
const without = untouched.slice(1);
const replaced = [{ name: 'A', count: 0, tags: [] }, ...without];

/** Writes that belong to no document: the command that they send, and what is stored when it was done once. */
const writes: [string, string, () => Promise<unknown>, unknown[]][] = [
  ['updateOne()', 'update', () => Item.updateOne({ name: 'a' }, inc), one],
  ['updateMany()', 'update', () => Item.updateMany({ name: 'a' }, inc), one],
  ['replaceOne()', 'update', () => Item.replaceOne({ name: 'a' }, { name: 'A' }), replaced],
  ["a query's update()", 'update', () => Item.find({ name: 'a' }).update(inc), one],
  ["a query's delete()", 'delete', () => Item.find({ name: 'a' }).delete(), without],
  ['deleteOne()', 'delete', () => Item.deleteOne({ name: 'a' }), without],
  ['deleteMany()', 'delete', () => Item.deleteMany({ name: 'a' }), without],
  ['upsert()', 'findAndModify', () => Item.upsert({ name: 'a' }, inc), one],
  ['findOneAndUpdate()', 'findAndModify', () => Item.findOneAndUpdate({ name: 'a' }, inc), one],
  ['findOneAndReplace()', 'findAndModify', () => Item.findOneAndReplace({ name: 'a' }, { name: 'A' }), replaced],
  ['findOneAndDelete()', 'findAndModify', () => Item.findOneAndDelete({ name: 'a' }), without],
];

/** Writes of documents, each of which would be seen if it were done twice. */
const saves: [string, string, () => Promise<() => Promise<unknown>>, unknown[]][] = [
  [
    'an insert',
    'insert',
    async () => saving(new Item({ name: 'c' })),
    [...untouched, { name: 'c', count: 0, tags: [] }],
  ],
  ['a $set', 'update', async () => saving((await item()).set('name', 'A')), replaced],
  [
    'a $push',
    'update',
    async () => saving((await item()).set('tags', ['t'])),
    [{ ...untouched[0], tags: ['t'] }, untouched[1]],
  ],
  ['an operator', 'findAndModify', async () => saving((await item()).$inc('count')), one],
  ['a deletion', 'delete', async () => deleting(await item()), without],
];
const saving = (document: Item) => () => document.save();
const deleting = (document: Item) => () => document.delete();

describe.each(['cutBefore', 'cutAfter'] as const)('when the connection breaks (%s)', (fault) => {
  it.each(writes)('the outcome of %s is unknown, and it is done once at most', async (_, command, call, done) => {
    proxy.next(command, fault);
    const error = await rejection(call());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ model: 'items', message: expect.stringContaining('read what is stored') as string });
    expect(names().filter((name) => name === command)).toHaveLength(1);
    expect(await stored()).toEqual(fault === 'cutAfter' ? done : untouched);
  });

  it.each(saves)('the outcome of %s is unknown, and it is done once at most', async (_, command, prepare, done) => {
    const call = await prepare();
    proxy.next(command, fault);
    expect(await rejection(call())).toBeInstanceOf(OutcomeUnknownError);
    expect(names().filter((name) => name === command)).toHaveLength(1);
    expect(await stored()).toEqual(fault === 'cutAfter' ? done : untouched);
  });

  it('a driver that sends again by itself changes nothing twice', async () => {
    const retrying = await connect(database.uri, { directConnection: true, retryWrites: true });
    try {
      const Retried = Item.using(retrying);
      proxy.next('update', fault);
      const outcome = await Retried.updateOne({ name: 'a' }, inc).catch((error: unknown) => error);
      const isKnown = !(outcome instanceof OutcomeUnknownError);
      const { count } = await item();
      expect(isKnown ? [1] : [fault === 'cutAfter' ? 1 : 0]).toContain(count);
    } finally {
      await retrying.close();
    }
  });
});

describe('when the server did it and could not confirm it', () => {
  const writeConcernError = { code: 64, codeName: 'WriteConcernTimeout', errmsg: 'waiting for replication timed out' };

  it.each(writes)('%s is done, and the error of the driver is thrown', async (_, command, call, done) => {
    proxy.next(command, (reply) => ({ ...reply, writeConcernError }));
    const error = await rejection(call());
    expect(error).toBeInstanceOf(MongoWriteConcernError);
    expect(error).toMatchObject({ code: 64, message: 'waiting for replication timed out' });
    expect(await stored()).toEqual(done);
  });

  it.each(saves)('%s is settled, and the error of the driver is thrown', async (_, command, prepare, done) => {
    const call = await prepare();
    proxy.next(command, (reply) => ({ ...reply, writeConcernError }));
    expect(await rejection(call())).toBeInstanceOf(MongoWriteConcernError);
    expect(await stored()).toEqual(done);
  });

  it('the documents of insertMany() are settled', async () => {
    const items = [new Item({ name: 'c' }), new Item({ name: 'd' })];
    proxy.next('insert', (reply) => ({ ...reply, writeConcernError }));
    expect(await rejection(Item.insertMany(items))).toBeInstanceOf(MongoWriteConcernError);
    expect(items.map((each) => each.$isNew)).toEqual([false, false]);
    expect(await Item.count()).toBe(4);
  });
});

describe('when the server is interrupted', () => {
  const errmsg = 'operation { update: "items", q: { name: "a" } } was interrupted';
  const answer = { ok: 0, code: 11602, codeName: 'InterruptedDueToReplStateChange', errmsg };

  it.each(writes)('the outcome of %s is unknown', async (_, command, call) => {
    proxy.next(command, { answer });
    const error = await rejection(call());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ cause: { code: 11602, message: 'operation … was interrupted' } });
  });

  it.each(saves)('the outcome of %s is unknown', async (_, command, prepare) => {
    const call = await prepare();
    proxy.next(command, { answer });
    const error = await rejection(call());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ cause: { code: 11602, message: 'operation … was interrupted' } });
  });

  it('the outcome of insertMany() is unknown', async () => {
    const items = [new Item({ name: 'c' }), new Item({ name: 'd' })];
    proxy.next('insert', { answer });
    expect(await rejection(Item.insertMany(items))).toBeInstanceOf(OutcomeUnknownError);
    expect(items.map((each) => each.$isNew)).toEqual([true, true]);
    for (const each of items) await each.save();
    expect(await Item.count()).toBe(4);
  });
});

describe('when the server refuses', () => {
  const notPrimary = { ok: 0, code: 10107, codeName: 'NotWritablePrimary', errmsg: 'not primary' };

  it.each(saves)('%s may be sent again', async (_, command, prepare, done) => {
    const call = await prepare();
    proxy.next(command, { answer: notPrimary });
    const error = await rejection(call());
    expect(error).toBeInstanceOf(MongoServerError);
    expect(error).toMatchObject({ code: 10107 });
    expect(await stored()).toEqual(untouched);
    await call();
    expect(await stored()).toEqual(done);
  });

  it('for a reason of its own, what became of an earlier try is still unknown', async () => {
    const fresh = new Item({ name: 'c' });
    proxy.next('insert', 'cutAfter');
    expect(await rejection(fresh.save())).toBeInstanceOf(OutcomeUnknownError);
    proxy.next('insert', { answer: notPrimary });
    expect(await rejection(fresh.save())).toBeInstanceOf(MongoServerError);
    await fresh.save();
    expect([fresh.$isNew, await Item.count({ name: 'c' })]).toEqual([false, 1]);

    const pushed = (await item()).$inc('count');
    proxy.next('findAndModify', 'cutAfter');
    expect(await rejection(pushed.save())).toBeInstanceOf(OutcomeUnknownError);
    await expect(pushed.save()).rejects.toThrow('reload()');
  });

  it('one of several, insertMany() settles those before it', async () => {
    const taken = await item();
    const items = [new Item({ name: 'c' }), new Item({ _id: taken._id, name: 'd' }), new Item({ name: 'e' })];
    await expect(Item.insertMany(items)).rejects.toMatchObject({ cause: { name: 'DuplicateKeyError' } });
    expect(items.map((each) => each.$isNew)).toEqual([false, true, true]);
    expect((await stored()).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('when a read is not answered', () => {
  it('is a NotConnectedError', async () => {
    const once = await connect(database.uri, { directConnection: true, retryReads: false });
    try {
      proxy.next('find', 'cutAfter');
      const error = await rejection(Promise.resolve(Item.using(once).find()));
      expect(error).toBeInstanceOf(NotConnectedError);
      expect((error as Error).message).toContain('broke');
      proxy.next('distinct', 'cutBefore');
      expect(await rejection(Item.using(once).distinct('name'))).toBeInstanceOf(NotConnectedError);
    } finally {
      await once.close();
    }
  });
});

describe('a signal', () => {
  const reason = new Error('no longer wanted');
  const aborted = AbortSignal.abort(reason);

  it('that was aborted before sends nothing, and the changes stay', async () => {
    const fresh = new Item({ name: 'c' });
    const changed = (await item()).set('tags', ['t']);
    const counted = (await item('b')).$inc('count', 2);
    database.sent();
    for (const each of [fresh, changed, counted]) expect(await rejection(each.save({ signal: aborted }))).toBe(reason);
    expect(await rejection(changed.delete({ signal: aborted }))).toBe(reason);
    expect(await rejection(Item.insertMany([fresh], { signal: aborted }))).toBe(reason);
    expect(await rejection(Item.updateMany({}, inc, { signal: aborted }))).toBe(reason);
    expect(names()).toEqual([]);
    expect([fresh.$isNew, changed.isModified('tags'), counted.isModified('count')]).toEqual([true, true, true]);
    for (const each of [fresh, changed, counted]) await each.save();
    expect(await stored()).toEqual([
      { name: 'a', count: 0, tags: ['t'] },
      { name: 'b', count: 2, tags: [] },
      { name: 'c', count: 0, tags: [] },
    ]);
  });

  it('that is aborted while a save waits for its answer leaves its outcome unknown', async () => {
    const controller = new AbortController();
    const counted = (await item()).$inc('count');
    proxy.next('findAndModify', async (reply) => {
      controller.abort(reason);
      return new Promise((resolve) => setTimeout(resolve, 50, reply));
    });
    const error = await rejection(counted.save({ signal: controller.signal }));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((error as Error).cause).toBe(reason);
    await expect(counted.save()).rejects.toThrow('reload()');
    await counted.reload();
    expect(counted.count).toBe(1);
  });
});
