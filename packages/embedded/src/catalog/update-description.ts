// What an update changed, as change streams tell it.
// https://www.mongodb.com/docs/manual/reference/change-events/update/
import { Int32 } from 'bson';
import { encode } from '../values/bson.ts';
import { type Document, documentOf, isArray, isDocument, type Value } from '../values/value.ts';

/** The changes of one update by dotted paths. Laid over the document before, in this order, they give the one after. */
export interface UpdateDescription {
  readonly truncated: Map<string, number>;
  readonly updated: Document;
  readonly removed: string[];
}

/** The member `updateDescription` of an event. */
export function descriptionDocument({ updated, removed, truncated }: UpdateDescription): Document {
  const arrays = Array.from(truncated, ([field, newSize]) =>
    documentOf(['field', field], ['newSize', new Int32(newSize)]),
  );
  return documentOf(['updatedFields', updated], ['removedFields', removed], ['truncatedArrays', arrays]);
}

/**
 * What operators changed: the paths that they wrote to, each with its whole new value. A path whose parent is new goes
 * as the topmost new value, and an array that only grew as its new elements.
 * @param paths those that were written to, indexes for `$` and its like
 */
export function descriptionOfPaths(before: Document, after: Document, paths: readonly string[]): UpdateDescription {
  const description: UpdateDescription = { truncated: new Map(), updated: new Map(), removed: [] };
  for (const path of paths) describePath(before, after, path.split('.'), description);
  return description;
}

function describePath(
  before: Document,
  after: Document,
  names: readonly string[],
  description: UpdateDescription,
): void {
  let was: Value | undefined = before;
  let is: Value | undefined = after;
  let path = '';
  for (const name of names) {
    path = join(path, name);
    was = childOf(was, name);
    is = childOf(is, name);
    if (is === undefined) {
      if (was !== undefined && !description.removed.includes(path)) description.removed.push(path);
      return;
    }
    if (was === undefined) {
      description.updated.set(path, is);
      return;
    }
  }
  if (was === undefined || is === undefined || same(was, is)) return;
  if (isArray(was) && isArray(is) && grew(was, is)) addElements(is, was.length, path, description);
  else description.updated.set(path, is);
}

function grew(before: readonly Value[], after: readonly Value[]): boolean {
  return before.length < after.length && before.every((value, index) => same(value, after[index] ?? null));
}

function addElements(array: readonly Value[], from: number, path: string, description: UpdateDescription): void {
  for (const [index, value] of array.entries()) {
    if (index >= from) description.updated.set(join(path, String(index)), value);
  }
}

/** What the command around a delta takes: one that is not smaller than the document is no gain over the document. */
const DELTA_OVERHEAD = 15;

/**
 * What changed between two documents whatever changed it, for updates by pipeline: documents member by member, arrays
 * element by element from the front, each as deep as that is shorter than the whole value. `undefined` where the whole
 * new document is shorter than that: then it was replaced.
 */
export function descriptionOfDifference(before: Document, after: Document): UpdateDescription | undefined {
  const description: UpdateDescription = { truncated: new Map(), updated: new Map(), removed: [] };
  compareDocuments(before, after, '', description);
  return sizeOf(description) + DELTA_OVERHEAD < encode(after).length ? description : undefined;
}

function compareDocuments(before: Document, after: Document, path: string, description: UpdateDescription): void {
  for (const name of before.keys()) if (!after.has(name)) description.removed.push(join(path, name));
  for (const [name, value] of after) compareValues(before.get(name), value, join(path, name), description);
}

function compareArrays(
  before: readonly Value[],
  after: readonly Value[],
  path: string,
  description: UpdateDescription,
): void {
  if (before.length > after.length) description.truncated.set(path, after.length);
  for (const [index, value] of after.entries()) {
    compareValues(before[index], value, join(path, String(index)), description);
  }
}

function compareValues(before: Value | undefined, after: Value, path: string, description: UpdateDescription): void {
  if (before !== undefined && same(before, after)) return;
  const inner: UpdateDescription = { truncated: new Map(), updated: new Map(), removed: [] };
  if (isDocument(before) && isDocument(after)) compareDocuments(before, after, path, inner);
  else if (isArray(before) && isArray(after)) compareArrays(before, after, path, inner);
  else return void description.updated.set(path, after);
  const isNothing = inner.updated.size + inner.removed.length + inner.truncated.size === 0;
  // The order of the members alone is no change of any of them.
  if (isNothing || sizeOf(inner) >= encode(documentOf(['', after])).length) description.updated.set(path, after);
  else merge(description, inner);
}

function merge(description: UpdateDescription, inner: UpdateDescription): void {
  for (const [path, value] of inner.updated) description.updated.set(path, value);
  for (const [path, size] of inner.truncated) description.truncated.set(path, size);
  description.removed.push(...inner.removed);
}

function sizeOf({ updated, removed, truncated }: UpdateDescription): number {
  const removal = removed.reduce((size, path) => size + path.length + 3, 0);
  return encode(updated).length + removal + 12 * truncated.size;
}

function childOf(value: Value | undefined, name: string): Value | undefined {
  if (isDocument(value)) return value.get(name);
  return isArray(value) ? value[Number(name)] : undefined;
}

/** Of the same type and, in all that it holds, the same bytes. */
function same(a: Value, b: Value): boolean {
  return a === b || encode(documentOf(['', a])).equals(encode(documentOf(['', b])));
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
