import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../', import.meta.url));
const modules = join(folder, '../../node_modules');

/** The package compiled into a folder of its own, for tests that need a process which they can kill. */
export interface Built {
  /** The command line, for `node` to run. */
  readonly bin: string;
  remove(): void;
}

export function build(): Built {
  const path = mkdtempSync(join(tmpdir(), 'embedded-built-'));
  // Types are checked elsewhere.
  const options = ['--composite', 'false', '--incremental', 'false', '--declaration', 'false', '--noCheck'];
  const compiler = join(modules, 'typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', folder, '--outDir', join(path, 'dist'), ...options]);
  copyFileSync(join(folder, 'package.json'), join(path, 'package.json'));
  symlinkSync(modules, join(path, 'node_modules'), 'junction');
  return { bin: join(path, 'dist/bin.js'), remove: () => rmSync(path, { recursive: true }) };
}
