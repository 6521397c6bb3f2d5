import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBuilt } from '../support/built.ts';
import { expectConsistent } from '../support/consistency.ts';
import { withServer } from '../support/server.ts';

const script = fileURLToPath(new URL('../support/fill-disk.mjs', import.meta.url));

interface Report {
  readonly stored: number;
  readonly error: { readonly code: number; readonly codeName: string; readonly message: string };
  /** What other commands were answered: `ok`, or the number of the error. */
  readonly others: Readonly<Record<string, unknown>>;
}

describe.skipIf(process.platform === 'win32')('a disk that is full', () => {
  const built = useBuilt();
  let path: string;

  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'embedded-'));
  });

  afterAll(() => {
    rmSync(path, { recursive: true });
  });

  it('is told as such, and the data stay whole', async () => {
    // A file may not become larger than 1 MB: the system answers as where the disk is full.
    const command = `ulimit -f 2048; exec "$0" "$@"`;
    const args = [process.execPath, script, built.index, path];
    const { stdout, stderr } = spawnSync('sh', ['-c', command, ...args], { encoding: 'utf8' });
    const line = stdout.split('\n').find((text) => text.startsWith('{'));
    const { stored, error, others } = JSON.parse(line ?? stderr) as Report;
    expect(stored).toBeGreaterThan(20);
    expect(error).toMatchObject({ code: 14031, codeName: 'OutOfDiskSpace' });
    expect(error.message).toMatch(/no space left on the disk/);
    expect(others).toEqual({
      insertMany: 14031,
      update: 14031,
      commit: 14031,
      count: stored,
      remove: 'ok',
      smaller: 'ok',
    });

    await withServer(
      async (client) => {
        const items = client.db('shop').collection<{ _id: number }>('items');
        const ids = (await items.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
        expect(ids).toEqual([...Array.from({ length: stored - 1 }, (_, n) => n + 1), 10_000]);
        await expectConsistent(client);
        await items.insertOne({ _id: 10_001 });
      },
      { path },
    );
  });
});
