import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IS_DEEP } from '../../../scripts/case-count.ts';
import { startServer } from '../src/index.ts';
import { useBuilt } from './support/built.ts';
import { errorOf } from './support/conformance.ts';
import { withServer } from './support/server.ts';
import { ServerProcess } from './support/server-process.ts';

let path: string;
let file: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'embedded-'));
  file = join(path, 'data.mdb');
});

afterEach(() => rmSync(path, { recursive: true, force: true }));

const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

/** A store with some hundred pages: many documents, large ones among them, and an index. */
async function fill(client: MongoClient): Promise<void> {
  const collection = client.db('shop').collection('items');
  await collection.createIndex({ email: 1 });
  const item = (n: number) => ({
    n,
    email: `user${n}@example.com`,
    mark: `mark ${n}.`,
    text: 'x'.repeat(n % 50 === 0 ? 9_000 : 200),
  });
  await collection.insertMany(Array.from({ length: 1_000 }, (_, n) => item(n)));
}

describe('a folder that is in use', () => {
  const built = useBuilt();

  it('is refused to a second server of the same process, by whatever name', async () => {
    const first = await startServer({ path });
    const link = `${path}-link`;
    symlinkSync(path, link);
    for (const name of [path, link]) {
      await expect(startServer({ path: name })).rejects.toEqual(
        refused('STORE_LOCKED', /another server of this process/),
      );
    }
    rmSync(link);
    const client = new MongoClient(first.uri);
    await client.db('a').collection('b').insertOne({});
    expect(await client.db('a').collection('b').countDocuments()).toBe(1);
    await client.close();
    await first.close();
    const second = await startServer({ path });
    await second.close();
  });

  it('is refused to another process, until the first has ended or was killed', async () => {
    const holder = await ServerProcess.start(built.bin, ['--path', path, '--port', '0']);
    await expect(startServer({ path })).rejects.toEqual(
      refused('STORE_LOCKED', new RegExp(`in use by process ${holder.pid}: stop it first`)),
    );
    await holder.end('SIGKILL');
    const server = await startServer({ path });
    await expect(ServerProcess.start(built.bin, ['--path', path, '--port', '0'])).rejects.toThrow(
      `in use by process ${process.pid}`,
    );
    await server.close();
    const again = await ServerProcess.start(built.bin, ['--path', path, '--port', '0']);
    expect(await again.end('SIGTERM')).toBe(0);
  });

  it('is free again when the server could not listen', async () => {
    const other = await startServer();
    const port = Number(new URL(other.uri).port);
    await expect(startServer({ path, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const server = await startServer({ path });
    expect(server.uri).not.toBe(other.uri);
    await server.close();
    await other.close();
  });
});

describe('a path that cannot be used', () => {
  it('is refused where it is a file, or lies below one', async () => {
    const plain = join(path, 'plain');
    writeFileSync(plain, 'text');
    for (const wrong of [plain, join(plain, 'below')]) {
      await expect(startServer({ path: wrong })).rejects.toEqual(refused('STORE_PATH', /Cannot keep data in .*plain/));
    }
    expect(readFileSync(plain, 'utf8')).toBe('text');
  });

  it('is refused where it may not be written', async () => {
    chmodSync(path, 0o500);
    // The superuser may write everywhere, so the test is somebody else for a moment.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      await expect(startServer({ path })).rejects.toEqual(refused('STORE_PATH', /permission denied/i));
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('is made where it is not there yet', async () => {
    const server = await startServer({ path: join(path, 'a/b') });
    await server.close();
    expect(readFileSync(join(path, 'a/b/data.mdb')).length).toBeGreaterThan(0);
  });
});

describe('a file that cannot be read', () => {
  const damaged = (reason: RegExp) =>
    refused('STORE_DAMAGED', new RegExp(`data\\.mdb in .* is damaged .*${reason.source}`));

  it.each<[string, Buffer]>([
    ['text', Buffer.from('hello '.repeat(10_000))],
    ['zeros', Buffer.alloc(32_768)],
    ['a few bytes', Buffer.alloc(100)],
  ])('is refused: %s', async (_what, bytes) => {
    writeFileSync(file, bytes);
    await expect(startServer({ path })).rejects.toEqual(damaged(/no file of LMDB|cut off/));
    expect(readFileSync(file)).toEqual(bytes);
  });

  it('is taken for a new one where it is empty', async () => {
    writeFileSync(file, '');
    const server = await startServer({ path });
    await server.close();
    expect(readFileSync(file).length).toBeGreaterThan(0);
  });

  it('is refused when its end is missing', async () => {
    await withServer(fill, { path });
    const { length } = readFileSync(file);
    for (const kept of [length - 4_096, length / 2, 8_192, 5_000]) {
      truncateSync(file, kept);
      await expect(startServer({ path })).rejects.toEqual(damaged(/page \d+ is missing|cut off/));
    }
  });

  it('never ends the process, whichever page is overwritten', async () => {
    await withServer(fill, { path });
    const whole = readFileSync(file);
    const seen = { refused: 0, unused: 0, found: 0 };
    for (let page = 2; page < whole.length / 4_096; page += IS_DEEP ? 3 : 11) {
      const bytes = Buffer.from(whole);
      bytes.fill(page % 2 === 0 ? 0 : 0xa5, page * 4_096, (page + 1) * 4_096);
      writeFileSync(file, bytes);
      seen[await outcome()] += 1;
    }
    expect(seen.refused).toBeGreaterThan(IS_DEEP ? 10 : 2);
    expect(seen.found).toBeGreaterThan(0);
  });

  /** What became of the damage: the file is refused, a document in it is, or the page had no use. */
  async function outcome(): Promise<'refused' | 'found' | 'unused'> {
    let server;
    try {
      server = await startServer({ path });
    } catch (error) {
      // A whole page may be found by its place in the file, what the server remembers by its checksum.
      expect(error).toMatchObject({ code: 'STORE_DAMAGED' });
      return 'refused';
    }
    const client = new MongoClient(server.uri);
    try {
      const documents = await client.db('shop').collection('items').find().toArray();
      expect(documents).toHaveLength(1_000);
      return 'unused';
    } catch (error) {
      expect(String(error)).toMatch(/The store is damaged: document \d+/);
      return 'found';
    } finally {
      await client.close();
      await server.close();
    }
  }

  it('does not serve a document whose bytes have changed, but all others', async () => {
    await withServer(fill, { path });
    const bytes = readFileSync(file);
    const mark = Buffer.from('mark 7.');
    for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark)) bytes.write('M', at);
    writeFileSync(file, bytes);
    await withServer(
      async (client) => {
        const collection = client.db('shop').collection('items');
        const error = await errorOf(collection.find().toArray());
        expect(error.message).toMatch(/The store is damaged: document 8 /);
        expect(await collection.findOne({ email: 'user8@example.com' })).toMatchObject({ n: 8 });
      },
      { path },
    );
  });

  it('is refused where a collection cannot be made out', async () => {
    await withServer(fill, { path });
    const bytes = readFileSync(file);
    const option = Buffer.from('specification');
    for (let at = bytes.indexOf(option); at !== -1; at = bytes.indexOf(option)) bytes.write('S', at);
    writeFileSync(file, bytes);
    await expect(startServer({ path })).rejects.toEqual(refused('STORE_DAMAGED', /description of a collection/));
    await expect(startServer({ path })).rejects.toEqual(refused('STORE_DAMAGED', /description of a collection/));
  });

  it('is refused where another program or another version made it', async () => {
    const store = { encoding: 'binary', keyEncoding: 'binary' } as const;
    const key = Buffer.from('format');
    let other = open<Buffer, Buffer>({ path, ...store });
    other.putSync(Buffer.from('x'), Buffer.from('y'));
    await other.close();
    await expect(startServer({ path })).rejects.toEqual(damaged(/other tables/));

    other = open<Buffer, Buffer>({ path, ...store });
    other.putSync(key, Buffer.of(0, 0, 0, 3));
    await other.close();
    await expect(startServer({ path })).rejects.toEqual(refused('STORE_FORMAT', /newer version.*update/));

    other = open<Buffer, Buffer>({ path, ...store });
    other.putSync(key, Buffer.of(0, 0, 0, 1));
    await other.close();
    await expect(startServer({ path })).rejects.toEqual(refused('STORE_FORMAT', /older version.*export/));

    const bytes = readFileSync(file);
    bytes.writeUInt16LE(3, 28);
    writeFileSync(file, bytes);
    await expect(startServer({ path })).rejects.toEqual(refused('STORE_FORMAT', /newer version/));
  });
});
