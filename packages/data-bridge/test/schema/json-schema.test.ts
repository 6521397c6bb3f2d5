import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type as arktype } from 'arktype';
import { ObjectId } from 'mongodb';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { binary, decimal, long, objectId, regex, timestamp, uuid } from '../../src/schema/bson-types.ts';
import { jsonSchemaOf } from '../../src/schema/json-schema.ts';
import type { Fields } from '../../src/schema/schema-field.ts';
import { fieldSchemaOf, schemaOf } from '../support/validated-collection.ts';

const integer = { bsonType: ['int', 'long', 'double'], multipleOf: 1 };

/** A schema of a library that gives this JSON Schema. */
function saying(output: object, input: object = output): Fields[string] {
  const standard: StandardSchemaV1.Props & { jsonSchema: object } = {
    version: 1,
    vendor: 'test',
    validate: (value) => ({ value }),
    jsonSchema: { output: () => output, input: () => input },
  };
  return { '~standard': standard };
}

describe('the $jsonSchema of a model', () => {
  it('names the fields, and requires those whose validator refuses undefined', () => {
    const fields = {
      name: z.string(),
      age: z.int().optional(),
      tags: z.array(z.string()).default([]),
      any: z.unknown(),
      caught: z.string().catch('?'),
      later: z.string().refine(async () => true),
      laterOrNot: z.unknown().refine(async () => true),
      throwing: throwing(),
    };
    expect(schemaOf(fields)).toEqual({
      bsonType: 'object',
      required: ['name', 'later'],
      properties: {
        _id: { bsonType: 'objectId' },
        name: { bsonType: 'string' },
        age: integer,
        tags: { bsonType: 'array', items: { bsonType: 'string' } },
        any: {},
        caught: { bsonType: 'string' },
        later: { bsonType: 'string' },
        laterOrNot: {},
        throwing: {},
      },
    });
  });

  it('requires nothing by an empty list, which MongoDB refuses', () => {
    expect(schemaOf({ age: z.int().optional() })).not.toHaveProperty('required');
  });

  it("takes the model's own _id, and fields that the mapper stores beside the others", () => {
    const properties = (schema: object) => (schema as { properties: object }).properties;
    expect(properties(schemaOf({ _id: z.string() }))).toEqual({ _id: { bsonType: 'string' } });
    expect(properties(jsonSchemaOf([], { createdAt: { bsonType: 'date' } }))).toEqual({
      _id: { bsonType: 'objectId' },
      createdAt: { bsonType: 'date' },
    });
  });

  it('says nothing of fields whose library has no JSON Schema, or fails at it', () => {
    expect(fieldSchemaOf(v.string())).toEqual({});
    const failing = saying({});
    Object.assign(failing['~standard'], { jsonSchema: { output: () => fail(), input: () => 5 } });
    expect(fieldSchemaOf(failing)).toEqual({});
  });

  it('says nothing of names that MongoDB would take for paths', () => {
    const schema = schemaOf({ 'a.b': z.string(), $x: z.string(), '': z.string(), ok: z.object({ 'a.b': z.string() }) });
    expect(schema).toEqual({
      bsonType: 'object',
      required: ['ok'],
      properties: {
        _id: { bsonType: 'objectId' },
        'a.b': {},
        $x: {},
        '': {},
        ok: { bsonType: 'object', properties: { 'a.b': {} } },
      },
    });
  });

  it('has fields of any name', () => {
    const { properties } = schemaOf({ ['__proto__']: z.string(), constructor: z.int() });
    expect(Object.entries(properties as object)).toEqual([
      ['_id', { bsonType: 'objectId' }],
      ['__proto__', { bsonType: 'string' }],
      ['constructor', integer],
    ]);
  });
});

/** A validator that throws, as one that coerces may. */
function throwing(): Fields[string] {
  const standard: StandardSchemaV1.Props = { version: 1, vendor: 'test', validate: fail };
  return { '~standard': standard };
}

function fail(): never {
  throw new Error('This cannot be represented');
}

