import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { useBuilt } from './support/built.ts';
import { expectConsistent } from './support/consistency.ts';
import { withServer } from './support/server.ts';
import { ServerProcess } from './support/server-process.ts';

const KILLS = 20;
const WRITERS = 4;

/** Every version of a document is as long as its number says, so that half of one would be seen. */
interface Item {
  _id: string;
  version: number;
  text: string;
}

const item = (id: string, version: number): Item => ({ _id: id, version, text: `${version} `.repeat(50 + version) });

/** What a writer knows: the versions that were acknowledged, 0 for a deletion, and those sent but never answered. */
interface Known {
  readonly acknowledged: Map<string, number>;
  readonly unanswered: Map<string, number>;
}

/** Inserts, changes, deletes and inserts by the batch until the server is gone. */
async function write(items: Collection<Item>, name: string, known: Known): Promise<void> {
  const send = async (id: string, version: number, run: () => Promise<unknown>): Promise<void> => {
    known.unanswered.set(id, version);
    await run();
    known.unanswered.delete(id);
    known.acknowledged.set(id, version);
  };
  for (let n = 0; ; n += 1) {
    const id = `${name}-${n}`;
    await send(id, 1, () => items.insertOne(item(id, 1)));
    await send(id, 2, () => items.updateOne({ _id: id }, { $set: item(id, 2) }));
    if (n % 3 === 0) await send(id, 0, () => items.deleteOne({ _id: id }));
    if (n % 5 !== 0) continue;
    const batch = Array.from({ length: 20 }, (_, part) => item(`${id}-${part}`, 3));
    for (const { _id } of batch) known.unanswered.set(_id, 3);
    await items.insertMany(batch);
    for (const { _id } of batch) {
      known.unanswered.delete(_id);
      known.acknowledged.set(_id, 3);
    }
  }
}

describe('kill -9 under load', () => {
  const built = useBuilt();
  let path: string;

  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'embedded-'));
  });

  afterAll(() => {
    rmSync(path, { recursive: true, force: true });
  });

  it(`loses nothing acknowledged and tears nothing, ${KILLS} times`, async () => {
    const known: Known = { acknowledged: new Map(), unanswered: new Map() };
    for (let kill = 0; kill < KILLS; kill += 1) {
      await writeUntilKilled(`${kill}`, known, 10 + 7 * (kill % 7));
      await withServer((client) => check(client, known), { path });
    }
    expect(known.acknowledged.size).toBeGreaterThan(KILLS * WRITERS);
  });

  it('leaves nothing of an open transaction, and all of a committed one', async () => {
    const server = await ServerProcess.start(built.bin, ['--path', path, '--port', '0']);
    const client = new MongoClient(server.uri, { serverSelectionTimeoutMS: 1_000 });
    const pairs = client.db('load').collection<{ _id: number; n?: number }>('pairs');
    await pairs.insertOne({ _id: 0, n: 0 });
    const committed = client.startSession();
    committed.startTransaction();
    await pairs.insertMany([{ _id: 1 }, { _id: 2 }], { session: committed });
    await committed.commitTransaction();
    const open = client.startSession();
    open.startTransaction();
    await pairs.insertMany([{ _id: 3 }, { _id: 4 }], { session: open });
    await pairs.updateOne({ _id: 0 }, { $set: { n: 1 } }, { session: open });
    await client.db('load').collection('made').insertOne({}, { session: open });
    await server.end('SIGKILL');
    await client.close();

    await withServer(
      async (reader) => {
        const found = await reader.db('load').collection('pairs').find().sort({ _id: 1 }).toArray();
        expect(found).toEqual([{ _id: 0, n: 0 }, { _id: 1 }, { _id: 2 }]);
        expect(await reader.db('load').listCollections({ name: 'made' }).toArray()).toEqual([]);
        await expectConsistent(reader);
      },
      { path },
    );
  });

  /** Kills the server once that many more documents were acknowledged, in the midst of other writes. */
  async function writeUntilKilled(round: string, known: Known, count: number): Promise<void> {
    const server = await ServerProcess.start(built.bin, ['--path', path, '--port', '0']);
    const client = new MongoClient(server.uri, { retryWrites: false, serverSelectionTimeoutMS: 1_000 });
    const items = client.db('load').collection<Item>('items');
    await items.createIndex({ version: 1 });
    const names = Array.from({ length: WRITERS }, (_, writer) => `${round}-${writer}`);
    const ended = Promise.allSettled(names.map((name) => write(items, name, known)));
    const enough = known.acknowledged.size + count;
    await vi.waitUntil(() => known.acknowledged.size >= enough, { timeout: 10_000, interval: 1 });
    await server.end('SIGKILL');
    for (const { status } of await ended) expect(status).toBe('rejected');
    await client.close();
  }

  /** Everything is there as it was acknowledged, or as it was sent last; by scan, by `_id` and by index. */
  async function check(client: MongoClient, { acknowledged, unanswered }: Known): Promise<void> {
    const items = client.db('load').collection<Item>('items');
    const found = new Map((await items.find().toArray()).map((one) => [one._id, one]));
    expect(await items.countDocuments({})).toBe(found.size);
    expect(await items.estimatedDocumentCount()).toBe(found.size);
    for (const [id, one] of found) expect(one).toEqual(item(id, one.version));
    for (const id of new Set([...acknowledged.keys(), ...unanswered.keys()])) {
      const stored = found.get(id)?.version ?? 0;
      expect([acknowledged.get(id) ?? 0, unanswered.get(id)]).toContain(stored);
      // What has become of an unanswered write is known now.
      acknowledged.set(id, stored);
    }
    unanswered.clear();
    expect([...found.keys()].filter((id) => !acknowledged.has(id))).toEqual([]);
    let indexed = 0;
    for (const version of [1, 2, 3]) indexed += (await items.find({ version }).toArray()).length;
    expect(indexed).toBe(found.size);
    await expectConsistent(client);
  }
});
