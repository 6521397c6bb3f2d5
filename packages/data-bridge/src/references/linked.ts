import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { canonicalText } from '../bson/canonical-text.ts';
import { ObjectId } from 'mongodb';

/** The key under which a document keeps the others of its result. */
export const siblingsKey: unique symbol = Symbol('siblings');

/** A document, as this room sees it: its fields are read by the program's names. */
export interface Linked {
  readonly [definitionKey]: ModelDefinition;
  readonly $id: unknown;
  [siblingsKey]: Siblings | null;
  toJSON(): unknown;
}

/**
 * The documents of one result. It holds the very array that the program got, and not for longer than the program does: a
 * document that was kept of many is on its own.
 */
export interface Siblings {
  readonly documents: WeakRef<readonly Linked[]>;
}

/** A model's class, as this room sees it. */
export interface LinkedModel {
  readonly name: string;
  readonly prototype: { readonly [definitionKey]: ModelDefinition };
  find(filter: object, options?: object): Targets;
  using(connection: object): LinkedModel;
}

/** A query for the documents that are referred to. */
export type Targets = PromiseLike<readonly Linked[]>;

/** True for documents of any model. */
export function isLinked(value: unknown): value is Linked {
  return typeof value === 'object' && value !== null && siblingsKey in value;
}

/** True where documents of a model, or of a class that extends it, lead to others: only these need to know which came with them. */
export function isLinking({
  prototype,
}: {
  readonly prototype: { readonly [definitionKey]: ModelDefinition };
}): boolean {
  const definition = prototype[definitionKey];
  return (
    hasLinks(definition) || (!definition.kin.isAlone && definition.kin.all.some((each) => hasLinks(each.definition)))
  );
}

function hasLinks({ references, backRefs }: ModelDefinition): boolean {
  return references !== null || backRefs.size > 0;
}

/** What a document has in the field that the program calls so. */
export function fieldOf(document: Linked, name: string): unknown {
  return (document as unknown as Readonly<Record<string, unknown>>)[name];
}

export function definitionOf(linked: Linked): ModelDefinition {
  return linked[definitionKey];
}

/** Notes that these documents came together. One alone has no siblings. */
export function gather<D>(documents: readonly D[]): readonly D[] {
  const linked = documents as unknown as readonly Linked[];
  if (linked.length < 2) return documents;
  const siblings: Siblings = { documents: new WeakRef(linked) };
  for (const each of linked) each[siblingsKey] = siblings;
  return documents;
}

/** Arrays of documents, held as long as the program holds what they were loaded for. */
const companions = new WeakMap<object, object[]>();

/**
 * Notes that these documents came together, for others: they are siblings as long as the program holds the array of the others, or
 * the one that came alone.
 */
export function gatherFor(owners: readonly (Linked | null)[], documents: readonly Linked[]): void {
  if (gather(documents).length < 2) return;
  const holders = new Set<object>();
  let last: Siblings | null = null;
  for (const owner of owners) {
    if (owner === null) continue;
    const siblings = owner[siblingsKey];
    // Most owners came with the one before.
    if (siblings !== null && siblings === last) continue;
    last = siblings;
    const holder = siblings === null ? owner : siblings.documents.deref();
    if (holder !== undefined) holders.add(holder);
  }
  for (const holder of holders) {
    const held = companions.get(holder);
    if (held === undefined) companions.set(holder, [documents]);
    else held.push(documents);
  }
}

/** The document, and those that came with it and are still held. */
export function withSiblings(document: Linked): Linked[] {
  const siblings = document[siblingsKey];
  // The program may have put others into its array.
  const others = siblings?.documents.deref()?.filter((each) => isLinked(each) && each[siblingsKey] === siblings) ?? [];
  return [...new Set([document, ...others])];
}

/** A text that two ids share when they are the same to BSON. */
export function keyOf(id: unknown): string {
  return id instanceof ObjectId ? id.toHexString() : canonicalText(id);
}
