import * as bson from 'bson';
import { describe, expect, it } from 'vitest';
import { type MatchDetails, matcher } from '../../../src/engine/match/compile.ts';
import { type Document, UNDEFINED } from '../../../src/values/value.ts';
import { D, dec, doc, failure, L, oid, text } from '../../support/engine.ts';

type Input = Record<string, unknown>;

const matches = (filter: Input, document: Input): boolean => matcher(doc(filter))(doc(document));

/** Which of the documents a filter matches, by their places. */
const which = (filter: Input, documents: readonly Input[]): number[] =>
  documents.flatMap((document, index) => (matches(filter, document) ? [index] : []));

describe('comparison', () => {
  it.each<[Input, Input[], number[]]>([
    [{ a: 1 }, [{ a: 1 }, { a: D(1) }, { a: L(1) }, { a: dec('1.0') }, { a: '1' }, { a: true }, {}], [0, 1, 2, 3]],
    [{ a: 1 }, [{ a: [1] }, { a: [2, 1] }, { a: [[1]] }, { a: { a: 1 } }], [0, 1]],
    [{ a: [1] }, [{ a: [1] }, { a: [[1]] }, { a: 1 }, { a: [1, 2] }], [0, 1]],
    [{ a: NaN }, [{ a: NaN }, { a: dec('NaN') }, { a: 1 }], [0, 1]],
    [
      { a: { b: 1, c: 2 } },
      [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, { a: { b: 1 } }, { a: [{ b: 1, c: 2 }] }],
      [0, 3],
    ],
    [{ a: {} }, [{ a: {} }, { a: { b: 1 } }, {}], [0]],
    [{ a: null }, [{ a: null }, {}, { a: [null] }, { a: 0 }, { a: [] }, { a: [1, null] }], [0, 1, 2, 5]],
    [{ a: { $eq: null } }, [{ a: null }, {}, { b: 1 }, { a: 1 }], [0, 1, 2]],
    [{ a: { $ne: 1 } }, [{ a: 2 }, {}, { a: [1, 2] }, { a: [2] }, { a: 1 }], [0, 1, 3]],
    [{ a: { $ne: null } }, [{ a: 1 }, {}, { a: null }, { a: [] }], [0, 3]],
    [
      { a: { $gt: 1 } },
      [{ a: 2 }, { a: 1 }, { a: '2' }, { a: [0, 3] }, { a: NaN }, {}, { a: null }, { a: new Date(9) }],
      [0, 3],
    ],
    [{ a: { $lt: 5 } }, [{ a: 4.5 }, { a: NaN }, { a: -Infinity }, { a: null }], [0, 2]],
    [{ a: { $lte: NaN } }, [{ a: NaN }, { a: 1 }], [0]],
    [{ a: { $lt: NaN } }, [{ a: NaN }, { a: 1 }], []],
    [{ a: { $gte: null } }, [{ a: null }, {}, { a: 1 }], [0, 1]],
    [{ a: { $gt: null } }, [{ a: null }, {}, { a: 1 }], []],
    [{ a: { $gt: new bson.MinKey() } }, [{ a: 1 }, { a: new bson.MinKey() }, { a: 'x' }], [0, 2]],
    [{ a: { $lt: new bson.MaxKey() } }, [{ a: 1 }, { a: new bson.MaxKey() }], [0]],
    [{ a: { $gt: [1] } }, [{ a: [2] }, { a: [1] }, { a: 5 }, { a: [1, 0] }], [0, 3]],
    [{ a: { $gte: 'b' } }, [{ a: 'b' }, { a: 'B' }, { a: 'c' }], [0, 2]],
    [{ a: { $gt: 1, $lt: 4 } }, [{ a: 2 }, { a: 5 }, { a: [0, 9] }], [0, 2]],
    [{ a: { $gt: false } }, [{ a: true }, { a: false }, { a: 1 }], [0]],
    [{ a: { $in: [1, 'x', null] } }, [{ a: 1 }, { a: D(1) }, { a: ['x'] }, {}, { a: 2 }], [0, 1, 2, 3]],
    [{ a: { $in: [] } }, [{ a: 1 }, {}], []],
    [{ a: { $in: [/^b/, 'x'] } }, [{ a: 'bc' }, { a: 'cb' }, { a: 'x' }, { a: ['q', 'bb'] }], [0, 2, 3]],
    [{ a: { $in: [[1], 2] } }, [{ a: [1] }, { a: 1 }, { a: [[1]] }, { a: [2] }], [0, 2, 3]],
    [
      { a: { $in: [1, 2, 3, 4, 5, 6, 7, 8, 9, D(10), { x: 1 }] } },
      [{ a: L(10) }, { a: { x: D(1) } }, { a: 11 }, {}],
      [0, 1],
    ],
    [{ a: { $nin: [1, null] } }, [{ a: 1 }, {}, { a: 2 }, { a: [1] }, { a: [] }], [2, 4]],
    [{ a: { $eq: /x/ } }, [{ a: 'x' }, { a: /x/ }], [1]],
    [{ a: oid }, [{ a: new bson.ObjectId(oid.toHexString()) }, { a: oid.toHexString() }], [0]],
    [{ a: { $eq: { $gt: 1 } } }, [{ a: { $gt: 1 } }, { a: 5 }], [0]],
    [{ a: { $ref: 'c', $id: 1 } }, [{ a: { $ref: 'c', $id: 1 } }, { a: 1 }], [0]],
  ])('%j', (filter, documents, expected) => {
    expect(which(filter, documents)).toEqual(expected);
  });

  it('keeps undefined apart from null', () => {
    const document: Document = new Map([['a', UNDEFINED]]);
    expect(matcher(doc({ a: null }))(document)).toBe(false);
    expect(matcher(doc({ a: { $type: 'undefined' } }))(document)).toBe(true);
  });
});

