import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { cases } from './cases.ts';
import { messageOf, startProcess } from './loopback.ts';
import { circumstances, isReached, results, table, verdict, type Row } from './report.ts';

const withServer = Object.keys(cases).filter((name) => cases[name]?.needsServer === true);

const help = `Usage: npm run bench -- [--only NAME]... [--uri URI] [--quick] [--write]

  --only NAME  run one case (may be given again): ${Object.keys(cases).join(', ')}
  --uri URI    another server, for the cases that compare with one: ${withServer.join(', ')}
  --quick      short rounds: shows that everything runs, the figures mean little
  --write      write benchmarks/RESULTS.md (the whole run only)
`;

/** Each case runs in a process of its own, so that its figures do not depend on what ran before it. */
async function run(name: string, effort: 'quick' | 'thorough', uri: string | undefined): Promise<Row[]> {
  const message = await messageOf(startProcess('./case-child.js', [name, effort, ...(uri === undefined ? [] : [uri])]));
  return (message as { rows: Row[] }).rows;
}

/** Those that are asked for. Without another server, those that need one are left out of a whole run. */
function chosen(only: readonly string[], uri: string | undefined): string[] {
  const unknown = only.find((name) => !Object.hasOwn(cases, name));
  if (unknown !== undefined) throw new Error(`There is no case "${unknown}". Cases: ${Object.keys(cases).join(', ')}.`);
  if (only.length > 0) return [...only];
  return Object.keys(cases).filter((name) => uri !== undefined || !withServer.includes(name));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      uri: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (values.write && (values.quick || values.only.length > 0)) {
    throw new Error('RESULTS.md holds whole, thorough runs: --write goes with neither --only nor --quick.');
  }
  const circumstance = circumstances();
  process.stdout.write(`${circumstance}\n`);
  const sections: { title: string; rows: Row[] }[] = [];
  const failed: string[] = [];
  for (const name of chosen(values.only, values.uri)) {
    const title = cases[name]?.title ?? name;
    process.stdout.write(`\n${title} (${name})\n\n`);
    try {
      const rows = await run(name, values.quick ? 'quick' : 'thorough', values.uri);
      sections.push({ title, rows });
      process.stdout.write(`${table(rows)}\n`);
    } catch (error) {
      failed.push(name);
      process.stdout.write(`failed: ${String(error)}\n`);
    }
  }
  const all = sections.flatMap((section) => section.rows);
  process.stdout.write(`\n${verdict(all)}\n`);
  for (const row of all) if (isReached(row) === false) process.stdout.write(`not reached: ${row.what}\n`);
  if (failed.length > 0) throw new Error(`Failed: ${failed.join(', ')}.`);
  if (values.write) {
    await writeFile(
      new URL('../RESULTS.md', import.meta.url),
      results(sections, 'npm run bench -- --write', circumstance),
    );
  }
}

await main();
