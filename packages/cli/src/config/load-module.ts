import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError } from '../errors.ts';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts']);

/**
 * Loads a file of the program, in TypeScript too: by Node.js itself where it strips types (22.18 and newer), else by `jiti`.
 *
 * @throws CommandError where it is TypeScript and neither is there.
 */
export async function loadModule(path: string): Promise<unknown> {
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
