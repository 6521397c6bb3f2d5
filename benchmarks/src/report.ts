import { type Clock, ratio, type Spread, timeOf, type Timings } from './measure.ts';

/** What a figure has to reach, by its median. */
export interface Goal {
  readonly sign: '≥' | '≤' | '=';
  readonly value: number;
  /** True where the wall clock decides, not the processors' time. */
  readonly by?: 'wall';
}

/** One line of the report. Without a goal it is there for information. */
export interface Row {
  readonly what: string;
  readonly goal?: Goal;
  /** Where time is measured: the client's CPU time. */
  readonly measured: Spread;
  /** The same by the wall clock. */
  readonly wall?: Spread;
  readonly unit: '×' | 'B' | 'KB' | 'MB' | 'µs' | 'ms' | 'commands' | 'conflicts' | 'retries' | 'B per round';
}

export function atLeast(value: number, by?: 'wall'): Goal {
  return by === undefined ? { sign: '≥', value } : { sign: '≥', value, by };
}

export function atMost(value: number): Goal {
  return { sign: '≤', value };
}

/** The number for this process's version of Node.js, by major versions: that of the newest one listed which is no newer. */
export function byNode(values: Readonly<Record<number, number>>, version = process.versions.node): number {
  const major = Number.parseInt(version, 10);
  const listed = Object.keys(values)
    .map(Number)
    .toSorted((a, b) => a - b);
  return values[listed.findLast((one) => one <= major) ?? listed[0] ?? major] ?? Number.NaN;
}

/** A figure that was counted, not timed. */
export function exactly(value: number): Spread {
  return { median: value, low: value, high: value };
}

type Figures = Pick<Row, 'measured' | 'wall' | 'unit'>;

/** How many times as long `slow` takes as `fast`, by both clocks. */
export function compare(timings: Timings, slow: string, fast: string): Figures {
  const by = (clock: Clock): Spread => ratio(timings, slow, fast, clock);
  return { measured: by('cpu'), wall: by('wall'), unit: '×' };
}

/** A row for information: what a contender's pass takes, by both clocks. */
export function timeRow(timings: Timings, name: string, what = name): Row {
  return {
    what: `  time of ${what}`,
    measured: timeOf(timings, name),
    wall: timeOf(timings, name, 'wall'),
    unit: 'ms',
  };
}

/** One for each contender. */
export function timesOf(timings: Timings, per = ''): Row[] {
  return [...timings.keys()].map((name) => timeRow(timings, name, `${name}${per}`));
}

export function isReached({ goal, measured, wall }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  const { median } = goal.by === 'wall' ? (wall ?? measured) : measured;
  if (goal.sign === '=') return median === goal.value;
  return goal.sign === '≥' ? median >= goal.value : median <= goal.value;
}

export function figure(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return value.toFixed(0);
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function withUnit(text: string, unit: Row['unit']): string {
  return unit === '×' ? `${text}×` : `${text} ${unit}`;
}

/** A median with its middle half. */
export function figures({ median, low, high }: Spread, unit: Row['unit']): string {
  const range = low === high ? '' : ` (${figure(low)}–${figure(high)})`;
  return `${withUnit(figure(median), unit)}${range}`;
}

/** Of goals that differ, each once, in their order. */
export function goalText(goals: readonly Goal[], unit: Row['unit']): string {
  const [first] = goals;
  if (first === undefined) return '';
  const values = [...new Set(goals.map((goal) => withUnit(String(goal.value), unit)))];
  return `${first.sign} ${values.join(' / ')}${first.by === undefined ? '' : ' wall'}`;
}

function cells(row: Row): string[] {
  const { measured, wall, goal, unit } = row;
  const reached = isReached(row);
  return [
    row.what,
    goal === undefined ? '' : goalText([goal], unit),
    figures(measured, unit),
    wall === undefined ? '' : figures(wall, unit),
    reached === undefined ? '' : reached ? 'yes' : 'NO',
  ];
}

/** A Markdown table, padded so that it reads well on a terminal too. */
export function markdownTable(heading: readonly string[], body: readonly (readonly string[])[]): string {
  const lines = [heading, ...body];
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)));
  const format = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [format(heading), rule, ...body.map(format)].join('\n');
}

/** The rows of one run. */
export function table(rows: readonly Row[]): string {
  return markdownTable(['what', 'goal', 'measured (CPU, middle half)', 'wall', 'reached'], rows.map(cells));
}

/** One sentence: how many of the goals are reached. */
export function verdict(rows: readonly Row[]): string {
  const withGoal = rows.filter((row) => row.goal !== undefined);
  const reached = withGoal.filter((row) => isReached(row) === true);
  return `${reached.length} of ${withGoal.length} goals reached.`;
}
