// Applies a tree of operators to a document. The document stays as it is: what changes is copied on the way down.
import { ServerError } from '../../errors.ts';
import { showElement } from '../../values/text.ts';
import { type Document, isArray, isDocument, type Value } from '../../values/value.ts';
import { badValue, type Context, createsPath } from './modifier.ts';
import { inOrder, merge, POSITIONAL, type UpdateBranch, type UpdateNode } from './tree.ts';

/** Selects elements of arrays, by identifier. */
export type ElementFilters = ReadonlyMap<string, (element: Value) => boolean>;

/** How many nulls `$set: {'a.<index>': …}` may put before its element. */
const MOST_PADDING = 1_500_000;

export class Application {
  readonly #context: Context;
  readonly #filters: ElementFilters;
  readonly #written: string[] | undefined;

  /** @param written takes the paths whose values were made anew */
  constructor(context: Context, filters: ElementFilters, written?: string[]) {
    this.#context = context;
    this.#filters = filters;
    this.#written = written;
  }

  /** The document that the tree makes of this application's document. */
  run(root: UpdateBranch): Document {
    return this.#inDocument(root, this.#context.document, '');
  }

  /** The new value at a path; `undefined` if there is, or remains, none. */
  #node(node: UpdateNode, value: Value | undefined, path: string): Value | undefined {
    if (node.kind === 'leaf') {
      if (value === undefined && !createsPath(node.modifier, this.#context)) return undefined;
      const changed = node.modifier.apply(value, this.#context, path);
      if (changed !== value) this.#written?.push(path);
      return changed;
    }
    if (node.kind === 'elements') return this.#elements(node, value, path);
    if (isDocument(value)) return this.#inDocument(node, value, path);
    if (isArray(value)) return this.#inArray(node, value, path);
    if (value === undefined) return this.#newDocument(node, path);
    this.#refuseBelow(node, value, path);
    return value;
  }

  #inDocument(node: UpdateBranch, document: Document, path: string): Document {
    const copy: Document = new Map(document);
    for (const [name, child] of this.#children(node, path)) {
      const changed = this.#node(child, document.get(name), join(path, name));
      if (changed === undefined) copy.delete(name);
      else copy.set(name, changed);
    }
    return copy;
  }

  #newDocument(node: UpdateBranch, path: string): Document | undefined {
    const created = this.#inDocument(node, new Map(), path);
    return created.size > 0 ? created : undefined;
  }

  #inArray(node: UpdateBranch, array: Value[], path: string): Value[] {
    const copy = [...array];
    for (const [name, child] of this.#children(node, path)) {
      // Unlike a filter's path, this one may have leading zeros.
      if (!/^\d+$/.test(name)) {
        this.#refuseChild(name, child, array, path);
        continue;
      }
      const index = Number(name);
      const changed = this.#node(child, array[index], join(path, name));
      if (changed === undefined && index >= array.length) continue;
      this.#pad(copy, index);
      // An element cannot be missing: what is removed becomes null.
      copy[index] = changed ?? null;
    }
    return copy;
  }

  #pad(array: Value[], length: number): void {
    if (length - array.length > MOST_PADDING) {
      throw new ServerError(155, `can't backfill more than ${MOST_PADDING} elements`);
    }
    while (array.length < length) array.push(null);
  }

  #elements(node: UpdateBranch, value: Value | undefined, path: string): Value[] {
    if (value === undefined) throw this.#missingArray(path);
    if (!isArray(value)) {
      throw badValue(
        `Cannot apply array updates to non-array element ${showElement(path.slice(path.lastIndexOf('.') + 1), value)}`,
      );
    }
    return value.map((element, index) => {
      const at = join(path, String(index));
      const selected = [...node.children].filter(([key]) => this.#selects(key, element)).map(([, child]) => child);
      const [first, ...others] = selected;
      if (first === undefined) return element;
      const merged = others.reduce((all, child) => merge(all, child, at), first);
      return this.#node(merged, element, at) ?? null;
    });
  }

  /** `[]` selects all elements, `[id]` those that pass the filter of that identifier. */
  #selects(key: string, element: Value): boolean {
    return key === '[]' || this.#filters.get(key.slice(1, -1))?.(element) === true;
  }

  /** The children with `$` resolved to the index of the matched element, in the order of their names. */
  #children(node: UpdateBranch, path: string): Iterable<[string, UpdateNode]> {
    const positional = node.children.get(POSITIONAL);
    if (positional === undefined) return node.children;
    if (this.#context.positional === undefined) {
      throw badValue('The positional operator did not find the match needed from the query.');
    }
    const index = String(this.#context.positional);
    const children = new Map(node.children);
    children.delete(POSITIONAL);
    const other = children.get(index);
    children.set(index, other === undefined ? positional : merge(other, positional, join(path, index)));
    return inOrder(children);
  }

  /** Refuses operators that would have to make a field within a value that can hold none. */
  #refuseBelow(node: UpdateBranch, value: Value, path: string): void {
    for (const [name, child] of this.#children(node, path)) this.#refuseChild(name, child, value, path);
  }

  #refuseChild(name: string, child: UpdateNode, value: Value, path: string): void {
    if (!this.#creates(child, join(path, name))) return;
    const element = showElement(path.slice(path.lastIndexOf('.') + 1), value);
    throw new ServerError(28, `Cannot create field '${name}' in element {${element}}`);
  }

  #creates(node: UpdateNode, path: string): boolean {
    if (node.kind === 'leaf') return createsPath(node.modifier, this.#context);
    if (node.kind === 'elements') throw this.#missingArray(path);
    return [...this.#children(node, path)].some(([name, child]) => this.#creates(child, join(path, name)));
  }

  #missingArray(path: string): ServerError {
    return badValue(`The path '${path}' must exist in the document in order to apply array updates.`);
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
