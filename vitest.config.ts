import { configDefaults, defineConfig } from 'vitest/config';

// The packages are tested from their sources: no build comes first.
const conditions = ['@data-bridge/source', 'node', 'import', 'module', 'default'];

/** Loops of kills, of cuts and of damages, and what only the compiler can tell. */
const DEEP_ALONE = [
  '**/*kill.test.ts',
  '**/history-cut.test.ts',
  '**/damaged-files.test.ts',
  '**/types-budget.test.ts',
  '**/types-messages.test.ts',
  '**/docs-types.test.ts',
];

/**
 * `npm test`, the inner loop: every suite but those of DEEP_ALONE, properties with few cases, and files that share their
 * modules, for loading these anew takes longer than most files run. `vitest.deep.config.ts` has all of it.
 */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    setupFiles: ['./scripts/fixed-seed.ts'],
    include: [
      'packages/*/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
      'benchmarks/test/**/*.test.ts',
      'test/*.test.ts',
    ],
    exclude: [...configDefaults.exclude, ...DEEP_ALONE],
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Many tests wait for a clock: one worker more than the two cores that there are at least.
    maxWorkers: 3,
    reporters: ['default', './scripts/totals-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      reporter: [['text', { skipFull: true }]],
      thresholds: {
        'packages/data-bridge/src/edits/**': { statements: 100, branches: 100 },
        'packages/data-bridge/src/update/**': { statements: 100, branches: 100 },
        'packages/data-bridge/src/tracking/**': { statements: 100, branches: 100 },
      },
    },
  },
});
