import * as bson from 'bson';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/values/bson.ts';
import { CodeWithScope, DateTime, DbPointer, type Document, MAX_DEPTH, UNDEFINED } from '../../src/values/value.ts';
import { ServerError } from '../../src/errors.ts';

const roundTrip = (bytes: Uint8Array): Buffer => encode(decode(bytes));
const oid = new bson.ObjectId('0123456789abcdef01234567');

function element(type: number, payload: string): Buffer {
  const body = Buffer.concat([Buffer.from([type, 0x61, 0]), Buffer.from(payload, 'hex'), Buffer.from([0])]);
  const size = Buffer.alloc(4);
  size.writeInt32LE(body.length + 4);
  return Buffer.concat([size, body]);
}

function failure(run: () => unknown): ServerError {
  try {
    run();
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
  throw new Error('expected a ServerError');
}

describe('decode and encode', () => {
  it('keep every type that the bson package writes', () => {
    const bytes = bson.serialize({
      double: new bson.Double(1),
      negativeZero: new bson.Double(-0),
      string: 'ünïcode \u{1f600} \u0000 inside',
      object: { b: 1, a: { '': null, 'a.b': 1, $x: 2 } },
      array: [1, 'x', [2.5], {}],
      binary: new bson.Binary(Buffer.from([1, 2, 3]), 5),
      oid,
      yes: true,
      no: false,
      date: new Date(-1),
      nothing: null,
      regex: new bson.BSONRegExp('^a.b$', 'imsx'),
      code: new bson.Code('f()'),
      scoped: new bson.Code('f()', { x: 1 }),
      symbol: new bson.BSONSymbol('s'),
      int: new bson.Int32(-5),
      timestamp: new bson.Timestamp({ t: 4294967295, i: 7 }),
      long: bson.Long.MIN_VALUE,
      decimal: bson.Decimal128.fromString('-1.50E+6000'),
      min: new bson.MinKey(),
      max: new bson.MaxKey(),
      '\ufeffbom': 1,
    });
    expect(roundTrip(bytes)).toEqual(Buffer.from(bytes));
  });

  it.each([
    ['undefined', 0x06, ''],
    ['DBPointer', 0x0c, '02000000620001234567890123456789abcd'],
    ['binary of subtype 2', 0x05, '06000000020200000061ff'],
    ['binary of subtype 2 whose inner length is wrong', 0x05, '04000000020900000a'],
    ['a regular expression with unsorted, unknown options', 0x0b, '7800' + '7a7900'],
    ['a date far outside the range of JavaScript', 0x09, 'ffffffffffffff7f'],
    ['a negative NaN', 0x01, '000000000000f8ff'],
    ['a decimal of a huge coefficient', 0x13, 'ffffffffffffffffffffffffffffff7f'],
    ['a code with scope', 0x0f, '0f0000000200000078000500000000'],
  ])('keep %s', (_name, type, payload) => {
    const bytes = element(type, payload);
    expect(roundTrip(bytes)).toEqual(bytes);
  });

  it('give each type its own class', () => {
    const values = [
      decode(element(0x06, '')).get('a'),
      decode(element(0x0c, '0200000062000123456789abcdef01234567')).get('a'),
      decode(element(0x09, 'ffffffffffffff7f')).get('a'),
      decode(element(0x0f, '0f0000000200000078000500000000')).get('a'),
    ];
    expect(values[0]).toBe(UNDEFINED);
    expect(values[1]).toEqual(new DbPointer('b', oid));
    expect(values[2]).toEqual(new DateTime(2n ** 63n - 1n));
    expect(values[3]).toEqual(new CodeWithScope('x', new Map()));
  });

  it('show the first of two equal keys', () => {
    const bytes = Buffer.from('13000000' + '10610001000000' + '10610002000000' + '00', 'hex');
    expect(decode(bytes)).toEqual(new Map([['a', new bson.Int32(1)]]));
  });

  it('start where they are told', () => {
    const bytes = bson.serialize({ a: 'x' });
    expect(decode(Buffer.concat([Buffer.from('junk'), bytes, Buffer.from('more')]), 4)).toEqual(new Map([['a', 'x']]));
  });

  it.each([
    ['no bytes', ''],
    ['half a length', '0500'],
    ['a negative length', 'ffffffff00'],
    ['a length of 4', '0400000000'],
    ['a length beyond the bytes', '0600000000'],
    ['a document without its end', '080000000a610001'],
    ['bytes after the last element', '060000000000'],
    ['an unknown type', '0800000020610000'],
    ['a key without its end', '080000000a616161'],
    ['a boolean of 2', '090000000861000200'],
    ['a string of length 0', '0c0000000261000000000000'],
    ['a string without its NUL', '0e0000000261000200000061610000'.slice(0, 28)],
    ['a string that is not UTF-8', '0e00000002610002000000ff0000'],
    ['a string that ends beyond its document', '0e00000002610009000000610000'],
    ['a binary of negative length', '0d000000056100ffffffff0000'],
    ['an inner document beyond the outer', '0d00000003610006000000000a'],
    ['a wrong length of code with scope', '17000000' + '0f6100' + '10000000' + '020000007800' + '0500000000' + '00'],
  ])('refuse %s', (_name, hex) => {
    expect(failure(() => decode(Buffer.from(hex, 'hex'))).code).toBe(22);
  });

  it('refuse what nests too deep, in both directions', () => {
    const nest = (levels: number): Document => {
      let value: Document = new Map();
      for (let level = 1; level < levels; level++) value = new Map([['a', value]]);
      return value;
    };
    expect(decode(encode(nest(MAX_DEPTH)))).toEqual(nest(MAX_DEPTH));
    expect(failure(() => encode(nest(MAX_DEPTH + 1))).codeName).toBe('Overflow');
    let bytes: Buffer = Buffer.from(bson.serialize({}));
    for (let level = 0; level < MAX_DEPTH; level++) bytes = element(0x03, bytes.toString('hex'));
    expect(failure(() => decode(bytes)).codeName).toBe('Overflow');
  });

  it.each([
    ['a boolean', true],
    ['a double', new bson.Double(1.5)],
    ['a date', new Date(1_711_845_015_123)],
    ['an int32', new bson.Int32(7)],
    ['an ObjectId', new bson.ObjectId('65f000000000000000000001')],
    ['a text', 'x'],
  ])('are written whole where %s is the first that does not fit the buffer', (_name, value) => {
    const filler = new bson.Binary(Buffer.alloc(3 << 20, 7));
    // case: the key ends, or the value begins, or a part of it lies, at the end of the buffer.
    for (const key of ['', 'k', 'key', 'a key']) {
      const bytes = Buffer.from(bson.serialize({ filler, [key]: value, rest: filler }));
      expect(encode(decode(bytes)).equals(bytes)).toBe(true);
    }
  });

  it('refuse a key with a NUL', () => {
    expect(failure(() => encode(new Map([['a\0b', null]]))).code).toBe(22);
  });
});
