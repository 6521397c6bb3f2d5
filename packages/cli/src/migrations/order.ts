import type { Db } from 'mongodb';
import { IrreversibleMigrationError, MigrationError } from '../errors.ts';
import { checkRecords } from './check-records.ts';
import { compareVersions } from './files.ts';
import type { MigrationStep } from './migration.ts';
import { type Direction, stepId, type StepRecord, stepRecords } from './state.ts';

/** Which way a database is to go. */
interface Way {
  readonly db: Db;
  readonly direction: Direction;
  readonly log: (text: string) => void;
}

/** @throws MigrationError where there is no migration of this version. */
export function checkTarget(migrations: readonly MigrationStep[], to: string | undefined): void {
  if (to === undefined) return;
  if (/^\d+$/.test(to) && migrations.some(({ version }) => compareVersions(version, to) === 0)) return;
  const versions = migrations.map(({ version }) => version).join(', ');
  throw new MigrationError(
    `There is no migration ${to}: ${versions === '' ? 'there is none' : `the versions are ${versions}`}.`,
  );
}

/** What is to be run, in that order. */
export async function planned(
  { db, direction, log }: Way,
  migrations: readonly MigrationStep[],
  to: string | undefined,
): Promise<MigrationStep[]> {
  const records = await stepRecords(db);
  checkRecords(migrations, records);
  const standing = migrations.map((step) => ({ step, state: records.get(stepId(step))?.state }));
  return direction === 'up' ? forward(standing, to, log) : backward(standing, to);
}

interface Standing {
  readonly step: MigrationStep;
  /** Undefined for one that never ran. */
  readonly state: StepRecord['state'] | undefined;
}

function forward(standing: readonly Standing[], to: string | undefined, log: (text: string) => void): MigrationStep[] {
  const open = standing.filter(
    ({ step, state }) => state !== 'applied' && (to === undefined || compareVersions(step.version, to) <= 0),
  );
  checkUninterrupted(open, 'down');
  const last = standing.findLast(({ state }) => state === 'applied')?.step.version;
  for (const { step } of open)
    if (last !== undefined && compareVersions(step.version, last) < 0)
      log(`Migration ${step.version} is older than ${last}, which has run: it runs now, out of order.`);
  return open.map(({ step }) => step);
}

function backward(standing: readonly Standing[], to: string | undefined): MigrationStep[] {
  const begun = standing.filter(
    ({ step, state }) => state !== undefined && (to === undefined || compareVersions(step.version, to) > 0),
  );
  checkUninterrupted(begun, 'up');
  const final = begun.find(({ step }) => step.migration.down === undefined);
  if (final !== undefined) throw new IrreversibleMigrationError(final.step.version);
  return begun.map(({ step }) => step).toReversed();
}

function checkUninterrupted(found: readonly Standing[], direction: Direction): void {
  const half = found.find(({ state }) => state === direction)?.step;
  if (half === undefined) return;
  const text = `Migration ${half.version} was interrupted on its way ${direction}, so a part of the documents has it: run "${direction}" to its end first.`;
  throw new MigrationError(text, half.version);
}
