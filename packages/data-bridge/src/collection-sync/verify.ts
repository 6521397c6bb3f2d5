import type { Db } from 'mongodb';
import type { Connection } from '../connection/connection.ts';
import { knownModels } from '../definition/known-models.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { DriftError, UsageError } from '../errors.ts';
import { apply } from './apply.ts';
import { readStates } from './collection-state.ts';
import { storedIndexes } from './model-indexes.ts';
import { declaredOf } from './declared.ts';
import { planIndexes } from './index-steps.ts';
import { identityOf, indexSpec } from './index-spec.ts';
import { grouped, planOf } from './plan.ts';
import type { Plan, StepClass } from './plan-types.ts';

/**
 * What is done about a database that is not as the models declare:
 *
 * - `off`: nothing, nobody looks.
 * - `warn`: a warning of the process for each collection.
 * - `refuse`: `connect()` fails with a `DriftError`.
 * - `apply`: what is missing is made. What would take something away is left, with a warning.
 */
export type Verify = 'off' | 'warn' | 'refuse' | 'apply';

export const VERIFY: readonly Verify[] = ['off', 'warn', 'refuse', 'apply'];

/** The classes of steps that `connect()` does. */
const SAFE: readonly StepClass[] = ['additive', 'widening'];

/** The databases that have been verified, and for how many models. */
const verified = new Map<string, number>();

/** Compares a database with the models that are known, once in a process. */
export async function verify(connection: Connection, mode: Exclude<Verify, 'off'>): Promise<void> {
  const models = knownModels();
  const place = placeOf(connection, mode);
  if (verified.get(place) === models.length) return;
  await compare(connection, models, mode);
  verified.set(place, models.length);
}

/**
 * Warns of unique indexes that are not there, in collections that are: without them duplicates are stored, and nobody notices. A
 * collection without documents may be about to get them. Whatever keeps it from looking is passed over, and in production it does
 * not look.
 */
export async function warnOfDuplicates(connection: Connection): Promise<void> {
  if (process.env['NODE_ENV'] === 'production') return;
  const models = knownModels().filter(({ indexes }) => indexes.some((index) => index.unique === true));
  const place = placeOf(connection, 'unique');
  if (models.length === 0 || verified.get(place) === models.length) return;
  verified.set(place, models.length);
  try {
    await lookForDuplicates(connection.db, grouped(models));
  } catch {
    // The program's own commands will show what is wrong, if anything is.
  }
}

function placeOf({ client, db }: Connection, mode: string): string {
  return JSON.stringify([client.options.hosts.map(String), db.databaseName, mode]);
}

async function lookForDuplicates(db: Db, models: ReadonlyMap<string, readonly ModelDefinition[]>): Promise<void> {
  for (const [name, { exists, options, indexes }] of await readStates(db, [...models.keys()])) {
    const there = new Set(indexes.map(identityOf));
    const missing = (models.get(name) ?? [])
      .flatMap(storedIndexes)
      .filter((index) => index.unique === true)
      .map((index) => indexSpec(index, options['collation']))
      .filter((spec) => !there.has(identityOf(spec)));
    if (!exists || missing.length === 0 || !(await hasDocuments(db, name))) continue;
    for (const each of new Set(missing.map((spec) => spec.name)))
      warn(
        'DATA_BRIDGE_MISSING_INDEX',
        `The unique index "${each}" of the collection "${name}" is not there, so duplicates are stored: call ensureIndexes(), or apply() with a plan. connect() with verify: 'off' does not look.`,
      );
  }
}

async function hasDocuments(db: Db, name: string): Promise<boolean> {
  return (await db.collection(name).findOne({}, { projection: { _id: 1 } })) !== null;
}

async function compare(connection: Connection, models: readonly ModelDefinition[], mode: Verify): Promise<void> {
  const options = mode === 'apply' ? { costs: false, allow: SAFE } : { costs: false };
  const plan = await planOf(agreeing(models), connection, options);
  if (mode === 'refuse') {
    if (plan.steps.length > 0) throw new DriftError(sentences(plan).join(' '), { plan });
    return;
  }
  if (mode === 'apply') await apply(plan, { connection });
  for (const text of mode === 'apply' ? leftOf(plan) : sentences(plan)) warn('DATA_BRIDGE_DRIFT', text);
}

/**
 * Models that do not contradict each other. Of those of one collection that do the older ones are left out: a module may have been
 * evaluated again, as hot reloading does. plan() refuses them.
 */
function agreeing(models: readonly ModelDefinition[]): ModelDefinition[] {
  return [...grouped(models)].flatMap(([name, some]) => {
    const first = some.findIndex((_, i) => agree(name, some.slice(i)));
    return some.slice(Math.max(first, 0));
  });
}

function agree(name: string, models: readonly ModelDefinition[]): boolean {
  try {
    planIndexes(
      declaredOf(name, models).indexes.map((index) => indexSpec(index)),
      [],
    );
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/** A sentence for each collection that differs. */
function sentences({ steps, collections }: Plan): string[] {
  return Object.keys(collections).flatMap((name) => {
    const own = steps.filter(({ collection }) => collection === name);
    if (own.length === 0) return [];
    const told = own.map(
      (step) => `${step.do}${'name' in step ? ` "${step.name}"` : 'index' in step ? ` "${step.index.name}"` : ''}`,
    );
    return [
      `The collection "${name}" is not as its models declare, it lacks: ${told.join(', ')}. plan() tells more, apply() does it.`,
    ];
  });
}

function leftOf({ notes }: Plan): string[] {
  return notes
    .filter(({ kind }) => kind === 'left')
    .map(({ collection, name, why }) => {
      const what = name === undefined ? '' : `the index "${name}" `;
      return `Of the collection "${collection}" ${what}was left as it is (${why}): look at plan(), and call apply() yourself.`;
    });
}

function warn(code: string, text: string): void {
  process.emitWarning(text, { type: 'DataBridgeWarning', code });
}
