import { decodeElement } from '../bson/decode.ts';
import type { Layout } from '../bson/layout.ts';
import { locate } from '../bson/locate.ts';
import { typeName } from '../schema/bson-types.ts';
import { UsageError } from '../errors.ts';
import { boundLike } from './bound-like.ts';
import { definitionKey, type ModelClass, type ModelDefinition } from './model-definition.ts';

/*
 * Of which class of a hierarchy a stored document is. Its type is read with the layout of the class that asks; what it is then
 * read with is that of its own.
 */

/** The type that a document is stored with; undefined for none. */
export function storedType(layout: Layout, key: string, bytes: Uint8Array, start: number): unknown {
  const field = layout.field(key);
  const at = locate(layout, bytes, start, field);
  return at < 0 ? undefined : decodeElement(layout, bytes, start, field, at);
}

/**
 * The class of documents of that type, on the connection of the class that asks; null for that class itself.
 *
 * @param isLoaded whether the type would be there if the document had one.
 * @throws UsageError for a type that no class has, or one that is not below the class that asks.
 */
export function classOfType(definition: ModelDefinition, type: unknown, isLoaded = true): ModelClass | null {
  const { kin, context } = definition;
  if (kin.isAlone) return null;
  if (type === undefined || type === null) {
    if (kin.parent === null || !isLoaded) return null;
    throw new UsageError(`A stored document has no type, so it is none of the type "${kin.type}".`, context);
  }
  if (type === kin.type) return null;
  const found = kin.find(type);
  if (found === undefined) {
    if (kin.parent === null && kin.unknownType === 'parent') return null;
    const text = `The type of a stored document is ${named(type)}, which no class of the hierarchy has that was imported: import the module of its class, or give the root the option unknownType: 'parent'.`;
    throw new UsageError(text, context);
  }
  const claimed = kin.includes(found) ? namedClass(found.definition) : null;
  if (claimed === null) {
    const text = `The type of a stored document is ${named(type)}, whose class does not extend that of the type "${kin.type}".`;
    throw new UsageError(text, context);
  }
  return boundLike(claimed, definition);
}

/** True for one model, and for classes of one hierarchy on one connection: their documents are in one collection. */
export function areStoredTogether(one: ModelDefinition, other: ModelDefinition): boolean {
  return one === other || (one.kin.root === other.kin.root && one.bound === other.bound);
}

/** True where documents with these fields, by their stored names, are of the model's class or of one that extends it. */
export function isOfClass({ kin }: ModelDefinition, fields: Readonly<Record<string, unknown>>): boolean {
  if (kin.parent === null) return true;
  const found = kin.find(fields[kin.key]);
  return found !== undefined && kin.includes(found);
}

/** The definition of documents of that type. @throws as `classOfType` does. */
export function definitionOfType(definition: ModelDefinition, type: unknown): ModelDefinition {
  return classOfType(definition, type)?.prototype[definitionKey] ?? definition;
}

/** The class of a model that extends another one, as that named it; null for others. @throws UsageError where it named another class. */
export function namedClass({ kin, collectionName }: ModelDefinition): ModelClass | null {
  return kin.claimed(isClassOf, collectionName);
}

function isClassOf(given: unknown, kin: ModelDefinition['kin']): boolean {
  if (typeof given !== 'function') return false;
  return (given as unknown as Partial<ModelClass>).prototype?.[definitionKey]?.kin === kin;
}

/** The name of a class is no value of a document's. */
function named(type: unknown): string {
  return typeof type === 'string' && type.length <= 100 ? `"${type}"` : typeName(type);
}
