// Expressions, as every server answers them.
import { D, L } from '../../support/engine.ts';
import { expressions } from '../../support/expression-cases.ts';

expressions('expressions: paths and literals', [
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

expressions('expressions: comparison, boolean and control', [
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

expressions('expressions: objects', [
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
