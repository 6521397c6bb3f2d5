import fc from 'fast-check';
import { BSON, Decimal128, Double, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/bson/arena.ts';
import { encodeDocument, ABSENT, toExact } from '../../src/bson/encode.ts';
import { EncodedDocument } from '../../src/bson/encoded-document.ts';
import { writeDocument, writeExact } from '../../src/bson/write-document.ts';
import { runs } from '../support/arbitrary.ts';
import { randomDocument } from '../support/laws-documents.ts';
import { Random } from '../support/laws-random.ts';
import { live } from '../support/laws-store.ts';

type Members = Record<string, unknown>;

/** As the bson package writes what `toExact` gives. */
const asPackage = (document: Members): Uint8Array =>
  BSON.serialize(toExact(document, ABSENT, []) as object, { ignoreUndefined: true });

const hex = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('hex');

describe('a document that is written', () => {
  it('has the bytes that the bson package gives it, whatever it holds', () => {
    const arena = Arena.for(1000);
    const property = fc.property(fc.noShrink(fc.nat()), (seed) => {
      const document = live(encodeDocument(randomDocument(new Random(seed))));
      const expected = hex(asPackage(document));
      const written = writeDocument(document, arena);
      if (written !== null) expect(hex(written)).toBe(expected);
      const exact = toExact(document, ABSENT, []) as Members;
      expect(hex(writeExact(exact, arena))).toBe(expected);
      expect(hex(writeExact(exact, null))).toBe(expected);
    });
    fc.assert(property, runs(2000));
  });

  const list = Array.from({ length: 1500 }, (_, i) => i);
  const deep = (levels: number): Members => (levels === 0 ? { n: 1 } : { inner: deep(levels - 1) });
  const holes: unknown[] = [1];
  holes[3] = 2;
  it.each<readonly [string, Members]>([
    ['nothing', {}],
    ['numbers', { a: 0, b: -0, c: 2 ** 31 - 1, d: 2 ** 31, e: -(2 ** 31), f: -(2 ** 31) - 1, g: 0.1, h: Number.NaN }],
    ['large numbers', { a: Infinity, b: -Infinity, c: 2 ** 53, d: 2 ** 53 - 1, e: Number.MIN_VALUE, f: 1e308 }],
    ['times', { a: new Date(0), b: new Date(-1), c: new Date(8.64e15), d: new Date(-8.64e15), e: new Date(2 ** 32) }],
    ['ids', { a: new ObjectId(), b: new ObjectId('ffffffffffffffffffffffff'), c: ObjectId.createFromTime(1) }],
    ['nothing at all', { a: null, b: undefined, c: [undefined, null], d: { e: undefined }, f: [], g: {} }],
    ['holes', { holes }],
    ['objects without a prototype', { a: Object.assign(Object.create(null) as object, { b: 1 }) }],
    ['texts', { a: '', b: 'é', c: '東京', d: '😀', e: '\0', f: 'x'.repeat(64), g: 'é'.repeat(64), h: 'x'.repeat(65) }],
    ['long texts', { a: 'x'.repeat(4095), b: '東'.repeat(4096), c: 'é'.repeat(100_000), d: 'x'.repeat(3_000_000) }],
    ['odd names', Object.fromEntries(['', '$x', 'a.b', 'é', '__proto__', 'x'.repeat(300)].map((name) => [name, 1]))],
    ['long lists', { list, more: list.map((n) => ({ n })) }],
    ['49 levels', deep(49)],
  ])('has the bytes that the bson package gives it: %s', (_, document) => {
    const expected = hex(asPackage(document));
    expect(hex(writeDocument(document, null))).toBe(expected);
    expect(hex(writeDocument(document, null))).toBe(expected);
  });

  it.each<readonly [string, unknown]>([
    ['a key that the bson package reads as a type', { _bsontype: 'Int32' }],
    ['a key with a zero byte', { 'a\0': 1 }],
    ['a key with half a surrogate pair', { '\ud800': 1 }],
    ['a text with half a surrogate pair', '\ud800'],
    ['a long one', `${'x'.repeat(100)}\udc00`],
    ['an invalid date', new Date(Number.NaN)],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['a value of a class', Decimal128.fromString('1')],
    ['bytes', Buffer.from('x')],
    ['a Map', new Map()],
    ['60 levels', deep(60)],
    ['an id of a class of its own', new (class extends ObjectId {})()],
  ])('is not written where it holds %s', (_, value) => {
    expect(writeDocument({ before: 1, value }, null)).toBeNull();
    expect(writeDocument({ before: 1, list: [value] }, null)).toBeNull();
  });

  it('is not written where it contains itself', () => {
    const document: Members = { n: 1 };
    document['self'] = document;
    expect(writeDocument(document, null)).toBeNull();
  });

  it('is exact in what toExact gives, also 60 levels down', () => {
    const exact = { a: new Double(1), b: Long.fromNumber(2), c: 3n, d: /x/i, e: Buffer.from('bytes'), f: deep(60) };
    expect(hex(writeExact(exact, null))).toBe(hex(BSON.serialize(exact)));
  });

  it('leaves a value to the driver that is larger than the bson package can write', () => {
    expect(writeExact({ value: new Uint8Array(18 * 1024 * 1024) }, null)).toBeNull();
  });

  it('is whole where one of its getters writes another one', () => {
    let other: Uint8Array | null = null;
    const document = {
      a: 'first',
      get b() {
        other = writeDocument({ x: 1 }, null) ?? writeExact({ x: 'y'.repeat(100) }, null);
        return 'second';
      },
    };
    expect(hex(writeDocument(document, null))).toBe(hex(BSON.serialize({ a: 'first', b: 'second' })));
    expect(hex(other)).toBe(hex(BSON.serialize({ x: 'y'.repeat(100) })));
    expect(writeDocument({ x: 1 }, null)).not.toBeNull();
  });
});

describe('an arena', () => {
  it('is for many documents, keeps them apart, and gives large ones memory of their own', () => {
    expect(Arena.for(3)).toBeNull();
    const arena = Arena.for(64) as Arena;
    const documents = Array.from({ length: 200 }, (_, i) => ({ i, text: 'x'.repeat(i % 7 === 0 ? 7000 : i) }));
    const written = documents.map((document) => writeDocument(document, arena) as Uint8Array);
    written.forEach((bytes, i) => expect(BSON.deserialize(bytes)).toEqual(documents[i]));
    const memory = new Set(written.map(({ buffer }) => buffer));
    expect(memory.size).toBeLessThan(80);
    for (const buffer of memory) expect(buffer.byteLength).toBeLessThanOrEqual(12 * 1024);
  });
});

describe('a document that is encoded already', () => {
  it('is written by the bson package as it is, alone and inside of others', () => {
    const document = { _id: new ObjectId(), text: 'é', list: [{ a: 1 }], empty: {} };
    for (const each of [document, {}]) {
      const encoded = new EncodedDocument('id', BSON.serialize(each));
      const around = (inner: object): object => ({ a: 1, list: [inner, inner], b: { inner, c: { inner } }, d: 2 });
      expect(hex(BSON.serialize(encoded))).toBe(hex(BSON.serialize(each)));
      expect(hex(BSON.serialize(around(encoded)))).toBe(hex(BSON.serialize(around(each))));
      expect(encodeDocument(encoded)).toBe(encoded.bytes);
    }
  });
});
