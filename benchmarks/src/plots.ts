/** The plots of the README and the guide, out of the results of the newest version of Node.js that their cases ran on. */
import { type Bar, barChart, type Group } from './bar-chart.ts';
import type { Row } from './report.ts';
import { type CaseResults, major } from './results.ts';

/** Bars out of the rows of a case: those called `before`, a name, `after`. */
interface Source {
  readonly label: string;
  readonly from: string;
  readonly before: string;
  readonly after: string;
  readonly names: readonly string[];
}

interface Plot {
  readonly name: string;
  readonly title: string;
  readonly groups: readonly Source[];
}

const ours = 'data-bridge';
const unvalidated = 'data-bridge, no validation';
const finders = [ours, 'driver', 'driver + structuredClone', 'Mongoose'];
const mappers = [ours, unvalidated, 'Mongoose', 'Papr', 'MikroORM', 'Prisma Next'];
const kept = ['documents, unread', 'documents, all read', 'plain objects', 'plain objects + structuredClone'];

function times(label: string, from: string, names: readonly string[], after = ''): Source {
  return { label, from, before: 'time of ', after, names };
}

function rivals(label: string, work: string): Source {
  return { label, from: 'rivals', before: `${work}: time of `, after: '', names: mappers };
}

const all: readonly Plot[] = [
  {
    name: 'find',
    title: 'Find 1,000 documents: CPU time of the client',
    groups: [times('three fields read', 'find-three', finders), times('every field read', 'find-all', finders)],
  },
  {
    name: 'save',
    title: 'Writes: CPU time of the client',
    groups: [
      times(
        '100 documents, every field edited, saved',
        'save',
        [ours, unvalidated, 'deep copy + compare'],
        ', edited, no network',
      ),
      times(
        '10 arrays of 1,000 elements, one edited in each, saved',
        'array-of-1000',
        [ours, unvalidated, 'Mongoose'],
        ', per 10',
      ),
      times('insertMany() of 1,000 documents', 'insert-many', [ours, unvalidated, 'driver', 'Mongoose'], ', per 1,000'),
    ],
  },
  {
    name: 'memory',
    title: 'Memory that each of 20,000 documents keeps',
    groups: [
      { label: '', from: 'memory', before: 'kept by ', after: ', each', names: [...kept, 'Mongoose documents'] },
    ],
  },
  {
    name: 'rivals',
    title: 'Other mappers: CPU time of the client',
    groups: [
      rivals('find 1,000, read every field', 'find'),
      rivals('find one, change two fields, save; 50 times', 'save'),
      rivals('insert 1,000 documents', 'insert'),
    ],
  },
];

function barsOf({ before, after, names }: Source, rows: readonly Row[]): Bar[] {
  const byName = new Map(rows.map((row) => [row.what.trim(), row]));
  return names.flatMap((name): Bar[] => {
    const row = byName.get(`${before}${name}${after}`);
    if (row === undefined) return [];
    const shown = name.replace('documents, ', `${ours}, `);
    return [{ name: shown, value: row.measured.median, unit: row.unit, ours: shown.startsWith(ours) }];
  });
}

/** `undefined` where a case of the plot has no results on a version that the others have. */
function draw({ title, groups }: Plot, results: readonly CaseResults[]): string | undefined {
  const runs = groups.map(({ from }) => results.find(({ name }) => name === from)?.runs ?? []);
  const node = runs[0]?.map(major).findLast((one) => runs.every((ofCase) => ofCase.map(major).includes(one)));
  if (node === undefined) return undefined;
  const drawn = groups.map((source, i): Group => {
    const run = runs[i]?.find((one) => major(one) === node);
    return { label: source.label, bars: barsOf(source, run?.rows ?? []) };
  });
  return barChart({ title, caption: `Node.js ${node}; shorter is better`, groups: drawn });
}

/** Each plot that there are results for, by name. */
export function plots(results: readonly CaseResults[]): ReadonlyMap<string, string> {
  const made = new Map<string, string>();
  for (const plot of all) {
    const svg = draw(plot, results);
    if (svg !== undefined) made.set(plot.name, svg);
  }
  return made;
}
