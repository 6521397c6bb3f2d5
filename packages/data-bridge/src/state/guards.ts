import type { Edit, EditTree, ObjectEdit, PositionsEdit } from './edits.ts';
import { element, type Expression, isArray, isObject, literal, member } from './pipeline.ts';

/** What a filter asks of the stored document besides its `_id`. */
export type Guard = Record<string, unknown>;

/**
 * The guard under which a tree's operators mean the same to the stored document as to the original, or `undefined` when
 * they need none:
 *
 * - A key such as `17` in a dotted path is an index where its parent is an array: the parent must be none.
 * - An index means the same element only while the element is as it was: it must equal the original. The guard is an
 *   expression, since as a filter `'list.2': value` also matches a member named 2 of any element, and nested arrays.
 */
export function guardOf(tree: EditTree): Guard | undefined {
  const guard = new Map<string, unknown>();
  for (const [name, edit] of tree.children) requireObjects(edit, name, guard);
  const unchanged = [...tree.children].flatMap(([name, edit]) => elementsUnchanged(edit, `$${name}`));
  if (unchanged.length > 0) guard.set('$expr', every(unchanged));
  return guard.size > 0 ? Object.fromEntries(guard) : undefined;
}

function requireObjects(edit: Edit, path: string, guard: Map<string, unknown>): void {
  // Below an index there is nothing to ask: the whole element is compared.
  if (edit.kind !== 'object') return;
  for (const [key, child] of edit.children) {
    if (/^\d+$/.test(key)) guard.set(path, { $not: { $type: 'array' } });
    requireObjects(child, `${path}.${key}`, guard);
  }
}

function elementsUnchanged(edit: Edit, current: Expression): Expression[] {
  if (edit.kind === 'positions') return [sameElements(edit, current)];
  return edit.kind === 'object' ? sameElementsBelow(edit, current) : [];
}

function sameElements(edit: PositionsEdit, array: Expression): Expression {
  const same = Array.from(edit.children, ([i, { base }]) => ({ $eq: [element(array, i), literal(base)] }));
  return { $cond: [isArray(array), every(same), false] };
}

function sameElementsBelow(edit: ObjectEdit, object: Expression): Expression[] {
  const same = [...edit.children].flatMap(([key, child]) => elementsUnchanged(child, member(object, key)));
  return same.length > 0 ? [{ $cond: [isObject(object), every(same), false] }] : [];
}

function every(conditions: readonly Expression[]): Expression {
  return { $and: conditions };
}
