import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A source file: where it lies, its text, and whatever it imports or re-exports, in order, types too. */
export interface Source {
  /** From the folder that was searched, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly specifier: string;
  readonly kind: 'import' | 're-export' | 'dynamic';
}

// The sources are formatted: a statement starts at the first column, where no comment's inner line does.
const statement = /^(import|export)\b(?:[^'";]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm;
const dynamic = /\bimport\(\s*['"]([^'"\n]+)['"]/g;

/** What a TypeScript text imports and re-exports. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const [, keyword, specifier = ''] of text.matchAll(statement)) {
    found.push({ specifier, kind: keyword === 'import' ? 'import' : 're-export' });
  }
  for (const [, specifier = ''] of text.matchAll(dynamic)) found.push({ specifier, kind: 'dynamic' });
  return found;
}

/** The TypeScript files below a folder of this repository, in order of their paths; none when there is no such folder. */
export function sourcesIn(folder: string): Source[] {
  return entriesOf(`${root}${folder}`)
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !path.split('/').includes('dist') && !path.includes('node_modules/'))
    .sort()
    .map((path) => {
      const text = readFileSync(`${root}${folder}/${path}`, 'utf8');
      return { path, text, imports: importsOf(text) };
    });
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
