import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cyclesIn, importsOf, type Source, sourcesIn, targetsOf } from './support/sources.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

interface Package {
  readonly folder: string;
  /** From the bottom up: folders, and the few files beside them. A file imports from its own room and from those above it in the list. */
  readonly rooms: readonly string[];
  /** What it imports from outside, besides Node's own modules. */
  readonly outside: readonly string[];
  /** What it loads at run time, when asked to. */
  readonly loaded: readonly string[];
  /** The rooms that do no input or output. */
  readonly pure: readonly string[];
}

const packages: readonly Package[] = [
  {
    folder: 'packages/data-bridge/src',
    rooms: [
      'errors.ts',
      'bson/',
      'schema/',
      'edits/',
      'connection/',
      'update/',
      'definition/',
      'tracking/',
      'filter/',
      'types/',
      'references/',
      'document/',
      'collection-sync/',
      'save/',
      'write/',
      'history/',
      'query/',
      'aggregate/',
      'watch/',
      'model/',
      'testing/',
      'command-line/',
      'index.ts',
      'zod.ts',
      'extensions.ts',
    ],
    outside: ['mongodb', '@standard-schema/spec', 'zod'],
    loaded: ['@data-bridge/embedded'],
    pure: ['bson/', 'edits/', 'update/', 'tracking/'],
  },
  {
    folder: 'packages/cli/src',
    rooms: ['errors.ts', 'terminal/', 'config/', 'migrations/', 'commands/', 'main.ts', 'index.ts'],
    outside: ['data-bridge', 'mongodb', 'tinyglobby'],
    loaded: ['jiti'],
    pure: [],
  },
  {
    folder: 'packages/embedded/src',
    rooms: [
      'errors.ts',
      'wire/',
      'values/',
      'engine/',
      'extended-json/',
      'storage/',
      'catalog/',
      'messages/',
      'cursors/',
      'sessions/',
      'dispatch/',
      'planner/',
      'change-streams/',
      'commands/',
      'server.ts',
      'index.ts',
      'cli/',
      'bin.ts',
    ],
    outside: ['bson', 'lmdb'],
    loaded: [],
    pure: ['values/', 'engine/', 'extended-json/'],
  },
];

const everywhere = [
  'packages/cli',
  'packages/data-bridge',
  'packages/embedded',
  'examples',
  'benchmarks',
  'test',
  'scripts',
];

