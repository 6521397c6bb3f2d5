import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isPlainObject } from '../bson/plain-object.ts';
import { type BsonKind, toObjectId, typeName, withArticle } from '../schema/bson-types.ts';
import { definitionKey } from '../definition/model-definition.ts';
import { refersTo } from '../filter/document-id.ts';
import { UsageError } from '../errors.ts';
import type { SchemaField } from '../schema/schema-field.ts';
import type { DeleteRule, JsonSchema, ReferenceTarget } from '../schema/schema-library.ts';
import type { OneOfRef, Ref } from '../types/ref.ts';
import type { StoredRef } from '../types/stored-id.ts';
import type { Class, IdOf } from '../types/shape.ts';
import { isLinked, keyOf, type LinkedModel } from './linked.ts';
import { toOneOf } from './one-of.ts';
import { isDocumentOf, Reference } from './reference.ts';
import { collectionOf, modelsOf, type Target } from './targets.ts';

/** The types of a reference. They are members, so that compilers look at `D` only when they are read: models may refer to each other. */
interface ReferenceTypes<D, Absent> {
  readonly input: IdOf<D> | Ref<D> | string | Absent;
  readonly output: Ref<D> | Absent;
}

export interface ReferenceStandard<D, Absent> {
  readonly version: 1;
  readonly vendor: 'data-bridge';
  readonly types?: ReferenceTypes<D, Absent> | undefined;
  readonly validate: (value: unknown) => StandardSchemaV1.Result<unknown>;
  readonly jsonSchema?: { readonly output: () => Record<string, unknown> } | undefined;
}

interface ReferenceListTypes<D> {
  readonly input: readonly (IdOf<D> | Ref<D> | string)[];
  readonly output: Ref<D>[];
}

interface ReferenceListStandard<D> {
  readonly version: 1;
  readonly vendor: 'data-bridge';
  readonly types?: ReferenceListTypes<D> | undefined;
  readonly validate: (value: unknown) => StandardSchemaV1.Result<unknown>;
}

/** The types of a reference to a document of one of several models. */
interface OneOfTypes<D, Absent> {
  readonly input: Ref<D> | StoredRef<IdOf<D> | string> | Absent;
  readonly output: OneOfRef<D> | Absent;
}

export interface OneOfStandard<D, Absent> {
  readonly version: 1;
  readonly vendor: 'data-bridge';
  readonly types?: OneOfTypes<D, Absent> | undefined;
  readonly validate: (value: unknown) => StandardSchemaV1.Result<unknown>;
  readonly jsonSchema?: { readonly output: () => Record<string, unknown> } | undefined;
}

/** A field that refers to a document of one of several models. */
export interface OneOfSchema<D, Absent = never> {
  readonly '~standard': OneOfStandard<D, Absent>;
  /** The field may be absent. */
  optional(): OneOfSchema<D, Absent | undefined>;
  /** The field may be null. */
  nullable(): OneOfSchema<D, Absent | null>;
  /** A list of references. */
  array(): OneOfListSchema<D>;
}

interface OneOfListTypes<D> {
  readonly input: readonly (Ref<D> | StoredRef<IdOf<D> | string>)[];
  readonly output: OneOfRef<D>[];
}

interface OneOfListStandard<D> {
  readonly version: 1;
  readonly vendor: 'data-bridge';
  readonly types?: OneOfListTypes<D> | undefined;
  readonly validate: (value: unknown) => StandardSchemaV1.Result<unknown>;
}

/** A field that refers to a list of documents of several models. */
export interface OneOfListSchema<D> {
  readonly '~standard': OneOfListStandard<D>;
}

/** A field that refers to a document of another model. */
export interface ReferenceSchema<D, Absent = never> {
  readonly '~standard': ReferenceStandard<D, Absent>;
  /** The field may be absent. */
  optional(): ReferenceSchema<D, Absent | undefined>;
  /** The field may be null. */
  nullable(): ReferenceSchema<D, Absent | null>;
  /** A list of references. */
  array(): ReferenceListSchema<D>;
}

/** A field that refers to a list of documents of another model. */
export interface ReferenceListSchema<D> {
  readonly '~standard': ReferenceListStandard<D>;
}

/**
 * A reference to a document of another model, stored as its `_id`. It is made of an `_id`, of the document itself, of another
 * reference, or of a string of 24 hexadecimal digits where the `_id` is an ObjectId, and it reads as a `Ref`.
 *
 * ```ts
 * class Company extends model('companies', { name: z.string() }) {}
 * class User extends model('users', { company: ref<Company>(() => Company).optional() }) {}
 * const [user] = await User.find().with('company');
 * user?.company?.$doc?.name;
 * ```
 *
 * Name the target's type, since compilers cannot infer it where models refer to each other.
 *
 * @param target gives the model when it is first needed, so that models may refer to each other.
 * @param options what happens when the document is deleted: `ref<Company>(() => Company, { onDelete: 'restrict' })`.
 */
