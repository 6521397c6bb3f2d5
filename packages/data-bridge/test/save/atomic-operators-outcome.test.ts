import { setImmediate } from 'node:timers/promises';
import { Int32, MongoServerError } from 'mongodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, OutcomeUnknownError, ValidationError } from '../../src/index.ts';
import type { Command } from '../support/database.ts';
import { useProxiedDatabase } from '../support/proxy.ts';

const fields = {
  views: z.number().optional(),
  name: z.string().optional(),
  tags: z.array(z.string()).optional(),
  list: z.array(z.number()).optional(),
};

class Page extends model('pages', fields, { unknown: 'keep' }) {}

/** Its server takes no document with a field `bad`. */
class Strict extends model('strict', fields, { unknown: 'keep' }) {}

const { proxy, database } = useProxiedDatabase();
beforeAll(async () => {
  await database.db.createCollection('strict', { validator: { bad: { $exists: false } } });
});

beforeEach(async () => {
  await database.db.collection('pages').deleteMany({});
  await database.db.collection('strict').deleteMany({});
});

async function stored(fieldsStored: object): Promise<Page> {
  const { insertedId } = await database.db.collection('pages').insertOne({ ...fieldsStored });
  return (await Page.find({ _id: insertedId }).first()) ?? expect.fail('Expected the document');
}

async function strict(fieldsStored: object): Promise<Strict> {
  const { insertedId } = await database.db.collection('strict').insertOne({ ...fieldsStored });
  database.sent();
  return (await Strict.find({ _id: insertedId }).first()) ?? expect.fail('Expected the document');
}

async function raw(collection = 'pages'): Promise<Command | null> {
  return database.db.collection(collection).findOne({}, { projection: { _id: 0 } });
}

async function meanwhile(update: object, collection = 'pages'): Promise<void> {
  await database.db.collection(collection).updateOne({}, update);
}

describe('when the server refuses a save', () => {
  it('its operators wait for the next one', async () => {
    const page = await strict({ views: 1, tags: ['a'] });
    page.$inc('views').$addToSet('tags', 'a').set('bad', 1);
    await expect(page.save()).rejects.toThrow(ValidationError);
    expect([page.isModified('views'), page.isModified('tags'), page.views]).toEqual([true, true, 2]);
    page.$inc('views').unset('bad');
    await meanwhile({ $inc: { views: 10 }, $set: { tags: [] } }, 'strict');
    await page.save();
    expect(await raw('strict')).toEqual({ views: 13, tags: ['a'] });
    expect([page.views, page.isModified()]).toEqual([13, false]);
  });

  it('they join those that were asked for meanwhile', async () => {
    const page = await strict({ views: 1, tags: ['a'], list: [1] });
    page.$inc('views').$push('tags', 'b').$push('list', 2).set('bad', 1);
    const saving = page.save();
    await setImmediate(); // what is sent is fixed by now
    page.$inc('views', 2).$pull('tags', 'a').unset('bad');
    await expect(saving).rejects.toThrow(ValidationError);
    await meanwhile({ $inc: { views: 10 }, $push: { list: 9 } }, 'strict');
    await page.save();
    // Two operators cannot be sent for one path: there memory is what is stored.
    expect(await raw('strict')).toEqual({ views: 14, tags: ['b'], list: [1, 9, 2] });
    expect(page.isModified()).toBe(false);
  });

  it('one that cannot be joined with another is an ordinary change', async () => {
    const page = await strict({ tags: ['a', 'b', 'c'] });
    page.$pop('tags').set('bad', 1);
    const saving = page.save();
    await setImmediate(); // what is sent is fixed by now
    page.$pop('tags').unset('bad');
    await expect(saving).rejects.toThrow(ValidationError);
    await page.save();
    expect(await raw('strict')).toEqual({ tags: ['a'] });
  });
});

describe('while a save is under way', () => {
  it('an operator of another kind comes on top of what it made', async () => {
    const page = await stored({ views: 1, tags: ['a'] });
    await meanwhile({ $inc: { views: 10 }, $push: { tags: 'x' } });
    page.$inc('views').$push('tags', 'b');
    const answers = held('findAndModify');
    const saving = page.save();
    await answers.reached;
    page.$mul('views', 2).$pull('tags', 'a');
    answers.release();
    await saving;
    expect([page.views, page.tags]).toEqual([24, ['x', 'b']]);
    await page.save();
    expect(await raw()).toEqual({ views: 24, tags: ['x', 'b'] });
  });

  it('an operator that does not fit what it made becomes an ordinary change', async () => {
    const page = await stored({ tags: ['a'], views: 1 });
    page.$addToSet('tags', 'a').$inc('views');
    const answers = held('findAndModify', (reply) => ({ ...reply, value: { ...reply['value'], tags: 'none' } }));
    const saving = page.save();
    await answers.reached;
    page.$addToSet('tags', 'b');
    page.views = 9;
    answers.release();
    await saving;
    expect([page.tags, page.views]).toEqual([['a', 'b'], 9]);
    await page.save();
    expect(await raw()).toEqual({ tags: ['a', 'b'], views: 9 });
  });

  it('what is rolled back is as the save left it', async () => {
    const page = await stored({ views: 1, list: [1] });
    page.$inc('views').$pull('list', 2);
    const answers = held('findAndModify');
    const saving = page.save();
    await answers.reached;
    page.rollback();
    expect(page.isModified()).toBe(true);
    answers.release();
    await saving;
    expect([page.views, page.list, page.isModified()]).toEqual([2, [1], false]);
  });
});

