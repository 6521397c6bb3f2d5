import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/engine/expression.ts';
import { D, dec, doc, failure, L, oid, text, val } from './support.ts';

type Input = Record<string, unknown>;

const evaluate = (expression: unknown, document: Input = {}): string =>
  text(compileExpression(val(expression))(doc(document)));

function cases(table: readonly (readonly [unknown, Input, string])[]): void {
  it.each(table)('%j of %j is %s', (expression, document, expected) => {
    expect(evaluate(expression, document)).toBe(expected);
  });
}

describe('paths and literals', () => {
  cases([
    ['$a', { a: 1 }, '1'],
    ['$a', {}, 'missing'],
    ['$a.b', { a: { b: 1 } }, '1'],
    ['$a.b', { a: [{ b: 1 }, 5, {}, { b: [2] }, [{ b: 3 }]] }, '[1, [2]]'],
    ['$a.0', { a: [7] }, '[]'],
    ['$a.0', { a: { 0: 7 } }, '7'],
    ['$a.b', { a: 5 }, 'missing'],
    ['$$ROOT', { a: 1 }, '{a: 1}'],
    ['$$CURRENT.a', { a: 1 }, '1'],
    ['$$ROOT.a.b', { a: [{ b: 2 }] }, '[2]'],
    ['$$REMOVE', {}, 'missing'],
    [{ $literal: '$a' }, { a: 1 }, '"$a"'],
    [{ $literal: { $add: [1, 2] } }, {}, '{$add: [1, 2]}'],
    [{ a: '$x', b: { c: '$y' }, d: '$missing' }, { x: 1, y: 2 }, '{a: 1, b: {c: 2}}'],
    [['$x', '$missing', 3], { x: 1 }, '[1, null, 3]'],
    [{}, {}, '{}'],
    ['a$b', {}, '"a$b"'],
  ]);
});

describe('comparison, boolean and control', () => {
  cases([
    [{ $eq: ['$a', 1] }, { a: D(1) }, 'true'],
    [{ $eq: ['$a', null] }, {}, 'false'],
    [{ $eq: [{ $literal: { a: 1, b: 2 } }, { $literal: { b: 2, a: 1 } }] }, {}, 'false'],
    [{ $eq: [{ $literal: [NaN] }, { $literal: [NaN] }] }, {}, 'true'],
    [{ $ne: ['$a', 1] }, { a: 2 }, 'true'],
    [{ $gt: ['$a', 5] }, { a: 'x' }, 'true'],
    [{ $lt: ['$a', null] }, {}, 'true'],
    [{ $gte: ['$a', 1] }, { a: 1 }, 'true'],
    [{ $lte: ['$a', 1] }, { a: L(2) }, 'false'],
    [{ $cmp: ['$a', '$b'] }, { a: 1, b: 2 }, '-1'],
    [{ $and: [1, true, 'x', []] }, {}, 'true'],
    [{ $and: [1, null] }, {}, 'false'],
    [{ $and: [] }, {}, 'true'],
    [{ $or: [] }, {}, 'false'],
    [{ $or: [0, '$a', ''] }, {}, 'true'],
    [{ $not: ['$a'] }, {}, 'true'],
    [{ $not: { $eq: [1, 1] } }, {}, 'false'],
    [{ $cond: [{ $gt: ['$a', 1] }, 'y', 'n'] }, { a: 2 }, '"y"'],
    [{ $cond: { if: '$a', then: 1, else: 2 } }, { a: NaN }, '1'],
    // Only the branch that is taken is evaluated.
    [{ $cond: [false, { $divide: [1, 0] }, 'ok'] }, {}, '"ok"'],
    [{ $ifNull: ['$a', '$b', 3] }, { a: null }, '3'],
    [{ $ifNull: ['$a', '$b'] }, {}, 'missing'],
    [
      {
        $switch: {
          branches: [
            { case: false, then: 1 },
            { case: '$a', then: 2 },
          ],
          default: 3,
        },
      },
      { a: 1 },
      '2',
    ],
    [{ $switch: { branches: [{ case: false, then: 1 }], default: 3 } }, {}, '3'],
    [{ $let: { vars: { x: 1, y: '$a' }, in: { $add: ['$$x', '$$y'] } } }, { a: 2 }, '3'],
    [{ $let: { vars: { x: 1 }, in: { $let: { vars: { x: 2, y: '$$x' }, in: ['$$x', '$$y'] } } } }, {}, '[2, 1]'],
    [{ $let: { vars: { o: '$a' }, in: '$$o.b' } }, { a: [{ b: 1 }] }, '[1]'],
  ]);
});

