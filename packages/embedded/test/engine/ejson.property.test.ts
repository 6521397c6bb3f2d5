import * as bson from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { decode, encode } from '../../src/engine/bson.ts';
import { fromEjson } from '../../src/engine/ejson-reader.ts';
import { toEjson } from '../../src/engine/ejson-writer.ts';
import { isDocument, type Value } from '../../src/engine/value.ts';
import { document } from './arbitraries.ts';
import { text } from './support.ts';

/** Whether Extended JSON has no word for a value: data of the old binary subtype whose inner length is wrong. */
function isBeyond(value: Value): boolean {
  if (Array.isArray(value)) return value.some(isBeyond);
  if (isDocument(value)) return [...value.values()].some(isBeyond);
  if (typeof value !== 'object' || value === null) return false;
  if (value._bsontype === 'CodeWithScope') return isBeyond(value.scope);
  if (value._bsontype !== 'Binary' || value.sub_type !== 2) return false;
  return value.length() < 4 || Buffer.from(value.value()).readInt32LE(0) !== value.length() - 4;
}

describe('Extended JSON', () => {
  it('gives back the very bytes of any document, in one line', () => {
    const expressible = document.filter((original) => !isBeyond(original));
    fc.assert(
      fc.property(expressible, (original) => {
        const line = toEjson(original);
        expect(line).not.toContain('\n');
        const back = fromEjson(line);
        if (!isDocument(back)) throw new Error(`${line} became no document.`);
        expect(encode(back)).toEqual(encode(original));
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('is what the bson package reads and writes', () => {
    const sample = {
      int: new bson.Int32(-5),
      double: new bson.Double(5),
      small: new bson.Double(-0),
      large: new bson.Double(1e300),
      infinite: new bson.Double(-Infinity),
      long: bson.Long.fromString('-9223372036854775808'),
      decimal: bson.Decimal128.fromString('1.50E+10'),
      id: new bson.ObjectId('0123456789abcdef01234567'),
      binary: new bson.Binary(Buffer.of(1, 2, 3), 128),
      old: new bson.Binary(Buffer.of(1, 2, 3), 2),
      date: new Date(-1),
      expression: new bson.BSONRegExp('a"b', 'im'),
      timestamp: new bson.Timestamp({ t: 4_294_967_295, i: 7 }),
      code: new bson.Code('f()'),
      scoped: new bson.Code('f()', { a: new bson.Int32(1) }),
      symbol: new bson.BSONSymbol('s'),
      least: new bson.MinKey(),
      most: new bson.MaxKey(),
      nothing: null,
      nested: [{ 'a.b': true, text: 'Grüße 🌍 "\\\n' }],
    };
    const bytes = bson.serialize(sample);
    const line = toEjson(decode(bytes));
    expect(JSON.parse(line)).toEqual(bson.EJSON.serialize(sample, { relaxed: false }));
    expect(bson.serialize(bson.EJSON.parse(line, { relaxed: false }) as bson.Document)).toEqual(bytes);
    expect(encode(fromEjson(bson.EJSON.stringify(sample, { relaxed: false })) as Map<string, Value>)).toEqual(
      Buffer.from(bytes),
    );
  });
});

describe('fromEjson', () => {
  it('keeps the order of members', () => {
    expect(toEjson(fromEjson('{"10":1,"9":2,"__proto__":3,"":4}'))).toBe(
      '{"10":{"$numberInt":"1"},"9":{"$numberInt":"2"},"__proto__":{"$numberInt":"3"},"":{"$numberInt":"4"}}',
    );
  });

  it.each([
    ['1', '{"$numberInt":"1"}'],
    ['-2147483649', '{"$numberLong":"-2147483649"}'],
    ['9223372036854775808', '{"$numberDouble":"9223372036854775808.0"}'],
    ['1.0', '{"$numberDouble":"1.0"}'],
    ['1e3', '{"$numberDouble":"1000.0"}'],
    ['-0', '{"$numberDouble":"-0.0"}'],
    ['{"$date":"1970-01-01T00:00:01Z"}', '{"$date":{"$numberLong":"1000"}}'],
    [' [ true , { } , [ ] , null ] ', '[true,{},[],null]'],
    ['"\\u00fc\\"\\\\"', '"ü\\"\\\\"'],
    ['{"a":1,"a":2}', '{"a":{"$numberInt":"1"}}'],
  ])('reads relaxed JSON: %s', (relaxed, canonical) => {
    expect(toEjson(fromEjson(relaxed))).toBe(canonical);
  });

  it.each([
    '{"$oid":{"$numberInt":"5"}}',
    '{"$oid":"short"}',
    '{"$numberInt":"2147483648"}',
    '{"$numberLong":"9223372036854775808"}',
    '{"$numberDecimal":"many"}',
    '{"$date":"yesterday"}',
    '{"$binary":{"base64":"!","subType":"00"}}',
    '{"$timestamp":{"t":{"$numberInt":"-1"},"i":{"$numberInt":"0"}}}',
    '{"$minKey":{"$numberInt":"2"}}',
    '{"$code":"f()","$other":{}}',
    '{"$numberInt":"1","b":true}',
    '{"b":true,"$numberInt":"1"}',
    '{"$gt":{"$numberInt":"5"}}',
  ])('takes what only looks like a type for a document: %s', (line) => {
    const value = fromEjson(line);
    expect(isDocument(value)).toBe(true);
    expect(text(value)).not.toBe('');
    expect(toEjson(value)).toBe(line);
  });

  it.each([
    ['', /expected a value at character 1/],
    ['{"a":1', /expected "," or "}" at character 7/],
    ['{"a" 1}', /expected ":" at character 6/],
    ['{a:1}', /expected a string at character 2/],
    ['[1,]', /expected a value at character 4/],
    ['{} x', /expected the end at character 4/],
    ['"a', /expected a string that ends/],
    ['"a\\"', /expected a string that ends/],
    ['"\n"', /control characters/],
    ['"\\q"', /unknown escapes/],
    ['01', /expected the end at character 2/],
    ['NaN', /expected a value/],
    ['['.repeat(5_000), /no more than 200 levels/],
  ])('refuses %j', (line, message) => {
    expect(() => fromEjson(line)).toThrow(SyntaxError);
    expect(() => fromEjson(line)).toThrow(message);
  });
});