describe.each(packages)('$folder', ({ folder, rooms, outside, loaded, pure }) => {
  const sources = sourcesIn(folder);
  const roomOf = (path: string) =>
    rooms.findIndex((room) => (room.endsWith('/') ? path.startsWith(room) : path === room));
  const violations = (rule: (source: Source) => string[]) =>
    sources.flatMap((source) => rule(source).map((found) => `${source.path}: ${found}`));

  it('has every file in a room', () => {
    expect(sources.map(({ path }) => path).filter((path) => roomOf(path) === -1)).toEqual([]);
  });

  it('has at most four files beside its rooms', () => {
    expect(sources.filter(({ path }) => !path.includes('/')).length).toBeLessThanOrEqual(4);
  });

  it('has files in every room of the list', () => {
    const present = new Set(sources.map(({ path }) => roomOf(path)));
    expect(rooms.filter((_, room) => !present.has(room))).toEqual([]);
  });

  it('has a README.md in every room', () => {
    const folders = rooms.filter((room) => room.endsWith('/'));
    expect(folders.filter((room) => !existsSync(`${root}${folder}/${room}README.md`))).toEqual([]);
  });

  it('names no file in a README.md that is not there', () => {
    const present = new Set(sources.map(({ path }) => posix.basename(path)));
    const missing = rooms
      .filter((room) => room.endsWith('/'))
      .flatMap((room) => {
        const text = readFileSync(`${root}${folder}/${room}README.md`, 'utf8');
        const named = [...text.matchAll(/`(?:[a-z-]+\/)*([a-z-]+\.ts)`/g)].map(([, name = '']) => name);
        return named.filter((name) => !present.has(name)).map((name) => `${room}: ${name}`);
      });
    expect(missing).toEqual([]);
  });

  it('names every file of a room in its README.md', () => {
    const unnamed = rooms
      .filter((room) => room.endsWith('/'))
      .flatMap((room) => {
        const text = readFileSync(`${root}${folder}/${room}README.md`, 'utf8');
        const files = sources.filter(({ path }) => path.startsWith(room)).map(({ path }) => path);
        return files.filter((path) => !text.includes(`\`${posix.basename(path)}\``));
      });
    expect(unnamed).toEqual([]);
  });

  it('imports only from its own room and from those above', () => {
    const below = violations((source) =>
      targetsOf(source).filter((target) => roomOf(target) === -1 || roomOf(target) > roomOf(source.path)),
    );
    expect(below).toEqual([]);
  });

  it('has no cycle of imports inside a room, types included', () => {
    expect(cyclesIn(sources)).toEqual([]);
  });

  it('imports from outside only what it may', () => {
    const foreign = violations(({ imports }) =>
      imports
        .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        .filter(({ specifier, kind }) => !(kind === 'dynamic' ? loaded : outside).includes(specifier))
        .map(({ specifier }) => specifier),
    );
    expect(foreign).toEqual([]);
  });

  it('does no input or output in its pure rooms', () => {
    const harmless = ['node:buffer', 'node:crypto', 'node:util'];
    const effects = violations(({ path, imports }) =>
      imports
        .filter(() => pure.some((room) => path.startsWith(room)))
        .filter(({ specifier }) => specifier.startsWith('node:') && !harmless.includes(specifier))
        .map(({ specifier }) => specifier),
    );
    expect(effects).toEqual([]);
  });

  it('re-exports from entries only', () => {
    const barrels = violations(({ path, imports }) =>
      path === 'index.ts' || path === 'extensions.ts'
        ? []
        : imports.filter(({ kind }) => kind === 're-export').map(({ specifier }) => specifier),
    );
    expect(barrels).toEqual([]);
  });

  it('has no enum and no code generation', () => {
    const banned = /^(?:export )?(?:declare )?(?:const )?enum\b|\beval\(|\bFunction\(/gm;
    expect(violations(({ text }) => [...text.matchAll(banned)].map(([found]) => found))).toEqual([]);
  });
});

describe('the history', () => {
  it('is asked for nowhere outside of its room, but where a model is made and defined', () => {
    const places = ['history/', 'definition/', 'model/', 'index.ts', 'errors.ts'];
    const asking = sourcesIn('packages/data-bridge/src')
      .filter(({ path }) => !places.some((place) => path.startsWith(place)))
      .filter(
        ({ text, imports }) =>
          imports.some(({ specifier }) => specifier.includes('/history/')) || /\bredaction\b|\bisRecorded\b/.test(text),
      );
    expect(asking.map(({ path }) => path)).toEqual([]);
  });
});

describe('every source file', () => {
  const sources = everywhere.flatMap((folder) =>
    sourcesIn(folder).map((source) => ({ ...source, path: `${folder}/${source.path}` })),
  );

  it('is found', () => {
    expect(sources.map(({ path }) => path)).toContain('test/support/sources.ts');
  });

  it('is named in kebab case', () => {
    const name = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:property|test|test-d))*\.ts$/;
    expect(sources.map(({ path }) => path).filter((path) => !name.test(posix.basename(path)))).toEqual([]);
  });

  it('has fewer than 400 lines', () => {
    const lines = ({ text }: Source) => text.split('\n').length - 1;
    const long = sources.filter((source) => lines(source) >= 400);
    expect(long.map((source) => `${source.path}: ${lines(source)}`)).toEqual([]);
  });

  it('names the files it imports with their .ts endings', () => {
    // case: a benchmark measures the built inside of a package, which only dist/ has.
    const named = (specifier: string) => specifier.endsWith('.ts') || specifier.includes('/dist/');
    const relative = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('.') && !named(specifier))
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(relative).toEqual([]);
  });
});

describe('importsOf', () => {
  it('finds imports of values and types, re-exports and dynamic imports', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type {\n  B,\n} from './b.ts';",
      "import './c.ts';",
      "export { d } from './d.ts';",
      "export type * from './e.ts';",
      "export const f = await import('./f.ts');",
      "type G = import('./g.ts').G;",
      "/**\n * import { h } from './h.ts';\n */",
      "export const i = 'i';",
      "export function from() {\n  return './j.ts';\n}",
    ].join('\n');
    expect(importsOf(text)).toEqual([
      { specifier: './a.ts', kind: 'import' },
      { specifier: './b.ts', kind: 'import' },
      { specifier: './c.ts', kind: 'import' },
      { specifier: './d.ts', kind: 're-export' },
      { specifier: './e.ts', kind: 're-export' },
      { specifier: './f.ts', kind: 'dynamic' },
      { specifier: './g.ts', kind: 'dynamic' },
    ]);
  });
});

describe('cyclesIn', () => {
  const source = (path: string, ...specifiers: string[]): Source => ({
    path,
    text: '',
    imports: specifiers.map((specifier) => ({ specifier, kind: 'import' })),
  });

  it('finds files that import each other, and none that are only imported twice', () => {
    const straight = [source('a.ts', './b.ts', './in/c.ts'), source('b.ts', './in/c.ts'), source('in/c.ts', 'zod')];
    expect(cyclesIn(straight)).toEqual([]);
    expect(
      cyclesIn([...straight, source('in/d.ts', './e.ts'), source('in/e.ts', './f.ts'), source('in/f.ts', './d.ts')]),
    ).toEqual(['in/d.ts → in/e.ts → in/f.ts → in/d.ts']);
  });
});
