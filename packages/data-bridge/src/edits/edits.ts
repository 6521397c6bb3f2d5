import { isPlainObject } from '../bson/plain-object.ts';
import { ABSENT, memberOf, toExact } from '../bson/encode.ts';
import { equalValues } from '../bson/equal-values.ts';
import { type Identities, pairElements, type Pairing } from '../bson/identity.ts';
import type { AtomicOperator } from './atomic-operators.ts';
import { compareValues, MAX_COMPARED, type ValuesEdit } from './values-edit.ts';

/** From the document to a value: the field's name, and the keys below it. */
export type Keys = readonly [string, ...string[]];

/** A value that is new or replaces the stored one whole. */
export interface SetEdit {
  readonly kind: 'set';
  /** The original, BSON-typed, or `ABSENT`. */
  readonly base: unknown;
  /** What is sent. */
  readonly value: unknown;
}

/** A value that is no longer there. */
export interface DeleteEdit {
  readonly kind: 'delete';
  readonly base: unknown;
}

/** An array that only grew, at its end. */
export interface PushEdit {
  readonly kind: 'push';
  readonly base: readonly unknown[];
  /** The whole array. */
  readonly value: readonly unknown[];
  readonly added: readonly unknown[];
}

/** An object or a Map of which some members changed. */
export interface ObjectEdit {
  readonly kind: 'object';
  readonly base: object;
  readonly value: object;
  readonly children: ReadonlyMap<string, Edit>;
  /** True where only a part of the object was loaded: then it must not be written whole. */
  readonly isPart?: true;
}

/** An array of the same length as before, of which some elements changed. */
export interface PositionsEdit {
  readonly kind: 'positions';
  readonly base: readonly unknown[];
  readonly value: readonly unknown[];
  readonly children: ReadonlyMap<number, ValueEdit>;
  /** True where its elements are told apart by what they are: one that is not in its place any more is looked for. */
  readonly isByValue?: true;
}

/** An array whose elements are identified by a member, of which some were edited, removed, added or moved. */
export interface ElementsEdit {
  readonly kind: 'elements';
  readonly base: readonly unknown[];
  readonly value: readonly unknown[];
  /** The member that identifies the elements. */
  readonly key: string;
  /** The edits of elements that stay, by their indexes in the original. */
  readonly children: ReadonlyMap<number, ValueEdit>;
  /** Elements of the original that are gone. */
  readonly removed: readonly unknown[];
  /** Elements that the original does not have. */
  readonly added: readonly unknown[];
  /** True where the elements that stay stand in another order, or new ones before them. */
  readonly isMoved: boolean;
  /** True where only a part of each element was loaded: then the array must not be written whole. */
  readonly isPart?: true;
  /** The identities of the edited elements, where they are known without decoding the others. */
  readonly ids?: ReadonlyMap<number, unknown>;
  /** True where the identities are texts; `undefined` where that is not known. */
  readonly hasTexts?: boolean;
}

/** An operator that the program asked for. */
export interface AtomicEdit {
  readonly kind: 'atomic';
  readonly operator: AtomicOperator;
  /** BSON-typed: what `applyAtomic` takes, `true` for `$currentDate`. */
  readonly operand: unknown;
  readonly base: unknown;
  /** What memory shows after it, BSON-typed, or `ABSENT`. */
  readonly value: unknown;
}

/** An edit that leaves a value. */
export type ValueEdit = SetEdit | PushEdit | ObjectEdit | PositionsEdit | ElementsEdit | ValuesEdit;

/** One node per path: two edits can never overlap. */
export type Edit = ValueEdit | DeleteEdit | AtomicEdit;

/** The edits of a document's fields, at least one. */
export interface EditTree {
  readonly kind: 'object';
  readonly children: ReadonlyMap<string, Edit>;
}

/** A change as people read it. */
export interface Change {
  /** The keys, dotted. Ambiguous where a key has a dot itself. */
  readonly path: string;
  readonly keys: readonly (string | number)[];
  /** The original, `undefined` if there was none. */
  readonly from: unknown;
  /** The current value, `undefined` if it was removed. */
  readonly to: unknown;
}

/**
 * How deep below a field the edits go; what changed deeper is part of a `set` at this level. As a pipeline an edit nests
 * by up to 10 levels of BSON for each of its own, and MongoDB refuses commands of more than 200: 10 levels of edits
 * leave room for the 90 further ones that a document may have.
 */
export const MAX_LEVELS = 10;

