import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type BsonKind, toObjectId, typeName } from '../schema/bson-types.ts';
import { definitionKey } from '../definition/model-definition.ts';
import { readField } from '../document/tracked-document.ts';
import { Document } from '../save/document.ts';
import { UsageError } from '../errors.ts';
import type { SchemaField } from '../schema/schema-field.ts';
import type { JsonSchema, ReferenceTarget } from '../schema/schema-library.ts';
import type { Class, IdOf } from '../types/shape.ts';

/** The types of a reference. They are members, so that compilers look at `D` only when they are read: models may refer to each other. */
interface ReferenceTypes<D, Absent> {
  readonly input: IdOf<D> | D | string | Absent;
  readonly output: IdOf<D> | Absent;
}

interface ReferenceStandard<D, Absent> {
  readonly version: 1;
  readonly vendor: 'data-bridge';
  readonly types?: ReferenceTypes<D, Absent> | undefined;
  readonly validate: (value: unknown) => StandardSchemaV1.Result<unknown>;
}

interface ReferenceListTypes<D> {
  readonly input: readonly (IdOf<D> | D | string)[];
  readonly output: IdOf<D>[];
}

interface ReferenceListStandard<D> {
  readonly version: 1;
  readonly vendor: 'data-bridge';
  readonly types?: ReferenceListTypes<D> | undefined;
  readonly validate: (value: unknown) => StandardSchemaV1.Result<unknown>;
}

/** A field that holds the `_id` of a document of another model. */
export interface ReferenceSchema<D, Absent = never> {
  readonly '~standard': ReferenceStandard<D, Absent>;
  /** The field may be absent. */
  optional(): ReferenceSchema<D, Absent | undefined>;
  /** The field may be null. */
  nullable(): ReferenceSchema<D, Absent | null>;
  /** A list of references. */
  array(): ReferenceListSchema<D>;
}

/** A field that holds a list of `_id`s of documents of another model. */
export interface ReferenceListSchema<D> {
  readonly '~standard': ReferenceListStandard<D>;
}

/**
 * A reference to a document of another model, stored as its `_id`. Takes an `_id`, the document itself, or a string of
 * 24 hexadecimal digits where the `_id` is an ObjectId.
 *
 * ```ts
 * class Company extends model('companies', { name: z.string() }) {}
 * class User extends model('users', { company: ref<Company>(() => Company).optional() }) {}
 * ```
 *
 * Name the target's type, since compilers cannot infer it where models refer to each other.
 *
 * @param target gives the model when it is first needed, so that models may refer to each other.
 */
export function ref<T extends Class<unknown>, _ extends 0>(target: () => T): ReferenceSchema<InstanceType<T>>;
export function ref<D = 'write ref<Target>(() => Target)'>(target: unknown): ReferenceSchema<D>;
export function ref(target: unknown): ReferenceSchema<unknown, unknown> {
  if (typeof target !== 'function')
    throw new UsageError(`ref() takes a function that gives a model, got ${typeName(target)}.`);
  return reference(target as () => unknown, []);
}

/** The target, once it is known to be a model. */
interface Target extends ReferenceTarget {
  readonly model: () => { readonly name: string; readonly prototype: Document<unknown> };
}

function reference(target: () => unknown, absent: readonly (null | undefined)[]): ReferenceSchema<never, unknown> {
  const one: Target = { model: () => modelOf(target), isList: false };
  const validate = (value: unknown): StandardSchemaV1.Result<unknown> =>
    absent.includes(value as null) ? { value } : toId(one, value, []);
  const orNull = (id: JsonSchema): JsonSchema => (absent.includes(null) ? { anyOf: [id, { type: 'null' }] } : id);
  return Object.assign(referenceParts(one, validate, orNull), {
    optional: () => reference(target, [...absent, undefined]),
    nullable: () => reference(target, [...absent, null]),
    array: () => {
      const validateList = (value: unknown): StandardSchemaV1.Result<unknown> => toIds(one, value);
      return referenceParts({ ...one, isList: true }, validateList, (id) => ({ type: 'array', items: id }));
    },
  });
}

/** What the target's `_id` says of the reference is found out when it is asked for, since the target may not be there yet. */
function referenceParts<V>(target: Target, validate: V, around: (id: JsonSchema) => JsonSchema) {
  const jsonSchema = (side: 'input' | 'output') => (): Record<string, unknown> => {
    const own = idOf(target);
    return around(own === undefined ? { bsonType: 'objectId' } : own.jsonSchema(side));
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'data-bridge',
      validate,
      jsonSchema: { input: jsonSchema('input'), output: jsonSchema('output') },
    },
    '~target': target,
    get '~bson'(): BsonKind | undefined {
      try {
        const own = idOf(target);
        return own === undefined ? 'objectId' : own.kind;
      } catch {
        return undefined; // no model yet: the next validation says so if there never is one
      }
    },
  } as const;
}

/** The target's own schema of its `_id`. */
function idOf(target: Target): SchemaField | undefined {
  return target.model().prototype[definitionKey].fields.get('_id');
}

function toIds(target: Target, value: unknown): StandardSchemaV1.Result<unknown> {
  if (!Array.isArray(value)) return { issues: [{ message: `Expected a list of references, got ${typeName(value)}` }] };
  const results = value.map((each, i) => toId(target, each, [i]));
  const issues = results.flatMap((result) => result.issues ?? []);
  return issues.length > 0 ? { issues } : { value: results.map((result) => (result as { value: unknown }).value) };
}

function toId(target: Target, value: unknown, path: readonly PropertyKey[]): StandardSchemaV1.Result<unknown> {
  const { name, prototype } = target.model();
  const id =
    value instanceof Document && Object.prototype.isPrototypeOf.call(prototype, value)
      ? readField(value, '_id')
      : value;
  const own = prototype[definitionKey].fields.get('_id');
  const verdict = own === undefined ? objectIdVerdict(id) : own.validate(id);
  if (verdict instanceof Promise)
    throw new UsageError(`The _id schema of ${name} is asynchronous, so ref() cannot use it.`);
  if (verdict.issues === undefined) return verdict;
  return {
    issues: [{ path: [...path], message: `Expected the _id of a ${name} or such a document, got ${typeName(value)}` }],
  };
}

function objectIdVerdict(
  id: unknown,
): { readonly value: unknown; readonly issues?: undefined } | { readonly issues: [] } {
  const value = toObjectId(id);
  return value === undefined ? { issues: [] } : { value };
}

function modelOf(target: () => unknown): ReturnType<Target['model']> {
  const model = target() as ReturnType<Target['model']> | undefined;
  if (typeof model !== 'function' || !((model as { prototype?: unknown }).prototype instanceof Document)) {
    throw new UsageError(`ref() takes a function that gives a model, and its function gave ${typeName(model)}.`);
  }
  return model;
}