describe('arithmetic', () => {
  const date = new Date(1000);
  cases([
    [{ $add: [1, 2] }, {}, '3'],
    [{ $add: [1, L(2)] }, {}, '3L'],
    [{ $add: [1, 2.5] }, {}, '3.5'],
    [{ $add: [2147483647, 1] }, {}, '2147483648L'],
    [{ $add: [L('9223372036854775807'), 1] }, {}, '9223372036854776000.0'],
    [{ $add: ['$a', 1] }, {}, 'null'],
    [{ $add: [] }, {}, '0'],
    [{ $add: [D(5)] }, {}, '5.0'],
    [{ $add: [date, 500] }, {}, 'date(1500)'],
    [{ $add: [dec('0.1'), 1] }, {}, '1.1m'],
    [{ $subtract: [5, 7] }, {}, '-2'],
    [{ $subtract: [date, new Date(400)] }, {}, '600L'],
    [{ $subtract: [date, 1] }, {}, 'date(999)'],
    [{ $multiply: [2, 3, 1.5] }, {}, '9.0'],
    [{ $multiply: [] }, {}, '1'],
    [{ $divide: [1, 4] }, {}, '0.25'],
    [{ $divide: [4, 2] }, {}, '2.0'],
    [{ $divide: [1, null] }, {}, 'null'],
    [{ $mod: [-7, 4] }, {}, '-3'],
    [{ $mod: [7, D(4)] }, {}, '3.0'],
    [{ $sum: '$a' }, { a: [1, 'x', 2] }, '3'],
    [{ $sum: ['$a', 5, 'x'] }, { a: [1] }, '5'],
    [{ $avg: [1, 2] }, {}, '1.5'],
    [{ $avg: '$a' }, { a: ['x'] }, 'null'],
    [{ $max: '$a' }, { a: [1, 'x', null] }, '"x"'],
    [{ $max: [1, '$a', 3] }, { a: [9] }, '[9]'],
    [{ $min: [3, 1.5, null] }, {}, '1.5'],
    [{ $min: '$a' }, {}, 'null'],
    [{ $abs: -5 }, {}, '5'],
    [{ $abs: dec('-1.5') }, {}, '1.5m'],
    [{ $ceil: 1.2 }, {}, '2.0'],
    [{ $floor: L(3) }, {}, '3L'],
  ]);
});

