import { parseArgs } from 'node:util';
import { against } from './against.ts';
import { cases } from './cases.ts';
import { circumstances } from './circumstances.ts';
import { messageOf, startProcess } from './processes.ts';
import { nodeOf } from './node-versions.ts';
import { resultsFolder, writePages } from './pages.ts';
import { isReached, table, verdict } from './report.ts';
import { major, merge, readResults, rounded, type Run, writeCase } from './results.ts';
import { installRivals } from './rivals-folder.ts';

const names = Object.keys(cases);
const withServer = names.filter((name) => cases[name]?.needsServer === true);

const help = `Usage: npm run bench -- [--only NAME]... [--node MAJOR,...] [--uri URI] [--quick] [--write | --render | --against FOLDER]

  --only NAME  run one case (may be given again): ${names.join(', ')}
  --node LIST  the major versions of Node.js to run on, such as 20,22,24: those that are not running this are installed into
               benchmarks/node_modules/.cache
  --uri URI    another server, for the cases that compare with one: ${withServer.join(', ')}
  --quick      short rounds: shows that everything runs, the figures mean little
  --write      merge the figures into benchmarks/results, and write what is made of them: RESULTS.md, the claims of the
               README and the guide, the plots
  --against FOLDER
               run the cases of this build and of the one in another checkout in turn, and print both
  --render     run nothing, and write what is made of the figures that are there
`;

/** Each case runs in a process of its own, so that its figures do not depend on what ran before it. */
async function run(node: string, name: string, effort: 'quick' | 'thorough', uri: string | undefined): Promise<Run> {
  const args = [name, effort, ...(uri === undefined ? [] : [uri])];
  return (await messageOf(startProcess('./case-child.js', args, node))) as Run;
}

/** Those that are asked for. Without another server, those that need one are left out of a whole run. */
function chosen(only: readonly string[], uri: string | undefined): string[] {
  const unknown = only.find((name) => !Object.hasOwn(cases, name));
  if (unknown !== undefined) throw new Error(`There is no case "${unknown}". Cases: ${names.join(', ')}.`);
  return only.length > 0 ? [...only] : names.filter((name) => uri !== undefined || !withServer.includes(name));
}

async function merged(name: string, one: Run): Promise<void> {
  const title = cases[name]?.title ?? name;
  const [before = { name, title, runs: [] }] = await readResults(resultsFolder, [name]);
  await writeCase(resultsFolder, merge({ ...before, title }, { ...one, rows: one.rows.map(rounded) }));
}

interface Whole {
  readonly cases: readonly string[];
  /** The path of each version of Node.js. */
  readonly nodes: ReadonlyMap<string, string>;
  readonly effort: 'quick' | 'thorough';
  readonly uri: string | undefined;
  /** What becomes of the figures of a case. */
  readonly done: (name: string, one: Run) => Promise<void>;
}

/** Case by case, and each on one version of Node.js after another. Prints what it finds. */
async function runAll({ cases: list, nodes, effort, uri, done }: Whole): Promise<{ runs: Run[]; failed: string[] }> {
  const runs: Run[] = [];
  const failed: string[] = [];
  for (const name of list) {
    for (const [version, node] of list.length > 1 && cases[name]?.once === true ? [...nodes].slice(-1) : nodes) {
      process.stdout.write(`\n${cases[name]?.title ?? name} (${name}), Node ${version}\n\n`);
      const start = performance.now();
      try {
        const one = await run(node, name, effort, uri);
        runs.push(one);
        process.stdout.write(`${table(one.rows)}\n(${((performance.now() - start) / 1000).toFixed(1)} s)\n`);
        await done(name, one);
      } catch (error) {
        failed.push(`${name} on Node ${version}`);
        process.stdout.write(`failed: ${String(error)}\n`);
      }
    }
  }
  return { runs, failed };
}

/** Case by case on each version of Node.js, beside another build of the project. */
async function besideOther(
  folder: string,
  list: readonly string[],
  nodes: ReadonlyMap<string, string>,
  effort: 'quick' | 'thorough',
): Promise<void> {
  for (const name of list)
    for (const [version, node] of nodes)
      process.stdout.write(`\n${name}, Node ${version}\n\n${await against(folder, name, effort, node)}\n`);
}

/** The last lines: the goals reached, and those that are not. */
function conclusion(runs: readonly Run[]): string {
  const missed = runs.flatMap((one) =>
    one.rows
      .filter((row) => isReached(row) === false)
      .map((row) => `not reached on Node ${major(one)}: ${row.what.trim()}\n`),
  );
  const where = runs.slice(0, 1).map(({ machine, load }) => `${machine}, load ${load} before the run\n`);
  return [...where, `${verdict(runs.flatMap((one) => one.rows))}\n`, ...missed].join('');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      node: { type: 'string' },
      uri: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      against: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (values.render) return writePages(names);
  if (values.write && values.quick) throw new Error('The figures of --quick mean too little for --write.');
  const list = chosen(values.only, values.uri);
  const majors = values.node?.split(',') ?? [String(major(circumstances()))];
  const nodes = new Map<string, string>();
  for (const one of majors) nodes.set(one, await nodeOf(one));
  if (values.against !== undefined)
    return besideOther(values.against, list, nodes, values.quick ? 'quick' : 'thorough');
  if (list.some((name) => cases[name]?.withRivals === true)) await installRivals(majors.map(Number));
  const start = performance.now();
  const { runs, failed } = await runAll({
    cases: list,
    nodes,
    effort: values.quick ? 'quick' : 'thorough',
    uri: values.uri,
    done: values.write ? merged : () => Promise.resolve(),
  });
  if (values.write) await writePages(names);
  process.stdout.write(`\n${((performance.now() - start) / 60_000).toFixed(1)} minutes; ${conclusion(runs)}`);
  if (failed.length > 0) throw new Error(`Failed: ${failed.join(', ')}.`);
}

await main();
