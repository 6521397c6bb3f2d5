import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { apply, type Plan, plan, type PlanNote, type PlanOptions, type PlanStep, type StepClass } from 'data-bridge';
import { loadModels } from '../config/models.ts';
import { CommandError } from '../errors.ts';
import { type Call, type Command, DATABASE_OPTIONS } from '../terminal/command.ts';
import { DONE, type ExitCode, OPEN } from '../terminal/shell.ts';
import { configOf, withDatabase } from './database.ts';

const PLAN_OPTIONS = {
  'drop-foreign': { type: 'boolean', help: 'drops indexes that nobody here declared, too' },
  'hide-first': { type: 'boolean', help: 'hides an index that is no longer declared; the next plan drops it' },
  rename: { type: 'boolean', help: 'makes an index that has another name anew under its own' },
} as const;

export const planCommand: Command = {
  name: 'plan',
  summary:
    'tells what has to be done so that the database has the indexes, validators and collections that the models declare',
  options: {
    out: { type: 'string', value: 'file', help: 'writes the plan to a file, for "apply"' },
    ...PLAN_OPTIONS,
    'no-costs': { type: 'boolean', help: 'does not count documents, nor look for those that are in the way' },
    ...DATABASE_OPTIONS,
  },
  details: 'It changes nothing. The exit code is 2 where there is something to do.',
  example: 'plan --out plan.json',
  async run(call): Promise<ExitCode> {
    const made = await makePlan(call, !call.flag('no-costs'));
    for (const step of made.steps) call.report.tell(step, stepText(call, step));
    for (const note of made.notes) if (note.kind !== 'kept') call.report.tell(note, noteText(call, note));
    if (made.steps.length === 0) call.report.note('Nothing to do.');
    const out = call.text('out');
    if (out !== undefined) await writeFile(resolve(call.shell.cwd(), out), `${JSON.stringify(made, null, 2)}\n`);
    return made.steps.length === 0 ? DONE : OPEN;
  },
};

export const applyCommand: Command = {
  name: 'apply',
  summary: 'does what a plan says',
  positionals: ['[<plan.json>]'],
  options: {
    ...PLAN_OPTIONS,
    'allow-destructive': { type: 'boolean', help: 'does steps that take something away, too' },
    ...DATABASE_OPTIONS,
  },
  details:
    'Without a file it makes a plan and does it, but for steps that take something away. A file is done as it is; where the database has moved on since it was written, nothing is. Interrupted anywhere, it goes on when it is run again.',
  example: 'apply plan.json',
  async run(call): Promise<ExitCode> {
    const [file] = call.positionals;
    const config = await configOf(call);
    const made = file === undefined ? null : await readPlan(resolve(call.shell.cwd(), file));
    return withDatabase(call, config, async (connection) => {
      const safe: readonly StepClass[] = ['additive', 'widening'];
      const allow = call.flag('allow-destructive') ? {} : { allow: safe };
      const wanted = made ?? (await plan(await loadModels(config), { ...optionsOf(call), ...allow, costs: false }));
      const onStep = (step: PlanStep): void => {
        call.report.tell(step, stepText(call, step));
        call.signal.throwIfAborted();
      };
      const { applied } = await apply(wanted, { connection, onStep });
      const left = wanted.notes.filter(({ kind }) => kind === 'left');
      for (const note of left) call.report.tell(note, noteText(call, note));
      call.report.note(
        applied.length === 0 ? 'Nothing to do.' : `Did ${applied.length} of ${wanted.steps.length} steps.`,
      );
      return left.length === 0 ? DONE : OPEN;
    });
  },
};

async function makePlan(call: Call, costs: boolean): Promise<Plan> {
  const config = await configOf(call);
  return withDatabase(call, config, async () => plan(await loadModels(config), { ...optionsOf(call), costs }));
}

function optionsOf({ flag }: Call): PlanOptions {
  return { dropForeign: flag('drop-foreign'), hideFirst: flag('hide-first'), rename: flag('rename') };
}

async function readPlan(file: string): Promise<Plan> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Plan;
  } catch (cause) {
    throw new CommandError(`${file} is no plan: "plan --out ${file}" writes one.`, { cause });
  }
}

const STYLES = { additive: 'green', widening: 'yellow', destructive: 'red' } as const;

/** The step for the shell, and why; on a line of its own what it costs and what is in the way. */
function stepText({ report }: Call, { class: kind, shell, why, cost }: PlanStep): string {
  const lines = [`${report.styled(STYLES[kind], kind)}  ${shell}`, `  ${report.styled('dim', why)}`];
  if (cost !== undefined) lines.push(`  ${report.styled('dim', costText(cost))}`);
  return lines.join('\n');
}

function costText({ documents, duplicates, broken }: NonNullable<PlanStep['cost']>): string {
  const parts = [`reads ${documents} documents`];
  if (duplicates !== undefined && duplicates.count > 0)
    parts.push(`${duplicates.count} values are there more than once, in ${JSON.stringify(duplicates.samples)}`);
  if (broken !== undefined && broken.count > 0)
    parts.push(`${broken.count} documents break it: ${JSON.stringify(broken.samples)}`);
  return parts.join('; ');
}

function noteText({ report }: Call, { collection, name, kind, why }: PlanNote): string {
  return `${report.styled('cyan', kind)}  ${[collection, name].filter((part) => part !== undefined).join('.')}: ${why}`;
}
