import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModule } from '../config/load-module.ts';
import { CommandError } from '../errors.ts';
import type { Migration, MigrationStep } from './migration.ts';

/** `001-lower-case-emails.ts`: digits, a dash or an underscore, a name. */
const FILE_NAME = /^(\d+)[-_](.+)\.[cm]?[jt]s$/;

/**
 * The migrations of a folder, in the order of their versions: files named as `001-what-it-does.ts`, each with a migration as
 * its default export. Other files are left alone. They are loaded, and not run.
 *
 * @throws CommandError where two have one version, where a file exports no migration, and where the folder is not there.
 */
export async function readMigrations(folder: string): Promise<MigrationStep[]> {
  const files = (await filesOf(folder)).filter((file) => FILE_NAME.test(file) && !/\.d\.[cm]?ts$/.test(file));
  const steps = await Promise.all(files.map((file) => readStep(folder, file)));
  steps.sort((a, b) => compareVersions(a.version, b.version));
  const twice = steps.find(
    (step, i) => i > 0 && compareVersions(step.version, (steps[i - 1] as MigrationStep).version) === 0,
  );
  if (twice !== undefined)
    throw new CommandError(
      `Two migrations in ${folder} have the version ${twice.version}: give one of them another number.`,
    );
  return steps;
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new CommandError(`The folder of migrations cannot be read: ${folder}. "migrate create" makes it.`, { cause });
  }
}

async function readStep(folder: string, file: string): Promise<MigrationStep> {
  const [, version = '', name = ''] = FILE_NAME.exec(file) ?? [];
  const path = join(folder, file);
  const { default: migration } = (await loadModule(path)) as { readonly default?: unknown };
  if (!isMigration(migration)) {
    throw new CommandError(
      `${path} has no migration as its default export: export default defineMigration({ async up() { … } }).`,
    );
  }
  return { version, name, checksum: checksumOf(await readFile(path, 'utf8')), migration };
}

function isMigration(value: unknown): value is Migration {
  return typeof value === 'object' && value !== null && 'up' in value && typeof value.up === 'function';
}

/** The same on machines that check files out with other line ends. */
export function checksumOf(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}

/** Versions are numbers of any length: `2` comes before `10`, and `001` is `1`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [BigInt(a), BigInt(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
