import type { Report } from './report.ts';
import type { ExitCode, Shell } from './shell.ts';

/** An option as `parseArgs` takes it, and as the help tells of it. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What stands for the value in the help: `version` is shown as `<version>`. */
  readonly value?: string;
  readonly help: string;
}

/** What was given to a command. */
export interface Call {
  readonly shell: Shell;
  readonly report: Report;
  readonly positionals: readonly string[];
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  text(option: string): string | undefined;
  flag(option: string): boolean;
}

/** One thing that the command line does. */
export interface Command {
  /** In one word, or two: `migrate up`. */
  readonly name: string;
  readonly summary: string;
  /** The positional arguments as the help shows them: `<name>`, or `[<file>]` where it may be left out. */
  readonly positionals?: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** What it does beyond the summary, in sentences. */
  readonly details?: string;
  /** A line that works, without the program's name. */
  readonly example: string;
  run(call: Call): Promise<ExitCode>;
}

/** What every command takes. */
export const COMMON_OPTIONS = {
  help: { type: 'boolean', short: 'h', help: 'tells what the command does' },
  json: { type: 'boolean', help: 'writes one JSON object a line, for programs' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** What every command takes that has to do with a database. */
export const DATABASE_OPTIONS = {
  config: { type: 'string', value: 'file', help: 'the configuration, instead of the nearest data-bridge.config file' },
  uri: { type: 'string', value: 'uri', help: 'the database, instead of that of the configuration or of MONGODB_URI' },
} as const satisfies Readonly<Record<string, OptionSpec>>;
