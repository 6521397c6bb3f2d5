import type { StandardSchemaV1 } from '@standard-schema/spec';
import { types } from 'node:util';
import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import { copyInput } from '../bson/copy-input.ts';
import type { BsonTypeName } from '../bson/types.ts';
import type { BsonKind } from './bson-types.ts';

// What the mapper knows of schema libraries beyond Standard Schema. All of it is looked at, none of it imported.

/** A JSON Schema, or the one of MongoDB: an object whose keys are keywords. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Which BSON type a schema stands for: its `~bson`, which the mapper's own schemas have. Zod keeps the schema inside
 * `optional()`, `nullable()`, `default()` and their like as `def.innerType`, so the search goes on there.
 */
export function kindOf(schema: unknown): BsonKind | undefined {
  return lookThrough(schema, (inner) => property(inner, '~bson') as BsonKind | undefined);
}

/** What a reference refers to. */
export interface ReferenceTarget {
  /** The classes of the documents, one or several. They are asked for when they are needed, since models may refer to each other. @throws UsageError where one is no model. */
  readonly models: () => readonly unknown[];
  /** True where what is stored says which model is meant: `{ model, id }`. */
  readonly isOneOf: boolean;
  /** True for a list of references. */
  readonly isList: boolean;
  /** What happens to what refers to a document when that is deleted. */
  readonly onDelete?: DeleteRule | undefined;
  /** The class of the documents that have the reference, where the program names it. */
  readonly referrer?: (() => unknown) | undefined;
}

/** What becomes of a document that refers to one which is deleted: that stays, this goes too, or its reference does. */
export type DeleteRule = 'restrict' | 'cascade' | 'unset';

/** The target of a reference: its `~target`, which `ref()` gives to its schemas. Looked for as the type is. */
export function targetOf(schema: unknown): ReferenceTarget | undefined {
  return lookThrough(schema, (inner) => property(inner, '~target') as ReferenceTarget | undefined);
}

