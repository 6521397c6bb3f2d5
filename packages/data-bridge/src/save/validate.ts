import { copyValue, isMutable } from '../bson/copy.ts';
import { ABSENT } from '../bson/encode.ts';
import { typeName } from '../schema/bson-types.ts';
import type { RuleIssue } from '../definition/model-options.ts';
import { SchemaError, UsageError, ValidationError, type ValidationIssue } from '../errors.ts';
import type { DocumentState } from '../document/document-state.ts';
import { validateLoaded } from '../document/judge-loaded.ts';
import { fieldsForRule } from '../document/loaded-part.ts';
import { droppable, type SchemaField, type Verdict } from '../schema/schema-field.ts';
import { isAsGiven } from '../schema/take-output.ts';
import { takeField, triedOn } from './take-field.ts';
import { type Edit, type EditTree, inParallel } from '../edits/edits.ts';
import { equalOrBothUndefined } from '../tracking/pending-operators.ts';
import { editOf, editsOf } from '../tracking/state-tracker.ts';

/** A program that changes a document whenever it is validated would be validated forever. */
const MAX_ROUNDS = 100;

/** What is done with a valid document. @param edits gives what changed, null for nothing, where it is known from validating. */
type Then<R> = (edits?: () => EditTree | null) => R;

/** What differs from what is stored, by field; null instead of an edit that is made when its value is final. */
type Edits = Map<string, Edit | null>;

/**
 * Validates the changed fields, every field of a new document. What the schemas made of new values is taken over, once; of
 * what is stored only the verdict counts.
 *
 * One walk finds what changed and how, so that only what the schemas replaced is compared again.
 *
 * @param then what to do with the valid document, at once: before the program runs again and can change it.
 * @returns a promise only where there is something to wait for.
 * @throws ValidationError with every issue.
 * @throws SchemaError where a schema refuses what it made itself.
 */
export function validate<R>(state: DocumentState, then: Then<R>): R | Promise<R> {
  const { definition } = state;
  if (definition.validatesLater) return validateLater(state, then);
  const edits = state.isNew ? null : changedIn(state);
  const issues = unknownFields(state, edits?.keys() ?? null);
  const judged = state.operations.call(() => judgeAll(state, edits, issues));
  // case: a validator assigned another field, so what was said of the document no longer holds
  if (judged === null || state.disturbed) return validateLater(state, then);
  for (const { field, output } of judged.outputs) {
    issues.push(...takeField(state, field.name, output));
    edits?.set(field.name, null);
  }
  // What was refused is still to be taken over, once it is valid; what has no schema is never judged.
  const judgedToo = edits ?? definition.fields;
  state.assigned.keep((name) => !judgedToo.has(name) || !definition.fields.has(name) || judged.refused.includes(name));
  if (issues.length > 0) throw validationError(state, issues);
  // What the rule does with the document is not known.
  if (definition.check === undefined) return edits === null ? then() : then(() => completed(state, edits));
  const asked = askRule(state);
  return asked instanceof Promise ? validateLater(state, then, asked) : then();
}

/** The fields that differ from what is stored. */
function changedIn({ baseline, definition }: DocumentState): Edits {
  return editsOf(baseline, definition.runsCode, definition.namer);
}

function completed({ baseline, definition }: DocumentState, edits: Edits): EditTree | null {
  for (const [name, edit] of edits) {
    if (edit !== null) continue;
    const found = editOf(baseline, name, definition.namer);
    if (found === null) edits.delete(name);
    else edits.set(name, found);
  }
  return edits.size === 0 ? null : { kind: 'object', children: inParallel(edits as Map<string, Edit>) };
}

/** What the schemas made of the values. */
interface Judged {
  readonly refused: string[];
  /** Of the fields whose values they did not leave as they are. */
  readonly outputs: { readonly field: SchemaField; readonly output: unknown }[];
}

/** Runs the validators. Null where one of them waits. */
function judgeAll(state: DocumentState, edits: Edits | null, issues: ValidationIssue[]): Judged | null {
  state.disturbed = false;
  const judged: Judged = { refused: [], outputs: [] };
  const { fields, fieldList } = state.definition;
  for (const each of edits === null ? fieldList : edits.keys()) {
    const field = typeof each === 'string' ? fields.get(each) : each;
    if (field === undefined) continue;
    const value = state.baseline.current(field.name);
    const verdict = judge(state, field, value);
    if (verdict instanceof Promise) return null;
    if (verdict.issues !== undefined) {
      judged.refused.push(field.name);
      issues.push(...verdict.issues);
    } else if (value !== undefined && !Object.is(verdict.value, value)) {
      judged.outputs.push({ field, output: verdict.value });
    }
  }
  return judged;
}

