import { isObject } from '../bson/bson-classes.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { typeName } from '../schema/bson-types.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { elementOf, kindOf, placeAt } from './cast-values.ts';

/** A document, as this room sees it. */
interface DocumentLike {
  readonly [definitionKey]: ModelDefinition;
  readonly $id: unknown;
}

/**
 * The `_id` of a document that stands where an id is compared or written: under a reference to its model, a field of
 * ObjectIds, or the `_id`. Any other value as it is; a document elsewhere is refused when it is encoded.
 *
 * @param path of the value, in the program's names.
 * @throws UsageError for a document of another model than the one that is referred to.
 */
export function idOfDocument(definition: ModelDefinition, path: string, value: unknown): unknown {
  if (!isDocument(value)) return value;
  const [name = ''] = definition.storedPath(path).split('.', 1);
  const field = definition.fields.get(name);
  const target = field?.target?.model() as { readonly name: string; readonly prototype: object } | undefined;
  const isMeant =
    target === undefined
      ? name !== '_id' || value[definitionKey].collectionName === definition.collectionName
      : Object.prototype.isPrototypeOf.call(target.prototype, value);
  if (!isMeant) {
    const meant = target === undefined ? 'a document of this model' : `the _id of a ${target.name} or such a document`;
    throw new UsageError(`"${path}" is ${meant}, got a document of ${typeName(value)}.`, definition.context);
  }
  return target !== undefined || isOfIds(definition, path) ? value.$id : value;
}

/** True where an ObjectId stands at a path, or an array of some. */
function isOfIds(definition: ModelDefinition, path: string): boolean {
  const place = placeAt(definition, definition.storedPath(path));
  return [place, elementOf(place)].some((each) => each !== undefined && kindOf(each) === 'objectId');
}

/** The same of each element of a list. */
export function idsOfDocuments(definition: ModelDefinition, path: string, value: unknown): unknown {
  if (!Array.isArray(value)) return idOfDocument(definition, path, value);
  return value.some(isDocument) ? value.map((each) => idOfDocument(definition, path, each)) : value;
}

function isDocument(value: unknown): value is DocumentLike {
  return isObject(value) && definitionKey in value;
}

/** The same of a condition on the value at a path: of what it compares with. */
export function conditionWithIds(definition: ModelDefinition, path: string, condition: unknown): unknown {
  if (!isPlainObject(condition)) return idsOfDocuments(definition, path, condition);
  if (!holdsDocument(condition)) return condition;
  const changed = {};
  for (const [operator, operand] of Object.entries(condition))
    setOwn(changed, operator, conditionWithIds(definition, path, operand));
  return changed;
}

/** The same of what an operator of an update writes: a value, a list, or the list of an `$each`. */
export function writtenWithIds(definition: ModelDefinition, path: string, written: unknown): unknown {
  if (!isPlainObject(written) || !Array.isArray(written['$each'])) return idsOfDocuments(definition, path, written);
  return { ...written, $each: idsOfDocuments(definition, path, written['$each']) };
}

/** True for operators that compare with a document: themselves, in a list, or within `$not` and `$elemMatch`. */
function holdsDocument(condition: Record<string, unknown>): boolean {
  return Object.entries(condition).some(
    ([operator, operand]) =>
      operator.startsWith('$') &&
      (isDocument(operand) ||
        (Array.isArray(operand) && operand.some(isDocument)) ||
        (isPlainObject(operand) && holdsDocument(operand))),
  );
}