/** What is found in a schema, or else in the one that it wraps. */
function lookThrough<R>(schema: unknown, find: (inner: unknown) => R | undefined): R | undefined {
  for (let inner = schema; inner !== undefined; inner = property(property(inner, 'def'), 'innerType')) {
    const found = find(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * A length below zero that a Zod schema asks for, which Zod itself lets pass: no value or every value would be valid.
 * Looks through wrappers and at the elements of arrays; not into objects, whose members may be models not made yet.
 */
export function negativeLength(schema: unknown): number | undefined {
  let inner = schema;
  while (inner !== undefined) {
    const found = checksOf(inner)
      .map(lengthLimit)
      .find((limit) => limit < 0);
    if (found !== undefined) return found;
    const def = property(inner, 'def');
    inner = property(def, 'innerType') ?? property(def, 'element');
  }
  return undefined;
}

/**
 * True for a validator that is written to wait. Valibot says so in `async`; Zod keeps the program's functions, of which
 * those that are declared `async` show. It looks into objects too, so it is for when all schemas are made.
 */
export function isWrittenAsync(schema: unknown): boolean {
  return someSchema(schema, (each) => property(each, 'async') === true || types.isAsyncFunction(each));
}

/**
 * True for a schema of the mapper's own for one text, and for a Zod schema that runs no code of the program: no function is a part of it. So values are left as they are
 * while it validates. Like `isWrittenAsync` it is for when all schemas are made.
 */
export function runsNoCode(schema: unknown): boolean {
  if (property(schema, '~literal') !== undefined) return true;
  const vendor = property(property(schema, '~standard'), 'vendor');
  return vendor === 'zod' && definitionOf(schema) !== undefined && !someSchema(schema, isFunction);
}

function isFunction(part: unknown): boolean {
  return typeof part === 'function';
}

/**
 * True where a schema, or anything that it is made of, is such a thing. It looks into objects, so it is for when all
 * schemas are made.
 */
export function someSchema(schema: unknown, test: (part: unknown) => boolean, seen = new Set<unknown>()): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  if (Array.isArray(schema)) return schema.some((part) => someSchema(part, test, seen));
  if (test(schema)) return true;
  const def = definitionOf(schema);
  if (!isObject(def)) return false;
  const shape = isObject(def['shape']) ? Object.values(def['shape']) : [];
  const lazy = def['type'] === 'lazy' ? [(def['getter'] as () => unknown)()] : [];
  // What words an error runs after the verdict.
  const { error: _, ...parts } = def;
  return someSchema([...Object.values(parts), ...shape, ...lazy], test, seen);
}

/** What a Zod schema was made of. */
export function definitionOf(schema: unknown): unknown {
  return property(schema, 'def') ?? property(property(schema, '_zod'), 'def');
}

/** Of schemas of ArkType: whether keys are deleted somewhere in it. */
const deleting = new WeakMap<object, boolean>();

/**
 * What a validator is given: the value, or a copy. ArkType deletes undeclared keys of the chosen type of a union from the
 * very object that it is asked about.
 */
export function givenTo(schema: unknown, value: unknown): unknown {
  // Its schemas are functions, others are not.
  if (typeof schema !== 'function' || typeof value !== 'object') return value;
  let deletes = deleting.get(schema);
  if (deletes === undefined) {
    deletes = JSON.stringify(property(schema, 'json') ?? null).includes('"undeclared":"delete"');
    deleting.set(schema, deletes);
  }
  return deletes ? copyInput(value) : value;
}

/**
 * Runs a validator that waits. Zod's Standard Schema begins without waiting, so that it runs twice, and what rejects the
 * first time is dropped there, which would end the process: Zod has a method of its own for that.
 */
export function runWaiting(
  schema: StandardSchemaV1,
  value: unknown,
): ReturnType<StandardSchemaV1['~standard']['validate']> {
  const { safeParseAsync } = schema as Partial<ZodSchema>;
  if (typeof safeParseAsync !== 'function' || schema['~standard'].vendor !== 'zod')
    return schema['~standard'].validate(value);
  return safeParseAsync.call(schema, value).then(({ data, error }) => error ?? { value: data });
}

interface ZodSchema {
  safeParseAsync(value: unknown): Promise<{ readonly data?: unknown; readonly error?: StandardSchemaV1.FailureResult }>;
}

/** The JSON Schema that the library gives, with `bsonType` for what JSON has not; `{}` where it has none to give. */
export function libraryJsonSchema(schema: unknown, side: 'input' | 'output'): JsonSchema {
  const standard = property(schema, '~standard');
  const vendor = property(standard, 'vendor');
  const convert = property(property(standard, 'jsonSchema'), side);
  if (typeof convert !== 'function') return {};
  try {
    const converted: unknown = convert({ target: 'draft-2020-12', libraryOptions: LIBRARY_OPTIONS.get(vendor) });
    if (!isObject(converted)) return {};
    return vendor === 'arktype' && /"flags":"[^"]*[imsv]/.test(JSON.stringify(property(schema, 'json')))
      ? withoutPatterns(converted)
      : converted;
  } catch {
    return {}; // libraries throw at what they cannot say
  }
}

/** How each library is asked to say what JSON Schema has no words for. */
const LIBRARY_OPTIONS: ReadonlyMap<unknown, Record<string, unknown>> = new Map([
  ['zod', { unrepresentable: 'any', override: completeZod }],
  [
    'arktype',
    {
      fallback: {
        date: () => ({ bsonType: 'date' }),
        domain: ({ domain, base }: { domain: unknown; base: object }) =>
          domain === 'bigint' ? { bsonType: 'long' } : base,
        proto: ({ proto, base }: { proto: unknown; base: object }) => ofClass(proto) ?? base,
      },
    },
  ],
]);

/** How values of a class are stored. */
const STORED_AS: ReadonlyMap<unknown, BsonTypeName> = new Map<unknown, BsonTypeName>([
  [ObjectId, 'objectId'],
  [Decimal128, 'decimal'],
  [Long, 'long'],
  [Int32, 'int'],
  [Double, 'double'],
  [Timestamp, 'timestamp'],
  [Date, 'date'],
  [RegExp, 'regex'],
  [BSONRegExp, 'regex'],
  [Binary, 'binData'],
  [UUID, 'binData'],
  [Uint8Array, 'binData'],
  [Buffer, 'binData'],
  [Map, 'object'],
]);

function ofClass(constructor: unknown): { bsonType: BsonTypeName } | undefined {
  const bsonType = STORED_AS.get(constructor);
  return bsonType === undefined ? undefined : { bsonType };
}

/** How values of a Zod type are stored for which Zod has no JSON Schema. */
const ZOD_TYPES: ReadonlyMap<unknown, BsonTypeName> = new Map<unknown, BsonTypeName>([
  ['date', 'date'],
  ['bigint', 'long'],
  ['map', 'object'],
  ['nan', 'double'],
]);

/** What Zod calls for each schema after converting it. https://zod.dev/json-schema#override */
function completeZod({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: Record<string, unknown> }): void {
  const internals = property(zodSchema, '_zod');
  const type = property(property(internals, 'def'), 'type');
  // `z.instanceof(Class)` is a custom schema.
  const stored = type === 'custom' ? ofClass(property(property(internals, 'bag'), 'Class')) : undefined;
  const bsonType = stored?.bsonType ?? ZOD_TYPES.get(type);
  if (bsonType !== undefined) jsonSchema['bsonType'] = bsonType;
  if (hasFlaggedPattern(zodSchema)) {
    // JSON Schema has no flags: without its `i` a pattern would refuse what the validator takes (`v` is another syntax).
    delete jsonSchema['pattern'];
    delete jsonSchema['allOf'];
  }
}

/** ArkType gives patterns without their flags and does not say which had some. */
function withoutPatterns<S>(schema: S): S {
  if (Array.isArray(schema)) return schema.map(withoutPatterns) as S;
  if (!isObject(schema)) return schema;
  const kept = Object.entries(schema).filter(([name, value]) => name !== 'pattern' || typeof value !== 'string');
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutPatterns(value)])) as S;
}

function hasFlaggedPattern(zodSchema: unknown): boolean {
  return [property(zodSchema, 'def'), ...checksOf(zodSchema)].some((check) => {
    const pattern = property(check, 'pattern');
    return pattern instanceof RegExp && /[imsv]/.test(pattern.flags);
  });
}

/** The definitions of a Zod schema's checks. */
export function checksOf(zodSchema: unknown): unknown[] {
  const checks = property(property(zodSchema, 'def'), 'checks');
  return Array.isArray(checks) ? checks.map((check) => property(property(check, '_zod'), 'def')) : [];
}

/** The limit that a check sets to a length or a size; 0 for other checks. */
function lengthLimit(check: unknown): number {
  switch (property(check, 'check')) {
    case 'min_length':
    case 'min_size':
      return Number(property(check, 'minimum'));
    case 'max_length':
    case 'max_size':
      return Number(property(check, 'maximum'));
    case 'length_equals':
      return Number(property(check, 'length'));
    case 'size_equals':
      return Number(property(check, 'size'));
    default:
      return 0;
  }
}

/** A member of a schema. ArkType's schemas are functions. */
export function property(value: unknown, name: string): unknown {
  return isObject(value) || typeof value === 'function' ? (value as unknown as JsonSchema)[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
