import { isObject } from '../bson/bson-classes.ts';
import { SchemaError } from '../errors.ts';
import type { FieldSchema } from './schema-field.ts';

/** What a model is told of a field beside its schema. */
type FieldMark = 'writeOnce' | 'hidden';

/** A field's schema, and what the model is told of the field. */
export interface MarkedSchema<S extends FieldSchema> {
  readonly '~standard': S['~standard'];
  readonly '~mark': { readonly kind: FieldMark; readonly schema: S };
}

/**
 * A field that is written once, when it is first stored: later assignments, updates and replacements that could change it are
 * refused. It stands around the whole schema of a field.
 *
 * ```ts
 * class Order extends model('orders', { number: writeOnce(z.string()), total: z.number() }) {}
 * ```
 *
 * @throws SchemaError for what is no schema.
 */
export function writeOnce<S extends FieldSchema>(schema: S): MarkedSchema<S> {
  return mark('writeOnce', schema);
}

/**
 * A field that is read by its name alone, such as the hash of a password: JSON, `toObject()`, logs of documents, plain objects of
 * `lean()` and histories do not have it. It stands around the whole schema of a field.
 *
 * ```ts
 * class User extends model('users', { email: z.email(), password: hidden(z.string()) }) {}
 * JSON.stringify(user); // without the password
 * user.password;        // the password
 * ```
 *
 * @throws SchemaError for what is no schema.
 */
export function hidden<S extends FieldSchema>(schema: S): MarkedSchema<S> {
  return mark('hidden', schema);
}

function mark<S extends FieldSchema>(kind: FieldMark, schema: S): MarkedSchema<S> {
  if (!isObject((schema as Partial<FieldSchema> | null | undefined)?.['~standard']))
    throw new SchemaError(`${kind}(…) takes a validator such as z.string() or objectId().`);
  return { '~standard': schema['~standard'], '~mark': { kind, schema } };
}

/** A schema as it may be wrapped: by marks, and by the name under which it is stored. */
interface Wrapped extends Partial<MarkedSchema<FieldSchema>> {
  readonly '~stored'?: { readonly name: string; readonly schema: FieldSchema };
}

/** The layers around a field's schema, from outside, and the schema itself. */
function layersOf(schema: FieldSchema): readonly FieldSchema[] {
  const { '~mark': marked, '~stored': named } = (schema as Wrapped | null | undefined) ?? {};
  const inner = marked?.schema ?? named?.schema;
  return inner === undefined ? [schema] : [schema, ...layersOf(inner)];
}

/** The schema of a field, without its marks and the name that it is stored under. */
export function bareSchema(schema: FieldSchema): FieldSchema {
  return layersOf(schema).at(-1) as FieldSchema;
}

/** What the model is told of a field. */
export function marksOf(schema: FieldSchema): ReadonlySet<FieldMark> {
  return new Set(layersOf(schema).flatMap((layer) => (layer as Wrapped | null | undefined)?.['~mark']?.kind ?? []));
}

/** The name that a field is stored under, where it has another one than in the program. */
export function storedNameIn(schema: FieldSchema): string | undefined {
  return layersOf(schema)
    .map((layer) => (layer as Wrapped | null | undefined)?.['~stored']?.name)
    .find((name) => name !== undefined);
}
