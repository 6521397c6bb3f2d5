import { BulkSaveError, type Connection, type Query } from 'data-bridge';
import { type Db, ObjectId } from 'mongodb';
import { checkOptions, MigrationError } from '../errors.ts';
import { BatchNames, checkBatch, OpenBatches, runBatch } from './batch.ts';
import { readOnly, showBatch, takenBack } from './dry-run.ts';
import { Lease, LEASE_TIME } from './lease.ts';
import type { BatchOptions, BatchResult, Migrated, MigrationContext, MigrationStep } from './migration.ts';
import { checkTarget, planned } from './order.ts';
import { type Direction, orNull, type Progress, runs, stepId, type StepRecord, steps } from './state.ts';

/** Options of `migrate()`. */
export interface MigrateOptions {
  /**
   * `up` runs what has not run, in the order of versions; `down` takes back what has, the last one first.
   * @default 'up'
   */
  readonly direction?: Direction;
  /** The version after which it stops: up to it, included; down to it, which itself stays. Down without one takes all back. */
  readonly to?: string;
  /**
   * Shows what batches would change, and stores nothing. Each migration is shown over what is stored now: what those before
   * it would do is not there.
   * @default false
   */
  readonly dryRun?: boolean;
  /** Is told what happens, a line at a time. */
  readonly log?: (text: string) => void;
  /** Is told how far a batch came, after each page. */
  readonly progress?: (
    version: string,
    batch: string,
    reached: { readonly seen: number; readonly changed: number },
  ) => void;
  /** Aborting it stops the run after the page that is being saved. The next run goes on from there. */
  readonly signal?: AbortSignal;
  /**
   * How long the right to migrate outlives this process when it dies, in milliseconds.
   * @default 30000
   */
  readonly leaseTime?: number;
}

const OPTIONS = ['direction', 'to', 'dryRun', 'log', 'progress', 'signal', 'leaseTime'];

/** What one run has at hand. */
interface Run extends Required<Omit<MigrateOptions, 'to' | 'leaseTime'>> {
  readonly connection: Connection;
  readonly db: Db;
  readonly hasTransactions: boolean;
}

/**
 * Runs migrations of a database, one process at a time: those that have not run, or back. What is interrupted goes on where it
 * was with the next call.
 *
 * ```ts
 * const done = await migrate(connection, await readMigrations('migrations')); // ['001', '002']
 * ```
 *
 * @returns the versions that were run, in that order.
 * @throws LeaseError where another process migrates the database.
 * @throws IrreversibleMigrationError where one to be taken back has no `down`; then none was.
 * @throws MigrationError where one that has run was changed since, or is not there any more, or fails.
 */
export async function migrate(
  connection: Connection,
  migrations: readonly MigrationStep[],
  options: MigrateOptions = {},
): Promise<string[]> {
  checkOptions('migrate', options, OPTIONS);
  const { to, leaseTime = LEASE_TIME } = options;
  const run = await runOf(connection, options);
  checkTarget(migrations, to);
  if (run.dryRun) {
    if (!run.hasTransactions)
      throw new MigrationError('A dry run needs a server with transactions: it takes back what models write.');
    return eachOf(run, await planned(run, migrations, to), (step) => show(run, step));
  }
  const lease = await Lease.take(run.db, leaseTime, run.log);
  try {
    return await eachOf(run, await planned(run, migrations, to), (step) => perform(run, lease, step));
  } finally {
    await lease.release();
  }
}

async function runOf(connection: Connection, options: MigrateOptions): Promise<Run> {
  const { direction = 'up', dryRun = false, log = () => {}, progress = () => {} } = options;
  if (direction !== 'up' && direction !== 'down')
    throw new MigrationError(`A migration goes "up" or "down", not "${String(direction)}".`);
  const { setName, msg } = await connection.db.admin().command({ hello: 1 });
  return {
    connection,
    db: connection.db,
    direction,
    dryRun,
    log,
    progress,
    signal: options.signal ?? new AbortController().signal,
    hasTransactions: setName !== undefined || msg === 'isdbgrid',
  };
}

async function eachOf(
  { signal }: Run,
  found: readonly MigrationStep[],
  run: (step: MigrationStep) => Promise<void>,
): Promise<string[]> {
  const done: string[] = [];
  for (const step of found) {
    signal.throwIfAborted();
    await run(step);
    done.push(step.version);
  }
  return done;
}

/** A dry run of one. */
async function show(run: Run, step: MigrationStep): Promise<void> {
  const { connection, db, direction, log } = run;
  log(`${step.version} ${step.name} (${direction}, dry run)`);
  const code = (): Promise<void> =>
    runStep(run, step, readOnly(db, step.version), (_name, query, each, options) =>
      showBatch(query, each, options, log),
    );
  await failing(step, direction, () => takenBack(connection, code));
}

