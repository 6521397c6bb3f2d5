import { setOwn } from '../bson/plain-object.ts';
import { ABSENT, memberOf } from '../bson/encode.ts';
import { equalValues } from '../bson/equal-values.ts';
import { identityOf } from '../bson/identity.ts';
import { UNFIT } from './atomic-rule.ts';
import { applyAtomic, ruleOf, whyInapplicable } from './atomic-operators.ts';
import {
  arrayEdit,
  type AtomicEdit,
  type Edit,
  type EditTree,
  type ElementsEdit,
  entersElements,
  hasMembers,
  type ObjectEdit,
  type PositionsEdit,
  type ValueEdit,
} from './edits.ts';
import { isIn, mergeValues, replaceValues } from './merge-values.ts';
import type { ValuesEdit } from './values-edit.ts';

/** An edit whose original another writer changed, too. Values are BSON-typed, `ABSENT` for what is not there. */
export interface Clash {
  /** The keys from the document to the value. */
  readonly keys: readonly (string | number)[];
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
}

/** What is done where edits clash: gives the edit of their value, or null to leave that as it is. */
export type Settle = (clash: Clash) => Edit | null;

interface Rebasing {
  readonly settle: Settle;
  /** True where more is a clash than what cannot be laid on the newer document: all that guards ask of it. */
  readonly isGuarded: boolean;
}

/**
 * Places edits on a newer document: the same edits, with what is stored there as their originals. What is stored there
 * already needs no edit. Writers whose edits touch different paths, or only add to one, do not clash.
 *
 * @param theirs gives a field of the newer document, BSON-typed, or `ABSENT`.
 * @returns null when nothing is left to write.
 */
export function rebaseEdits(
  tree: EditTree,
  theirs: (name: string) => unknown,
  settle: Settle,
  isGuarded = false,
): EditTree | null {
  const children = new Map<string, Edit>();
  for (const [name, edit] of tree.children) {
    const rebased = rebaseEdit(edit, theirs(name), [name], { settle, isGuarded });
    if (rebased !== null) children.set(name, rebased);
  }
  return children.size === 0 ? null : { kind: 'object', children };
}

/**
 * Where edits and a newer document clash.
 *
 * @param isGuarded true for what a guard of the edits' originals, or of their kinds, would not let pass.
 */
export function clashesOf(tree: EditTree, theirs: (name: string) => unknown, isGuarded = false): Clash[] {
  const clashes: Clash[] = [];
  const note: Settle = (clash) => {
    clashes.push(clash);
    return null;
  };
  rebaseEdits(tree, theirs, note, isGuarded);
  return clashes;
}

/** The edit that brings their value to this one; null where it is that already. */
export function editTo(theirs: unknown, value: unknown): Edit | null {
  if (equalOrBothAbsent(theirs, value)) return null;
  return value === ABSENT ? { kind: 'delete', base: theirs } : { kind: 'set', base: theirs, value };
}

/** My value wins. */
export const takeMine: Settle = ({ mine, theirs }) => editTo(theirs, mine);

/** True where an operator means the same to their value as to its original. */
export function keepsMeaning(
  { operator, operand, base }: Pick<AtomicEdit, 'operator' | 'operand' | 'base'>,
  theirs: unknown,
): boolean {
  const { types, standsAlone, stored } = ruleOf(operator);
  if (!standsAlone && !equalOrBothAbsent(base, theirs)) return false;
  if (theirs === ABSENT) return true;
  if (whyInapplicable(operator, theirs, operand) !== null) return false;
  return types === null || stored(theirs, operand, 'pipeline') !== UNFIT;
}

function isGone({ operator, base }: AtomicEdit, theirs: unknown): boolean {
  return theirs === ABSENT && base !== ABSENT && ruleOf(operator).types !== null;
}

/** True where both stored values are equal, or both not there. */
export function equalOrBothAbsent(a: unknown, b: unknown): boolean {
  const [left, right] = [a, b].map((value) => (value === undefined ? ABSENT : value));
  return left === right || (left !== ABSENT && right !== ABSENT && equalValues(left, right));
}

