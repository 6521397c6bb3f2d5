import { inspect } from 'node:util';
import type { Log, LogEntry } from './command-log.ts';

/** A longer shape is cut: a line should stay one. */
const MAX_SHAPE = 200;
const CODES = { red: 31, yellow: 33, cyan: 36, gray: 90 } as const;
type Paint = (color: keyof typeof CODES, text: string) => string;

/** Where a log is written: a terminal, a file, a pipe. */
interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A log that writes a line for each entry, in colours on a terminal. By default to the standard error. */
export function terminalLog(output: Output = process.stderr, env: NodeJS.ProcessEnv = process.env): Log {
  const paint: Paint = hasColors(output, env)
    ? (color, text) => `\x1b[${CODES[color]}m${text}\x1b[0m`
    : (_, text) => text;
  return (entry) => void output.write(`${logLine(entry, paint)}\n`);
}

/** `FORCE_COLOR` and `NO_COLOR` say it (https://no-color.org), else whether it is a terminal. */
function hasColors({ isTTY }: Output, env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no = '', TERM: terminal } = env;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return no === '' && terminal !== 'dumb' && isTTY === true;
}

function logLine(entry: LogEntry, paint: Paint): string {
  const { command, collection, counts, failure, isInTransaction, isRetry, milliseconds } = entry;
  const told = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  const code = failure?.code === undefined ? '' : ` ${failure.code}`;
  const parts = [
    paint('cyan', collection === undefined ? command : `${command} ${collection}`),
    isInTransaction ? 'in a transaction' : '',
    isRetry ? paint('yellow', 'again') : '',
    paint('gray', requestOf(entry)),
    told.join(', '),
    failure === undefined ? '' : paint('red', `failed: ${failure.name}${code}: ${failure.message}`),
    paint('gray', `${milliseconds.toFixed(1)} ms`),
  ];
  // case: line breaks in names or messages, which could pass for entries of their own
  return parts
    .filter((part) => part !== '')
    .join('  ')
    .replaceAll(/[\r\n]+/g, ' ');
}

function requestOf({ shape, statement }: LogEntry): string {
  const text = statement === undefined ? shape : inspect(statement, { breakLength: Infinity, depth: 8 });
  if (text === '{}') return '';
  return text.length > MAX_SHAPE ? `${text.slice(0, MAX_SHAPE)}…` : text;
}