describe('the $jsonSchema of a field', () => {
  const strings = { bsonType: 'string' };

  it.each<[string, Fields[string], object]>([
    ['a BSON type', objectId(), { bsonType: 'objectId' }],
    ['a nullable BSON type', decimal().nullable().optional(), { bsonType: ['decimal', 'null'] }],
    ['an int64', long(), { bsonType: 'long' }],
    ['bytes', binary(), { bsonType: 'binData' }],
    ['a UUID', uuid(), { bsonType: 'binData' }],
    ['a Timestamp', timestamp(), { bsonType: 'timestamp' }],
    ['a regular expression', regex(), { bsonType: 'regex' }],
    ['a class of BSON', z.instanceof(ObjectId).optional(), { bsonType: 'objectId' }],
    ['a Map', z.map(z.string(), z.int()), { bsonType: 'object' }],
    ['a transformed value', z.string().transform(Number), {}],
    ['a custom check', z.custom<string>(), {}],
    ['nothing', z.never(), { not: {} }],
    ['null', z.null(), { bsonType: 'null' }],
    ['a nullable date', z.date().nullable(), { bsonType: ['date', 'null'] }],
    ['one value', z.literal('a'), { ...strings, enum: ['a'] }],
    ['values', z.enum(['a', 'b', 'a']), { ...strings, enum: ['a', 'b'] }],
    ['a nullable value', z.enum(['a']).nullable(), { anyOf: [{ ...strings, enum: ['a'] }, { bsonType: 'null' }] }],
    ['types', z.union([z.string(), z.int()]), { anyOf: [strings, integer] }],
    ['types without limits', z.union([z.string(), z.boolean()]), { bsonType: ['string', 'bool'] }],
    ['a type or anything', z.union([z.string(), z.custom<Date>()]), {}],
    ['excluded bounds', z.int().gt(3).lt(9), { ...integer, minimum: 3, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: true }], // prettier-ignore
    ['steps', z.number().multipleOf(0.5), { bsonType: 'number' }],
    ['steps of integers', z.int().multipleOf(5), integer],
    ['an array', z.array(z.string()).min(1).max(3), { bsonType: 'array', minItems: 1, maxItems: 3, items: strings }],
    ['a tuple', z.tuple([z.string()], z.date()), { bsonType: 'array', minItems: 1, items: [strings], additionalItems: { bsonType: 'date' } }], // prettier-ignore
    ['a record', z.record(z.string(), z.date()), { bsonType: 'object', additionalProperties: { bsonType: 'date' } }],
    ['a pattern', z.string().regex(/^a\.b\d{3}$/), { ...strings, pattern: '^a\\.b\\d{3}$' }],
    ['patterns', z.string().startsWith('a').endsWith('b'), { ...strings, allOf: [{ pattern: '^a.*' }, { pattern: '.*b$' }] }], // prettier-ignore
    ['notes', z.string().meta({ title: 'Name', description: 'of a person', deprecated: true }), { ...strings, title: 'Name', description: 'of a person' }], // prettier-ignore
  ])('of %s', (_, schema, expected) => {
    expect(fieldSchemaOf(schema)).toEqual(expected);
  });

  it.each([
    /a/i,
    /^a.c$/s,
    /^a$/m,
    /\u0041/,
    /\p{L}/u,
    new RegExp('[\\w--\\d]', 'v'),
    /^\s+$/,
    /[^]/,
    /[[:alpha:]]/,
    /(?<=a)b/,
  ])('leaves out the pattern %s, which PCRE would read otherwise', (pattern) => {
    expect(fieldSchemaOf(z.string().regex(pattern).optional())).toEqual(strings);
  });

  it('requires of a nested object what cannot be left out, and refuses other keys only for a strict one', () => {
    const members = { a: z.string(), b: z.string().default(''), c: z.string().optional(), d: z.unknown() };
    const open = { bsonType: 'object', required: ['a'], properties: { a: strings, b: strings, c: strings, d: {} } };
    expect(fieldSchemaOf(z.object(members))).toEqual(open);
    expect(fieldSchemaOf(z.looseObject(members))).toEqual(open);
    expect(fieldSchemaOf(z.strictObject(members))).toEqual({ ...open, additionalProperties: false });
    expect(fieldSchemaOf(z.array(z.object(members)).nullable())).toEqual({
      anyOf: [{ bsonType: 'array', items: open }, { bsonType: 'null' }],
    });
  });

  it('keeps the parts of an intersection open to the keys of each other', () => {
    const union = z.union([z.strictObject({ b: z.string() }), z.strictObject({ c: z.int() })]);
    const other = z.union([z.strictObject({ d: z.string() }), z.strictObject({ e: z.int() })]);
    const schema = fieldSchemaOf(z.intersection(z.strictObject({ a: z.string() }), union));
    expect(JSON.stringify(fieldSchemaOf(z.intersection(union, other)))).not.toContain('additionalProperties');
    expect(schema).toEqual({
      anyOf: [
        { bsonType: 'object', required: ['a', 'b'], properties: { a: strings, b: strings }, additionalProperties: false },
        { bsonType: 'object', required: ['a', 'c'], properties: { a: strings, c: integer }, additionalProperties: false },
      ],
    }); // prettier-ignore
  });

  it('is open where a schema contains itself', () => {
    const Tree = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree).optional();
      },
    });
    expect(fieldSchemaOf(Tree)).toEqual({
      bsonType: 'object',
      required: ['name'],
      properties: { name: strings, children: { bsonType: 'array' } },
    });
  });

  it('holds definitions in the places that refer to them', () => {
    const City = z.object({ name: z.string() }).meta({ id: 'a/city~1 of 100%' });
    const city = { bsonType: 'object', required: ['name'], properties: { name: strings } };
    expect(fieldSchemaOf(z.object({ from: City, to: City.describe('the end').optional() }))).toEqual({
      bsonType: 'object',
      required: ['from'],
      properties: { from: city, to: { description: 'the end', ...city } },
    });
  });

  it('reads older drafts too', () => {
    const reference = { $ref: '#/definitions/limit', definitions: { limit: { type: 'integer', minimum: 2 } } };
    expect(fieldSchemaOf(saying(reference))).toEqual({ ...integer, minimum: 2 });
    expect(fieldSchemaOf(saying({ minimum: 2, exclusiveMinimum: true }))).toEqual({
      minimum: 2,
      exclusiveMinimum: true,
    });
    const tuple = { type: 'array', items: [{ type: 'string' }], additionalItems: false, uniqueItems: true };
    expect(fieldSchemaOf(saying(tuple))).toEqual({
      bsonType: 'array',
      uniqueItems: true,
      items: [strings],
      additionalItems: false,
    });
  });

  it.each<[string, object, object]>([
    ['the tighter of two lower bounds', { minimum: 5, exclusiveMinimum: 3 }, { minimum: 5 }],
    ['the tighter of two upper bounds', { maximum: 5, exclusiveMaximum: 5 }, { maximum: 5, exclusiveMaximum: true }],
    ['whole limits', { minLength: 1.5, maxLength: 2.5, minItems: 1e300 }, { minLength: 2, maxLength: 2 }],
    ['integers among numbers', { type: ['integer', 'number'] }, { bsonType: ['int', 'long', 'double', 'number'] }],
    ['integers or null', { type: ['integer', 'null'] }, { ...integer, bsonType: [...integer.bsonType, 'null'] }],
    ['an empty choice', { enum: [] }, { not: {} }],
    ['a reference to nowhere', { $ref: '#/$defs/none' }, {}],
    ['a reference to elsewhere', { $ref: 'https://example.com/schema' }, {}],
    ['a schema of booleans', { properties: { a: true, b: false } }, { properties: { a: {}, b: { not: {} } } }],
    ['negations', { not: { type: 'string' } }, {}],
    ['patterned keys', { patternProperties: { '^a': { type: 'string' } }, additionalProperties: false }, {}],
    ['parts whose keywords meet', { minLength: 1, allOf: [{ minLength: 2 }] }, { allOf: [{ minLength: 1 }, { minLength: 2 }] }],
    ['words that MongoDB has not', { format: 'email', default: 1, $id: 'a', contains: {}, if: {}, examples: [] }, {}],
    ['a tuple of nothing', { type: 'array', prefixItems: [], items: { type: 'string' } }, { bsonType: 'array', items: strings }],
    ['one of', { oneOf: [{ minimum: 1 }, { maximum: 5 }] }, { anyOf: [{ minimum: 1 }, { maximum: 5 }] }],
  ])('of %s', (_, source, expected) => {
    expect(fieldSchemaOf(saying(source))).toEqual(expected);
  }); // prettier-ignore

  it('of ArkType, with its dates, bigints and classes', () => {
    const schema = arktype({ name: 'string >= 3', when: 'Date', 'big?': 'bigint', id: arktype.instanceOf(ObjectId) });
    expect(fieldSchemaOf(schema)).toEqual({
      bsonType: 'object',
      required: ['id', 'name', 'when'],
      properties: {
        id: { bsonType: 'objectId' },
        name: { bsonType: 'string', minLength: 3 },
        when: { bsonType: 'date' },
        big: { bsonType: 'long' },
      },
    });
    expect(fieldSchemaOf(arktype({ name: 'string = "x"', '+': 'delete' }))).toEqual({
      bsonType: 'object',
      properties: { name: strings },
    });
    const patterns = arktype({ a: /^a/, pattern: arktype(/^b/i).or('number[]') });
    expect(fieldSchemaOf(patterns)).toEqual({
      bsonType: 'object',
      required: ['a', 'pattern'],
      properties: { a: strings, pattern: { anyOf: [strings, { bsonType: 'array', items: { bsonType: 'number' } }] } },
    });
    expect(fieldSchemaOf(arktype(/^a/))).toEqual({ ...strings, pattern: '^a' });
  });
});
