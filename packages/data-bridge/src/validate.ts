import { copyValue, isMutable } from './bson/copy.ts';
import { equalValues } from './bson/equal.ts';
import type { RuleIssue } from './definition.ts';
import { UsageError, ValidationError, type ValidationIssue } from './errors.ts';
import type { Life } from './life.ts';
import { overlay, type SchemaField, type Verdict } from './schema.ts';

/** A program that changes a document whenever it is validated would be validated for ever. */
const MAX_ROUNDS = 100;

/**
 * Validates the changed fields, every field of a new document. On a field that was assigned as a whole the schema's
 * output is taken over, once; on what was loaded and changed in place only the verdict counts.
 *
 * @param then what to do with the valid document, at once: before the program runs again and can change it.
 * @throws ValidationError with every issue.
 */
export async function validate<R>(life: Life, then: () => R): Promise<R> {
  const issues = unknownFields(life);
  // What an asynchronous validator says holds for the value that it was given: what changed meanwhile is validated again.
  const given = new Map<string, unknown>();
  const current = (name: string): unknown => life.baseline.current(name);
  let pending = fieldsToValidate(life);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const note = (): void => pending.forEach(({ name }) => given.set(name, copyValue(current(name))));
    const verdicts = runValidators(life, pending, note);
    const waits = verdicts.some(([, verdict]) => verdict instanceof Promise);
    for (const [{ name }, verdict] of waits ? await all(verdicts) : (verdicts as Settled[])) {
      if (verdict.issues !== undefined) issues.push(...verdict.issues);
      else if (!waits || isSame(given.get(name), current(name))) takeOutput(life, name, verdict.value);
      else continue;
      if (waits) given.set(name, copyValue(current(name)));
    }
    if (issues.length > 0) throw validationError(life, issues);
    pending = waits
      ? fieldsToValidate(life).filter(({ name }) => !given.has(name) || !isSame(given.get(name), current(name)))
      : [];
    if (pending.length > 0) continue;
    const asked = askRule(life);
    if (!(asked instanceof Promise) || (await holds(life, asked))) return then();
    pending = fieldsToValidate(life);
  }
  throw new UsageError('The document was changed each time it was validated.', life.context);
}

/** Asks the model's rule across fields. Gives a promise only where the rule does. */
function askRule(life: Life): void | Promise<void> {
  const { check } = life.definition;
  if (check === undefined || !(life.isNew || life.tracker.isModified())) return;
  const found = life.inside(() => check(life.toObject()));
  const refuse = (violations: Iterable<RuleIssue>): void => {
    const issues = Array.from(violations, ({ path = '', message }) => {
      return { keys: path === '' ? [] : path.split('.'), path, message };
    });
    if (issues.length > 0) throw validationError(life, issues);
  };
  return 'then' in found ? Promise.resolve(found).then(refuse) : refuse(found);
}

/** Waits for a rule, and tells whether the document is still the one that it was asked about. */
async function holds(life: Life, asked: Promise<void>): Promise<boolean> {
  const before = life.baseline.toObject();
  await asked;
  return isSame(before, life.baseline.toObject());
}

type Running = readonly [SchemaField, Verdict | Promise<Verdict>];
type Settled = readonly [SchemaField, Verdict];

/**
 * A validator that waits could call `save()` of its own document and wait for ever: such calls are told from others.
 *
 * @param note keeps the values that are given to validators that wait.
 */
function runValidators(life: Life, fields: readonly SchemaField[], note: () => void): Running[] {
  if (fields.length === 0) return [];
  const run = (): Running[] => fields.map((field) => [field, field.validate(life.baseline.current(field.name))]);
  const runInside = (): Running[] => {
    note();
    return life.inside(run);
  };
  if (life.definition.validatesLater) return runInside();
  const verdicts = life.call(run);
  if (!verdicts.some(([, verdict]) => verdict instanceof Promise)) return verdicts;
  // The first time only: what was started outside is left alone.
  life.definition.validatesLater = true;
  return runInside();
}

function all(verdicts: readonly Running[]): Promise<Settled[]> {
  return Promise.all(verdicts.map(async ([field, verdict]) => [field, await verdict] as const));
}

function fieldsToValidate({ definition, isNew, tracker }: Life): SchemaField[] {
  if (isNew) return [...definition.fields.values()];
  return tracker.changedFields().flatMap((name) => definition.fields.get(name) ?? []);
}

function isSame(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (a !== undefined && b !== undefined && equalValues(a, b));
}

function unknownFields({ baseline, definition, isNew }: Life): ValidationIssue[] {
  if (!isNew || definition.unknown !== 'error') return [];
  const unknown = baseline.names().filter((name) => !definition.names.has(name));
  return unknown.map(unknownField);
}

function unknownField(name: string): ValidationIssue {
  return { keys: [name], path: name, message: 'the schema has no such field' };
}

/** Takes over a schema's output, once for each value that was assigned. */
function takeOutput(life: Life, name: string, output: unknown): void {
  if (!life.assigned.delete(name)) return;
  const value = life.baseline.current(name);
  if (value === undefined) return; // a field that was removed does not come back as its default
  const taken = overlay(value, output);
  if (taken !== value) life.baseline.set(name, taken);
}

/** The issues with the refused values, which are not enumerable so that logs do not show them. */
function validationError({ baseline, definition, context }: Life, issues: readonly ValidationIssue[]): ValidationError {
  const detailed = issues.map((issue) => {
    let value = baseline.current(definition.storedPath(String(issue.keys[0])));
    for (const key of issue.keys.slice(1))
      value = isMutable(value) ? (value as Record<string | number, unknown>)[key] : undefined;
    return Object.defineProperty({ ...issue }, 'value', { value, enumerable: false });
  });
  return new ValidationError(detailed, context);
}
