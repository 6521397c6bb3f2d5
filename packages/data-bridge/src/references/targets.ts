import { isPlainObject } from '../bson/plain-object.ts';
import { definitionKey } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import type { ReferenceTarget } from '../schema/schema-library.ts';
import { isLinked, type Linked, type LinkedModel } from './linked.ts';

/*
 * What a reference refers to: documents of one model, whose ids are stored, or of several, of which `{ model, id }` is stored.
 */

/** The target, once it is known to be a model, or several. */
export interface Target extends ReferenceTarget {
  readonly models: () => readonly LinkedModel[];
}

/** The classes that the program's functions give. @throws UsageError where one is no model, or two are of one collection. */
export function modelsOf(name: string, given: readonly (() => unknown)[]): readonly LinkedModel[] {
  const models = given.map((give) => {
    const model = give();
    if (typeof model === 'function' && isLinked((model as { readonly prototype?: unknown }).prototype))
      return model as unknown as LinkedModel;
    throw new UsageError(`${name}() takes a function that gives a model, and its function gave ${typeName(model)}.`);
  });
  if (new Set(models.map(collectionOf)).size < models.length)
    throw new UsageError(`${name}() takes one model of each collection, since what is stored names that.`);
  return models;
}

/** What is stored names a model so. */
export function collectionOf({ prototype }: LinkedModel): string {
  return prototype[definitionKey].collectionName;
}

/** The model that a stored value refers to; undefined where it names none of the target's. */
export function modelIn(target: ReferenceTarget, stored: unknown): LinkedModel | undefined {
  const models = target.models() as readonly LinkedModel[];
  if (!target.isOneOf) return models[0];
  const name = isPlainObject(stored) ? stored['model'] : undefined;
  return models.find((model) => collectionOf(model) === name);
}

/** The `_id` in a stored value. */
export function idIn(target: ReferenceTarget, stored: unknown): unknown {
  if (!target.isOneOf) return stored;
  return isPlainObject(stored) ? stored['id'] : undefined;
}

/** What is stored for the document of a collection with this `_id`. */
export function storedAs(target: ReferenceTarget, collection: string, id: unknown): unknown {
  return target.isOneOf ? { model: collection, id } : id;
}

/** `{ id, model }`, the same to JavaScript, as it is stored: MongoDB compares the order of keys, too. */
export function inOrder(stored: unknown): unknown {
  if (!isPlainObject(stored) || Object.keys(stored).join() !== 'id,model') return stored;
  return { model: stored['model'], id: stored['id'] };
}

/** @throws UsageError for a stored value that names no model of the target. */
export function knownModelIn(target: ReferenceTarget, stored: unknown, owner: Linked | undefined): LinkedModel {
  const model = modelIn(target, stored);
  if (model !== undefined) return model;
  const known = (target.models() as readonly LinkedModel[]).map((each) => `"${collectionOf(each)}"`).join(', ');
  const text = `A reference is stored that names no model of its ref.oneOf(): it names one of ${known}. Mend what is stored, or add the model.`;
  throw new UsageError(text, owner?.[definitionKey].contextOf(owner.$id));
}
