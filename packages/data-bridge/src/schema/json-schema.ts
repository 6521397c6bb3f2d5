// The `$jsonSchema` of a collection: https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/
// It is draft 4 of JSON Schema with `bsonType`, and without `$ref`, `format`, `default` and whatever came later.
import { setOwn } from '../bson/plain-object.ts';
import type { BsonTypeName } from '../bson/types.ts';
import { SchemaError } from '../errors.ts';
import type { SchemaField } from './schema-field.ts';
import type { JsonSchema } from './schema-library.ts';

type Mutable = Record<string, unknown>;

/**
 * What MongoDB can check of a model's documents, out of the JSON Schemas that the schema libraries give. It never refuses
 * a document that the validators take: where MongoDB has no words for a rule, the rule is left to the validators. So
 *
 * - a field whose library gives no JSON Schema, or that transforms, may hold anything;
 * - a field is required if its validator refuses `undefined`: stored documents may lack what has a default;
 * - keys that the schema does not name are allowed, since stored ones are kept; `z.strictObject` and its like refuse them
 *   in nested objects;
 * - a schema that contains itself is open where it begins again; `oneOf` is checked as `anyOf`;
 * - a `pattern` is kept if it means the same to MongoDB's PCRE as to JavaScript;
 * - a step of numbers is not checked: MongoDB and the libraries round in different ways.
 *
 * One thing differs: MongoDB counts characters in `minLength`, libraries count UTF-16 units, two for an emoji.
 *
 * @param fields the fields by the names under which they are stored.
 * @param known schemas of fields that are stored beside them, such as `{ createdAt: { bsonType: 'date' } }`.
 * @throws SchemaError for a length limit below zero.
 */
export function jsonSchemaOf(
  fields: Iterable<readonly [string, SchemaField]>,
  known: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  const properties: Mutable = { _id: { bsonType: 'objectId' }, ...known };
  const required: string[] = [];
  for (const [name, field] of fields) {
    setOwn(properties, name, isPlainName(name) ? fieldSchema(field) : {});
    if (isPlainName(name) && field.refusesAbsence()) required.push(name);
  }
  return { bsonType: 'object', ...(required.length > 0 && { required }), properties };
}

function fieldSchema(field: SchemaField): JsonSchema {
  const [output, input] = (['output', 'input'] as const).map((side) => {
    const root = field.jsonSchema(side);
    return translate(root, { field: field.programName, root, references: ['#'], joined: false });
  });
  return relax(output ?? {}, input);
}

/** Where a schema stands. */
interface Place {
  readonly field: string;
  readonly root: JsonSchema;
  /** The `$ref`s that lead here. */
  readonly references: readonly string[];
  /** True for a part of an `allOf`: then it sees but some of an object's keys. */
  readonly joined: boolean;
}

/** What nothing matches. */
const NEVER: JsonSchema = { not: {} };

/** A schema of JSON Schema 2020-12, or of an earlier draft, as MongoDB has it. Keywords without a counterpart are left out. */
function translate(schema: unknown, place: Place): JsonSchema {
  if (schema === false) return NEVER;
  if (!isObject(schema)) return {};
  if (typeof schema['$ref'] === 'string') return translateReference(schema, schema['$ref'], place);
  const own = {
    ...texts(schema),
    ...types(schema),
    ...values(schema),
    ...bounds(schema),
    ...limits(schema, place),
    ...members(schema, place),
    ...elements(schema, place),
  };
  return both(own, combinations(schema, place));
}

function translateReference({ $ref, ...beside }: JsonSchema, reference: string, place: Place): JsonSchema {
  if (place.references.includes(reference)) return {};
  const target = translate(resolve(place.root, reference), {
    ...place,
    references: [...place.references, reference],
  });
  return both(translate(beside, place), target);
}

/** The schema under a JSON Pointer of the same document, which Zod does not percent-encode. https://www.rfc-editor.org/rfc/rfc6901 */
function resolve(root: JsonSchema, reference: string): unknown {
  const [start, ...segments] = reference.split('/');
  if (start !== '#') return {};
  return segments
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((found, key) => (isObject(found) && Object.hasOwn(found, key) ? found[key] : {}), root);
}

function texts(schema: JsonSchema): JsonSchema {
  return pick(schema, ['title', 'description'], (text) => typeof text === 'string');
}