/**
 * What changed between a stored value and one in memory.
 *
 * @param base BSON-typed, or as JavaScript has it, or `ABSENT`. It is kept in the edit, and never written to.
 * @param value in the program's memory, which the edit does not keep; `undefined` when removed.
 * @param keys from the document to the value, for the error.
 * @param promoteBuffers the option with which the value was decoded.
 * @param identities what a schema declares of the arrays in the value.
 * @returns `null` when they are equal.
 * @throws EncodeError when BSON cannot hold the value.
 */
export function diff(
  base: unknown,
  value: unknown,
  keys: readonly (string | number)[],
  promoteBuffers = false,
  identities?: Identities,
): Edit | null {
  const exact = toExact(value, base, keys, promoteBuffers, identities);
  return exact === undefined ? compareAbsent(base) : compare(base, exact, 0, identities);
}

function compareAbsent(base: unknown): DeleteEdit | null {
  return base === ABSENT || base === undefined ? null : { kind: 'delete', base };
}

function compare(base: unknown, value: unknown, level: number, identities: Identities | undefined): ValueEdit | null {
  if (Object.is(base, value)) return null;
  const isContainer = Array.isArray(value) || hasMembers(value);
  if (isContainer && level < MAX_LEVELS && identities?.isWhole !== true) {
    if (Array.isArray(base) && Array.isArray(value)) return compareArrays(base, value, level, identities);
    if (hasMembers(base) && hasMembers(value)) return compareMembers(base, value, level, identities);
  }
  // What is no container and equals its original is the original: `toExact` made sure of that.
  return isContainer && base !== ABSENT && equalValues(base, value) ? null : { kind: 'set', base, value };
}

const UNIQUE: Identities = { key: undefined, isUnique: true, at: () => undefined };

/** What changed between two arrays of scalars, BSON-typed. */
export function arrayEdit(base: readonly unknown[], value: readonly unknown[], isUnique: boolean): ValueEdit | null {
  return compareArrays(base, value, 0, isUnique ? UNIQUE : undefined);
}

/** The longest array that a pipeline compares with its original, for the sake of what changed inside an element. */
const MAX_ENTERED = 1000;

/**
 * True where members of elements changed, which are merged with others' members while no other element and the length did
 * not change.
 */
export function entersElements({ base, children }: PositionsEdit): boolean {
  return base.length <= MAX_ENTERED && someEdit(children, ({ kind }) => kind !== 'set');
}

/** True where one of the edits of members or elements is of a kind. Asked of each save, so it makes no list of them. */
export function someEdit<E>(children: ReadonlyMap<string | number, E>, is: (edit: E) => boolean): boolean {
  for (const child of children.values()) if (is(child)) return true;
  return false;
}

/** The identities of elements, BSON-typed. */
export function idsOf(elements: readonly unknown[], key: string): unknown[] {
  return elements.map((element) => memberOf(element, key));
}

/** The identity of an edited element, by its index in the original. */
export function idOf(edit: ElementsEdit, i: number): unknown {
  // The original is not asked for without need: it may have to be decoded.
  return edit.ids === undefined ? memberOf(edit.base[i], edit.key) : edit.ids.get(i);
}

/** True for what has members that can change one by one. */
export function hasMembers(value: unknown): value is object {
  return value instanceof Map || isPlainObject(value);
}

function namesOf(container: object): string[] {
  return container instanceof Map ? Array.from(container.keys(), String) : Object.keys(container);
}

function compareMembers(
  base: object,
  value: object,
  level: number,
  identities: Identities | undefined,
): ObjectEdit | null {
  const children = new Map<string, Edit>();
  for (const key of namesOf(value)) {
    const edit = compare(memberOf(base, key), memberOf(value, key), level + 1, identities?.at(key));
    if (edit !== null) children.set(key, edit);
  }
  for (const key of namesOf(base)) {
    const edit = memberOf(value, key) === ABSENT ? compareAbsent(memberOf(base, key)) : null;
    if (edit !== null) children.set(key, edit);
  }
  return children.size === 0 ? null : { kind: 'object', base, value, children: inParallel(children) };
}

/**
 * Arrays that had one length and have one now may belong together, place by place: where one of them is sent whole, so are
 * the others.
 *
 * @param children the edits of one object's members.
 */
export function inParallel<C extends ReadonlyMap<string, Edit>>(children: C): C | Map<string, Edit> {
  for (const edit of children.values()) if (edit.kind === 'values') return wholeInParallel(children);
  return children;
}

function wholeInParallel<C extends ReadonlyMap<string, Edit>>(children: C): C | Map<string, Edit> {
  let result: Map<string, Edit> | null = null;
  for (const [name, edit] of children) {
    if (edit.kind !== 'values') continue;
    const { base, value } = edit;
    const isParallel = (other: Edit): boolean =>
      other.kind === 'set' && hasLength(other.value, value.length) && hasLength(other.base, base.length);
    if (someEdit<Edit>(children, isParallel)) (result ??= new Map(children)).set(name, { kind: 'set', base, value });
  }
  return result ?? children;
}