describe('arrays', () => {
  cases([
    [{ $isArray: '$a' }, { a: [] }, 'true'],
    [{ $isArray: ['$a'] }, { a: 1 }, 'false'],
    [{ $size: '$a' }, { a: [1, 2] }, '2'],
    [{ $arrayElemAt: ['$a', 1] }, { a: [1, 2] }, '2'],
    [{ $arrayElemAt: ['$a', -1] }, { a: [1, 2] }, '2'],
    [{ $arrayElemAt: ['$a', 5] }, { a: [1, 2] }, 'missing'],
    [{ $arrayElemAt: ['$a', D(0)] }, { a: [1] }, '1'],
    [{ $arrayElemAt: ['$a', 0] }, {}, 'null'],
    [{ $first: '$a' }, { a: [1, 2] }, '1'],
    [{ $last: '$a' }, { a: [] }, 'missing'],
    [{ $concatArrays: ['$a', [3]] }, { a: [1] }, '[1, 3]'],
    [{ $concatArrays: ['$a', [3]] }, {}, 'null'],
    [{ $in: [D(1), '$a'] }, { a: [1] }, 'true'],
    [{ $in: ['x', []] }, {}, 'false'],
    [{ $map: { input: '$a', as: 'e', in: { $add: ['$$e', 1] } } }, { a: [1, 2] }, '[2, 3]'],
    [{ $map: { input: '$a', in: '$$this.b' } }, { a: [{ b: 1 }, {}] }, '[1, null]'],
    [{ $map: { input: '$a', in: 1 } }, {}, 'null'],
    [
      { $map: { input: [1, 2], as: 'x', in: { $map: { input: [10, 20], as: 'y', in: { $add: ['$$x', '$$y'] } } } } },
      {},
      '[[11, 21], [12, 22]]',
    ],
    [{ $filter: { input: '$a', as: 'e', cond: { $gt: ['$$e', 1] } } }, { a: [1, 2, 3] }, '[2, 3]'],
    [{ $filter: { input: '$a', cond: true, limit: 1 } }, { a: [1, 2] }, '[1]'],
    [{ $filter: { input: null, cond: true } }, {}, 'null'],
    [{ $reduce: { input: ['a', 'b'], initialValue: '', in: { $concat: ['$$value', '$$this'] } } }, {}, '"ab"'],
    [{ $reduce: { input: null, initialValue: 1, in: 2 } }, {}, 'null'],
    [{ $range: [0, 5, 2] }, {}, '[0, 2, 4]'],
    [{ $range: [3, 0, -1] }, {}, '[3, 2, 1]'],
    [{ $range: [0, 0] }, {}, '[]'],
    [{ $slice: ['$a', 2] }, { a: [1, 2, 3] }, '[1, 2]'],
    [{ $slice: ['$a', -2] }, { a: [1, 2, 3] }, '[2, 3]'],
    [{ $slice: ['$a', 1, 1] }, { a: [1, 2, 3] }, '[2]'],
    [{ $slice: ['$a', -2, 1] }, { a: [1, 2, 3] }, '[2]'],
    [{ $slice: ['$a', 0] }, { a: [1] }, '[]'],
    [{ $slice: ['$a', 1] }, {}, 'null'],
    [{ $indexOfArray: ['$a', 2] }, { a: [1, L(2)] }, '1'],
    [{ $indexOfArray: ['$a', 1, 1] }, { a: [1, 2] }, '-1'],
    [{ $reverseArray: '$a' }, { a: [1, 2] }, '[2, 1]'],
    [
      {
        $setUnion: [
          [1, 2],
          [D(2), 3],
        ],
      },
      {},
      '[1, 2, 3]',
    ],
    [
      {
        $setIntersection: [
          [1, 2],
          [2, 3],
        ],
      },
      {},
      '[2]',
    ],
    [{ $setDifference: [[1, 2, 1], [2]] }, {}, '[1]'],
    [{ $setDifference: ['$a', [2]] }, {}, 'null'],
    [{ $setIsSubset: [[1], [1, 2]] }, {}, 'true'],
    [
      {
        $setEquals: [
          [1, 2, 2],
          [2, 1],
        ],
      },
      {},
      'true',
    ],
    [{ $allElementsTrue: [[1, true]] }, {}, 'true'],
    [{ $anyElementTrue: [[0, null]] }, {}, 'false'],
  ]);
});

describe('objects', () => {
  cases([
    [{ $getField: 'a' }, { a: 1 }, '1'],
    [{ $getField: { field: { $literal: 'a.b' }, input: '$o' } }, { o: { 'a.b': 1 } }, '1'],
    [{ $getField: { field: 'x', input: '$o' } }, { o: {} }, 'missing'],
    [{ $getField: { field: 'x', input: '$o' } }, { o: [{ x: 1 }] }, 'missing'],
    [{ $getField: { field: 'x', input: null } }, {}, 'null'],
    [{ $getField: { field: 'x', input: '$o' } }, {}, 'missing'],
    [{ $setField: { field: 'a.b', input: '$$ROOT', value: 2 } }, { a: 1 }, '{a: 1, a.b: 2}'],
    [{ $setField: { field: { $literal: '$x' }, input: {}, value: 2 } }, {}, '{$x: 2}'],
    [{ $setField: { field: 'a', input: '$$ROOT', value: '$$REMOVE' } }, { a: 1 }, '{}'],
    [{ $setField: { field: 'a', input: null, value: 1 } }, {}, 'null'],
    [{ $unsetField: { field: 'a', input: '$$ROOT' } }, { a: 1, b: 2 }, '{b: 2}'],
    [{ $mergeObjects: ['$o', { b: 2 }, null] }, { o: { a: 1, b: 1 } }, '{a: 1, b: 2}'],
    [{ $mergeObjects: '$missing' }, {}, '{}'],
    [{ $objectToArray: '$o' }, { o: { a: 1, b: [2] } }, '[{k: "a", v: 1}, {k: "b", v: [2]}]'],
    [
      {
        $arrayToObject: [
          [
            ['a', 1],
            ['b', 2],
          ],
        ],
      },
      {},
      '{a: 1, b: 2}',
    ],
    [
      {
        $arrayToObject: [
          [
            { k: 'a', v: 1 },
            { v: 2, k: 'a' },
          ],
        ],
      },
      {},
      '{a: 2}',
    ],
    [{ $arrayToObject: '$missing' }, {}, 'null'],
    [{ $arrayToObject: { $literal: [] } }, {}, '{}'],
  ]);
});

