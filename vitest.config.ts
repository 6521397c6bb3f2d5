import { defineConfig } from 'vitest/config';

// The packages are tested from their sources: no build comes first.
const conditions = ['@data-bridge/source', 'node', 'import', 'module', 'default'];

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
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', './scripts/totals-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      reporter: [['text', { skipFull: true }]],
      thresholds: {
        'packages/data-bridge/src/state/**': { statements: 100, branches: 100 },
      },
    },
  },
});
