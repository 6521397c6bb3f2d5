// Stages that need one collection, as every server answers them.
import { D, dec, L } from '../../support/engine.ts';
import { pipelines } from '../../support/expression-cases.ts';

const people = [
  { _id: 1, n: 'a', age: 3, tags: ['x', 'y'], at: { city: 'Rome', zip: 1 } },
  { _id: 2, n: 'b', age: 1, tags: [], at: { city: 'Oslo' } },
  { _id: 3, n: 'a', age: L(2), tags: ['x'] },
  { _id: 4, n: 'c', tags: null, at: [{ city: 'Bern' }, 5, { city: 'Kyiv', zip: 2 }] },
];

pipelines('stages: selecting', people, [
  [
    [{ $match: { age: { $gt: 1 } } }, { $project: { age: 1 } }],
    ['{_id: 1, age: 3}', '{_id: 3, age: 2L}'],
  ],
  [[{ $match: { $expr: { $eq: ['$n', 'b'] } } }, { $project: { n: 1 } }], ['{_id: 2, n: "b"}']],
  [[{ $skip: 1 }, { $match: { n: 'a' } }, { $project: { n: 1 } }], ['{_id: 3, n: "a"}']],
  [[{ $match: { n: 'a' } }, { $match: { age: 3 } }, { $project: { n: 1 } }], ['{_id: 1, n: "a"}']],
  [
    [{ $sort: { n: 1, age: -1 } }, { $project: { _id: 1 } }],
    ['{_id: 1}', '{_id: 3}', '{_id: 2}', '{_id: 4}'],
  ],
  [
    [{ $sort: { age: 1 } }, { $project: { _id: 1 } }],
    ['{_id: 4}', '{_id: 2}', '{_id: 3}', '{_id: 1}'],
  ],
  [
    [{ $sort: { 'at.city': -1 } }, { $project: { _id: 1 } }],
    ['{_id: 1}', '{_id: 2}', '{_id: 4}', '{_id: 3}'],
  ],
  [
    [{ $sort: { _id: -1 } }, { $skip: 1 }, { $limit: 2 }, { $project: { _id: 1 } }],
    ['{_id: 3}', '{_id: 2}'],
  ],
  [[{ $skip: L(3) }, { $project: { _id: 1 } }], ['{_id: 4}']],
  [[{ $limit: D(1) }, { $project: { _id: 1 } }], ['{_id: 1}']],
  [[{ $skip: 9 }], []],
  [
    [{ $sample: { size: 10 } }, { $sort: { _id: 1 } }, { $project: { _id: 1 } }],
    ['{_id: 1}', '{_id: 2}', '{_id: 3}', '{_id: 4}'],
  ],
  [[{ $sample: { size: 2 } }, { $count: 'n' }], ['{n: 2}']],
  [[{ $match: 1 }], 15959],
  [[{ $match: { $foo: 1 } }], 2],
  [[{ $sort: {} }], 15976],
  [[{ $sort: 1 }], 15973],
  [[{ $sort: { a: 2 } }], 15975],
  [[{ $sort: { a: 'x' } }], 15974],
  [[{ $skip: -1 }], 5107200],
  [[{ $skip: 'x' }], 5107200],
  [[{ $limit: 0 }], 15958],
  [[{ $limit: -1 }], 5107201],
  [[{ $limit: 'x' }], 5107201],
  [[{ $sample: 1 }], 28745],
  [[{ $sample: {} }], 28749],
  [[{ $sample: { size: 'x' } }], 28746],
  [[{ $sample: { size: -1 } }], 28747],
  [[{ $sample: { size: 1, x: 1 } }], 28748],
  [[{ $foo: 1 }], 40324],
  [[{}], 40323],
  [[{ $match: {}, $skip: 1 }], 40323],
]);

