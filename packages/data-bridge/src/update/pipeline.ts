import { setOwn } from '../bson/plain-object.ts';
import { ABSENT } from '../bson/encode.ts';
import { ruleOf } from '../edits/atomic-operators.ts';
import {
  type AtomicEdit,
  type DeleteEdit,
  type Edit,
  type EditTree,
  type ElementsEdit,
  entersElements,
  idOf,
  idsOf,
  type PositionsEdit,
  type ValueEdit,
} from '../edits/edits.ts';
import { element, type Expression, isArray, isObject, literal, member } from '../edits/expression.ts';
import { isNameable } from './operators.ts';
import { mergeValues, replaceValues } from './pipeline-values.ts';

/** One stage of an update pipeline. */
export type Stage =
  | { readonly $set: object }
  | { readonly $unset: readonly string[] }
  | { readonly $replaceWith: Expression };

/**
 * The edits as an update pipeline. It expresses any tree and is never refused: where the stored shape no longer fits an edit,
 * it writes the value in memory. Only top-level names stand in stages, since a dotted one goes through arrays; every
 * value is inside `$literal`, since a bare object would merge into the stored one and a string `'$b'` would read a field.
 */
export function pipeline(tree: EditTree): Stage[] {
  const set = {};
  const unset: string[] = [];
  const unnameable = new Map<string, Edit>();
  for (const [name, edit] of tree.children) {
    if (!isNameable(name)) unnameable.set(name, edit);
    else if (edit.kind === 'delete') unset.push(name);
    else setOwn(set, name, valueOf(edit, `$${name}`));
  }
  const stages: Stage[] = [];
  if (Object.keys(set).length > 0) stages.push({ $set: set });
  if (unset.length > 0) stages.push({ $unset: unset });
  if (unnameable.size > 0) stages.push({ $replaceWith: merge(unnameable, '$$ROOT') });
  return stages;
}

/** The new value of what `current` gives. */
function valueOf(edit: Exclude<Edit, DeleteEdit>, current: Expression): Expression {
  const whole = literal(edit.value);
  switch (edit.kind) {
    case 'atomic':
      return computed(edit, current);
    case 'set':
      return whole;
    case 'push':
      return { $cond: [isArray(current), { $concatArrays: [current, literal(edit.added)] }, whole] };
    case 'object':
      return { $cond: [isObject(current), merge(edit.children, current), whole] };
    case 'positions': {
      const unchanged = Array.from(edit.children, ([i, { base }]) => ({ $eq: [element(current, i), literal(base)] }));
      const isKept = entersElements(edit)
        ? { $or: [{ $and: unchanged }, areOthersUnchanged(edit, current)] }
        : { $and: unchanged };
      const otherwise = edit.isByValue === true ? replaceValues(edit, current) : whole;
      return {
        $cond: [isArray(current), { $cond: [isKept, replaceElements(edit, current), otherwise] }, whole],
      };
    }
    case 'values':
      return edit.isLong ? whole : { $cond: [isArray(current), mergeValues(edit, current), whole] };
    case 'elements':
      return { $cond: [isArray(current), mergeElements(edit, current), whole] };
  }
}

/** What an atomic operator makes of `current`; where that is of another type, the value in memory. */
function computed({ operator, operand, value }: AtomicEdit, current: Expression): Expression {
  // Where memory has nothing to remove from, there is nothing to fall back on either.
  const otherwise = value === ABSENT ? current : literal(value);
  return ruleOf(operator).expression(current, operand, otherwise);
}

