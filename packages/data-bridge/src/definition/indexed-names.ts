import { SchemaError } from '../errors.ts';
import type { ModelIndex } from './model-options.ts';

/** The members of an index's description whose keys are paths. */
const NAMING = ['key', 'weights', 'wildcardProjection', 'partialFilterExpression'] as const;

/**
 * Looks at what indexes and the shard key name: an index over a misspelt field is made, and never used.
 *
 * @param isField tells whether a path of the program's begins with a field.
 * @throws SchemaError
 */
export function checkIndexedNames(
  model: string,
  indexes: readonly ModelIndex[],
  shardKey: readonly string[],
  isField: (path: string) => boolean,
): void {
  const refuse = (option: string, path: string): never => {
    const text = `The model option "${option}" names "${path}", which begins with no field of the schema.`;
    throw new SchemaError(`${text} Models with unknown: 'keep' may name others.`, { model });
  };
  for (const index of indexes)
    for (const path of NAMING.flatMap((member) => pathsOf(index[member]))) if (!isField(path)) refuse('indexes', path);
  for (const path of shardKey) if (!isField(path)) refuse('shardKey', path);
}

/** Of a key, or of a filter: what begins with `$` is an operator, or all fields. */
function pathsOf(naming: object | undefined): string[] {
  const paths = naming instanceof Map ? [...(naming.keys() as Iterable<string>)] : Object.keys(naming ?? {});
  return paths.filter((path) => !path.startsWith('$'));
}
