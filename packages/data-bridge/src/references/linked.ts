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

/** A text that two ids share when they are the same to BSON. */
export function keyOf(id: unknown): string {
  return id instanceof ObjectId ? id.toHexString() : canonicalText(id);
}
