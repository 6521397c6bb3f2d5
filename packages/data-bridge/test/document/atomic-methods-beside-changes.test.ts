import { setImmediate } from 'node:timers/promises';
import { Decimal128, Double, Long } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { Page, PageStore } from '../support/pages.ts';

const store = new PageStore(useDatabase());

beforeEach(async () => {
  await store.clear();
});

const june = new Date('2026-06-01');
const july = new Date('2026-07-01');

describe('$currentDate', () => {
  it('shows the time at once, and takes the server’s', async () => {
    const page = await store.stored({ seen: june });
    const before = page.seen;
    page.$currentDate('seen').$currentDate('seen');
    expect(page.seen?.getTime()).toBeGreaterThan(july.getTime());
    await page.save();
    expect(store.updates('findAndModify')).toEqual([{ $currentDate: { seen: true } }]);
    expect((await store.raw())['seen']).toEqual(page.seen);
    expect(page.isModified()).toBe(false);
    expect(before).toEqual(june);
  });

  it('does the same as a pipeline', async () => {
    const page = await store.stored({ stats: { '': 0 } });
    page.$currentDate('stats.when' as never).set('stats.', 1);
    await page.save();
    expect(store.updates('findAndModify')).toEqual([expect.any(Array)]);
    expect((await store.raw())['stats']).toEqual({ '': 1, when: page.get('stats.when') });
    expect(page.isModified()).toBe(false);
  });
});

describe('numbers', () => {
  const big = Long.fromString('9007199254740993');

  it.each([
    ['a long, by a bigint', big, 2n, Long.fromString('9007199254740995')],
    ['a decimal', Decimal128.fromString('0.10'), Decimal128.fromString('0.2'), Decimal128.fromString('0.30')],
    ['an int, by a fraction', 1, 0.5, 1.5],
    ['an int, beyond 32 bits', 2 ** 31 - 1, 1, 2 ** 31],
  ])('%s', async (_, views, by, sum) => {
    const page = await store.stored({ views });
    page.$inc('views', by);
    expect(page.views).toEqual(sum);
    await page.save({ validate: false });
    expect(page.views).toEqual(sum);
    expect((await store.raw())['views']).toEqual(sum);
    expect(page.isModified()).toBe(false);
  });

  it('beyond 64 bits become doubles', async () => {
    const page = await store.stored({ views: Long.MAX_VALUE });
    page.$inc('views', 1n);
    expect(page.views).toBe(2 ** 63);
    await page.save({ validate: false });
    expect((await store.raw())['views']).toBe(2 ** 63);
    expect(page.isModified()).toBe(false);
  });
});