async function perform(run: Run, lease: Lease, step: MigrationStep): Promise<void> {
  const { connection, db, direction, log, signal, hasTransactions } = run;
  const record = await begin(run, lease, step);
  const start = performance.now();
  const batches = {
    connection,
    lease,
    step: record,
    signal,
    hasTransactions,
    tell: (name: string, { seen, changed }: Progress) => run.progress(step.version, name, { seen, changed }),
  };
  log(`${step.version} ${step.name} (${direction})`);
  await failing(step, direction, () =>
    runStep(run, step, db, (name, query, each, options) => runBatch(batches, name, query, each, options)),
  );
  await end(run, lease, step, record, Math.round(performance.now() - start));
}

/** What becomes of one `batch()`. */
type Batching = <D extends Migrated>(
  name: string,
  query: Query<D>,
  each: (document: D) => unknown,
  options: BatchOptions,
) => Promise<BatchResult>;

/** Runs the migration's own code, and its batches to their end. */
async function runStep(
  { dryRun, direction, log, signal }: Run,
  step: MigrationStep,
  db: Db,
  batching: Batching,
): Promise<void> {
  const names = new BatchNames();
  const open = new OpenBatches();
  const context: MigrationContext = {
    db,
    dryRun,
    signal,
    log,
    batch: async (query, each, options = {}) => {
      checkBatch(query, each, options);
      const name = names.take(options.name);
      return open.add(name, batching(name, query, each, options));
    },
  };
  await wholly(open, async () => step.migration[direction]?.(context));
}

/** Notes that it is on its way, and takes it from every process that lost the lease. */
async function begin({ db, direction }: Run, lease: Lease, step: MigrationStep): Promise<StepRecord> {
  lease.check();
  const _id = stepId(step);
  const { version, name, checksum } = step;
  const isResumed = (await steps(db).findOne({ _id }))?.state === direction;
  const anew = isResumed ? {} : { startedAt: new Date(), progress: {} };
  const record = await orNull(
    steps(db).findOneAndUpdate(
      { _id, $or: [{ token: { $lte: lease.token } }, { token: { $exists: false } }] },
      { $set: { version, name, checksum, state: direction, token: lease.token, ...anew } },
      { upsert: true, returnDocument: 'after' },
    ),
  );
  if (record === null) throw lease.lose();
  return record;
}

async function end(
  { db, direction }: Run,
  lease: Lease,
  step: MigrationStep,
  record: StepRecord,
  milliseconds: number,
): Promise<void> {
  lease.check();
  const own = { _id: record._id, token: lease.token };
  const applied = {
    $set: { state: 'applied', appliedAt: new Date(), milliseconds } as const,
    $unset: { progress: 1 } as const,
  };
  const { matchedCount = 0, deletedCount = 0 }: { matchedCount?: number; deletedCount?: number } =
    direction === 'up' ? await steps(db).updateOne(own, applied) : await steps(db).deleteOne(own);
  if (matchedCount + deletedCount === 0) throw lease.lose();
  const { version, name } = step;
  const { startedAt } = record;
  await runs(db).insertOne({ _id: new ObjectId(), kind: 'run', version, name, direction, startedAt, milliseconds });
}

/** Runs code with its batches to their end: none writes any more when others may migrate. */
async function wholly(open: OpenBatches, code: () => Promise<void>): Promise<void> {
  try {
    await code();
  } catch (error) {
    await open.settled();
    throw error;
  }
  await open.end();
}

/** An error of the program's code tells which migration it was, and that the next run goes on. */
async function failing(step: MigrationStep, direction: Direction, code: () => Promise<void>): Promise<void> {
  try {
    await code();
  } catch (cause) {
    if (cause instanceof MigrationError || (cause instanceof Error && cause.name === 'AbortError')) throw cause;
    throw new MigrationError(
      `Migration ${step.version} (${step.name}) failed on its way ${direction}: ${reasonOf(cause)} What its batches saved stays; the next run goes on from there.`,
      step.version,
      { cause },
    );
  }
}

/** The command line shows nothing but this: of documents that were not saved it names the first one. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const results = cause instanceof BulkSaveError ? cause.results : [];
  const first = results.find(({ error, hookError }) => (error ?? hookError) !== undefined);
  if (first === undefined) return text;
  const { document, error = first.hookError } = first;
  return `${text} The first one, ${String((document as Partial<Migrated>).$id)}: ${reasonOf(error)}`;
}
