// https://www.mongodb.com/docs/manual/reference/operator/update/positional-filtered/
import { ServerError } from '../../errors.ts';
import type { Collation } from '../../values/collation.ts';
import { matcher } from '../match/compile.ts';
import { type Document, isArray, isDocument, type Value } from '../../values/value.ts';
import { badValue } from './modifier.ts';

/**
 * Compiles array filters to tests of elements, by identifier.
 * @throws ServerError 9 for a filter that names no identifier, several, or one of another filter; 2 for a bad identifier
 */
export function elementFilters(
  filters: readonly Document[],
  collation: Collation | undefined,
): ReadonlyMap<string, (element: Value) => boolean> {
  const tests = new Map<string, (element: Value) => boolean>();
  for (const filter of filters) {
    const identifier = identifierOf(filter);
    if (tests.has(identifier)) {
      throw new ServerError(9, `Found multiple array filters with the same top-level field name ${identifier}`);
    }
    const matches = compileFilter(filter, collation);
    tests.set(identifier, (element) => matches(new Map([[identifier, element]])));
  }
  return tests;
}

function compileFilter(filter: Document, collation: Collation | undefined): ReturnType<typeof matcher> {
  try {
    return matcher(filter, { collation });
  } catch (error) {
    throw error instanceof ServerError ? error.within('Error parsing array filter') : error;
  }
}

function identifierOf(filter: Document): string {
  const [first, second] = new Set(fieldNames(filter));
  if (first === undefined) {
    throw new ServerError(9, 'Cannot use an expression without a top-level field name in arrayFilters');
  }
  if (second !== undefined) {
    throw new ServerError(
      9,
      `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${first}' and '${second}'`,
    );
  }
  if (!/^[a-z][a-zA-Z0-9]*$/.test(first)) {
    throw badValue(
      `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${first}'`,
    );
  }
  return first;
}

/** The first names of the paths in a filter, those within `$and`, `$or` and `$nor` included. */
function fieldNames(filter: Document): string[] {
  return Array.from(filter).flatMap(([key, value]) => {
    if (!key.startsWith('$')) return [key.split('.', 1)[0] ?? ''];
    return isArray(value) ? value.filter(isDocument).flatMap(fieldNames) : [];
  });
}
