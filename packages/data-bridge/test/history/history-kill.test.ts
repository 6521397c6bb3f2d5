import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { checkHistory } from '../support/history-checks.ts';
import { Item } from '../support/history-writer.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const packageFolder = fileURLToPath(new URL('../../', import.meta.url));
const workspace = join(packageFolder, '../..');

/** In all; where the server has transactions, half of them in some. The environment's KILLS sets another number. */
const KILLS = Number(process.env['KILLS'] ?? 20);
const AT_ONCE = 4;
const modes = (await askForReplicaSet()) ? ['plain', 'transaction'] : ['plain'];
const kills = Math.ceil(KILLS / modes.length);

/** What a writer had been told before it was killed: the reasons of its writes, by document. */
type Acknowledged = Map<string, string[]>;

const database = useDatabase();
let folder: string;

beforeAll(async () => {
  folder = build();
}, 120_000);

afterAll(async () => {
  // Dropping the database would wait for the transactions of killed writers, which a server ends after a minute.
  await database.connection.client
    .db('admin')
    .command({ killAllSessions: [] })
    .catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

describe.each(modes)('kill -9 of writers, %s', (mode) => {
  it('leaves a history that is complete and in order', { timeout: 300_000 }, async () => {
    const acknowledged: Acknowledged = new Map();
    const left = Array.from({ length: kills }, (_, kill) => kill);
    const worker = async (): Promise<void> => {
      for (let kill = left.pop(); kill !== undefined; kill = left.pop())
        await writeUntilKilled(`${mode}-${kill}`, kill, mode, acknowledged);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await Item.repairHistory({ olderThan: new Date() });
    const history = database.db.collection('items_history');
    expect(await history.countDocuments({ pending: true })).toBe(0);
    for (const [id, reasons] of acknowledged) {
      const entries = await checkHistory(database.db, 'items', id);
      expect(entries).toEqual(expect.arrayContaining(reasons));
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(kills);
  });
});

/** Kills a writer when it was told of that many writes, in the midst of the next. */
async function writeUntilKilled(name: string, seed: number, mode: string, acknowledged: Acknowledged): Promise<void> {
  const writer = join(folder, 'test/support/history-writer.js');
  const child = spawn(process.execPath, [writer, database.uri, name, String(seed + 1), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let left = 1 + ((seed * 7) % 15);
  for await (const line of createInterface({ input: child.stdout })) {
    const [id = '', reason = ''] = line.split(' ');
    acknowledged.set(id, [...(acknowledged.get(id) ?? []), reason]);
    left -= 1;
    if (left === 0) await killSoon(child, seed);
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
}

/** At once, or a little later, so that the kill strikes at any step of a write. */
async function killSoon(child: ChildProcess, seed: number): Promise<void> {
  for (let turns = seed % 5; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGKILL');
}

/** The package and the writer compiled into a folder of their own, for processes that can be killed. */
function build(): string {
  const built = mkdtempSync(join(tmpdir(), 'data-bridge-built-'));
  const config = {
    extends: join(workspace, 'tsconfig.base.json'),
    compilerOptions: {
      composite: false,
      declaration: false,
      rootDir: packageFolder,
      outDir: built,
      // Types are checked elsewhere, and those of the embedded server are there only once it was built.
      noCheck: true,
    },
    files: [join(packageFolder, 'test/support/history-writer.ts')],
  };
  mkdirSync(join(built, 'config'));
  symlinkSync(join(workspace, 'node_modules'), join(built, 'node_modules'), 'junction');
  writeFileSync(join(built, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(built, 'config/tsconfig.json'), JSON.stringify(config));
  execFileSync(process.execPath, [join(workspace, 'node_modules/typescript/bin/tsc'), '-p', join(built, 'config')]);
  return built;
}
