import type { BSON, Db } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { Connection } from '../connection/connection.ts';
import { serverCode } from '../connection/driver-error.ts';
import { refuseInTransaction } from '../connection/transaction-attempt.ts';
import { safely, translate } from '../connection/write-outcome.ts';
import { DuplicateKeyError, OutdatedPlanError, UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import { fingerprint, readStates } from './collection-state.ts';
import { describeIndex, revived } from './index-spec.ts';
import { announceManaged, keepManaged, readManaged } from './managed.ts';
import { connectionFor } from './plan.ts';
import type { Plan, PlanStep } from './plan-types.ts';

/** How `apply()` goes about it. */
export interface ApplyOptions {
  /**
   * The connection whose database is changed.
   * @default the one that the plan was made on; for a plan that was a file the default connection, if its database has the same name
   */
  readonly connection?: Connection;
  /** Is told of each step once it is done. */
  readonly onStep?: (step: PlanStep) => unknown;
}

/** What `apply()` did. */
export interface ApplyResult {
  readonly applied: readonly PlanStep[];
  /** The steps that an earlier `apply()` of the same plan, which was interrupted, had done already. */
  readonly skipped: readonly PlanStep[];
}

const INDEX_NOT_FOUND = 27;
const NAMESPACE_EXISTS = 48;
const CANNOT_BE_UNIQUE = 359;

/**
 * Does what a plan says, one step after another. A plan may have been a file for a while: where the database is not any more as it
 * was when the plan was made, nothing is done. Where an apply was interrupted, the same plan goes on, and so does a new one.
 *
 * ```ts
 * await apply(await plan([User, Order]), { onStep: ({ shell }) => console.log(shell) });
 * ```
 *
 * @throws UsageError where no connection is named, and the default one is to another database than the plan is for.
 * @throws OutdatedPlanError where the database has moved on; DuplicateKeyError where documents have the same value under an
 *   index that is to be unique. What was done before stays.
 */
export async function apply(plan: Plan, options: ApplyOptions = {}): Promise<ApplyResult> {
  checkPlan(plan);
  const { onStep, connection = connectionFor(plan) } = checked(options);
  refuseInTransaction('apply()', 'call it before', plan.steps[0]?.collection ?? '');
  const { db } = connection;
  const names = Object.keys(plan.collections);
  try {
    const [states, managed] = await Promise.all([readStates(db, names), readManaged(db, names)]);
    const done = new Map(names.map((name) => [name, stepsDone(plan, name, states)]));
    const applied: PlanStep[] = [];
    const skipped: PlanStep[] = [];
    for (const name of names) {
      const planned = plan.collections[name] as Plan['collections'][string];
      const steps = plan.steps.filter(({ collection }) => collection === name);
      const from = done.get(name) ?? 0;
      const known = managed(name);
      const isKnown = (['indexes', 'options'] as const).every((part) => isSameSet(known[part], planned[part]));
      skipped.push(...steps.slice(0, from));
      if (from < steps.length && !isKnown) await announceManaged(db, name, planned);
      for (const step of steps.slice(from)) {
        await run(db, step);
        applied.push(step);
        await onStep?.(step);
      }
      if (!isKnown) await keepManaged(db, name, planned);
    }
    return { applied, skipped };
  } catch (error) {
    throw translate(error, { model: db.databaseName });
  }
}

/** How many steps of a collection have been done. */
function stepsDone(plan: Plan, name: string, states: ReadonlyMap<string, Parameters<typeof fingerprint>[0]>): number {
  const state = states.get(name);
  const done = state === undefined ? -1 : (plan.collections[name]?.states.lastIndexOf(fingerprint(state)) ?? -1);
  if (done >= 0) return done;
  const text =
    'The indexes or options of this collection are not any more as they were when the plan was made: make a new plan.';
  throw new OutdatedPlanError(text, { model: name });
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}

/** Does a step. That somebody else has just done the same is no error. */
async function run(db: Db, step: PlanStep): Promise<void> {
  try {
    for (const command of commandsOf(step)) await db.command(command);
  } catch (error) {
    const code = serverCode(error);
    if (step.do === 'createCollection' && code === NAMESPACE_EXISTS) return;
    if (step.do === 'dropIndex' && code === INDEX_NOT_FOUND) return;
    if (step.do === 'makeUnique') await unprepare(db, step.collection, step.index.name);
    throw step.do === 'makeUnique' && code === CANNOT_BE_UNIQUE ? notUnique(step, error) : error;
  }
}

function notUnique({ collection, index }: PlanStep & { readonly do: 'makeUnique' }, error: unknown): DuplicateKeyError {
  const fields = index.key.map(([path]) => path);
  const text = `The index "${index.name}" cannot become unique: documents have the same ${fields.join(', ')}. The cost of the step in a new plan names some.`;
  return new DuplicateKeyError(text, { model: collection, fields, cause: safely(error) });
}

/** New duplicates are taken again, as they were before. The error that led here says more than one of this. */
async function unprepare(db: Db, collection: string, name: string): Promise<void> {
  await db.command(change(collection, { name, prepareUnique: false })).catch(() => undefined);
}

function commandsOf(step: PlanStep): BSON.Document[] {
  const { collection } = step;
  switch (step.do) {
    case 'createCollection':
      return [{ create: collection, ...revived(step.options) }];
    case 'changeCollection':
      return [{ collMod: collection, ...revived(step.options) }];
    case 'createIndex':
      return [{ createIndexes: collection, indexes: [describeIndex(step.index)] }];
    case 'changeIndex':
      return [change(collection, { name: step.name, ...step.set })];
    case 'makeUnique': {
      const { name } = step.index;
      return [change(collection, { name, prepareUnique: true }), change(collection, { name, unique: true })];
    }
    case 'hideIndex':
      return [change(collection, { name: step.name, hidden: true })];
    case 'dropIndex':
      return [{ dropIndexes: collection, index: step.name }];
  }
}

function change(collection: string, index: object): BSON.Document {
  return { collMod: collection, index };
}

function checkPlan(plan: unknown): void {
  if (isPlainObject(plan) && plan['format'] === 1 && Array.isArray(plan['steps']) && isPlainObject(plan['collections']))
    return;
  throw new UsageError(
    `apply() takes a plan, as plan() of this version gives it, got ${isPlainObject(plan) ? 'another object' : typeName(plan)}.`,
  );
}

function checked(options: ApplyOptions): ApplyOptions {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (name === 'connection' ? value instanceof Connection : name === 'onStep' && typeof value === 'function')
      continue;
    throw new UsageError(
      `apply() takes the options connection, a connection, and onStep, a function; not this "${name}".`,
    );
  }
  return options;
}
