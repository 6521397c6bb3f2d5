// A projection as a tree of the paths that it names.
import type { ServerError } from '../../errors.ts';
import { type Document, isArray, isDocument, type Value } from '../../values/value.ts';

/** What is done with the value at one path. */
export type Leaf =
  | { readonly kind: 'include' }
  | { readonly kind: 'exclude' }
  /** A new value, from the whole document. */
  | { readonly kind: 'compute'; readonly compute: (root: Document) => Value | undefined }
  /** Another value from the one that is there; `undefined` leaves the field out. */
  | {
      readonly kind: 'transform';
      readonly transform: (value: Value) => Value | undefined;
      /** True where an inclusion puts it after the fields that it includes. */
      readonly last: boolean;
    };

export interface Branch {
  readonly kind: 'branch';
  readonly children: Map<string, Branch | Leaf>;
}

export const branch = (): Branch => ({ kind: 'branch', children: new Map() });

/**
 * Puts a leaf at its path. `collide` makes the error for a path that is above another one, or below one by the components
 * that it is given.
 */
export function plant(
  root: Branch,
  path: readonly string[],
  leaf: Leaf,
  collide: (below: readonly string[]) => ServerError,
): void {
  let node = root;
  for (const [depth, name] of path.entries()) {
    const child = node.children.get(name);
    if (depth === path.length - 1) {
      if (child !== undefined) throw collide([]);
      node.children.set(name, leaf);
    } else if (child === undefined) {
      const next = branch();
      node.children.set(name, next);
      node = next;
    } else if (child.kind === 'branch') {
      node = child;
    } else {
      throw collide(path.slice(depth + 1));
    }
  }
}

/** Keeps what the tree includes, in the order of the document, and adds what it computes, in the order of the tree. */
export function include(node: Branch, document: Document, root: Document): Document {
  const result: Document = new Map();
  for (const [name, value] of document) {
    const child = node.children.get(name);
    const kept = child === undefined || comesLast(child) ? undefined : includeValue(child, value, root);
    if (kept !== undefined) result.set(name, kept);
  }
  for (const [name, child] of node.children) {
    if (result.has(name)) continue;
    const value = comesLast(child) ? document.get(name) : undefined;
    const added = value === undefined ? computeValue(child, root) : includeValue(child, value, root);
    if (added !== undefined) result.set(name, added);
  }
  return result;
}

function comesLast(child: Branch | Leaf): boolean {
  return child.kind === 'transform' && child.last;
}

function includeValue(child: Branch | Leaf, value: Value, root: Document): Value | undefined {
  if (child.kind === 'include') return value;
  if (child.kind === 'transform') return child.transform(value);
  if (child.kind !== 'branch') return undefined;
  if (isDocument(value)) return include(child, value, root);
  if (!isArray(value)) return undefined;
  return value.flatMap((element) => {
    const kept = includeValue(child, element, root);
    return kept === undefined ? [] : [kept];
  });
}

/** What a tree computes where the document has nothing to include. */
function computeValue(child: Branch | Leaf, root: Document): Value | undefined {
  if (child.kind === 'compute') return child.compute(root);
  if (child.kind !== 'branch' || !computes(child)) return undefined;
  return include(child, new Map(), root);
}

function computes(node: Branch): boolean {
  return [...node.children.values()].some(
    (child) => child.kind === 'compute' || (child.kind === 'branch' && computes(child)),
  );
}

/** Leaves out what the tree excludes. */
export function exclude(node: Branch, document: Document): Document {
  const result: Document = new Map();
  for (const [name, value] of document) {
    const child = node.children.get(name);
    const kept = child === undefined ? value : excludeValue(child, value);
    if (kept !== undefined) result.set(name, kept);
  }
  return result;
}

function excludeValue(child: Branch | Leaf, value: Value): Value | undefined {
  if (child.kind === 'exclude') return undefined;
  if (child.kind === 'transform') return child.transform(value);
  if (child.kind !== 'branch') return value;
  if (isDocument(value)) return exclude(child, value);
  return isArray(value) ? value.map((element) => excludeValue(child, element) ?? element) : value;
}

/** Sets what the tree computes, and removes a field whose value is missing; arrays are spread over their elements. */
export function assign(node: Branch, document: Document, root: Document): Document {
  const result: Document = new Map(document);
  for (const [name, child] of node.children) {
    const value = child.kind === 'branch' ? assignInto(child, document.get(name), root) : computeValue(child, root);
    if (value === undefined) result.delete(name);
    else result.set(name, value);
  }
  return result;
}

function assignInto(node: Branch, value: Value | undefined, root: Document): Value {
  if (isArray(value)) return value.map((element) => assignInto(node, element, root));
  return assign(node, isDocument(value) ? value : new Map(), root);
}
