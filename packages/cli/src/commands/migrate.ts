import { relative } from 'node:path';
import { CommandError } from '../errors.ts';
import { createMigration } from '../migrations/create.ts';
import { readMigrations } from '../migrations/files.ts';
import { migrate, type MigrateOptions } from '../migrations/run.ts';
import { type MigrationStatus, migrationStatus } from '../migrations/status.ts';
import { type Call, type Command, DATABASE_OPTIONS } from '../terminal/command.ts';
import { DONE, type ExitCode, OPEN } from '../terminal/shell.ts';
import { configOf, migrationsFolder, withDatabase } from './database.ts';

const TO = { type: 'string', value: 'version' } as const;
const DRY_RUN = {
  type: 'boolean',
  help: 'shows the first documents that would change, and stores nothing',
} as const;

export const migrateUp: Command = {
  name: 'migrate up',
  summary: 'runs the migrations that have not run',
  options: { to: { ...TO, help: 'the last one to run' }, 'dry-run': DRY_RUN, ...DATABASE_OPTIONS },
  details:
    'One process migrates a database at a time. What was interrupted, by Ctrl-C or a crash, goes on where it was when this is run again.',
  example: 'migrate up --to 003',
  run: (call) => move(call, 'up'),
};

export const migrateDown: Command = {
  name: 'migrate down',
  summary: 'takes migrations back, the last one first',
  options: {
    to: { ...TO, help: 'the last one that stays' },
    all: { type: 'boolean', help: 'takes back all of them' },
    'dry-run': DRY_RUN,
    ...DATABASE_OPTIONS,
  },
  details:
    'Without --to or --all it takes back the last one. One that has no down() is refused, before any is taken back.',
  example: 'migrate down --to 002',
  run: (call) => move(call, 'down'),
};

export const migrateRedo: Command = {
  name: 'migrate redo',
  summary: 'takes the last migration back, and runs it again: for one that is being written',
  options: DATABASE_OPTIONS,
  example: 'migrate redo',
  async run(call): Promise<ExitCode> {
    const config = await configOf(call);
    const migrations = await readMigrations(migrationsFolder(config));
    return withDatabase(call, config, async (connection) => {
      const applied = (await migrationStatus(connection, migrations)).filter(isApplied);
      const last = applied.at(-1);
      if (last === undefined) {
        call.report.tell({ done: [] }, 'No migration has run.');
        return DONE;
      }
      const options = optionsOf(call);
      await migrate(connection, migrations, { ...options, direction: 'down', ...before(applied) });
      await migrate(connection, migrations, { ...options, to: last.version });
      call.report.tell({ done: [last.version] }, `Ran ${last.version} again.`);
      return DONE;
    });
  },
};

export const migrateStatus: Command = {
  name: 'migrate status',
  summary: 'tells which migrations have run',
  options: DATABASE_OPTIONS,
  details: 'The exit code is 2 where some have not.',
  example: 'migrate status --json',
  async run(call): Promise<ExitCode> {
    const config = await configOf(call);
    const migrations = await readMigrations(migrationsFolder(config));
    const found = await withDatabase(call, config, (connection) => migrationStatus(connection, migrations));
    for (const status of found) call.report.tell(status, line(call, status));
    if (found.length === 0) call.report.note('There are no migrations: "migrate create <name>" writes the first one.');
    return found.every(isApplied) ? DONE : OPEN;
  },
};

export const migrateCreate: Command = {
  name: 'migrate create',
  summary: 'writes the file of a new migration',
  positionals: ['<name>'],
  options: {
    config: DATABASE_OPTIONS.config,
    js: { type: 'boolean', help: 'writes JavaScript' },
  },
  example: 'migrate create "lower case emails"',
  async run(call): Promise<ExitCode> {
    const folder = migrationsFolder(await configOf(call));
    const path = await createMigration(folder, call.positionals[0] ?? '', call.flag('js') ? 'mjs' : 'ts');
    call.report.tell({ file: path }, relative(call.shell.cwd(), path));
    return DONE;
  },
};

async function move(call: Call, direction: 'up' | 'down'): Promise<ExitCode> {
  if (call.flag('all') && call.text('to') !== undefined)
    throw new CommandError('--all takes back all migrations, and --to names one that stays: give one of them.');
  const config = await configOf(call);
  const migrations = await readMigrations(migrationsFolder(config));
  return withDatabase(call, config, async (connection) => {
    const to = call.text('to');
    const isLastAlone = direction === 'down' && to === undefined && !call.flag('all');
    const target = isLastAlone
      ? before((await migrationStatus(connection, migrations)).filter(({ state }) => state !== 'pending'))
      : to === undefined
        ? {}
        : { to };
    const done = await migrate(connection, migrations, { ...optionsOf(call), direction, ...target });
    const text =
      done.length === 0 ? 'Nothing to do.' : `${direction === 'up' ? 'Ran' : 'Took back'} ${done.join(', ')}.`;
    call.report.tell({ direction, dryRun: call.flag('dry-run'), done }, text);
    return DONE;
  });
}

function optionsOf({ report, signal, flag }: Call): MigrateOptions {
  return {
    signal,
    dryRun: flag('dry-run'),
    log: (text) => (flag('dry-run') ? report.tell({ log: text }, text) : report.note(text)),
    progress: (version, batch, { seen, changed }) =>
      report.progress(`  ${version} ${batch}: ${seen} read, ${changed} changed`),
  };
}

/** All but the last one stay. */
function before(begun: readonly MigrationStatus[]): Pick<MigrateOptions, 'to'> {
  const stays = begun.at(-2);
  return stays === undefined ? {} : { to: stays.version };
}

function isApplied({ state }: MigrationStatus): boolean {
  return state === 'applied' || state === 'changed';
}

function line({ report }: Call, { version, name, state, appliedAt, description }: MigrationStatus): string {
  const style = state === 'applied' ? 'green' : state === 'pending' ? 'yellow' : 'red';
  const when = appliedAt === undefined ? '' : ` ${appliedAt.toISOString().slice(0, 16).replace('T', ' ')}`;
  const about = description === undefined || description === '' ? '' : `  ${report.styled('dim', description)}`;
  return `${version} ${name}  ${report.styled(style, state)}${when}${about}`;
}
