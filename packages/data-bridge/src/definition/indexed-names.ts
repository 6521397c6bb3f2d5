import { isPlainObject } from '../bson/plain-object.ts';
import { type ErrorContext, SchemaError } from '../errors.ts';
import { placesAlong } from '../schema/named-keys.ts';
import type { SchemaField } from '../schema/schema-field.ts';
import type { ModelIndex } from './model-options.ts';

/** The members of an index's description whose keys are paths. */
const NAMING = ['key', 'weights', 'wildcardProjection', 'partialFilterExpression'] as const;

const JOINING = new Set(['$and', '$or', '$nor']);

/** What is asked of a model. */
interface Named {
  readonly context: ErrorContext;
  readonly indexes: readonly ModelIndex[];
  /** As they are stored. */
  readonly shardKey: readonly string[];
  readonly fields: ReadonlyMap<string, SchemaField>;
  readonly names: ReadonlySet<string>;
  /** Under its key documents of a hierarchy tell their class. */
  readonly kin: { readonly key: string };
  storedPath(path: string): string;
  programPath(keys: readonly string[]): string;
}

/**
 * Looks at what indexes and the shard key name: an index over a misspelt field is made, and never used.
 *
 * @throws SchemaError
 */
export function checkIndexedNames(model: Named): void {
  const check = (option: string, stored: string): void => {
    if (isNamed(model, stored)) return;
    const path = model.programPath(stored.split('.'));
    const text = `The model option "${option}" names "${path}", which is no field of the schema, or no member of one.`;
    throw new SchemaError(`${text} Models with unknown: 'keep' may name others.`, model.context);
  };
  for (const index of model.indexes)
    for (const path of NAMING.flatMap((member) => pathsOf(index[member]))) check('indexes', model.storedPath(path));
  for (const path of model.shardKey) check('shardKey', path);
}

/** True where the schema names each key of a path. What begins with `$` stands for all that is below. */
function isNamed({ fields, names, kin }: Named, path: string): boolean {
  const [name = '', ...keys] = path.split('.');
  const field = fields.get(name);
  if (field === undefined) return names.has(name) || path === kin.key;
  const end = keys.findIndex((key) => key.startsWith('$'));
  return placesAlong(field.place, end < 0 ? keys : keys.slice(0, end), true).unnamed === undefined;
}

/** Of a key, or of a filter: what begins with `$` is an operator, or all fields. */
function pathsOf(naming: object | undefined): string[] {
  const entries = naming instanceof Map ? [...(naming as Map<string, unknown>)] : Object.entries(naming ?? {});
  return entries.flatMap(([path, value]) => {
    if (!path.startsWith('$')) return [path];
    return JOINING.has(path) && Array.isArray(value) ? value.filter(isPlainObject).flatMap(pathsOf) : [];
  });
}