describe('paths', () => {
  it.each<[Input, Input[], number[]]>([
    [
      { 'a.b': 1 },
      [{ a: { b: 1 } }, { a: [{ b: 1 }] }, { a: [{ b: [0, 1] }] }, { a: 1 }, { 'a.b': 1 }, { a: [[{ b: 1 }]] }],
      [0, 1, 2],
    ],
    [{ 'a.0': 1 }, [{ a: [1, 2] }, { a: [2, 1] }, { a: { 0: 1 } }, { a: [{ 0: 1 }] }, { a: [[1]] }], [0, 2, 3]],
    [
      { 'a.0.b': 1 },
      [{ a: [{ b: 1 }] }, { a: [{}, { b: 1 }] }, { a: [{ 0: { b: 1 } }] }, { a: { 0: { b: 1 } } }],
      [0, 2, 3],
    ],
    [{ 'a.0.0': 1 }, [{ a: [[1]] }, { a: [1] }], [0]],
    [{ 'a.1.b': 4 }, [{ a: [5, [{ b: 4 }], 3] }, { a: [5, [[{ b: 4 }]]] }], [0]],
    [{ 'a.1.b': null }, [{ a: [5, [1]] }, { a: [5, [{}]] }, { a: [5, 5] }], [1]],
    [{ 'a.01': 1 }, [{ a: [0, 1] }, { a: { '01': 1 } }], [1]],
    [
      { 'a.b': null },
      [
        { a: {} },
        {},
        { a: 4 },
        { a: null },
        { a: [] },
        { a: [{}] },
        { a: [1] },
        { a: [{ b: 1 }, {}] },
        { a: [{ b: 1 }] },
      ],
      [0, 1, 2, 3, 5, 7],
    ],
    [{ 'a.b': { $exists: false } }, [{ a: [] }, { a: [1] }, { a: [{ b: 1 }, {}] }, { a: 1 }], [0, 1, 3]],
    [{ 'a.b': { $exists: true } }, [{ a: [{}, { b: null }] }, { a: { b: [] } }, { a: {} }], [0, 1]],
    [
      { 'a.b.c': { $gt: 1 } },
      [{ a: [{ b: [{ c: 2 }] }] }, { a: [{ b: { c: [0, 5] } }] }, { a: { b: { c: 1 } } }],
      [0, 1],
    ],
    [{ '': 1 }, [{ '': 1 }, {}], [0]],
  ])('%j', (filter, documents, expected) => {
    expect(which(filter, documents)).toEqual(expected);
  });
});

