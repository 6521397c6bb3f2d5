import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { InvalidIdError, UsageError } from '../errors.ts';
import { convertTo, hasStandIns, isStandIn, objectId } from '../schema/bson-types.ts';
import { targetAt } from '../schema/references-in.ts';
import type { InnerKind, Place } from '../schema/schema-shape.ts';
import { placeOf, runSchema, stepInto } from '../schema/structure.ts';
import { operatorIn } from './operator-in.ts';

/*
 * Text that stands for a value of BSON is that value wherever the schema takes text: an id, a decimal, a uuid, a date. In filters
 * and updates, where no schema is asked, it is found by the places of a schema, at every depth.
 */

/** Operators whose value, or each element of it, is compared with the field or its elements, or becomes one. */
const COMPARING = new Set(['$eq', '$ne', '$in', '$nin', '$gt', '$gte', '$lt', '$lte', '$all', '$each']);
/** Those of them that take a list. */
const LISTING = new Set(['$in', '$nin', '$all', '$each']);
/** Operators whose value is a list of filters. */
const JOINING = new Set(['$and', '$or', '$nor']);

/** Where a value is, and how to name it. */
interface Spot {
  readonly definition: ModelDefinition;
  readonly path: string;
}

const ID = placeOf(objectId());

/** The place that a dotted stored path leads to; undefined where nothing inside the field stands for text, or nothing is known. */
export function placeAt(definition: ModelDefinition, path: string): Place | undefined {
  const [name = '', ...keys] = path.split('.');
  const field = definition.fields.get(name);
  if (field === undefined) return name === '_id' ? ID : undefined;
  return field.takesText ? keys.reduce<Place | undefined>(stepAlong, field.place) : undefined;
}

/** Paths go through arrays: to a place in one, to any element, or to a member of the elements. */
export function stepAlong(place: Place | undefined, key: string): Place | undefined {
  const member = stepInto(place, key);
  if (member !== undefined || place === undefined) return member;
  const isPlace = /^\d+$/.test(key);
  const element = stepInto(place, isPlace ? Number(key) : 0);
  return element === undefined || isPlace || key.startsWith('$') ? element : stepInto(element, key);
}

/** What a condition on a field compares with. */
export function castCondition(place: Place | undefined, condition: unknown, spot: Spot): unknown {
  if (place === undefined) return condition;
  if (!isPlainObject(condition) || operatorIn(condition) === undefined) return castCompared(place, condition, spot);
  const cast: Record<string, unknown> = {};
  for (const [operator, operand] of Object.entries(condition))
    setOwn(cast, operator, castOperand(place, operator, operand, spot));
  return cast;
}

function castOperand(place: Place, operator: string, operand: unknown, spot: Spot): unknown {
  if (operator === '$not') return castCondition(place, operand, spot);
  if (operator === '$elemMatch') return castElementMatch(elementOf(place) ?? place, operand, spot);
  if (!COMPARING.has(operator)) return operand;
  // case: `$all` may hold conditions on elements
  const castOne = (each: unknown): unknown =>
    operatorIn(each) === '$elemMatch' ? castCondition(place, each, spot) : castCompared(place, each, spot);
  return LISTING.has(operator) && Array.isArray(operand) ? operand.map(castOne) : castOne(operand);
}

/** What elements are to match: conditions on themselves, or a filter on their members. */
export function castElementMatch(place: Place | undefined, condition: unknown, spot: Spot): unknown {
  if (place === undefined || !isPlainObject(condition)) return castCondition(place, condition, spot);
  if (targetAt(place)?.isOneOf === true && operatorIn(condition) === undefined)
    return castWhole(place, condition, spot);
  const cast: Record<string, unknown> = {};
  for (const [key, operand] of Object.entries(condition)) {
    if (JOINING.has(key) && Array.isArray(operand))
      setOwn(
        cast,
        key,
        operand.map((filter: unknown) => castElementMatch(place, filter, spot)),
      );
    else if (key.startsWith('$')) setOwn(cast, key, castOperand(place, key, operand, spot));
    else {
      const inner = key.split('.').reduce<Place | undefined>(stepAlong, place);
      setOwn(cast, key, castCondition(inner, operand, { ...spot, path: `${spot.path}.${key}` }));
    }
  }
  return cast;
}

