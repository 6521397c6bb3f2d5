// An update's operators as a tree of their paths, so that no two can touch one place.
import { ServerError } from '../../errors.ts';
import { isIndex } from '../../values/path.ts';
import { compareText } from '../../values/order.ts';
import type { Modifier } from './modifier.ts';

export type UpdateNode = UpdateBranch | { readonly kind: 'leaf'; readonly modifier: Modifier };

/**
 * `fields`: the children are names of fields, indexes, or `$` for the matched element.
 * `elements`: they are `[]` for all elements of an array, or `[id]` for those that an array filter selects.
 */
export interface UpdateBranch {
  readonly kind: 'fields' | 'elements';
  readonly children: Map<string, UpdateNode>;
}

export const POSITIONAL = '$';

const ELEMENTS = /^\$\[(.*)\]$/;

/** The names after `$` that a DBRef has and a path may hold. */
const REFERENCE_NAMES: ReadonlySet<string> = new Set(['$ref', '$id', '$db']);

export function branch(kind: UpdateBranch['kind'] = 'fields'): UpdateBranch {
  return { kind, children: new Map() };
}

/**
 * Splits and checks the path of an operator.
 * @param identifiers the identifiers of the array filters
 * @throws ServerError 56 for an empty name, 52 for one with `$`, 2 for a misplaced positional operator
 */
export function updatePath(path: string, identifiers: ReadonlySet<string>): string[] {
  if (path === '') throw new ServerError(56, 'An empty update path is not valid.');
  const names = path.split('.');
  for (const [position, name] of names.entries()) {
    if (name === '') {
      throw new ServerError(56, `The update path '${path}' contains an empty field name, which is not allowed.`);
    }
    if (name.startsWith('$')) checkDollar(name, position, path, identifiers);
  }
  if (names.filter((name) => name === POSITIONAL).length > 1) {
    throw new ServerError(2, `Too many positional (i.e. '$') elements found in path '${path}'`);
  }
  return names;
}

function checkDollar(name: string, position: number, path: string, identifiers: ReadonlySet<string>): void {
  const identifier = ELEMENTS.exec(name)?.[1];
  if (identifier === undefined && name !== POSITIONAL) {
    if (position > 0 && REFERENCE_NAMES.has(name)) return;
    throw new ServerError(52, `The dollar ($) prefixed field '${name}' in '${path}' is not valid for storage.`);
  }
  if (position === 0) {
    const what = name === POSITIONAL ? "positional (i.e. '$')" : "array filter identifier (i.e. '$[<id>]')";
    throw new ServerError(2, `Cannot have ${what} element in the first position in path '${path}'`);
  }
  if (identifier !== undefined && identifier !== '' && !identifiers.has(identifier)) {
    throw new ServerError(2, `No array filter found for identifier '${identifier}' in path '${path}'`);
  }
}

/** The identifiers of array filters that a path names. */
export function identifiersIn(names: readonly string[]): string[] {
  return names.map((name) => ELEMENTS.exec(name)?.[1] ?? '').filter((identifier) => identifier !== '');
}

/**
 * Puts a modifier at its path.
 * @throws ServerError 40 where another one is at, above or below it
 */
export function plant(root: UpdateBranch, names: readonly string[], modifier: Modifier): void {
  let node = root;
  for (const [depth, name] of names.entries()) {
    const conflict = (at: number): ServerError => conflictAt(names.join('.'), names.slice(0, at).join('.'));
    const kind = ELEMENTS.test(name) ? 'elements' : 'fields';
    if (node.kind !== kind) throw conflict(depth);
    const key = kind === 'elements' ? name.slice(1) : name;
    const child = node.children.get(key);
    if (depth === names.length - 1) {
      if (child !== undefined) throw conflict(depth + 1);
      node.children.set(key, { kind: 'leaf', modifier });
    } else if (child === undefined) {
      const next = branch(ELEMENTS.test(names[depth + 1] ?? '') ? 'elements' : 'fields');
      node.children.set(key, next);
      node = next;
    } else if (child.kind === 'leaf') {
      throw conflict(depth + 1);
    } else {
      node = child;
    }
  }
}

/**
 * One node that does what two do, for one place that both lead to.
 * @throws ServerError 40 where they meet
 */
export function merge(a: UpdateNode, b: UpdateNode, path: string): UpdateNode {
  if (a.kind === 'leaf' || b.kind === 'leaf' || a.kind !== b.kind) throw conflictAt(path, path);
  const children = new Map(a.children);
  for (const [name, child] of b.children) {
    const existing = children.get(name);
    children.set(name, existing === undefined ? child : merge(existing, child, `${path}.${name}`));
  }
  return { kind: a.kind, children: inOrder(children) };
}

function conflictAt(path: string, at: string): ServerError {
  return new ServerError(40, `Updating the path '${path}' would create a conflict at '${at}'`);
}

/** Brings the children into the order in which MongoDB applies them, and so adds new fields: by name, indexes by number. */
export function sortTree(node: UpdateNode): UpdateNode {
  if (node.kind === 'leaf') return node;
  const children = Array.from(node.children, ([name, child]) => [name, sortTree(child)] as const);
  return { kind: node.kind, children: inOrder(children) };
}

export function inOrder(children: Iterable<readonly [string, UpdateNode]>): Map<string, UpdateNode> {
  return new Map([...children].sort(([a], [b]) => compareNames(a, b)));
}

function compareNames(a: string, b: string): number {
  if (isIndex(a) && isIndex(b) && a.length !== b.length) return a.length - b.length;
  return compareText(a, b);
}
