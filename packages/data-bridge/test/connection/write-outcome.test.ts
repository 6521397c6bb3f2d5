import { MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DuplicateKeyError, model, OutcomeUnknownError } from '../../src/index.ts';
import { useProxiedDatabase } from '../support/proxy.ts';

class Item extends model('items', {
  name: z.string(),
  tags: z.array(z.string()).default([]),
  address: z.object({ city: z.string() }).optional(),
}) {}

const { proxy, database } = useProxiedDatabase({ socketTimeoutMS: 2000 });

const raw = (item: Item) => database.db.collection('items').findOne({ _id: item._id });
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe.each(['cutBefore', 'cutAfter'] as const)('when the connection breaks (%s)', (fault) => {
  const acted = fault === 'cutAfter';

  it('an insert may be sent again', async () => {
    const item = new Item({ name: 'first', tags: ['a'] });
    proxy.next('insert', fault);
    const error = await rejection(item.save());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_OUTCOME_UNKNOWN', model: 'items', id: item._id });
    expect((error as Error).message).toContain('save() again is safe');
    expect((error as Error).cause).toBeInstanceOf(Error);
    expect(await raw(item)).toEqual(acted ? { _id: item._id, name: 'first', tags: ['a'] } : null);
    await item.save();
    expect([item.$isNew, item.isModified()]).toEqual([false, false]);
    expect(await Item.count({ _id: item._id })).toBe(1);
  });

  it('an insert may be sent again with what was changed meanwhile', async () => {
    const item = new Item({ name: 'first', tags: ['a'] });
    proxy.next('insert', fault);
    await expect(item.save()).rejects.toThrow(OutcomeUnknownError);
    item.name = 'second';
    item.tags.push('b');
    await item.save();
    expect(await raw(item)).toEqual({ _id: item._id, name: 'second', tags: ['a', 'b'] });
    expect([item.$isNew, item.isModified()]).toEqual([false, false]);
  });

  it('an insert is not taken for its own when another document has the _id', async () => {
    const item = new Item({ name: 'first' });
    proxy.next('insert', fault);
    await expect(item.save()).rejects.toThrow(OutcomeUnknownError);
    await database.db.collection('items').replaceOne({ _id: item._id }, { name: 'somebody else' }, { upsert: true });
    await expect(item.save()).rejects.toThrow(DuplicateKeyError);
    expect((await raw(item))?.['name']).toBe('somebody else');
  });

  it('an insert can be looked up by reload()', async () => {
    const item = new Item({ name: 'first' });
    proxy.next('insert', fault);
    await expect(item.save()).rejects.toThrow(OutcomeUnknownError);
    const error = await rejection(item.reload());
    expect(error === undefined).toBe(acted);
    expect(item.$isNew).toBe(!acted);
    await item.save();
    expect(await raw(item)).toMatchObject({ name: 'first' });
  });

  it('an update that only sets may be sent again', async () => {
    const item = await Item.create({ name: 'first', address: { city: 'Rome' } });
    item.name = 'second';
    item.address = undefined;
    proxy.next('update', fault);
    const error = await rejection(item.save());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((error as Error).message).toContain('save() again is safe');
    expect((await raw(item))?.['name']).toBe(acted ? 'second' : 'first');
    expect(item.isModified()).toBe(true);
    await item.save();
    expect(await raw(item)).toEqual({ _id: item._id, name: 'second', tags: [] });
    expect(item.isModified()).toBe(false);
  });

  it('a change that is taken back afterwards is taken back in the database too', async () => {
    const item = await Item.create({ name: 'first', address: { city: 'Rome' } });
    item.name = 'second';
    if (item.address !== undefined) item.address.city = 'Oslo';
    proxy.next('update', fault);
    await expect(item.save()).rejects.toThrow(OutcomeUnknownError);
    item.name = 'first';
    if (item.address !== undefined) item.address.city = 'Rome';
    await item.save();
    expect(await raw(item)).toEqual({ _id: item._id, name: 'first', tags: [], address: { city: 'Rome' } });
  });

  it('an update that adds must not be sent again before reload()', async () => {
    const item = await Item.create({ name: 'first', tags: ['a'] });
    item.tags.push('b');
    proxy.next('update', fault);
    const error = await rejection(item.save());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((error as Error).message).toContain('reload()');
    database.sent();
    await expect(item.save()).rejects.toThrow(OutcomeUnknownError);
    item.rollback();
    await expect(item.save()).rejects.toThrow(OutcomeUnknownError);
    expect(database.sent()).toEqual([]);
    await item.reload();
    expect(item.tags).toEqual(acted ? ['a', 'b'] : ['a']);
    item.tags.push('c');
    await item.save();
    expect((await raw(item))?.['tags']).toEqual(acted ? ['a', 'b', 'c'] : ['a', 'c']);
  });

  it('a deletion may be sent again', async () => {
    const item = await Item.create({ name: 'first' });
    proxy.next('delete', fault);
    await expect(item.delete()).rejects.toThrow(OutcomeUnknownError);
    await expect(item.delete()).resolves.toBe(!acted);
    expect(await raw(item)).toBeNull();
  });

  it('insertMany() leaves its documents new, and their saves find what is stored', async () => {
    const items = [new Item({ name: 'first' }), new Item({ name: 'second' })];
    proxy.next('insert', fault);
    await expect(Item.insertMany(items)).rejects.toThrow(OutcomeUnknownError);
    expect(items.map((item) => item.$isNew)).toEqual([true, true]);
    await Promise.all(items.map((item) => item.save()));
    expect(items.map((item) => item.$isNew)).toEqual([false, false]);
    expect(await Item.count({ _id: { $in: items.map((item) => item._id) } })).toBe(2);
  });

  it('a read may simply be repeated', async () => {
    const item = await Item.create({ name: 'first' });
    proxy.next('find', fault);
    proxy.next('aggregate', fault);
    // The driver repeats reads by itself where it can.
    const found = await Item.findById(item._id).catch(() => Item.findById(item._id));
    expect(found?.name).toBe('first');
  });
});

