import { inspect } from 'node:util';
import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { connect, model, NotConnectedError, UsageError } from '../../src/index.ts';
import { openDatabase, openServer } from '../support/database.ts';
import { FaultyProxy } from '../support/proxy.ts';

class Item extends model('items', { name: z.string(), tags: z.array(z.string()).default([]) }) {}

const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => Promise.reject(new Error('Expected a rejection')),
    (error: Error) => error,
  );

describe('connect()', () => {
  const uriOfEnvironment = process.env['MONGODB_URI'];
  afterEach(() => {
    if (uriOfEnvironment === undefined) delete process.env['MONGODB_URI'];
    else process.env['MONGODB_URI'] = uriOfEnvironment;
  });

  it("gives the driver's client and the database that the URI names", async () => {
    const database = await openDatabase({ appName: 'test' });
    const { connection } = database;
    expect(connection.client).toBeInstanceOf(MongoClient);
    expect(connection.client.options.appName).toBe('test');
    expect(connection.uri).toBe(database.uri);
    expect(new URL(database.uri).pathname).toBe(`/${connection.db.databaseName}`);
    expect(connection.isOpen).toBe(true);
    await database.close();
    expect(connection.isOpen).toBe(false);
  });

  it('starts a server inside the process', async () => {
    await using connection = await connect('embedded:memory');
    const item = await Item.create({ name: 'first' });
    expect(await Item.count()).toBe(1);
    expect((await Item.findById(item._id))?.name).toBe('first');
    expect(connection.uri).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+/);
  });

  it('gives each of two such servers its own data', async () => {
    await using _first = await connect('embedded:memory');
    await using second = await connect('embedded:memory');
    await Item.create({ name: 'first' });
    expect(await second.db.collection('items').countDocuments()).toBe(0);
  });

  it('refuses an embedded place without a name', async () => {
    await expect(connect('embedded:')).rejects.toThrow(UsageError);
  });

  it('takes the URI from the environment', async () => {
    const server = await openServer();
    process.env['MONGODB_URI'] = server.uri;
    const connection = await connect();
    expect(connection.uri).toBe(server.uri);
    await connection.close();
    await server.close();
  });

  it('says what to do when there is no URI', async () => {
    delete process.env['MONGODB_URI'];
    const error = await rejection(connect());
    expect(error).toBeInstanceOf(NotConnectedError);
    expect(error.message).toContain('MONGODB_URI');
    await expect(connect('')).rejects.toThrow(NotConnectedError);
  });

  it.each<[object, string]>([
    [{ debug: true }, 'connect() has no option "debug": log shows what is sent.'],
    [{ appName: 'x', retryAttempts: 5, useUnifiedTopology: true }, 'no option "retryAttempts", "useUnifiedTopology".'],
  ])('names an option that is none as it was written: %o', async (options, message) => {
    const error = await rejection(connect('mongodb://127.0.0.1:1/x', options));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(message);
  });

  it('does so for one in the URI, too', async () => {
    const error = await rejection(connect('mongodb://127.0.0.1:1/x?retryWrites=true&retryAttempts=5'));
    expect(error).toBeInstanceOf(NotConnectedError);
    expect(error.message).toContain('there is no option "retryAttempts"');
  });

  it('is closed once, however often it is asked', async () => {
    const database = await openDatabase();
    await database.connection.db.dropDatabase();
    await Promise.all([database.connection.close(), database.connection.close()]);
    await expect(database.connection.close()).resolves.toBeUndefined();
  });

  it('closes at the end of an `await using` block', async () => {
    const server = await openServer();
    let opened;
    {
      await using connection = await connect(server.uri);
      opened = connection;
      expect(connection.isOpen).toBe(true);
    }
    expect(opened.isOpen).toBe(false);
    await server.close();
  });

  it.each(['pa/word', 'pa?word', 'pa#word', '12/word', '12?word', 'p@word'])(
    'shows no password that was not encoded: %s',
    async (password) => {
      const error = await connect(`mongodb://user:${password}@127.0.0.1:1/app`).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(NotConnectedError);
      expect(inspect(error, { depth: 9 }).replaceAll(/^\s+at .*$/gm, '')).not.toContain('word@');
      expect(String(error)).toContain('mongodb://127.0.0.1:1/app');
    },
  );

  it('refuses raw, under which nothing could be counted', async () => {
    await expect(connect('mongodb://127.0.0.1:1/app', { raw: true })).rejects.toThrow(UsageError);
  });
});

describe('the default connection', () => {
  it('is the first one that is still open', async () => {
    const first = await openDatabase();
    const second = await openDatabase();
    await Item.create({ name: 'in the first' });
    expect(await first.db.collection('items').countDocuments()).toBe(1);
    await first.close();
    await Item.create({ name: 'in the second' });
    expect(await second.db.collection('items').countDocuments()).toBe(1);
    await second.close();
  });

  it('is missing before connect() and after close()', async () => {
    const item = new Item({ name: 'first' });
    await expect(item.save()).rejects.toThrow(NotConnectedError);
    await expect(Item.find()).rejects.toThrow(NotConnectedError);
    await expect(Item.insertMany([{ name: 'second' }])).rejects.toThrow(NotConnectedError);
    await expect(Item.deleteMany({})).rejects.toThrow(NotConnectedError);
    await expect(Item.count()).rejects.toThrow(NotConnectedError);
    expect(item.$isNew).toBe(true);
  });

  it('is not needed to make documents of bytes', () => {
    const item = Item.hydrate({ _id: new Item({ name: 'x' })._id, name: 'stored' });
    item.name = 'changed';
    expect(item.$state.toUpdate()).toEqual({ update: { $set: { name: 'changed' } } });
  });
});

