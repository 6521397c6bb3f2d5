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
      'bson/inspect.ts',
      'bson/bytes.ts',
      'bson/text.ts',
      'bson/copy.ts',
      'bson/bson-classes.ts',
      'bson/identity.ts',
      'bson/construct.ts',
      'bson/shared-texts.ts',
      'bson/reading-habit.ts',
      'bson/level.ts',
      'bson/layout.ts',
      'bson/locate.ts',
      'bson/read-document.ts',
      'bson/decode.ts',
      'bson/decode-ordered.ts',
      'bson/splice.ts',
      'bson/batch.ts',
      'bson/arena.ts',
      'bson/equal-values.ts',
      'bson/storable.ts',
      'bson/json.ts',
      'bson/equal-scalars.ts',
      'bson/equal-bytes.ts',
      'bson/encode.ts',
      'schema/bson-types.ts',
      'filter/escape-regex.ts',
      'filter/geo.ts',
      'filter/literal.ts',
      'edits/arithmetic.ts',
      'edits/server-values.ts',
      'edits/expression.ts',
      'edits/atomic-rule.ts',
      'edits/atomic-numbers.ts',
      'edits/atomic-bits.ts',
      'edits/atomic-arrays.ts',
      'edits/atomic-operators.ts',
      'edits/edits.ts',
      'edits/stored-changes.ts',
      'edits/apply-edits.ts',
      'update/operators.ts',
      'update/pipeline.ts',
      'update/shape-guards.ts',
      'update/plan.ts',
      'edits/rebase-edits.ts',
      'tracking/selection.ts',
      'tracking/baseline.ts',
      'tracking/object-baseline.ts',
      'tracking/index-set.ts',
      'tracking/encode-edits.ts',
      'edits/stored-edits.ts',
      'edits/plain-copy.ts',
      'edits/stored-types.ts',
      'edits/diff-stored-arrays.ts',
      'edits/diff-stored.ts',
      'tracking/bson-baseline.ts',
      'tracking/partial-baseline.ts',
      'tracking/state-tracker.ts',
      'tracking/pending-operators.ts',
      'update/value-guards.ts',
      'schema/schema-library.ts',
      'schema/identified.ts',
      'schema/schema-field.ts',
      'schema/stored-name.ts',
      'schema/json-schema.ts',
      'types/',
      'connection/concurrently.ts',
      'connection/driver-options.ts',
      'query/page-token.ts',
      'connection/uri.ts',
      'connection/driver-error.ts',
      'connection/server-validation.ts',
      'connection/write-outcome.ts',
      'connection/raw-batch.ts',
      'connection/transaction-attempt.ts',
      'connection/collection.ts',
      'connection/transaction.ts',
      'connection/connection.ts',
      'definition/model-options.ts',
      'history/context.ts',
      'definition/redaction.ts',
      'history/entry.ts',
      'definition/model-definition.ts',
      'document/path.ts',
      'filter/rename-in-expression.ts',
      'filter/check-filter.ts',
      'filter/cast-filter.ts',
      'connection/server-limits.ts',
      'document/document-state.ts',
      'document/checkpoint.ts',
      'write/version-counter.ts',
      'filter/filter-equality.ts',
      'document/stored-commands.ts',
      'history/record.ts',
      'history/record-save.ts',
      'history/record-static-write.ts',
      'write/refuse-unrecorded.ts',
      'history/read.ts',
      'history/page.ts',
      'history/repair.ts',
      'document/loaded-part.ts',
      'document/atomic-methods.ts',
      'save/apply-schema-types.ts',
      'save/validate.ts',
      'save/write-conditions.ts',
      'save/conflict.ts',
      'save/save.ts',
      'save/rebase.ts',
      'save/reload.ts',
      'save/delete.ts',
      'save/revert.ts',
      'document/new-document.ts',
      'save/save-batch.ts',
      'document/changes.ts',
      'save/document.ts',
      'model/history-model.ts',
      'save/save-all.ts',
      'references/ref.ts',
      'write/insert-many.ts',
      'definition/operation.ts',
      'write/static-writes.ts',
      'write/bulk.ts',
      'collection-sync/ensure.ts',
      'query/results.ts',
      'query/query-spec.ts',
      'query/query-operations.ts',
      'query/for-each.ts',
      'query/keyset.ts',
      'query/page.ts',
      'query/query.ts',
      'aggregate/result-readers.ts',
      'aggregate/aggregate.ts',
      'watch/change-stream.ts',
      'model/statics.ts',
      'model/model.ts',
      'index.ts',
      'zod.ts',
      'testing.ts',
    ],
    outside: ['mongodb', '@standard-schema/spec', 'zod'],
    loaded: ['@data-bridge/embedded'],
    pure: ['bson/', 'edits/', 'update/', 'tracking/'],
  },
  {
    folder: 'packages/embedded/src',
    layers: [
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
      'commands/writes.ts',
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
