// The order of documents by a sort specification.
// https://www.mongodb.com/docs/manual/reference/method/cursor.sort/
import { ServerError } from '../../errors.ts';
import { indexKeys } from '../../values/index-keys.ts';
import { toSafeInteger } from '../../values/number.ts';
import { compare, compareText, type TextOrder } from '../../values/order.ts';
import { isIndex, splitPath } from '../../values/path.ts';
import { type Document, isArray, isDocument, isNumeric, UNDEFINED, type Value } from '../../values/value.ts';

interface SortField {
  readonly path: readonly string[];
  readonly sign: 1 | -1;
}

/** The values that decide of a document's place, one for each field of the specification. */
export type SortKey = readonly Value[];

/** A sort specification, compiled: what decides of a document's place, and the order of that. */
export interface SortOrder {
  keyOf(this: void, document: Document): SortKey;
  compare(this: void, a: SortKey, b: SortKey): number;
}

/**
 * Compiles a sort specification, `{path: 1 | -1, …}`. A missing value counts as null; an array by its lowest element when
 * ascending and by its highest when descending; an empty array comes before null. Several fields below one array are
 * taken from one element.
 * @throws ServerError 15975 and the like for a wrong specification; `keyOf` throws 2 for a document in which the fields
 * go through different arrays
 */
export function sortOrder(sort: Document, texts: TextOrder = compareText): SortOrder {
  const fields = Array.from(sort, ([path, direction]) => sortField(path, direction));
  const compareKeys = (a: SortKey, b: SortKey): number => {
    for (const [at, { sign }] of fields.entries()) {
      const order = compare(a[at], b[at], texts);
      if (order !== 0) return sign * order;
    }
    return 0;
  };
  const [only] = fields;
  const keyOf =
    only !== undefined && fields.length === 1
      ? (document: Document) => [singleKey(document, only, texts)]
      : (document: Document) => plainKey(document, fields) ?? compoundKey(document, fields, compareKeys);
  return { keyOf, compare: compareKeys };
}

/** The comparison of documents that {@link sortOrder} makes, for those who compare few of them. */
export function compareBy(sort: Document, texts: TextOrder = compareText): (a: Document, b: Document) => number {
  const order = sortOrder(sort, texts);
  return (a, b) => order.compare(order.keyOf(a), order.keyOf(b));
}

/** Sorts anything that has documents: each key is made once. The order of equal ones stays. */
export function sortedBy<T>(
  items: Iterable<T>,
  { keyOf, compare: order }: SortOrder,
  documentOf: (item: T) => Document,
): T[] {
  return Array.from(items, (item) => ({ item, key: keyOf(documentOf(item)) }))
    .sort((a, b) => order(a.key, b.key))
    .map(({ item }) => item);
}

function sortField(path: string, direction: Value): SortField {
  if (isDocument(direction)) throw new ServerError(238, 'Sorting by an expression such as $meta is not supported');
  if (!isNumeric(direction)) {
    throw new ServerError(15974, `Illegal key in $sort specification: ${path}: expected a number`);
  }
  const sign = toSafeInteger(direction);
  if (sign !== 1 && sign !== -1) {
    throw new ServerError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
  }
  const components = splitPath(path);
  if (components.includes('')) throw new ServerError(15998, 'FieldPath field names may not be empty strings.');
  if (path.startsWith('$')) throw new ServerError(16410, "FieldPath field names may not start with '$'.");
  return { path: components, sign };
}

/** The key of a document without arrays on the way; undefined for others. */
function plainKey(document: Document, fields: readonly SortField[]): SortKey | undefined {
  const key: Value[] = [];
  for (const { path } of fields) {
    let value: Value | undefined = document;
    for (const name of path) value = isDocument(value) ? value.get(name) : undefined;
    if (isArray(value) || passesArray(document, path)) return undefined;
    key.push(value ?? null);
  }
  return key;
}

function passesArray(document: Document, path: readonly string[]): boolean {
  let value: Value | undefined = document;
  for (const name of path) {
    if (isArray(value)) return true;
    value = isDocument(value) ? value.get(name) : undefined;
  }
  return false;
}

/** The first of the keys that the elements of the array make. */
function compoundKey(document: Document, fields: readonly SortField[], order: SortOrder['compare']): SortKey {
  const keys = keysThroughArrays(document, fields).map((key) => key.map((part) => part ?? null));
  return keys.reduce((best, key) => (order(key, best) < 0 ? key : best));
}

function keysThroughArrays(document: Document, fields: readonly SortField[]): ReturnType<typeof indexKeys> {
  try {
    return indexKeys(
      fields.map(({ path }) => path),
      document,
    );
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    throw new ServerError(2, 'cannot sort with keys that are parallel arrays');
  }
}

function singleKey(document: Document, { path, sign }: SortField, texts: TextOrder): Value {
  const [first = '', ...rest] = path;
  const value = document.get(first);
  if (rest.length === 0 && !isArray(value)) return value ?? null;
  const keys: Value[] = [];
  collectKeys(value, path, 1, keys);
  return keys.reduce((best, key) => (sign * compare(key, best, texts) < 0 ? key : best));
}

/** Adds at least one key. */
function collectKeys(value: Value | undefined, path: readonly string[], depth: number, keys: Value[]): void {
  const component = path[depth];
  if (component === undefined) {
    if (!isArray(value)) keys.push(value ?? null);
    else if (value.length === 0) keys.push(UNDEFINED);
    else for (const element of value) keys.push(element);
  } else if (isDocument(value)) {
    collectKeys(value.get(component), path, depth + 1, keys);
  } else if (isArray(value) && isIndex(component)) {
    collectKeys(value[Number(component)], path, depth + 1, keys);
  } else if (isArray(value) && value.length > 0) {
    for (const element of value) collectKeys(isDocument(element) ? element : undefined, path, depth, keys);
  } else {
    keys.push(null);
  }
}