function rebaseEdit(edit: Edit, theirs: unknown, keys: Clash['keys'], by: Rebasing): Edit | null {
  const mine = edit.kind === 'delete' ? ABSENT : edit.value;
  const clash = (): Edit | null => by.settle({ keys, base: edit.base, mine, theirs });
  switch (edit.kind) {
    case 'set':
    case 'delete':
      return equalOrBothAbsent(edit.base, theirs) ? editTo(theirs, mine) : clash();
    case 'push':
      if (!Array.isArray(theirs)) return clash();
      return { kind: 'push', base: theirs, value: [...(theirs as unknown[]), ...edit.added], added: edit.added };
    case 'atomic':
      // What is gone was of another kind than what is not there.
      return (by.isGuarded && isGone(edit, theirs) ? null : rebaseAtomic(edit, theirs)) ?? clash();
    case 'object': {
      const members = edit.isPart === true && theirs === ABSENT ? {} : theirs;
      return hasMembers(members) ? rebaseMembers(edit, members, keys, by) : clash();
    }
    case 'positions':
    case 'values': {
      const rebased = edit.kind === 'values' ? rebaseValues(edit, theirs, by) : rebasePositions(edit, theirs, keys, by);
      return rebased === undefined ? clash() : rebased;
    }
    case 'elements': {
      const places = placesOf(theirs, edit.key);
      return places === null || !isInOrder(edit, places)
        ? clash()
        : rebaseElements(edit, theirs as readonly unknown[], places, keys, by);
    }
  }
}

function rebaseAtomic(edit: AtomicEdit, theirs: unknown): AtomicEdit | null {
  const { operator, operand } = edit;
  if (!keepsMeaning(edit, theirs)) return null;
  const value = applyAtomic(operator, theirs === ABSENT ? undefined : theirs, operand, '');
  return { ...edit, base: theirs, value: value === undefined ? ABSENT : value };
}

function rebaseMembers(edit: ObjectEdit, theirs: object, keys: Clash['keys'], by: Rebasing): ObjectEdit | null {
  const children = new Map<string, Edit>();
  const value = {};
  for (const [key, member] of theirs instanceof Map ? theirs : Object.entries(theirs)) setOwn(value, key, member);
  for (const [key, child] of edit.children) {
    const rebased = rebaseEdit(child, memberOf(theirs, key), [...keys, key], by);
    if (rebased === null) continue;
    children.set(key, rebased);
    if (rebased.kind === 'delete' || rebased.value === ABSENT) delete (value as Record<string, unknown>)[key];
    else setOwn(value, key, rebased.value);
  }
  if (children.size === 0) return null;
  return { kind: 'object', base: theirs, value, children, ...(edit.isPart && { isPart: edit.isPart }) };
}

/**
 * An index means the same element only while that is as it was. Elements that are equal already keep their edits. Where an
 * element changed inside, and nothing else did, both sides' members are merged.
 *
 * @returns `undefined` for a clash.
 */
function rebasePositions(
  edit: PositionsEdit,
  theirs: unknown,
  keys: Clash['keys'],
  by: Rebasing,
): Edit | null | undefined {
  if (!Array.isArray(theirs)) return undefined;
  const { base, children } = edit;
  const isKept = (i: number): boolean => i < theirs.length && equalValues(base[i], theirs[i]);
  if ([...children.keys()].every(isKept)) {
    const value = theirs.map((element: unknown, i) => (children.has(i) ? edit.value[i] : element));
    return { kind: 'positions', base: theirs, value, children, ...(edit.isByValue && { isByValue: edit.isByValue }) };
  }
  if (by.isGuarded) return undefined;
  if (edit.isByValue === true) {
    // Which of two replacements of one value is meant, only the writers know.
    const isThere = (i: number): boolean => isIn(theirs, base[i]);
    return [...children.keys()].every(isThere) ? arrayEdit(theirs, replaceValues(edit, theirs), false) : undefined;
  }
  const isOtherKept = (_: unknown, i: number): boolean => children.has(i) || isKept(i);
  if (!entersElements(edit) || theirs.length !== base.length || !base.every(isOtherKept)) return undefined;
  return rebaseInside(edit, theirs, keys, by);
}

function rebaseInside(
  edit: PositionsEdit,
  theirs: readonly unknown[],
  keys: Clash['keys'],
  by: Rebasing,
): PositionsEdit | null {
  const children = new Map<number, ValueEdit>();
  const value = [...theirs];
  for (const [i, child] of edit.children) {
    const rebased = rebaseEdit(child, theirs[i], [...keys, i], by);
    if (rebased === null) continue;
    // An element cannot go without another one taking its place.
    const element: Edit = rebased.kind === 'delete' ? { kind: 'set', base: theirs[i], value: null } : rebased;
    children.set(i, element as ValueEdit);
    value[i] = element.value;
  }
  return children.size === 0 ? null : { kind: 'positions', base: theirs, value, children };
}

