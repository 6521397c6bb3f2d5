import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isPlainObject } from '../bson/plain-object.ts';
import { definitionKey } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { refersTo } from '../filter/document-id.ts';
import { toObjectId, typeName } from '../schema/bson-types.ts';
import { isLinked, keyOf, type LinkedModel } from './linked.ts';
import { isDocumentOf, Reference } from './reference.ts';
import { collectionOf, storedAs, type Target } from './targets.ts';

/** What a reference to one of several models makes of a value: the same reference, one to a document, or `{ model, id }`. */
export function toOneOf(
  target: Target,
  value: unknown,
  path: readonly PropertyKey[],
): StandardSchemaV1.Result<unknown> {
  const models = target.models();
  const found = findOneOf(target, models, value);
  if (found !== undefined) return { value: found };
  const names = models.map(({ name }) => name).join(' or ');
  const message = `Expected a document of ${names}, a reference to one, or { model, id }, got ${typeName(value)}`;
  return { issues: [{ path: [...path], message }] };
}

function findOneOf(target: Target, models: readonly LinkedModel[], value: unknown): unknown {
  if (value instanceof Reference) {
    const model = models.find((each) => value[refersTo](each));
    if (model === undefined) return undefined;
    const given = value.isOf(target) ? value.toBSON() : { model: collectionOf(model), id: value.$id };
    const stored = storedOneOf(target, models, given as Readonly<Record<string, unknown>>);
    if (stored === undefined) return undefined;
    if (value.isOf(target) && keyOf(stored) === keyOf(value.toBSON())) return value;
    return new Reference(target, stored, null, value.$isLoaded ? value.$doc : undefined);
  }
  if (isLinked(value)) {
    const model = models.find((each) => isDocumentOf(each, value));
    return model && new Reference(target, storedAs(target, collectionOf(model), value.$id), null, value);
  }
  if (!isPlainObject(value)) return undefined;
  const stored = storedOneOf(target, models, value);
  // Objects whose keys have another order are equal here, so the one that was given would be kept.
  return stored === undefined || Object.keys(value)[0] === 'model' ? stored : new Reference(target, stored, null);
}

/** `{ model, id }` with the id as the model has it. */
function storedOneOf(
  target: Target,
  models: readonly LinkedModel[],
  { model: name, id, ...others }: Readonly<Record<string, unknown>>,
): unknown {
  const model = models.find((each) => collectionOf(each) === name);
  if (model === undefined || Object.keys(others).length > 0) return undefined;
  const own = model.prototype[definitionKey].fields.get('_id');
  if (own === undefined) {
    const objectId = toObjectId(id);
    return objectId && storedAs(target, collectionOf(model), objectId);
  }
  const verdict = own.validate(id);
  if (verdict instanceof Promise)
    throw new UsageError(`The _id schema of ${model.name} is asynchronous, so ref.oneOf() cannot use it.`);
  return verdict.issues === undefined ? storedAs(target, collectionOf(model), verdict.value) : undefined;
}
