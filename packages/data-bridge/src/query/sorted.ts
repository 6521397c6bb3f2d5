import { sortOf } from '../filter/sort-order.ts';
import type { QuerySpec } from './query-spec.ts';

/** The order of a query with more keys at its end. */
export function sortedAlso({ definition, options }: QuerySpec<unknown>, sort: unknown): ReturnType<typeof sortOf> {
  const keys = options.sort === undefined ? [] : sortOf(definition, options.sort);
  return new Map([...keys, ...sortOf(definition, sort)]);
}

/** The paths that a query is sorted by, in the program's names. */
export function sortedBy({ definition, options }: QuerySpec<unknown>): readonly string[] {
  const keys = [...sortOf(definition, options.sort ?? {}).keys()];
  return keys.map((path) => definition.programPath(path.split('.')));
}
