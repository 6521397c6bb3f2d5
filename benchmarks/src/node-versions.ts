/** Other versions of Node.js to run cases on, from the npm package `node`. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What `--node 22` stands for. */
const versions: Readonly<Record<string, string>> = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' };

/** Outside what git and the lockfile see; kept for the next run. */
const folder = new URL('../node_modules/.cache/node/', import.meta.url);

/** The path of a Node.js of this major version: the running one, or one that is installed into a folder of its own. */
export async function nodeOf(major: string): Promise<string> {
  if (process.versions.node.split('.')[0] === major) return process.execPath;
  const version = versions[major];
  if (version === undefined) {
    throw new Error(`There is no Node.js ${major} to run on. Versions: ${Object.keys(versions).join(', ')}.`);
  }
  const own = fileURLToPath(new URL(`${version}/`, folder));
  const node = `${own}node_modules/.bin/node`;
  if ((await versionOf(node)) === `v${version}`) return node;
  await mkdir(own, { recursive: true });
  await run('npm', ['install', '--prefix', own, '--no-audit', '--no-fund', `node@${version}`]);
  const installed = await versionOf(node);
  if (installed !== `v${version}`) throw new Error(`Installing Node.js ${version} gave ${installed ?? 'nothing'}.`);
  return node;
}

async function versionOf(node: string): Promise<string | undefined> {
  try {
    return (await run(node, ['--version'])).stdout.trim();
  } catch {
    return undefined; // it is not there, or does not run here
  }
}
