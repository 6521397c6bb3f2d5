import { copyValue } from '../bson/copy.ts';
import { ABSENT } from '../bson/encode.ts';
import { pendingOf, replaceOperands } from '../document/atomic-methods.ts';
import type { DocumentState } from '../document/document-state.ts';
import { valueAt } from '../document/path.ts';
import type { ValidationIssue } from '../errors.ts';
import { cutAlong, removeAlong } from '../schema/members.ts';
import { isSame } from '../schema/pair-elements.ts';
import type { SchemaField } from '../schema/schema-field.ts';
import { takeOutput } from '../schema/take-output.ts';
import type { Taking } from '../schema/taking.ts';
import type { PendingAtomic } from '../tracking/pending-operators.ts';

/**
 * Takes over what a schema made of a field: of each new value once, of what is stored nothing.
 *
 * @returns the issues of keys that no schema names, and of changes whose output cannot be told.
 */
export function takeField(state: DocumentState, name: string, output: unknown): ValidationIssue[] {
  const { baseline, definition } = state;
  const field = definition.fields.get(name) as SchemaField;
  const value = baseline.current(name);
  const isWhole = state.assigned.delete(name);
  if (value === undefined) return []; // a field that was removed does not come back as its default
  const taking = takingOf(field, value, output, definition.unknown);
  const waiting = pendingOf(state, name);
  const shown = waiting.map((each) => copyValue(valueAt(current(state), each.keys)));
  const taken = layOver(state, field, value, output, isWhole, taking);
  if (!Object.is(taken, value)) baseline.set(name, taken);
  const isLeft = taking.left.some((keys) => keys.length === 0);
  if (!isLeft && (taking.changed || taking.refused.length > 0))
    state.takenOver.set(name, withoutRefused(copyValue(taken), taking));
  if (taking.changed) replaceShown(state, waiting, shown);
  return issuesOf(field, taking);
}

/** What would become of a copy of the value: the copy, or the value itself where nothing would. */
export function triedOn(state: DocumentState, field: SchemaField, value: unknown, output: unknown): unknown {
  const taking = takingOf(field, value, output, 'drop');
  const taken = layOver(state, field, copyValue(value), output, state.assigned.has(field.name), taking);
  return taking.changed ? taken : value;
}

function layOver(
  state: DocumentState,
  { name, place, identities }: SchemaField,
  value: unknown,
  output: unknown,
  isAssigned: boolean,
  taking: Taking,
): unknown {
  const original = state.isNew ? undefined : state.baseline.original(name);
  const settled = state.takenOver.get(name);
  const base = settled ?? original;
  const known = {
    base: base === undefined ? ABSENT : base,
    others: settled === undefined || original === undefined ? [] : [original],
  };
  const isWhole = isAssigned || base === undefined;
  return takeOutput(taking, value, output, known, { place, identities, keys: [], isWhole });
}

function takingOf(field: SchemaField, value: unknown, output: unknown, unknown: Taking['unknown']): Taking {
  // The value is laid over while it is asked about; most schemas are never asked.
  const given = field.beginsUntold ? copyValue(value) : value;
  const isUnseen = (keys: readonly string[]): boolean => {
    const less = copyValue(given);
    removeAlong(less, keys);
    const verdict = field.validate(less);
    return !(verdict instanceof Promise) && verdict.issues === undefined && isSame(verdict.value, output);
  };
  return { unknown, isUnseen, refused: [], untold: [], left: [], changed: false };
}

function withoutRefused(copy: unknown, { refused, left }: Taking): unknown {
  for (const keys of refused) removeAlong(copy, keys);
  // They come in the order of the elements: from the end, none moves before its turn.
  for (const keys of left.toReversed()) cutAlong(copy, keys);
  return copy;
}

const CANNOT_KEEP = 'the schema has no such key, and what it makes of the value around it cannot keep any';

function issuesOf(field: SchemaField, { unknown, refused, untold }: Taking): ValidationIssue[] {
  const issue = (inner: readonly string[], message: string): ValidationIssue => {
    const keys = [field.programName, ...inner];
    return { keys, path: keys.join('.'), message };
  };
  return [
    ...refused.map((keys) => issue(keys, unknown === 'keep' ? CANNOT_KEEP : 'the schema has no such key')),
    ...untold.map((keys) =>
      issue(keys, 'nobody can tell what the schema makes of this change alone: assign the field as a whole'),
    ),
  ];
}

function current({ baseline }: DocumentState): { get(name: string): unknown } {
  return { get: (name) => baseline.current(name) };
}

/**
 * Operators that wait write what the schema made of their values. Where nobody can tell which that is, what memory shows is an
 * ordinary change.
 */
function replaceShown(state: DocumentState, waiting: readonly PendingAtomic[], shown: readonly unknown[]): void {
  waiting.forEach((each, i) => {
    const before = shown[i];
    const now = valueAt(current(state), each.keys);
    if (isSame(before, now)) return;
    const replaced = operandsAfter(each.operand, before, now);
    if (replaced === null) state.setOperators(state.pending.filter((other) => other !== each));
    else replaceOperands(state, [each], (operand) => replaced.get(operand));
  });
}

/** By each value that an operator writes the one that took its place. */
function operandsAfter(operand: unknown, before: unknown, now: unknown): Map<unknown, unknown> | null {
  const replaced = new Map<unknown, unknown>();
  for (const each of Array.isArray(operand) ? (operand as unknown[]) : [operand]) {
    if (isSame(each, before)) replaced.set(each, copyValue(now));
    else if (!Array.isArray(before) || !Array.isArray(now) || before.length !== now.length) return null;
    else {
      const at = before.findLastIndex((element) => isSame(element, each));
      if (at < 0) return null;
      replaced.set(each, copyValue(now[at] as unknown));
    }
  }
  return replaced;
}