pipelines('stages: reshaping', people.slice(0, 1), [
  [[{ $project: { n: 1 } }], ['{_id: 1, n: "a"}']],
  [[{ $project: { _id: 0, n: 1 } }], ['{n: "a"}']],
  [[{ $project: { tags: 0, at: 0 } }], ['{_id: 1, n: "a", age: 3}']],
  [[{ $project: { 'at.city': 1 } }], ['{_id: 1, at: {city: "Rome"}}']],
  [[{ $project: { at: { zip: 1 } } }], ['{_id: 1, at: {zip: 1}}']],
  [[{ $project: { 'at.city': 0, tags: 0 } }], ['{_id: 1, n: "a", age: 3, at: {zip: 1}}']],
  [[{ $project: { b: '$n', n: 1 } }], ['{_id: 1, n: "a", b: "a"}']],
  [[{ $project: { _id: '$n', x: { $add: ['$age', 1] } } }], ['{_id: "a", x: 4}']],
  [[{ $project: { _id: 0, x: '$nothing' } }], ['{}']],
  [[{ $project: { _id: 0, x: ['$n', '$nothing'] } }], ['{x: ["a", null]}']],
  [[{ $project: { _id: 0, x: { y: '$n', z: { $literal: 1 } } } }], ['{x: {y: "a", z: 1}}']],
  [[{ $project: { _id: 0, n: { $cond: [{ $eq: ['$n', 'a'] }, '$$REMOVE', '$n'] }, age: 1 } }], ['{age: 3}']],
  [[{ $project: { n: 1, age: 0 } }], 31254],
  [[{ $project: { n: 0, age: 1 } }], 31253],
  [[{ $project: { n: 0, x: '$n' } }], 31310],
  [[{ $project: {} }], 51272],
  [[{ $project: 1 }], 15969],
  [[{ $project: { at: 1, 'at.city': 1 } }], 31249],
  [[{ $project: { at: {} } }], 51270],
  [[{ $project: { n: { $foo: 1 } } }], 31325],
  [[{ $set: { x: { $size: '$tags' } } }, { $unset: ['tags', 'n', 'at'] }], ['{_id: 1, age: 3, x: 2}']],
  [
    [{ $addFields: { 'at.city': 'Pisa', n: '$$REMOVE' } }, { $project: { n: 1, at: 1 } }],
    ['{_id: 1, at: {city: "Pisa", zip: 1}}'],
  ],
  [
    [{ $set: { at: { street: 'Corso' } } }, { $project: { at: 1 } }],
    ['{_id: 1, at: {city: "Rome", zip: 1, street: "Corso"}}'],
  ],
  [[{ $set: { at: { $literal: { x: 1 } } } }, { $project: { at: 1 } }], ['{_id: 1, at: {x: 1}}']],
  [[{ $set: { 'tags.x': 1 } }, { $project: { tags: 1 } }], ['{_id: 1, tags: [{x: 1}, {x: 1}]}']],
  [[{ $set: 1 }], 40272],
  [[{ $set: { $a: 1 } }], 16410],
  [[{ $set: { 'a.': 1 } }], 40353],
  [[{ $set: { a: 1, 'a.b': 1 } }], 40176],
  [[{ $unset: 'at.zip' }, { $project: { at: 1 } }], ['{_id: 1, at: {city: "Rome"}}']],
  [[{ $unset: 1 }], 31002],
  [[{ $unset: [] }], 31119],
  [[{ $replaceRoot: { newRoot: '$at' } }], ['{city: "Rome", zip: 1}']],
  [[{ $replaceWith: { v: '$n', w: { $mergeObjects: ['$at', { zip: 9 }] } } }], ['{v: "a", w: {city: "Rome", zip: 9}}']],
  [[{ $replaceWith: '$n' }], 40228],
  [[{ $replaceRoot: {} }], 40414],
  [[{ $replaceRoot: 1 }], 40229],
]);

pipelines('stages: arrays of documents', people.slice(3), [
  [[{ $project: { 'at.city': 1 } }], ['{_id: 4, at: [{city: "Bern"}, {city: "Kyiv"}]}']],
  [[{ $project: { at: { city: 0 }, tags: 0 } }], ['{_id: 4, n: "c", at: [{}, 5, {zip: 2}]}']],
  [[{ $project: { c: '$at.city' } }], ['{_id: 4, c: ["Bern", "Kyiv"]}']],
  [
    [{ $set: { 'at.zip': 7 } }, { $project: { at: 1 } }],
    ['{_id: 4, at: [{city: "Bern", zip: 7}, {zip: 7}, {city: "Kyiv", zip: 7}]}'],
  ],
]);

