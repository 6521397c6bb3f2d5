import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as embedded from '@data-bridge/embedded';
import * as mapper from 'data-bridge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** One file of `npm pack --json`, of which the packages are made. */
interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = { 'data-bridge': mapper, '@data-bridge/embedded': embedded };
const names = Object.keys(sources) as (keyof typeof sources)[];

let project: string;
let packed: readonly Packed[];

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'packed-'));
  packed = await pack();
  await writeJson('package.json', { name: 'consumer', private: true, type: 'module' });
  const tarballs = packed.map(({ filename }) => join(project, filename));
  const peers = await versionsOf(['mongodb', 'zod', '@types/node']);
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs, ...peers], { cwd: project });
});

afterAll(() => rm(project, { recursive: true, force: true }));

describe.each(names)('%s, packed and installed', (name) => {
  it('ships its modules, their types, a README and the licence, and nothing else', () => {
    const files = packed.find((one) => one.name === name)?.files.map(({ path }) => path) ?? [];
    const required = ['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/index.js'];
    expect(required.filter((file) => !files.includes(file))).toEqual([]);
    const expected = /^(?:LICENSE|README\.md|package\.json|dist\/.+\.(?:js|d\.ts))$/;
    expect(files.filter((file) => !expected.test(file))).toEqual([]);
  });

  it('is imported with the names that its source has', async () => {
    expect(await evaluate(`import * as names from '${name}'; ${print}`)).toEqual(namesOf(name));
  });

  it('is required with the names that its source has', async () => {
    const required = `import { createRequire } from 'node:module'; const names = createRequire(import.meta.url)('${name}');`;
    expect(await evaluate(`${required} ${print}`)).toEqual(namesOf(name));
  });
});

describe("a user's program", () => {
  it('compiles with strict settings and every library checked, and runs', async () => {
    await copyFile(new URL('./consumer.ts', import.meta.url), join(project, 'consumer.ts'));
    // Not exactOptionalPropertyTypes: the types of Node 20 themselves fail under it once libraries are checked.
    await writeJson('tsconfig.json', {
      compilerOptions: {
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
        types: ['node'],
        strict: true,
        skipLibCheck: false,
      },
      files: ['consumer.ts'],
    });
    await run(join(root, 'node_modules/.bin/tsc'), ['-p', project]).catch((error: { stdout: string }) => {
      throw new Error(error.stdout, { cause: error });
    });
    const { stdout } = await run('node', ['consumer.js'], { cwd: project });
    expect(JSON.parse(stdout)).toEqual({ changes: { tags: ['a', 'b'] }, stored: 'Ann: a, b' });
  });
});

const print = `console.log(JSON.stringify(Object.keys(names).filter((name) => !['default', 'module.exports', '__esModule'].includes(name)).sort()));`;

async function pack(): Promise<Packed[]> {
  const workspaces = names.flatMap((name) => ['--workspace', name]);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project, ...workspaces], { cwd: root });
  return JSON.parse(stdout) as Packed[];
}

/** The packages at the very versions that this workspace has. */
async function versionsOf(dependencies: readonly string[]): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>;
  };
  return dependencies.map((name) => `${name}@${lock.packages[`node_modules/${name}`]?.version}`);
}

async function writeJson(file: string, value: object): Promise<void> {
  await writeFile(join(project, file), JSON.stringify(value));
}

async function evaluate(module: string): Promise<unknown> {
  const { stdout } = await run('node', ['--input-type=module', '--eval', module], { cwd: project });
  return JSON.parse(stdout);
}

function namesOf(name: keyof typeof sources): string[] {
  return Object.keys(sources[name]).sort();
}
