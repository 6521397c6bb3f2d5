import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Double, Int32, Long } from 'mongodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, SchemaError } from '../../src/index.ts';
import type { Fields } from '../../src/schema/schema-field.ts';
import { useDatabase } from '../support/database.ts';
import { type Accepts, fieldSchemaOf, schemaOf, validatedCollection } from '../support/validated-collection.ts';

const integer = { bsonType: ['int', 'long', 'double'], multipleOf: 1 };
const LIMITS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength', 'maxLength', 'pattern'];

const database = useDatabase();

/** The server agrees with the validator on each of the values. */
async function expectAgreement(schema: Fields[string] & StandardSchemaV1, values: readonly unknown[], taken: boolean) {
  const accepts = await validatedCollection(database.db, { field: schema });
  for (const field of values) {
    expect('value' in (await schema['~standard'].validate(field)), `validator: ${String(field)}`).toBe(taken);
    expect(await accepts({ field }), `server: ${String(field)}`).toBe(taken);
  }
}

describe('schemas with checks', () => {
  const cases: [name: string, schema: Fields[string] & StandardSchemaV1, taken: unknown[], refused: unknown[]][] = [
    ['CONSTRAINT-01 a minimum length', z.string().min(3), ['abc'], ['ab']],
    ['CONSTRAINT-03 a maximum length', z.string().max(50), ['x'.repeat(50)], ['x'.repeat(51)]],
    ['CONSTRAINT-05 a minimum', z.number().min(0), [0], [-1]],
    ['CONSTRAINT-06 a minimum with decimals', z.number().min(0.5), [0.5], [0.49]],
    ['CONSTRAINT-07 a maximum', z.number().max(100), [100], [101]],
    ['CONSTRAINT-08 a maximum with decimals', z.number().max(99.9), [99.9], [100]],
    ['CONSTRAINT-09 an email address', z.email(), ['user@example.com'], ['user']],
    ['CONSTRAINT-29 a minimum length of 0', z.string().min(0), [''], [5]],
    ['CONSTRAINT-30 a maximum length of 0', z.string().max(0), [''], ['a']],
    ['CONSTRAINT-31 one integer', z.int().min(42).max(42), [42], [41, 43, 42.5]],
    ['CONSTRAINT-32 an exact length', z.string().length(10), ['x'.repeat(10)], ['x'.repeat(9), 'x'.repeat(11)]],
  ];

  it.each(cases)('%s is checked by the validator and by the server', async (_, schema, taken, refused) => {
    await expectAgreement(schema, taken, true);
    await expectAgreement(schema, refused, false);
  });

  it('CONSTRAINT-10 an http URL is checked by the validator', () => {
    expect(z.httpUrl().safeParse('https://example.com').success).toBe(true);
    expect(z.httpUrl().safeParse('example').success).toBe(false);
  });

  it('CONSTRAINT-02 a negative minimum length is refused when the model is made', () => {
    expect(() => model('users', { name: z.string().min(-1) })).toThrow(SchemaError);
    expect(() => model('users', { name: z.string().min(-1) })).toThrow('"name" has a length limit below zero, -1');
  });

  it('CONSTRAINT-04 a negative maximum length is refused when the model is made', () => {
    expect(() => model('users', { name: z.string().max(-1) })).toThrow(SchemaError);
  });

  it.each([
    z.string().min(-1).optional().default('a'),
    z.array(z.string().max(-2)),
    z.array(z.string()).length(-1).nullable(),
    z.email().min(-1),
    z.map(z.string(), z.string()).max(-1),
    z.map(z.string(), z.string()).size(-1),
  ])('a negative limit is found inside wrappers and arrays', (schema) => {
    expect(() => model('users', { name: schema })).toThrow(SchemaError);
  });

  it('a negative limit inside an object is refused when the JSON Schema is made', () => {
    expect(() => schemaOf({ address: z.object({ city: z.string().min(-1) }) })).toThrow(
      new SchemaError('The field "address" has the limit minLength -1: use 0 or more.'),
    );
  });
});

