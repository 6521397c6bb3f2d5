import type { Connection } from 'data-bridge';
import { isChanged } from './check-records.ts';
import type { MigrationStep } from './migration.ts';
import { type Direction, runs, stepId, stepRecords } from './state.ts';

/** Where a migration stands. */
export interface MigrationStatus {
  readonly version: string;
  readonly name: string;
  readonly description: string | undefined;
  /**
   * `applied`: has run. `pending`: has not. `up`, `down`: was interrupted on that way. `changed`: has run, and its file is
   * another one since. `missing`: has run, and its file is not there.
   */
  readonly state: 'applied' | 'pending' | Direction | 'changed' | 'missing';
  readonly appliedAt: Date | undefined;
}

/** One run of a migration to its end. */
export interface MigrationRun {
  readonly version: string;
  readonly name: string;
  readonly direction: Direction;
  readonly startedAt: Date;
  readonly milliseconds: number;
}

/** Where each migration stands, in the order of versions; those that have run and are not there any more at the end. */
export async function migrationStatus(
  connection: Connection,
  migrations: readonly MigrationStep[],
): Promise<MigrationStatus[]> {
  const records = await stepRecords(connection.db);
  const present = migrations.map((step): MigrationStatus => {
    const record = records.get(stepId(step));
    records.delete(stepId(step));
    return {
      version: step.version,
      name: step.name,
      description: step.migration.description,
      state: isChanged(step, record) ? 'changed' : (record?.state ?? 'pending'),
      appliedAt: record?.appliedAt,
    };
  });
  const missing = Array.from(records.values(), ({ version, name, appliedAt }): MigrationStatus => {
    return { version, name, description: undefined, state: 'missing', appliedAt };
  });
  return [...present, ...missing];
}

/** Every run of a migration to its end, the first one first. */
export async function migrationRuns(connection: Connection): Promise<MigrationRun[]> {
  const found = await runs(connection.db).find({ kind: 'run' }).sort({ startedAt: 1, _id: 1 }).toArray();
  return found.map(({ version, name, direction, startedAt, milliseconds }) => {
    return { version, name, direction, startedAt, milliseconds };
  });
}
