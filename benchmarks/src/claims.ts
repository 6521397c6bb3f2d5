/**
 * The figures that the project's README and guide claim: of each, the worst that any version of Node.js has in the results.
 * They stand between two comments and are written with RESULTS.md.
 */
import { type Row, withUnit } from './report.ts';
import { type CaseResults, major } from './results.ts';

interface Place {
  readonly name: string;
  readonly what: string;
}

/** A row of the table: one thing against the driver, and against Mongoose. */
interface Claim {
  readonly what: string;
  readonly driver: Place;
  readonly mongoose: Place;
  readonly worst: 'lowest' | 'highest';
}

function found(name: string, reads: string): Pick<Claim, 'driver' | 'mongoose' | 'worst'> {
  const against = (rival: string): Place => ({ name, what: `find 1000, ${reads}, against ${rival}` });
  return { driver: against('driver'), mongoose: against('Mongoose'), worst: 'lowest' };
}

function kept(rival: string): Place {
  return { name: 'memory', what: `memory of unread documents, against ${rival}` };
}

const claims: readonly Claim[] = [
  { what: 'find them and read three fields', ...found('find-three', 'read three fields') },
  { what: 'find them and read every field', ...found('find-all', 'read every field') },
  { what: 'memory kept', driver: kept('plain objects'), mongoose: kept('Mongoose documents'), worst: 'highest' },
];

const tracker: Place = {
  name: 'tracker',
  what: 'StateTracker over objects, against structuredClone + isDeepStrictEqual',
};

function rowsAt(results: readonly CaseResults[], { name, what }: Place): Row[] {
  const rows = results
    .filter((one) => one.name === name)
    .flatMap(({ runs }) => runs.flatMap((run) => run.rows))
    .filter((row) => row.what === what);
  if (rows.length === 0) throw new Error(`The results of "${name}" have no row "${what}".`);
  return rows;
}

/** Never better than what was measured: digits are cut off, or made up to the next. */
function worstOf(rows: readonly Row[], worst: Claim['worst'], digits: number): string {
  const medians = rows.map((row) => row.measured.median);
  const scale = 10 ** digits;
  const value =
    worst === 'lowest'
      ? Math.floor(Math.min(...medians) * scale) / scale
      : Math.ceil(Math.max(...medians) * scale) / scale;
  return withUnit(value.toFixed(digits), '×');
}

function cell(results: readonly CaseResults[], place: Place, worst: Claim['worst']): string {
  return worst === 'lowest'
    ? `${worstOf(rowsAt(results, place), worst, 1)} faster`
    : worstOf(rowsAt(results, place), worst, 2);
}

/** The claimed cases on those versions of Node.js that each of them ran on, and these versions. */
function common(all: readonly CaseResults[]): { nodes: readonly number[]; results: readonly CaseResults[] } {
  const places = [...claims.flatMap(({ driver, mongoose }) => [driver, mongoose]), tracker];
  const claimed = all.filter(({ name }) => places.some((place) => place.name === name));
  const [first, ...others] = claimed.map(({ runs }) => runs.map(major));
  const nodes = (first ?? []).filter((node) => others.every((majors) => majors.includes(node)));
  const results = claimed.map((one) => ({ ...one, runs: one.runs.filter((run) => nodes.includes(major(run))) }));
  return { nodes, results };
}

/** The table and the sentence below it. */
export function claimText(all: readonly CaseResults[]): string {
  const { nodes, results } = common(all);
  const versions = `${nodes.length > 1 ? 'the worst of ' : ''}Node.js ${nodes.join(', ')}`;
  return [
    `| on 1,000 documents of 1 KB, the client's CPU time, ${versions} | against the plain driver | against Mongoose 9 |`,
    '| --- | --- | --- |',
    ...claims.map(
      ({ what, driver, mongoose, worst }) =>
        `| ${what} | ${cell(results, driver, worst)} | ${cell(results, mongoose, worst)} |`,
    ),
    '',
    `Knowing what changed (read a field, set one, ask) is ${worstOf(rowsAt(results, tracker), 'lowest', 0).slice(0, -1)} times ` +
      'faster than copying the document and comparing it.',
  ].join('\n');
}

const marked = /(<!-- figures -->\n)[^]*?(\n<!-- \/figures -->)/;

/** A page with the claims of today between its two comments. */
export function withClaims(page: string, results: readonly CaseResults[]): string {
  if (!marked.test(page)) throw new Error('The page has no place for the figures: <!-- figures -->.');
  return page.replace(marked, (_, start: string, end: string) => `${start}\n${claimText(results)}\n${end}`);
}
