import { parseArgs } from 'node:util';

export const help = `Usage: npm start -- [--uri <uri> | --path <folder>]

Shows data-bridge at work on the 250 countries of the package world-countries.

  --uri <uri>   a MongoDB server, such as mongodb://localhost:27017; the demo makes a database of
                its own there and drops it at the end. Without it, an embedded server runs in the
                memory of this process.
  --path <dir>  a folder that keeps the countries: a second run shows what the first one changed.
  --help        this text
`;

/** Where the demo runs: on a server, in a folder, or in memory where it is told neither. */
export interface Server {
  readonly uri?: string | undefined;
  readonly path?: string | undefined;
}

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'run'; readonly server: Server }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly message: string };

export function readArguments(args: readonly string[]): Request {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { uri: { type: 'string' }, path: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) return { kind: 'help' };
    if (values.uri !== undefined && !/^mongodb(\+srv)?:\/\/[^/]/.test(values.uri)) {
      return { kind: 'mistake', message: '--uri takes a URI such as mongodb://localhost:27017.' };
    }
    if (values.path === '') return { kind: 'mistake', message: '--path takes a folder such as ./data.' };
    if (values.uri !== undefined && values.path !== undefined) {
      return { kind: 'mistake', message: 'Expected --uri or --path, got both.' };
    }
    return { kind: 'run', server: { uri: values.uri, path: values.path } };
  } catch (error) {
    return { kind: 'mistake', message: error instanceof Error ? error.message : String(error) };
  }
}