describe('types and strings', () => {
  cases([
    [{ $type: '$a' }, {}, '"missing"'],
    [{ $type: '$a' }, { a: L(1) }, '"long"'],
    [{ $type: '$a' }, { a: dec('1') }, '"decimal"'],
    [{ $isNumber: '$a' }, { a: 1.5 }, 'true'],
    [{ $concat: ['a', '$b'] }, { b: 'c' }, '"ac"'],
    [{ $concat: ['a', '$b'] }, {}, 'null'],
    [{ $toString: 1.5 }, {}, '"1.5"'],
    [{ $toString: D(2) }, {}, '"2"'],
    [{ $toString: L(5) }, {}, '"5"'],
    [{ $toString: dec('1.50') }, {}, '"1.50"'],
    [{ $toString: true }, {}, '"true"'],
    [{ $toString: oid }, {}, `"${oid.toHexString()}"`],
    [{ $toString: new Date(0) }, {}, '"1970-01-01T00:00:00.000Z"'],
    [{ $toString: null }, {}, 'null'],
    [{ $toInt: '42' }, {}, '42'],
    [{ $toInt: 1.9 }, {}, '1'],
    [{ $toLong: dec('5.5') }, {}, '5L'],
    [{ $toDouble: '1e3' }, {}, '1000.0'],
    [{ $toDecimal: '1.50' }, {}, '1.50m'],
    [{ $toBool: 'false' }, {}, 'true'],
    [{ $toBool: 0 }, {}, 'false'],
    [{ $toDate: L(5) }, {}, 'date(5)'],
    [{ $toDate: '2020-01-01T00:00:00' }, {}, 'date(1577836800000)'],
    [{ $toDate: '2020-01-01' }, {}, 'date(1577836800000)'],
    [{ $toObjectId: oid.toHexString() }, {}, `oid(${oid.toHexString()})`],
    [{ $convert: { input: 'x', to: 'int', onError: 'bad' } }, {}, '"bad"'],
    [{ $convert: { input: '$a', to: 'int', onNull: 0 } }, {}, '0'],
    [{ $convert: { input: '7', to: 18 } }, {}, '7L'],
    [{ $split: ['a-b', '-'] }, {}, '["a", "b"]'],
    [{ $toLower: 'ÀB' }, {}, '"Àb"'],
    [{ $toUpper: null }, {}, '""'],
    [{ $strLenCP: '\u{1f600}' }, {}, '1'],
    [{ $strLenBytes: 'é' }, {}, '2'],
    [{ $strcasecmp: ['a', 'B'] }, {}, '-1'],
  ]);
});