describe('beside other ways to change', () => {
  it('a later assignment wins', async () => {
    const page = await store.stored({ views: 1 });
    page.$inc('views');
    page.views = 10;
    await page.save();
    expect(store.updates('update')).toEqual([{ $set: { views: 10 } }]);
  });

  it('a later change in place wins', async () => {
    const page = await store.stored({ tags: ['a'] });
    page.$addToSet('tags', 'b');
    page.tags?.push('c');
    await page.save();
    const push = { $push: { tags: { $each: ['b', 'c'] } } };
    expect(store.updates('update')).toEqual([push]);
  });

  it('a change that is taken back by assignment leaves nothing to send', async () => {
    const page = await store.stored({ views: 1 });
    page.$inc('views');
    page.views = 1;
    expect(page.isModified()).toBe(false);
    await page.save();
    expect(store.sent()).toEqual([]);
  });

  it('an earlier assignment stands: the operator changes what was assigned', async () => {
    const page = await store.stored({ views: 1, tags: ['a'] });
    page.views = 5;
    page.tags = [];
    page.$inc('views').$push('tags', 'b').$inc('views');
    await page.save();
    const set = { $set: { views: 7, tags: ['b'] } };
    expect(store.updates('update')).toEqual([set]);
  });

  it('an operator after a later assignment changes that', async () => {
    const page = await store.stored({ views: 1 });
    page.$inc('views');
    page.views = 10;
    page.$mul('views', 2);
    await page.save();
    expect(store.updates('update')).toEqual([{ $set: { views: 20 } }]);
  });

  it('an operator in a new object is part of it', async () => {
    const page = await store.stored({ views: 1 });
    page.$inc('stats.likes').$addToSet('stats.list' as never, 1 as never);
    await page.save();
    const set = { $set: { stats: { likes: 1, list: [1] } } };
    expect(store.updates('update')).toEqual([set]);
  });

  it('an operator in an object that was replaced by an alike one stays', async () => {
    const page = await store.stored({ stats: { likes: 1, days: { mon: 1 } } });
    page.stats = { likes: 1, days: { mon: 2 } };
    page.$inc('stats.likes');
    await page.save();
    expect(store.updates('findAndModify')).toEqual([{ $set: { 'stats.days.mon': 2 }, $inc: { 'stats.likes': 1 } }]);
  });

  it('defaults are values like any other', async () => {
    const page = await store.stored({});
    page.$inc('score').$push('labels', 'a');
    expect([page.score, page.labels]).toEqual([8, ['a']]);
    await page.save();
    const set = { $set: { score: 8, labels: ['a'] } };
    expect(store.updates('update')).toEqual([set]);
  });

  it('a new document is just changed', async () => {
    const page = new Page({ views: 1 });
    page.$inc('views', 2).$push('tags', 'a');
    expect(page.changes().map(({ path }) => path)).toContain('tags');
    await page.save();
    expect(Object.keys(store.sent()[0] ?? {})[0]).toBe('insert');
    expect(await store.raw()).toMatchObject({ views: 3, tags: ['a'] });
    expect(page.isModified()).toBe(false);
  });

  it('one field can be rolled back alone', async () => {
    const page = await store.stored({ views: 1, stats: { likes: 1 } });
    page.$inc('views').$inc('stats.likes');
    page.rollback('stats');
    expect([page.isModified('views'), page.isModified('stats')]).toEqual([true, false]);
    await page.save();
    expect(store.updates('findAndModify')).toEqual([{ $inc: { views: 1 } }]);
  });

  it('reload() forgets operators', async () => {
    const page = await store.stored({ tags: ['a'] });
    page.$addToSet('tags', 'a');
    await page.reload();
    expect(page.isModified()).toBe(false);
  });

  it('what was changed is reported, also where memory is as it was', async () => {
    const page = await store.stored({ tags: ['a'], stats: { likes: 1 } });
    page
      .$addToSet('tags', 'a')
      .$inc('stats.likes')
      .$pull('stats.list' as never, 1 as never);
    expect([page.isModified('tags'), page.isModified('stats'), page.isModified('views')]).toEqual([true, true, false]);
    const changes = [
      { path: 'tags', keys: ['tags'], from: ['a'], to: ['a'] },
      { path: 'stats.likes', keys: ['stats', 'likes'], from: 1, to: 2 },
      { path: 'stats.list', keys: ['stats', 'list'], from: undefined, to: undefined },
    ];
    const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? 1 : -1);
    expect(page.changes().toSorted(byPath)).toEqual(changes.toSorted(byPath));
  });

  it('what the last save did is shown with the server’s values', async () => {
    const page = await store.stored({ views: 1 });
    page.$inc('views');
    await store.meanwhile({ $inc: { views: 5 } });
    await page.save();
    expect(page.$previousChanges()).toEqual([{ path: 'views', keys: ['views'], from: 1, to: 7 }]);
  });
});

