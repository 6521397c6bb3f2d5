/** Another build of the project beside this one: the same cases of both, in turn, so that what slows the machine slows both. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, startProcess } from './processes.ts';
import { type Spread, spread } from './measure.ts';
import { figures, markdownTable, type Row } from './report.ts';
import type { Run } from './results.ts';

/** How often each build runs a case. */
const turns = 2;

interface Builds<R> {
  readonly before: R;
  readonly after: R;
}

async function rowsOf(child: string, name: string, effort: string, node: string): Promise<readonly Row[]> {
  return ((await messageOf(startProcess(child, [name, effort], node))) as Run).rows;
}

/** The rows of a case as both builds give them, once for each turn. */
async function inTurn(folder: string, name: string, effort: string, node: string): Promise<Builds<readonly Row[]>[]> {
  const other = pathToFileURL(resolve(folder, 'benchmarks/dist/case-child.js')).href;
  const runs: Builds<readonly Row[]>[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const own = turn % 2 === 0 ? undefined : await rowsOf('./case-child.js', name, effort, node);
    const before = await rowsOf(other, name, effort, node);
    runs.push({ before, after: own ?? (await rowsOf('./case-child.js', name, effort, node)) });
  }
  return runs;
}

/** The median of the medians, with the widest of the middle halves. */
function together(rows: readonly Row[]): Spread {
  const { median } = spread(rows.map(({ measured }) => measured.median));
  const low = Math.min(...rows.map(({ measured }) => measured.low));
  return { median, low, high: Math.max(...rows.map(({ measured }) => measured.high)) };
}

/** What is ours: the rows that compare us with others, and our own times. Several may have one name. */
function oursIn(rows: readonly Row[]): Row[] {
  return rows.filter(({ what }) => !what.trim().startsWith('time of') || /data-bridge|StateTracker/.test(what));
}

/** A table of the rows that both builds have, for people and for a page of results/. */
export async function against(folder: string, name: string, effort: string, node: string): Promise<string> {
  const runs = await inTurn(folder, name, effort, node);
  const ours = runs.map(({ before, after }) => ({ before: oursIn(before), after: oursIn(after) }));
  const body: string[][] = [];
  for (const [i, { what, unit }] of (ours[0]?.after ?? []).entries()) {
    const of = (build: keyof Builds<unknown>): Row[] => ours.flatMap((run) => run[build][i] ?? []);
    if (of('before').some((row) => row.what !== what)) throw new Error(`The other build has no row "${what.trim()}".`);
    body.push([what.trim(), figures(together(of('before')), unit), figures(together(of('after')), unit)]);
  }
  return markdownTable(['what', 'before', 'after'], body);
}
