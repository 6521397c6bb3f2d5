import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { doc, failure, L, text, val } from '../../support/engine.ts';

type Input = Record<string, unknown>;

const evaluate = (expression: unknown, document: Input = {}): string =>
  text(compileExpression(val(expression))(doc(document)));

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
    const variables = new Map([
      ['x', val(5)],
      ['NOW', val(new Date(7))],
    ]);
    const expression = compileExpression(val(['$$x', '$$NOW']), { variables });
    expect(text(expression(doc({})))).toBe('[5, date(7)]');
  });
});

describe('the time of the command', () => {
  const a = Array.from({ length: 500 }, (_, n) => ({ n: -n }));
  const over = (): void => {
    throw new Error('over');
  };
  it.each<unknown>([
    { $map: { input: '$a', in: 1 } },
    { $range: [0, 500] },
    { $concatArrays: ['$a', '$a'] },
    { $reverseArray: '$a' },
    { $slice: ['$a', 400] },
    { $setUnion: ['$a', '$a'] },
    { $setIntersection: ['$a', []] },
    { $setDifference: ['$a', '$a'] },
    { $setEquals: ['$a', '$a'] },
    { $setIsSubset: ['$a', '$a'] },
    { $in: [1, '$a'] },
    { $indexOfArray: ['$a', 1] },
    { $sortArray: { input: '$a', sortBy: 1 } },
    { $sortArray: { input: '$a', sortBy: { n: 1 } } },
    { $zip: { inputs: ['$a', '$a'] } },
    { $maxN: { n: 3, input: '$a' } },
    { $objectToArray: { $arrayToObject: { $map: { input: '$a', in: { k: { $toString: '$$this.n' }, v: 1 } } } } },
  ])('is looked at in %j', (expression) => {
    const run = compileExpression(val(expression), { check: over });
    expect(() => run(doc({ a }))).toThrow('over');
  });
});
