import { checksumOf } from '../../src/migrations/files.ts';
import type { Migration, MigrationStep } from '../../src/migrations/migration.ts';

/** Migrations without files, by `version-name`. */
export function stepsOf(migrations: Readonly<Record<string, Migration>>): MigrationStep[] {
  return Object.entries(migrations).map(([file, migration]) => {
    const [version = '', ...name] = file.split('-');
    return { version, name: name.join('-'), checksum: checksumOf(file), migration };
  });
}