describe('element, array and evaluation operators', () => {
  it.each<[Input, Input[], number[]]>([
    [{ a: { $exists: true } }, [{ a: null }, {}, { a: [] }], [0, 2]],
    [{ a: { $exists: 0 } }, [{ a: null }, {}], [1]],
    [{ a: { $type: 'number' } }, [{ a: 1 }, { a: L(1) }, { a: 1.5 }, { a: dec('1') }, { a: '1' }], [0, 1, 2, 3]],
    [{ a: { $type: 'array' } }, [{ a: [] }, { a: [1] }, { a: 1 }], [0, 1]],
    [{ a: { $type: ['string', 16] } }, [{ a: 'x' }, { a: 1 }, { a: D(1) }, { a: ['x'] }], [0, 1, 3]],
    [{ a: { $type: 'null' } }, [{ a: null }, {}, { a: [null] }], [0, 2]],
    [{ a: { $type: -1 } }, [{ a: new bson.MinKey() }, { a: 1 }], [0]],
    [{ a: { $not: { $type: 'array' } } }, [{ a: [] }, { a: 1 }, {}], [1, 2]],
    [{ a: { $size: 2 } }, [{ a: [1, 2] }, { a: [[1, 2]] }, { a: 'xx' }, {}], [0]],
    [{ a: { $size: D(1) } }, [{ a: [[1, 2]] }], [0]],
    [{ a: { $all: [1, 2] } }, [{ a: [2, 1, 3] }, { a: [1] }, { a: 1 }], [0]],
    [{ a: { $all: [1] } }, [{ a: 1 }, { a: [1] }], [0, 1]],
    [{ a: { $all: [] } }, [{ a: [] }, {}], []],
    [{ a: { $all: [/^x/, 'y'] } }, [{ a: ['xa', 'y'] }, { a: ['y'] }], [0]],
    [
      { a: { $all: [{ $elemMatch: { b: 1 } }, { $elemMatch: { b: 2 } }] } },
      [{ a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 1 }] }],
      [0],
    ],
    [{ a: { $elemMatch: { $gt: 1, $lt: 4 } } }, [{ a: [0, 9] }, { a: [2] }, { a: 2 }, { a: [[2]] }], [1]],
    [
      { a: { $elemMatch: { b: 1, c: 2 } } },
      [{ a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }, { c: 2 }] }, { a: { b: 1, c: 2 } }],
      [0],
    ],
    [{ a: { $elemMatch: { $or: [{ b: 1 }, { b: 2 }] } } }, [{ a: [{ b: 2 }] }, { a: [{ b: 3 }] }], [0]],
    [{ a: { $elemMatch: { $elemMatch: { $gt: 1 } } } }, [{ a: [[2]] }, { a: [2] }], [0]],
    [{ a: { $elemMatch: { 0: 5 } } }, [{ a: [[5]] }, { a: [{ 0: 5 }] }, { a: [5] }], [0, 1]],
    [{ a: { $elemMatch: { $exists: true } } }, [{ a: [{ b: 1 }] }, { a: [] }], [0]],
    [{ a: { $not: { $elemMatch: { $gt: 1 } } } }, [{ a: [2] }, { a: [0] }, {}], [1, 2]],
    [
      { a: { $mod: [4, 1] } },
      [{ a: 5 }, { a: D(5.9) }, { a: L(9) }, { a: -3 }, { a: 'x' }, { a: NaN }, { a: dec('5') }],
      [0, 1, 2, 6],
    ],
    [{ a: { $mod: [4, -3] } }, [{ a: -3 }, { a: 1 }], [0]],
    [
      { a: /^b.d$/i },
      [{ a: 'BXD' }, { a: ['q', 'bad'] }, { a: 'bd' }, { a: 5 }, { a: /^b.d$/i }, { a: /^b.d$/ }],
      [0, 1, 4],
    ],
    [{ a: { $regex: 'x y # comment', $options: 'x' } }, [{ a: 'xy' }, { a: 'x y' }], [0]],
    [{ a: { $regex: '(?i)ab' } }, [{ a: 'AB' }, { a: 'x' }], [0]],
    [{ a: { $regex: '^a.b$', $options: 's' } }, [{ a: 'a\nb' }], [0]],
    [{ a: { $regex: '^b', $options: 'm' } }, [{ a: 'a\nb' }, { a: 'ab' }], [0]],
    [{ a: { $options: 'i', $regex: /b/ } }, [{ a: 'B' }], [0]],
    [{ a: { $regex: '\\Aa[[:digit:]]\\z' } }, [{ a: 'a1' }, { a: 'a1\n' }, { a: 'xa1' }], [0]],
    [{ a: { $regex: '[ #] \\# z#c', $options: 'x' } }, [{ a: '##z' }, { a: ' #z' }, { a: '#z' }], [0, 1]],
    [{ a: { $regex: '#x' } }, [{ a: 'a#x' }, { a: 'x' }], [0]],
    [{ a: { $not: /x/ } }, [{ a: 'x' }, { a: 'y' }, {}], [1, 2]],
    [{ a: { $not: { $gt: 1 } } }, [{ a: 1 }, { a: 2 }, { a: 'x' }, {}], [0, 2, 3]],
    [{ a: { $bitsAllSet: 5 } }, [{ a: 5 }, { a: 7 }, { a: 4 }, { a: 5.5 }, { a: 'x' }, { a: D(5) }], [0, 1, 5]],
    [{ a: { $bitsAllSet: [63, 200] } }, [{ a: -1 }, { a: 1 }], [0]],
    [{ a: { $bitsAnySet: [0, 2] } }, [{ a: 4 }, { a: 2 }], [0]],
    [{ a: { $bitsAllClear: 3 } }, [{ a: 4 }, { a: 5 }], [0]],
    [
      { a: { $bitsAnyClear: new bson.Binary(Buffer.from([3])) } },
      [{ a: 1 }, { a: 3 }, { a: new bson.Binary(Buffer.from([2])) }],
      [0, 2],
    ],
    [{ a: { $type: 'string', $not: { $type: 'array' } } }, [{ a: 'x' }, { a: ['x'] }], [0]],
  ])('%j', (filter, documents, expected) => {
    expect(which(filter, documents)).toEqual(expected);
  });
});

