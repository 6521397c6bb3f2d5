import { Binary, Code, DBRef, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { toJsonValue } from '../../src/bson/json.ts';

const show = (value: unknown): unknown => JSON.parse(JSON.stringify(toJsonValue(value)));
const id = ObjectId.createFromHexString('507f1f77bcf86cd799439011');

describe('toJsonValue()', () => {
  it.each<[string, unknown, unknown]>([
    ['a bigint as a decimal string', 2n ** 63n - 1n, '9223372036854775807'],
    ['a Long as a decimal string', Long.fromString('9223372036854775807'), '9223372036854775807'],
    ['a Uint8Array as base64', Uint8Array.of(1, 2, 255), 'AQL/'],
    ['a part of a Buffer as base64', Buffer.from([9, 1, 2, 255, 9]).subarray(1, 4), 'AQL/'],
    ['a Binary as base64', new Binary(Buffer.of(1, 2, 255)), 'AQL/'],
    ['a Map as an object', new Map([['a', 1n]]), { a: '1' }],
    ['an ObjectId by its digits', id, '507f1f77bcf86cd799439011'],
    ['a Date as ISO 8601', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a Decimal128 as itself', Decimal128.fromString('1.50'), { $numberDecimal: '1.50' }],
    ['an Int32 as a number', new Int32(5), 5],
    ['a Double as a number', new Double(1.5), 1.5],
    ['a Timestamp as itself', new Timestamp({ t: 1, i: 2 }), { $timestamp: '4294967298' }],
    ['code with its scope', new Code('f()', { n: 1n }), { code: 'f()', scope: { n: '1' } }],
    ['code without a scope', new Code('f()'), { code: 'f()' }],
    ['a reference', new DBRef('c', id), { $ref: 'c', $id: '507f1f77bcf86cd799439011' }],
    [
      'a reference with all its parts',
      new DBRef('c', id, 'db', { n: 1n }),
      { $ref: 'c', $id: '507f1f77bcf86cd799439011', $db: 'db', n: '1' },
    ],
    ['members and elements at any depth', { a: [{ b: 1n }] }, { a: [{ b: '1' }] }],
    ['null', null, null],
  ])('shows %s', (_, value, expected) => {
    expect(show(value)).toEqual(expected);
  });

  it('keeps keys such as __proto__ as own members', () => {
    const hostile: object = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}');
    expect(JSON.stringify(toJsonValue(hostile))).toBe('{"__proto__":{"polluted":true},"constructor":1}');
    const reference = new DBRef('c', id, undefined, hostile);
    expect(Object.keys(toJsonValue(reference) as object)).toEqual(['$ref', '$id', '__proto__', 'constructor']);
  });
});