/**
 * The same where validators wait, or a validator or the rule changed the document: what changed meanwhile is validated again.
 *
 * @param asked what the rule says of the document as it is, where that is asked already.
 */
async function validateLater<R>(state: DocumentState, then: Then<R>, asked?: Promise<void>): Promise<R> {
  if (asked !== undefined && (await isUnchangedAfter(state, asked))) return then();
  const issues = unknownFields(state, null);
  // What an asynchronous validator says holds for the value that it was given: what changed meanwhile is validated again.
  const given = new Map<string, unknown>();
  const current = (name: string): unknown => state.baseline.current(name);
  let pending = fieldsToValidate(state);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const verdicts = runValidators(state, pending, given);
    const waits = verdicts.some(([, verdict]) => verdict instanceof Promise);
    if (!waits && state.disturbed) {
      pending = fieldsToValidate(state);
      continue;
    }
    for (const [{ name }, verdict] of waits ? await all(verdicts) : (verdicts as Settled[])) {
      if (verdict.issues !== undefined) issues.push(...verdict.issues);
      else if (!waits || equalOrBothUndefined(given.get(name), current(name)))
        issues.push(...takeField(state, name, verdict.value));
      else continue;
      if (waits) given.set(name, copyValue(current(name)));
    }
    if (issues.length > 0) throw validationError(state, issues);
    pending = waits
      ? fieldsToValidate(state).filter(
          ({ name }) => !given.has(name) || !equalOrBothUndefined(given.get(name), current(name)),
        )
      : [];
    if (pending.length > 0) continue;
    const rule = askRule(state);
    if (!(rule instanceof Promise) || (await isUnchangedAfter(state, rule))) return then();
    pending = fieldsToValidate(state);
  }
  throw new UsageError('The document was changed each time it was validated.', state.context);
}

/** Asks the model's rule across fields. Gives a promise only where the rule does. */
function askRule(state: DocumentState): void | Promise<void> {
  const { check } = state.definition;
  if (check === undefined || !(state.isNew || state.tracker.isModified())) return;
  const found = state.operations.inside(() => check(fieldsForRule(state)));
  const refuse = (violations: Iterable<RuleIssue>): void => {
    const issues = Array.from(violations, ({ path = '', message }) => {
      return { keys: path === '' ? [] : path.split('.'), path, message };
    });
    if (issues.length > 0) throw validationError(state, issues);
  };
  return 'then' in found ? Promise.resolve(found).then(refuse) : refuse(found);
}

/** Waits for a rule. True where the document is still as it was when the rule was asked. */
async function isUnchangedAfter(state: DocumentState, asked: Promise<void>): Promise<boolean> {
  const before = state.baseline.toObject();
  await asked;
  return equalOrBothUndefined(before, state.baseline.toObject());
}

type Running = readonly [SchemaField, Verdict | Promise<Verdict>];
type Settled = readonly [SchemaField, Verdict];

/**
 * A validator that waits could call `save()` of its own document and wait forever: such calls are recognized.
 *
 * @param given takes copies of the values that are given to validators that wait.
 */
function runValidators(state: DocumentState, fields: readonly SchemaField[], given: Map<string, unknown>): Running[] {
  state.disturbed = false;
  if (fields.length === 0) return [];
  const currentOf = ({ name }: SchemaField): unknown => state.baseline.current(name);
  const runInside = (): Running[] => {
    for (const field of fields) given.set(field.name, copyValue(currentOf(field)));
    return state.operations.inside(() =>
      fields.map((field) => [field, judge(state, field, currentOf(field), given.get(field.name))]),
    );
  };
  if (state.definition.validatesLater) return runInside();
  const verdicts = state.operations.call(() =>
    fields.map((field): Running => [field, judge(state, field, currentOf(field))]),
  );
  if (!verdicts.some(([, verdict]) => verdict instanceof Promise)) return verdicts;
  // The first time only, and where nothing showed before that it waits: what was started outside is left alone.
  state.definition.validatesLater = true;
  return runInside();
}

