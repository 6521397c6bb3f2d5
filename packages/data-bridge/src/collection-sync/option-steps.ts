import { isPlainObject } from '../bson/plain-object.ts';
import { canonical, type CollectionState, collectionSpec } from './collection-state.ts';
import type { Declared } from './declared.ts';
import type { IndexStep } from './index-steps.ts';
import { plain } from './index-spec.ts';
import type { PlanNote, StepClass } from './plan-types.ts';

/** What `create` sets for good. */
const FIXED = ['collation'] as const;

const CHANGEABLE = ['validator', 'validationLevel', 'validationAction', 'changeStreamPreAndPostImages'] as const;

/** The step for the collection itself, and what is left. */
export interface OptionPlan {
  readonly steps: readonly IndexStep[];
  readonly notes: readonly Omit<PlanNote, 'collection'>[];
  /** The options that are the models' own. */
  readonly names: readonly string[];
}

/**
 * The steps from a collection's options to those that are declared. What nobody declares stays, unless an earlier plan has set it.
 */
export function planOptions(
  { options: declared, indexes }: Declared,
  state: CollectionState,
  managed: readonly string[],
  allow: ReadonlySet<StepClass> | undefined,
): OptionPlan {
  const { validator, ...others } = declared;
  const names = Object.keys(declared).filter((name) => declared[name] !== null);
  const created = { ...others, ...(isPlainObject(validator) && { validator }) };
  if (!state.exists) {
    if (names.length === 0 && indexes.length === 0) return { steps: [], notes: [], names };
    const step = {
      do: 'createCollection',
      options: plainOptions(created),
      class: 'additive',
      why: 'is not there',
    } as const;
    return isAllowed(step) ? { steps: [step], notes: [], names } : { steps: [], notes: [leave(step.why)], names };
  }
  const wanted = collectionSpec(plainOptions(wantedOptions(declared, state, managed)));
  const notes = FIXED.filter((name) => name in declared && !isSame(wanted[name], state.options[name])).map((name) =>
    leave(`the option "${name}" differs, and is set for good when a collection is created`),
  );
  const set = Object.fromEntries(
    CHANGEABLE.filter((name) => !isSame(wanted[name], state.options[name])).map((name) => [
      name,
      wanted[name] ?? ABSENT[name],
    ]),
  );
  // Without a validator the two others say nothing.
  if ('validator' in set && !('validator' in wanted)) {
    delete set['validationLevel'];
    delete set['validationAction'];
  }
  if (Object.keys(set).length === 0) return { steps: [], notes, names };
  const step = {
    do: 'changeCollection',
    options: set,
    class: classOf(state.options, wanted),
    why: `another ${Object.keys(set).join(', ')}`,
  } as const;
  return isAllowed(step) ? { steps: [step], notes, names } : { steps: [], notes: [...notes, leave(step.why)], names };

  function isAllowed(step: IndexStep): boolean {
    return allow === undefined || allow.has(step.class);
  }
}

function leave(why: string): Omit<PlanNote, 'collection'> {
  return { kind: 'left', why };
}

/** What stands for an option that is taken away. */
const ABSENT: Readonly<Record<(typeof CHANGEABLE)[number], unknown>> = {
  validator: {},
  validationLevel: 'strict',
  validationAction: 'error',
  changeStreamPreAndPostImages: { enabled: false },
};

function wantedOptions(
  declared: Declared['options'],
  { options: there, indexes: _ }: CollectionState,
  managed: readonly string[],
): Record<string, unknown> {
  const kept = Object.fromEntries(
    Object.entries(there).filter(([name]) => !managed.includes(name) || name in declared),
  );
  const wanted: Record<string, unknown> = { ...kept, ...declared };
  // Documents that were stored before there was a rule may go on breaking it.
  if (isPlainObject(declared['validator']) && !('validator' in there)) wanted['validationLevel'] ??= 'moderate';
  return wanted;
}

function plainOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, plain(value)]));
}

function isSame(a: unknown, b: unknown): boolean {
  return canonical(a ?? null) === canonical(b ?? null);
}

/** A rule that is new adds something; one that is taken away, or takes more, widens; another one may refuse what was taken. */
function classOf(before: CollectionState['options'], after: CollectionState['options']): StepClass {
  const isAsStrict = (name: string, lax: string): boolean => before[name] === after[name] || after[name] === lax;
  if ('changeStreamPreAndPostImages' in before && !('changeStreamPreAndPostImages' in after)) return 'destructive';
  if (before['validator'] === undefined) return 'additive';
  if (after['validator'] === undefined) return 'widening';
  const isLevelKept =
    before['validationLevel'] === after['validationLevel'] ||
    after['validationLevel'] === 'off' ||
    before['validationLevel'] === 'strict';
  const isKept = isLevelKept && isAsStrict('validationAction', 'warn');
  const [old, next] = [before['validator'], after['validator']].map((each) =>
    isPlainObject(each) ? (each['$jsonSchema'] ?? each) : each,
  );
  return isKept && takesMore(old, next) ? 'widening' : 'destructive';
}

/** True where a schema surely takes what another one took, apart from optional fields that nobody had named before. */
function takesMore(old: unknown, next: unknown): boolean {
  if (isSame(old, next)) return true;
  if (!isPlainObject(old) || !isPlainObject(next)) return false;
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].every((name) => {
    const [before, after] = [old[name], next[name]];
    if (isSame(before, after) || after === undefined) return true;
    if (before === undefined) return name === 'properties' || name === 'title' || name === 'description';
    if (name === 'required') return isSubset(after, before);
    if (name === 'bsonType' || name === 'enum') return isSubset(before, after);
    if (name.startsWith('min')) return Number(after) <= Number(before);
    if (name.startsWith('max')) return Number(after) >= Number(before);
    if (name === 'items') return takesMore(before, after);
    if (name !== 'properties' || !isPlainObject(before) || !isPlainObject(after)) return false;
    return Object.keys(after).every((field) => !(field in before) || takesMore(before[field], after[field]));
  });
}

function isSubset(some: unknown, all: unknown): boolean {
  const [inner, outer] = [some, all].map((each) => new Set((Array.isArray(each) ? each : [each]).map(canonical)));
  return [...(inner ?? [])].every((each) => outer?.has(each) === true);
}