describe('logical operators', () => {
  it.each<[Input, Input[], number[]]>([
    [{ $and: [{ a: 1 }, { b: 2 }] }, [{ a: 1, b: 2 }, { a: 1 }], [0]],
    [{ $or: [{ a: 1 }, { b: 2 }] }, [{ a: 1 }, { b: 2 }, {}], [0, 1]],
    [{ $nor: [{ a: 1 }, { b: 2 }] }, [{ a: 1 }, { b: 2 }, {}], [2]],
    [
      { $expr: { $gt: ['$a', '$b'] } },
      [
        { a: 2, b: 1 },
        { a: 1, b: 2 },
      ],
      [0],
    ],
    [{ $expr: '$a' }, [{ a: 1 }, { a: 0 }, {}, { a: '' }], [0, 3]],
    [{ $comment: 'x', a: 1 }, [{ a: 1 }, {}], [0]],
    [{ $jsonSchema: { required: ['a'] } }, [{ a: 1 }, {}], [0]],
    [{}, [{}, { a: 1 }], [0, 1]],
  ])('%j', (filter, documents, expected) => {
    expect(which(filter, documents)).toEqual(expected);
  });
});

describe('the positional index', () => {
  it.each<[Input, Input, number | undefined]>([
    [{ a: 2 }, { a: [1, 2] }, 1],
    [{ 'a.b': 2 }, { a: [{ b: 1 }, { b: 2 }] }, 1],
    [{ 'a.b': 2 }, { a: [{ b: [0] }, { b: [0, 0, 2] }] }, 1],
    [{ 'a.b': 2 }, { a: { b: [0, 2] } }, 1],
    [{ 'a.0.b': 2 }, { a: [{ b: [0, 2] }] }, 1],
    [{ a: { $elemMatch: { $gt: 1 } } }, { a: [0, 1, 2] }, 2],
    [{ 'a.1': 2 }, { a: [1, 2] }, undefined],
    [{ 'a.0.b': 2 }, { a: [[{ b: 1 }, { b: 2 }]] }, 1],
    [{ a: { $elemMatch: { b: 2 } } }, { a: [{}, { b: 2 }] }, 1],
    [{ x: 1, a: { $gte: 2 } }, { x: 1, a: [1, 2] }, 1],
    [{ a: 1, b: 9 }, { a: [1], b: [8, 9] }, 1],
    [{ a: { $in: [3] } }, { a: [1, 3] }, 1],
    [{ $or: [{ a: 2 }] }, { a: [1, 2] }, undefined],
    [{ a: { $ne: 3 } }, { a: [1, 2] }, undefined],
    [{ a: 1 }, { a: 1 }, undefined],
  ])('of %j in %j is %s', (filter, document, expected) => {
    const details: MatchDetails = { index: undefined };
    expect(matcher(doc(filter))(doc(document), details)).toBe(true);
    expect(details.index).toBe(expected);
  });
});

