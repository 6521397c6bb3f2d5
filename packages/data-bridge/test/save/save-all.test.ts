import { once } from 'node:events';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  BulkSaveError,
  DocumentNotFoundError,
  DuplicateKeyError,
  EncodeError,
  model,
  UsageError,
  ValidationError,
} from '../../src/index.ts';
import { BULK_SERVERS, useBulkDatabase } from '../support/bulk-servers.ts';
import { rejectionOf } from '../support/rejection.ts';

/** Runs inside the validation of `hooked`. */
let whileValidating: () => unknown = () => undefined;

class Item extends model('items', {
  name: z.string().min(1),
  tags: z.array(z.string()).default([]),
  count: z.number().default(0),
  address: z.object({ city: z.string(), zip: z.string().optional() }).optional(),
  hooked: z
    .string()
    .refine(async () => {
      await whileValidating();
      return true;
    })
    .optional(),
}) {}

class Label extends model('labels', { _id: z.string(), text: z.string() }, { timestamps: true }) {}

describe.each(BULK_SERVERS)('saveAll() on a server %s', (_, wireVersion) => {
  const database = useBulkDatabase(wireVersion);
  beforeAll(async () => {
    await Item.collection.createIndex({ name: 1 }, { unique: true });
    await Label.ensureCollection();
  });
  beforeEach(async () => {
    await Item.deleteMany({});
    await Label.deleteMany({});
    database.sent();
  });

  const raw = (item: Item) => database.db.collection('items').findOne({ _id: item._id });
  const stored = async (...names: string[]): Promise<Item[]> => {
    const items = await Item.insertMany(names.map((name) => ({ name })));
    database.sent();
    return items;
  };
  const outcomesOf = (results: readonly { readonly outcome: string }[]) => results.map(({ outcome }) => outcome);
  const pick = (items: readonly Item[], place: number): Item => {
    const item = items[place];
    if (item === undefined) throw new Error('Expected an item');
    return item;
  };

  it('saves new and changed documents of several models together', async () => {
    const items = await stored('a', 'b');
    for (const item of items) item.count += 5;
    const fresh = new Item({ name: 'c' });
    const label = new Label({ _id: 'l', text: 'one' });
    const results = await Item.saveAll([...items, fresh, label]);
    expect(results.map(({ document }) => document)).toEqual([...items, fresh, label]);
    expect(outcomesOf(results)).toEqual(['updated', 'updated', 'inserted', 'inserted']);
    expect(database.sentNames()).toEqual(wireVersion === 25 ? ['bulkWrite'] : ['update', 'insert', 'insert']);
    expect(
      await Item.find()
        .sort({ name: 1 })
        .map(({ name, count }) => [name, count]),
    ).toEqual([
      ['a', 5],
      ['b', 5],
      ['c', 0],
    ]);
    expect((await Label.findById('l'))?.createdAt).toBeInstanceOf(Date);
    expect([fresh.$isNew, label.$isNew, ...items.map((item) => item.isModified())]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(outcomesOf(await Item.saveAll([...items, fresh, label]))).toEqual(Array(4).fill('clean'));
    expect(database.sent()).toHaveLength(2);
  });

  it('sends nothing for what did not change, nor for nothing', async () => {
    const items = await stored('a', 'b');
    pick(items, 1).count = 1;
    expect(outcomesOf(await Item.saveAll(items))).toEqual(['clean', 'updated']);
    expect(database.sentNames()).toEqual(['update']);
    expect(await Item.saveAll([])).toEqual([]);
    expect(outcomesOf(await Item.saveAll(items))).toEqual(['clean', 'clean']);
    expect(database.sent()).toEqual([]);
  });

  it('saves a document that is listed twice once', async () => {
    const item = new Item({ name: 'a' });
    expect(await Item.saveAll([item, item])).toEqual([{ document: item, outcome: 'inserted' }]);
    expect(database.sentNames()).toEqual(['insert']);
  });

  it('notes the time of an update', async () => {
    const labels = await Label.insertMany(['a', 'b'].map((_id) => ({ _id, text: 'one' })));
    const before = labels.map(({ updatedAt }) => updatedAt.getTime());
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const label of labels) label.text = 'two';
    await Label.saveAll(labels);
    const found = await Label.find().sort({ _id: 1 });
    expect(found.every(({ updatedAt }, i) => updatedAt.getTime() > (before[i] ?? Infinity))).toBe(true);
    expect(labels.map((label) => label.isModified())).toEqual([false, false]);
  });

  it('writes what can be invalid for the shape that is stored by now in a form that fits any', async () => {
    const items = await stored('a', 'b', 'c');
    for (const item of items) item.address = { city: 'Rome' };
    await Item.saveAll(items);
    for (const item of items) {
      item.tags.push('new');
      if (item.address !== undefined) item.address.city = 'Oslo';
    }
    await database.db.collection('items').updateMany({ name: 'a' }, { $set: { tags: 5, address: 'none' } });
    await database.db.collection('items').updateMany({ name: 'b' }, { $set: { 'address.zip': '1', tags: ['old'] } });
    await Item.saveAll(items);
    const found = await database.db.collection('items').find().sort({ name: 1 }).toArray();
    expect(found.map(({ tags, address }) => [tags, address])).toEqual([
      [['new'], { city: 'Oslo' }],
      [['old', 'new'], { city: 'Oslo', zip: '1' }],
      [['new'], { city: 'Oslo' }],
    ]);
  });

  it('reports which documents failed and why, and saves the others', async () => {
    const [gone, changed, invalid] = (await stored('gone', 'changed', 'invalid')) as [Item, Item, Item];
    const [clash, clean] = [new Item({ name: 'changed' }), await Item.create({ name: 'clean' })];
    await Item.deleteOne({ name: 'gone' });
    gone.count = 1;
    changed.count = 1;
    invalid.name = '';
    database.sent();
    const error = await rejectionOf(BulkSaveError, Item.saveAll([gone, changed, invalid, clash, clean]));
    expect(error.results).toMatchObject([
      { document: gone, outcome: 'failed', error: expect.any(DocumentNotFoundError) },
      { document: changed, outcome: 'updated' },
      { document: invalid, outcome: 'failed', error: expect.any(ValidationError) },
      { document: clash, outcome: 'failed', error: expect.any(DuplicateKeyError) },
      { document: clean, outcome: 'clean' },
    ]);
    expect(database.sentNames().toSorted()).toEqual(
      wireVersion === 25 ? ['bulkWrite', 'find'] : ['find', 'insert', 'update'],
    );
    expect([gone, changed, invalid].map((item) => item.isModified())).toEqual([true, false, true]);
    expect(clash.$isNew).toBe(true);
    clash.name = 'other';
    invalid.name = 'valid';
    expect(outcomesOf(await Item.saveAll([clash, invalid, clean]))).toEqual(['inserted', 'updated', 'clean']);
    expect(await raw(changed)).toMatchObject({ count: 1 });
  });

  it('distinguishes a document that is gone from another one in memory with the same _id', async () => {
    const [a, b] = (await stored('a', 'b')) as [Item, Item];
    const twin = await Item.findById(a._id);
    if (twin === null) throw new Error('Expected a twin');
    a.count = 1;
    twin.tags = ['t'];
    b.count = 1;
    await Item.deleteOne({ name: 'a' });
    const error = await rejectionOf(BulkSaveError, Item.saveAll([a, twin, b]));
    expect(outcomesOf(error.results)).toEqual(['failed', 'failed', 'updated']);
  });

  it('sends atomic operators each in a command of its own, and takes what they left', async () => {
    const items = await stored('a', 'b', 'c');
    await database.db.collection('items').updateMany({}, { $inc: { count: 10 } });
    pick(items, 0).$inc('count', 1);
    pick(items, 1).$inc('count', 2);
    pick(items, 2).tags = ['t'];
    const fresh = new Item({ name: 'd' });
    database.sent();
    await Item.saveAll([...items, fresh]);
    const expected = ['findAndModify', 'findAndModify'];
    expect(database.sentNames().toSorted()).toEqual(
      wireVersion === 25 ? ['bulkWrite', ...expected] : [...expected, 'insert', 'update'],
    );
    expect(items.map(({ count }) => count)).toEqual([11, 12, 0]);
    expect(items.map((item) => item.isModified())).toEqual([false, false, false]);
  });

  it('stores a document beside one that is too large', async () => {
    const [large, small, other] = [{ name: 'x'.repeat(17e6) }, { name: 'small' }, { name: 'other' }].map(
      (input) => new Item(input),
    ) as [Item, Item, Item];
    const error = await rejectionOf(BulkSaveError, Item.saveAll([large, small, other]));
    expect(outcomesOf(error.results)).toEqual(['failed', 'inserted', 'inserted']);
    expect(error.results[0]?.error).toBeInstanceOf(EncodeError);
    expect(large.$isNew).toBe(true);
  });

  describe('ordered', () => {
    it('writes none after the first that failed', async () => {
      const [a] = await stored('a');
      const [b, clash, c, d] = ['b', 'a', 'c', 'd'].map((name) => new Item({ name })) as [Item, Item, Item, Item];
      if (a === undefined) throw new Error('Expected a document');
      a.count = 1;
      d.$inc('count');
      const error = await rejectionOf(BulkSaveError, Item.saveAll([b, a, clash, c, d], { ordered: true }));
      expect(error.results).toEqual([
        { document: b, outcome: 'inserted' },
        { document: a, outcome: 'updated' },
        { document: clash, outcome: 'failed', error: expect.any(DuplicateKeyError) },
        { document: c, outcome: 'failed' },
        { document: d, outcome: 'failed' },
      ]);
      expect([b, a, clash, c, d].map((item) => item.isModified())).toEqual([false, false, true, true, true]);
      clash.name = 'e';
      expect(outcomesOf(await Item.saveAll([clash, c, d], { ordered: true }))).toEqual(Array(3).fill('inserted'));
      expect(await raw(d)).toMatchObject({ count: 1 });
    });

    it('writes those before one that is invalid', async () => {
      const [a, b, c] = (await stored('a', 'b', 'c')) as [Item, Item, Item];
      for (const item of [a, b, c]) item.$inc('count');
      b.name = '';
      const error = await rejectionOf(BulkSaveError, Item.saveAll([a, b, c], { ordered: true }));
      expect(outcomesOf(error.results)).toEqual(['updated', 'failed', 'failed']);
      expect([await raw(a), await raw(c)]).toMatchObject([{ count: 1 }, { count: 0 }]);
      expect(c.isModified()).toBe(true);
      b.name = 'b';
      await Item.saveAll([b, c], { ordered: true });
      expect([await raw(b), await raw(c)]).toMatchObject([{ count: 1 }, { count: 1 }]);
    });

    it('goes on after a document that is gone', async () => {
      const [a, b] = (await stored('a', 'b')) as [Item, Item];
      a.count = b.count = 1;
      await Item.deleteOne({ name: 'a' });
      const error = await rejectionOf(BulkSaveError, Item.saveAll([a, b, new Item({ name: 'c' })], { ordered: true }));
      expect(outcomesOf(error.results)).toEqual(['failed', 'updated', 'inserted']);
    });
  });

  describe('and other operations', () => {
    it('waits for those of all its documents, and they for it', async () => {
      const [a, b] = (await stored('a', 'b')) as [Item, Item];
      a.count = 1;
      b.count = 1;
      const first = a.save();
      const all = Item.saveAll([a, b]);
      const last = b.save();
      expect(await Promise.all([first, all, last])).toMatchObject([
        a,
        [{ outcome: 'clean' }, { outcome: 'updated' }],
        b,
      ]);
      expect(database.sentNames()).toEqual(['update', 'update']);
    });

    it('never waits for another that waits for it', async () => {
      const items = await stored('a', 'b', 'c');
      const round = (count: number) => {
        for (const item of items) item.count = count;
        return [Item.saveAll(items), Item.saveAll(items.toReversed()), ...items.map((item) => item.save())];
      };
      await Promise.all([1, 2, 3].flatMap(round));
      expect(await Item.distinct('count')).toEqual([3]);
    });

    it('is refused inside a save of one of its documents, which others in its list are free to go on after', async () => {
      const [a, b] = (await stored('a', 'b')) as [Item, Item];
      let thrown: unknown;
      whileValidating = async () => {
        thrown = await Item.saveAll([b, a]).catch((error: unknown) => error);
      };
      a.hooked = 'x';
      await a.save();
      whileValidating = () => undefined;
      expect(thrown).toBeInstanceOf(UsageError);
      b.count = 2;
      await b.save();
      expect(await raw(b)).toMatchObject({ count: 2 });
    });

    it('refuses the save of any of its documents inside its own validation', async () => {
      const [a, b] = (await stored('a', 'b')) as [Item, Item];
      let thrown: unknown;
      whileValidating = async () => {
        thrown = await b.save().catch((error: unknown) => error);
      };
      a.hooked = 'x';
      await Item.saveAll([a, b]);
      whileValidating = () => undefined;
      expect(thrown).toBeInstanceOf(UsageError);
    });

    it('leaves what is changed meanwhile for the next save', async () => {
      const items = await stored('a', 'b');
      for (const item of items) item.tags.push('one');
      const saving = Item.saveAll(items);
      await once(database.connection.client, 'commandStarted');
      for (const item of items) item.tags.push('two');
      await saving;
      expect(items.map((item) => item.changes().length)).toEqual([1, 1]);
      expect(await raw(pick(items, 0))).toMatchObject({ tags: ['one'] });
      await Item.saveAll(items);
      expect(await raw(pick(items, 1))).toMatchObject({ tags: ['one', 'two'] });
    });
  });

  it('sends nothing once its signal is aborted', async () => {
    const items = await stored('a', 'b');
    for (const item of items) item.tags.push('x');
    const error = await rejectionOf(BulkSaveError, Item.saveAll(items, { signal: AbortSignal.abort() }));
    expect(outcomesOf(error.results)).toEqual(['failed', 'failed']);
    expect(database.sent()).toEqual([]);
    expect(outcomesOf(await Item.saveAll(items))).toEqual(['updated', 'updated']);
  });

  it('takes the options of save(), and refuses others before anything is sent', async () => {
    const invalid = new Item({ name: '' });
    expect(outcomesOf(await Item.saveAll([invalid, new Item({ name: 'a' })], { validate: false }))).toEqual([
      'inserted',
      'inserted',
    ]);
    database.sent();
    const item = new Item({ name: 'b' });
    await expect(Item.saveAll([item], { upsert: true } as object)).rejects.toThrow(UsageError);
    await expect(Item.saveAll([item], { writeConcern: { w: 0 } })).rejects.toThrow('saveAll()');
    await expect(Item.saveAll([{ name: 'b' } as never])).rejects.toThrow(UsageError);
    await expect(Item.saveAll(item as never)).rejects.toThrow(UsageError);
    await expect(Item.insertMany(item as never)).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });
});
