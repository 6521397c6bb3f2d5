import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../', import.meta.url));
const modules = join(folder, '../../node_modules');

/** The package as it is published, bundled into a folder of its own, for tests that need a process which they can kill. */
export interface Built {
  /** The command line, for `node` to run. */
  readonly bin: string;
  remove(): void;
}

export function build(): Built {
  const path = mkdtempSync(join(tmpdir(), 'embedded-built-'));
  execFileSync(process.execPath, [join(folder, '../../scripts/bundle.mjs'), 'embedded', join(path, 'dist')]);
  copyFileSync(join(folder, 'package.json'), join(path, 'package.json'));
  symlinkSync(modules, join(path, 'node_modules'), 'junction');
  return { bin: join(path, 'dist/bin.js'), remove: () => rmSync(path, { recursive: true }) };
}
