import { setOwn } from '../bson/plain-object.ts';
import { ABSENT, memberOf } from '../bson/encode.ts';
import { type Form, UNFIT } from './atomic-rule.ts';
import { ruleOf } from './atomic-operators.ts';
import {
  type AtomicEdit,
  type Edit,
  type EditTree,
  type ElementsEdit,
  entersElements,
  hasMembers,
  idsOf,
  type PositionsEdit,
  type ValueEdit,
} from './edits.ts';
import type { ValuesEdit } from './values-edit.ts';
import { mergeValues, replaceValues } from './merge-values.ts';
import { equalToServer } from './server-values.ts';

/**
 * What the server makes of a document when it is sent a tree of edits: the tree applied to the values that were stored before.
 * All values are BSON-typed. The two forms differ where another writer left a shape that the tree does not fit.
 *
 * @param stored gives a field as it was stored before, or `ABSENT`.
 * @returns the fields that the tree names, as they are stored after it, or `ABSENT`.
 */
export function applyEdits(tree: EditTree, form: Form, stored: (name: string) => unknown): Map<string, unknown> {
  return new Map(Array.from(tree.children, ([name, edit]) => [name, applyEdit(edit, form, stored(name))]));
}

function applyEdit(edit: Edit, form: Form, current: unknown): unknown {
  switch (edit.kind) {
    case 'set':
      return edit.value;
    case 'delete':
      return ABSENT;
    case 'push':
      if (current === ABSENT && form === 'operators') return edit.added;
      return Array.isArray(current) ? [...(current as unknown[]), ...edit.added] : edit.value;
    case 'object':
      if (hasMembers(current)) return applyToMembers(edit.children, form, current);
      return form === 'pipeline' ? edit.value : createMembers(edit.children, current);
    case 'positions':
      return applyToPositions(edit, form, current);
    case 'values':
      return applyToValues(edit, form, current);
    case 'elements':
      return applyToElements(edit, form, current);
    case 'atomic':
      return applyOperator(edit, form, current);
  }
}

function applyToMembers(children: ReadonlyMap<string, Edit>, form: Form, current: object): object {
  const result = {};
  const names = current instanceof Map ? (current as Map<string, unknown>).keys() : Object.keys(current);
  for (const key of new Set([...names, ...children.keys()])) {
    const edit = children.get(key);
    const before = memberOf(current, key);
    const after = edit === undefined ? before : applyEdit(edit, form, before);
    if (after !== ABSENT) setOwn(result, key, after);
  }
  return result;
}

/** Operators that set something below a missing object make it; what they only remove is not there anyway. */
function createMembers(children: ReadonlyMap<string, Edit>, current: unknown): unknown {
  const made = applyToMembers(children, 'operators', {});
  return Object.keys(made).length === 0 ? current : made;
}

/** Operators go to elements that are as they were: the guard made sure of that. */
function applyToPositions(edit: PositionsEdit, form: Form, current: unknown): unknown {
  if (!Array.isArray(current)) return edit.value;
  const elements: readonly unknown[] = current;
  const { base: originals, children } = edit;
  const isAsBefore = (i: number) => i < elements.length && equalToServer(elements[i], originals[i]);
  if (![...children.keys()].every(isAsBefore)) {
    if (edit.isByValue === true) return replaceValues(edit, elements);
    const isOtherAsBefore = (_: unknown, i: number) => children.has(i) || isAsBefore(i);
    if (!entersElements(edit) || elements.length !== originals.length || !originals.every(isOtherAsBefore))
      return edit.value;
  }
  return elements.map((element, i) => {
    const child = edit.children.get(i);
    return child === undefined ? element : applyEdit(child, form, element);
  });
}

function applyToValues(edit: ValuesEdit, form: Form, current: unknown): unknown {
  if (Array.isArray(current)) return form === 'pipeline' && edit.isLong ? edit.value : mergeValues(edit, current);
  if (form === 'pipeline' || current !== ABSENT) return edit.value;
  return edit.added.length > 0 ? edit.added : ABSENT;
}

/** Elements are found by their identities, wherever they are now; those of others stay. */
function applyToElements(edit: ElementsEdit, form: Form, current: unknown): unknown {
  const { key, value, base, children, removed, added, isMoved } = edit;
  if (!Array.isArray(current)) return form === 'pipeline' || current !== ABSENT ? value : createElements(edit);
  const is = (id: unknown) => (element: unknown) => equalToServer(memberOf(element, key), id);
  const gone = idsOf(form === 'pipeline' ? [...removed, ...added] : removed, key);
  const edits = Array.from(children, ([i, child]) => [is(memberOf(base[i], key)), child] as const);
  const kept = current.filter((element) => !gone.some((id) => is(id)(element)));
  const edited = kept.map((element: unknown) => {
    const child = edits.find(([isMeant]) => isMeant(element))?.[1];
    return child === undefined ? element : applyToElement(child, form, element as object);
  });
  const all: unknown[] = [...edited, ...added];
  if (!isMoved) return all;
  const ids = idsOf(value, key);
  const known = ids.flatMap((id) => all.filter(is(id)));
  return [...known, ...all.filter((element) => !ids.some((id) => is(id)(element)))];
}

/** What has the identity of an element is an object. */
function applyToElement(edit: ValueEdit, form: Form, element: object): unknown {
  return edit.kind === 'object' ? applyToMembers(edit.children, form, element) : applyEdit(edit, form, element);
}

/** An array that is not there gets new elements; there are none to edit or to remove. */
function createElements({ added }: ElementsEdit): unknown {
  return added.length > 0 ? added : ABSENT;
}

/** In a pipeline the value in memory stands in where the operator does not fit; operators alone were refused there. */
function applyOperator({ operator, operand, value }: AtomicEdit, form: Form, current: unknown): unknown {
  const result = ruleOf(operator).stored(current, operand, form);
  if (result !== UNFIT) return result;
  return value === ABSENT ? current : value;
}
