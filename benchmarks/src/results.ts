/** The figures of RESULTS.md as data: a file for each case in results/, with a run for each version of Node.js. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { Circumstances } from './circumstances.ts';
import type { Spread } from './measure.ts';
import type { Row } from './report.ts';

/** A case, run once on one version of Node.js. */
export interface Run extends Circumstances {
  readonly rows: readonly Row[];
}

/** The last run of a case on each major version of Node.js, oldest version first. */
export interface CaseResults {
  readonly name: string;
  readonly title: string;
  readonly runs: readonly Run[];
}

export function major(run: Pick<Run, 'node'>): number {
  return Number.parseInt(run.node.slice(1), 10);
}

/** The results with another run, in the place of the earlier one of the same major version of Node.js. */
export function merge(results: CaseResults, run: Run): CaseResults {
  const others = results.runs.filter((other) => major(other) !== major(run));
  return { ...results, runs: [...others, run].toSorted((a, b) => major(a) - major(b)) };
}

/** A row's figures with as many digits as mean something. */
export function rounded(row: Row): Row {
  const { measured, wall } = row;
  return { ...row, measured: roundedSpread(measured), ...(wall === undefined ? {} : { wall: roundedSpread(wall) }) };
}

function roundedSpread({ median, low, high }: Spread): Spread {
  const digits = (value: number): number => Number(value.toPrecision(5));
  return { median: digits(median), low: digits(low), high: digits(high) };
}

/** The results of each case that has any, in the order of the names given. */
export async function readResults(folder: URL, names: readonly string[]): Promise<CaseResults[]> {
  const files = new Set(await readdir(folder));
  const there = names.filter((name) => files.has(`${name}.json`));
  return Promise.all(
    there.map(async (name) => JSON.parse(await readFile(new URL(`${name}.json`, folder), 'utf8')) as CaseResults),
  );
}

/** JSON with a line for each row, so that a change of figures reads well. */
export function jsonOf({ runs, ...head }: CaseResults): string {
  const open = (object: object): string => JSON.stringify(object).slice(0, -1);
  const runText = ({ rows, ...where }: Run): string =>
    `${open(where)},"rows":[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}`;
  return `${open(head)},"runs":[\n${runs.map(runText).join(',\n')}\n]}\n`;
}

export async function writeCase(folder: URL, results: CaseResults): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${results.name}.json`, folder), jsonOf(results));
}
