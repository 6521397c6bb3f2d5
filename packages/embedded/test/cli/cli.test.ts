import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { Decimal128, Double, Long, MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';
import { importFolder } from '../../src/cli/import.ts';
import { main } from '../../src/cli/main.ts';
import type { Shell } from '../../src/cli/serve.ts';
import { useBuilt } from '../support/built.ts';
import type { AnyDocument } from '../support/conformance.ts';
import { withServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';

const built = useBuilt();
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  path = join(folder, 'data');
});

afterEach(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end, in a process of its own. */
function run(args: readonly string[], input = ''): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [built.bin, ...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

/** The same in this process, which takes a fraction of the time. */
async function call(args: readonly string[]): Promise<Run> {
  const [stdout, stderr] = [new Written(), new Written()];
  const code = await main(args, { stdout, stderr, on: () => undefined } as unknown as Shell);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Written extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const start = (...args: string[]): Promise<ServerProcess> => ServerProcess.start(built.bin, args);

describe('the server', () => {
  it('says what it is, where it listens and where the data lie', async () => {
    const server = await start('--path', path, '--port', '0');
    expect(server.output()).toMatch(/^@data-bridge\/embedded \d+\.\d+\.\d+: .*for development, tests and demos/);
    expect(server.output()).toContain('Not for production');
    expect(server.uri).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/$/);
    expect(server.output()).toContain(path);
    const client = new MongoClient(server.uri);
    await client.db('a').collection('b').insertOne({ c: 1 });
    await client.close();
    expect(await server.end('SIGINT')).toBe(0);
    expect(server.output()).toMatch(/Stopping\.\n$/);
    expect((await run(['export', '--path', path])).stdout).toContain('"c":');
  });

  it('says when data are in memory only', async () => {
    const server = await start('--port', '0');
    expect(server.output()).toMatch(/Data +in memory, gone when the server stops/);
    expect(await server.end('SIGTERM')).toBe(0);
  });

  it('stops while clients are connected, and does not wait after a second signal', async () => {
    const server = await start('--port', '0');
    const client = new MongoClient(server.uri);
    await client.db('a').command({ ping: 1 });
    // The second may find the server stopping (130), already ended (0), or Node.js itself ending, which then takes it as
    // its end (null): by then everything is stored and closed.
    expect([0, 130, null]).toContain(await server.end('SIGINT', 'SIGTERM'));
    expect(server.output()).toMatch(/Stopping\.\n$/);
    await client.close();
  });

  it('says when a port or a folder is in use', async () => {
    const server = await start('--path', path, '--port', '0');
    const { port } = new URL(server.uri);
    const samePort = await call(['--port', port]);
    expect(samePort).toMatchObject({ code: 1, stdout: '' });
    expect(samePort.stderr).toMatch(new RegExp(`^Port ${port} is in use: .*--port`));
    const sameFolder = await call(['--path', path, '--port', '0']);
    expect(sameFolder.code).toBe(1);
    expect(sameFolder.stderr).toMatch(new RegExp(`^The data in .* are in use by process ${server.pid}:`));
    expect((await call(['export', '--path', path])).stderr).toContain(`in use by process ${server.pid}`);
    expect(await server.end('SIGTERM')).toBe(0);
  });
});

describe('arguments', () => {
  it.each(['--help', '-h'])('%s explains them', async (option) => {
    const { code, stdout, stderr } = await call([option]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: npx @data-bridge\/embedded/);
    expect(stdout).toContain('not for production');
    expect(stdout.split('\n').filter((line) => line.length > 110)).toEqual([]);
  });

  it('--version names the version of the package', async () => {
    const file = new URL('../../package.json', import.meta.url);
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string };
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${name} ${version}\n`, stderr: '' });
  });

  it.each<[string, RegExp]>([
    ['--prot 5', /--prot/],
    ['--port x', /--port takes a number from 0 to 65535, got "x"/],
    ['--port 65536', /--port takes a number/],
    ['--port=', /--port takes a number/],
    ['--port', /--port/],
    ['--path=', /--path takes a folder/],
    ['serve', /Expected "export", "import" or only options, got "serve"/],
    ['export import', /Unexpected argument "import"/],
    ['export', /"export" needs --path/],
    ['import', /"import" needs --path/],
    ['export --path x --port 1', /--port is no option of "export"/],
    ['import --path x --db y', /--db is no option of "import"/],
    ['--db y', /--db is no option of the server/],
    ['export --path x --collection y', /--collection needs --db/],
  ])('%s is a mistake', (line, message) => {
    expect(readArguments(line.split(' '))).toEqual({ kind: 'mistake', message: expect.stringMatching(message) });
  });

  it('with a mistake end with 2 and say what was expected', async () => {
    const { code, stdout, stderr } = await run(['--port', 'x']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^--port takes a number from 0 to 65535, got "x"\.\n\nUsage:/);
  });

  it('say which port and folder', () => {
    expect(readArguments([])).toEqual({ kind: 'serve', path: undefined, port: 27_017 });
    expect(readArguments(['--path', './data', '--port=0'])).toEqual({ kind: 'serve', path: './data', port: 0 });
  });
});

describe('export and import', () => {
  /** Everything that a folder can have. */
  async function fill(): Promise<void> {
    await withData(path, async (client) => {
      const shop = client.db('shop');
      await shop.createCollection('ruled', { validator: { age: { $gte: 18 } }, validationLevel: 'moderate' });
      await shop.collection<AnyDocument>('ruled').insertOne({ _id: 1, age: 3 }, { bypassDocumentValidation: true });
      const items = shop.collection<AnyDocument>('items');
      await items.createIndex({ a: 1, 'b.c': -1 }, { unique: true, name: 'both' });
      await items.createIndex({ code: 1 }, { partialFilterExpression: { code: { $gt: 5 } } });
      await items.insertMany([
        { _id: Long.fromString('9007199254740993'), a: new Double(1), b: { c: Decimal128.fromString('1.50') } },
        { _id: 'zwei\n', date: new Date(0), '': { $x: [null, /y/i] }, $oid: 'text' },
      ]);
      await items.insertMany(Array.from({ length: 250 }, (_, n) => ({ a: n, code: n })));
      await client.db('other').createCollection('empty');
    });
  }

  const withData = <T>(of: string, work: (client: MongoClient) => Promise<T>): Promise<T> =>
    withServer(work, { path: of });

  /** All that a client can see. */
  const contents = (of: string): Promise<unknown> =>
    withData(of, async (client) => {
      const seen: unknown[] = [];
      for (const { name } of (await client.db().admin().listDatabases()).databases) {
        const db = client.db(name);
        for (const { name: collection, ...about } of await db.listCollections().toArray()) {
          const found = await db.collection(collection).find({}, { raw: true }).toArray();
          const options = 'options' in about ? about.options : undefined;
          seen.push([name, collection, options, await db.collection(collection).indexes(), found]);
        }
      }
      return seen;
    });

  it('make the same data again', async () => {
    await fill();
    const { code, stdout: exported } = await call(['export', '--path', path]);
    expect(code).toBe(0);
    expect(exported.match(/\n/g)).toHaveLength(3 + 1 + 2 + 250);
    const copy = join(folder, 'copy');
    const imported = await run(['import', '--path', copy], exported);
    expect(imported).toEqual({ code: 0, stdout: `Imported into ${copy}: 3 collections, 253 documents.\n`, stderr: '' });
    expect(await contents(copy)).toEqual(await contents(path));
    expect((await call(['export', '--path', copy])).stdout).toBe(exported);
  });

  it('take a database or a collection alone', async () => {
    await fill();
    const shop = await call(['export', '--path', path, '--db', 'shop']);
    expect(shop.stdout.match(/\n/g)).toHaveLength(255);
    const ruled = await call(['export', '--path', path, '--db', 'shop', '--collection', 'ruled']);
    expect(ruled.stdout.split('\n').map((line) => line.slice(0, 30))).toEqual([
      '{"ns":"shop.ruled","options":{',
      '{"ns":"shop.ruled","document":',
      '',
    ]);
    for (const wrong of [
      ['--db', 'no'],
      ['--db', 'shop', '--collection', 'no'],
    ]) {
      const none = await call(['export', '--path', path, ...wrong]);
      expect(none).toMatchObject({ code: 1, stdout: '' });
      expect(none.stderr).toMatch(/^There is no (?:database no|collection shop\.no) in /);
    }
  });

  it('make no folder to export from', async () => {
    const { code, stderr } = await call(['export', '--path', path]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `There are no data in ${path}.\n` });
    expect(existsSync(path)).toBe(false);
  });

  it('end quietly when nobody reads on', async () => {
    await withData(path, async (client) => {
      const text = 'x'.repeat(10_000);
      await client
        .db('a')
        .collection('b')
        .insertMany(Array.from({ length: 1_000 }, () => ({ text })));
    });
    const child = spawn(process.execPath, [built.bin, 'export', '--path', path], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  const collection = '{"ns":"a.b","options":{},"indexes":[{"key":{"x":1},"name":"x","unique":true}]}';

  it.each<[string, string]>([
    ['{"ns":"a.b","document":{"x":1}}\nnonsense', 'Line 2: expected a value at character 1.'],
    ['{"ns":"a","document":{}}', 'Line 1: expected an object whose member "ns" names a database and a collection.'],
    ['[]', 'Line 1: expected an object whose member "ns"'],
    ['{"ns":"a.b","dokument":{}}', 'Line 1: expected an object with "ns" and "document", or'],
    ['{"ns":"a.b","document":{"_id":1}}\n\n{"ns":"a.b","document":{"_id":1}}', 'Line 3: E11000 duplicate key'],
    [`${collection}\n{"ns":"a.b","document":{"x":1}}\n{"ns":"a.b","document":{"x":1}}`, 'Line 3: E11000'],
    [`${collection}\n${collection}`, 'Line 2: Collection a.b already exists.'],
    ['{"ns":"a.b","options":{"capped":true},"indexes":[]}', "Line 1: BSON field 'create.capped'"],
    ['{"ns":"a.b","options":{},"indexes":[{"name":"x"}]}', 'Line 1: BSON field'],
    ['{"ns":"$a.b","document":{}}', "Line 1: Invalid database name: '$a'"],
    ['{"ns":"there.already","document":{}}', 'Line 1: the collection there.already is there already.'],
  ])('import nothing of %j', async (input, message) => {
    await withData(path, async (client) => client.db('there').collection('already').insertOne({}));
    const before = await contents(path);
    const moved = message.replace(/^Line (\d+)/, (_all, line: string) => `Line ${Number(line) + 1}`);
    const lines = Readable.from([`{"ns":"new.one","document":{}}\n${input}`]);
    await expect(importFolder(path, lines)).rejects.toThrow(moved);
    expect(await contents(path)).toEqual(before);
  });

  it('end with 1 after an error', async () => {
    const { code, stdout, stderr } = await run(['import', '--path', path], 'nonsense\n');
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Line 1: expected a value at character 1.\n',
    });
  });
});
