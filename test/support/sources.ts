import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
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

/** The files beside it that a source imports, types too, by their paths. */
export function targetsOf({ path, imports }: Source): string[] {
  const relative = imports.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith('.'));
  return relative.map((specifier) => posix.join(posix.dirname(path), specifier));
}

/** Ways of imports that lead back to where they began, one for each import that closes one. */
export function cyclesIn(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const cycles: string[] = [];
  const done = new Set<string>();
  const follow = (path: string, way: readonly string[]): void => {
    const source = byPath.get(path);
    if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' → '));
    else if (source !== undefined && !done.has(path)) {
      for (const target of targetsOf(source)) follow(target, [...way, path]);
      done.add(path);
    }
  };
  for (const path of byPath.keys()) follow(path, []);
  return cycles;
}
