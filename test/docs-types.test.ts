import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { root, writeSamples } from './support/guide.ts';

const run = promisify(execFile);

/** What the compiler writes, also where it finds mistakes. */
async function compile(folder: string): Promise<string> {
  try {
    return (await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder])).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return stdout + stderr;
  }
}

it('the guide has samples whose types are right', async () => {
  const folder = writeSamples('types');
  const options = {
    extends: '../../../tsconfig.test.json',
    compilerOptions: { incremental: false },
    include: ['**/*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
  const report = await compile(folder);
  // The sources have a check of their own.
  expect(report.split('\n').filter((line) => !/^packages|^ /.test(line))).toEqual(['']);
});
