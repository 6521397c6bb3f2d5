import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { connect, type Connection, model, NotConnectedError } from '../../src/index.ts';
import { openServer } from '../support/database.ts';

class Item extends model('items', { name: z.string(), tags: z.array(z.string()).default([]) }) {
  get label(): string {
    return `<${this.name}>`;
  }

  static named(name: string): Promise<Item | null> {
    return this.findOne({ name });
  }
}

let server: { readonly uri: string; close(): Promise<void> };
const used = new Set<string>();
const opened: Connection[] = [];

/** A connection to a database of its own; with a name, to that one. */
async function open(name = `test-${process.pid}-${randomBytes(6).toString('hex')}`): Promise<Connection> {
  const url = new URL(server.uri);
  url.pathname = `/${name}`;
  const connection = await connect(url.href);
  used.add(name);
  opened.push(connection);
  return connection;
}

beforeAll(async () => {
  server = await openServer();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});
afterAll(async () => {
  for (const name of used) {
    const { db } = await open(name);
    await db.dropDatabase();
  }
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
  await server.close();
});

const stored = (connection: Connection) => connection.db.collection('items').countDocuments();

describe('connecting', () => {
  it('CONN-09 needs a URI: the error names the argument and the environment variable', async () => {
    vi.stubEnv('MONGODB_URI', undefined);
    const attempt = connect();
    await expect(attempt).rejects.toThrow(NotConnectedError);
    await expect(attempt).rejects.toThrow(/pass a URI to connect\(\).*MONGODB_URI/);
  });

  it('CONN-11 works again after close()', async () => {
    const first = await open();
    await first.close();
    const second = await open();
    expect([first.isOpen, second.isOpen]).toEqual([false, true]);
    await Item.create({ name: 'x' });
    expect(await stored(second)).toBe(1);
  });

  it('CONN-12 finds what was saved before close()', async () => {
    const first = await open();
    const { _id } = await Item.create({ name: 'x' });
    await first.close();
    await open(first.db.databaseName);
    expect((await Item.findById(_id))?.name).toBe('x');
  });

  it('CONN-13 is needed to save: a document left over from before close() says that there is no connection', async () => {
    const connection = await open();
    const item = await Item.create({ name: 'x' });
    item.name = 'changed';
    await connection.close();
    for (const document of [item, new Item({ name: 'new' })]) {
      const save = document.save();
      await expect(save).rejects.toThrow(NotConnectedError);
      await expect(save).rejects.toThrow('There is no connection');
    }
    expect(item.isModified('name')).toBe(true);
    await open(connection.db.databaseName);
    await item.save();
    expect((await Item.findById(item._id))?.name).toBe('changed');
  });

  it('CONN-14 close() may be called again', async () => {
    const connection = await open();
    await expect(connection.close()).resolves.toBeUndefined();
    await expect(connection.close()).resolves.toBeUndefined();
    expect(connection.isOpen).toBe(false);
  });
});

