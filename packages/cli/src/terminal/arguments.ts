import { parseArgs } from 'node:util';
import { CommandError } from '../errors.ts';
import { type Command, COMMON_OPTIONS } from './command.ts';

/** What the arguments ask for. */
export type Request =
  | { readonly kind: 'overview' }
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly command: Command }
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly positionals: readonly string[];
      readonly values: Readonly<Record<string, string | boolean | undefined>>;
    };

/**
 * Reads the arguments after the program's name.
 *
 * @throws CommandError for a command or an option that is not there, and for missing arguments.
 */
export function readArguments(commands: readonly Command[], args: readonly string[]): Request {
  const [first] = args;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') return { kind: 'overview' };
  if (first === '--version') return { kind: 'version' };
  const command = commandOf(commands, args);
  const words = command.name.split(' ').length;
  const { values, positionals } = parse(command, args.slice(words));
  if (values['help'] === true) return { kind: 'help', command };
  checkPositionals(command, positionals);
  return { kind: 'run', command, positionals, values };
}

function commandOf(commands: readonly Command[], args: readonly string[]): Command {
  const [first = '', second = ''] = args;
  const command =
    commands.find(({ name }) => name === `${first} ${second}`) ?? commands.find(({ name }) => name === first);
  if (command !== undefined) return command;
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  const known = (group.length > 0 ? group : commands).map(({ name }) => name);
  throw new CommandError(
    `There is no command "${group.length > 0 ? `${first} ${second}`.trim() : first}": expected one of ${known.join(', ')}.`,
  );
}

function parse(command: Command, args: readonly string[]) {
  const options = { ...command.options, ...COMMON_OPTIONS };
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type, ...option }]) => {
      const short: { readonly short?: string } = 'short' in option ? { short: option.short } : {};
      return [name, { type, ...short }];
    }),
  );
  try {
    return parseArgs({ args: [...args], options: config, allowPositionals: true }) as {
      readonly values: Readonly<Record<string, string | boolean | undefined>>;
      readonly positionals: string[];
    };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`${text.split('. ')[0]}. "${command.name} --help" lists the options.`, { cause });
  }
}

function checkPositionals({ name, positionals: expected = [] }: Command, given: readonly string[]): void {
  const required = expected.filter((each) => !each.startsWith('['));
  const missing = required[given.length];
  if (missing !== undefined) throw new CommandError(`"${name}" needs ${missing}.`);
  const extra = given[expected.length];
  if (extra !== undefined && !expected.some((each) => each.includes('…')))
    throw new CommandError(
      `"${name}" takes ${expected.length === 0 ? 'no arguments' : expected.join(' ')}, got "${extra}", too.`,
    );
}