/** A value that is compared with a field, or with an element of it. */
function castCompared(place: Place, value: unknown, spot: Spot): unknown {
  const isList = Array.isArray(value);
  const element = isList ? undefined : elementOf(place);
  return castWhole(element !== undefined && !isOfObject(place, value) ? element : place, value, spot);
}

function isOfObject({ shapes }: Place, value: unknown): boolean {
  return isPlainObject(value) && shapes.some(({ type }) => type === 'object' || type === 'record');
}

/** The elements of an array. */
export function elementOf(place: Place | undefined): Place | undefined {
  return stepInto(place, 0);
}

/** A value as it is stored at a place. */
export function castWhole(place: Place | undefined, value: unknown, spot: Spot): unknown {
  if (place === undefined || value === null) return value;
  if (typeof value === 'string' || typeof value === 'number') return castScalar(place, value, spot);
  // case: a list of what stands alone in the schema, as in a filter of a list
  if (Array.isArray(value))
    return value.map((each, i) => castWhole(stepInto(place, i, value) ?? scalarOf(place), each, spot));
  if (value instanceof Map) return castMap(place, value as Map<string, unknown>, spot);
  if (!isPlainObject(value)) return value;
  const target = targetAt(place);
  if (target?.isOneOf === true) return castOneOf(target.models() as readonly TargetModel[], value, spot);
  const cast: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const inner = { ...spot, path: `${spot.path}.${key}` };
    setOwn(cast, key, castWhole(stepInto(place, key, value), member, inner));
  }
  return cast;
}

/** A model, as this room sees it. */
interface TargetModel {
  readonly prototype: { readonly [definitionKey]: ModelDefinition };
}

/** `{ model, id }` as it is stored: MongoDB compares the order of its keys, and the type of the id. */
function castOneOf(models: readonly TargetModel[], value: Readonly<Record<string, unknown>>, spot: Spot): unknown {
  const { model: name, id, ...others } = value;
  const definition = models
    .map(({ prototype }) => prototype[definitionKey])
    .find(({ collectionName }) => collectionName === name);
  if (definition === undefined || Object.keys(others).length > 0) return value;
  return { model: name, id: castCondition(placeAt(definition, '_id'), id, { ...spot, path: `${spot.path}.id` }) };
}

function castMap(place: Place, value: ReadonlyMap<string, unknown>, spot: Spot): Map<string, unknown> {
  const cast = (key: string, member: unknown): unknown =>
    castWhole(stepInto(place, key, value), member, { ...spot, path: `${spot.path}.${key}` });
  return new Map(Array.from(value, ([key, member]) => [key, cast(key, member)]));
}

function scalarOf(place: Place): Place | undefined {
  return place.shapes.every(({ type }) => type === 'scalar') ? place : undefined;
}

/** @throws UsageError for a text that cannot be what the schema says. */
function castScalar(place: Place, value: string | number, { definition, path }: Spot): unknown {
  const kind = kindOf(place, typeof value);
  if (kind === 'date' || kind === 'bigint') return typeof value === 'string' ? coerced(place, value) : value;
  if (kind === undefined || !hasStandIns(kind) || !isStandIn(kind, value)) return value;
  const converted = convertTo(kind, value);
  if ('value' in converted) return converted.value;
  // case: a number that is no integer, or not finite, may be compared with one
  if (typeof value === 'number') return value;
  if (kind === 'objectId') throw new InvalidIdError(path, definition.context);
  throw new UsageError(`"${path}": ${converted.expected} of another form.`, definition.context);
}

/** Only a schema itself knows which texts it takes. */
function coerced({ schema }: Place, text: string): unknown {
  const made = runSchema(schema, text)?.value;
  return made instanceof Date || typeof made === 'bigint' ? made : text;
}

/**
 * What BSON type a scalar at a place has, where it is a single one: of an object beside it a union may be.
 *
 * @param given what type the value is of that stands for it: a text is no plain number that it may be too, nor the other way.
 */
export function kindOf({ shapes }: Place, given?: string): InnerKind | undefined {
  const holdsOther = given === 'string' ? 'number' : given === 'number' ? 'text' : null;
  const scalars = shapes.filter(({ type, holds }) => (type === 'scalar' && holds !== holdsOther) || type === 'unknown');
  const kind = scalars[0]?.kind;
  return scalars.every((shape) => shape.kind === kind) ? kind : undefined;
}
