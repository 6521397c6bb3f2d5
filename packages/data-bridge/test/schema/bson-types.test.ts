import { Binary, BSONRegExp, Decimal128, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import * as plain from '../../src/schema/bson-types.ts';
import type { BsonKind } from '../../src/schema/bson-types.ts';
import * as zod from '../../src/zod.ts';

const hex = '507f1f77bcf86cd799439011';
const text = '6f1c9d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f';
const bytes = Uint8Array.of(1, 2);

/** What each schema takes, and what it makes of it. */
const taken: Record<BsonKind, readonly (readonly [input: unknown, output: unknown])[]> = {
  objectId: [
    [hex, ObjectId.createFromHexString(hex)],
    [hex.toUpperCase(), ObjectId.createFromHexString(hex)],
    [ObjectId.createFromHexString(hex), ObjectId.createFromHexString(hex)],
  ],
  decimal: [
    ['1.50', Decimal128.fromString('1.50')],
    [1.5, Decimal128.fromString('1.5')],
    [12345678901234567890n, Decimal128.fromString('12345678901234567890')],
    [Decimal128.fromString('NaN'), Decimal128.fromString('NaN')],
  ],
  long: [
    [5, 5n],
    [2n ** 63n - 1n, 2n ** 63n - 1n],
    [Long.MIN_VALUE, -(2n ** 63n)],
  ],
  binary: [
    [bytes, bytes],
    [Buffer.from(bytes), Buffer.from(bytes)],
    [new Binary(bytes), bytes],
  ],
  uuid: [
    [text, new UUID(text)],
    [text.replaceAll('-', '').toUpperCase(), new UUID(text)],
    [new UUID(text), new UUID(text)],
    [new Binary(new UUID(text).value(), Binary.SUBTYPE_UUID), new UUID(text)],
  ],
  timestamp: [
    [{ t: 4294967295, i: 0 }, new Timestamp({ t: 4294967295, i: 0 })],
    [new Timestamp({ t: 1, i: 2 }), new Timestamp({ t: 1, i: 2 })],
  ],
  regex: [
    [/a/i, /a/i],
    [new BSONRegExp('a', 'x'), new BSONRegExp('a', 'x')],
  ],
};

const refused: Record<BsonKind, readonly (readonly [input: unknown, message: string])[]> = {
  objectId: [
    ['invalid', 'Expected an ObjectId or a string of 24 hexadecimal digits, got a string'],
    [12345, 'Expected an ObjectId or a string of 24 hexadecimal digits, got a number'],
  ],
  decimal: [
    [NaN, 'Expected a Decimal128, a finite number, a bigint or a decimal string of at most 34 digits, got a number'],
    ['1'.repeat(35), expect.stringContaining('got a string')],
    ['ten', expect.stringContaining('got a string')],
    [true, expect.stringContaining('got a boolean')],
  ],
  long: [
    [1.5, 'Expected a 64-bit integer: a bigint, a safe integer or a Long, got a number'],
    [2n ** 63n, expect.stringContaining('got a bigint')],
    [2 ** 53, expect.stringContaining('got a number')],
    [Long.fromNumber(5, true), expect.stringContaining('got a Long')],
    [new Timestamp({ t: 1, i: 1 }), expect.stringContaining('got a Timestamp')],
  ],
  binary: [
    [new UUID(text), 'Expected a Uint8Array or a Binary, got a UUID'],
    [[1, 2], 'Expected a Uint8Array or a Binary, got an array'],
  ],
  uuid: [
    ['no', 'Expected a UUID or its text of 32 hexadecimal digits, got a string'],
    [new Binary(new UUID(text).value(), Binary.SUBTYPE_DEFAULT), expect.stringContaining('got a Binary')],
    [new Binary(bytes, Binary.SUBTYPE_UUID), expect.stringContaining('got a Binary')],
  ],
  timestamp: [
    [new Date(0), 'Expected a Timestamp or { t, i } of two unsigned 32-bit integers, got a Date'],
    [{ t: -1, i: 0 }, expect.stringContaining('got an object')],
    [{ t: 1.5, i: 0 }, expect.stringContaining('got an object')],
    [{ t: 1 }, expect.stringContaining('got an object')],
    [5, expect.stringContaining('got a number')],
  ],
  regex: [['/a/', 'Expected a RegExp or a BSONRegExp, got a string']],
};

const { objectId, decimal, long, binary, uuid, timestamp, regex } = plain;
const plainSchemas = { objectId, decimal, long, binary, uuid, timestamp, regex };
const zodSchemas: { [K in BsonKind]: () => zod.ZodBson<K> } = zod;
const schemas = (Object.keys(plainSchemas) as BsonKind[]).flatMap((kind) => [
  { name: `${kind}()`, kind, schema: plainSchemas[kind]() },
  { name: `${kind}() of data-bridge/zod`, kind, schema: zodSchemas[kind]() },
]);

describe.each(schemas)('$name', ({ kind, schema }) => {
  const validate = (value: unknown) => schema['~standard'].validate(value);

  it('takes values of the type and what becomes one', () => {
    for (const [input, output] of taken[kind]) expect(validate(input)).toEqual({ value: output });
  });

  it('takes its own output as it is', () => {
    for (const [, output] of taken[kind]) {
      const result = validate(output);
      expect((result as { value: unknown }).value).toBe(output);
    }
  });

  it('refuses everything else, naming its type', () => {
    const always = [undefined, null, {}, Symbol('a')].map((value) => [value, expect.any(String)] as const);
    for (const [input, message] of [...refused[kind], ...always])
      expect(validate(input)).toEqual({ issues: [expect.objectContaining({ message })] });
  });

  it('takes null and undefined where they are allowed', () => {
    const [[input, output] = []] = taken[kind];
    const relaxed = schema.optional().nullable()['~standard'];
    expect([undefined, null, input].map((value) => relaxed.validate(value))).toEqual([
      { value: undefined },
      { value: null },
      { value: output },
    ]);
    expect(schema.nullable()['~standard'].validate(undefined)).toHaveProperty('issues');
    expect(schema.optional()['~standard'].validate(null)).toHaveProperty('issues');
  });

  it('says which BSON type it stands for', () => {
    expect(schema['~bson']).toBe(kind);
  });
});
