import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, NotConnectedError } from '../../src/index.ts';
import { openDatabase, type OpenDatabase } from '../support/database.ts';
import { FaultyProxy } from '../support/proxy.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

class Task extends model('tasks', { n: z.number() }) {}

describe.runIf(isReplicaSet)('watch() over a connection that breaks', () => {
  let database: OpenDatabase;
  let proxy: FaultyProxy;
  /** Not through the proxy: its connections do not break. */
  let direct: MongoClient;

  beforeAll(async () => {
    proxy = new FaultyProxy();
    const options = proxy.options({ serverSelectionTimeoutMS: 2_000 });
    const via = async (server: URL): Promise<string> => {
      direct = new MongoClient(server.href);
      return options.via(server);
    };
    database = await openDatabase({ ...options, via });
    await Task.ensureCollection();
  });

  afterAll(async () => {
    await direct.close();
    await database.close();
    await proxy.close();
  });

  const tasks = () => direct.db(database.db.databaseName).collection('tasks');

  beforeEach(async () => {
    await tasks().deleteMany({});
  });

  /** One after another, each a change of its own. */
  async function insert(numbers: readonly number[]): Promise<void> {
    for (const n of numbers) await tasks().insertOne({ n });
  }

  it('goes on, break after break, and tells each change once', async () => {
    const stream = await Task.watch([], { maxAwaitTimeMS: 20 }).opened();
    const told: number[] = [];
    const reading = (async () => {
      for await (const change of stream) {
        if (change.operationType !== 'insert') continue;
        told.push(change.fullDocument.n);
        if (told.length === 30) return;
      }
    })();
    for (let n = 0; n < 30; n += 3) {
      proxy.next('getMore', n % 2 === 0 ? 'cutBefore' : 'cutAfter');
      // What the driver tries after a break breaks, too: it gives up then.
      proxy.next('aggregate', n % 2 === 0 ? 'cutAfter' : 'cutBefore');
      await insert([n, n + 1, n + 2]);
    }
    await reading;
    expect(told).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  it('goes on with what happened between two breaks', async () => {
    const stream = await Task.watch([], { maxAwaitTimeMS: 20 }).opened();
    const iterator = stream[Symbol.asyncIterator]();
    await insert([1]);
    expect((await iterator.next()).value).toMatchObject({ operationType: 'insert' });
    proxy.next('getMore', 'cutBefore');
    proxy.next('aggregate', 'cutBefore');
    const next = iterator.next();
    await insert([2]);
    expect((await next).value).toMatchObject({ fullDocument: { n: 2 } });
    expect(stream.resumeToken).toBeDefined();
    await stream.close();
  });

  it('ends at once when it is closed between two breaks', async () => {
    const stream = await Task.watch([], { maxAwaitTimeMS: 20 }).opened();
    proxy.always('aggregate', 'cutBefore');
    proxy.next('getMore', 'cutBefore');
    const ended = stream[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await stream.close();
    expect(await ended).toMatchObject({ done: true });
    proxy.always('aggregate', (reply) => reply);
  });

  it('ends with an error when there is no server any more', async () => {
    const stream = await Task.watch([], { maxAwaitTimeMS: 20 }).opened();
    const ended = stream[Symbol.asyncIterator]().next();
    ended.catch(() => {});
    await proxy.close();
    await expect(ended).rejects.toThrow(NotConnectedError);
    await proxy.reopen();
  });
});
