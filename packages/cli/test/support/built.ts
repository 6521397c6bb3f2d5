import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';

const workspace = fileURLToPath(new URL('../../../../', import.meta.url));
const BUILT = { 'data-bridge': 'data-bridge', cli: '@data-bridge/cli' } as const;

/**
 * A folder whose programs find both packages built from the sources, for processes that can be killed.
 *
 * @param programs the texts of its files, by name.
 */
export function useBuiltPackages(programs: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'data-bridge-cli-'));
  beforeAll(() => {
    const modules = join(folder, 'node_modules');
    const installed = join(workspace, 'node_modules');
    mkdirSync(join(modules, '@data-bridge'), { recursive: true });
    for (const name of readdirSync(installed))
      if (!['data-bridge', '@data-bridge'].includes(name) && !name.startsWith('.'))
        symlinkSync(join(installed, name), join(modules, name), 'junction');
    for (const [bundle, name] of Object.entries(BUILT)) {
      const to = join(modules, name);
      mkdirSync(to);
      copyFileSync(join(workspace, 'packages', bundle, 'package.json'), join(to, 'package.json'));
      execFileSync(process.execPath, [join(workspace, 'scripts/bundle.mjs'), bundle, join(to, 'dist')]);
    }
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(folder, name), text);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
