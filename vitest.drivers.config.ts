import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { installDrivers } from './scripts/install-drivers.ts';
import workspace from './vitest.config.ts';

const { setupFiles, include: _, coverage: __, ...shared } = workspace.test ?? {};

/** What depends on the driver most: how replies are read, what is sent, and what its errors and sessions are. */
const suites = ['raw-batch', 'takes-encoded', 'query', 'save', 'insert-many', 'transaction', 'change-stream'];

// The suites on each minor version of the driver that the peer range allows: too slow for every run.
export default defineConfig(async () => {
  const drivers = await installDrivers('node_modules/.cache/drivers');
  const projects = drivers.map(({ mongodb, bson, folder }) => ({
    ...workspace,
    resolve: { ...workspace.resolve, alias: { mongodb: join(process.cwd(), folder, 'lib/index.js') } },
    test: {
      ...shared,
      name: `mongodb ${mongodb}, bson ${bson}`,
      setupFiles: [setupFiles ?? [], './packages/data-bridge/test/support/check-driver.ts'].flat(),
      include: suites.map((suite) => `packages/data-bridge/test/*/${suite}.test.ts`),
      env: { DRIVER_VERSION: mongodb },
    },
  }));
  return { ...workspace, test: { ...shared, projects } };
});