pipelines('stages: unwinding', people, [
  [
    [{ $unwind: '$tags' }, { $project: { tags: 1 } }],
    ['{_id: 1, tags: "x"}', '{_id: 1, tags: "y"}', '{_id: 3, tags: "x"}'],
  ],
  [
    [{ $unwind: { path: '$tags', preserveNullAndEmptyArrays: true } }, { $project: { tags: 1 } }],
    ['{_id: 1, tags: "x"}', '{_id: 1, tags: "y"}', '{_id: 2}', '{_id: 3, tags: "x"}', '{_id: 4, tags: null}'],
  ],
  [
    [{ $unwind: { path: '$tags', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } }, { $project: { i: 1 } }],
    ['{_id: 1, i: 0L}', '{_id: 1, i: 1L}', '{_id: 2, i: null}', '{_id: 3, i: 0L}', '{_id: 4, i: null}'],
  ],
  [
    [{ $unwind: { path: '$n', includeArrayIndex: 'x.i' } }, { $limit: 1 }, { $project: { n: 1, x: 1 } }],
    ['{_id: 1, n: "a", x: {i: null}}'],
  ],
  [
    [{ $match: { _id: 4 } }, { $unwind: '$at' }, { $project: { at: 1 } }],
    ['{_id: 4, at: {city: "Bern"}}', '{_id: 4, at: 5}', '{_id: 4, at: {city: "Kyiv", zip: 2}}'],
  ],
  [[{ $unwind: '$nothing' }], []],
  [[{ $unwind: { path: '$nothing', preserveNullAndEmptyArrays: true } }, { $count: 'n' }], ['{n: 4}']],
  [[{ $unwind: 'tags' }], 28818],
  [[{ $unwind: {} }], 28812],
  [[{ $unwind: 1 }], 15981],
  [[{ $unwind: { path: 1 } }], 28808],
  [[{ $unwind: { path: '$a', x: 1 } }], 28811],
  [[{ $unwind: { path: '$a', includeArrayIndex: '' } }], 28810],
  [[{ $unwind: { path: '$a', includeArrayIndex: '$i' } }], 28822],
  [[{ $unwind: { path: '$a', preserveNullAndEmptyArrays: 1 } }], 28809],
]);

const sales = [
  { _id: 1, item: 'a', price: 10, q: 2, day: 1 },
  { _id: 2, item: 'b', price: 20.5, q: 1, day: 1 },
  { _id: 3, item: 'a', price: 5, q: 10, day: 2 },
  { _id: 4, item: 'c', price: dec('2.50'), day: 2 },
  { _id: 5, item: 'b', price: L(7), q: null, day: 3 },
];
const total = (accumulator: object): Record<string, unknown>[] => [
  { $group: { _id: null, v: accumulator } },
  { $project: { _id: 0 } },
];