describe('the $jsonSchema of a field', () => {
  const limitsOf = (schema: Fields[string]) =>
    Object.keys(fieldSchemaOf(schema) as object).filter((name) => LIMITS.includes(name));

  it.each([
    ['CONSTRAINT-11 with checks', z.string().min(3), ['minLength']],
    ['CONSTRAINT-11 with checks', z.int().min(0), ['minimum']],
    ['CONSTRAINT-12 without checks', z.string(), []],
    ['CONSTRAINT-12 without checks', z.int(), []],
    ['CONSTRAINT-12 without checks', z.string().optional(), []],
    ['CONSTRAINT-16 with notes', z.string().meta({ title: 'Name' }).describe('of a person'), []],
  ])('%s has these limits: %#', (_, schema, expected) => {
    expect(limitsOf(schema)).toEqual(expected);
  });

  it.each([
    ['CONSTRAINT-13', z.string().min(3).optional(), { bsonType: 'string', minLength: 3 }],
    ['CONSTRAINT-14', z.string().min(3).max(50).default('abc'), { bsonType: 'string', minLength: 3, maxLength: 50 }],
    ['CONSTRAINT-17', z.string().min(3), { bsonType: 'string', minLength: 3 }],
    ['CONSTRAINT-18', z.string().max(50), { bsonType: 'string', maxLength: 50 }],
    ['CONSTRAINT-19', z.string().min(3).max(50), { bsonType: 'string', minLength: 3, maxLength: 50 }],
    ['CONSTRAINT-20', z.email(), { bsonType: 'string', pattern: expect.any(String) }],
    ['CONSTRAINT-21', z.httpUrl(), { bsonType: 'string' }],
    ['CONSTRAINT-22', z.int().min(0), { ...integer, minimum: 0 }],
    ['CONSTRAINT-23', z.int().max(100), { ...integer, maximum: 100 }],
    ['CONSTRAINT-24', z.int().min(0).max(100), { ...integer, minimum: 0, maximum: 100 }],
    ['CONSTRAINT-25', z.number().min(0).max(1), { bsonType: 'number', minimum: 0, maximum: 1 }],
    ['CONSTRAINT-26', z.int().min(-100), { ...integer, minimum: -100 }],
    ['CONSTRAINT-27', z.number().min(0.01).max(99.99), { bsonType: 'number', minimum: 0.01, maximum: 99.99 }],
    [
      'CONSTRAINT-28',
      z.email().min(5).max(254),
      { bsonType: 'string', pattern: expect.any(String), minLength: 5, maxLength: 254 },
    ],
    ['CONSTRAINT-29', z.string().min(0), { bsonType: 'string', minLength: 0 }],
    ['CONSTRAINT-30', z.string().max(0), { bsonType: 'string', maxLength: 0 }],
    ['CONSTRAINT-31', z.int().min(42).max(42), { ...integer, minimum: 42, maximum: 42 }],
    ['CONSTRAINT-32', z.string().length(10), { bsonType: 'string', minLength: 10, maxLength: 10 }],
    ['TYPES-42', z.string(), { bsonType: 'string' }],
    ['TYPES-43', z.int(), integer],
    ['TYPES-45 a date', z.date(), { bsonType: 'date' }],
    ['TYPES-45 a bigint', z.bigint(), { bsonType: 'long' }],
  ])('%s is exactly this', (_, schema, expected) => {
    expect(fieldSchemaOf(schema)).toEqual(expected);
  });

  it('CONSTRAINT-13 does not require an optional field', () => {
    expect(schemaOf({ name: z.string().min(3).optional(), age: z.int() })['required']).toEqual(['age']);
  });
});

describe('on the server', () => {
  let accepts: Accepts;
  beforeAll(async () => {
    accepts = await validatedCollection(database.db, {
      integer: z.int().optional(),
      number: z.number().min(0).max(1).optional(),
      date: z.date().optional(),
      bigint: z.bigint().optional(),
      url: z.httpUrl().optional(),
    });
  });

  it('TYPES-44 takes 2147483648 in an integer field, which the driver writes as a double', async () => {
    expect(await accepts({ integer: 2147483648 })).toBe(true);
    expect(await accepts({ integer: new Int32(1) })).toBe(true);
    expect(await accepts({ integer: Long.fromString('9007199254740993') })).toBe(true);
    expect(await accepts({ integer: new Double(1.5) })).toBe(false);
    expect(await accepts({ integer: '1' })).toBe(false);
  });

  it('CONSTRAINT-25 takes 1.0, which the driver writes as an int', async () => {
    expect(await accepts({ number: 1 })).toBe(true);
    expect(await accepts({ number: 0.5 })).toBe(true);
    expect(await accepts({ number: 1.5 })).toBe(false);
  });

  it('TYPES-45 takes dates and bigints and nothing else in their place', async () => {
    expect(await accepts({ date: new Date() })).toBe(true);
    expect(await accepts({ date: '2024-01-01' })).toBe(false);
    expect(await accepts({ bigint: 5n })).toBe(true);
    expect(await accepts({ bigint: 5 })).toBe(false);
  });

  it('CONSTRAINT-21 leaves a URL to the validator', async () => {
    expect(await accepts({ url: 'example' })).toBe(true);
  });
});
