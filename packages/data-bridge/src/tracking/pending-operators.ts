import { setOwn } from '../bson/plain-object.ts';
import { ABSENT, memberOf, toExact } from '../bson/encode.ts';
import { equalValues } from '../bson/equal-values.ts';
import type { AtomicOperator } from '../edits/atomic-operators.ts';
import type { Baseline } from './baseline.ts';
import { type AtomicEdit, type Edit, type EditTree, hasMembers, type Keys, type ObjectEdit } from '../edits/edits.ts';
import { treeOf } from './state-tracker.ts';

/** An atomic operator that waits for a save. */
export interface PendingAtomic {
  readonly keys: Keys;
  readonly operator: AtomicOperator;
  readonly operand: unknown;
  /** A copy of what memory shows since, `undefined` for nothing. While memory equals it, nobody changed the value again. */
  readonly shown: unknown;
}

/** The edits to send, and the operators among them that the program asked for. */
export interface AtomicTree {
  readonly tree: EditTree | null;
  readonly atomics: readonly PendingAtomic[];
}

/**
 * The edits since the last save with atomic operators at their places. One whose value was changed again in another way,
 * or that lies in something new, is left out: the ordinary edit says what memory shows.
 *
 * @param programName what errors call a field.
 * @param edits those without the operators, where they are known.
 */
export function treeWith(
  baseline: Baseline,
  pending: readonly PendingAtomic[],
  programName?: (name: string) => string,
  edits = treeOf(baseline, programName),
): AtomicTree {
  if (pending.length === 0) return { tree: edits, atomics: pending };
  const children = new Map(edits?.children);
  const atomics: PendingAtomic[] = [];
  for (const each of pending) {
    const [name, ...inner] = each.keys;
    const grafted = isShown(baseline, each)
      ? withOperator(children.get(name), baseline.exact(name), inner, each)
      : null;
    if (grafted === null) continue;
    children.set(name, grafted);
    atomics.push(each);
  }
  return { tree: children.size === 0 ? null : { kind: 'object', children }, atomics };
}

/** True where memory shows what it did after the operator. */
export function isShown(baseline: Baseline, { keys: [name, ...inner], shown }: PendingAtomic): boolean {
  return equalOrBothUndefined(inner.reduce(liveMember, baseline.current(name)), shown);
}

/** True where both are absent, or equal. */
export function equalOrBothUndefined(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (a !== undefined && b !== undefined && equalValues(a, b));
}

/** The original at those keys, BSON-typed, or `ABSENT`. */
export function exactAt(baseline: Baseline, [name, ...inner]: Keys): unknown {
  return inner.reduce<unknown>(memberOf, baseline.exact(name));
}

function liveMember(container: unknown, key: string): unknown {
  const value = memberOf(container, key);
  return value === ABSENT ? undefined : value;
}

/** The edit of `base` with the operator at those keys below it, null where something on the way is new or no object. */
function withOperator(
  edit: Edit | undefined,
  base: unknown,
  keys: readonly string[],
  atomic: PendingAtomic,
): Edit | null {
  const [key, ...inner] = keys;
  if (key === undefined) return atomicEdit(base, atomic);
  const around = edit ?? unchanged(base);
  if (around?.kind !== 'object') return null;
  const child = withOperator(around.children.get(key), memberOf(base, key), inner, atomic);
  if (child === null) return null;
  return { kind: 'object', base: around.base, value: around.value, children: new Map(around.children).set(key, child) };
}

function unchanged(base: unknown): ObjectEdit | null {
  return hasMembers(base) ? { kind: 'object', base, value: base, children: new Map() } : null;
}

function atomicEdit(base: unknown, { keys, operator, operand, shown }: PendingAtomic): AtomicEdit {
  const value = shown === undefined ? ABSENT : toExact(shown, base, keys);
  // A number over a stored double or long is sent as one; the values of an array have no originals.
  return {
    kind: 'atomic',
    operator,
    operand: toExact(operand, Array.isArray(operand) ? ABSENT : base, keys),
    base,
    value,
  };
}

/**
 * The edits as they were carried out: in the place of each operator the value that it left.
 *
 * @param stored gives the fields as they are stored after it; null when they are not known: then what memory showed.
 */
export function carriedOut(tree: EditTree, stored: ((name: string) => unknown) | null): EditTree {
  const left: Left = (atomic, [name, ...inner]) =>
    stored === null ? atomic.value : inner.reduce<unknown>(memberOf, stored(name));
  const results = Array.from(tree.children, ([name, edit]) => [name, result(edit, [name], left)] as const);
  return { kind: 'object', children: new Map(results) };
}

/** Gives the value that an operator left at those keys, or `ABSENT`. */
type Left = (atomic: AtomicEdit, keys: Keys) => unknown;

function result(edit: Edit, keys: Keys, left: Left): Edit {
  if (edit.kind === 'object') return resultOfMembers(edit, keys, left);
  if (edit.kind !== 'atomic') return edit;
  const { base } = edit;
  const value = left(edit, keys);
  return value === ABSENT ? { kind: 'delete', base } : { kind: 'set', base, value };
}

function resultOfMembers(edit: ObjectEdit, keys: Keys, left: Left): ObjectEdit {
  const children = new Map<string, Edit>();
  let value = edit.value;
  for (const [key, child] of edit.children) {
    const done = result(child, [...keys, key], left);
    children.set(key, done);
    if (done !== child) value = withMember(value, key, done.kind === 'delete' ? ABSENT : done.value);
  }
  if (value === edit.value) return edit;
  return { kind: 'object', base: edit.base, value, children, ...(edit.isPart && { isPart: edit.isPart }) };
}

function withMember(container: object, key: string, value: unknown): object {
  const members = new Map<string, unknown>(container instanceof Map ? container : Object.entries(container));
  if (value === ABSENT) members.delete(key);
  else members.set(key, value);
  if (container instanceof Map) return members;
  const object = {};
  for (const [name, member] of members) setOwn(object, name, member);
  return object;
}
