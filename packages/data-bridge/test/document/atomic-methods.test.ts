import { Int32 } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { type Page, PageStore } from '../support/pages.ts';

const store = new PageStore(useDatabase());

beforeEach(async () => {
  await store.clear();
});

interface Example {
  readonly name: string;
  readonly before: object;
  readonly act: (page: Page) => unknown;
  readonly memory: object;
  readonly sent: object;
  /** What another writer does before the save, and what is stored and shown after it. */
  readonly others: object;
  readonly after: object;
}

const june = new Date('2026-06-01');
const july = new Date('2026-07-01');

const examples: readonly Example[] = [
  {
    name: '$inc by 1',
    before: { views: 5 },
    act: (page) => page.$inc('views'),
    memory: { views: 6 },
    sent: { $inc: { views: 1 } },
    others: { $inc: { views: 10 } },
    after: { views: 16 },
  },
  {
    name: '$inc of what is not there',
    before: {},
    act: (page) => page.$inc('views', -2),
    memory: { views: -2 },
    sent: { $inc: { views: -2 } },
    others: { $inc: { views: 10 } },
    after: { views: 8 },
  },
  {
    name: '$inc of a member',
    before: { stats: { likes: 1 } },
    act: (page) => page.$inc('stats.likes', 2),
    memory: { stats: { likes: 3 } },
    sent: { $inc: { 'stats.likes': 2 } },
    others: { $set: { 'stats.days': { mon: 1 } }, $inc: { 'stats.likes': 1 } },
    after: { stats: { likes: 4 } }, // what others did beside it is read by the next load
  },
  {
    name: '$mul',
    before: { views: 5 },
    act: (page) => page.$mul('views', 3),
    memory: { views: 15 },
    sent: { $mul: { views: 3 } },
    others: { $set: { views: 6 } },
    after: { views: 18 },
  },
  {
    name: '$mul of what is not there',
    before: {},
    act: (page) => page.$mul('views', 3),
    memory: { views: 0 },
    sent: { $mul: { views: 3 } },
    others: { $set: { views: 6 } },
    after: { views: 18 },
  },
  {
    name: '$min',
    before: { views: 5 },
    act: (page) => page.$min('views', 3),
    memory: { views: 3 },
    sent: { $min: { views: 3 } },
    others: { $set: { views: 1 } },
    after: { views: 1 },
  },
  {
    name: '$min that leaves what is there',
    before: { seen: june },
    act: (page) => page.$min('seen', july),
    memory: { seen: june },
    sent: { $min: { seen: july } },
    others: { $unset: { seen: '' } },
    after: { seen: july },
  },
  {
    name: '$max',
    before: { seen: june },
    act: (page) => page.$max('seen', july),
    memory: { seen: july },
    sent: { $max: { seen: july } },
    others: { $set: { seen: new Date('2026-08-01') } },
    after: { seen: new Date('2026-08-01') },
  },
  {
    name: '$push',
    before: { tags: ['a'] },
    act: (page) => page.$push('tags', 'b', 'c'),
    memory: { tags: ['a', 'b', 'c'] },
    sent: { $push: { tags: { $each: ['b', 'c'] } } },
    others: { $push: { tags: 'x' } },
    after: { tags: ['a', 'x', 'b', 'c'] },
  },
  {
    name: '$push to what is not there',
    before: {},
    act: (page) => page.$push('tags', 'a'),
    memory: { tags: ['a'] },
    sent: { $push: { tags: { $each: ['a'] } } },
    others: { $set: { tags: ['x'] } },
    after: { tags: ['x', 'a'] },
  },
  {
    name: '$addToSet',
    before: { tags: ['a'] },
    act: (page) => page.$addToSet('tags', 'a', 'b', 'b'),
    memory: { tags: ['a', 'b'] },
    sent: { $addToSet: { tags: { $each: ['a', 'b'] } } },
    others: { $pull: { tags: 'a' } },
    after: { tags: ['a', 'b'] },
  },
  {
    name: '$addToSet of what is there',
    before: { tags: ['a'] },
    act: (page) => page.$addToSet('tags', 'a'),
    memory: { tags: ['a'] },
    sent: { $addToSet: { tags: { $each: ['a'] } } },
    others: { $set: { tags: ['x'] } },
    after: { tags: ['x', 'a'] },
  },
  {
    name: '$pull',
    before: { tags: ['a', 'b', 'a'] },
    act: (page) => page.$pull('tags', 'a'),
    memory: { tags: ['b'] },
    sent: { $pullAll: { tags: ['a'] } },
    others: { $push: { tags: { $each: ['a', 'c'] } } },
    after: { tags: ['b', 'c'] },
  },
  {
    name: '$pull of objects, by their whole value',
    before: { parts: [{ sku: 'a', n: 1 }] },
    act: (page) => page.$pull('parts', { sku: 'a', n: 1 }),
    memory: { parts: [] },
    sent: { $pullAll: { parts: [{ sku: 'a', n: 1 }] } },
    others: { $push: { parts: { sku: 'a', n: 1, more: 1 } } },
    after: { parts: [{ sku: 'a', n: 1, more: 1 }] },
  },
  {
    name: '$pull from what is not there',
    before: { stats: {} },
    act: (page) => page.$pull('tags', 'a').$pull('stats.list' as never, 1 as never),
    memory: { stats: {} },
    sent: { $pullAll: { tags: ['a'], 'stats.list': [1] } },
    others: { $set: { tags: ['a', 'b'], 'stats.list': [1, 2] } },
    after: { tags: ['b'], stats: { list: [2] } },
  },
  {
    name: '$bit',
    before: { views: 12 },
    act: (page) => page.$bit('views', { or: 1 }),
    memory: { views: 13 },
    sent: { $bit: { views: { or: 1 } } },
    others: { $bit: { views: { and: new Int32(~4) } } },
    after: { views: 9 },
  },
  {
    name: '$bit of what is not there',
    before: {},
    act: (page) => page.$bit('stats.likes', { and: 5 }).$bit('views', { xor: 5 }),
    memory: { stats: { likes: 0 }, views: 5 },
    sent: { $set: { stats: { likes: 0 } }, $bit: { views: { xor: 5 } } },
    others: { $set: { views: new Int32(1) } },
    after: { stats: { likes: 0 }, views: 4 },
  },
  {
    name: 'bits of several kinds, and beyond the sign',
    before: { views: -6 },
    act: (page) => page.$bit('views', { xor: 3 }).$bit('views', { and: -8 }).$bit('views', { or: 1 }),
    memory: { views: -7 },
    sent: { $bit: { views: { and: -8, xor: 1 } } },
    others: { $set: { views: new Int32(2 ** 31 - 1) } },
    after: { views: 2 ** 31 - 7 },
  },
  {
    name: '$pop',
    before: { tags: ['a', 'b'], parts: [{ sku: 'a', n: 1 }] },
    act: (page) => page.$pop('tags').$pop('parts', -1),
    memory: { tags: ['a'], parts: [] },
    sent: { $pop: { tags: 1, parts: -1 } },
    others: { $push: { tags: 'c', parts: { sku: 'b', n: 2 } } },
    after: { tags: ['a', 'b'], parts: [{ sku: 'b', n: 2 }] },
  },
  {
    name: '$pop from what is empty or not there',
    before: { tags: [], stats: {} },
    act: (page) =>
      page
        .$pop('tags')
        .$pop('labels', 1)
        .$pop('stats.list' as never),
    memory: { tags: [], stats: {} },
    sent: { $pop: { tags: 1, 'stats.list': 1 } },
    others: { $set: { tags: ['a'], 'stats.list': [1, 2] } },
    after: { tags: [], stats: { list: [1] } },
  },
  {
    name: 'several of one kind',
    before: { views: 1, stats: { likes: 2 }, tags: ['a'], seen: june },
    act: (page) => {
      page.$inc('views').$inc('views', 2).$mul('stats.likes', 2).$mul('stats.likes', 3);
      page.$push('tags', 'b').$push('tags', 'c').$max('seen', july).$max('seen', june);
    },
    memory: { views: 4, stats: { likes: 12 }, tags: ['a', 'b', 'c'], seen: july },
    sent: {
      $inc: { views: 3 },
      $mul: { 'stats.likes': 6 },
      $push: { tags: { $each: ['b', 'c'] } },
      $max: { seen: july },
    },
    others: { $inc: { views: 1 } },
    after: { views: 5, stats: { likes: 12 }, tags: ['a', 'b', 'c'], seen: july },
  },
  {
    name: 'an operator beside other changes',
    before: { views: 1, title: 'a', stats: { likes: 1, days: { mon: 1 } } },
    act: (page) => {
      page.title = 'b';
      page.$inc('views').$inc('stats.likes');
      page.set('stats.days.mon', 2);
    },
    memory: { views: 2, title: 'b', stats: { likes: 2, days: { mon: 2 } } },
    sent: { $set: { title: 'b', 'stats.days.mon': 2 }, $inc: { views: 1, 'stats.likes': 1 } },
    others: { $inc: { views: 1, 'stats.likes': 1 } },
    after: { views: 3, title: 'b', stats: { likes: 3, days: { mon: 2 } } },
  },
  {
    name: 'a number-like key',
    before: { stats: { days: { 17: 1 } } },
    act: (page) => page.$inc('stats.days.17'),
    memory: { stats: { days: { 17: 2 } } },
    sent: { $inc: { 'stats.days.17': 1 } },
    others: { $inc: { 'stats.days.17': 5 } },
    after: { stats: { days: { 17: 7 } } },
  },
];

