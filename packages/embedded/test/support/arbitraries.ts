import * as bson from 'bson';
import fc from 'fast-check';
import { CodeWithScope, DateTime, DbPointer, type Document, UNDEFINED, type Value } from '../../src/values/value.ts';

/** Keys that meet each other often, odd ones among them. */
const key = fc.constantFrom('a', 'b', 'c', '0', '1', '10', '', 'a.b', '$a', '__proto__', 'constructor', 'é');

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const nearNumbers = fc.constantFrom(
  0,
  -0,
  1,
  -1,
  1.5,
  0.1,
  2 ** 53,
  -(2 ** 53),
  2 ** 31,
  1e300,
  5e-324,
  Infinity,
  -Infinity,
  NaN,
);
const decimals = fc.constantFrom(
  '0',
  '-0',
  '1',
  '1.0',
  '1.5',
  '1.50',
  '0.1',
  '1E+30',
  '1E-30',
  '9007199254740993',
  '9223372036854775807',
  'NaN',
  'Infinity',
  '-Infinity',
  '-1.5',
  '1E+6100',
  '1E-6000',
);

export const numeric: fc.Arbitrary<Value> = fc.oneof(
  fc.integer().map((n) => new bson.Int32(n)),
  fc.constantFrom(0, 1, -1).map((n) => new bson.Int32(n)),
  fc.double().map((n) => new bson.Double(n)),
  nearNumbers.map((n) => new bson.Double(n)),
  int64.map((n) => bson.Long.fromBigInt(n)),
  fc.constantFrom(0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n).map((n) => bson.Long.fromBigInt(n)),
  decimals.map((text) => bson.Decimal128.fromString(text)),
);

const bytes = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));

const strings = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('', 'a', 'A', '$a', '\u{1f600}', '\uffee'),
);

const scalar: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: numeric },
  { weight: 3, arbitrary: strings },
  fc.boolean(),
  fc.constant(null),
  fc.constant(UNDEFINED),
  bytes(12).map((id) => new bson.ObjectId(id)),
  fc
    .tuple(fc.uint8Array({ maxLength: 4 }), fc.constantFrom(0, 2, 4, 5, 128))
    .map(([data, type]) => new bson.Binary(data, type)),
  int64.map((ms) => new DateTime(ms)),
  fc.tuple(fc.integer(), fc.integer()).map(([low, high]) => new bson.Timestamp(bson.Long.fromBits(low, high, true))),
  fc.constantFrom(new bson.BSONRegExp('a', 'i'), new bson.BSONRegExp('a'), new bson.BSONRegExp('^b', 'm')),
  strings.map((code) => new bson.Code(code)),
  strings.map((symbol) => new bson.BSONSymbol(symbol)),
  bytes(12).map((id) => new DbPointer('db.c', new bson.ObjectId(id))),
  fc.constantFrom(new bson.MinKey(), new bson.MaxKey()),
);

/** Values of every BSON type, nested a little. */
export const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value; document: Document }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('document'),
    tie('document').map((scope) => new CodeWithScope('f()', scope)),
  ),
  document: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
})).value;

export const document: fc.Arbitrary<Document> = fc
  .array(fc.tuple(key, value), { maxLength: 5 })
  .map((entries) => new Map(entries));
