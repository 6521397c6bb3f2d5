import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, type Source, sourcesIn } from './support/sources.ts';

interface Package {
  readonly folder: string;
  /** The files in the order of the flow. A file imports only files above it; below an entry that ends in `/`, any of that folder. */
  readonly layers: readonly string[];
  /** What it imports from outside, besides Node's own modules. */
  readonly outside: readonly string[];
  /** What it loads at run time, when asked to. */
  readonly loaded: readonly string[];
  /** The layers that do no input or output. */
  readonly pure: readonly string[];
}

const packages: readonly Package[] = [
  {
    folder: 'packages/data-bridge/src',
    layers: [
      'errors.ts',
      'inspect.ts',
      'bson/bytes.ts',
      'bson/text.ts',
      'bson/copy.ts',
      'bson/live.ts',
      'bson/identity.ts',
      'bson/make.ts',
      'bson/shared-texts.ts',
      'bson/reading-habit.ts',
      'bson/level.ts',
      'bson/layout.ts',
      'bson/locate.ts',
      'bson/read-document.ts',
      'bson/decode.ts',
      'bson/ordered.ts',
      'bson/splice.ts',
      'bson/batch.ts',
      'bson/arena.ts',
      'bson/same.ts',
      'bson/storable.ts',
      'bson/json.ts',
      'bson/equal-scalars.ts',
      'bson/equal.ts',
      'bson/encode.ts',
      'bson/types.ts',
      'search.ts',
      'geo.ts',
      'literal.ts',
      'state/arithmetic.ts',
      'state/stored-values.ts',
      'state/expression.ts',
      'state/atomic-rule.ts',
      'state/atomic-numbers.ts',
      'state/atomic-bits.ts',
      'state/atomic-arrays.ts',
      'state/atomics.ts',
      'state/edits.ts',
      'state/stored-changes.ts',
      'state/lay.ts',
      'state/operators.ts',
      'state/pipeline.ts',
      'state/guards.ts',
      'state/plan.ts',
      'state/rebase.ts',
      'state/selection.ts',
      'state/baseline.ts',
      'state/object-baseline.ts',
      'state/index-set.ts',
      'state/encode-edits.ts',
      'state/stored-edits.ts',
      'state/plain-copy.ts',
      'state/stored-types.ts',
      'state/walk-arrays.ts',
      'state/walk.ts',
      'state/bson-baseline.ts',
      'state/partial-baseline.ts',
      'state/tracker.ts',
      'state/pending.ts',
      'state/value-guards.ts',
      'schema-library.ts',
      'identified.ts',
      'schema.ts',
      'stored.ts',
      'json-schema.ts',
      'types/',
      'concurrently.ts',
      'driver-options.ts',
      'page-token.ts',
      'uri.ts',
      'driver-error.ts',
      'server-validation.ts',
      'outcome.ts',
      'raw-batch.ts',
      'attempt.ts',
      'commands.ts',
      'transaction.ts',
      'connection.ts',
      'model-options.ts',
      'history/context.ts',
      'history/redaction.ts',
      'history/entry.ts',
      'definition.ts',
      'path.ts',
      'stored-expression.ts',
      'safety.ts',
      'cast.ts',
      'bulk-server.ts',
      'life.ts',
      'checkpoint.ts',
      'counted.ts',
      'filter-equality.ts',
      'stored-document.ts',
      'history/record.ts',
      'history/record-save.ts',
      'history/record-one.ts',
      'history/unrecorded.ts',
      'history/read.ts',
      'history/page.ts',
      'history/repair.ts',
      'partial.ts',
      'operate.ts',
      'retyped.ts',
      'validate.ts',
      'terms.ts',
      'conflict.ts',
      'save.ts',
      'rebase.ts',
      'reload.ts',
      'remove.ts',
      'revert.ts',
      'new-document.ts',
      'save-batch.ts',
      'changes.ts',
      'document.ts',
      'history-model.ts',
      'save-all.ts',
      'reference.ts',
      'insert-many.ts',
      'operation.ts',
      'updates.ts',
      'bulk.ts',
      'indexes.ts',
      'results.ts',
      'query-plan.ts',
      'answers.ts',
      'each.ts',
      'keyset.ts',
      'page.ts',
      'query.ts',
      'reshaped.ts',
      'aggregate.ts',
      'change-stream.ts',
      'statics.ts',
      'model.ts',
      'index.ts',
      'zod.ts',
      'testing.ts',
    ],
    outside: ['mongodb', '@standard-schema/spec', 'zod'],
    loaded: ['@data-bridge/embedded'],
    pure: ['bson/', 'state/'],
  },
  {
    folder: 'packages/embedded/src',
    layers: [
      'errors.ts',
      'engine/',
      'storage/',
      'clock.ts',
      'namespace.ts',
      'change.ts',
      'change-log.ts',
      'collection.ts',
      'transaction.ts',
      'catalog.ts',
      'commands/',
      'wire/',
      'server.ts',
      'index.ts',
      'cli/',
      'bin.ts',
    ],
    outside: ['bson', 'lmdb'],
    loaded: [],
    pure: ['engine/'],
  },
];

const everywhere = ['packages/data-bridge', 'packages/embedded', 'examples', 'benchmarks', 'test', 'scripts'];

describe.each(packages)('$folder', ({ folder, layers, outside, loaded, pure }) => {
  const sources = sourcesIn(folder);
  const layerOf = (path: string) =>
    layers.findIndex((layer) => (layer.endsWith('/') ? path.startsWith(layer) : path === layer));
  const violations = (rule: (source: Source) => string[]) =>
    sources.flatMap((source) => rule(source).map((found) => `${source.path}: ${found}`));

  it('has every file in the list of layers', () => {
    expect(sources.map(({ path }) => path).filter((path) => layerOf(path) === -1)).toEqual([]);
  });

  it('has files in every layer of the list', () => {
    const present = new Set(sources.map(({ path }) => layerOf(path)));
    expect(layers.filter((_, layer) => !present.has(layer))).toEqual([]);
  });

  it('imports only what lies above', () => {
    const below = violations(({ path, imports }) =>
      imports
        .map(({ specifier }) => specifier)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => posix.join(posix.dirname(path), specifier))
        .filter((target) => layerOf(target) === -1 || !isAbove(target, path)),
    );
    expect(below).toEqual([]);
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

  it('does no input or output in its pure layers', () => {
    const harmless = ['node:buffer', 'node:crypto', 'node:util'];
    const effects = violations(({ path, imports }) =>
      imports
        .filter(() => pure.some((layer) => path.startsWith(layer)))
        .filter(({ specifier }) => specifier.startsWith('node:') && !harmless.includes(specifier))
        .map(({ specifier }) => specifier),
    );
    expect(effects).toEqual([]);
  });

  it('re-exports from index.ts only', () => {
    const barrels = violations(({ path, imports }) =>
      path === 'index.ts' ? [] : imports.filter(({ kind }) => kind === 're-export').map(({ specifier }) => specifier),
    );
    expect(barrels).toEqual([]);
  });

  it('has no enum and no code generation', () => {
    const banned = /^(?:export )?(?:declare )?(?:const )?enum\b|\beval\(|\bFunction\(/gm;
    expect(violations(({ text }) => [...text.matchAll(banned)].map(([found]) => found))).toEqual([]);
  });

  function isAbove(target: string, path: string): boolean {
    const layer = layerOf(path);
    return layerOf(target) < layer || (layers[layer]?.endsWith('/') === true && layerOf(target) === layer);
  }
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
