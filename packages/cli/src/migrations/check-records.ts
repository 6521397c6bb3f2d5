import { MigrationError } from '../errors.ts';
import type { MigrationStep } from './migration.ts';
import { stepId, type StepRecord } from './state.ts';

/** @throws MigrationError where one that has run is not there any more, or not as it was. */
export function checkRecords(migrations: readonly MigrationStep[], records: ReadonlyMap<string, StepRecord>): void {
  const known = new Map(migrations.map((step) => [stepId(step), step]));
  for (const [id, record] of records) {
    const step = known.get(id);
    if (step === undefined) {
      const text = `Migration ${record.version} (${record.name}) has run on this database, and its file is not there: bring it back, or run the code that has it.`;
      throw new MigrationError(text, record.version);
    }
    if (isChanged(step, record)) {
      const text = `Migration ${record.version} was changed after it had run: put it back as it was, and write a new one for what is missing.`;
      throw new MigrationError(text, record.version);
    }
  }
}

/** True for a migration whose file is another one than it was when it ran. */
export function isChanged(step: MigrationStep, record: StepRecord | undefined): boolean {
  return record?.state === 'applied' && step.checksum !== record.checksum;
}
