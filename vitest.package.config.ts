import { defineConfig } from 'vitest/config';
import workspace from './vitest.config.ts';

// The packages as they are published, packed and installed: too slow for every run, so `npm test` leaves them out.
export default defineConfig({
  ...workspace,
  test: { ...workspace.test, include: ['test/package/*.test.ts'], testTimeout: 120_000, hookTimeout: 300_000 },
});
