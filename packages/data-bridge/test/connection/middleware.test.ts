import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BSON } from 'mongodb';
import { z } from 'zod';
import {
  connect,
  type Connection,
  type Middleware,
  type MiddlewareCommand,
  model,
  ObjectId,
  transaction,
  UsageError,
} from '../../src/index.ts';
import { type Command, useDatabase } from '../support/database.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

class Item extends model(
  'middle_items',
  { n: z.int(), tags: z.array(z.string()).default([]) },
  { concurrency: 'fields' },
) {}

/** What stands around the commands of a test; each test sets its own. */
let chain: Middleware[] = [];
const outer: Middleware = (command, next) => (chain[0] ?? ((_, go) => go()))(command, next);
const inner: Middleware = (command, next) => (chain[1] ?? ((_, go) => go()))(command, next);

const database = useDatabase();
let watched: Connection;
let commands: Command[];
let Watched: typeof Item;
beforeAll(async () => {
  watched = await connect(database.uri, {
    middleware: [outer, inner],
    monitorCommands: true,
  });
  commands = [];
  watched.client.on('commandStarted', ({ command }) => commands.push(command));
  Watched = Item.using(watched);
  await Item.ensureCollection();
});
afterAll(async () => {
  await watched.close();
});
beforeEach(async () => {
  await Item.collection.deleteMany({});
});
afterEach(() => {
  chain = [];
});

/** Notes which commands pass. */
const noting = (seen: MiddlewareCommand[]): Middleware => {
  return (command, next) => {
    seen.push(command);
    return next();
  };
};

