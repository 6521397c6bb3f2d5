import { setOwn } from '../bson/copy.ts';
import {
  type AtomicEdit,
  type AtomicOperator,
  type Edit,
  type EditTree,
  type ElementsEdit,
  idOf,
  idsOf,
} from './edits.ts';

/** The update operators that say a tree of edits: by path, what each is given. */
export type Operators = Partial<Record<'$set' | '$unset' | '$pullAll' | AtomicOperator, Record<string, unknown>>>;

/** Can this key be part of a dotted path? */
export function isNameable(key: string): boolean {
  return key !== '' && key.charCodeAt(0) !== 0x24 && !key.includes('.');
}

/** Would it be an index where its parent is an array? */
export function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39 && /^\d+$/.test(key);
}

/** A tree of edits as operators, and how they find the elements that they name. */
export interface Said {
  readonly update: Operators;
  readonly arrayFilters?: object[];
}

/**
 * The edits as update operators, or `null` where they have no words for one of them: a key on the way to it can be part
 * of no dotted path, or an array needs more than one operator.
 */
export function operators(tree: EditTree): Said | null {
  if (!isSayable(tree)) return null;
  const said = { update: {}, arrayFilters: [] };
  for (const [name, edit] of tree.children) say(edit, name, said);
  return said.arrayFilters.length > 0 ? said : { update: said.update };
}

/**
 * Can it be said? At its place in an array it always can: the element is set whole where something below it cannot.
 *
 * @param isFound does it lie in an element that is found by its identity? Of what lies there a guard can ask nothing.
 */
function isSayable(edit: Edit | EditTree, isFound = false): boolean {
  switch (edit.kind) {
    case 'object':
      for (const [key, child] of edit.children) {
        if (!isNameable(key) || (isFound && isIndex(key)) || !isSayable(child, isFound)) return false;
      }
      return true;
    case 'positions':
      return !isFound;
    case 'elements':
      return isOneOperator(edit, isFound);
    default:
      return true;
  }
}

/** Two operators on one array would meet. */
function isOneOperator({ children, removed, added, isMoved }: ElementsEdit, isFound: boolean): boolean {
  const kinds = [children.size, removed.length, added.length].filter((count) => count > 0).length;
  if (isMoved || kinds > 1 || (isFound && added.length > 0)) return false;
  return [...children.values()].every((child) => isSayable(child, true));
}

interface Saying {
  readonly update: Operators;
  readonly arrayFilters: object[];
}

function say(edit: Edit, path: string, said: Saying): void {
  const { update } = said;
  switch (edit.kind) {
    case 'set':
      setOwn((update.$set ??= {}), path, edit.value);
      break;
    case 'delete':
      setOwn((update.$unset ??= {}), path, '');
      break;
    case 'push':
      setOwn((update.$push ??= {}), path, { $each: edit.added });
      break;
    case 'atomic':
      sayAtomic(edit, path, update);
      break;
    case 'object':
      for (const [key, child] of edit.children) say(child, `${path}.${key}`, said);
      break;
    case 'positions':
      for (const [i, child] of edit.children) {
        if (isSayable(child)) say(child, `${path}.${i}`, said);
        else setOwn((update.$set ??= {}), `${path}.${i}`, edit.value[i]);
      }
      break;
    case 'elements':
      sayElements(edit, path, said);
  }
}

function sayElements(edit: ElementsEdit, path: string, said: Saying): void {
  const { key, children, removed, added } = edit;
  for (const [i, child] of children) {
    const identifier = `e${said.arrayFilters.length}`;
    said.arrayFilters.push({ [`${identifier}.${key}`]: idOf(edit, i) });
    say(child, `${path}.$[${identifier}]`, said);
  }
  const { update } = said;
  if (removed.length > 0) setOwn((update.$pull ??= {}), path, { [key]: { $in: idsOf(removed, key) } });
  if (added.length > 0) setOwn((update.$push ??= {}), path, { $each: added });
}

function sayAtomic({ operator, operand }: AtomicEdit, path: string, update: Operators): void {
  const isList = operator === '$push' || operator === '$addToSet';
  // MongoDB's own `$pull` takes conditions, and an array or an object for one.
  const name = operator === '$pull' ? '$pullAll' : operator;
  setOwn((update[name] ??= {}), path, isList ? { $each: operand } : operand);
}
