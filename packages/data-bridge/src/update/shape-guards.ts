import { setOwn } from '../bson/plain-object.ts';
import { type Edit, type EditTree, idsOf, someEdit } from '../edits/edits.ts';
import { isIndex, isOneOperator } from './operators.ts';
import { element, type Expression, isArray, isObject, literal, member } from '../edits/expression.ts';

/** What a filter asks of the stored document besides its `_id`. */
export type GuardFilter = Record<string, unknown>;

/**
 * The guard under which a tree's operators mean the same to the stored document as to the original, or `undefined` when
 * they need none:
 *
 * - A key such as `17` in a dotted path is an index where its parent is an array: the parent must be none.
 * - An index means the same element only while the element is as it was: it must equal the original. The guard is an
 *   expression, since as a filter `'list.2': value` also matches a member named 2 of any element, and nested arrays.
 * - An array of values that is set whole is what the merge would make of the original: it must equal that.
 * - A new element with an identity is added only where nobody added the same: none must have it.
 */
export function shapeGuard(tree: EditTree): GuardFilter | undefined {
  const guard: GuardFilter = {};
  const unchanged: Expression[] = [];
  tree.children.forEach((edit, name) => {
    if ('children' in edit) requireFields(edit, name, guard);
    if (hasElements(edit)) requireElements(edit, `$${name}`, unchanged);
  });
  if (unchanged.length > 0) guard['$expr'] = every(unchanged);
  return Object.keys(guard).length > 0 ? guard : undefined;
}

/** True where there are elements that must be as they were. */
function hasElements(edit: Edit): boolean {
  if (edit.kind === 'object') return someEdit(edit.children, hasElements);
  return edit.kind === 'positions' || (edit.kind === 'values' && !isOneOperator(edit));
}

/** Adds to the guard that no parent of a number-like key is an array, and that no array has the new elements. */
function requireFields(edit: Edit, path: string, guard: GuardFilter): void {
  // Below an index there is nothing to ask, since the whole element is compared; below an identity nothing can be asked.
  if (edit.kind === 'elements') {
    if (edit.added.length > 0) setOwn(guard, `${path}.${edit.key}`, { $nin: idsOf(edit.added, edit.key) });
  } else if (edit.kind === 'object') {
    edit.children.forEach((child, key) => {
      if (isIndex(key)) setOwn(guard, path, { $not: { $type: 'array' } });
      if ('children' in child) requireFields(child, `${path}.${key}`, guard);
    });
  }
}

/** Adds an expression to the list if there are elements that must be as they were. */
function requireElements(edit: Edit, current: Expression, conditions: Expression[]): void {
  if (edit.kind === 'positions') {
    const same = Array.from(edit.children, ([i, { base }]) => ({ $eq: [element(current, i), literal(base)] }));
    conditions.push({ $cond: [isArray(current), every(same), false] });
  } else if (edit.kind === 'values') {
    if (!isOneOperator(edit)) conditions.push({ $eq: [current, literal(edit.base)] });
  } else if (edit.kind === 'object') {
    const below: Expression[] = [];
    for (const [key, child] of edit.children) requireElements(child, member(current, key), below);
    if (below.length > 0) conditions.push({ $cond: [isObject(current), every(below), false] });
  }
}

export function every(conditions: readonly Expression[]): Expression {
  const [first, ...others] = conditions;
  return first !== undefined && others.length === 0 ? first : { $and: conditions };
}
