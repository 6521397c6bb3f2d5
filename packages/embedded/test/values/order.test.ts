import * as bson from 'bson';
import { describe, expect, it } from 'vitest';
import { compare, equals, keyOf } from '../../src/values/order.ts';
import { compareBy } from '../../src/engine/match/sort.ts';
import { UNDEFINED } from '../../src/values/value.ts';
import { D, dec, doc, failure, L, oid, text, val } from '../support/engine.ts';

describe('the order of types', () => {
  it('is that of the documentation', () => {
    const ascending = [
      new bson.MinKey(),
      null,
      NaN,
      -Infinity,
      dec('-1E+6000'),
      -1,
      0,
      dec('0.1'),
      0.1,
      D(1),
      L('9007199254740992'),
      L('9007199254740993'),
      1e300,
      Infinity,
      '',
      'A',
      'a',
      'aa',
      '\uffee',
      '\u{1f600}',
      {},
      { a: 1 },
      { a: 1, b: 1 },
      { a: 2 },
      { b: 1 },
      { a: 'x' },
      [],
      [1],
      [1, 2],
      [2],
      new bson.Binary(Buffer.from([9])),
      new bson.Binary(Buffer.from([1, 2])),
      new bson.Binary(Buffer.from([1, 2]), 5),
      oid,
      false,
      true,
      new Date(-1),
      new Date(0),
      new bson.Timestamp({ t: 1, i: 2 }),
      new bson.Timestamp({ t: 4294967295, i: 0 }),
      new bson.BSONRegExp('a'),
      new bson.BSONRegExp('a', 'i'),
      new bson.BSONRegExp('b'),
      new bson.Code('a'),
      new bson.MaxKey(),
    ].map(val);
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        expect([text(a), text(b), Math.sign(compare(a, b))]).toEqual([text(a), text(b), Math.sign(i - j)]);
      }
    }
  });

  it('puts undefined and missing before null', () => {
    expect(compare(UNDEFINED, null)).toBeLessThan(0);
    expect(compare(undefined, null)).toBeLessThan(0);
    expect(equals(undefined, UNDEFINED)).toBe(true);
  });
});

describe('equals', () => {
  it.each([
    [1, D(1), true],
    [1, L(1), true],
    [L(1), dec('1.000'), true],
    [D(0.5), dec('0.5'), true],
    [D(0.1), dec('0.1'), false],
    [D(-0), 0, true],
    [NaN, dec('NaN'), true],
    [D(Infinity), dec('Infinity'), true],
    [L('9007199254740993'), D(9007199254740992), false],
    [dec('9007199254740993'), L('9007199254740993'), true],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, false],
    [{ a: D(1) }, { a: 1 }, true],
    [[1, [NaN]], [D(1), [NaN]], true],
    [new bson.BSONSymbol('a'), 'a', true],
    ['1', 1, false],
    [null, 0, false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(equals(val(a), val(b))).toBe(expected);
    expect(keyOf(val(a)) === keyOf(val(b))).toBe(expected);
  });
});

describe('compareBy', () => {
  const sorted = (documents: Record<string, unknown>[], sort: Record<string, unknown>): string[] =>
    documents
      .map(doc)
      .sort(compareBy(doc(sort)))
      .map(text);

  it('takes missing as null, and an array by its lowest or highest element', () => {
    const documents = [{ a: 2 }, {}, { a: null }, { a: [5, 1] }, { a: [] }, { a: 'x' }];
    expect(sorted(documents, { a: 1 })).toEqual(['{a: []}', '{}', '{a: null}', '{a: [5, 1]}', '{a: 2}', '{a: "x"}']);
    expect(sorted(documents, { a: -1 })).toEqual(['{a: "x"}', '{a: [5, 1]}', '{a: 2}', '{}', '{a: null}', '{a: []}']);
  });

  it('follows paths through arrays and by index', () => {
    const documents = [{ a: [{ b: 3 }, { b: 9 }] }, { a: { b: 4 } }, { a: [{ b: 5 }] }, { a: 1 }];
    expect(sorted(documents, { 'a.b': 1 }).map((t) => t.slice(0, 9))).toEqual([
      '{a: 1}',
      '{a: [{b: ',
      '{a: {b: 4',
      '{a: [{b: ',
    ]);
    expect(sorted([{ a: [1, 9] }, { a: [2, 3] }], { 'a.1': 1 })).toEqual(['{a: [2, 3]}', '{a: [1, 9]}']);
  });

  it('takes arrays of any length', () => {
    const long = Array.from({ length: 200_000 }, (_, index) => index + 2);
    expect(sorted([{ a: long }, { a: 1 }], { a: 1 })[0]).toBe('{a: 1}');
  });

  it('goes on to the next key', () => {
    expect(sorted([{ a: 1, b: 1 }, { a: 1, b: 2 }, { a: 0 }], { a: 1, b: -1 })).toEqual([
      '{a: 0}',
      '{a: 1, b: 2}',
      '{a: 1, b: 1}',
    ]);
  });

  it.each([
    [{ a: 2 }, 15975],
    [{ a: 'x' }, 15974],
    [{ a: { $meta: 'textScore' } }, 238],
    [{ 'a..b': 1 }, 15998],
    [{ $a: 1 }, 16410],
  ])('refuses %j', (sort, code) => {
    expect(failure(() => compareBy(doc(sort))).code).toBe(code);
  });
});
