import type { BSON } from 'mongodb';
import { isObject } from '../bson/bson-classes.ts';
import { type BsonTypeName, NUMBER_TYPES } from '../bson/types.ts';
import { typeName } from './bson-types.ts';
import { SchemaError } from '../errors.ts';
import { type JsonSchema, libraryJsonSchema, property } from './schema-library.ts';

/** What can identify elements: values that a server compares as the mapper does. */
export type Identity =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | BSON.ObjectId
  | BSON.Binary
  | BSON.Decimal128
  | BSON.Double
  | BSON.Int32
  | BSON.Long;

/** The members of an array's elements that can identify them: always there, and no containers. */
export type IdentityKey<V> = V extends readonly (infer E)[]
  ? { [K in keyof E & string]-?: E[K] extends Identity ? K : never }[keyof E & string]
  : never;

/** Cheap on purpose, as `FieldSchema` is. */
export interface AnySchema {
  // oxlint-disable-next-line no-explicit-any -- compared with every library's types
  readonly '~standard': { readonly version: 1; readonly types?: any };
}

/** The output of a schema, without what stands for no array at all. */
export type ArrayOf<S extends AnySchema> = NonNullable<NonNullable<S['~standard']['types']>['output']>;

/** A field's schema together with the member that identifies the elements of its array. */
export interface IdentifiedSchema<S extends AnySchema> {
  readonly '~standard': S['~standard'];
  readonly '~identified': { readonly key: string; readonly schema: S };
}

/**
 * A field that is an array of objects, identified by a member that is unique in the array. Changes to different elements
 * by different writers then all survive: an edited element is found by its key wherever it is now. Arrays whose elements
 * have a unique `_id` need no declaration. Where two elements have the same key, or one has none, the array is saved as any other.
 *
 * ```ts
 * const Item = z.object({ sku: z.string(), qty: z.int() });
 * class Order extends model('orders', { items: identified(z.array(Item), 'sku') }) {}
 * order.items[2].qty = 5;
 * await order.save(); // sends { $set: { 'items.$[e0].qty': 5 } } with the filter { 'e0.sku': 'B2' }
 * ```
 *
 * This one declares the array of a field, whatever library its schema is of; `identified` of `data-bridge/zod` nests
 * anywhere in other Zod types.
 *
 * @param schema of an array of objects; what is optional or has a default is said there.
 * @param key a member of the elements that is always there: a string, number, boolean, date, ObjectId, UUID or other scalar.
 * @throws SchemaError for a key that cannot be, as far as the schema shows.
 */
export function identified<S extends AnySchema, const K extends IdentityKey<ArrayOf<S>>>(
  schema: S,
  key: K,
): IdentifiedSchema<S> {
  const standard: unknown = (schema as Partial<AnySchema> | null | undefined)?.['~standard'];
  if (!isObject(standard)) throw new SchemaError('identified(…) takes a validator of an array, such as z.array(…).');
  if (isIdentified(schema) || property(schema, '~stored') !== undefined)
    throw new SchemaError('identified(…) takes the schema of an array itself: put stored(…) around it.');
  checkIdentity(schema, key);
  return { '~standard': schema['~standard'], '~identified': { key, schema } };
}

/** A schema with what it declares of the elements of its array: the key that identifies them, or `true` for themselves. */
interface Declaration {
  readonly '~identified': { readonly key: string | true; readonly schema: unknown };
}

/** The schema of a field, without what it declares of its elements. */
export function withoutIdentity<S>(schema: S): S {
  return isIdentified(schema) ? (schema['~identified'].schema as S) : schema;
}

export function isIdentified(schema: unknown): schema is Declaration {
  return isObject(property(schema, '~identified'));
}

// ── what cannot be ──────────────────────────────────────────────────────────────────────────────────────────────────

