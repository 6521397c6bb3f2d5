import { parseArgs } from 'node:util';

const DEFAULT_PORT = 27_017;

export const HELP = `Usage: npx @data-bridge/embedded [--path <folder>] [--port <number>]
       npx @data-bridge/embedded export --path <folder> [--db <name> [--collection <name>]] > <file>
       npx @data-bridge/embedded import --path <folder> < <file>

A server that speaks MongoDB's protocol: for development, tests and demos, not for production. It listens
on this machine only, and asks for no password.

  --path <folder>      keeps the data in that folder; without it they are in memory, gone with the server
  --port <number>      the port to listen on, 0 for a free one; ${DEFAULT_PORT} if not given
  --db, --collection   exports that database or collection alone
  --help, --version

"export" writes a line of Extended JSON for each collection, with its options and indexes, and for each
document. "import" adds what such lines tell to a folder: all of it, or nothing where a line is wrong or a
collection is there already. No server may be using the folder meanwhile.
`;

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'serve'; readonly path: string | undefined; readonly port: number }
  | ExportRequest
  | { readonly kind: 'import'; readonly path: string }
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'mistake'; readonly message: string };

export interface ExportRequest {
  readonly kind: 'export';
  readonly path: string;
  readonly database: string | undefined;
  readonly collection: string | undefined;
}

/** Reads the arguments after the program's name. */
export function readArguments(args: readonly string[]): Request {
  try {
    return read(args);
  } catch (error) {
    return mistake(error instanceof Error ? error.message : String(error));
  }
}

const OPTIONS = {
  path: { type: 'string' },
  port: { type: 'string' },
  db: { type: 'string' },
  collection: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
}

function read(args: readonly string[]): Request {
  const { values, positionals } = parse(args);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  const [command, unexpected] = positionals;
  if (unexpected !== undefined) return mistake(`Unexpected argument "${unexpected}".`);
  if (values.path === '') return mistake('--path takes a folder, got an empty text.');
  switch (command) {
    case undefined:
      return refused(values, 'the server', ['db', 'collection']) ?? serveRequest(values);
    case 'export':
      return refused(values, '"export"', ['port']) ?? exportRequest(values);
    case 'import':
      return refused(values, '"import"', ['port', 'db', 'collection']) ?? importRequest(values);
    default:
      return mistake(`Expected "export", "import" or only options, got "${command}".`);
  }
}

/** The mistake of giving an option to a command that does not have it. */
function refused(values: Values, command: string, names: readonly (keyof Values)[]): Request | undefined {
  const name = names.find((one) => values[one] !== undefined);
  return name === undefined ? undefined : mistake(`--${name} is no option of ${command}.`);
}

function serveRequest({ path, port = String(DEFAULT_PORT) }: Values): Request {
  const number = Number(port);
  if (!/^\d+$/.test(port) || number > 65_535) return mistake(`--port takes a number from 0 to 65535, got "${port}".`);
  return { kind: 'serve', path, port: number };
}

function exportRequest({ path, db, collection }: Values): Request {
  if (path === undefined) return mistake('"export" needs --path <folder>.');
  if (collection !== undefined && db === undefined) return mistake('--collection needs --db <name>.');
  return { kind: 'export', path, database: db, collection };
}

function importRequest({ path }: Values): Request {
  return path === undefined ? mistake('"import" needs --path <folder>.') : { kind: 'import', path };
}

function mistake(message: string): Request {
  return { kind: 'mistake', message };
}
