import { configDefaults, defineConfig } from 'vitest/config';
import workspace from './vitest.config.ts';

/** `npm run test:deep`: every file in a process of its own, every property with all its cases. */
export default defineConfig({
  ...workspace,
  test: { ...workspace.test, exclude: configDefaults.exclude, isolate: true, testTimeout: 300_000, env: { DEEP: '1' } },
});