pipelines('stages: grouping', sales, [
  [
    [{ $group: { _id: '$item', n: { $sum: 1 }, sum: { $sum: '$price' } } }, { $sort: { _id: 1 } }],
    ['{_id: "a", n: 2, sum: 15}', '{_id: "b", n: 2, sum: 27.5}', '{_id: "c", n: 1, sum: 2.50m}'],
  ],
  [[{ $group: { _id: { i: '$item', d: '$day' } } }, { $count: 'n' }], ['{n: 5}']],
  [
    [{ $group: { _id: '$q' } }, { $sort: { _id: 1 } }],
    ['{_id: null}', '{_id: 1}', '{_id: 2}', '{_id: 10}'],
  ],
  [[{ $match: { _id: { $lte: 3 } } }, ...total({ $sum: { $multiply: ['$price', '$q'] } })], ['{v: 90.5}']],
  [total({ $sum: '$q' }), ['{v: 13}']],
  [total({ $sum: 'x' }), ['{v: 0}']],
  [total({ $sum: '$price' }), ['{v: 45.00m}']],
  [total({ $avg: '$q' }), ['{v: 4.333333333333333}']],
  [total({ $avg: '$nothing' }), ['{v: null}']],
  [total({ $min: '$q' }), ['{v: 1}']],
  [total({ $max: '$price' }), ['{v: 20.5}']],
  [total({ $min: '$nothing' }), ['{v: null}']],
  [total({ $max: '$item' }), ['{v: "c"}']],
  [total({ $count: {} }), ['{v: 5}']],
  [total({ $mergeObjects: { k: '$day', last: '$item' } }), ['{v: {k: 3, last: "b"}}']],
  [[{ $sort: { price: 1 } }, ...total({ $first: '$item' })], ['{v: "c"}']],
  [[{ $sort: { price: 1 } }, ...total({ $last: '$_id' })], ['{v: 2}']],
  [[{ $sort: { _id: 1 } }, ...total({ $push: '$q' })], ['{v: [2, 1, 10, null]}']],
  [[{ $sort: { _id: 1 } }, ...total({ $last: '$nothing' })], ['{v: null}']],
  [
    [{ $sort: { _id: 1 } }, ...total({ $push: { i: '$item', q: '$q' } }), { $project: { v: { $slice: ['$v', 2] } } }],
    ['{v: [{i: "a", q: 2}, {i: "b", q: 1}]}'],
  ],
  [
    [...total({ $addToSet: '$day' }), { $project: { v: { $sortArray: { input: '$v', sortBy: 1 } } } }],
    ['{v: [1, 2, 3]}'],
  ],
  [total({ $stdDevPop: '$_id' }), ['{v: 1.4142135623730951}']],
  [total({ $stdDevSamp: '$nothing' }), ['{v: null}']],
  [[{ $sort: { _id: 1 } }, ...total({ $firstN: { n: 2, input: '$item' } })], ['{v: ["a", "b"]}']],
  [[{ $sort: { _id: 1 } }, ...total({ $lastN: { n: 2, input: '$item' } })], ['{v: ["c", "b"]}']],
  [total({ $minN: { n: 2, input: '$q' } }), ['{v: [1, 2]}']],
  [total({ $maxN: { n: 9, input: '$q' } }), ['{v: [10, 2, 1]}']],
  [total({ $top: { sortBy: { price: -1 }, output: ['$_id', '$item'] } }), ['{v: [2, "b"]}']],
  [total({ $bottom: { sortBy: { price: -1 }, output: '$_id' } }), ['{v: 4}']],
  [total({ $topN: { n: 2, sortBy: { day: 1, _id: -1 }, output: '$_id' } }), ['{v: [2, 1]}']],
  [total({ $bottomN: { n: 2, sortBy: { _id: 1 }, output: '$nothing' } }), ['{v: [null, null]}']],
  [
    [
      { $sort: { _id: 1 } },
      {
        $group: {
          _id: { d: '$day' },
          v: { $firstN: { n: { $cond: [{ $eq: ['$d', 1] }, 1, 2] }, input: '$item' } },
        },
      },
      { $sort: { _id: 1 } },
    ],
    ['{_id: {d: 1}, v: ["a"]}', '{_id: {d: 2}, v: ["a", "c"]}', '{_id: {d: 3}, v: ["b"]}'],
  ],
  [[{ $group: { _id: '$day', v: { $firstN: { n: '$_id', input: '$item' } } } }, { $sort: { _id: 1 } }], 5787902],
  [[{ $group: {} }], 15955],
  [[{ $group: 1 }], 15947],
  [[{ $group: { _id: 1, a: { $foo: 1 } } }], 15952],
  [[{ $group: { _id: 1, a: 1 } }], 40234],
  [[{ $group: { _id: 1, a: { $sum: 1, $avg: 1 } } }], 40238],
  [[{ $group: { _id: 1, 'a.b': { $sum: 1 } } }], 40235],
  [[{ $group: { _id: 1, $a: { $sum: 1 } } }], 40236],
  [[{ $group: { _id: 1, a: { $mergeObjects: '$item' } } }], 40400],
  [[{ $group: { _id: 1, a: { $firstN: { input: '$a' } } } }], 5787906],
  [[{ $group: { _id: 1, a: { $firstN: { n: 0, input: '$a' } } } }], 5787908],
  [[{ $group: { _id: 1, a: { $top: { output: 1 } } } }], 5788005],
  [[{ $group: { _id: 1, a: { $topN: { sortBy: { a: 1 }, output: 1 } } } }], 5788003],
]);