export function ref<T extends Class<unknown>, _ extends 0>(
  target: () => T,
  options?: RefOptions,
): ReferenceSchema<InstanceType<T>>;
export function ref<D = 'write ref<Target>(() => Target)'>(target: unknown, options?: RefOptions): ReferenceSchema<D>;
export function ref(target: unknown, options?: RefOptions): ReferenceSchema<unknown, unknown> {
  if (typeof target !== 'function')
    throw new UsageError(`ref() takes a function that gives a model, got ${typeName(target)}.`);
  return reference(targetOf('ref', [target], options), []);
}

ref.oneOf = oneOf;

/**
 * A reference to a document of one of several models, stored as `{ model, id }`: the name of the collection, and the `_id`. It is made
 * of a document, of a reference, or of what is stored, and reads as a `Ref` whose `$doc` is told by `instanceof`.
 *
 * ```ts
 * class Comment extends model('comments', { on: ref.oneOf<Post | Photo>(() => Post, () => Photo) }) {}
 * const [comment] = await Comment.find().with('on');
 * if (comment?.on.$doc instanceof Post) comment.on.$doc.title;
 * ```
 *
 * Name the targets' types, since compilers cannot infer them where models refer to each other.
 *
 * @param targets give the models when they are first needed; after them may come options, as `ref()` takes them.
 */
function oneOf<D = 'write ref.oneOf<A | B>(() => A, () => B)'>(...targets: readonly unknown[]): OneOfSchema<D> {
  const last = targets.at(-1);
  const hasOptions = targets.length > 0 && typeof last !== 'function';
  const models = hasOptions ? targets.slice(0, -1) : targets;
  if (models.length < 2 || models.some((each) => typeof each !== 'function'))
    throw new UsageError(
      'ref.oneOf() takes two functions or more, each of which gives a model, and options after them.',
    );
  return reference(targetOf('ref.oneOf', models, hasOptions ? (last as RefOptions) : {}), []) as never;
}

function targetOf(name: 'ref' | 'ref.oneOf', given: readonly unknown[], options: RefOptions | undefined): Target {
  const models = (): readonly LinkedModel[] => modelsOf(name, given as readonly (() => unknown)[]);
  return { models, isOneOf: name === 'ref.oneOf', isList: false, ...ruleIn(options) };
}

/** What `ref()` takes besides the model. */
export interface RefOptions {
  /**
   * What happens to a document when the one that it refers to is deleted by the mapper: `restrict` forbids that, `cascade` deletes this
   * one too, `unset` takes the reference out. Without it nothing happens.
   */
  readonly onDelete?: DeleteRule;
  /**
   * Gives the class of the documents that have the reference, whose hooks are called: `class: () => Book` in `Book` itself. It is
   * needed where a document may be deleted before the program used that class.
   */
  readonly class?: unknown;
}

const RULES: ReadonlySet<unknown> = new Set(['restrict', 'cascade', 'unset']);

function ruleIn(options: RefOptions = {}): Pick<ReferenceTarget, 'onDelete' | 'referrer'> {
  const refuse = (text: string): never => {
    throw new UsageError(`The options of ref() ${text}.`);
  };
  if (!isPlainObject(options)) return refuse(`are an object, got ${typeName(options)}`);
  const { onDelete, class: referrer, ...others } = options as RefOptions;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) refuse(`are "onDelete" and "class", not "${unknown}"`);
  if (onDelete !== undefined && !RULES.has(onDelete)) refuse("take 'restrict', 'cascade' or 'unset' as \"onDelete\"");
  if (referrer !== undefined && (typeof referrer !== 'function' || onDelete === undefined))
    refuse('take as "class", beside "onDelete", a function that gives the class of the documents');
  return { onDelete, referrer: referrer as (() => unknown) | undefined };
}

function reference(one: Target, absent: readonly (null | undefined)[]): ReferenceSchema<never, unknown> {
  const validate = (value: unknown): StandardSchemaV1.Result<unknown> =>
    absent.includes(value as null) ? { value } : toId(one, value, []);
  const orNull = (id: JsonSchema): JsonSchema => (absent.includes(null) ? { anyOf: [id, { type: 'null' }] } : id);
  return Object.assign(referenceParts(one, validate, orNull), {
    optional: () => reference(one, [...absent, undefined]),
    nullable: () => reference(one, [...absent, null]),
    array: () => {
      const validateList = (value: unknown): StandardSchemaV1.Result<unknown> => toIds(one, value);
      return referenceParts({ ...one, isList: true }, validateList, (id) => ({ type: 'array', items: id }));
    },
  });
}

