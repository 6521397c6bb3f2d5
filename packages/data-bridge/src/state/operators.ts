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
  // The paths are dotted or nameable, but `__proto__` is: a plain object would lose it.
  const paths: Paths = { set: new Map(), unset: new Map(), push: new Map() };
  for (const [name, edit] of tree.children) say(edit, name, paths);
  return {
    ...(paths.set.size > 0 && { $set: Object.fromEntries(paths.set) }),
    ...(paths.unset.size > 0 && { $unset: Object.fromEntries(paths.unset) }),
    ...(paths.push.size > 0 && { $push: Object.fromEntries(paths.push) }),
  };
}

interface Paths {
  readonly set: Map<string, unknown>;
  readonly unset: Map<string, ''>;
  readonly push: Map<string, { readonly $each: readonly unknown[] }>;
}

/** An element of an array can always be said: it is set whole where something below it cannot. */
function isSayable(edit: Edit | EditTree): boolean {
  if (edit.kind !== 'object') return true;
  return [...edit.children].every(([key, child]) => isNameable(key) && isSayable(child));
}

function say(edit: Edit, path: string, paths: Paths): void {
  switch (edit.kind) {
    case 'set':
      paths.set.set(path, edit.value);
      break;
    case 'delete':
      paths.unset.set(path, '');
      break;
    case 'push':
      paths.push.set(path, { $each: edit.added });
      break;
    case 'object':
      for (const [key, child] of edit.children) say(child, `${path}.${key}`, paths);
      break;
    case 'positions':
      for (const [i, child] of edit.children) {
        if (isSayable(child)) say(child, `${path}.${i}`, paths);
        else paths.set.set(`${path}.${i}`, edit.value[i]);
      }
  }
}
