import fc from 'fast-check';
import { Binary, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../src/bson/canonical-text.ts';
import { toStored } from '../../src/bson/bson-classes.ts';
import { decodeDocument } from '../../src/bson/decode.ts';
import { equalValues } from '../../src/bson/equal-values.ts';
import { Layout } from '../../src/bson/layout.ts';
import { anyDocument, anyOptions, runs } from '../support/arbitrary.ts';
import { chooser, edited } from '../support/edits.ts';

const decoded = (bytes: Uint8Array, options: object = {}): object =>
  decodeDocument<object>(new Layout(options), bytes, 0);

const POOL = [null, 0, -0, 1, '', 'a', true, [], {}, [1], { a: 1 }, new Date(5), new ObjectId('5'.repeat(24))];

describe('canonicalText', () => {
  it('is the same for what is equal to BSON', () => {
    fc.assert(
      fc.property(anyDocument, anyOptions, anyOptions, (bytes, options, others) => {
        const [a, b] = [decoded(bytes, options), decoded(bytes, others)];
        if (equalValues(a, b)) expect(canonicalText(a)).toBe(canonicalText(b));
        expect(canonicalText(decoded(bytes, options))).toBe(canonicalText(a));
      }),
      runs(2000),
    );
  });

  it('is another one for what is not', () => {
    fc.assert(
      fc.property(anyDocument, fc.nat(), (bytes, seed) => {
        const a = decoded(bytes);
        const b = edited(decoded(bytes), chooser(seed), POOL);
        expect(canonicalText(toStored(a)) === canonicalText(toStored(b))).toBe(equalValues(a, b));
      }),
      runs(2000),
    );
  });

  it.each<[unknown, unknown]>([
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: undefined }, {}],
    [[undefined], [null]],
    [new Map([['a', 1]]), { a: 1 }],
    [2 ** 62, 2n ** 62n],
    [5, new Double(5)],
    [new Int32(5), Long.fromNumber(5)],
    [Number.NaN, new Double(Number.NaN)],
    ['a', new BSONSymbol('a')],
    [new Uint8Array([1]), new Binary(Buffer.from([1]))],
    [/a\/b/im, new BSONRegExp('a/b', 'mi')],
    [new DBRef('a', new ObjectId('5'.repeat(24))), { $ref: 'a', $id: new ObjectId('5'.repeat(24)) }],
    [{ a: { toBSON: () => 5 } }, { a: 5 }],
  ])('%o and %o are the same', (a, b) => {
    expect(canonicalText(a)).toBe(canonicalText(b));
  });

  it.each<[unknown, unknown]>([
    [0, -0],
    [1, '1'],
    [null, 'null'],
    [['a,b'], ['a', 'b']],
    [{ 'a":1,"b': 1 }, { a: 1, b: 1 }],
    [[], {}],
    [
      [1, [2]],
      [[1], 2],
    ],
    ['\ud800', '\ud801'],
    [new Date(0), 0],
    [new ObjectId('5'.repeat(24)), '5'.repeat(24)],
    [Decimal128.fromString('1.0'), Decimal128.fromString('1')],
    [new Binary(Buffer.from([1]), 4), new Binary(Buffer.from([1]), 0)],
    [/a/, /a/i],
    [new BSONRegExp('(', 'x'), new BSONRegExp('(', '')],
    [new Code('a'), new Code('a', {})],
    [{ a: null }, {}],
    [() => {}, () => {}],
    [new URL('a:b'), new URL('a:b')],
    [Symbol('a'), Symbol('b')],
    [new Map([[1, 1]]), { 1: 1 }],
  ])('%o and %o are not', (a, b) => {
    expect(canonicalText(a)).not.toBe(canonicalText(b));
  });
});
