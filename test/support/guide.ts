import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Sample, samplesOf } from './samples.ts';

/** The folder of the workspace. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

const guide = readdirSync(join(root, 'docs/guide')).filter((file) => file.endsWith('.md'));

/** The pages with samples, from the folder of the workspace. */
export const pages: readonly string[] = [
  'README.md',
  'packages/data-bridge/README.md',
  'packages/embedded/README.md',
  'docs/index.md',
  ...guide.map((file) => `docs/guide/${file}`),
];

/** Each page that has programs, with its samples. */
export const samples: readonly (readonly [page: string, files: readonly Sample[]])[] = pages
  .map((page) => [page, samplesOf(folderOf(page), readFileSync(join(root, page), 'utf8'))] as const)
  .filter(([, files]) => programsOf(files).length > 0);

/** Writes all samples into a new folder, from which they find the packages of the workspace. @returns its path */
export function writeSamples(name: string): string {
  const folder = join(root, 'docs/.samples', name);
  rmSync(folder, { recursive: true, force: true });
  for (const { file, text } of samples.flatMap(([, files]) => files)) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

/** The heading and the file of each program. */
export function programsOf(files: readonly Sample[]): (readonly [title: string, file: string])[] {
  return files.flatMap(({ title, file }) => (title === undefined ? [] : [[title, file] as const]));
}

/** The folder of a page's samples. */
function folderOf(page: string): string {
  return page.replace(/\.md$/, '').replaceAll('/', '-');
}