describe('middleware', () => {
  it('stands around each command, the first outermost, and sees what it is about without values', async () => {
    const order: string[] = [];
    const around =
      (name: string): Middleware =>
      async (command, next) => {
        order.push(`${name} before ${command.operation}`);
        const result = await next();
        order.push(`${name} after`);
        return result;
      };
    chain = [around('outer'), around('inner')];
    await Watched.create({ n: 1 });
    expect(order).toEqual(['outer before insertOne', 'inner before insertOne', 'inner after', 'outer after']);
    const seen: MiddlewareCommand[] = [];
    chain = [noting(seen)];
    await Watched.find({ $or: [{ n: 1 }, { 'tags.0': 'x' }] })
      .sort({ n: -1 })
      .limit(3);
    await Watched.updateMany({ n: { $gt: 0 } }, { $set: { tags: ['secret'] } });
    await Watched.aggregate().match({ n: 1 });
    expect(seen.map(({ operation, paths, limit }) => [operation, paths, limit])).toEqual([
      ['find', ['n', 'tags.0'], 3],
      ['updateMany', ['n', 'tags'], undefined],
      ['aggregate', ['n'], undefined],
    ]);
    expect(seen[0]).toMatchObject({
      collection: 'middle_items',
      database: watched.db.databaseName,
      isInTransaction: false,
      batchSize: undefined,
    });
    expect(JSON.stringify(seen)).not.toContain('secret');
    expect(JSON.stringify(seen[1]?.values())).toContain('secret');
  });

  it('passes every call, and changes nothing of what it gives', async () => {
    const seen: MiddlewareCommand[] = [];
    chain = [noting(seen)];
    const [first, second] = await Watched.insertMany([{ n: 1 }, { n: 2 }]);
    first?.set('n', 3);
    second?.$inc('n');
    await Watched.saveAll([first as Item, second as Item, new Watched({ n: 4 })]);
    await first?.reload();
    expect((await Watched.find().sort('n').batchSize(1)).map(({ n }) => n)).toEqual([3, 3, 4]);
    const iterated: number[] = [];
    for await (const { n } of Watched.find().sort('n').batchSize(2)) iterated.push(n);
    expect(iterated).toEqual([3, 3, 4]);
    expect((await Watched.find().sort('n').page({ size: 2 })).items.map(({ n }) => n)).toEqual([3, 3]);
    expect(await Watched.find({ n: 99 })).toEqual([]);
    expect(await Watched.find().lean()).toHaveLength(3);
    expect(await Watched.count()).toBe(3);
    expect(new Set(await Watched.distinct('n'))).toEqual(new Set([3, 4]));
    expect(await Watched.find().sum('n')).toBe(10);
    expect(await Watched.estimatedCount()).toBe(3);
    expect(await Watched.find().explain()).toBeTypeOf('object');
    expect(await Watched.bulk().deleteMany({ n: 3 }).insertOne({ n: 5 }).execute()).toMatchObject([
      { deletedCount: 2 },
      {},
    ]);
    await Watched.findOneAndUpdate({ n: 4 }, { $set: { n: 6 } });
    expect(new Set(seen.map(({ operation }) => operation))).toEqual(
      new Set([
        'insertMany',
        'findOneAndUpdate',
        'findOne',
        'find',
        'countDocuments',
        'distinct',
        'aggregate',
        'estimatedDocumentCount',
        ...seen.map(({ operation }) => operation).filter((each) => /bulkWrite|update|delete|insert/i.test(each)),
      ]),
    );
    expect(seen.find(({ operation }) => operation === 'insertMany')?.batchSize).toBe(2);
  });

  it('may add a comment', async () => {
    await Item.create({ n: 1 });
    chain = [(command, next) => (command.comment('from /items'), next())];
    commands.length = 0;
    await Watched.find();
    await Watched.updateOne({ n: 1 }, { $set: { n: 2 } });
    await Watched.count();
    expect(commands.map(({ comment }) => comment as unknown)).toEqual(['from /items', 'from /items', 'from /items']);
  });

  it('may refuse: a budget of documents, and of plans without an index', async () => {
    await Item.create({ n: 1 });
    chain = [
      async (command, next) => {
        if (command.operation !== 'find') return next();
        if (command.limit === undefined) throw new Error(`no limit: ${command.paths.join()}`);
        const plan = await command.explain();
        throw new Error(`no index: ${Object.keys(plan).includes('queryPlanner')}`);
      },
    ];
    await expect(Watched.find({ n: 1 })).rejects.toThrow('no limit: n');
    await expect(Watched.find({ n: 1 }).limit(1)).rejects.toThrow('no index: true');
    await expect(Promise.resolve(Watched.find({ n: 1 }).forEach(() => undefined))).rejects.toThrow('no limit');
    chain = [
      () => {
        throw new Error('read only');
      },
    ];
    const item = new Watched({ n: 2 });
    await expect(item.save()).rejects.toThrow('read only');
    expect(item.$isNew).toBe(true);
    await expect(Watched.deleteMany({})).rejects.toThrow('read only');
    chain = [];
    await item.save();
    const text: unknown = 'text';
    chain = [
      () => {
        throw text;
      },
    ];
    await expect(item.set('n', 3).save()).rejects.toThrow('text');
    await expect(Watched.saveAll([item, new Watched({ n: 4 })])).rejects.toThrow('2 of 2');
    await expect(Watched.insertMany([{ n: 5 }])).rejects.toThrow('text');
    await expect(item.delete()).rejects.toThrow('text');
    chain = [];
    await item.save();
    expect(
      await Item.find()
        .sort('n')
        .map(({ n }) => n),
    ).toEqual([1, 3]);
  });

  it('may answer a read by itself, as a cache does', async () => {
    await Item.insertMany([1, 2].map((n) => ({ n })));
    const kept = new Map<string, unknown>();
    const cache: Middleware = async (command, next) => {
      const key = command.key();
      if (kept.has(key)) return kept.get(key);
      const result = await next();
      if (command.isWhole) kept.set(key, result);
      return result;
    };
    chain = [cache];
    for (let tries = 0; tries < 2; tries += 1) {
      const found = await Watched.find().sort('n');
      expect(found.map(({ n }) => n)).toEqual([1, 2]);
      expect(await Watched.count()).toBe(2);
      expect(await Watched.aggregate().match({ n: 2 })).toMatchObject([{ n: 2 }]);
      // A first batch is not all there is.
      expect(await Watched.find().sort('n').batchSize(1)).toHaveLength(2);
      await Item.collection.deleteMany({ n: 7 });
    }
    expect(kept.size).toBe(3);
    await Item.collection.deleteMany({});
    expect((await Watched.find().sort('n')).map(({ n }) => n)).toEqual([1, 2]);
    chain = [async () => [{ _id: 1, n: 9 }]];
    expect((await Watched.find()).map(({ n }) => n)).toEqual([9]);
    chain = [async (_, next) => ((await next()) as unknown[]).slice(0, 0)];
    expect(await Watched.find()).toEqual([]);
  });

  it.each<readonly [string, string, () => PromiseLike<unknown>]>([
    ['find', 'a list of documents', () => Watched.find()],
    ['find', 'a list of documents', () => Watched.find().lean()],
    ['find', 'a list of documents', () => Watched.findOne()],
    ['find', 'a list of documents', () => Watched.find().page({ size: 2 })],
    ['find', 'a list of documents', () => Watched.find().forEach(() => undefined)],
    ['findOne', 'a document or null', () => Watched.hydrate({ _id: new ObjectId(), n: 1 }).reload()],
    ['countDocuments', 'a number', () => Watched.count()],
    ['estimatedDocumentCount', 'a number', () => Watched.estimatedCount()],
    ['distinct', 'a list of values', () => Watched.distinct('n')],
    ['aggregate', 'a list of documents', () => Watched.aggregate()],
    ['aggregate', 'a list of documents', () => Watched.find().sum('n')],
  ])('that does not return what next() gives for %s is told so: %s (%#)', async (operation, kind, read) => {
    await Item.create({ n: 1 });
    chain = [async (_, next) => void (await next())];
    await expect(read()).rejects.toThrow(
      `A middleware gave undefined for ${operation}, which gives ${kind}: return what next() gives`,
    );
    // Neither is a list of anything, nor a text.
    if (kind === 'a list of documents') {
      chain = [async () => ['text']];
      await expect(read()).rejects.toThrow('A middleware gave an array');
    }
    chain = [async () => 'text'];
    await expect(read()).rejects.toThrow('A middleware gave a string');
  });

  it('may refuse what was read', async () => {
    await Item.insertMany([{ n: 1 }, { n: 2 }]);
    const few: Middleware = async (_, next) => {
      const found = await next();
      if ((found as unknown[]).length > 1) throw new Error('too many');
      return found;
    };
    chain = [few];
    await expect(Watched.find()).rejects.toThrow('too many');
    expect(await Watched.find({ n: 1 })).toHaveLength(1);
  });

  it('tells commands apart by their keys, whatever differs', async () => {
    const keys: string[] = [];
    chain = [(command, next) => (keys.push(command.key()), next())];
    class Other extends model('middle_others', { n: z.int() }) {}
    const asked = [
      () => Watched.find(),
      () => Watched.find().lean(),
      () => Watched.find({ tags: /a/ }),
      () => Watched.find({ tags: /b/ }),
      () => Watched.find().sort('n'),
      () => Watched.find().sort({ n: -1 }),
      () => Watched.find().limit(1),
      () => Watched.find({ n: 1 }),
      () => Watched.count({ n: 1 }),
      () => Watched.find({ at: new Date(1) } as never),
      () => Watched.find({ at: new Date(2) } as never),
      () => Other.using(watched).find(),
    ];
    for (const ask of asked) await ask();
    // A plain find and a lean one ask the server for the same.
    expect(new Set(keys).size).toBe(asked.length - 1);
    keys.length = 0;
    await Watched.find().comment('one').maxTimeMS(5000);
    await Watched.find().comment('two').maxTimeMS(5000);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[\w-]{43}$/);
  });

  it('sees documents as BSON and inserts with their fields, and names no values among the paths', async () => {
    const plain = await connect(database.uri, { middleware: [outer] });
    const Plain = Item.using(plain);
    const seen: [string, readonly string[], number | undefined][] = [];
    const values: unknown[] = [];
    const given: unknown[] = [];
    chain = [
      async (command, next) => {
        const result = await next();
        seen.push([command.operation, command.paths, command.batchSize]);
        values.push(command.values()[0]);
        given.push(result);
        return result;
      },
    ];
    const item = await Plain.create({ n: 1, tags: ['a'] });
    await Plain.insertMany([{ n: 2 }, { n: 3 }]);
    expect(values).toMatchObject([{ n: 1, tags: ['a'] }, [{ n: 2 }, { n: 3 }]]);
    await Plain.bulk()
      .insertOne({ n: 4 })
      .updateOne({ n: 4 }, { $set: { tags: ['b'] } })
      .replaceOne({ n: 4 }, { n: 5 })
      .execute({ ordered: true });
    await Plain.updateMany({ $and: [{ n: 9 }], $comment: 'secret' }, [{ $set: { n: 1 } }, { $unset: 'tags' }]);
    given.length = 0;
    expect(
      await Plain.aggregate()
        .match({ n: 1 })
        .group({ _id: '$n', many: { $sum: 1 } }),
    ).toEqual([{ _id: 1, many: 1 }]);
    expect(await Plain.find({ n: 1 }).sum('n')).toBe(1);
    for (const list of given as Uint8Array[][]) expect(BSON.deserialize(list[0] as Uint8Array)).toHaveProperty('_id');
    chain = [async () => [BSON.serialize({ _id: null, value: 7 })]];
    expect(await Plain.find().sum('n')).toBe(7);
    chain = [];
    const told = seen.filter(([operation]) => !/^(insertOne|updateOne|replaceOne)$/.test(operation));
    expect(told.filter(([operation]) => operation !== 'bulkWrite')).toEqual([
      ['insertMany', [], 2],
      ['updateMany', ['n', 'tags'], undefined],
      ['aggregate', ['n'], undefined],
      ['aggregate', ['n'], undefined],
    ]);
    for (const [operation, paths] of seen) if (operation === 'bulkWrite') expect(paths).toEqual(['n', 'tags']);
    expect(JSON.stringify(seen)).not.toMatch(/secret|namespace|document/);
    await item.delete();
    await plain.close();
  });

  it('cannot answer a write, have it sent twice, or undo what was done', async () => {
    chain = [async () => ({ acknowledged: true })];
    await expect(Watched.create({ n: 1 })).rejects.toThrow('it may throw, but not answer by itself');
    chain = [(_, next) => next().then(next)];
    const twice = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await Watched.create({ n: 1 });
    expect(await Item.count()).toBe(1);
    chain = [
      async (_, next) => {
        await next();
        throw new Error('after');
      },
    ];
    const item = await Watched.create({ n: 2 });
    expect([item.$isNew, item.isModified(), await Item.count()]).toEqual([false, false, 2]);
    chain = [async (_, next) => next().catch(() => 'swallowed')];
    await expect(Watched.create({ _id: item._id, n: 3 })).rejects.toThrow('unique index');
    expect(twice.mock.calls.map(([text]) => String(text))).toEqual([
      'A middleware failed after the command insertOne was done: UsageError.',
      'A middleware failed after the command insertOne was done: Error.',
    ]);
    twice.mockRestore();
  });

  it('is a list of functions', async () => {
    await expect(connect(database.uri, { middleware: [5] as never })).rejects.toThrow('a list of functions');
    await expect(connect(database.uri, { middleware: noting([]) as never })).rejects.toThrow(UsageError);
  });

  it.runIf(isReplicaSet)('stands around what is done in a transaction', async () => {
    const seen: MiddlewareCommand[] = [];
    chain = [noting(seen)];
    await watched.transaction(async () => {
      await Watched.create({ n: 1 });
      expect(await Watched.find()).toHaveLength(1);
      expect(await Watched.count()).toBe(1);
    });
    expect(seen.map(({ operation, isInTransaction }) => [operation, isInTransaction])).toEqual([
      ['insertOne', true],
      ['find', true],
      ['countDocuments', true],
    ]);
    await expect(transaction(async () => Watched.create({ n: 2 }))).rejects.toThrow('another connection');
  });
});
