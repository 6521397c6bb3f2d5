import { setOwn } from '../bson/copy.ts';
import type { Edit, EditTree } from './edits.ts';

/** The update operators that say a tree of edits. */
export interface Operators {
  $set?: Record<string, unknown>;
  $unset?: Record<string, ''>;
  $push?: Record<string, { readonly $each: readonly unknown[] }>;
}

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
