export { type Config, defineConfig } from './config/config.ts';
export { CommandError, IrreversibleMigrationError, LeaseError, MigrationError } from './errors.ts';
export { main } from './main.ts';
export { createMigration } from './migrations/create.ts';
export { readMigrations } from './migrations/files.ts';
export {
  type BatchOptions,
  type BatchResult,
  defineMigration,
  type Migrated,
  type Migration,
  type MigrationContext,
  type MigrationStep,
} from './migrations/migration.ts';
export { migrate, type MigrateOptions } from './migrations/run.ts';
export { migrationRuns, type MigrationRun, type MigrationStatus, migrationStatus } from './migrations/status.ts';
