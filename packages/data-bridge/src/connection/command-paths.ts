import { isPlainObject } from '../bson/plain-object.ts';

/*
 * The paths that a command's filter, update and sort name: never what stands there.
 */

/** The paths of a method's arguments, each once. */
export function pathsOf(operation: string, [what, how]: readonly unknown[], sort: unknown): string[] {
  return [...new Set([...partsOf(operation, what, how), ...inSort(sort)])];
}

function partsOf(operation: string, what: unknown, how: unknown): string[] {
  if (operation.startsWith('insert')) return [];
  if (operation === 'bulkWrite') return listOf(what).flatMap(inModel);
  if (operation === 'aggregate') return listOf(what).flatMap(inStage);
  if (operation === 'distinct') return [String(what), ...inFilter(how)];
  return [...inFilter(what), ...(/^(update|replace|findOneAnd(Update|Replace))/.test(operation) ? inUpdate(how) : [])];
}

/** One of several writes, by the form of a collection or of the client. */
function inModel(model: unknown): string[] {
  const [[, inner] = []] = entriesOf(model);
  const { filter, update, sort, replacement } = (isPlainObject(inner) ? inner : model) as Record<string, unknown>;
  return [...inFilter(filter), ...inUpdate(update ?? replacement), ...inSort(sort)];
}

function inStage(stage: unknown): string[] {
  const { $match, $sort } = stage as Record<string, unknown>;
  return [...inFilter($match), ...inSort($sort)];
}

const JOINING: ReadonlySet<string> = new Set(['$and', '$or', '$nor']);

function inFilter(filter: unknown): string[] {
  return entriesOf(filter).flatMap(([key, value]) => {
    if (JOINING.has(key)) return listOf(value).flatMap(inFilter);
    return key.startsWith('$') ? [] : [key];
  });
}

/** Operators, stages, or a document that takes the place of another one. */
function inUpdate(update: unknown): string[] {
  if (Array.isArray(update)) return update.flatMap(inUpdate);
  return entriesOf(update).flatMap(([key, value]) => {
    if (!key.startsWith('$')) return [key];
    const isList = key === '$unset' && !isPlainObject(value);
    return isList ? [value].flat().map(String) : entriesOf(value).map(([path]) => path);
  });
}

function inSort(sort: unknown): string[] {
  return sort instanceof Map
    ? [...(sort as ReadonlyMap<string, unknown>).keys()]
    : entriesOf(sort).map(([path]) => path);
}

function entriesOf(part: unknown): [string, unknown][] {
  return isPlainObject(part) ? Object.entries(part) : [];
}

function listOf(part: unknown): unknown[] {
  return Array.isArray(part) ? part : [];
}