describe('errors', () => {
  it.each<[unknown, number, string]>([
    [{ $foo: 1 }, 168, "Unrecognized expression '$foo'"],
    [{ $function: {} }, 238, "'$function' is not supported"],
    [{ $add: 1, $subtract: 2 }, 15983, 'exactly one field'],
    [{ a: 1, $add: 2 }, 16410, "may not start with '$'"],
    [{ 'a.b': 1 }, 16412, "may not contain '.'"],
    ['$', 16872, "'$' by itself is not a valid FieldPath"],
    ['$a..b', 15998, 'may not be empty'],
    ['$a.', 40353, "must not end with a '.'"],
    ['$a.$b', 16410, "may not start with '$'"],
    ['$$x', 17276, 'Use of undefined variable: x'],
    ['$$CLUSTER_TIME', 238, '$$CLUSTER_TIME'],
    [{ $eq: [1] }, 16020, 'Expression $eq takes exactly 2 arguments. 1 were passed in.'],
    [{ $slice: [1] }, 28667, 'at least 2 arguments'],
    [{ $cond: [1, 2] }, 16020, 'exactly 3 arguments'],
    [{ $cond: { if: 1, then: 2 } }, 17082, "Missing 'else' parameter to $cond"],
    [{ $cond: { if: 1, then: 2, else: 3, x: 4 } }, 17083, 'Unrecognized parameter to $cond: x'],
    [{ $ifNull: [1] }, 1257300, 'at least two arguments'],
    [{ $let: { vars: { A: 1 }, in: 1 } }, 16867, 'invalid character'],
    [{ $switch: { branches: [] } }, 40068, 'at least one branch'],
    [{ $switch: { branches: [{ case: false, then: 1 }] } }, 40066, 'could not find a matching branch'],
    [{ $map: { in: 1 } }, 16880, "Missing 'input'"],
    [{ $map: { input: 'x', in: 1 } }, 16883, 'must be an array not string'],
    [{ $filter: { input: 1, cond: 1 } }, 28651, 'must be an array not int'],
    [{ $reduce: { input: 1, initialValue: 1, in: 1 } }, 40080, 'found: int'],
    [{ $add: ['x'] }, 14, '$add only supports numeric or date types, not string'],
    [{ $add: [new Date(0), new Date(0)] }, 16612, 'only one date'],
    [{ $subtract: ['x', 1] }, 14, "can't $subtract int from string"],
    [{ $multiply: ['x'] }, 14, '$multiply only supports numeric types, not string'],
    [{ $divide: [1, 0] }, 2, "can't $divide by zero"],
    [{ $mod: [1, 0] }, 16610, "can't $mod by zero"],
    [{ $concat: [1] }, 16702, '$concat only supports strings, not int'],
    [{ $size: '$a' }, 17124, 'was of type: missing'],
    [{ $in: [1, '$a'] }, 40081, 'found: missing'],
    [{ $arrayElemAt: [1, 1] }, 28689, 'must be an array, but is int'],
    [{ $arrayElemAt: [[1], 'x'] }, 28690, 'must be a numeric value, but is string'],
    [{ $arrayElemAt: [[1], 1.5] }, 28691, 'representable as a 32-bit integer'],
    [{ $concatArrays: [1] }, 28664, '$concatArrays only supports arrays, not int'],
    [{ $slice: [[1], 1, 0] }, 28729, 'Third argument to $slice must be positive: 0'],
    [{ $slice: [1, 1] }, 28724, 'First argument to $slice'],
    [{ $range: [0, 1, 0] }, 34449, 'non-zero step'],
    [{ $range: ['x', 1] }, 34443, 'starting value'],
    [{ $range: [0, 2147483647] }, 146, 'too much memory'],
    [{ $indexOfArray: [1, 1] }, 40090, '$indexOfArray requires an array'],
    [{ $reverseArray: 1 }, 34435, '$reverseArray'],
    [{ $setUnion: [1] }, 17043, '$setUnion'],
    [{ $setDifference: [1, []] }, 17048, '$setDifference'],
    [{ $getField: { field: 1, input: {} } }, 3041704, 'evaluate to type String'],
    [{ $setField: { field: '$a', input: {}, value: 1 } }, 4161108, 'constant'],
    [{ $setField: { field: 'a', input: 1, value: 1 } }, 4161105, 'type Object'],
    [{ $mergeObjects: [1] }, 40400, '$mergeObjects requires object inputs'],
    [{ $objectToArray: 1 }, 40390, '$objectToArray requires a document input, found: int'],
    [{ $arrayToObject: 1 }, 40386, '$arrayToObject requires an array input, found: int'],
    [{ $arrayToObject: [[['a']]] }, 40397, 'size 2'],
    [{ $arrayToObject: [[[1, 2]]] }, 40395, 'type string'],
    [{ $arrayToObject: [[['a', 1], { k: 'a', v: 1 }]] }, 40396, 'consistent input format'],
    [{ $arrayToObject: [[{ k: 'a' }]] }, 40392, 'number of keys'],
    [{ $toInt: 'x' }, 241, "Failed to parse number 'x'"],
    [{ $toInt: L('99999999999') }, 241, 'overflow'],
    [{ $toString: {} }, 241, 'Unsupported conversion from object to string'],
  ])('%j', (expression, code, message) => {
    const error = failure(() => evaluate(expression));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });
});

describe('variables of the command', () => {
  it('are constants', () => {
    const expression = compileExpression(
      val(['$$x', '$$NOW']),
      new Map([
        ['x', val(5)],
        ['NOW', val(new Date(7))],
      ]),
    );
    expect(text(expression(doc({})))).toBe('[5, date(7)]');
  });
});
