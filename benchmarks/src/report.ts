import { cpus, loadavg } from 'node:os';
import type { Spread } from './measure.ts';

/** What a figure has to reach; `within` takes the better quartile for the figure (a goal that says "within the spread"). */
export interface Goal {
  readonly sign: '≥' | '≤' | '=';
  readonly value: number;
  readonly within?: 'spread';
}

/** One line of the report. Without a goal it is there for information. */
export interface Row {
  readonly what: string;
  readonly goal?: Goal;
  readonly measured: Spread;
  readonly unit: '×' | 'B' | 'KB' | 'MB' | 'µs' | 'ms' | 'commands' | 'conflicts' | 'retries' | 'B per round';
}

export function atLeast(value: number, within?: 'spread'): Goal {
  return within === undefined ? { sign: '≥', value } : { sign: '≥', value, within };
}

export function atMost(value: number): Goal {
  return { sign: '≤', value };
}

/** A figure that was counted, not timed. */
export function exactly(value: number): Spread {
  return { median: value, low: value, high: value };
}

export function isReached({ goal, measured }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  if (goal.sign === '=') return measured.median === goal.value;
  if (goal.sign === '≥') return (goal.within === undefined ? measured.median : measured.high) >= goal.value;
  return measured.median <= goal.value;
}

function figure(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return value.toFixed(0);
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function cells(row: Row): string[] {
  const { measured, goal } = row;
  const unit = row.unit === '×' ? '×' : ` ${row.unit}`;
  const range = measured.low === measured.high ? '' : ` (${figure(measured.low)}–${figure(measured.high)})`;
  const reached = isReached(row);
  return [
    row.what,
    goal === undefined ? '' : `${goal.sign} ${goal.value}${unit}${goal.within === undefined ? '' : ' in the spread'}`,
    `${figure(measured.median)}${unit}${range}`,
    reached === undefined ? '' : reached ? 'yes' : 'NO',
  ];
}

const heading = ['what', 'goal', 'measured (middle half of the rounds)', 'reached'];

/** A Markdown table, padded so that it reads well on a terminal too. */
export function table(rows: readonly Row[]): string {
  const lines = [heading, ...rows.map(cells)];
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)));
  const format = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [format(lines[0] ?? []), rule, ...lines.slice(1).map(format)].join('\n');
}

/** One sentence: how many of the goals are reached. */
export function verdict(rows: readonly Row[]): string {
  const withGoal = rows.filter((row) => row.goal !== undefined);
  const reached = withGoal.filter((row) => isReached(row) === true);
  return `${reached.length} of ${withGoal.length} goals reached.`;
}

/** Where and with what the figures were taken, and how busy the machine was: call it before the first case. */
export function circumstances(): string {
  const models = cpus();
  const machine = `${models.length} × ${models[0]?.model.trim() ?? 'unknown CPU'}`;
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return `Node ${process.version}, ${process.platform} ${process.arch}, ${machine}, load ${load} before the run`;
}

/** The text of RESULTS.md. */
export function results(
  sections: readonly { title: string; rows: readonly Row[] }[],
  command: string,
  circumstance: string,
): string {
  const all = sections.flatMap((section) => section.rows);
  const head = [
    '# Results',
    '',
    `Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}: ${circumstance}.`,
    verdict(all),
    'A ratio says how many times better data-bridge is where the goal is "at least", and what part of the rival\'s it needs where the',
    'goal is "at most": the median over the rounds, with the middle half of the rounds. README.md says how each figure is taken.',
  ];
  return `${[head.join('\n'), ...sections.map(({ title, rows }) => `## ${title}\n\n${table(rows)}`)].join('\n\n')}\n`;
}
