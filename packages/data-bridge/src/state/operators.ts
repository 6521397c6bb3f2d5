import { setOwn } from '../bson/copy.ts';
import type { AtomicEdit, AtomicOperator, Edit, EditTree } from './edits.ts';

/** The update operators that say a tree of edits: by path, what each is given. */
export type Operators = Partial<Record<'$set' | '$unset' | '$pullAll' | AtomicOperator, Record<string, unknown>>>;

/** Can this key be part of a dotted path? */
export function isNameable(key: string): boolean {
  return key !== '' && !key.includes('.') && !key.startsWith('$');
}

/** The edits as update operators, or `null` when a key on the way to one of them can be part of no dotted path. */
export function operators(tree: EditTree): Operators | null {
  if (!isSayable(tree)) return null;
  const said: Operators = {};
  for (const [name, edit] of tree.children) say(edit, name, said);
  return said;
}

/** An element of an array can always be said: it is set whole where something below it cannot. */
function isSayable(edit: Edit | EditTree): boolean {
  if (edit.kind !== 'object') return true;
  for (const [key, child] of edit.children) if (!isNameable(key) || !isSayable(child)) return false;
  return true;
}

function say(edit: Edit, path: string, said: Operators): void {
  switch (edit.kind) {
    case 'set':
      setOwn((said.$set ??= {}), path, edit.value);
      break;
    case 'delete':
      setOwn((said.$unset ??= {}), path, '');
      break;
    case 'push':
      setOwn((said.$push ??= {}), path, { $each: edit.added });
      break;
    case 'atomic':
      sayAtomic(edit, path, said);
      break;
    case 'object':
      for (const [key, child] of edit.children) say(child, `${path}.${key}`, said);
      break;
    case 'positions':
      for (const [i, child] of edit.children) {
        if (isSayable(child)) say(child, `${path}.${i}`, said);
        else setOwn((said.$set ??= {}), `${path}.${i}`, edit.value[i]);
      }
  }
}

function sayAtomic({ operator, operand }: AtomicEdit, path: string, said: Operators): void {
  const isList = operator === '$push' || operator === '$addToSet';
  // MongoDB's own `$pull` takes conditions, and an array or an object for one.
  const name = operator === '$pull' ? '$pullAll' : operator;
  setOwn((said[name] ??= {}), path, isList ? { $each: operand } : operand);
}
