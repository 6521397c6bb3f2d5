import { SchemaError } from '../errors.ts';
import { isObject } from '../bson/bson-classes.ts';
import {
  type AnySchema,
  type ArrayOf,
  arraysIn,
  checkJsonSchema,
  elementsIn,
  type Identity,
  NO_ARRAY,
  SCALARS,
} from './identified.ts';
import { boundsIn } from './identities.ts';
import { property } from './schema-library.ts';

/** A field's schema, with the word that no value is in its array twice. */
export interface UniqueSchema<S extends AnySchema> {
  readonly '~standard': S['~standard'];
  readonly '~identified': { readonly key: true; readonly schema: S };
}

/** Anything for an array of scalars. */
export type OfScalars<V> = V extends readonly Identity[] ? unknown : never;

/**
 * A field that is an array of scalars, none of which is there twice: a set, in an order. What different writers add, remove
 * and move then all survives, as it does without a word in arrays of strings, ObjectIds and UUIDs; and a value that two of
 * them add is there once. It is not checked when a document is validated: while one is there twice, the array is saved as any
 * other.
 *
 * ```ts
 * class Draw extends model('draws', { numbers: unique(z.array(z.int())) }) {}
 * draw.numbers.push(7);
 * await draw.save(); // sends { $addToSet: { numbers: { $each: [7] } } }
 * ```
 *
 * This one declares the array of a field, whatever library its schema is of; `unique` of `data-bridge/zod` nests anywhere in
 * other Zod types.
 *
 * @param schema of an array of scalars without a bound on its length; what is optional or has a default is said there.
 * @throws SchemaError for what is no such array, as far as the schema shows.
 */
export function unique<S extends AnySchema>(schema: S & OfScalars<ArrayOf<S>>): UniqueSchema<S> {
  const standard: unknown = (schema as Partial<AnySchema> | null | undefined)?.['~standard'];
  if (!isObject(standard)) throw new SchemaError('unique(…) takes a validator of an array, such as z.array(…).');
  if (['~identified', '~stored'].some((mark) => property(schema, mark) !== undefined))
    throw new SchemaError('unique(…) takes the schema of an array itself: put stored(…) around it.');
  checkUnique(schema);
  return { '~standard': schema['~standard'], '~identified': { key: true, schema } };
}

/** @throws SchemaError where the schema is seen to be of no array of scalars, or of one that cannot take what others add. */
export function checkUnique(schema: unknown): void {
  checkJsonSchema(schema, 'unique(…)', (root) => {
    const arrays = arraysIn(root, root);
    if (arrays === null) return NO_ARRAY;
    if (arrays.some(boundsIn)) return 'the length of the array is bounded, and may not be when changes are merged';
    const types = elementsIn(arrays, root).flatMap(({ type, bsonType }) => type ?? bsonType ?? []);
    return types.every((type) => SCALARS.has(type)) ? undefined : 'the elements may be what tells nothing apart';
  });
}
