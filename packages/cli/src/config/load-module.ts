import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError } from '../errors.ts';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts']);

/** What Node.js's own message leaves out, by the code of its error. */
const ADVICE: Readonly<Record<string, string>> = {
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    '. Node.js only takes types away: what TypeScript adds to JavaScript, such as enums, has to be written otherwise.',
  ERR_MODULE_NOT_FOUND: '. Node.js finds TypeScript by its own ending: import "./user.ts", not "./user.js".',
};

/**
 * Loads a file of the program, in TypeScript too: by Node.js itself where it strips types (22.18 and newer), else by `jiti`.
 *
 * @throws CommandError where it is TypeScript and neither is there, and where it cannot be loaded.
 */
export async function loadModule(path: string): Promise<unknown> {
  try {
    return await load(path);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    const { message, code = '' } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
    const advice = TYPESCRIPT.has(extname(path)) ? (ADVICE[code] ?? '') : '';
    throw new CommandError(`${path} cannot be loaded: ${message ?? String(cause)}${advice}`, { cause });
  }
}

async function load(path: string): Promise<unknown> {
  if (!TYPESCRIPT.has(extname(path)) || stripsTypes()) return import(pathToFileURL(path).href);
  const { createJiti } = await loadJiti(path);
  // Modules are cached by Node.js as well, so that a model is the same class wherever it is imported.
  return createJiti(import.meta.url, { interopDefault: false, fsCache: false }).import(path);
}

function stripsTypes(): boolean {
  return 'typescript' in process.features && Boolean(process.features.typescript);
}

async function loadJiti(path: string): Promise<typeof import('jiti')> {
  try {
    return await import('jiti');
  } catch (cause) {
    throw new CommandError(
      `${path} is TypeScript, which Node.js ${process.versions.node} does not run by itself: use Node.js 22.18 or newer, or install jiti (npm install --save-dev jiti).`,
      { cause },
    );
  }
}
