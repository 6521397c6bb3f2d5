import { isObject } from '../bson/bson-classes.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { typeName, withArticle } from '../schema/bson-types.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { targetAt } from '../schema/references-in.ts';
import type { Place } from '../schema/schema-shape.ts';
import { elementOf, kindOf, placeAt, stepAlong } from './cast-values.ts';

/** Under this a reference says whether it refers to documents of a model. */
export const refersTo: unique symbol = Symbol('refersTo');

/** A document, or a reference to one, as this room sees it. */
interface DocumentLike {
  readonly [definitionKey]: ModelDefinition;
  readonly $id: unknown;
  readonly [refersTo]?: (model: never) => boolean;
}

interface TargetModel {
  readonly name: string;
  readonly prototype: { readonly [definitionKey]: ModelDefinition };
}

/**
 * The `_id` of a document that stands where an id is compared or written: under a reference to its model, a field of
 * ObjectIds, or the `_id`. Any other value as it is; a document elsewhere is refused when it is encoded.
 *
 * @param path of the value, in the program's names.
 * @throws UsageError for a document of another model than the one that is referred to.
 */
function idOfDocument(definition: ModelDefinition, path: string, value: unknown): unknown {
  if (!isDocument(value)) return value;
  const [name = '', ...keys] = definition.storedPath(path).split('.');
  const place = keys.reduce<Place | undefined>(stepAlong, definition.fields.get(name)?.place);
  const reference = targetAt(place) ?? targetAt(elementOf(place));
  const targets = reference?.models() as readonly TargetModel[] | undefined;
  const target = targets?.find((each) => isDocumentOf(each, value)) ?? targets?.[0];
  const isMeant =
    target === undefined
      ? name !== '_id' || value[definitionKey].collectionName === definition.collectionName
      : isDocumentOf(target, value);
  if (!isMeant) {
    const names = targets?.map(({ name: each }) => withArticle(each)).join(' or ');
    const meant = names === undefined ? 'a document of this model' : `the _id of ${names} or such a document`;
    throw new UsageError(`"${path}" is ${meant}, got a document of ${typeName(value)}.`, definition.context);
  }
  if (target !== undefined && reference?.isOneOf === true)
    return { model: target.prototype[definitionKey].collectionName, id: value.$id };
  return target !== undefined || isOfIds(definition, path) ? value.$id : value;
}

function isDocumentOf(target: TargetModel, value: DocumentLike): boolean {
  return value[refersTo]?.(target as never) ?? Object.prototype.isPrototypeOf.call(target.prototype, value);
}

/** True where an ObjectId stands at a path, or an array of some. */
function isOfIds(definition: ModelDefinition, path: string): boolean {
  const place = placeAt(definition, definition.storedPath(path));
  return [place, elementOf(place)].some((each) => each !== undefined && kindOf(each) === 'objectId');
}

function isDocument(value: unknown): value is DocumentLike {
  return isObject(value) && definitionKey in value;
}

/**
 * A value that is compared with what is stored at a path, or written there, with ids in the place of documents: itself, in
 * operators, in lists, and in members where references stand.
 *
 * @param path in the program's names.
 */
export function withIds(definition: ModelDefinition, path: string, value: unknown): unknown {
  if (isDocument(value)) return idOfDocument(definition, path, value);
  if (!holdsDocument(value)) return value;
  if (Array.isArray(value)) return value.map((each) => withIds(definition, path, each));
  const changed = {};
  for (const [key, member] of Object.entries(value as object))
    setOwn(changed, key, withIds(definition, key.startsWith('$') ? path : `${path}.${key}`, member));
  return changed;
}

/** Deeper values, and those that contain themselves, are refused when they are encoded. */
const MAX_DEPTH = 20;

function holdsDocument(value: unknown, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  const members = Array.isArray(value) ? (value as unknown[]) : isPlainObject(value) ? Object.values(value) : [];
  return members.some((each) => isDocument(each) || holdsDocument(each, depth + 1));
}
