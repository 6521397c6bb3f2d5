import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Binary, Decimal128, Long, ObjectId, UUID } from 'mongodb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { binary, decimal, long, objectId, readAs, typeName } from '../../src/bson/types.ts';

const hex = '507f1f77bcf86cd799439011';
const id = ObjectId.createFromHexString(hex);

const run = (schema: StandardSchemaV1, value: unknown): unknown => {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) throw new Error('Expected a result at once');
  return result.issues === undefined ? result.value : result.issues[0]?.message;
};

describe('objectId()', () => {
  it('takes an ObjectId and 24 hexadecimal digits', () => {
    expect(run(objectId(), id)).toBe(id);
    expect(run(objectId(), hex)).toEqual(id);
    expect(run(objectId(), hex.toUpperCase())).toEqual(id);
  });

  it.each([['invalid'], [12345], [`${hex}0`], [hex.slice(1)], ['zzzzzzzzzzzzzzzzzzzzzzzz'], [null], [undefined], [{}]])(
    'refuses %j',
    (value) => {
      expect(run(objectId(), value)).toMatch(/^Expected an ObjectId or a string of 24 hexadecimal digits, got /);
    },
  );
});

describe('decimal()', () => {
  it.each<[unknown, string]>([
    ['123.45', '123.45'],
    [123.45, '123.45'],
    [5, '5'],
    [10n ** 30n, '1000000000000000000000000000000'],
    ['1E+3', '1E+3'],
    ['NaN', 'NaN'],
    [Decimal128.fromString('1.50'), '1.50'],
  ])('takes %s', (value, expected) => {
    const result = run(decimal(), value);
    expect(result).toBeInstanceOf(Decimal128);
    expect(String(result)).toBe(expected);
  });

  it.each([[Number.NaN], [Infinity], ['x'], ['1'.repeat(35)], [10n ** 34n + 1n], [null], [{}], [true]])(
    'refuses %s',
    (value) => {
      expect(run(decimal(), value)).toMatch(/^Expected a Decimal128/);
    },
  );
});

describe('long()', () => {
  it.each<[unknown, bigint]>([
    [5n, 5n],
    [2n ** 63n - 1n, 2n ** 63n - 1n],
    [-(2n ** 63n), -(2n ** 63n)],
    [Number.MAX_SAFE_INTEGER, 9007199254740991n],
    [Long.fromString('9223372036854775807'), 2n ** 63n - 1n],
  ])('takes %s', (value, expected) => {
    expect(run(long(), value)).toBe(expected);
  });

  it.each([[2n ** 63n], [1.5], [2 ** 53], ['5'], [Long.fromString('18446744073709551615', true)], [null]])(
    'refuses %s',
    (value) => {
      expect(run(long(), value)).toMatch(/^Expected a 64-bit integer/);
    },
  );
});

describe('binary()', () => {
  it('takes bytes and a Binary of subtype 0', () => {
    const bytes = Uint8Array.of(1, 2);
    expect(run(binary(), bytes)).toBe(bytes);
    expect(run(binary(), new Binary(bytes))).toEqual(bytes);
  });

  it.each([[new Binary(Buffer.of(1), 5)], [new UUID()], ['AQI='], [[1, 2]], [null]])('refuses %s', (value) => {
    expect(run(binary(), value)).toMatch(/^Expected a Uint8Array or a Binary/);
  });
});

describe('optional() and nullable()', () => {
  it('take undefined and null, and nothing else in addition', () => {
    expect(run(objectId().optional(), undefined)).toBeUndefined();
    expect(run(objectId().optional(), null)).toMatch(/^Expected/);
    expect(run(objectId().nullable(), null)).toBeNull();
    expect(run(objectId().nullable(), undefined)).toMatch(/^Expected/);
    const both = objectId().optional().nullable();
    expect([run(both, undefined), run(both, null), run(both, hex)]).toEqual([undefined, null, id]);
  });

  it('keep the kind', () => {
    expect([objectId(), decimal().optional(), long().nullable()].map((schema) => schema['~bson'])).toEqual([
      'objectId',
      'decimal',
      'long',
    ]);
  });

  it('show in the types', () => {
    type InOut<S extends StandardSchemaV1> = [StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>];
    const ids = objectId();
    const longs = long().optional();
    const bytes = binary().nullable();
    expectTypeOf<InOut<typeof ids>>().toEqualTypeOf<[ObjectId | string, ObjectId]>();
    expectTypeOf<InOut<typeof longs>>().toEqualTypeOf<[bigint | number | Long | undefined, bigint | undefined]>();
    expectTypeOf<InOut<typeof bytes>>().toEqualTypeOf<[Uint8Array | Binary | null, Uint8Array | null]>();
    expect([ids, longs, bytes].map((schema) => schema['~standard'].vendor)).toEqual(Array(3).fill('data-bridge'));
  });

  it('accept their own output', () => {
    const outputs = [run(objectId(), hex), run(decimal(), '1.5'), run(long(), 5), run(binary(), Uint8Array.of(1))];
    const schemas: StandardSchemaV1[] = [objectId(), decimal(), long(), binary()];
    expect(schemas.map((schema, i) => run(schema, outputs[i]))).toEqual(outputs);
  });
});

describe('readAs()', () => {
  it('makes of a stored value what the schema says', () => {
    expect(readAs('long', 5)).toBe(5n);
    expect(readAs('long', Long.fromNumber(5))).toBe(5n);
    expect(readAs('binary', new Binary(Buffer.of(1)))).toEqual(Uint8Array.of(1));
  });

  it('leaves a value of another type', () => {
    expect([readAs('long', 'x'), readAs('long', 1.5), readAs('binary', null), readAs('objectId', hex)]).toEqual([
      'x',
      1.5,
      null,
      hex,
    ]);
  });
});

describe('typeName()', () => {
  it('names the type and never the value', () => {
    const values = [
      null,
      undefined,
      'secret',
      1,
      true,
      1n,
      [],
      {},
      Object.create(null),
      new Date(),
      id,
      new Map(),
      () => 1,
    ];
    expect(values.map(typeName)).toEqual([
      'null',
      'undefined',
      'a string',
      'a number',
      'a boolean',
      'a bigint',
      'an array',
      'an object',
      'an object',
      'a Date',
      'an ObjectId',
      'a Map',
      'a function',
    ]);
  });
});
