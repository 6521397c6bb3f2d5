import { copyValue, isMutable } from './bson/copy.ts';
import { typeName } from './bson/types.ts';
import type { RuleIssue } from './model-options.ts';
import { SchemaError, UsageError, ValidationError, type ValidationIssue } from './errors.ts';
import type { Life } from './life.ts';
import { fieldsForRule, validateLoaded } from './partial.ts';
import { setAt } from './path.ts';
import { retype, retypedIn } from './retyped.ts';
import { isLeft, overlay, quiet, type SchemaField, type Verdict } from './schema.ts';
import type { Edit, EditTree } from './state/edits.ts';
import { isSame } from './state/pending.ts';
import { editOf, editsOf } from './state/tracker.ts';

/** A program that changes a document whenever it is validated would be validated for ever. */
const MAX_ROUNDS = 100;

/** What is done with a valid document. @param edits gives what changed, null for nothing, where it is known from validating. */
type Then<R> = (edits?: () => EditTree | null) => R;

/** What differs from what is stored, by field; null in the place of an edit that is to be told when its value is final. */
type Edits = Map<string, Edit | null>;

/**
 * Validates the changed fields, every field of a new document. On a field that was assigned as a whole the schema's
 * output is taken over, once; on what was loaded and changed in place only the verdict counts, and the types of new values.
 *
 * One walk tells what changed and how, so that nothing is compared again but what the schemas laid something over.
 *
 * @param then what to do with the valid document, at once: before the program runs again and can change it.
 * @returns a promise only where there is something to wait for.
 * @throws ValidationError with every issue.
 * @throws SchemaError where a schema refuses what it made itself.
 */
export function validate<R>(life: Life, then: Then<R>): R | Promise<R> {
  const { definition } = life;
  if (definition.validatesLater) return validateLater(life, then);
  const edits = life.isNew ? null : changedIn(life);
  const issues = unknownFields(life);
  const judged = life.call(() => judgeAll(life, edits, issues));
  // case: a validator assigned another field, so what was said of the document no longer holds
  if (judged === null || life.disturbed) return validateLater(life, then);
  for (const name of judged.left) life.assigned.delete(name);
  for (const { field, output } of judged.outputs) {
    takeOutput(life, field.name, output);
    edits?.set(field.name, null);
  }
  if (issues.length > 0) throw validationError(life, issues);
  // What the rule does with the document is not known.
  if (definition.check === undefined) return edits === null ? then() : then(() => completed(life, edits));
  const asked = askRule(life);
  return asked instanceof Promise ? validateLater(life, then, asked) : then();
}

/** The fields that differ from what is stored. Where code of the program's is to run, it may change the value in place. */
function changedIn({ baseline, definition }: Life): Edits {
  const isLater = (name: string): boolean =>
    definition.check !== undefined || definition.fields.get(name)?.onlyLooks === false;
  return editsOf(baseline, isLater, (name) => definition.shownName(name));
}

function completed({ baseline, definition }: Life, edits: Edits): EditTree | null {
  for (const [name, edit] of edits) {
    if (edit !== null) continue;
    const told = editOf(baseline, name, (stored) => definition.shownName(stored));
    if (told === null) edits.delete(name);
    else edits.set(name, told);
  }
  return edits.size === 0 ? null : { kind: 'object', children: edits as Map<string, Edit> };
}

/** What the schemas made of the values. */
interface Judged {
  /** The fields whose values they left as they are. */
  readonly left: string[];
  readonly outputs: { readonly field: SchemaField; readonly output: unknown }[];
}

/** Runs the validators. Null where one of them waits. */
function judgeAll(life: Life, edits: Edits | null, issues: ValidationIssue[]): Judged | null {
  life.disturbed = false;
  const judged: Judged = { left: [], outputs: [] };
  const { fields } = life.definition;
  for (const each of edits === null ? fields.values() : edits.keys()) {
    const field = typeof each === 'string' ? fields.get(each) : each;
    if (field === undefined) continue;
    const value = life.baseline.current(field.name);
    const verdict = judge(life, field, value);
    if (verdict instanceof Promise) return null;
    if (verdict.issues !== undefined) issues.push(...verdict.issues);
    else if (value === undefined || Object.is(verdict.value, value)) judged.left.push(field.name);
    else judged.outputs.push({ field, output: verdict.value });
  }
  return judged;
}

/**
 * The same where validators wait, or a validator or the rule changed the document: what changed meanwhile is validated again.
 *
 * @param asked what the rule says of the document as it is, where that is asked already.
 */
async function validateLater<R>(life: Life, then: Then<R>, asked?: Promise<void>): Promise<R> {
  if (asked !== undefined && (await holds(life, asked))) return then();
  const issues = unknownFields(life);
  // What an asynchronous validator says holds for the value that it was given: what changed meanwhile is validated again.
  const given = new Map<string, unknown>();
  const current = (name: string): unknown => life.baseline.current(name);
  let pending = fieldsToValidate(life);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const verdicts = runValidators(life, pending, given);
    const waits = verdicts.some(([, verdict]) => verdict instanceof Promise);
    if (!waits && life.disturbed) {
      pending = fieldsToValidate(life);
      continue;
    }
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
    const rule = askRule(life);
    if (!(rule instanceof Promise) || (await holds(life, rule))) return then();
    pending = fieldsToValidate(life);
  }
  throw new UsageError('The document was changed each time it was validated.', life.context);
}

