import type { Hint } from 'mongodb';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import { refusePathList } from './refuse-path-list.ts';

/** Which way a sort goes by one path. */
export type Direction = 1 | -1;

/** One key of a sort as it is sent: a direction, or the score of a text search. */
type SortValue = Direction | { readonly $meta: string };

const DIRECTIONS: ReadonlyMap<unknown, Direction> = new Map<unknown, Direction>([
  [1, 1],
  ['1', 1],
  ['asc', 1],
  ['ascending', 1],
  [-1, -1],
  ['-1', -1],
  ['desc', -1],
  ['descending', -1],
]);

/** The order as it is sent: stored paths with their directions. */
export function sortOf(
  names: Pick<ModelDefinition, 'storedPath'> | ModelDefinition,
  sort: unknown,
): Map<string, SortValue> {
  const keys = entriesOf(sort).map(([path, direction]): [string, SortValue] => {
    const value = DIRECTIONS.get(direction) ?? scoreOf(direction);
    if (value === undefined)
      throw new UsageError(`sort() takes 1 or -1 for "${path}", 'asc' or 'desc', got ${describe(direction)}.`);
    if ('names' in names) refusePathList('sort', path, names);
    return [names.storedPath(path), value];
  });
  return new Map(keys);
}

function scoreOf(direction: unknown): SortValue | undefined {
  const { $meta } = (direction ?? {}) as { $meta?: unknown };
  return typeof $meta === 'string' ? { $meta } : undefined;
}

function entriesOf(sort: unknown): [string, unknown][] {
  if (typeof sort === 'string') return [[sort, 1]];
  if (sort instanceof Map) return [...(sort as Map<string, unknown>)];
  if (Array.isArray(sort))
    return sort.map((entry: unknown) => (Array.isArray(entry) ? [String(entry[0]), entry[1]] : [String(entry), 1]));
  if (typeof sort === 'object' && sort !== null) return Object.entries(sort);
  throw new UsageError(`sort() takes an object or a field's name, got ${typeName(sort)}.`);
}

/** An index as it is sent: its name, or its key with stored paths. */
export function hintOf(definition: ModelDefinition, hint: Hint): Hint {
  if (typeof hint !== 'object') return hint;
  return Object.fromEntries(Object.entries(hint).map(([path, value]) => [definition.storedPath(path), value]));
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeName(value);
}