function hasLength(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length;
}

function compareArrays(
  base: readonly unknown[],
  value: readonly unknown[],
  level: number,
  identities: Identities | undefined,
): ValueEdit | null {
  const pairing = pairElements(value, base, identities);
  if (pairing !== null) return compareElements(base, value, pairing, level, identities);
  const elementEdit = (i: number): ValueEdit | null => compare(base[i] ?? null, value[i], level + 1, identities?.at(i));
  const common = Math.min(base.length, value.length);
  let first = 0;
  while (first < common && elementEdit(first) === null) first += 1;
  const isUnique = identities?.isUnique === true;
  if (first === base.length && first === value.length) return null;
  if (first === base.length && !isUnique) return { kind: 'push', base, value, added: value.slice(first) };
  const byValue = identities?.isBound === true ? null : compareValues(base, value, isUnique);
  if (byValue !== null && typeof byValue === 'object') return byValue;
  const children = new Map<number, ValueEdit>();
  for (let i = first; i < common; i += 1) {
    const edit = elementEdit(i);
    if (edit !== null) children.set(i, edit);
  }
  const isSameLength = base.length === value.length;
  if (byValue === 'whole' || !isSameLength || areAllReplaced(children, base.length))
    return { kind: 'set', base, value };
  const isByValue = byValue === 'in place' && children.size * base.length <= MAX_COMPARED;
  return { kind: 'positions', base, value, children, ...(isByValue && { isByValue: true as const }) };
}

/** Where every element changed, the array itself is smaller than a guard for each of them. The only one may change inside. */
export function areAllReplaced(children: ReadonlyMap<number, ValueEdit>, length: number): boolean {
  return children.size === length && (length > 1 || children.get(0)?.kind === 'set');
}

/** Elements that have to be found by their identities, times those to look through, beyond which the array is sent whole. */
export const MAX_SEARCHED = 100_000;

function compareElements(
  base: readonly unknown[],
  value: readonly unknown[],
  { key, origins }: Pairing,
  level: number,
  identities: Identities | undefined,
): ElementsEdit | SetEdit | null {
  const children = new Map<number, ValueEdit>();
  const added: unknown[] = [];
  const kept = new Set<number>();
  let isMoved = false;
  let last = -1;
  origins.forEach((origin, i) => {
    if (origin < 0) {
      added.push(value[i]);
      return;
    }
    isMoved ||= origin < last || added.length > 0;
    last = origin;
    kept.add(origin);
    const edit = compare(base[origin], value[i], level + 1, identities?.at(i));
    if (edit !== null) children.set(origin, edit);
  });
  const removed = kept.size === base.length ? [] : base.filter((_, i) => !kept.has(i));
  const searched = isMoved ? value.length : children.size + removed.length + added.length;
  if (searched === 0) return null;
  const length = Math.max(base.length, value.length);
  if (searched * length > MAX_SEARCHED) return { kind: 'set', base, value };
  return { kind: 'elements', base, value, key, children, removed, added, isMoved };
}

/** Gives a BSON-typed value as the program would read it at those keys, fresh. */
export type Live = (exact: unknown, keys: readonly (string | number)[]) => unknown;

/**
 * The same edits as people read them: one change for each leaf.
 */
export function changesOf(tree: EditTree, live: Live): Change[] {
  const changes: Change[] = [];
  for (const [name, edit] of tree.children) changesBelow(edit, [name], name, live, changes);
  return changes;
}

function changesBelow(
  edit: Edit,
  keys: readonly (string | number)[],
  path: string,
  live: Live,
  changes: Change[],
): void {
  if (edit.kind === 'object' || edit.kind === 'positions' || (edit.kind === 'elements' && isInPlace(edit))) {
    for (const [key, child] of edit.children as ReadonlyMap<string | number, Edit>) {
      const inner = keys.slice();
      inner.push(key);
      changesBelow(child, inner, `${path}.${key}`, live, changes);
    }
    return;
  }
  const to = edit.kind === 'delete' || edit.value === ABSENT ? undefined : live(edit.value, keys);
  const from = edit.base === ABSENT ? undefined : live(edit.base, keys);
  changes.push({ path, keys, from, to });
}

/** True where each element stands where it stood. Else an index would not say which one is meant. */
function isInPlace({ removed, added, isMoved }: ElementsEdit): boolean {
  return removed.length === 0 && added.length === 0 && !isMoved;
}
