// Expressions, as every server answers them.
import { D, L } from '../../support/engine.ts';
import { expressions } from '../../support/expression-cases.ts';

expressions('expressions: arrays', [
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

expressions('expressions: sorting and zipping', [
  [{ $sortArray: { input: [3, 1, 2], sortBy: 1 } }, {}, '[1, 2, 3]'],
  [{ $sortArray: { input: [3, 'a', null, 1], sortBy: -1 } }, {}, '["a", 3, 1, null]'],
  [
    { $sortArray: { input: '$a', sortBy: { x: -1, y: 1 } } },
    { a: [{ x: 1 }, { x: 2, y: 2 }, { x: 2, y: 1 }] },
    '[{x: 2, y: 1}, {x: 2, y: 2}, {x: 1}]',
  ],
  [{ $sortArray: { input: '$a', sortBy: 1 } }, {}, 'null'],
  [{ $sortArray: { input: 'x', sortBy: 1 } }, {}, 2942504],
  [{ $sortArray: { input: [] } }, {}, 2942503],
  [{ $sortArray: 1 }, {}, 2942500],
  [
    {
      $zip: {
        inputs: [
          [1, 2],
          ['a', 'b', 'c'],
        ],
      },
    },
    {},
    '[[1, "a"], [2, "b"]]',
  ],
  [{ $zip: { inputs: [[1], ['a', 'b']], useLongestLength: true } }, {}, '[[1, "a"], [null, "b"]]'],
  [{ $zip: { inputs: [[1], ['a', 'b']], useLongestLength: true, defaults: [0, 'z'] } }, {}, '[[1, "a"], [0, "b"]]'],
  [{ $zip: { inputs: ['$a', [1]] } }, {}, 'null'],
  [{ $zip: { inputs: [] } }, {}, 34465],
  [{ $zip: { inputs: [[1]], defaults: [1] } }, {}, 34466],
  [{ $zip: { inputs: [[1]], defaults: [1, 2], useLongestLength: true } }, {}, 34467],
  [{ $zip: { inputs: [1] } }, {}, 34468],
  [{ $zip: { inputs: 1 } }, {}, 34461],
  [{ $zip: { inputs: [[]], x: 1 } }, {}, 34464],
  [{ $zip: 1 }, {}, 34460],
]);