describe('when the answer does not come in time', () => {
  it('the outcome is unknown', async () => {
    const item = await Item.create({ name: 'first' });
    item.name = 'second';
    let answer: () => void = () => undefined;
    proxy.next('update', (reply) => new Promise((resolve) => (answer = () => resolve(reply))));
    await expect(item.save()).rejects.toThrow(OutcomeUnknownError);
    answer();
    await item.save();
    expect(await raw(item)).toMatchObject({ name: 'second' });
  });
});

describe('when the server did it and could not confirm it', () => {
  const writeConcernError = { code: 64, codeName: 'WriteConcernTimeout', errmsg: 'waiting for replication timed out' };

  it('an update is settled, and the error is thrown', async () => {
    const item = await Item.create({ name: 'first' });
    item.name = 'second';
    item.tags.push('a');
    proxy.next('update', (reply) => ({ ...reply, writeConcernError }));
    await expect(item.save()).rejects.toThrow(MongoServerError);
    expect(item.isModified()).toBe(false);
    expect(item.$previousChanges()).toHaveLength(2);
    database.sent();
    await item.save();
    expect(database.sent()).toEqual([]);
  });

  it('an insert is settled, and the error is thrown', async () => {
    const item = new Item({ name: 'first' });
    proxy.next('insert', (reply) => ({ ...reply, writeConcernError }));
    await expect(item.save()).rejects.toThrow(MongoServerError);
    expect([item.$isNew, item.isModified()]).toEqual([false, false]);
  });

  it('the documents of insertMany() are settled, and the error is thrown', async () => {
    const items = [new Item({ name: 'first' }), new Item({ name: 'second' })];
    proxy.next('insert', (reply) => ({ ...reply, writeConcernError }));
    await expect(Item.insertMany(items)).rejects.toThrow(MongoServerError);
    expect(items.map((item) => item.$isNew)).toEqual([false, false]);
  });

  it('a deletion is done, and the error is thrown', async () => {
    const item = await Item.create({ name: 'first' });
    proxy.next('delete', (reply) => ({ ...reply, writeConcernError }));
    await expect(item.delete()).rejects.toThrow(MongoServerError);
    await expect(item.save()).rejects.toThrow('deleted');
  });
});

describe('when nothing was sent', () => {
  it('the changes stay and the save may be repeated', async () => {
    const item = await Item.create({ name: 'first' });
    item.tags.push('a');
    await expect(item.save({ session: endedSession() })).rejects.toThrow('expired');
    expect(database.sent().map((command) => Object.keys(command)[0])).not.toContain('update');
    expect(item.isModified('tags')).toBe(true);
    await item.save();
    expect((await raw(item))?.['tags']).toEqual(['a']);
  });

  const endedSession = () => {
    const session = database.connection.client.startSession();
    void session.endSession();
    return session;
  };
});
