import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startServer } from '@data-bridge/embedded';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withDatabase } from '../src/countries/database.ts';
import { main } from '../src/countries/main.ts';
import type { Output } from '../src/countries/terminal.ts';

/** Keeps what is written to it. */
class Pages implements Output {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor({ isTTY = false, columns = 100 } = {}) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }

  get lines(): string[] {
    return this.text.split('\n');
  }
}

/** One run of the demo: what it wrote, and its exit code. */
async function demo(args: readonly string[], output = new Pages()): Promise<Run> {
  const errors = new Pages();
  const code = await main(args, output, errors, { rounds: 1, warmUpMs: 0 });
  return { code, errors: errors.text, output };
}

interface Run {
  readonly code: number;
  readonly errors: string;
  readonly output: Pages;
}

const success = { code: 0, errors: '' };

let noColor: string | undefined;
beforeEach(() => {
  noColor = process.env['NO_COLOR'];
  delete process.env['NO_COLOR'];
});
afterEach(() => {
  if (noColor === undefined) delete process.env['NO_COLOR'];
  else process.env['NO_COLOR'] = noColor;
});

describe('the demo', () => {
  it('tells its story in plain lines to a pipe', async () => {
    const { output, ...end } = await demo([]);
    expect(end).toEqual(success);
    expect(output.lines).toContain('  Server: an embedded server in the memory of this process');
    expectStory(output);
  });

  it('has colours and a progress bar on a terminal, no wider than it', async () => {
    const { output, ...end } = await demo([], new Pages({ isTTY: true, columns: 72 }));
    expect(end).toEqual(success);
    expect(escapes(output.text)).toBeGreaterThan(0);
    const plain = output.text.replaceAll(escape, '');
    expect(plain).toContain('\r  ███░░');
    expect(plain.split(/[\r\n]/).filter((line) => line.length > 72)).toEqual([]);
  });

  it('is plain on a terminal too when NO_COLOR is set', async () => {
    process.env['NO_COLOR'] = '1';
    const { output, ...end } = await demo([], new Pages({ isTTY: true }));
    expect(end).toEqual(success);
    expect(output.text).not.toContain('\r');
    expect(escapes(output.text)).toBe(0);
  });

  it('prints its usage when asked', async () => {
    const { output, ...end } = await demo(['--help']);
    expect(end).toEqual(success);
    expect(output.text).toMatch(/^Usage: npm start -- \[--uri <uri> \| --path <folder>\]/);
  });

  it.each([
    [['--url', 'mongodb://localhost'], "Unknown option '--url'"],
    [['--uri'], "Option '--uri <value>' argument missing"],
    [['--uri', 'localhost:27017'], '--uri takes a URI such as mongodb://localhost:27017.'],
    [['mongodb://localhost'], "Unexpected argument 'mongodb://localhost'"],
    [['--path='], '--path takes a folder such as ./data.'],
    [['--path', './data', '--uri', 'mongodb://localhost'], 'Expected --uri or --path, got both.'],
  ])('refuses the arguments %j', async (args, message) => {
    const { code, errors, output } = await demo(args);
    expect(code).toBe(2);
    expect(errors).toContain(message);
    expect(errors).toContain('Usage: npm start');
    expect(output.text).toBe('');
  });

  it('says in one line when the server cannot be reached, without the password', async () => {
    const { code, errors, output } = await demo(['--uri', 'mongodb://ann:secret@127.0.0.1:1']);
    expect(code).toBe(1);
    expect(errors).toMatch(
      /^\nThe demo stopped: Could not connect to mongodb:\/\/127\.0\.0\.1:1\/data-bridge-demo-.+\n$/,
    );
    expect(errors).not.toContain('secret');
    expect(output.text).toBe('');
  });
});

describe('the demo in a folder', () => {
  it('shows in a second run what the first one changed', async () => {
    const path = mkdtempSync(join(tmpdir(), 'countries-'));
    try {
      const first = await demo(['--path', path]);
      expect(first).toMatchObject(success);
      expect(first.output.text.replaceAll('\n  ', ' ')).toContain(`its data stay in ${path}`);
      expectStory(first.output);
      for (const again of [await demo(['--path', path]), await demo(['--path', path])]) {
        expect(again).toMatchObject(success);
        const { lines } = again.output;
        expect(lines).toEqual(expect.arrayContaining([...changesOfFirstRun, ...story.slice(1)]));
        expect(lines).not.toContain(story[0]);
        expect(lines.filter((line) => line.length > 100)).toEqual([]);
      }
    } finally {
      rmSync(path, { recursive: true });
    }
  });

  it('says in one line when the folder is in use', async () => {
    const path = mkdtempSync(join(tmpdir(), 'countries-'));
    const server = await startServer({ path });
    const { code, errors } = await demo(['--path', path]);
    expect(code).toBe(1);
    expect(errors).toMatch(/^\nThe demo stopped: The data in .* are in use by .*\n$/);
    await server.close();
    rmSync(path, { recursive: true });
  });
});

