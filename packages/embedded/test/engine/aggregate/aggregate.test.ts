import { describe, expect, it } from 'vitest';
import { pipeline } from '../../../src/engine/aggregate/compile.ts';
import { dec, doc, failure, L, text } from '../../support/engine.ts';

type Input = Record<string, unknown>;

const run = (stages: Input[], documents: Input[]): string[] =>
  Array.from(pipeline(stages.map(doc))(documents.map(doc)), text);

const people = [
  { _id: 1, n: 'a', age: 3, tags: ['x', 'y'] },
  { _id: 2, n: 'b', age: 1, tags: [] },
  { _id: 3, n: 'a', age: L(2), tags: ['x'] },
];

describe('stages', () => {
  it.each<[Input[], Input[], string[]]>([
    [[{ $match: { age: { $gt: 1 } } }, { $project: { age: 1 } }], people, ['{_id: 1, age: 3}', '{_id: 3, age: 2L}']],
    [[{ $sort: { n: 1, age: 1 } }, { $project: { _id: 1 } }], people, ['{_id: 3}', '{_id: 1}', '{_id: 2}']],
    [[{ $skip: 1 }, { $limit: 1 }, { $project: { _id: 1 } }], people, ['{_id: 2}']],
    [[{ $set: { x: { $size: '$tags' } } }, { $unset: ['tags', 'n'] }], people.slice(0, 1), ['{_id: 1, age: 3, x: 2}']],
    [[{ $replaceWith: { v: '$n' } }], people.slice(0, 1), ['{v: "a"}']],
    [[{ $replaceRoot: { newRoot: { v: '$n' } } }], people.slice(0, 1), ['{v: "a"}']],
    [[{ $count: 'n' }], people, ['{n: 3}']],
    [[{ $count: 'n' }], [], []],
    // As the driver sends countDocuments.
    [[{ $match: {} }, { $skip: 1 }, { $group: { _id: 1, n: { $sum: 1 } } }], people, ['{_id: 1, n: 2}']],
    [
      [{ $group: { _id: '$n', s: { $sum: '$age' }, m: { $avg: '$age' }, c: { $count: {} } } }],
      people,
      ['{_id: "a", s: 5L, m: 2.5, c: 2}', '{_id: "b", s: 1, m: 1.0, c: 1}'],
    ],
    [
      [{ $group: { _id: null, min: { $min: '$age' }, max: { $max: '$n' }, f: { $first: '$n' }, l: { $last: '$x' } } }],
      people,
      ['{_id: null, min: 1, max: "b", f: "a", l: null}'],
    ],
    [
      [{ $group: { _id: null, p: { $push: '$x' }, s: { $addToSet: '$n' }, o: { $mergeObjects: { k: '$n' } } } }],
      people,
      ['{_id: null, p: [], s: ["a", "b"], o: {k: "a"}}'],
    ],
    [[{ $group: { _id: { n: '$n', x: '$x' } } }], people, ['{_id: {n: "a"}}', '{_id: {n: "b"}}']],
    [
      [{ $group: { _id: '$v', n: { $sum: 1 } } }],
      [{ v: 1 }, { v: L(1) }, { v: dec('1.0') }, {}, { v: null }],
      ['{_id: 1, n: 3}', '{_id: null, n: 2}'],
    ],
    [
      [{ $unwind: '$tags' }, { $project: { tags: 1 } }],
      people,
      ['{_id: 1, tags: "x"}', '{_id: 1, tags: "y"}', '{_id: 3, tags: "x"}'],
    ],
    [
      [
        { $unwind: { path: '$tags', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } },
        { $project: { tags: 1, i: 1 } },
      ],
      people,
      ['{_id: 1, tags: "x", i: 0L}', '{_id: 1, tags: "y", i: 1L}', '{_id: 2, i: null}', '{_id: 3, tags: "x", i: 0L}'],
    ],
    [
      [{ $unwind: '$a.b' }],
      [{ a: { b: [1, 2], c: 3 } }, { a: { b: 5 } }, { a: 1 }],
      ['{a: {b: 1, c: 3}}', '{a: {b: 2, c: 3}}', '{a: {b: 5}}'],
    ],
    [[{ $documents: [{ a: 1 }, { a: { $add: [1, 1] } }] }], [], ['{a: 1}', '{a: 2}']],
    [[], people.slice(1, 2), ['{_id: 2, n: "b", age: 1, tags: []}']],
  ])('%j', (stages, documents, expected) => {
    expect(run(stages, documents)).toEqual(expected);
  });

  it('read no more than they need', () => {
    let seen = 0;
    const endless = function* (): Generator<ReturnType<typeof doc>> {
      for (;;) yield doc({ n: seen++ });
    };
    expect(Array.from(pipeline([doc({ $limit: 2 })])(endless()), text)).toEqual(['{n: 0}', '{n: 1}']);
    expect(seen).toBe(2);
  });

  it.each<[Input, number, string]>([
    [{ $foo: 1 }, 40324, "Unrecognized pipeline stage name: '$foo'"],
    [{ $lookup: {} }, 9, "must specify 'as' field for a $lookup"],
    [{ $out: 'x' }, 40601, '$out can only be the final stage'],
    [{ $graphLookup: {} }, 115, 'does not support the stage $graphLookup'],
    [{ $match: {}, $skip: 1 }, 40323, 'exactly one field'],
    [{}, 40323, 'exactly one field'],
    [{ $match: 1 }, 15959, 'the match filter must be an expression in an object'],
    [{ $project: {} }, 51272, 'must have at least one field'],
    [{ $project: 1 }, 15969, 'must be an object'],
    [{ $set: 1 }, 40272, '$set specification stage must be an object, got int'],
    [{ $set: { $a: 1 } }, 16410, "Invalid $set :: caused by :: FieldPath field names may not start with '$'"],
    [{ $unset: 1 }, 31002, 'only string values'],
    [{ $sort: {} }, 15976, 'at least one sort key'],
    [{ $skip: -1 }, 5107200, 'non-negative'],
    [{ $skip: 'x' }, 5107200, 'Expected a number'],
    [{ $limit: 0 }, 15958, 'the limit must be positive'],
    [{ $count: '' }, 40157, 'non-empty string'],
    [{ $group: {} }, 15955, 'must include an _id'],
    [{ $group: { _id: 1, a: { $foo: 1 } } }, 15952, "unknown group operator '$foo'"],
    [{ $group: { _id: 1, a: { $median: 1 } } }, 238, '$median is not supported'],
    [{ $group: { _id: 1, a: 1 } }, 40234, 'must be an accumulator object'],
    [{ $group: { _id: 1, a: { $sum: 1, $avg: 1 } } }, 40238, 'must specify one accumulator'],
    [{ $group: { _id: 1, 'a.b': { $sum: 1 } } }, 40235, "cannot contain '.'"],
    [{ $unwind: 'a' }, 28818, "should be prefixed with a '$'"],
    [{ $unwind: {} }, 28812, 'no path specified'],
    [{ $replaceRoot: {} }, 40414, 'is missing but a required field'],
  ])('%j is refused', (stage, code, message) => {
    const error = failure(() => pipeline([doc(stage)]));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });
});