pipelines('stages: counting', sales, [
  [[{ $count: 'n' }], ['{n: 5}']],
  [[{ $match: { _id: 0 } }, { $count: 'n' }], []],
  [[{ $count: '' }], 40157],
  [[{ $count: 1 }], 40156],
  [[{ $count: '$n' }], 40158],
  [[{ $count: 'a.b' }], 40160],
  [[{ $match: { day: { $lt: 3 } } }, { $sortByCount: '$item' }, { $limit: 1 }], ['{_id: "a", count: 2}']],
  [[{ $sortByCount: { $gt: ['$day', 1] } }], ['{_id: true, count: 3}', '{_id: false, count: 2}']],
  [[{ $sortByCount: 'item' }], 40148],
  [[{ $sortByCount: 1 }], 40149],
  [[{ $sortByCount: { a: 1 } }], 40147],
  [
    [{ $bucket: { groupBy: '$price', boundaries: [0, 5, 10, 100] } }],
    ['{_id: 0, count: 1}', '{_id: 5, count: 2}', '{_id: 10, count: 2}'],
  ],
  [
    [{ $bucket: { groupBy: '$price', boundaries: [0, 6], default: 'more', output: { ids: { $push: '$_id' } } } }],
    ['{_id: 0, ids: [3, 4]}', '{_id: "more", ids: [1, 2, 5]}'],
  ],
  [[{ $bucket: { groupBy: '$price', boundaries: [0, 6] } }], 40066],
  [[{ $bucket: { groupBy: '$price', boundaries: [0] } }], 40192],
  [[{ $bucket: { groupBy: '$price', boundaries: [0, 'x'] } }], 40193],
  [[{ $bucket: { groupBy: '$price', boundaries: [1, 0] } }], 40194],
  [[{ $bucket: { groupBy: '$price', boundaries: [0, 9], default: 5 } }], 40199],
  [[{ $bucket: { groupBy: '$price', boundaries: 1 } }], 40200],
  [[{ $bucket: { groupBy: '$price' } }], 40198],
  [[{ $bucket: { groupBy: 'price', boundaries: [0, 1] } }], 40202],
  [[{ $bucket: { groupBy: '$price', boundaries: [0, 1], x: 1 } }], 40197],
  [[{ $bucket: 1 }], 40201],
]);

pipelines('stages: several pipelines', sales, [
  [
    [
      { $sort: { _id: 1 } },
      {
        $facet: {
          n: [{ $count: 'n' }],
          first: [{ $limit: 1 }, { $project: { item: 1 } }],
          none: [{ $match: { _id: 0 } }],
        },
      },
    ],
    ['{n: [{n: 5}], first: [{_id: 1, item: "a"}], none: []}'],
  ],
  [[{ $match: { _id: 0 } }, { $facet: { n: [{ $count: 'n' }] } }], ['{n: []}']],
  [[{ $facet: {} }], 40169],
  [[{ $facet: 1 }], 40169],
  [[{ $facet: { a: 1 } }], 40170],
  [[{ $facet: { a: [1] } }], 40171],
  [[{ $facet: { a: [{ $facet: { b: [] } }] } }], 40600],
  [[{ $facet: { a: [{ $out: 'x' }] } }], 40600],
  [[{ $out: 'x' }, { $match: {} }], 40601],
  [[{ $merge: 'x' }, { $match: {} }], 40601],
  [[{ $documents: [{ a: 1 }] }], 73],
]);

const levels = [
  { _id: 1, level: 1, a: { level: 5, v: 1 }, b: [{ level: 1, w: 1 }, { level: 5 }, 3] },
  { _id: 2, level: 5 },
];

pipelines('stages: redacting', levels, [
  [
    [{ $redact: { $cond: [{ $gt: ['$level', 3] }, '$$PRUNE', '$$DESCEND'] } }],
    ['{_id: 1, level: 1, b: [{level: 1, w: 1}, 3]}'],
  ],
  [
    [{ $redact: { $cond: [{ $eq: ['$level', 1] }, '$$KEEP', '$$PRUNE'] } }],
    ['{_id: 1, level: 1, a: {level: 5, v: 1}, b: [{level: 1, w: 1}, {level: 5}, 3]}'],
  ],
  [
    [{ $redact: { $cond: [{ $eq: ['$$ROOT.level', 1] }, '$$DESCEND', '$$PRUNE'] } }, { $project: { a: 1 } }],
    ['{_id: 1, a: {level: 5, v: 1}}'],
  ],
  [[{ $redact: 'x' }], 17053],
]);
