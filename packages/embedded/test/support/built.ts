import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';

const folder = fileURLToPath(new URL('../../', import.meta.url));
const modules = join(folder, '../../node_modules');

/** The package as it is published, in a folder of its own. */
export interface Built {
  /** The command line, for `node` to run. */
  readonly bin: string;
  /** The entry, for a script to import. */
  readonly index: string;
}

/** Bundles the package before the tests of the file, or of the suite, for those that need a process which they can kill. */
export function useBuilt(): Built {
  const path = mkdtempSync(join(tmpdir(), 'embedded-built-'));
  beforeAll(() => {
    execFileSync(process.execPath, [join(folder, '../../scripts/bundle.mjs'), 'embedded', join(path, 'dist')]);
    copyFileSync(join(folder, 'package.json'), join(path, 'package.json'));
    symlinkSync(modules, join(path, 'node_modules'), 'junction');
  });
  afterAll(() => rmSync(path, { recursive: true }));
  return { bin: join(path, 'dist/bin.js'), index: join(path, 'dist/index.js') };
}