/**
 * Each writer's removals and additions are done, but of two who moved elements each meant another order.
 *
 * @returns `undefined` for a clash.
 */
function rebaseValues(edit: ValuesEdit, theirs: unknown, { isGuarded }: Rebasing): Edit | null | undefined {
  const { base, isMoved, isUnique } = edit;
  if (!Array.isArray(theirs)) return undefined;
  if (isGuarded && !isUnique && !equalValues(base, theirs)) return undefined;
  const inBoth = (values: readonly unknown[], others: readonly unknown[]) =>
    values.filter((each) => isIn(others, each));
  if (isMoved && !equalValues(inBoth(base, theirs), inBoth(theirs, base))) return undefined;
  return arrayEdit(theirs, mergeValues(edit, theirs), isUnique);
}

/** Where each element of an array is, by its identity; null for what is no array, and where two have the same. */
function placesOf(array: unknown, key: string): Map<string, number> | null {
  if (!Array.isArray(array)) return null;
  const places = new Map<string, number>();
  for (const [i, element] of array.entries()) {
    const id = identityOf(element, key);
    if (id === null) continue;
    if (places.has(id)) return null;
    places.set(id, i);
  }
  return places;
}

/** Two writers who moved elements each meant another order. */
function isInOrder({ base, key, isMoved }: ElementsEdit, places: ReadonlyMap<string, number>): boolean {
  if (!isMoved) return true;
  const found = base.flatMap((element) => places.get(String(identityOf(element, key))) ?? []);
  return found.every((place, i) => i === 0 || place > (found[i - 1] as number));
}

function rebaseElements(
  edit: ElementsEdit,
  theirs: readonly unknown[],
  places: ReadonlyMap<string, number>,
  keys: Clash['keys'],
  by: Rebasing,
): ElementsEdit | null {
  const { base, key } = edit;
  const children = new Map<number, ValueEdit>();
  const removed = new Set<number>();
  const added: unknown[] = [];
  const take = (rebased: Edit | null, at: number | undefined): void => {
    if (rebased === null) return;
    if (rebased.kind === 'delete') removed.add(at as number);
    else if (at === undefined) added.push(rebased.value);
    else children.set(at, rebased as ValueEdit);
  };
  const placeOf = (element: unknown): number | undefined => places.get(String(identityOf(element, key)));
  for (const [i, child] of edit.children) {
    const at = placeOf(base[i]);
    const inner = [...keys, i];
    const clash = { keys: inner, base: base[i], mine: child.value, theirs: ABSENT };
    take(at === undefined ? by.settle(clash) : rebaseEdit(child, theirs[at], inner, by), at);
  }
  for (const element of edit.removed) {
    const at = placeOf(element);
    const whole: Edit = { kind: 'delete', base: element };
    if (at !== undefined) take(rebaseEdit(whole, theirs[at], [...keys, base.indexOf(element)], by), at);
  }
  for (const element of edit.added) {
    const at = placeOf(element);
    const inner = [...keys, edit.value.indexOf(element)];
    if (at === undefined) added.push(element);
    else take(by.settle({ keys: inner, base: ABSENT, mine: element, theirs: theirs[at] }), at);
  }
  const edited = theirs.map((element, i) => children.get(i)?.value ?? element).filter((_, i) => !removed.has(i));
  const value = [...edited, ...added];
  if (children.size + removed.size + added.length === 0 && !edit.isMoved) return null;
  return {
    kind: 'elements',
    base: theirs,
    value: edit.isMoved ? inOrder(value, edit) : value,
    key,
    children,
    removed: [...removed].map((at) => theirs[at]),
    added,
    isMoved: edit.isMoved,
    ...(edit.isPart && { isPart: edit.isPart }),
  };
}

/** The elements in the order that I gave them, others' at the end. */
function inOrder(elements: readonly unknown[], { value, key }: ElementsEdit): unknown[] {
  const order = new Map(value.map((element, i) => [identityOf(element, key), i]));
  const placeOf = (element: unknown): number => order.get(identityOf(element, key)) ?? value.length;
  return elements.toSorted((a, b) => placeOf(a) - placeOf(b));
}
