import type { BSON } from 'mongodb';
import type { Identities } from '../bson/identity.ts';
import { isObject } from '../bson/bson-classes.ts';
import { type BsonTypeName, NUMBER_TYPES } from '../bson/types.ts';
import { typeName } from './bson-types.ts';
import { SchemaError } from '../errors.ts';
import { definitionOf, type JsonSchema, libraryJsonSchema, property, someSchema } from './schema-library.ts';

/** What can identify elements: values that a server compares as the mapper does. */
type Identity =
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
interface AnySchema {
  // oxlint-disable-next-line no-explicit-any -- compared with every library's types
  readonly '~standard': { readonly version: 1; readonly types?: any };
}

/** The output of a schema, without what stands for no array at all. */
type ArrayOf<S extends AnySchema> = NonNullable<NonNullable<S['~standard']['types']>['output']>;

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

/** The schema of a field, without the key that identifies its elements. */
export function withoutIdentity<S>(schema: S): S {
  return isIdentified(schema) ? (schema['~identified'].schema as S) : schema;
}

function isIdentified(schema: unknown): schema is IdentifiedSchema<AnySchema> {
  return isObject(property(schema, '~identified'));
}

// ── what is declared ────────────────────────────────────────────────────────────────────────────────────────────────

/** What a field's schema declares of the arrays in it; undefined for nothing. All schemas must be made by then. */
export function identitiesOf(schema: unknown): Identities | undefined {
  return someSchema(schema, (each) => keyOf(each) !== undefined) ? new SchemaIdentities([schema]) : undefined;
}

/** Found out step by step, as values are compared: a schema may contain itself. */
class SchemaIdentities implements Identities {
  readonly key: string | undefined;
  /** Of an optional type that type, of a union each of its types. */
  readonly #definitions: readonly unknown[];
  /** By members that the schemas name. */
  readonly #members = new Map<string, SchemaIdentities | undefined>();
  #element: SchemaIdentities | undefined;
  #others: SchemaIdentities | undefined;

  constructor(schemas: readonly unknown[]) {
    const all = [...new Set(schemas.flatMap((schema) => alternativesOf(schema)))];
    this.key = all.map(keyOf).find((key) => key !== undefined);
    this.#definitions = all.map(definitionOf);
  }

  at(step: string | number): Identities | undefined {
    if (typeof step === 'number')
      return (this.#element ??= this.#below((definition) => property(definition, 'element')));
    const named = this.#definitions.some((definition) => memberOf(definition, step) !== undefined);
    if (!named) return (this.#others ??= this.#below(othersOf));
    if (!this.#members.has(step))
      this.#members.set(
        step,
        this.#below((definition) => memberOf(definition, step)),
      );
    return this.#members.get(step);
  }

  #below(part: (definition: unknown) => unknown): SchemaIdentities | undefined {
    const schemas = this.#definitions.map(part).filter((schema) => schema !== undefined);
    return schemas.length === 0 ? undefined : new SchemaIdentities(schemas);
  }
}

/** The key that a schema declares itself: Zod's definitions have it, so that copies keep it. */
function keyOf(schema: unknown): string | undefined {
  const own = isIdentified(schema) ? schema['~identified'].key : property(definitionOf(schema), '~identified');
  return own as string | undefined;
}

/** The schema, and those that it stands for: what is inside a wrapper, each of a union. */
function alternativesOf(schema: unknown, seen = new Set<unknown>()): unknown[] {
  if (schema === undefined || seen.has(schema)) return [];
  seen.add(schema);
  const definition = definitionOf(schema);
  const options = property(definition, 'options');
  const getter = property(definition, 'getter');
  const inside = [
    isIdentified(schema) ? schema['~identified'].schema : undefined,
    ...['innerType', 'out', 'left', 'right'].map((name) => property(definition, name)),
    typeof getter === 'function' ? (getter as () => unknown)() : undefined,
    ...(Array.isArray(options) ? (options as unknown[]) : []),
  ];
  return [schema, ...inside.flatMap((each) => alternativesOf(each, seen))];
}

function memberOf(definition: unknown, name: string): unknown {
  const shape = property(definition, 'shape');
  return isObject(shape) && Object.hasOwn(shape, name) ? property(shape, name) : undefined;
}

/** What all members of a record, or those that an object does not name, are. */
function othersOf(definition: unknown): unknown {
  return property(definition, 'valueType') ?? property(definition, 'catchall');
}

// ── what cannot be ──────────────────────────────────────────────────────────────────────────────────────────────────

/** The types of JSON Schema and of BSON that can identify elements. */
const SCALARS: ReadonlySet<unknown> = new Set<BsonTypeName | 'number' | 'integer' | 'boolean'>([
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
 * Looks at the JSON Schema that the library gives; where there is none, nothing is known.
 *
 * @throws SchemaError where the schema is seen to be of no array of objects in which the key always is a scalar.
 */
export function checkIdentity(schema: unknown, key: string): void {
  if (typeof key !== 'string') throw new SchemaError(`identified() takes a schema and a key, got ${typeName(key)}.`);
  if (key === '' || /^\$|[.\0]|^\d+$/.test(key))
    throw new SchemaError(`identified(…, "${key}"): the key cannot be empty, a number, start with "$" or have a dot.`);
  // case: a schema that contains itself comes here again while it is looked at
  if (isChecking) return;
  isChecking = true;
  try {
    const root = libraryJsonSchema(schema, 'output');
    const problem = problemOfArray(root, root, key);
    if (problem !== undefined) throw new SchemaError(`identified(…, "${key}"): ${problem}.`);
  } finally {
    isChecking = false;
  }
}

function problemOfArray(schema: JsonSchema, root: JsonSchema, key: string): string | undefined {
  const arrays = typesIn(schema, root).filter(({ type }) => type !== 'null');
  if (arrays.some(({ type, bsonType }) => (type ?? bsonType ?? 'array') !== 'array'))
    return 'the schema is of no array';
  const elements = arrays.flatMap(({ items }) => (isObject(items) ? typesIn(items as JsonSchema, root) : []));
  return elements.map((element) => problemOfElement(element, root, key)).find((problem) => problem !== undefined);
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
function typesIn(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema[] {
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
