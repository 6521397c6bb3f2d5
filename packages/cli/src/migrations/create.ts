import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../errors.ts';

const TEMPLATE = `import { defineMigration } from '@data-bridge/cli';

export default defineMigration({
  description: '',
  async up({ batch, db }) {},
  async down({ batch, db }) {},
});
`;

/**
 * Writes a new migration that does nothing yet, with the number after the last one.
 *
 * @returns the path of the file.
 * @throws CommandError for a name that no file can have.
 */
export async function createMigration(folder: string, name: string, extension: 'ts' | 'mjs' = 'ts'): Promise<string> {
  const slug = name
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '');
  if (slug === '')
    throw new CommandError('A migration has a name, from which that of its file is made: "lower case emails", say.');
  await mkdir(folder, { recursive: true });
  const numbers = (await readdir(folder)).map((file) => /^\d+(?=[-_])/.exec(file)?.[0] ?? '0');
  const next = numbers.reduce((last, number) => (BigInt(number) > last ? BigInt(number) : last), 0n) + 1n;
  const width = Math.max(3, ...numbers.map((number) => number.length));
  const path = join(folder, `${String(next).padStart(width, '0')}-${slug}.${extension}`);
  await writeFile(path, TEMPLATE, { flag: 'wx' });
  return path;
}
