import { type Command, COMMON_OPTIONS, type OptionSpec } from './command.ts';

const PROGRAM = 'npx data-bridge';

/** What the program does, a line for each command. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }): [string, string] => [name, summary]);
  return `Usage: ${PROGRAM} <command> [options]

Brings a MongoDB database after the code of its models.

${table(rows)}

"${PROGRAM} <command> --help" tells more of one, with an example.
Exit codes: 0 done or nothing to do, 1 an error, 2 there is something to do.
`;
}

/** What one command does. */
export function helpOf(command: Command): string {
  const { name, summary, positionals = [], options, details, example } = command;
  const rows = Object.entries({ ...options, ...COMMON_OPTIONS }).map(([option, spec]): [string, string] => [
    synopsis(option, spec),
    spec.help,
  ]);
  return `Usage: ${[PROGRAM, name, ...positionals].join(' ')} [options]

${capitalised(summary)}.${details === undefined ? '' : `\n\n${wrapped(details)}`}

${table(rows)}

Example:

  ${PROGRAM} ${example}
`;
}

function synopsis(option: string, { short, value }: OptionSpec): string {
  const names = short === undefined ? `--${option}` : `-${short}, --${option}`;
  return value === undefined ? names : `${names} <${value}>`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
}

function wrapped(text: string, width = 90): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