describe('containers that were handed out', () => {
  it('stay, and have what the server has', async () => {
    const page = await store.stored({
      parts: [
        { sku: 'a', n: 1 },
        { sku: 'b', n: 2 },
      ],
      stats: { list: [1] },
    });
    const { parts, stats } = page;
    const list = page.get('stats.list');
    const second = parts?.[1];
    page.$push('parts', { sku: 'c', n: 3 }).$push('stats.list' as never, 2 as never);
    expect(parts).toHaveLength(3);
    const third = parts?.[2];
    await store.meanwhile({ $pop: { parts: -1 }, $push: { 'stats.list': 9 } });
    await page.save();
    expect(page.parts).toBe(parts);
    expect(page.stats).toBe(stats);
    expect(page.get('stats.list')).toBe(list);
    expect(list).toEqual([1, 9, 2]);
    expect(parts).toEqual([
      { sku: 'b', n: 2 },
      { sku: 'c', n: 3 },
    ]);
    expect(parts?.[0]).toBe(second);
    expect(parts?.[1]).toBe(third);
    expect(page.isModified()).toBe(false);
  });

  it('may be changed again afterwards', async () => {
    const page = await store.stored({ parts: [{ sku: 'a', n: 1 }] });
    page.$push('parts', { sku: 'b', n: 1 });
    await page.save();
    const [, second] = page.parts ?? [];
    if (second !== undefined) second.n = 5;
    await page.save();
    expect((await store.raw())['parts']).toEqual([
      { sku: 'a', n: 1 },
      { sku: 'b', n: 5 },
    ]);
  });

  it('show an array that others made of something else', async () => {
    const page = await store.stored({ tags: ['a'], views: 1 });
    page.$addToSet('tags', 'b').$inc('views');
    await store.meanwhile({ $set: { tags: 'none', views: 'many' } });
    await page.save();
    // The operators do not fit what is stored: what memory shows is written.
    expect(await store.raw()).toEqual({ tags: ['a', 'b'], views: 2 });
    expect(page.isModified()).toBe(false);
  });
});

describe('while a save is under way', () => {
  it('what is asked for is left for the next one, on top of what the server made', async () => {
    const page = await store.stored({ views: 1, tags: ['a'], seen: june });
    page.$inc('views').$addToSet('tags', 'b').$max('seen', july);
    await store.meanwhile({ $inc: { views: 10 }, $addToSet: { tags: 'x' } });
    const saving = page.save();
    await setImmediate(); // what is sent is fixed by now
    page.$inc('views').$push('tags', 'c');
    page.seen = june;
    await saving;
    expect([page.views, page.tags, page.seen]).toEqual([13, ['a', 'x', 'b', 'c'], june]);
    expect(store.updates('findAndModify')).toEqual([
      {
        $inc: { views: 1 },
        $addToSet: { tags: { $each: ['b'] } },
        $max: { seen: july },
      },
    ]);
    await store.meanwhile({ $inc: { views: 10 } });
    await page.save();
    expect(store.updates('findAndModify')).toEqual([
      { $set: { seen: june }, $inc: { views: 1 }, $push: { tags: { $each: ['c'] } } },
    ]);
    expect(await store.raw()).toEqual({ views: 23, tags: ['a', 'x', 'b', 'c'], seen: june });
    expect(page.views).toBe(23);
  });
});

