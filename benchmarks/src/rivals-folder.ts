/** The other mappers in rivals/: a folder with a lockfile of its own, installed by the first run that needs it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Open } from './rival.ts';

const folder = new URL('../rivals/', import.meta.url);

interface Listed {
  readonly name: string;
  readonly module: string;
  /** The oldest Node.js that it takes. All run as TypeScript, by the types' removal that Node.js 22.18 has. */
  readonly node: number;
}

const listed: readonly Listed[] = [
  { name: 'Papr', module: 'papr.ts', node: 22 },
  { name: 'MikroORM', module: 'mikro-orm.ts', node: 22 },
  { name: 'Prisma Next', module: 'prisma-next.ts', node: 24 },
];

/** Installs them as their lockfile says, without any of their scripts, if they are not there and one of them is going to run. */
export async function installRivals(majors: readonly number[]): Promise<void> {
  if (!listed.some(({ node }) => majors.some((major) => major >= node))) return;
  if (existsSync(new URL('node_modules/papr/', folder))) return;
  const args = ['ci', '--prefix', fileURLToPath(folder), '--ignore-scripts', '--no-audit', '--no-fund'];
  await promisify(execFile)('npm', args);
}

/** Those that run on this Node.js, by name, and the names of those that do not. */
export async function loadRivals(): Promise<{ open: ReadonlyMap<string, Open>; left: readonly string[] }> {
  const major = Number.parseInt(process.versions.node, 10);
  const there = listed.filter(({ node }) => major >= node);
  const modules = await Promise.all(
    there.map(
      async ({ name, module }) => [name, (await import(new URL(module, folder).href)) as { open: Open }] as const,
    ),
  );
  return {
    open: new Map(modules.map(([name, { open }]) => [name, open])),
    left: listed.filter(({ node }) => major < node).map(({ name, node }) => `${name} (needs Node ${node})`),
  };
}