/** Holds the answer to the next command of that name. */
function held(command: string, change: (reply: Command) => Command = (reply) => reply) {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const reached = new Promise<void>((resolve) => {
    proxy.next(command, async (reply) => {
      resolve();
      await released;
      return change(reply);
    });
  });
  return { reached, release };
}

describe.each(['cutBefore', 'cutAfter'] as const)('when the connection breaks (%s)', (fault) => {
  const acted = fault === 'cutAfter';

  it.each<[string, (page: Page) => unknown, object]>([
    ['$inc', (page) => page.$inc('views'), { views: acted ? 2 : 1, tags: ['a'] }],
    ['$mul', (page) => page.$mul('views', 3), { views: acted ? 3 : 1, tags: ['a'] }],
    ['$push', (page) => page.$push('tags', 'a'), { views: 1, tags: acted ? ['a', 'a'] : ['a'] }],
    ['$bit', (page) => page.$bit('views', { xor: 3 }), { views: acted ? 2 : 1, tags: ['a'] }],
    ['$pop', (page) => page.$pop('tags'), { views: 1, tags: acted ? [] : ['a'] }],
  ])('%s must not be sent again before reload()', async (_, act, after) => {
    const page = await stored({ views: 1, tags: ['a'] });
    act(page);
    proxy.next('findAndModify', fault);
    await expect(page.save()).rejects.toThrow('reload()');
    await expect(page.save()).rejects.toThrow(OutcomeUnknownError);
    await page.reload();
    expect(page.isModified()).toBe(false);
    const { _id, ...now } = page.toObject();
    expect(now).toEqual(after);
  });

  it('operators that add nothing may be sent again', async () => {
    const page = await stored({ views: 5, tags: ['a'], list: [1, 2] });
    page.$max('views', 9).$addToSet('tags', 'a', 'b').$pull('list', 1);
    proxy.next('findAndModify', fault);
    await expect(page.save()).rejects.toThrow('save() again is safe');
    expect([page.isModified('views'), page.isModified('tags')]).toEqual([true, true]);
    await meanwhile({ $push: { tags: 'x', list: 3 } });
    page.$addToSet('tags', 'c');
    await page.save();
    expect(page.isModified()).toBe(false);
    expect(await raw()).toEqual({ views: 9, tags: acted ? ['a', 'b', 'x', 'c'] : ['a', 'x', 'b', 'c'], list: [2, 3] });
    expect(page.tags).toEqual((await raw())?.['tags']);
  });

  it('bits that are set and cleared may be sent again', async () => {
    const page = await stored({ views: new Int32(5) });
    page.$bit('views', { or: 2 }).$bit('views', { and: ~1 });
    proxy.next('findAndModify', fault);
    await expect(page.save()).rejects.toThrow('save() again is safe');
    await meanwhile({ $bit: { views: { or: new Int32(8) } } });
    await page.save();
    expect(await raw()).toEqual({ views: 14 });
  });

  it('a time of an update may be sent again', async () => {
    class Timed extends model('timed', { name: z.string() }, { timestamps: true }) {}
    const timed = await Timed.create({ name: 'a' });
    timed.name = 'b';
    proxy.next('update', fault);
    await expect(timed.save()).rejects.toThrow('save() again is safe');
    await timed.save();
    expect(timed.isModified()).toBe(false);
  });
});

describe('when the server did it and could not confirm it', () => {
  const writeConcernError = { code: 64, codeName: 'WriteConcernTimeout', errmsg: 'waiting for replication timed out' };

  it('the save is settled, and the error is thrown', async () => {
    const page = await stored({ views: 1, list: [1] });
    page.$inc('views').$pull('list', 1).$pull('tags', 'a');
    await meanwhile({ $inc: { views: 10 } });
    proxy.next('findAndModify', (reply) => ({ ...reply, writeConcernError }));
    await expect(page.save()).rejects.toThrow(MongoServerError);
    expect(page.isModified()).toBe(false);
    expect([page.views, page.list, page.tags]).toEqual([2, [], undefined]); // others are read by the next load
    await page.save();
    expect(await raw()).toEqual({ views: 12, list: [] });
  });
});