describe('a call that cannot work', () => {
  it.each<[string, object, (page: Page) => unknown, string]>([
    ['a value that is no number', { title: 'a' }, (page) => page.$inc('title' as never), 'needs a number'],
    ['null', { views: null }, (page) => page.$mul('views', 2), 'needs a number'],
    ['an operand that is no number', {}, (page) => page.$inc('views', '1' as never), 'needs a number'],
    [
      'a value that is no array',
      { title: 'a' },
      (page) => page.$push('title' as never, 'b' as never),
      'needs an array',
    ],
    ['a value without an order', { stats: {} }, (page) => page.$max('stats' as never, 1 as never), 'compares'],
    ['an operand without an order', {}, (page) => page.$min('views', {} as never), 'compares'],
    ['a condition', { tags: [] }, (page) => page.$pull('tags', { $gt: 'a' } as never), 'not conditions'],
    ['no end', { tags: [] }, (page) => page.$pop('tags', 2 as never), 'takes 1 for the last element'],
    ['no array to pop from', { title: 'a' }, (page) => page.$pop('title' as never), 'needs an array'],
    ['no bits', { views: 1 }, (page) => page.$bit('views', 5 as never), 'takes { and: … }'],
    ['bits of a fraction', { views: 1.5 }, (page) => page.$bit('views', { or: 1 }), 'needs an integer'],
    ['bits of a double', { views: new Double(2) }, (page) => page.$bit('views', { or: 1 }), 'there is a Double'],
    ['$each', { tags: [] }, (page) => page.$push('tags', { $each: ['a'] } as never), 'one by one'],
    ['the _id', {}, (page) => page.$inc('_id' as never), 'would change the _id'],
    [
      'an element',
      { parts: [{ sku: 'a', n: 1 }] },
      (page) => page.$inc('parts.0.n' as never),
      'goes through the array "parts"',
    ],
    ['too deep a path', {}, (page) => page.$inc('a.b.c.d.e.f.g.h.i.j.k.l' as never), 'levels deep'],
    ['a member of what is none', { title: 'a' }, (page) => page.$inc('title.n' as never), 'cannot be set'],
  ])('is refused: %s', async (_, fields, act, message) => {
    const page = await store.stored(fields);
    expect(() => act(page)).toThrow(UsageError);
    expect(() => act(page)).toThrow(message);
    expect(page.isModified()).toBe(false);
    await page.save();
    expect(store.sent()).toEqual([]);
  });

  it('is refused: another operator on the path, above or below it', async () => {
    const page = await store.stored({ views: 1, stats: { likes: 1 } });
    page.$inc('views').$inc('stats.likes');
    expect(() => page.$mul('views', 2)).toThrow('$mul of "views" meets $inc of "views", which waits for a save');
    expect(() => page.$currentDate('stats' as never)).toThrow('meets $inc of "stats.likes"');
    page.$currentDate('title' as never);
    expect(() => page.$inc('title.n' as never)).toThrow('meets $currentDate of "title"');
    await page.save({ validate: false });
    page.$mul('views', 2);
    expect(page.views).toBe(4);
    page.$pop('labels').$push('tags', 'a', 'b');
    await page.save({ validate: false });
    page.$pop('tags');
    expect(() => page.$pop('tags')).toThrow('$pop of "tags" meets $pop of "tags", which waits for a save');
    expect(page.tags).toEqual(['a']);
  });

  it('is not refused while the same is under way', async () => {
    const page = await store.stored({ tags: ['a', 'b', 'c'] });
    page.$pop('tags');
    const saving = page.save();
    await setImmediate(); // what is sent is fixed by now
    page.$pop('tags', -1);
    await saving;
    await page.save();
    expect(store.updates('findAndModify')).toEqual([{ $pop: { tags: 1 } }, { $pop: { tags: -1 } }]);
    expect([page.tags, await store.raw()]).toEqual([['b'], { tags: ['b'] }]);
  });

  it('is refused by the compiler', async () => {
    const page = await store.stored({});
    const calls = (): unknown => [
      page.$inc('stats.likes'),
      // @ts-expect-error -- no field of the schema
      page.$inc('legacy.count'),
      // @ts-expect-error -- a string is no number
      page.$inc('title'),
      // @ts-expect-error -- tags are strings
      page.$push('tags', 1),
      // @ts-expect-error -- a date is compared with a date
      page.$max('seen', 5),
      // @ts-expect-error -- views is no date
      page.$currentDate('views'),
      page.$bit('views', { or: 1 }),
      // @ts-expect-error -- a string has no bits
      page.$bit('title', { or: 1 }),
      // @ts-expect-error -- a decimal has no bits
      page.$bit('views', { or: Decimal128.fromString('1') }),
      page.$pop('tags', -1),
      // @ts-expect-error -- an array has two ends
      page.$pop('tags', 2),
      // @ts-expect-error -- views is no array
      page.$pop('views'),
    ];
    expect(calls).toBeInstanceOf(Function);
  });
});