describe('several connections', () => {
  it('the first open one is the default, also when it was opened last', async () => {
    const first = await open();
    const second = await open();
    await Item.create({ name: 'x' });
    expect([await stored(first), await stored(second)]).toEqual([1, 0]);
    await first.close();
    expect(await Item.count()).toBe(0);
    const third = await open(first.db.databaseName);
    expect(await Item.count()).toBe(0);
    await second.close();
    expect(await Item.count()).toBe(1);
    await third.close();
    await expect(Item.count()).rejects.toThrow(NotConnectedError);
  });

  it('using() binds the same model to another one', async () => {
    const first = await open();
    const second = await open();
    const Other = Item.using(second);
    const item = await Other.create({ name: 'x' });
    expect([await stored(first), await stored(second)]).toEqual([0, 1]);
    item.tags.push('a');
    await item.save();
    const found = await Other.named('x');
    expect(found?.tags).toEqual(['a']);
    expect(await Item.named('x')).toBeNull();
    expect([found?.label, Other.name, found instanceof Item, found instanceof Other]).toEqual([
      '<x>',
      'Item',
      true,
      true,
    ]);
    expect(await item.delete()).toBe(true);
    expect(await stored(second)).toBe(0);
  });

  it('using() leaves the model itself and other bindings alone', async () => {
    const first = await open();
    const second = await open();
    const [One, Two] = [Item.using(first), Item.using(second)];
    await One.create({ name: 'one' });
    await Two.insertMany([{ name: 'two' }, { name: 'two' }]);
    expect([await One.count(), await Two.count(), await Item.count()]).toEqual([1, 2, 1]);
    expect([One.collection.dbName, Two.collection.dbName]).toEqual([first.db.databaseName, second.db.databaseName]);
    expect(await One.using(second).count()).toBe(2);
  });

  it('a model that is bound to a closed one does not fall back on another', async () => {
    const first = await open();
    const second = await open();
    const Other = Item.using(second);
    const loaded = await Other.create({ name: 'x' });
    loaded.name = 'changed';
    await second.close();
    expect(first.isOpen).toBe(true);
    const calls = [
      () => Other.find(),
      () => Other.findBy({ name: 'x' }),
      () => Other.count(),
      () => Other.exists(),
      () => Other.estimatedCount(),
      () => Other.distinct('name'),
      () => Other.create({ name: 'y' }),
      () => Other.insertMany([{ name: 'y' }]),
      () => Other.updateOne({}, { $set: { name: 'y' } }),
      () => Other.updateMany({}, { $set: { name: 'y' } }),
      () => Other.upsert({}, { $set: { name: 'y' } }),
      () => Other.replaceOne({}, { name: 'y' }),
      () => Other.findOneAndUpdate({}, { $set: { name: 'y' } }),
      () => Other.findOneAndReplace({}, { name: 'y' }),
      () => Other.findOneAndDelete({}),
      () => Other.deleteOne({}),
      () => Other.deleteMany({}),
      () => Other.ensureCollection(),
      () => loaded.save(),
      () => loaded.reload(),
      () => loaded.delete(),
    ];
    for (const call of calls) {
      const error = await Promise.resolve(call()).then(
        () => 'no error',
        (thrown: unknown) => thrown,
      );
      expect([String(call), error]).toEqual([String(call), expect.any(NotConnectedError)]);
      expect(error).toHaveProperty('model', 'items');
    }
    expect(() => Other.collection).toThrow(NotConnectedError);
    expect(await stored(first)).toBe(0);
  });
});

describe('closing a connection', () => {
  class Row extends model('rows', { i: z.int() }) {}

  it('ends what is being read by an error, never as if all had been read', async () => {
    const connection = await open();
    const Closed = Row.using(connection);
    await Closed.insertMany(Array.from({ length: 30 }, (_, i) => ({ i })));
    let count = 0;
    const read = async (): Promise<void> => {
      for await (const _row of Closed.find().batchSize(10)) {
        count += 1;
        if (count === 5) await connection.close();
      }
    };
    await expect(read()).rejects.toThrow(NotConnectedError);
    expect(count).toBeLessThan(30);
  });

  it('leaves what came whole', async () => {
    const connection = await open();
    const Closed = Row.using(connection);
    await Closed.insertMany(Array.from({ length: 30 }, (_, i) => ({ i })));
    let count = 0;
    for await (const _row of Closed.find()) {
      count += 1;
      if (count === 5) await connection.close();
    }
    expect(count).toBe(30);
  });
});

describe('a password', () => {
  it('stands in no message, neither as written nor decoded', async () => {
    const uri = 'mongodb://ann:s%65cret-word@127.0.0.1:1/app';
    const error: unknown = await connect(uri, { serverSelectionTimeoutMS: 50 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotConnectedError);
    expect((error as Error).message).toContain('mongodb://127.0.0.1:1/app');
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      expect(`${cause.message}\n${cause.stack}`).not.toMatch(/s%65cret|secret-word/);
  });
});