/** What a field's schema says of its value. @param given a copy of the value, where the program may change it meanwhile. */
function judge(state: DocumentState, field: SchemaField, value: unknown, given = value): Verdict | Promise<Verdict> {
  const isWhole = state.baseline.selection === null;
  const verdict = isWhole ? field.validate(value) : validateLoaded(state, field, value);
  if (value === undefined) return verdict;
  return verdict instanceof Promise
    ? droppable(verdict.then((settled) => checkOutput(state, field, given, settled)))
    : checkOutput(state, field, value, verdict);
}

/**
 * What is taken over is a stored value from then on, and is validated whenever it changes: a schema that refuses its own
 * output would make the document one that can never be saved again. So the first output of a field that is not the value
 * that was given is validated once more, as it will be copied into that value. Only the first: transforms may be slow.
 *
 * @throws SchemaError
 */
function checkOutput(
  state: DocumentState,
  field: SchemaField,
  value: unknown,
  verdict: Verdict,
): Verdict | Promise<Verdict> {
  if (verdict.issues !== undefined) return verdict;
  if (Object.is(value, verdict.value)) return verdict;
  if (isAsGiven(value, verdict.value)) return { value };
  // What misses what was not loaded cannot be validated again.
  if (field.takesOutput || state.baseline.selection !== null || equalOrBothUndefined(value, verdict.value))
    return verdict;
  const taken = triedOn(state, field, value, verdict.value);
  if (taken === value) return verdict;
  const again = field.validate(taken);
  const decide = ({ issues }: Verdict): Verdict => {
    field.takesOutput = issues === undefined;
    if (issues === undefined) return verdict;
    const paths = issues.map(({ path }) => `"${path}"`).join(', ');
    const text = `The schema of "${field.programName}" refuses its own output (at ${paths}), which is validated again when it changes: let the schema take what it gives, too.`;
    throw new SchemaError(text, state.context);
  };
  return again instanceof Promise ? again.then(decide) : decide(again);
}

function all(verdicts: readonly Running[]): Promise<Settled[]> {
  return Promise.all(verdicts.map(async ([field, verdict]) => [field, await verdict] as const));
}

function fieldsToValidate({ definition, isNew, tracker }: DocumentState): SchemaField[] {
  if (isNew) return [...definition.fieldList];
  return tracker.changedFields().flatMap((name) => definition.fields.get(name) ?? []);
}

/** The fields that the schema does not name: all of a new document's, of a stored one those that it had not. */
function unknownFields(state: DocumentState, changed: Iterable<string> | null): ValidationIssue[] {
  const { baseline, definition, isNew, kept } = state;
  const issues: ValidationIssue[] = [];
  for (const name of isNew ? baseline.names() : (changed ?? state.tracker.changedFields())) {
    if (definition.isTime(name)) issues.push(...timeIssues(state, name));
    if (definition.unknown === 'keep') continue;
    if (definition.names.has(name) || definition.isRevision(name) || kept?.has(name) === true) continue;
    if (baseline.current(name) === undefined || (!isNew && baseline.exact(name) !== ABSENT)) continue;
    if (definition.unknown === 'error') issues.push(unknownField(name));
    else baseline.set(name, undefined);
  }
  return issues;
}

/** A time of the mapper's own: no input can have it, and whoever sets it gives a Date. */
function timeIssues({ assigned, baseline, definition, isNew }: DocumentState, name: string): ValidationIssue[] {
  const value = baseline.current(name);
  const path = definition.programName(name);
  const issue = (message: string): ValidationIssue[] => [{ keys: [path], path, message }];
  if (isNew && assigned.has(name))
    return issue('the model keeps this time itself: pass { timestamps: false } to import documents with theirs');
  const isDate = value instanceof Date && !Number.isNaN(value.getTime());
  return value === undefined || isDate ? [] : issue(`Expected a Date, got ${typeName(value)}`);
}

function unknownField(name: string): ValidationIssue {
  return { keys: [name], path: name, message: 'the schema has no such field' };
}

/** The issues with the refused values, which are not enumerable so that logs do not show them. */
function validationError(
  { baseline, definition, context }: DocumentState,
  issues: readonly ValidationIssue[],
): ValidationError {
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
export function withoutValue(message: string, value: unknown): string {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  // Names of types stay, and so does a number that is no value but a length.
  const isQuoted = (text: string): boolean => !/^(?:an? )?\p{L}+$/u.test(text) && (isNumber || !/^\d+$/.test(text));
  const replace = (found: string): string => (isQuoted(found) ? typeName(value) : found);
  return QUOTES.reduce((text, quote) => text.replace(quote, replace), message);
}
