// Dotted paths as MongoDB's filters read them.
import { isArray, isDocument, type Document, type Value } from './value.ts';

/** What a path can be followed into; an array counts as a document whose keys are its indexes. */
export type Container = Document | Value[];

/**
 * Sees one value that a path leads to, `undefined` for a missing one, with the index in the outermost array that was
 * spread on the way, if any. Answers whether to stop.
 */
export type Visitor = (value: Value | undefined, index: number | undefined) => boolean;

export function splitPath(path: string): string[] {
  return path.split('.');
}

/** True where a path component can be the index of an array element: no sign, no leading zero. */
export function isIndex(component: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(component);
}

export function member(container: Container, key: string): Value | undefined {
  if (isDocument(container)) return container.get(key);
  return isIndex(key) ? container[Number(key)] : undefined;
}

/**
 * Shows `see` every value at a path, in MongoDB's order, until it answers true. An array on the way is spread over its
 * elements that are documents, and a numeric component also means the element of that index. With `spreadLeaf` an array
 * at the end shows its elements and then itself.
 * @returns whether `see` ever answered true
 */
export function visit(from: Container, path: readonly string[], spreadLeaf: boolean, see: Visitor, start = 0): boolean {
  let container = from;
  for (let i = start; i < path.length; i++) {
    const value = member(container, path[i] ?? '');
    if (isArray(value)) return visitArray(value, path, i + 1, spreadLeaf, see);
    if (i === path.length - 1) return see(value, undefined);
    if (!isDocument(value)) break;
    container = value;
  }
  return see(undefined, undefined);
}

function visitArray(array: Value[], path: readonly string[], rest: number, spreadLeaf: boolean, see: Visitor): boolean {
  if (rest === path.length) {
    return (spreadLeaf && array.some((element, index) => see(element, index))) || see(array, undefined);
  }
  const component = path[rest] ?? '';
  return array.some((element, index) => {
    const atIndex: Visitor = (value) => see(value, index);
    if (isDocument(element) && visit(element, path, spreadLeaf, atIndex, rest)) return true;
    if (component !== String(index)) return false;
    // What the path names by its index was not spread: it has no index to tell, and an array at the end stays whole.
    if (rest === path.length - 1) return see(element, undefined);
    if (isArray(element)) return visitArray(element, path, rest + 1, spreadLeaf, see);
    return isDocument(element) && visit(element, path, spreadLeaf, see, rest + 1);
  });
}
