import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A version of the driver, with the version of the bson package that it uses, as it lies in a folder. */
export interface Driver {
  readonly mongodb: string;
  readonly bson: string;
  /** The folder of the package `mongodb`. */
  readonly folder: string;
}

/**
 * Installs the newest patch of each minor version of the driver that the peer range of `data-bridge` allows, and the
 * oldest version of all with the oldest bson package that it takes. What lies in `folder` already stays.
 */
export async function installDrivers(folder: string): Promise<Driver[]> {
  const { peerDependencies } = readJson('packages/data-bridge/package.json');
  const range = (peerDependencies as { readonly mongodb: string }).mongodb;
  const versions = await versionsIn('mongodb', range);
  const newest = new Map(versions.map((version) => [version.replace(/\.\d+$/, ''), version]));
  const [oldest = ''] = versions;
  const [oldestBson = ''] = await versionsIn('bson', await dependencyOf(`mongodb@${oldest}`, 'bson'));
  const wanted = [...[...newest.values()].map((version) => [version]), [oldest, oldestBson]];
  return Promise.all(wanted.map(([mongodb = '', bson]) => install(folder, mongodb, bson)));
}

async function install(folder: string, mongodb: string, bson?: string): Promise<Driver> {
  const prefix = join(folder, bson === undefined ? mongodb : `${mongodb}-with-bson-${bson}`);
  mkdirSync(prefix, { recursive: true });
  const packages = [`mongodb@${mongodb}`, ...(bson === undefined ? [] : [`bson@${bson}`])];
  await npm('install', '--prefix', prefix, '--no-audit', '--no-fund', '--prefer-offline', ...packages);
  const modules = join(prefix, 'node_modules');
  const driver = { mongodb: versionIn(modules, 'mongodb'), bson: versionIn(modules, 'bson') };
  if (driver.mongodb !== mongodb || (bson ?? driver.bson) !== driver.bson)
    throw new Error(`Expected ${packages.join(' and ')}, got ${driver.mongodb} and ${driver.bson}.`);
  return { ...driver, folder: join(modules, 'mongodb') };
}

/** The versions that a range allows, from the oldest on, without those that came before a release. */
async function versionsIn(name: string, range: string): Promise<string[]> {
  const found = JSON.parse(await npm('view', `${name}@${range}`, 'version', '--json')) as string | string[];
  const releases = [found].flat().filter((version) => /^\d+\.\d+\.\d+$/.test(version));
  return releases.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

async function dependencyOf(spec: string, name: string): Promise<string> {
  return JSON.parse(await npm('view', spec, `dependencies.${name}`, '--json')) as string;
}

function versionIn(modules: string, name: string): string {
  return String(readJson(join(modules, name, 'package.json'))['version']);
}

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

async function npm(...given: string[]): Promise<string> {
  const { stdout } = await run('npm', given, { timeout: 120_000 });
  return stdout;
}