/** The target's `_id` is looked at when its schema is needed, since the target may not be there yet. */
function referenceParts<V>(target: Target, validate: V, around: (id: JsonSchema) => JsonSchema) {
  const jsonSchema = (side: 'input' | 'output') => (): Record<string, unknown> => {
    const ids = target.models().map((model) => idSchemaOf(model, side));
    return around(target.isOneOf ? oneOfJson(target, ids) : (ids[0] as JsonSchema));
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
      if (target.isOneOf) return undefined;
      try {
        const own = idField(target.models()[0] as LinkedModel);
        return own === undefined ? 'objectId' : own.kind;
      } catch {
        return undefined; // no model yet: the next validation says so if there never is one
      }
    },
  } as const;
}

function oneOfJson(target: Target, ids: readonly JsonSchema[]): JsonSchema {
  const models = target.models().map(collectionOf);
  return {
    type: 'object',
    required: ['model', 'id'],
    additionalProperties: false,
    properties: { model: { enum: models }, id: { anyOf: ids } },
  };
}

function idSchemaOf(model: LinkedModel, side: 'input' | 'output'): JsonSchema {
  return idField(model)?.jsonSchema(side) ?? { bsonType: 'objectId' };
}

/** The target's own schema of its `_id`. */
function idField(model: LinkedModel): SchemaField | undefined {
  return model.prototype[definitionKey].fields.get('_id');
}

/** A reference to the document of a model that has this `_id`. @throws UsageError for what is no `_id` of it. */
export function referenceTo(model: LinkedModel, id: unknown): Reference {
  const target: Target = { models: () => [model], isOneOf: false, isList: false };
  const result = toId(target, id, []);
  if (result.issues !== undefined)
    throw new UsageError(`ref(): ${result.issues[0]?.message}.`, model.prototype[definitionKey].context);
  return result.value instanceof Reference ? result.value : new Reference(target, result.value, null);
}

function toIds(target: Target, value: unknown): StandardSchemaV1.Result<unknown> {
  if (!Array.isArray(value)) return { issues: [{ message: `Expected a list of references, got ${typeName(value)}` }] };
  const results = value.map((each, i) => toId(target, each, [i]));
  const issues = results.flatMap((result) => result.issues ?? []);
  return issues.length > 0 ? { issues } : { value: results.map((result) => (result as { value: unknown }).value) };
}

function toId(target: Target, value: unknown, path: readonly PropertyKey[]): StandardSchemaV1.Result<unknown> {
  if (target.isOneOf) return toOneOf(target, value, path);
  const model = target.models()[0] as LinkedModel;
  const { name } = model;
  const id = idGiven(model, value);
  const own = idField(model);
  const verdict = own === undefined ? objectIdVerdict(id) : own.validate(id);
  if (verdict instanceof Promise)
    throw new UsageError(`The _id schema of ${name} is asynchronous, so ref() cannot use it.`);
  if (verdict.issues === undefined)
    return { value: isLinked(value) ? new Reference(target, id, null, value) : kept(model, value, verdict.value) };
  return {
    issues: [
      {
        path: [...path],
        message: `Expected the _id of ${withArticle(name)} or such a document, got ${givenName(model, value)}`,
      },
    ],
  };
}

/** The id of a document, or of a reference, that is one of the model's; any other value as it is. */
function idGiven(model: LinkedModel, value: unknown): unknown {
  const isMeant = value instanceof Reference ? value[refersTo](model) : isLinked(value) && isDocumentOf(model, value);
  return isMeant ? (value as { readonly $id: unknown }).$id : value;
}

/** A reference stays the same one, with what it has loaded, unless it was made of text, or could load a document of another class. */
function kept(model: LinkedModel, value: unknown, id: unknown): unknown {
  if (!(value instanceof Reference) || keyOf(value.toBSON()) !== keyOf(id)) return id;
  const { kin } = value[definitionKey];
  const meant = model.prototype[definitionKey].kin;
  return kin !== meant && !value.$isLoaded && kin.includes(meant) ? id : value;
}

/** What stands for an id of the model, but is none, reads as a reference to it by then. */
function givenName(model: LinkedModel, value: unknown): string {
  if (!(value instanceof Reference)) return typeName(value);
  if (value[refersTo](model)) return typeName(value.$id);
  return `a reference to ${value.$isLoaded && value.$doc ? typeName(value.$doc) : withArticle(value.model.name)}`;
}

function objectIdVerdict(
  id: unknown,
): { readonly value: unknown; readonly issues?: undefined } | { readonly issues: [] } {
  const value = toObjectId(id);
  return value === undefined ? { issues: [] } : { value };
}
