import { isIndex } from './path.ts';
import { ServerError } from '../errors.ts';
import { type Document, UNDEFINED, type Value } from './value.ts';

/** A dotted path, taken apart. */
export type FieldPath = readonly string[];

/** One part per indexed field; undefined where the document lacks the field. */
export type IndexKey = readonly (Value | undefined)[];

/** A field on its way: its value, or the array that stands before `rest` of its path. */
interface Field {
  readonly value: Value | undefined;
  readonly array?: readonly Value[];
  readonly rest?: FieldPath;
}

const MISSING: Field = { value: undefined };

/**
 * The keys of a document in an index over `paths` (source: the MongoDB manual, "Multikey Indexes"). An array gives a
 * key for each element; fields below one and the same array are taken from the same element. An empty array counts as
 * undefined, which differs from null and from missing. Throws 171 where two of the fields go through different arrays.
 */
export function indexKeys(paths: readonly FieldPath[], document: Document): IndexKey[] {
  return [
    ...expand(
      paths,
      paths.map((path) => reach(document, path)),
    ),
  ];
}

/** Follows `path` through objects, and through arrays by position, up to its end or to the first array to be expanded. */
function reach(start: Value | undefined, path: FieldPath): Field {
  let value = start;
  for (const [depth, name] of path.entries()) {
    if (Array.isArray(value)) {
      const element = isIndex(name) ? value[Number(name)] : undefined;
      if (element === undefined) return { value: undefined, array: value, rest: path.slice(depth) };
      value = element;
    } else if (value instanceof Map) {
      value = value.get(name);
    } else {
      return MISSING;
    }
  }
  return Array.isArray(value) ? { value: undefined, array: value, rest: [] } : { value };
}

function* expand(paths: readonly FieldPath[], fields: readonly Field[]): Generator<IndexKey> {
  const array = fields.find((field) => field.array !== undefined)?.array;
  if (array === undefined) {
    yield fields.map((field) => field.value);
    return;
  }
  refuseParallel(paths, fields, array);
  for (const element of array.length === 0 ? [undefined] : array) {
    const inside = fields.map((field) => (field.array === array ? enter(element, field.rest ?? []) : field));
    yield* expand(paths, inside);
  }
}

/** What a field is for one element of its array. An array right inside an array is a value, it is not looked into. */
function enter(element: Value | undefined, rest: FieldPath): Field {
  if (rest.length === 0) return { value: element === undefined ? UNDEFINED : element };
  return Array.isArray(element) ? MISSING : reach(element, rest);
}

function refuseParallel(paths: readonly FieldPath[], fields: readonly Field[], array: readonly Value[]): void {
  const other = fields.findIndex((field) => field.array !== undefined && field.array !== array);
  if (other === -1) return;
  const first = fields.findIndex((field) => field.array === array);
  throw new ServerError(171, `cannot index parallel arrays [${paths[other]?.join('.')}] [${paths[first]?.join('.')}]`);
}
