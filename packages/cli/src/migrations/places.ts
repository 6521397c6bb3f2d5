import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'data-bridge';
import { CommandError } from '../errors.ts';
import type { Migrated } from './migration.ts';

/*
 * Where documents stand in the order of their query. One that moves behind the end of its page would be met again, without end.
 */

/** What each document has under the paths that the query is sorted by. An `_id` never changes. */
export function placesOf({ items }: Page<Migrated>, sortedBy: readonly string[]): unknown[][] {
  const paths = sortedBy.filter((path) => path !== '_id');
  if (paths.length === 0) return [];
  return items.map((document) => {
    const object = document.toObject();
    return paths.map((path) => valueAt(object, path.split('.')));
  });
}

/** @throws CommandError where a document stands elsewhere than it did. */
export function checkPlaces(page: Page<Migrated>, sortedBy: readonly string[], before: readonly unknown[][]): void {
  if (isDeepStrictEqual(placesOf(page, sortedBy), before)) return;
  const paths = sortedBy.map((path) => `"${path}"`).join(', ');
  throw new CommandError(
    `batch() follows the order of its query, and what the query is sorted by (${paths}) changes with the documents, which would come again: leave out the sort, or sort by what stays as it is.`,
  );
}

function valueAt(object: unknown, keys: readonly string[]): unknown {
  const [key, ...inner] = keys;
  if (key === undefined) return object;
  const isObject = typeof object === 'object' && object !== null && Object.hasOwn(object, key);
  return isObject ? valueAt((object as Record<string, unknown>)[key], inner) : undefined;
}
