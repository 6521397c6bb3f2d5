/** The files that are written out of the results: RESULTS.md, the claims, the plots. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { withClaims } from './claims.ts';
import { plots } from './plots.ts';
import { type Notes, renderResults } from './render.ts';
import { readResults } from './results.ts';

/** Of `benchmarks/` in the sources and in the build alike. */
const home = new URL('../', import.meta.url);

export const resultsFolder = new URL('results/', home);

async function readNotes(): Promise<Notes> {
  const files = (await readdir(resultsFolder)).filter((file) => file.endsWith('.md'));
  const texts = await Promise.all(
    files.map(async (file) => [file.slice(0, -3), await readFile(new URL(file, resultsFolder), 'utf8')] as const),
  );
  const ofCase = new Map(texts);
  const closing = ofCase.get('closing') ?? '';
  ofCase.delete('closing');
  return { ofCase, closing };
}

/** Each file by its address, as it has to be. */
export async function pages(cases: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const results = await readResults(resultsFolder, cases);
  const texts = new Map<string, string>();
  texts.set(new URL('RESULTS.md', home).href, renderResults(results, await readNotes()));
  for (const page of ['../README.md', '../docs/guide/speed.md']) {
    const address = new URL(page, home);
    texts.set(address.href, withClaims(await readFile(address, 'utf8'), results));
  }
  for (const [name, svg] of plots(results)) texts.set(new URL(`../docs/public/plots/${name}.svg`, home).href, svg);
  return texts;
}

export async function writePages(cases: readonly string[]): Promise<void> {
  for (const [address, text] of await pages(cases)) await writeFile(new URL(address), text);
}