/** An integer may be stored as a double: the driver does so from 2^31 on. */
const INTEGER: readonly BsonTypeName[] = ['int', 'long', 'double'];
/** The types of BSON by those of JSON Schema. */
const STORED_TYPES: ReadonlyMap<unknown, readonly (BsonTypeName | 'number')[]> = new Map<
  unknown,
  readonly (BsonTypeName | 'number')[]
>([
  ['string', ['string']],
  ['boolean', ['bool']],
  ['object', ['object']],
  ['array', ['array']],
  ['null', ['null']],
  ['number', ['number']],
  ['integer', INTEGER],
]);

function types({ type, bsonType }: JsonSchema): JsonSchema {
  const named = listOf(bsonType).filter((name) => typeof name === 'string');
  const known = listOf(type).flatMap((name) => STORED_TYPES.get(name) ?? []);
  const all = [...new Set([...named, ...known])];
  return {
    ...(all.length > 0 && { bsonType: all.length === 1 ? all[0] : all }),
    // Of doubles an integer has only the whole ones.
    ...(listOf(type).includes('integer') && !all.includes('number') && { multipleOf: 1 }),
  };
}

function values(schema: JsonSchema): JsonSchema {
  const allowed = 'const' in schema ? [schema['const']] : schema['enum'];
  if (!Array.isArray(allowed)) return {};
  return allowed.length === 0 ? NEVER : { enum: [...new Set(allowed)] };
}

/** Newer drafts write a bound that is excluded as a number of its own, draft 4 as `true` beside the bound. */
function bounds(schema: JsonSchema): JsonSchema {
  return { ...bound(schema, 'minimum', 'exclusiveMinimum', 1), ...bound(schema, 'maximum', 'exclusiveMaximum', -1) };
}

function bound(schema: JsonSchema, name: string, exclusiveName: string, sign: 1 | -1): JsonSchema {
  // Zod writes the safe integers' bounds for every z.int(): they are JavaScript's, not the program's.
  const given = [schema[name], schema[exclusiveName]].map((limit) =>
    typeof limit === 'number' && Math.abs(limit) !== Number.MAX_SAFE_INTEGER ? limit : undefined,
  );
  const [included, excluded] = given;
  if (excluded === undefined)
    return included === undefined
      ? {}
      : { [name]: included, ...(schema[exclusiveName] === true && { [exclusiveName]: true }) };
  if (included !== undefined && (included - excluded) * sign > 0) return { [name]: included };
  return { [name]: excluded, [exclusiveName]: true };
}

/** Limits on lengths and counts, and what a text looks like. */
function limits(schema: JsonSchema, place: Place): JsonSchema {
  const limited: Mutable = {};
  for (const name of ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties']) {
    const limit = schema[name];
    if (typeof limit !== 'number') continue;
    if (limit < 0) throw new SchemaError(`The field "${place.field}" has the limit ${name} ${limit}: use 0 or more.`);
    const whole = name.startsWith('min') ? Math.ceil(limit) : Math.floor(limit);
    if (Number.isSafeInteger(whole)) limited[name] = whole;
  }
  return {
    ...limited,
    ...pick(schema, ['pattern'], (pattern) => typeof pattern === 'string' && isPortable(pattern)),
    ...pick(schema, ['uniqueItems'], (unique) => unique === true),
  };
}

/**
 * True for a pattern that means the same to PCRE, without flags, as to JavaScript. Kept out are escapes that only one
 * of them has (`\u`, `\p`, `\A` …) or that match less in PCRE (`\s`), `[]`, `[^]` and `[[`, and lookbehinds, whose
 * length PCRE limits.
 */
