import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer } from '../../src/index.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe.skipIf(process.platform === 'win32')('the folder of a store', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'embedded-'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('is for the user of the server alone, and so are its files', async () => {
    const path = join(root, 'new/data');
    await (await startServer({ path })).close();
    expect([join(root, 'new'), path].map(modeOf)).toEqual([0o700, 0o700]);
    expect(['data.mdb', 'lock.mdb'].map((file) => modeOf(join(path, file)))).toEqual([0o600, 0o600]);
  });

  it('keeps its mode, and its files theirs, where they are there', async () => {
    const path = join(root, 'data');
    mkdirSync(path);
    chmodSync(path, 0o755);
    await (await startServer({ path })).close();
    expect(modeOf(path)).toBe(0o755);
    expect(modeOf(join(path, 'data.mdb'))).toBe(0o600);
    chmodSync(join(path, 'data.mdb'), 0o644);
    await (await startServer({ path })).close();
    expect(modeOf(join(path, 'data.mdb'))).toBe(0o644);
  });

  it.runIf(existsSync('/proc/self'))(
    'is refused at once where the system makes none',
    { timeout: 10_000 },
    async () => {
      for (const path of ['/proc/x', '/proc/x/y', '/proc/self/x']) {
        await expect(startServer({ path })).rejects.toMatchObject({
          code: 'STORE_PATH',
          message: expect.stringMatching(new RegExp(`Cannot keep data in ${path}: ENOENT`)) as string,
        });
      }
    },
  );
});
