import type { Db } from 'mongodb';
import { type Connection, defaultConnection } from '../connection/connection.ts';
import { refuseInTransaction } from '../connection/transaction-attempt.ts';
import { translate } from '../connection/write-outcome.ts';
import { definitionKey, ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import { afterStep, type CollectionState, fingerprint, readStates } from './collection-state.ts';
import { type Declared, declaredOf } from './declared.ts';
import { indexSpec } from './index-spec.ts';
import { type IndexStep, planIndexes } from './index-steps.ts';
import { type Managed, readManaged } from './managed.ts';
import { planOptions } from './option-steps.ts';
import {
  type Plan,
  type PlannedCollection,
  type PlanNote,
  type PlanOptions,
  type PlanStep,
  STEP_CLASSES,
} from './plan-types.ts';
import { shellText } from './shell-text.ts';
import { costOf } from './step-cost.ts';

/** The class of a model. */
export interface PlannedModel {
  readonly prototype: object;
  readonly jsonSchema: Readonly<Record<string, unknown>>;
}

/**
 * What has to be done so that the database has the indexes, the validators and the options of collections that models declare.
 * It changes nothing: look at its `steps`, and hand it to `apply()`.
 *
 * ```ts
 * const plan_ = await plan([User, Order]);
 * for (const { shell, why } of plan_.steps) console.log(shell, why);
 * await apply(plan_);
 * ```
 *
 * All models of a collection have to be there: what is in the database, was made by an earlier `apply()`, and is declared by none
 * of them any more, is dropped. Indexes that nobody here made are left alone.
 *
 * @throws UsageError where models of one collection contradict each other, and for options that it does not have.
 */
export async function plan(models: readonly PlannedModel[], options: PlanOptions = {}): Promise<Plan> {
  checkPlanOptions('plan', options);
  if (!Array.isArray(models)) throw new UsageError(`plan() takes a list of models, got ${typeName(models)}.`);
  const definitions = models.map(definitionIn);
  return planOf(definitions, connectionOf(definitions), options);
}

/** The same, of models of which others of the collection may not be known. */
export async function planOne(definition: ModelDefinition, options: PlanOptions = {}): Promise<Plan> {
  checkPlanOptions('planIndexes', options);
  return planOf([definition], definition.connection(), options, { isAlone: true });
}

const plannedOn = new WeakMap<Plan, Connection>();

/**
 * The connection whose database a plan changes where the program names none: the one that it was made on, as long as that is open.
 *
 * @throws UsageError where the default connection is one to another database.
 */
export function connectionFor(planned: Plan): Connection {
  const made = plannedOn.get(planned);
  if (made?.isOpen === true) return made;
  const connection = defaultConnection();
  const { databaseName } = connection.db;
  if (databaseName === planned.database) return connection;
  throw new UsageError(
    `The plan was made for the database "${planned.database}", and the default connection is one to "${databaseName}": pass { connection } to say which one is changed.`,
  );
}

/** Makes the plan. @param isAlone what earlier plans have made may be that of other models, and stays */
export async function planOf(
  definitions: readonly ModelDefinition[],
  connection: Connection,
  options: PlanOptions,
  { isAlone = false } = {},
): Promise<Plan> {
  refuseInTransaction('plan()', 'call it before', definitions[0]?.collectionName ?? '');
  const { db, uri } = connection;
  const byCollection = grouped(definitions);
  const declared = [...byCollection].map(([name, some]) => declaredOf(name, some));
  try {
    const names = declared.map(({ collection }) => collection);
    const [states, managed, inPlace] = await Promise.all([
      readStates(db, names),
      readManaged(db, names),
      changesInPlace(db),
    ]);
    const planned = await Promise.all(
      declared.map((each) => {
        const state = states.get(each.collection) as CollectionState;
        const known = managed(each.collection);
        return planCollection(db, each, state, known, { ...options, inPlace, isAlone });
      }),
    );
    const plan_: Plan = {
      format: 1,
      database: db.databaseName,
      steps: planned.flatMap(({ steps }) => steps),
      notes: planned.flatMap(({ notes }) => notes),
      collections: Object.fromEntries(planned.map(({ name, collection }) => [name, collection])),
    };
    plannedOn.set(plan_, connection);
    return plan_;
  } catch (error) {
    throw translate(error, { model: uri });
  }
}

interface Planned {
  readonly name: string;
  readonly steps: readonly PlanStep[];
  readonly notes: readonly PlanNote[];
  readonly collection: PlannedCollection;
}

async function planCollection(
  db: Db,
  declared: Declared,
  state: CollectionState,
  managed: Managed,
  { allow, costs = true, inPlace, isAlone, ...options }: PlanOptions & { inPlace: boolean; isAlone: boolean },
): Promise<Planned> {
  const { collection: name } = declared;
  const allowed = allow && new Set(allow);
  const changes = planOptions(declared, state, isAlone ? [] : managed.options, allowed);
  const exists = changes.steps.reduce(afterStep, state);
  const specs = declared.indexes.map((index) => indexSpec(index, exists.options['collation']));
  const indexes = planIndexes(specs, state.indexes, {
    ...options,
    managed: new Set(isAlone ? [] : managed.indexes),
    ...(allowed && { allow: allowed }),
    inPlace,
  });
  const steps = [...changes.steps, ...indexes.steps];
  const documents = costs && state.exists && steps.length > 0 ? await db.collection(name).estimatedDocumentCount() : 0;
  const told = await Promise.all(
    steps.map(async (step) => tell(step, costs ? await costOf(db, name, step, documents) : undefined)),
  );
  const states = [state];
  for (const step of steps) states.push(afterStep(states.at(-1) ?? state, step));
  return {
    name,
    steps: told,
    notes: [...changes.notes, ...indexes.notes].map((note) => ({ collection: name, ...note })),
    collection: {
      states: states.map(fingerprint),
      indexes: [...new Set([...(isAlone ? managed.indexes : []), ...indexes.names])],
      options: [...new Set([...(isAlone ? managed.options : []), ...changes.names])],
    },
  };

  function tell(step: IndexStep, cost: PlanStep['cost']): PlanStep {
    return { collection: name, ...step, shell: shellText(name, step), ...(cost && { cost }) };
  }
}

/** MongoDB 6.0 and newer make an index unique in place. */
async function changesInPlace(db: Db): Promise<boolean> {
  const { versionArray } = await db.command({ buildInfo: 1 });
  return Number((versionArray as unknown[] | undefined)?.[0] ?? 0) >= 6;
}

function definitionIn(model: unknown): ModelDefinition {
  const prototype =
    typeof model === 'function' ? (model.prototype as { [definitionKey]?: unknown } | undefined) : undefined;
  const definition = prototype?.[definitionKey];
  if (definition instanceof ModelDefinition) return definition;
  throw new UsageError(`plan() takes classes that model() made the base of, got ${typeName(model)}.`);
}

/** The connection that all models use. */
function connectionOf(definitions: readonly ModelDefinition[]): Connection {
  const [first = defaultConnection(), ...others] = new Set(definitions.map((each) => each.connection()));
  if (others.length === 0) return first;
  throw new UsageError('plan() takes models of one connection: call it for those of each.');
}

export function grouped(definitions: readonly ModelDefinition[]): Map<string, ModelDefinition[]> {
  const groups = new Map<string, ModelDefinition[]>();
  for (const each of definitions) groups.set(each.collectionName, [...(groups.get(each.collectionName) ?? []), each]);
  return groups;
}

const TAKEN: Readonly<Record<keyof PlanOptions, (value: unknown) => boolean>> = {
  dropForeign: (value) => typeof value === 'boolean',
  hideFirst: (value) => typeof value === 'boolean',
  rename: (value) => typeof value === 'boolean',
  costs: (value) => typeof value === 'boolean',
  allow: (value) => Array.isArray(value) && value.every((each) => (STEP_CLASSES as readonly unknown[]).includes(each)),
};

function checkPlanOptions(method: string, options: PlanOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const test = Object.hasOwn(TAKEN, name) ? TAKEN[name as keyof PlanOptions] : undefined;
    if (test === undefined)
      throw new UsageError(
        `${method}() does not take the option "${name}": it takes ${Object.keys(TAKEN).join(', ')}.`,
      );
    if (value === undefined || test(value)) continue;
    const expected = name === 'allow' ? `a list of ${STEP_CLASSES.join(', ')}` : 'true or false';
    throw new UsageError(`${method}() takes ${expected} as "${name}", got ${typeName(value)}.`);
  }
}