/** An object with some members set, removed or computed anew, under any keys. */
function merge(children: ReadonlyMap<string, Edit>, object: Expression): Expression {
  const removed: string[] = [];
  const replaced = {};
  const anew: Expression[] = [];
  const pulled: Expression[] = [];
  for (const [key, edit] of children) {
    if (edit.kind === 'delete') removed.push(key);
    else if (edit.kind === 'set') setOwn(replaced, key, edit.value);
    else {
      const current = member(object, key);
      const entry = { k: literal(key), v: valueOf(edit, current) };
      if (edit.value !== ABSENT) anew.push(entry);
      else pulled.push({ $cond: [isArray(current), { $arrayToObject: [[entry]] }, literal({})] });
    }
  }
  const parts = [removed.length > 0 ? without(object, removed) : object];
  if (Object.keys(replaced).length > 0) parts.push(literal(replaced));
  if (anew.length > 0) parts.push({ $arrayToObject: [anew] });
  return { $mergeObjects: [...parts, ...pulled] };
}

function without(object: Expression, keys: readonly string[]): Expression {
  const cond = { $not: [{ $in: ['$$m.k', literal(keys)] }] };
  return { $arrayToObject: { $filter: { input: { $objectToArray: object }, as: 'm', cond } } };
}

function replaceElements(edit: PositionsEdit, array: Expression): Expression {
  const branches = Array.from(edit.children, ([i, child]) => ({
    case: { $eq: ['$$i', i] },
    then: valueOf(child, element(array, i)),
  }));
  const indexes = { $range: [0, { $size: array }] };
  return {
    $map: { input: indexes, as: 'i', in: { $switch: { branches, default: { $arrayElemAt: [array, '$$i'] } } } },
  };
}

/** True where an array has its original's length, and all elements but those edited are as they were. */
function areOthersUnchanged({ base, children }: PositionsEdit, array: Expression): Expression {
  const conditions: Expression[] = [{ $eq: [{ $size: array }, base.length] }];
  let from = 0;
  for (const end of [...[...children.keys()].toSorted((a, b) => a - b), base.length]) {
    const count = end - from;
    if (count > 0) conditions.push({ $eq: [{ $slice: [array, from, count] }, literal(base.slice(from, end))] });
    from = end + 1;
  }
  return { $and: conditions };
}

/** An array in which elements are found by their identities, wherever they are now; those of others stay. */
function mergeElements(edit: ElementsEdit, array: Expression): Expression {
  const { key, value, children, removed, added, isMoved } = edit;
  const gone = idsOf([...removed, ...added], key);
  const kept = gone.length > 0 ? elementsOf(array, { $not: [isIn(gone, key)] }) : array;
  const edited = children.size > 0 ? editElements(edit, kept) : kept;
  const all = added.length > 0 ? { $concatArrays: [edited, literal(added)] } : edited;
  return isMoved ? inOrder(all, idsOf(value, key), key) : all;
}

function elementsOf(array: Expression, cond: Expression): Expression {
  return { $filter: { input: array, as: 'a', cond } };
}

function isIn(ids: readonly unknown[], key: string): Expression {
  return { $in: [`$$a.${key}`, literal(ids)] };
}

function editElements(edit: ElementsEdit, array: Expression): Expression {
  const { key, children } = edit;
  const branches = Array.from(children, ([i, child]) => ({
    case: { $eq: [`$$a.${key}`, literal(idOf(edit, i))] },
    then: editElement(child),
  }));
  return { $map: { input: array, as: 'a', in: { $switch: { branches, default: '$$a' } } } };
}

/** What has the identity of an element is an object. */
function editElement(edit: ValueEdit): Expression {
  return edit.kind === 'object' ? merge(edit.children, '$$a') : valueOf(edit, '$$a');
}

/** The elements in the order of these identities, others' at the end. */
function inOrder(array: Expression, ids: readonly unknown[], key: string): Expression {
  const next = { $filter: { input: '$$l', as: 'a', cond: { $eq: [`$$a.${key}`, '$$this'] } } };
  const known = { $reduce: { input: literal(ids), initialValue: [], in: { $concatArrays: ['$$value', next] } } };
  const others = elementsOf('$$l', { $not: [isIn(ids, key)] });
  return { $let: { vars: { l: array }, in: { $concatArrays: [known, others] } } };
}