describe('without a server', () => {
  it('every call is a NotConnectedError, and changes stay', async () => {
    const proxy = new FaultyProxy();
    const database = await openDatabase({
      via: (server) => proxy.listen(server),
      directConnection: true,
      serverSelectionTimeoutMS: 2000,
      heartbeatFrequencyMS: 50,
      minHeartbeatFrequencyMS: 50,
    });
    const item = await Item.create({ name: 'first' });
    item.tags.push('a');
    const fresh = new Item({ name: 'second' });
    await proxy.close();
    // The driver learns of it.
    await expect(Item.find()).rejects.toThrow(/./);

    const calls = [
      item.save(),
      item.reload(),
      item.delete(),
      fresh.save(),
      Item.insertMany([new Item({ name: 'third' })]),
      Item.find(),
      Item.count(),
      Item.deleteMany({}),
    ];
    for (const settled of await Promise.allSettled(calls)) {
      expect(settled).toMatchObject({ status: 'rejected', reason: expect.any(NotConnectedError) });
    }
    expect([fresh.$isNew, item.isModified('tags')]).toEqual([true, true]);

    await proxy.reopen();
    await vi.waitFor(() => database.db.command({ ping: 1 }), { timeout: 20_000 });
    await Promise.all([item.save(), fresh.save()]);
    expect((await Item.findById(item._id))?.tags).toEqual(['a']);
    expect(await Item.count()).toBe(2);
    await database.close();
    await proxy.close();
  });

  it.each([
    'mongodb://user:p%40ssword@127.0.0.1:1/app',
    'mongodb://user:p%40ssword@127.0.0.1:1/app?authMechanism=NONE',
    'mongodb://user:p%40ssword@127.0.0.1:port/app',
    'mongodb://us:er:p%40ssword@127.0.0.1:1/app',
    'nothing://user:p%40ssword@127.0.0.1/app',
    'mongodb://m:p%40ssword@127.0.0.1:1/app',
  ])('SECURITY-14 an error shows no password: %s', async (uri) => {
    const error = await rejection(connect(uri, { serverSelectionTimeoutMS: 100 }));
    expect(error).toBeInstanceOf(NotConnectedError);
    const shown: string[] = [];
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) shown.push(String(cause.stack));
    expect(shown.join()).not.toMatch(/p%40ssword|p@ssword|user:/);
    expect(error.message).toContain('://127.0.0.1');
  });

  it.each([
    'tls=true&tlsCertificateKeyFilePassword=p%40ssword',
    'authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:p%40ssword',
    'authMechanismProperties=X:p%40ssword,Y',
    'proxyHost=127.0.0.1&proxyPort=1&proxyUsername=user&proxyPassword=p%40ssword',
    'proxyPassword=p%40ssword',
    'password=p%40ssword',
    'apiKey=p%40ssword',
    'foo=1&credential=p%40ssword&tls=true',
    'tlsCertificateKey=p%40ssword',
    'p%40ssword',
    'appName=app&p%40ssword',
  ])('an error shows no secret of an option: %s', async (query) => {
    const error = await rejection(connect(`mongodb://127.0.0.1:1/app?${query}`, { serverSelectionTimeoutMS: 100 }));
    expect(error).toBeInstanceOf(NotConnectedError);
    expect(error.message).toContain('mongodb://127.0.0.1:1/app?');
    expect(inspect(error, { depth: 20 })).not.toMatch(/p%40ssword|p@ssword/);
  });

  it('an error shows the options that everybody may see, and the names of others', async () => {
    const query = 'replicaSet=rs0&MaxPoolSize=5&colour=blueish';
    const error = await rejection(connect(`mongodb://127.0.0.1:1/app?${query}`));
    expect(error.message).toContain('mongodb://127.0.0.1:1/app?replicaSet=rs0&MaxPoolSize=5&colour=***');
    expect(error.message).toContain('there is no option "colour"');
  });

  it.each(['mongodb://user:p%40ssword', 'mongodb://user:p%40ssword/app', 'user:p%40ssword'])(
    'an error shows no password where the host was forgotten: %s',
    async (uri) => {
      const error = await rejection(connect(uri, { serverSelectionTimeoutMS: 100 }));
      expect(error).toBeInstanceOf(NotConnectedError);
      expect(inspect(error, { depth: 20 })).not.toMatch(/p%40ssword|p@ssword/);
    },
  );

  it('a connection shows no password', async () => {
    const server = await openServer();
    const url = new URL(server.uri);
    if (url.username === '') url.searchParams.set('appName', 'test');
    const connection = await connect(url.href);
    expect(connection.uri).not.toContain('@');
    await connection.close();
    await server.close();
  });
});