describe('the demo on another server', () => {
  let server: RunningServer;
  let uris: string[];
  beforeAll(async () => {
    server = await startServer();
    uris = [server.uri, process.env['MONGODB_URI'] ?? server.uri];
  });
  afterAll(() => server.close());

  it('tells the same story, in a database that is gone afterwards', async () => {
    for (const uri of new Set(uris)) {
      const { output, ...end } = await demo(['--uri', uri]);
      expect(end).toEqual(success);
      expectStory(output);
      const [name = ''] = /data-bridge-demo-[0-9a-f]+/.exec(output.text) ?? [];
      expect(name).not.toBe('');
      expect(await databasesOf(uri)).not.toContain(name);
    }
  });
});

describe('the database of a run', () => {
  it.each([
    ['mongodb://a:1', 'mongodb://a:1/own'],
    ['mongodb://a:1,b:2/?replicaSet=r', 'mongodb://a:1,b:2/own?replicaSet=r'],
    ['mongodb+srv://a/app?tls=true', 'mongodb+srv://a/own?tls=true'],
    ['mongodb://ann:x@a/app', 'mongodb://ann:x@a/own?authSource=app'],
    ['mongodb://ann:x@a/app?tls=true', 'mongodb://ann:x@a/own?tls=true&authSource=app'],
    ['mongodb://ann:x@a/app?authSource=admin', 'mongodb://ann:x@a/own?authSource=admin'],
    ['mongodb://ann:x@a/', 'mongodb://ann:x@a/own'],
  ])('takes the place of the one in %s', (uri, expected) => {
    expect(withDatabase(uri, 'own')).toBe(expected);
  });
});

const changesOfFirstRun = [
  '1  The countries are here: an earlier run left them in the folder',
  '  250 countries were loaded, and none imported. What the earlier run changed:',
  "    ATA cioc              '' → (none)",
  "    CAN borders           [ 'USA' ] → [ 'USA', 'DNK' ]",
  '    CHE latlng.0          47 → 46.8',
  "    CPV name.common       'Cape Verde' → 'Cabo Verde'",
  '    NLD area              41850 → 41865',
  '  250 saves, 7 commands: 7 countries are as they were',
];

const story = [
  '  250 of 250 countries stored',
  '  Europe             53           15    23,022,897   Russia',
  "    { q: { _id: 'CPV' }, u: { '$set': { 'name.common': 'Cabo Verde' } } }",
  "    { q: { _id: 'CAN' }, u: { '$push': { borders: { '$each': [ 'DNK' ] } } } }",
  "    { q: { _id: 'DNK' }, u: { '$push': { borders: { '$each': [ 'CAN' ] } } } }",
  '    latlng.0  47 → 46.8',
  '  73 bytes instead of 2,675 for the whole document: 37× less',
  '  250 saves, 0 commands',
  '  After rollback() it is Monaco, modified: false; save() sent 0 commands',
  "  Catalan Costa d'Ivori, Danish Elfenbenskysten: both are there",
  '  ConflictError: area was 41850; mine is 41855, theirs 41860; nothing was written',
  '  3 commands; stored now: 41,865 km², both gains are there',
];

const escape = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g');

function escapes(text: string): number {
  return text.match(escape)?.length ?? 0;
}

async function databasesOf(uri: string): Promise<string[]> {
  const client = new MongoClient(uri);
  try {
    const { databases } = await client.db().admin().listDatabases({ nameOnly: true });
    return databases.map(({ name }) => name);
  } finally {
    await client.close();
  }
}

function expectStory(output: Pages): void {
  expect(output.lines).toEqual(expect.arrayContaining(story));
  expect(output.text).toMatch(
    /^ {2}7 saves sent [\d,]+ bytes; replacing the documents takes [\d,]+: [\d.]+× as many$/m,
  );
  expect(output.text).toMatch(/^ {2}Copying and comparing takes [\d.]+× as long$/m);
  expect(escapes(output.text)).toBe(0);
  expect(output.lines.filter((line) => line.length > 100)).toEqual([]);
}