const fieldsOf = (page: Page): object => {
  const { _id, score, labels, ...fields } = page.toObject();
  return { ...fields, ...(score !== 7 && { score }), ...(labels.length > 0 && { labels }) };
};

describe.each(examples)('$name', ({ before, act, memory, sent, others, after }) => {
  it('shows at once, is sent as it is, and takes what the server made of it', async () => {
    const page = await store.stored(before);
    act(page);
    expect(fieldsOf(page)).toEqual(memory);
    expect(page.isModified()).toBe(true);
    await store.meanwhile(others);
    await page.save();
    expect(store.updates('findAndModify')).toEqual([sent]);
    expect(fieldsOf(page)).toEqual(after);
    expect(page.isModified()).toBe(false);
    expect(await store.raw()).toMatchObject(after);
    await page.save();
    expect(store.sent()).toEqual([]);
  });

  it('does the same as a pipeline', async () => {
    const page = await store.stored({ ...before, odd: { '': 0 } });
    act(page);
    page.set('odd', { '': 1 });
    await store.meanwhile(others);
    await page.save();
    expect(store.updates('findAndModify')).toEqual([expect.any(Array)]);
    expect(fieldsOf(page)).toEqual({ ...after, odd: { '': 1 } });
    expect(page.isModified()).toBe(false);
    expect(await store.raw()).toMatchObject(after);
  });

  it('is forgotten by rollback()', async () => {
    const page = await store.stored(before);
    act(page);
    page.rollback();
    expect(page.isModified()).toBe(false);
    expect(page.changes()).toEqual([]);
    expect(fieldsOf(page)).toEqual(before);
    await page.save();
    expect(store.sent()).toEqual([]);
  });
});
