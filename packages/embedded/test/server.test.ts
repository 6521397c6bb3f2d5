import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, MongoError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import * as embedded from '../src/index.ts';
import { startServer } from '../src/index.ts';
import { withServer } from './support/server.ts';

describe('startServer', () => {
  it('is all that the package exports', () => {
    expect(Object.keys(embedded)).toEqual(['startServer']);
  });

  it('listens on a free port of the loopback interface and keeps data in memory', async () => {
    await withServer(async (client, uri) => {
      expect(uri).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/$/);
      await client.db('a').collection('b').insertOne({ c: 1 });
      expect(await client.db('a').collection('b').countDocuments()).toBe(1);
    });
  });

  it('gives each server its own data', async () => {
    await withServer(async (one) => {
      await withServer(async (other) => {
        await one.db('a').collection('b').insertOne({});
        expect(await other.db('a').collection('b').countDocuments()).toBe(0);
      });
    });
  });

  it('listens where it is told, and says so when it cannot', async () => {
    const first = await startServer();
    const port = Number(new URL(first.uri).port);
    await expect(startServer({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
    const second = await startServer({ port });
    expect(second.uri).toBe(first.uri);
    await second.close();
  });

  it('listens on a Unix domain socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'embedded-'));
    const socket = join(folder, 'server.sock');
    await withServer(
      async (client, uri) => {
        expect(uri).toBe(`mongodb://${encodeURIComponent(socket)}/?directConnection=true`);
        expect(await client.db('a').command({ ping: 1 })).toMatchObject({ ok: 1 });
      },
      { socket },
    );
    expect(existsSync(socket)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ path: '' }, /"path"/],
    [{ path: 1 }, /"path"/],
    [{ port: 70_000 }, /"port"/],
    [{ port: '27017' }, /"port"/],
    [{ port: 0, socket: 'x' }, /both/],
    [{ socket: '' }, /"socket"/],
    [{ host: '0.0.0.0' }, /"host"/],
  ])('refuses the options %o', async (options, message) => {
    await expect(startServer(options)).rejects.toThrow(TypeError);
    await expect(startServer(options)).rejects.toThrow(message);
  });
});

describe('close', () => {
  it('ends connections, and may be called again', async () => {
    const server = await startServer();
    const { hostname, port } = new URL(server.uri);
    const socket = connect(Number(port), hostname);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('connect', resolve));
    const closing = server.close();
    expect(server.close()).toBe(closing);
    await closing;
    await ended;
    await server.close();
    await expect(
      new Promise((_resolve, reject) => connect(Number(port), hostname).once('error', reject)),
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('ends cursors that are being read', async () => {
    const server = await startServer();
    const client = new MongoClient(server.uri, { serverSelectionTimeoutMS: 500 });
    await client
      .db('a')
      .collection('b')
      .insertMany(Array.from({ length: 500 }, () => ({})));
    const cursor = client.db('a').collection('b').find().batchSize(10);
    await cursor.next();
    await server.close();
    await expect(cursor.toArray()).rejects.toThrow(MongoError);
    await client.close();
  });
});

describe('the server', () => {
  it('serves fifty clients at once', async () => {
    await withServer(async (_client, uri) => {
      const clients = Array.from({ length: 50 }, () => new MongoClient(uri, { maxPoolSize: 1 }));
      const work = async (client: MongoClient, n: number): Promise<number> => {
        const collection = client.db('many').collection<{ _id: string; n: number }>('c');
        for (let i = 0; i < 20; i += 1) await collection.insertOne({ _id: `${n}-${i}`, n });
        return collection.countDocuments({ n });
      };
      expect(await Promise.all(clients.map(work))).toEqual(clients.map(() => 20));
      const { connections } = await clients[0]!.db('admin').command({ serverStatus: 1 });
      expect(connections.current).toBeGreaterThanOrEqual(50);
      await Promise.all(clients.map((client) => client.close()));
    });
  });

  it('says which version of the package it is', async () => {
    const file = new URL('../package.json', import.meta.url);
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string };
    const info = await withServer((client) => client.db('admin').command({ buildInfo: 1 }));
    expect(info['product']).toBe(`${name} ${version}`);
  });

  it('answers what tools ask first', async () => {
    await withServer(async (client) => {
      const admin = client.db('admin');
      expect(await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 })).toMatchObject({
        featureCompatibilityVersion: { version: '8.0' },
      });
      expect(await admin.command({ connectionStatus: 1 })).toMatchObject({ authInfo: { authenticatedUsers: [] } });
      expect(await admin.command({ whatsmyuri: 1 })).toMatchObject({
        you: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      });
      expect(await admin.command({ serverStatus: 1 })).toMatchObject({
        pid: process.pid,
        storageEngine: { name: 'memory' },
      });
    });
  });

  it('measures collections and databases', async () => {
    await withServer(async (client) => {
      const db = client.db('sizes');
      await db.collection('c').insertMany([
        { _id: 1 as never, a: 1 },
        { _id: 2 as never, a: 2 },
      ]);
      expect(await db.command({ collStats: 'c' })).toMatchObject({
        ns: 'sizes.c',
        count: 2,
        size: 42,
        avgObjSize: 21,
        nindexes: 1,
      });
      expect(await db.command({ collStats: 'none' })).toMatchObject({ count: 0, size: 0 });
      expect(await db.command({ dbStats: 1 })).toMatchObject({ collections: 1, objects: 2, dataSize: 42, indexes: 1 });
    });
  });
});