/** The types of JSON Schema and of BSON that can identify elements. */
export const SCALARS: ReadonlySet<unknown> = new Set<BsonTypeName | 'number' | 'integer' | 'boolean'>([
  'string',
  'number',
  'integer',
  'boolean',
  ...NUMBER_TYPES,
  'bool',
  'date',
  'objectId',
  'binData',
]);

let isChecking = false;

/**
 * Runs a check of the JSON Schema that the library gives; where there is none, nothing is known.
 *
 * @throws SchemaError for the problem that it finds.
 */
export function checkJsonSchema(
  schema: unknown,
  name: string,
  problemOf: (root: JsonSchema) => string | undefined,
): void {
  // case: a schema that contains itself comes here again while it is looked at
  if (isChecking) return;
  isChecking = true;
  try {
    const problem = problemOf(libraryJsonSchema(schema, 'output'));
    if (problem !== undefined) throw new SchemaError(`${name}: ${problem}.`);
  } finally {
    isChecking = false;
  }
}

/** @throws SchemaError where the schema is seen to be of no array of objects in which the key always is a scalar. */
export function checkIdentity(schema: unknown, key: string): void {
  if (typeof key !== 'string') throw new SchemaError(`identified() takes a schema and a key, got ${typeName(key)}.`);
  if (key === '' || /^\$|[.\0]|^\d+$/.test(key))
    throw new SchemaError(`identified(…, "${key}"): the key cannot be empty, a number, start with "$" or have a dot.`);
  checkJsonSchema(schema, `identified(…, "${key}")`, (root) => problemOfArray(root, root, key));
}

function problemOfArray(schema: JsonSchema, root: JsonSchema, key: string): string | undefined {
  const arrays = arraysIn(schema, root);
  if (arrays === null) return NO_ARRAY;
  return elementsIn(arrays, root)
    .map((element) => problemOfElement(element, root, key))
    .find((problem) => problem !== undefined);
}

export const NO_ARRAY = 'the schema is of no array';

/** The arrays that a schema gives, null where it may give something else. */
export function arraysIn(schema: JsonSchema, root: JsonSchema): JsonSchema[] | null {
  const arrays = typesIn(schema, root).filter(({ type }) => type !== 'null');
  return arrays.every(({ type, bsonType }) => (type ?? bsonType ?? 'array') === 'array') ? arrays : null;
}

/** What their elements may be. */
export function elementsIn(arrays: readonly JsonSchema[], root: JsonSchema): JsonSchema[] {
  return arrays.flatMap(({ items }) => (isObject(items) ? typesIn(items as JsonSchema, root) : []));
}

function problemOfElement({ type, bsonType, properties, required }: JsonSchema, root: JsonSchema, key: string) {
  if ((type ?? bsonType ?? 'object') !== 'object') return 'the elements are no objects';
  if (!isObject(properties)) return undefined;
  const member = Object.hasOwn(properties, key) ? property(properties, key) : undefined;
  if (member === undefined) return 'the elements have no such member';
  if (!Array.isArray(required) || !required.includes(key)) return 'this member of the elements may be absent';
  const types = typesIn(member as JsonSchema, root).flatMap((each) => each['type'] ?? each['bsonType'] ?? []);
  return types.every((each) => SCALARS.has(each))
    ? undefined
    : 'this member of the elements may be what tells nothing apart';
}

/** The alternatives that a schema gives, references followed. */
export function typesIn(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema[] {
  const { $ref, anyOf, oneOf } = schema;
  if (depth > 20) return [];
  if (typeof $ref === 'string') return typesIn(referred($ref, root), root, depth + 1);
  const choices = [anyOf, oneOf].filter(Array.isArray).flat() as JsonSchema[];
  return choices.length === 0 ? [schema] : choices.flatMap((choice) => typesIn(choice, root, depth + 1));
}

/** `#/$defs/Name`, or `#` itself. */
function referred(reference: string, root: JsonSchema): JsonSchema {
  const steps = reference.split('/').slice(1);
  return (steps.reduce<unknown>(property, root) ?? {}) as JsonSchema;
}
