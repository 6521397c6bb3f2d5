import { parseArgs } from 'node:util';

export const help = `Usage: npm start -- [--uri <uri>]

Shows data-bridge at work on the 250 countries of the package world-countries.

  --uri <uri>   a MongoDB server, such as mongodb://localhost:27017; the demo makes a database of
                its own there and drops it at the end. Without it, an embedded server runs in the
                memory of this process.
  --help        this text
`;

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'run'; readonly uri: string | undefined }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly message: string };

export function readArguments(args: readonly string[]): Request {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { uri: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) return { kind: 'help' };
    if (values.uri !== undefined && !/^mongodb(\+srv)?:\/\/[^/]/.test(values.uri)) {
      return { kind: 'mistake', message: '--uri takes a URI such as mongodb://localhost:27017.' };
    }
    return { kind: 'run', uri: values.uri };
  } catch (error) {
    return { kind: 'mistake', message: error instanceof Error ? error.message : String(error) };
  }
}