describe('wrong filters', () => {
  it.each<[Input, number, string]>([
    [{ a: { $foo: 1 } }, 2, 'unknown operator: $foo'],
    [{ a: { $gt: 1, b: 2 } }, 2, 'unknown operator: b'],
    [{ $foo: 1 }, 2, 'unknown top level operator: $foo'],
    [{ $where: 'x' }, 238, '$where'],
    [{ $text: { $search: 'x' } }, 238, '$text'],
    [{ a: { $near: [0, 0] } }, 238, '$near'],
    [{ $and: [] }, 2, 'nonempty array'],
    [{ $or: {} }, 2, 'must be an array'],
    [{ $nor: [1] }, 2, 'full objects'],
    [{ a: { $in: 1 } }, 2, '$in needs an array'],
    [{ a: { $in: [{ $gt: 1 }] } }, 2, 'cannot nest $ under $in'],
    [{ a: { $nin: 1 } }, 2, '$nin needs an array'],
    [{ a: { $ne: /x/ } }, 2, "Can't have regex"],
    [{ a: { $gt: /x/ } }, 2, "Can't have RegEx"],
    [{ a: { $not: 1 } }, 2, '$not needs a regex or a document'],
    [{ a: { $not: {} } }, 2, '$not cannot be empty'],
    [{ a: { $all: 1 } }, 2, '$all needs an array'],
    [{ a: { $all: [{ $gt: 1 }] } }, 2, 'no $ expressions in $all'],
    [{ a: { $all: [{ $elemMatch: {} }, 1] } }, 2, 'consistent'],
    [{ a: { $elemMatch: 1 } }, 2, '$elemMatch needs an Object'],
    [{ a: { $elemMatch: { $expr: 1, b: 1 } } }, 2, '$expr can only'],
    [{ a: { $size: 'x' } }, 2, '$size'],
    [{ a: { $size: -1 } }, 2, 'non-negative'],
    [{ a: { $type: 'foo' } }, 2, 'Unknown type name alias: foo'],
    [{ a: { $type: 99 } }, 2, 'Invalid numerical type code: 99'],
    [{ a: { $type: [] } }, 9, 'at least one type'],
    [{ a: { $mod: [0, 1] } }, 2, 'divisor cannot be 0'],
    [{ a: { $mod: [1] } }, 2, 'not enough elements'],
    [{ a: { $mod: [1, 2, 3] } }, 2, 'too many elements'],
    [{ a: { $options: 'i' } }, 2, '$options needs a $regex'],
    [{ a: { $regex: 1 } }, 2, '$regex has to be a string'],
    [{ a: { $regex: '(' } }, 51091, 'invalid'],
    [{ a: { $regex: 'a', $options: 'q' } }, 51108, 'invalid flag'],
    [{ a: { $regex: /a/i, $options: 'i' } }, 51075, 'options set in both'],
    [{ a: { $bitsAllSet: 'x' } }, 2, '$bitsAllSet takes'],
    [{ a: { $bitsAllSet: -1 } }, 9, 'non-negative integer'],
    [{ $expr: { $foo: 1 } }, 168, "Unrecognized expression '$foo'"],
    [{ $jsonSchema: 1 }, 14, '$jsonSchema must be an object'],
  ])('%j', (filter, code, message) => {
    const error = failure(() => matcher(doc(filter)));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });

  it('say undefined cannot be compared', () => {
    expect(failure(() => matcher(new Map([['a', UNDEFINED]]))).message).toBe('cannot compare to undefined');
  });
});