/** Asks the model's rule across fields. Gives a promise only where the rule does. */
function askRule(life: Life): void | Promise<void> {
  const { check } = life.definition;
  if (check === undefined || !(life.isNew || life.tracker.isModified())) return;
  const found = life.inside(() => check(fieldsForRule(life)));
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
 * @param given takes copies of the values that are given to validators that wait.
 */
function runValidators(life: Life, fields: readonly SchemaField[], given: Map<string, unknown>): Running[] {
  life.disturbed = false;
  if (fields.length === 0) return [];
  const currentOf = ({ name }: SchemaField): unknown => life.baseline.current(name);
  const runInside = (): Running[] => {
    for (const field of fields) given.set(field.name, copyValue(currentOf(field)));
    return life.inside(() =>
      fields.map((field) => [field, judge(life, field, currentOf(field), given.get(field.name))]),
    );
  };
  if (life.definition.validatesLater) return runInside();
  const verdicts = life.call(() => fields.map((field): Running => [field, judge(life, field, currentOf(field))]));
  if (!verdicts.some(([, verdict]) => verdict instanceof Promise)) return verdicts;
  // The first time only, and where nothing told before that it waits: what was started outside is left alone.
  life.definition.validatesLater = true;
  return runInside();
}

/** What a field's schema says of its value. @param given a copy of the value, where the program may change it meanwhile. */
function judge(life: Life, field: SchemaField, value: unknown, given = value): Verdict | Promise<Verdict> {
  const isWhole = life.baseline.selection === null;
  const verdict = isWhole ? field.validate(value) : validateLoaded(life, field, value);
  if (value === undefined) return verdict;
  return verdict instanceof Promise
    ? quiet(verdict.then((settled) => checkOutput(life, field, given, settled)))
    : checkOutput(life, field, value, verdict);
}

/**
 * What is taken over is a stored value from then on, and is validated whenever it changes: a schema that refuses its own
 * output would make the document one that can never be saved again. So the first output of a field that is not the value
 * that was given is validated once more, as it will be laid over that value. Only the first: transforms may be slow.
 *
 * @throws SchemaError
 */
function checkOutput(life: Life, field: SchemaField, value: unknown, verdict: Verdict): Verdict | Promise<Verdict> {
  if (verdict.issues !== undefined) return verdict;
  if (isLeft(value, verdict.value)) return { value };
  if (field.takesOutput || isSame(value, verdict.value)) return verdict;
  const taken = takenOver(life, field.name, value, verdict.value);
  if (taken === value) return verdict;
  const again = field.validate(taken);
  const decide = ({ issues }: Verdict): Verdict => {
    field.takesOutput = issues === undefined;
    if (issues === undefined) return verdict;
    const paths = issues.map(({ path }) => `"${path}"`).join(', ');
    const text = `The schema of "${field.shown}" refuses its own output (at ${paths}), which is validated again when it changes: let the schema take what it gives, too.`;
    throw new SchemaError(text, life.context);
  };
  return again instanceof Promise ? again.then(decide) : decide(again);
}

/** What would become of a value by its schema's output: the value itself, or another one. */
function takenOver(life: Life, name: string, value: unknown, output: unknown): unknown {
  if (life.assigned.has(name)) return overlay(copyValue(value), output);
  const retyped = retypedIn(life, name, output);
  if (retyped.length === 0) return value;
  const copy = new Map([[name, copyValue(value)]]);
  for (const each of retyped) setAt(copy, each.keys, each.output);
  return copy.get(name);
}

function all(verdicts: readonly Running[]): Promise<Settled[]> {
  return Promise.all(verdicts.map(async ([field, verdict]) => [field, await verdict] as const));
}

function fieldsToValidate({ definition, isNew, tracker }: Life): SchemaField[] {
  if (isNew) return [...definition.fields.values()];
  return tracker.changedFields().flatMap((name) => definition.fields.get(name) ?? []);
}

function unknownFields({ baseline, definition, isNew, kept }: Life): ValidationIssue[] {
  if (!isNew || definition.unknown !== 'error') return [];
  const unknown = baseline.names().filter((name) => !definition.names.has(name) && kept?.has(name) !== true);
  return unknown.map(unknownField);
}

function unknownField(name: string): ValidationIssue {
  return { keys: [name], path: name, message: 'the schema has no such field' };
}

/** Takes over a schema's output: once for each value that was assigned, else the types of what was put inside. */
function takeOutput(life: Life, name: string, output: unknown): void {
  if (!life.assigned.delete(name)) {
    retype(life, name, retypedIn(life, name, output));
    return;
  }
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
    const message = withoutValue(issue.message, value);
    return Object.defineProperty({ ...issue, message }, 'value', { value, enumerable: false });
  });
  return new ValidationError(detailed, context);
}

/** How ArkType and Valibot quote what they refuse: `must be an email address (was "…")`, `Invalid email: Received "…"`. */
const QUOTES = [/(?<=\(was ).*(?=\))/s, /(?<=[Rr]eceived ).*$/s];

/** The sentence of a schema library with the type of the value where it quotes the value itself. */
function withoutValue(message: string, value: unknown): string {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  // Names of types stay, and so does a number that is no value but a length.
  const isQuoted = (text: string): boolean => !/^(?:an? )?\p{L}+$/u.test(text) && (isNumber || !/^\d+$/.test(text));
  const replace = (found: string): string => (isQuoted(found) ? typeName(value) : found);
  return QUOTES.reduce((text, quote) => text.replace(quote, replace), message);
}
