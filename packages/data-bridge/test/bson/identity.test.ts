import { Binary, BSON, Decimal128, Double, Int32, Long, ObjectId, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { type Identities, pairElements } from '../../src/bson/identity.ts';

const bySku: Identities = { key: 'sku', at: () => undefined };
const skus = (...ids: readonly unknown[]) => ids.map((sku) => ({ sku }));
const origins = (base: readonly unknown[], value: readonly unknown[]) => pairElements(value, base, bySku)?.origins;

describe('pairElements', () => {
  it('finds the original of each element, wherever it is', () => {
    expect(pairElements(skus('c', 'd', 'a'), skus('a', 'b', 'c'), bySku)).toEqual({ key: 'sku', origins: [2, -1, 0] });
    expect(origins([], skus('a', 'b'))).toEqual([-1, -1]);
    expect(origins(skus('a'), [])).toEqual([]);
  });

  it('takes the _id where nothing else is declared', () => {
    expect(pairElements([{ _id: 2 }, { _id: 1 }], [{ _id: 1 }], undefined)).toEqual({ key: '_id', origins: [-1, 0] });
    const undeclared: Identities = { key: undefined, at: () => undefined };
    expect(pairElements([{ _id: 1, sku: 1 }], [{ _id: 1, sku: 2 }], undeclared)).toEqual({ key: '_id', origins: [0] });
  });

  const id = new ObjectId();
  const bytes = Buffer.from([1, 255]);

  it.each<[string, unknown, unknown]>([
    ['a string', 'a', 'a'],
    ['a boolean', true, true],
    ['whole numbers of all types', 1, new Double(1)],
    ['an int32 and a bigint', new Int32(1), 1n],
    ['a long and a bigint', Long.fromString('9007199254740993'), 9007199254740993n],
    ['a long and a double beyond 2^53', Long.fromString('1152921504606846976'), 2 ** 60],
    ['a decimal and a double', Decimal128.fromString('1.50'), 1.5],
    ['zeros', 0, -0],
    ['ObjectIds', id, new ObjectId(id.toHexString())],
    ['dates', new Date(5), new Date(5)],
    ['bytes and a binary', bytes, new Binary(bytes)],
    [
      'a UUID and a binary',
      new UUID('0123456789abcdef0123456789abcdef'),
      new Binary(Buffer.from('0123456789abcdef0123456789abcdef', 'hex'), 4),
    ],
  ])('takes for one what a server does: %s', (_, stored, live) => {
    expect(origins(skus('x', stored), skus(live, 'x'))).toEqual([1, 0]);
    expect(origins(skus(stored, live), [])).toBeUndefined();
  });

  it.each<[string, unknown, unknown]>([
    ['texts in another case', 'a', 'A'],
    ['a number and its text', 1, '1'],
    ['a boolean and its text', true, 'true'],
    ['doubles and longs that differ in the last digit', 2 ** 53, Long.fromString('9007199254740993')],
    ['binaries of other subtypes', new Binary(bytes, 0), new Binary(bytes, 5)],
    ['an ObjectId and its text', id, id.toHexString()],
    ['a date and its number', new Date(5), 5],
  ])('tells apart %s', (_, one, another) => {
    expect(origins(skus(one, another), skus(another, one))).toEqual([1, 0]);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['nothing', undefined],
    ['no number', Number.NaN],
    ['no double', new Double(Number.POSITIVE_INFINITY)],
    ['no decimal', Decimal128.fromString('NaN')],
    ['no date', new Date(Number.NaN)],
    ['a symbol', new BSON.BSONSymbol('a')],
    ['a timestamp', new BSON.Timestamp({ t: 1, i: 1 })],
    ['a regular expression', /a/],
    ['a function', () => 1],
    ['an array', ['a']],
    ['an object', { a: 1 }],
  ])('identifies nothing by %s', (_, sku) => {
    expect(origins(skus('a', sku), skus('a'))).toBeUndefined();
    expect(origins(skus('a'), skus('a', sku))).toBeUndefined();
  });

  it('needs plain objects in which the key is their own', () => {
    for (const element of [null, 'a', ['a'], new Map([['sku', 'b']]), {}, Object.create({ sku: 'b' }) as unknown]) {
      expect(origins([element], [])).toBeUndefined();
      expect(origins(skus('a'), [element])).toBeUndefined();
    }
  });

  it('needs ids that no two elements share', () => {
    expect(origins(skus('a', 'a'), skus('a'))).toBeUndefined();
    expect(origins(skus('a'), skus('a', 'a'))).toBeUndefined();
    expect(origins(skus('a'), skus('b', 'b'))).toBeUndefined();
  });

  it('needs an element', () => {
    expect(origins([], [])).toBeUndefined();
  });
});
