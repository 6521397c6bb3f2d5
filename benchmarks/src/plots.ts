/** The plots of the README and the guide, out of the results of the newest version of Node.js. */
import { type Bar, barChart, type Group } from './bar-chart.ts';
import type { Row } from './report.ts';
import { type CaseResults, major, type Run } from './results.ts';

const OURS = 'data-bridge';

function newest(results: readonly CaseResults[], name: string): Run | undefined {
  return results.find((one) => one.name === name)?.runs.at(-1);
}

/** Bars of rows that are named one way: what stands between the two texts. */
function bars(run: Run, before: string, after: string, names: readonly string[]): Bar[] {
  const rows = new Map(run.rows.map((row): [string, Row] => [row.what.trim(), row]));
  return names.flatMap((name): Bar[] => {
    const row = rows.get(`${before}${name}${after}`);
    if (row === undefined) return [];
    const shown = name.replace('documents, ', `${OURS}, `);
    return [{ name: shown, value: row.measured.median, unit: row.unit, ours: shown.startsWith(OURS) }];
  });
}

function chart(
  title: string,
  groups: readonly (Group | undefined)[],
  runs: readonly (Run | undefined)[],
): string | undefined {
  const there = groups.filter((group) => group !== undefined && group.bars.length > 0) as Group[];
  const run = runs.find((one) => one !== undefined);
  if (there.length === 0 || run === undefined) return undefined;
  return barChart({ title, caption: `Node.js ${major(run)}; shorter is better`, groups: there });
}

function group(
  label: string,
  run: Run | undefined,
  before: string,
  after: string,
  names: readonly string[],
): Group | undefined {
  return run && { label, bars: bars(run, before, after, names) };
}

/** Each plot that there are results for, by name. */
export function plots(results: readonly CaseResults[]): ReadonlyMap<string, string> {
  const [three, all] = [newest(results, 'find-three'), newest(results, 'find-all')];
  const finders = [OURS, 'driver', 'driver + structuredClone', 'Mongoose'];
  const [save, array, insert] = [
    newest(results, 'save'),
    newest(results, 'array-of-1000'),
    newest(results, 'insert-many'),
  ];
  const memory = newest(results, 'memory');
  const rivals = newest(results, 'rivals');
  const everybody = [OURS, 'data-bridge, no validation', 'Mongoose', 'Papr', 'MikroORM', 'Prisma Next'];
  const made = {
    find: chart(
      'Find 1,000 documents: CPU time of the client',
      [
        group('three fields read', three, 'time of ', '', finders),
        group('every field read', all, 'time of ', '', finders),
      ],
      [three, all],
    ),
    save: chart(
      'Writes: CPU time of the client',
      [
        group('100 documents, every field edited, saved', save, 'time of ', ', edited, no network', [
          OURS,
          'data-bridge, no validation',
          'deep copy + compare',
        ]),
        group('10 arrays of 1,000 elements, one edited in each, saved', array, 'time of ', ', per 10', [
          OURS,
          'Mongoose',
        ]),
        group('insertMany() of 1,000 documents', insert, 'time of ', ', per 1,000', [
          OURS,
          'data-bridge, no validation',
          'driver',
          'Mongoose',
        ]),
      ],
      [save, array, insert],
    ),
    memory: chart(
      'Memory that each of 20,000 documents keeps',
      [
        group('', memory, 'kept by ', ', each', [
          'documents, unread',
          'documents, all read',
          'plain objects',
          'plain objects + structuredClone',
          'Mongoose documents',
        ]),
      ],
      [memory],
    ),
    rivals: chart(
      'Other mappers: CPU time of the client',
      [
        group('find 1,000, read every field', rivals, 'find: time of ', '', everybody),
        group('find one, change two fields, save; 50 times', rivals, 'save: time of ', '', everybody),
        group('insert 1,000 documents', rivals, 'insert: time of ', '', everybody),
      ],
      [rivals],
    ),
  };
  return new Map(Object.entries(made).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
