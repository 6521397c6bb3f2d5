import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as bridge from 'data-bridge';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultConnection, hasConnection } from '../packages/data-bridge/src/connection/connection.ts';
import { useOwnEqualityTesters } from '../packages/data-bridge/test/support/equality-testers.ts';
import { pages, programsOf, root, samples, writeSamples } from './support/guide.ts';
import { samplesOf } from './support/samples.ts';

const folder = writeSamples('run');
useOwnEqualityTesters();

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

/** Tests as the guide shows them: they run as part of this file. */
const tests = samples.flatMap(([, files]) => files.map(({ file }) => file).filter((file) => file.endsWith('.test.ts')));

describe.each(tests)('%s', async (file) => {
  await import(/* @vite-ignore */ join(folder, file));
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

  it('has samples that fit their boxes', () => {
    const lines = pages.flatMap((page) => (page.startsWith('docs/') ? codeOf(page) : []));
    expect(lines.filter((line) => line.length > 72)).toEqual([]);
  });

  it('lists every error and its code', () => {
    const source = readFileSync(join(root, 'packages/data-bridge/src/errors.ts'), 'utf8');
    const defined = [...source.matchAll(/class (\w+) extends \w+Error[^}]*?code\b[^}=]*=\s+'(\w+)'/g)];
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
