import { core, ZodType } from 'zod';
import { type BsonKind, type BsonValues, bsonTypeOf, convertTo } from './schema/bson-types.ts';
import { checkIdentity, type IdentityKey } from './schema/identified.ts';
import { checkUnique, type OfScalars } from './schema/unique.ts';
import { ref as plainRef, type ReferenceStandard, type RefOptions } from './references/ref.ts';
import type { OneOfRef, Ref } from './types/ref.ts';
import type { StoredRef } from './types/stored-id.ts';
import type { IdOf } from './types/shape.ts';

/**
 * A Zod type for one BSON type. It takes and gives what the plain schema of the same name does, and nests in any other:
 * `z.object({ owner: objectId() })`, `z.array(decimal())`, `z.union([uuid(), z.null()])`. Its JSON Schema is `{ bsonType }`.
 */
export interface ZodBson<K extends BsonKind> extends ZodType<
  BsonValues[K]['output'],
  BsonValues[K]['input'],
  ZodBsonInternals<K>
> {
  readonly '~bson': K;
}

export interface ZodBsonInternals<K extends BsonKind> extends core.$ZodTypeInternals<
  BsonValues[K]['output'],
  BsonValues[K]['input']
> {
  def: ZodBsonDef<K>;
}

export interface ZodBsonDef<K extends BsonKind> extends core.$ZodTypeDef {
  type: 'custom';
  bson: K;
}

/** An ObjectId. A string of 24 hexadecimal digits becomes one. */
export function objectId(): ZodBson<'objectId'> {
  return zodBson('objectId');
}

/** A Decimal128. A number, a bigint or a decimal string becomes one; a string that needs rounding is refused. */
export function decimal(): ZodBson<'decimal'> {
  return zodBson('decimal');
}

/** A 64-bit integer. A bigint, a safe integer or a Long becomes a bigint, and stored ones are read as such wherever it stands. */
export function long(): ZodBson<'long'> {
  return zodBson('long');
}

/** Bytes. A Uint8Array or a Binary of subtype 0 becomes a Uint8Array, and stored ones are read as such wherever it stands. */
export function binary(): ZodBson<'binary'> {
  return zodBson('binary');
}

/** A UUID, stored as a binary of subtype 4. Its text, with or without hyphens, or a Binary of that subtype becomes one. */
export function uuid(): ZodBson<'uuid'> {
  return zodBson('uuid');
}

/** MongoDB's internal Timestamp. `{ t, i }` (seconds, ordinal) becomes one. */
export function timestamp(): ZodBson<'timestamp'> {
  return zodBson('timestamp');
}

/** A regular expression: a RegExp, or a BSONRegExp for what JavaScript's cannot say. */
export function regex(): ZodBson<'regex'> {
  return zodBson('regex');
}

/**
 * An array of objects, identified by a member that is unique in the array. Changes to different elements by different
 * writers then all survive. It is the type that it was given, marked, and nests anywhere.
 *
 * ```ts
 * const Part = z.object({ code: z.string(), qty: z.int() });
 * const Item = z.object({ sku: z.string(), parts: identified(z.array(Part), 'code') });
 * class Order extends model('orders', { items: identified(z.array(Item), 'sku') }) {}
 * ```
 *
 * @param schema of an array of objects, also optional or with a default.
 * @param key a member of the elements that is always there: a string, number, boolean, date, ObjectId, UUID or other scalar.
 * @throws SchemaError for a key that cannot be, as far as the schema shows.
 */
export function identified<S extends core.$ZodType, const K extends IdentityKey<NonNullable<core.output<S>>>>(
  schema: S,
  key: K,
): S {
  checkIdentity(schema, key);
  // As a part of the definition it is in all copies that Zod makes of the type.
  const marked: core.$ZodTypeDef = Object.assign({}, schema._zod.def, { '~identified': key });
  return core.clone(schema, marked, { parent: true });
}

/**
 * An array of scalars, none of which is there twice. What different writers add, remove and move then all survives, and a
 * value that two of them add is there once. Arrays of strings, ObjectIds and UUIDs are merged without a word; this is for
 * numbers, dates and the like, and for additions that meet. It is the type that it was given, marked, and nests anywhere.
 *
 * ```ts
 * const Ticket = z.object({ numbers: unique(z.array(z.int())) });
 * class Draw extends model('draws', { tickets: z.record(z.string(), Ticket) }) {}
 * ```
 *
 * @param schema of an array of scalars without a bound on its length, also optional or with a default.
 * @throws SchemaError for what is no such array, as far as the schema shows.
 */
