/** The text of RESULTS.md: a table for each case with a column for each version of Node.js. */
import { figure, figures, goalText, isReached, markdownTable, type Row, verdict, withUnit } from './report.ts';
import { type CaseResults, major, type Run } from './results.ts';

/** What RESULTS.md says besides figures: below the table of a case, in sections of no case, and at the end. */
export interface Notes {
  readonly ofCase: ReadonlyMap<string, string>;
  readonly closing: string;
}

/** A row as the versions of Node.js have it. */
interface Line {
  readonly what: string;
  readonly rows: ReadonlyMap<number, Row>;
}

function linesOf(runs: readonly Run[]): Line[] {
  const lines = new Map<string, Map<number, Row>>();
  for (const run of runs) {
    for (const row of run.rows) {
      const rows = lines.get(row.what) ?? new Map<number, Row>();
      lines.set(row.what, rows.set(major(run), row));
    }
  }
  return Array.from(lines, ([what, rows]) => ({ what, rows }));
}

function cell(row: Row | undefined): string {
  if (row === undefined) return '';
  const { measured, wall, goal, unit } = row;
  if (wall === undefined) return figures(measured, unit);
  if (goal?.by === 'wall') return `${withUnit(figure(measured.median), unit)}; wall ${figures(wall, unit)}`;
  return `${figures(measured, unit)}; wall ${withUnit(figure(wall.median), unit)}`;
}

/** `yes`, `NO`, or where it is not. */
function reachedText({ rows }: Line): string {
  const withGoal = [...rows].filter(([, row]) => row.goal !== undefined);
  const missed = withGoal.filter(([, row]) => isReached(row) === false).map(([node]) => node);
  if (withGoal.length === 0) return '';
  if (missed.length === 0) return 'yes';
  return missed.length === withGoal.length ? 'NO' : `NOT on ${missed.join(', ')}`;
}

function caseTable(runs: readonly Run[]): string {
  const nodes = runs.map(major);
  const body = linesOf(runs).map((line) => {
    const rows = [...line.rows.values()];
    const goals = rows.flatMap(({ goal }) => goal ?? []);
    return [
      line.what,
      goalText(goals, rows[0]?.unit ?? '×'),
      ...nodes.map((node) => cell(line.rows.get(node))),
      reachedText(line),
    ];
  });
  return markdownTable(['what', 'goal', ...nodes.map((node) => `Node ${node}`), 'reached'], body);
}

function takenOn(runs: readonly Run[]): string {
  const lines = new Map<string, string[]>();
  for (const { node, machine, load, date } of runs) {
    const where = `on ${date}, ${machine}`;
    lines.set(where, [...(lines.get(where) ?? []), load === undefined ? node : `${node} (load ${load})`]);
  }
  return `Taken ${Array.from(lines, ([where, nodes]) => `${where}: ${nodes.join(', ')}`).join('; ')}.`;
}

function section({ title, name, runs }: CaseResults, notes: Notes): string {
  const note = notes.ofCase.get(name);
  const parts = [`## ${title}`, `\`${name}\`. ${takenOn(runs)}`, caseTable(runs)];
  return [...parts, ...(note === undefined ? [] : [note.trim()])].join('\n\n');
}

/** How many goals each version of Node.js reaches, and what each misses by how much. */
function summary(all: readonly CaseResults[]): string {
  const runs = all.flatMap(({ name, runs: ofCase }) => ofCase.map((run) => ({ name, run })));
  const nodes = [...new Set(runs.map(({ run }) => major(run)))].toSorted((a, b) => a - b);
  const counts = nodes.map((node) => {
    const rows = runs.filter(({ run }) => major(run) === node).flatMap(({ run }) => run.rows);
    return `- Node ${node}: ${verdict(rows)}`;
  });
  const missed = runs.flatMap(({ name, run }) =>
    run.rows
      .filter((row) => isReached(row) === false)
      .map((row) => {
        const { goal, unit } = row;
        const { median } = goal?.by === 'wall' ? (row.wall ?? row.measured) : row.measured;
        const wanted = goal === undefined ? '' : goalText([goal], unit);
        return [name, row.what.trim(), `Node ${major(run)}`, wanted, withUnit(figure(median), unit)];
      }),
  );
  if (missed.length === 0) return counts.join('\n');
  const table = markdownTable(['case', 'not reached', 'on', 'goal', 'measured'], missed);
  return `${counts.join('\n')}\n\n${table}`;
}

export function renderResults(all: readonly CaseResults[], notes: Notes): string {
  const head = `# Results

Written by \`npm run bench -- --node 20,22,24 --write\` out of [results/](results), where the figures are kept as data.
[README.md](README.md) says how each is taken.

Time is the client's CPU time (user and system, all threads of its process); the wall clock's stands beside it: over loopback on
two cores it holds the server's half, too. Each figure is the median over the rounds, with the middle half of the rounds. A ratio
says how many times better data-bridge is where the goal is "at least", and what part of the rival's it needs where the goal is
"at most". Goals that differ by version of Node.js are listed in the order of the columns.`;
  const others = [...notes.ofCase].filter(([name]) => !all.some((one) => one.name === name));
  const sections = [...all.map((one) => section(one, notes)), ...others.map(([, text]) => text.trim())];
  const parts = [head, summary(all), ...sections, notes.closing.trim()];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}