describe('the exact guards of the mapper', () => {
  // Each guard with an original value must match that value at its path and nothing else.
  const lit = (v: unknown): Input => ({ $literal: v });
  const values = [
    null,
    0,
    1,
    1.5,
    NaN,
    dec('2.50'),
    '',
    'a',
    '$a',
    true,
    false,
    new Date(0),
    oid,
    new bson.BSONRegExp('a'),
    {},
    { x: 1 },
    { x: 1, y: 2 },
    { y: 2, x: 1 },
    { $x: 1 },
    { $gt: 0 },
    { 'a.b': 1 },
    [],
    [1],
    [[1]],
    [null],
    [NaN],
    [{ x: 1 }],
    new bson.Binary(Buffer.from([1])),
    new bson.MinKey(),
  ];
  const stored: Input[] = [{}, ...values.map((a) => ({ a })), { a: [new bson.BSONRegExp('a')] }, { a: ['a'] }];
  const equal = (a: unknown, b: unknown): boolean => text(doc({ v: a })) === text(doc({ v: b }));

  const plain = (v: unknown): Input => {
    if (v === null) return { a: { $type: 'null', $not: { $type: 'array' } } };
    return { a: { $eq: v, $not: { $type: 'array' } } };
  };

  it.each(values.filter((v) => !Array.isArray(v)))('plain: %j', (original) => {
    expect(stored.filter((d) => matches(plain(original), d))).toEqual(
      stored.filter((d) => 'a' in d && equal(d['a'], original)),
    );
  });

  it.each(values)('an expression: %j', (original) => {
    const guard = { $expr: { $eq: ['$a', lit(original)] } };
    expect(stored.filter((d) => matches(guard, d))).toEqual(stored.filter((d) => 'a' in d && equal(d['a'], original)));
  });

  it.each(values)('an expression below an object: %j', (original) => {
    const guard = {
      $expr: {
        $cond: [
          { $eq: [{ $type: { $ifNull: ['$o', null] } }, 'object'] },
          { $eq: [{ $getField: { field: lit('a.b'), input: '$o' } }, lit(original)] },
          false,
        ],
      },
    };
    const nested: Input[] = [
      {},
      { o: null },
      { o: 1 },
      { o: [{ 'a.b': original }] },
      ...stored.map((d) => ({ o: 'a' in d ? { 'a.b': d['a'] } : {} })),
    ];
    const expected = stored.filter((d) => 'a' in d && equal(d['a'], original)).map((d) => ({ o: { 'a.b': d['a'] } }));
    expect(nested.filter((d) => matches(guard, d))).toEqual(expected);
  });

  it.each(values)('an element of an array: %j', (original) => {
    const guard = {
      $expr: { $cond: [{ $isArray: ['$l'] }, { $eq: [{ $arrayElemAt: ['$l', 1] }, lit(original)] }, false] },
    };
    const lists: Input[] = [
      {},
      { l: null },
      { l: original },
      { l: ['q'] },
      { l: { 1: original } },
      ...stored.filter((d) => 'a' in d).map((d) => ({ l: ['q', d['a']] })),
    ];
    const expected = stored.filter((d) => 'a' in d && equal(d['a'], original)).map((d) => ({ l: ['q', d['a']] }));
    expect(lists.filter((d) => matches(guard, d))).toEqual(expected);
  });
});

describe('an invalid regular expression', () => {
  const patterns = [
    'secret(',
    'secret: )',
    '*secret',
    'se: cret[z-a]',
    'secret{2,1}',
    '(?<secret',
    'secret[',
    'secret\\',
  ];
  it.each(patterns)('is refused without being told: %s', (pattern) => {
    const inSchema = { $jsonSchema: { properties: { a: { pattern } } } };
    const inExpression = { $expr: { $regexMatch: { input: '$a', regex: pattern } } };
    for (const filter of [{ a: { $regex: pattern } }, { a: { $not: { $regex: pattern } } }, inSchema, inExpression]) {
      const { message } = failure(() => matches(filter, { a: 'x' }));
      expect(message).toMatch(/Regular expression is invalid: [a-z\\]/);
      expect(message).not.toMatch(/cret/);
    }
  });
});