export function unique<S extends core.$ZodType>(schema: S & OfScalars<NonNullable<core.output<S>>>): S {
  checkUnique(schema);
  const marked: core.$ZodTypeDef = Object.assign({}, schema._zod.def, { '~identified': true });
  return core.clone<S>(schema, marked, { parent: true });
}

/** The types of a reference. They are members, so that compilers look at `D` only when they are read: models may refer to each other. */
export interface ZodRefInternals<D> extends core.$ZodTypeInternals {
  output: Ref<D>;
  input: IdOf<D> | Ref<D> | string;
}

/** A reference as a Zod type. */
export interface ZodRef<D> extends ZodType<unknown, unknown, ZodRefInternals<D>> {
  readonly '~target': unknown;
}

/**
 * A reference to a document of another model, as `ref` of the package is, that nests in any other type.
 *
 * ```ts
 * const Line = z.object({ product: ref<Product>(() => Product), qty: z.int() });
 * class Order extends model('orders', { lines: z.array(Line) }) {}
 * const [order] = await Order.find().with('lines.product');
 * ```
 *
 * @param target gives the model when it is first needed, so that models may refer to each other.
 * @param options what happens when the document is deleted.
 */
export function ref<D = 'write ref<Target>(() => Target)'>(target: unknown, options?: RefOptions): ZodRef<D> {
  return new ZodReference({ type: 'custom', plain: plainRef<D>(target, options) } as never) as never;
}

ref.oneOf = oneOf;

/** The types of a reference to one of several models, as those above. */
export interface ZodOneOfInternals<D> extends core.$ZodTypeInternals {
  output: OneOfRef<D>;
  input: Ref<D> | StoredRef<IdOf<D> | string>;
}

/** A reference to a document of one of several models as a Zod type. */
export interface ZodOneOf<D> extends ZodType<unknown, unknown, ZodOneOfInternals<D>> {
  readonly '~target': unknown;
}

/**
 * A reference to a document of one of several models, as `ref.oneOf` of the package is, that nests in any other type.
 *
 * @param targets give the models when they are first needed; after them may come options.
 */
function oneOf<D = 'write ref.oneOf<A | B>(() => A, () => B)'>(...targets: readonly unknown[]): ZodOneOf<D> {
  return new ZodReference({ type: 'custom', plain: plainRef.oneOf<D>(...targets) } as never) as never;
}

/** What the plain reference is to this file. */
interface PlainReference {
  readonly '~standard': ReferenceStandard<unknown, never>;
  readonly '~target': unknown;
  readonly '~bson': BsonKind | undefined;
}

// As for the BSON types below. All that it does the plain reference does.
const ZodReference: core.$constructor<ZodType, core.$ZodTypeDef> = core.$constructor('ZodRef', (schema, def) => {
  const { plain } = def as core.$ZodTypeDef & { readonly plain: PlainReference };
  ZodType.init(schema, schema._zod.def);
  Object.defineProperty(schema, '~target', { value: plain['~target'] });
  Object.defineProperty(schema, '~bson', { get: () => plain['~bson'] });
  schema._zod.parse = (payload) => {
    const result = plain['~standard'].validate(payload.value);
    if (result.issues === undefined) payload.value = result.value;
    else
      for (const { message } of result.issues)
        payload.issues.push({ code: 'custom', message, input: payload.value, inst: schema });
    return payload;
  };
  schema._zod.processJSONSchema = (_context, jsonSchema) => {
    Object.assign(jsonSchema, plain['~standard'].jsonSchema?.output());
  };
});

function zodBson<K extends BsonKind>(kind: K): ZodBson<K> {
  return new ZodBson({ type: 'custom', bson: kind }) as ZodBson<K>;
}

// A constructor of Zod's own making: `refine`, `describe` and their like make copies through it, which keep the kind.
const ZodBson: core.$constructor<ZodBson<BsonKind>, ZodBsonDef<BsonKind>> = core.$constructor(
  'ZodBson',
  (schema, { bson }) => {
    ZodType.init(schema, schema._zod.def);
    Object.defineProperty(schema, '~bson', { value: bson });
    schema._zod.parse = (payload) => {
      const converted = convertTo(bson, payload.value);
      if ('expected' in converted)
        payload.issues.push({ code: 'custom', message: converted.expected, input: payload.value, inst: schema });
      else payload.value = converted.value;
      return payload;
    };
    // Not `toJSONSchema`: Zod does not find the JSON Schema of a refined type that has it (4.6).
    schema._zod.processJSONSchema = (_context, jsonSchema) => {
      Object.assign(jsonSchema, { bsonType: bsonTypeOf(bson) });
    };
  },
);
