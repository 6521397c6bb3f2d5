import { readFileSync } from 'node:fs';
import { auditCommand } from './commands/audit.ts';
import { historyPrune, historyRestore, historyShow } from './commands/history.ts';
import { migrateCreate, migrateDown, migrateRedo, migrateStatus, migrateUp } from './commands/migrate.ts';
import { applyCommand, planCommand } from './commands/plan.ts';
import type { Command } from './terminal/command.ts';
import { runCommand } from './terminal/run.ts';
import type { ExitCode, Shell } from './terminal/shell.ts';

/** In the order of the help. */
export const commands: readonly Command[] = [
  planCommand,
  applyCommand,
  auditCommand,
  migrateUp,
  migrateDown,
  migrateStatus,
  migrateRedo,
  migrateCreate,
  historyShow,
  historyRestore,
  historyPrune,
];

/**
 * Runs the command line.
 *
 * ```ts
 * process.exitCode = await main(process.argv.slice(2));
 * ```
 *
 * @returns the exit code: 0 done or nothing to do, 1 an error, 2 there is something to do.
 */
export function main(args: readonly string[], shell: Shell = process): Promise<ExitCode> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return runCommand(commands, version, args, shell);
}
