import { ABSENT } from '../bson/encode.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { ValidationIssue } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import { removeAlong } from '../schema/members.ts';
import { type Along, elementsOf, placesAlong, unnamedIn } from '../schema/named-keys.ts';
import type { Place } from '../schema/schema-shape.ts';
import { givenValues } from './filter-equality.ts';

/*
 * The model's rule for keys that its schema does not name, for updates of documents that are not in memory: no validator sees
 * what they write.
 */

/** Operators that write their value. */
const WRITING = new Set(['$set', '$setOnInsert', '$min', '$max']);
/** Those that add it, or each of a list, to an array. */
const ADDING = new Set(['$push', '$addToSet']);
/** Those that write what the server works out. */
const CHANGING = new Set(['$inc', '$mul', '$bit', '$currentDate']);

/** Where something is written, and what takes the issues of it. */
interface Spot {
  readonly definition: ModelDefinition;
  /** As it is stored. */
  readonly path: string;
  readonly issues: ValidationIssue[];
}

/**
 * What an operator writes at a path without what the model drops: `ABSENT` where that is the path itself.
 *
 * @param value as it is sent: a copy, which is changed in place.
 */
export function namedOnly(operator: string, value: unknown, spot: Spot): unknown {
  const isAdded = ADDING.has(operator);
  const isWritten = isAdded || WRITING.has(operator);
  if (!isWritten && !CHANGING.has(operator)) return value;
  const places = placesOf(spot, true);
  if (places === null) return ABSENT;
  if (spot.definition.isTime(spot.path)) checkTime(operator, value, spot);
  if (!isWritten) return value;
  const written = isAdded ? addedBy(value) : [value];
  for (const each of written) checkValue(isAdded ? elementsOf(places) : places, each, spot, true);
  return value;
}

/** The name that `$rename` gives: what is stored under it cannot be left out. */
export function checkNewName(spot: Spot): void {
  placesOf(spot, false);
}

/**
 * What an upsert would store of its filter, where a condition cannot be left out.
 *
 * @param filter as it is sent, and so is the update.
 */
export function checkUpsertFilter(
  definition: ModelDefinition,
  filter: Readonly<Record<string, unknown>>,
  update: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  issues: ValidationIssue[],
): void {
  const removed = new Set(Object.keys({ ...update['$unset'], ...update['$rename'] }));
  for (const [path, value] of givenValues(filter)) {
    if (removed.has(path)) continue;
    const spot = { definition, path, issues };
    checkValue(placesOf(spot, false) ?? [], value, spot, false);
  }
}

/** What `$push` and `$addToSet` add. */
function addedBy(value: unknown): readonly unknown[] {
  const each = isPlainObject(value) && Object.hasOwn(value, '$each') ? value['$each'] : [value];
  return Array.isArray(each) ? each : [];
}

/** What may stand at the path, none where that may be anything; null where nothing is written there. */
function placesOf(spot: Spot, canDrop: boolean): readonly Place[] | null {
  const along = alongPath(spot);
  if (along.unnamed === undefined) return along.places;
  const { keys, isRefused } = along.unnamed;
  return decide(spot, keys, isRefused, canDrop) === 'dropped' ? null : [];
}

function alongPath({ definition, path }: Spot): Along {
  const [name = '', ...inner] = path.split('.');
  const field = definition.fields.get(name);
  if (field === undefined) {
    const isKnown = definition.names.has(name) || definition.isRevision(name);
    return isKnown ? { places: [] } : { unnamed: { keys: [name], isRefused: false } };
  }
  const along = placesAlong(field.place, inner);
  if (along.unnamed === undefined) return along;
  return { unnamed: { ...along.unnamed, keys: [name, ...along.unnamed.keys] } };
}

function checkValue(places: readonly Place[], value: unknown, spot: Spot, canDrop: boolean): void {
  for (const { keys, isRefused } of unnamedIn(places, value))
    if (decide(spot, [...spot.path.split('.'), ...keys], isRefused, canDrop) === 'dropped') removeAlong(value, keys);
}

function decide(
  { definition, issues }: Spot,
  [name = '', ...inner]: readonly string[],
  isRefused: boolean,
  canDrop: boolean,
): 'refused' | 'dropped' | 'kept' {
  if (!isRefused && definition.unknown === 'keep') return 'kept';
  if (!isRefused && definition.unknown === 'drop' && canDrop) return 'dropped';
  const keys = [definition.programName(name), ...inner];
  const message = inner.length === 0 ? 'the schema has no such field' : 'the schema has no such key';
  issues.push({ keys, path: keys.join('.'), message });
  return 'refused';
}

/** A time that the mapper keeps is a Date, as in a document. */
function checkTime(operator: string, value: unknown, { definition, path, issues }: Spot): void {
  if (operator === '$currentDate') {
    const isDate = value === true || (isPlainObject(value) && value['$type'] === 'date');
    if (isDate) return;
  } else if (!WRITING.has(operator) || value instanceof Date || value === undefined) return;
  const keys = [definition.programName(path)];
  issues.push({ keys, path: keys.join('.'), message: `Expected a Date, got ${typeName(value)}` });
}
