import { readArguments } from './arguments.ts';
import type { Call, Command } from './command.ts';
import { helpOf, overview } from './help.ts';
import { Report } from './report.ts';
import { DONE, type ExitCode, FAILED, type Shell } from './shell.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Exit code of a program that a signal ended: 128 and the number of SIGINT. */
const FORCED = 130;

/** Runs the command that the arguments ask for. @returns the exit code */
export async function runCommand(
  commands: readonly Command[],
  version: string,
  args: readonly string[],
  shell: Shell,
): Promise<ExitCode> {
  const report = new Report(shell, args.includes('--json'));
  const { signal, stop } = interruptible(shell, report);
  try {
    const request = readArguments(commands, args);
    if (request.kind === 'overview') shell.stdout.write(overview(commands));
    else if (request.kind === 'version') shell.stdout.write(`${version}\n`);
    else if (request.kind === 'help') shell.stdout.write(helpOf(request.command));
    else return await request.command.run(callOf(request, shell, report, signal));
    return DONE;
  } catch (error) {
    fail(report, error, signal);
    return FAILED;
  } finally {
    stop();
  }
}

function callOf(
  {
    positionals,
    values,
  }: Pick<Call, 'positionals'> & { readonly values: Readonly<Record<string, string | boolean | undefined>> },
  shell: Shell,
  report: Report,
  signal: AbortSignal,
): Call {
  return {
    shell,
    report,
    positionals,
    signal,
    text: (option) => (typeof values[option] === 'string' ? values[option] : undefined),
    flag: (option) => values[option] === true,
  };
}

function fail(report: Report, error: unknown, { aborted }: AbortSignal): void {
  const message = aborted ? 'Stopped.' : error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (report.isJson) report.tell({ error: { code, message } }, message);
  else report.note(message);
}

/** The first Ctrl-C asks to stop where nothing is left half done; the second one does not wait for that. */
function interruptible(shell: Shell, report: Report): { readonly signal: AbortSignal; readonly stop: () => void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) shell.exit(FORCED);
    report.note('Stopping after what is being done; Ctrl-C again does not wait.');
    controller.abort();
  };
  for (const name of SIGNALS) shell.on(name, onSignal);
  return { signal: controller.signal, stop: () => SIGNALS.forEach((name) => shell.off(name, onSignal)) };
}