function isPortable(pattern: string): boolean {
  const foreign = /\\[^dDwWSbBnrtfx\d\W]|\[\^?\]|\[[^\]]*\[[:.=]|\(\?<[=!]/;
  return !foreign.test(pattern.replaceAll('\\\\', ''));
}

/** What an object holds. */
function members(schema: JsonSchema, place: Place): JsonSchema {
  const inside = { ...place, joined: false };
  const properties: Mutable = {};
  for (const [name, member] of Object.entries(isObject(schema['properties']) ? schema['properties'] : {}))
    setOwn(properties, name, isPlainName(name) ? translate(member, inside) : {});
  // What may be anything may be undefined, which is not stored.
  const required = Object.keys(properties).filter(
    (name) => listOf(schema['required']).includes(name) && !isEmpty(properties[name]),
  );
  const others = schema['additionalProperties'];
  // Zod pools the keys of the parts of an intersection; in JSON Schema each part would refuse those of the others.
  const isOpen = others === undefined || 'patternProperties' in schema || (others === false && place.joined);
  const additional = isOpen ? {} : others === false ? false : translate(others, inside);
  return {
    ...(required.length > 0 && { required }),
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(!isEmpty(additional) && { additionalProperties: additional }),
  };
}

/** What an array holds: in 2020-12 a tuple is `prefixItems`, and `items` are the others. */
function elements(schema: JsonSchema, place: Place): JsonSchema {
  const inside = { ...place, joined: false };
  const { items, prefixItems, additionalItems } = schema;
  const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : undefined;
  if (tuple === undefined || tuple.length === 0) {
    const each = translate(items, inside);
    return isEmpty(each) ? {} : { items: each };
  }
  const others = Array.isArray(prefixItems) ? items : additionalItems;
  const additional = others === false ? false : translate(others, inside);
  return {
    items: tuple.map((element) => translate(element, inside)),
    ...(!isEmpty(additional) && { additionalItems: additional }),
  };
}

/** A translation may allow more than its source, so `oneOf` becomes `anyOf`, and of `not` only that of everything stays. */
function combinations(schema: JsonSchema, place: Place): JsonSchema {
  const parts = (name: string, joined: boolean): JsonSchema[] =>
    listOf(schema[name]).map((part) => translate(part, { ...place, joined }));
  const every = parts('allOf', true);
  const some = [anyOf(parts('anyOf', place.joined)), anyOf(parts('oneOf', place.joined))];
  return allOf([...every, ...some, isEmpty(schema['not']) ? NEVER : {}]);
}

function allOf(schemas: readonly JsonSchema[]): JsonSchema {
  const restrictive = schemas.filter((schema) => !isEmpty(schema));
  return restrictive.length > 1 ? { allOf: restrictive } : (restrictive[0] ?? {});
}

function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  if (schemas.some(isEmpty)) return {};
  if (schemas.length < 2) return schemas[0] ?? {};
  const bare = schemas.every((schema) => Object.keys(schema).length === 1 && 'bsonType' in schema);
  return bare ? { bsonType: [...new Set(schemas.flatMap(({ bsonType }) => listOf(bsonType)))] } : { anyOf: schemas };
}

/** Both schemas, in one where their keywords do not meet; `additionalItems` depends on the `items` beside it. */
function both(a: JsonSchema, b: JsonSchema): JsonSchema {
  const subject = (name: string): string => name.replace('additional', '').toLowerCase();
  const subjects = new Set(Object.keys(a).map(subject));
  return Object.keys(b).some((name) => subjects.has(subject(name))) ? allOf([a, b]) : { ...a, ...b };
}

/**
 * Stored objects need not be as a validator would make them: one that is changed in place lacks the members that have a
 * default, and keeps keys that the schema strips. So a key must be there, and others must not, only where both what the
 * schema takes and what it gives says so.
 */
function relax(output: JsonSchema, input: unknown): JsonSchema {
  const taken = isObject(input) ? input : {};
  const relaxed: Mutable = { ...output };
  const required = listOf(output['required']).filter((name) => listOf(taken['required']).includes(name));
  if (required.length === 0) delete relaxed['required'];
  else relaxed['required'] = required;
  if (output['additionalProperties'] === false && taken['additionalProperties'] !== false)
    delete relaxed['additionalProperties'];
  for (const name of ['items', 'additionalItems', 'additionalProperties', 'anyOf', 'allOf'])
    if (name in relaxed) relaxed[name] = relaxEach(relaxed[name], taken[name]);
  const { properties } = output;
  if (isObject(properties)) {
    const inputs = isObject(taken['properties']) ? taken['properties'] : {};
    relaxed['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, member]) => [
        name,
        relaxEach(member, Object.hasOwn(inputs, name) ? inputs[name] : undefined),
      ]),
    );
  }
  return relaxed;
}

/** The same for a schema or a list of schemas; `false` stays. */
function relaxEach(output: unknown, input: unknown): unknown {
  if (Array.isArray(output))
    return output.map((part, i): unknown => relaxEach(part, Array.isArray(input) ? input[i] : undefined));
  return isObject(output) ? relax(output, input) : output;
}

/** MongoDB takes the names of properties for paths. */
function isPlainName(name: string): boolean {
  return name !== '' && !name.startsWith('$') && !name.includes('.');
}

function pick(schema: JsonSchema, names: readonly string[], test: (value: unknown) => boolean): JsonSchema {
  return Object.fromEntries(names.filter((name) => test(schema[name])).map((name) => [name, schema[name]]));
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined ? [] : [value];
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
