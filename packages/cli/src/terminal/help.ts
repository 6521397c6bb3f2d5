import { type Command, COMMON_OPTIONS, type OptionSpec } from './command.ts';

const PROGRAM = 'npx data-bridge';
/** So that it fits on a narrow terminal. */
const WIDTH = 72;

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

${lines(`${capitalised(summary)}.`, WIDTH).join('\n')}${details === undefined ? '' : `\n\n${lines(details, WIDTH).join('\n')}`}

${table(rows)}

Example:

  ${PROGRAM} ${example}
`;
}

function synopsis(option: string, { short, value }: OptionSpec): string {
  const names = short === undefined ? `--${option}` : `-${short}, --${option}`;
  return value === undefined ? names : `${names} <${value}>`;
}

/** Two columns, the right one wrapped. */
function table(rows: readonly (readonly [string, string])[]): string {
  const left = Math.max(...rows.map(([name]) => name.length)) + 4;
  const cells = (text: string): string => lines(text, WIDTH - left).join(`\n${' '.repeat(left)}`);
  return rows.map(([name, text]) => `  ${name}`.padEnd(left) + cells(text)).join('\n');
}

function lines(text: string, width: number): string[] {
  const wrapped: string[] = [];
  for (const word of text.split(' ')) {
    const last = wrapped.at(-1);
    if (last === undefined || last.length + word.length >= width) wrapped.push(word);
    else wrapped[wrapped.length - 1] = `${last} ${word}`;
  }
  return wrapped;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
