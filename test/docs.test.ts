import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as bridge from 'data-bridge';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultConnection, hasConnection } from '../packages/data-bridge/src/connection/connection.ts';
import { type Sample, samplesOf } from './support/samples.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = join(root, 'docs/.samples');
const run = promisify(execFile);

const guide = readdirSync(join(root, 'docs/guide')).filter((file) => file.endsWith('.md'));
const pages = ['README.md', 'packages/data-bridge/README.md', 'packages/embedded/README.md', 'docs/index.md'];
pages.push(...guide.map((file) => `docs/guide/${file}`));
const samples = pages
  .map((page) => [page, samplesOf(folderOf(page), readFileSync(join(root, page), 'utf8'))] as const)
  .filter(([, files]) => programsOf(files).length > 0);

/** The workspace's, for the tests of the guide alone. */
const VITEST_CONFIG = `import workspace from '../../vitest.config.ts';
export default { ...workspace, test: { include: ['**/*.test.ts'] } };
`;

/** Runs a tool of the workspace; gives what it wrote, also when it failed. */
async function tool(name: string, args: readonly string[]): Promise<string> {
  const { VITEST: _, ...env } = process.env;
  try {
    const { stdout } = await run(process.execPath, [join(root, 'node_modules', name), ...args], { cwd: root, env });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return stdout + stderr;
  }
}

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const { file, text } of samples.flatMap(([, files]) => files)) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "../../tsconfig.test.json", "include": ["**/*.ts"] }\n');
  writeFileSync(join(folder, 'vitest.config.js'), VITEST_CONFIG);
});

describe.each(samples)('%s', (_, files) => {
  let scratch: string;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'data-bridge-docs-'));
    process.chdir(scratch); // what a sample stores in ./data is gone with it
    vi.spyOn(console, 'log').mockImplementation(() => undefined);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    while (hasConnection()) await defaultConnection().close();
    process.chdir(root);
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each(programsOf(files))('%s', async (_title, file) => {
    await expect(import(/* @vite-ignore */ join(folder, file))).resolves.toBeDefined();
  });
});

describe('the guide', () => {
  it('is checked by what its comments say', () => {
    const page = ['# A page', '```ts', 'const one = 1;', '[one, 2]; // → [1, 3]', 'one; // throws Error', '```'];
    const [program] = samplesOf('page', page.join('\n'));
    expect(program?.text.split('\n').slice(2, 5)).toEqual([
      'const one = 1;',
      '$expect([one, 2]).toEqual([1, 3]);',
      expect.stringMatching(/^\$expect\(await \(async \(\) => { one; }\).*toMatchObject\({"name":"Error"}\);$/),
    ]);
  });

  it('has samples whose types are right', { timeout: 120_000 }, async () => {
    const report = await tool('typescript/bin/tsc', ['-p', folder]);
    // The sources have a check of their own.
    expect(report.split('\n').filter((line) => !/^packages|^ /.test(line))).toEqual(['']);
  });

  it('has tests that pass', { timeout: 120_000 }, async () => {
    const options = ['--root', folder, '--reporter', 'json', '--testTimeout', '60000', '--hookTimeout', '60000'];
    const report = await tool('vitest/vitest.mjs', ['run', ...options]);
    expect(JSON.parse(report)).toMatchObject({ success: true, numTotalTests: 2, numPassedTests: 2 });
  });

  it('has samples that fit their boxes', () => {
    const lines = pages.flatMap((page) => (page.startsWith('docs/') ? codeOf(page) : []));
    expect(lines.filter((line) => line.length > 72)).toEqual([]);
  });

  it('lists every error and its code', () => {
    const source = readFileSync(join(root, 'packages/data-bridge/src/errors.ts'), 'utf8');
    const defined = [...source.matchAll(/class (\w+) extends \w+Error[^}]*?code\b[^}=]*= '(\w+)'/g)];
    const codes = new Map(defined.map(([, name, code]) => [name, code]));
    expect(new Set(codes.keys())).toEqual(new Set(errorNames()));
    const rows = tableOf('errors.md', 'error').map(([name = '', link = '']) => [name, link] as const);
    const links = [...codes].map(([name, code = '']) => [name, `[${code}](#${code.toLowerCase()})`] as const);
    expect(new Map(rows)).toEqual(new Map(links));
    const page = readFileSync(join(root, 'docs/guide/errors.md'), 'utf8');
    for (const [name, code = ''] of codes) expect(page).toContain(`### ${name} {#${code.toLowerCase()}}`);
  });

  it('lists every reason to refuse a folder', () => {
    const source = readFileSync(join(root, 'packages/embedded/src/storage/store-error.ts'), 'utf8');
    const codes = [...source.matchAll(/'(STORE_\w+)'/g)].map(([, code]) => code);
    expect(new Set(tableOf('embedded.md', 'code').map(([code]) => code))).toEqual(new Set(codes));
  });

  it('lists every option of a model', () => {
    const known = /Known: (.*)\.$/.exec(messageOf(() => bridge.model('things', {}, { nonsense: 1 } as object)))?.[1];
    expect(new Set(tableOf('model.md', 'option').map(([name]) => name))).toEqual(new Set(known?.split(', ')));
  });
});

/** The folder of a page's samples. */
function folderOf(page: string): string {
  return page.replace(/\.md$/, '').replaceAll('/', '-');
}

/** The heading and the file of each program. */
function programsOf(files: readonly Sample[]): (readonly [string, string])[] {
  return files.flatMap(({ title, file }) => (title === undefined ? [] : [[title, file] as const]));
}

/** The lines of a page's blocks of code. */
function codeOf(page: string): string[] {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(/^```\w+\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, code = '']) => code.split('\n'));
}

/** The errors that a program can catch. */
function errorNames(): string[] {
  return Object.entries(bridge)
    .filter(([, value]) => typeof value === 'function' && value.prototype instanceof bridge.DataBridgeError)
    .map(([name]) => name);
}

/** The rows of the table whose first column is called so, without the marks of code. */
function tableOf(page: string, column: string): string[][] {
  const lines = readFileSync(join(root, 'docs/guide', page), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${column} |`));
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

function messageOf(run: () => unknown): string {
  try {
    run();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}
