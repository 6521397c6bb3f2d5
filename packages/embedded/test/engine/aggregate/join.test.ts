// Stages that read other collections, as every server answers them.
import { expect } from 'vitest';
import { decode } from '../../../src/values/bson.ts';
import { text } from '../../support/engine.ts';
import { type Case, conformanceOfEngine, errorOf } from '../../support/conformance.ts';

type Stage = Record<string, unknown>;

const orders = [
  { _id: 1, sku: 'a', n: 2, parts: ['x', 'y'] },
  { _id: 2, sku: 'b', n: 1, parts: [] },
  { _id: 3, n: 5 },
  { _id: 4, sku: ['a', 'c'], n: 9, by: { _id: 7 } },
];
const items = [
  { _id: 10, sku: 'a', stock: 5, tags: ['x'] },
  { _id: 11, sku: 'b', stock: 1, tags: ['x', 'y'] },
  { _id: 12, sku: null, stock: 0 },
  { _id: 13, stock: 9, tags: [] },
  { _id: 14, sku: ['a'], stock: 7 },
];

/** A pipeline over the orders, and what comes of it; `from` is the collection of the items. */
type JoinCase = readonly [title: string, stages: (from: string) => Stage[], expected: readonly string[] | number];

/** Registers the cases twice: without indexes on the items, and with some. */
function joins(area: string, cases: readonly JoinCase[]): void {
  joinsOver(area, cases, []);
  joinsOver(`${area} with indexes`, cases, ['sku', 'tags', 'stock']);
}

function joinsOver(area: string, cases: readonly JoinCase[], indexes: readonly string[]): void {
  const named = cases.map(([title, stages, expected]): [string, Case] => [
    title,
    async ({ db, collection }) => {
      const other = db.collection(`${collection.collectionName}_items`);
      await collection.insertMany(orders.map((order) => ({ ...order })));
      await other.insertMany(items.map((item) => ({ ...item })) as never);
      for (const field of indexes) await other.createIndex({ [field]: 1 });
      const answer = collection.aggregate(stages(other.collectionName), { raw: true }).toArray();
      if (typeof expected === 'number') expect((await errorOf(answer)).code).toBe(expected);
      else expect((await answer).map((bytes) => text(decode(bytes as unknown as Uint8Array)))).toEqual(expected);
    },
  ]);
  conformanceOfEngine(area, Object.fromEntries(named));
}

const found = { $map: { input: '$f', in: '$$this._id' } };
const idsInOrder = { $project: { f: found } };
/** Where no order was asked for, servers choose. */
const ids = { $project: { f: { $sortArray: { input: found, sortBy: 1 } } } };
const equal = (from: string, localField: string, foreignField: string): Stage => ({
  $lookup: { from, localField, foreignField, as: 'f' },
});

joins('stages: lookup', [
  [
    'by a field',
    (from) => [equal(from, 'sku', 'sku'), ids],
    ['{_id: 1, f: [10, 14]}', '{_id: 2, f: [11]}', '{_id: 3, f: [12, 13]}', '{_id: 4, f: [10, 14]}'],
  ],
  [
    'whole documents',
    (from) => [{ $match: { _id: 2 } }, equal(from, 'sku', 'sku')],
    ['{_id: 2, sku: "b", n: 1, parts: [], f: [{_id: 11, sku: "b", stock: 1, tags: ["x", "y"]}]}'],
  ],
  [
    'by an array on either side',
    (from) => [equal(from, 'parts', 'tags'), ids],
    ['{_id: 1, f: [10, 11]}', '{_id: 2, f: []}', '{_id: 3, f: [12, 14]}', '{_id: 4, f: [12, 14]}'],
  ],
  ['by a path', (from) => [{ $match: { _id: 4 } }, equal(from, 'by._id', 'stock'), ids], ['{_id: 4, f: [14]}']],
  [
    'by _id',
    (from) => [{ $set: { k: { $add: ['$_id', 9] } } }, equal(from, 'k', '_id'), ids, { $limit: 1 }],
    ['{_id: 1, f: [10]}'],
  ],
  [
    'by arrays inside arrays',
    (from) => [
      { $match: { _id: 1 } },
      { $set: { p: [{ q: [9, 1] }, { q: 7 }, { r: 1 }, 5] } },
      equal(from, 'p.q', 'stock'),
      ids,
    ],
    ['{_id: 1, f: [11, 13, 14]}'],
  ],
  [
    'as a path',
    (from) => [
      { $match: { _id: 2 } },
      { $lookup: { from, localField: 'sku', foreignField: 'sku', as: 'x.y' } },
      { $project: { x: { y: { stock: 1 } } } },
    ],
    ['{_id: 2, x: {y: [{stock: 1}]}}'],
  ],
  [
    'in a collection that is not there',
    (from) => [equal(`${from}_none`, 'sku', 'sku'), { $limit: 1 }, ids],
    ['{_id: 1, f: []}'],
  ],
  [
    'a pipeline with variables',
    (from) => [
      {
        $lookup: {
          from,
          let: { wanted: '$n', s: '$sku' },
          pipeline: [
            { $match: { $expr: { $and: [{ $eq: ['$sku', '$$s'] }, { $gte: ['$stock', '$$wanted'] }] } } },
            { $project: { _id: 0, left: { $subtract: ['$stock', '$$wanted'] } } },
          ],
          as: 'f',
        },
      },
      { $project: { f: 1 } },
    ],
    // The third order has no sku, and neither has one of the items.
    ['{_id: 1, f: [{left: 3}]}', '{_id: 2, f: [{left: 0}]}', '{_id: 3, f: [{left: 4}]}', '{_id: 4, f: []}'],
  ],
  [
    'a pipeline without variables',
    (from) => [
      { $limit: 1 },
      {
        $lookup: {
          from,
          pipeline: [{ $match: { stock: { $gt: 5 } } }, { $sort: { _id: 1 } }, { $project: { stock: 1 } }],
          as: 'f',
        },
      },
      { $project: { f: 1 } },
    ],
    ['{_id: 1, f: [{_id: 13, stock: 9}, {_id: 14, stock: 7}]}'],
  ],
  [
    'fields and a pipeline',
    (from) => [
      {
        $lookup: {
          from,
          localField: 'sku',
          foreignField: 'sku',
          let: { n: '$n' },
          pipeline: [{ $match: { $expr: { $gt: ['$stock', '$$n'] } } }, { $sort: { stock: -1 } }],
          as: 'f',
        },
      },
      idsInOrder,
    ],
    ['{_id: 1, f: [14, 10]}', '{_id: 2, f: []}', '{_id: 3, f: [13]}', '{_id: 4, f: []}'],
  ],
  [
    'one in another, with the variables of both',
    (from) => [
      { $match: { _id: 1 } },
      {
        $lookup: {
          from,
          let: { n: '$n' },
          pipeline: [
            { $match: { sku: 'b' } },
            {
              $lookup: {
                from,
                let: { s: '$stock' },
                pipeline: [
                  { $match: { $expr: { $eq: ['$stock', { $add: ['$$n', '$$s', 2] }] } } },
                  { $project: { stock: 1 } },
                ],
                as: 'g',
              },
            },
            { $project: { g: 1 } },
          ],
          as: 'f',
        },
      },
      { $project: { f: 1 } },
    ],
    ['{_id: 1, f: [{_id: 11, g: [{_id: 10, stock: 5}]}]}'],
  ],
  [
    'unwound',
    (from) => [
      equal(from, 'sku', 'sku'),
      { $unwind: '$f' },
      { $group: { _id: '$_id', s: { $sum: '$f.stock' } } },
      { $sort: { _id: 1 } },
    ],
    ['{_id: 1, s: 12}', '{_id: 2, s: 1}', '{_id: 3, s: 9}', '{_id: 4, s: 12}'],
  ],
  ['an unknown argument', (from) => [{ $lookup: { from, localField: 'a', foreignField: 'b', as: 'f', x: 1 } }], 9],
  ['no as', (from) => [{ $lookup: { from, localField: 'a', foreignField: 'b' } }], 9],
  ['no from', () => [{ $lookup: { localField: 'a', foreignField: 'b', as: 'f' } }], 9],
  ['half of the fields', (from) => [{ $lookup: { from, localField: 'a', as: 'f' } }], 9],
  ['neither fields nor a pipeline', (from) => [{ $lookup: { from, as: 'f' } }], 9],
  ['a wrong stage inside', (from) => [{ $lookup: { from, pipeline: [{ $foo: 1 }], as: 'f' } }], 40324],
  ['a wrong filter inside', (from) => [{ $lookup: { from, pipeline: [{ $match: { a: { $foo: 1 } } }], as: 'f' } }], 2],
  [
    'an unknown variable inside',
    (from) => [{ $lookup: { from, pipeline: [{ $set: { a: '$$nothing' } }], as: 'f' } }],
    17276,
  ],
  ['a variable with a wrong name', (from) => [{ $lookup: { from, let: { A: 1 }, pipeline: [], as: 'f' } }], 16867],
  ['an output inside', (from) => [{ $lookup: { from, pipeline: [{ $out: 'x' }], as: 'f' } }], 51047],
]);

joins('stages: unionWith', [
  ['a collection', (from) => [{ $project: { _id: 1 } }, { $unionWith: from }, { $count: 'n' }], ['{n: 9}']],
  [
    'a pipeline',
    (from) => [
      { $match: { _id: 1 } },
      { $project: { _id: 1 } },
      { $unionWith: { coll: from, pipeline: [{ $match: { sku: 'b' } }, { $project: { stock: 1 } }] } },
    ],
    ['{_id: 1}', '{_id: 11, stock: 1}'],
  ],
  ['itself', () => [{ $match: { _id: { $gt: 9 } } }, { $unionWith: 'nothing_there' }], []],
  [
    'then sorted',
    (from) => [{ $unionWith: from }, { $sort: { _id: -1 } }, { $limit: 2 }, { $project: { _id: 1 } }],
    ['{_id: 14}', '{_id: 13}'],
  ],
  ['an unknown option', (from) => [{ $unionWith: { coll: from, x: 1 } }], 40415],
  ['no collection', () => [{ $unionWith: {} }], 9],
  ['a number', () => [{ $unionWith: 1 }], 9],
]);

const documents: Record<string, Case> = {
  'of the pipeline itself': async ({ db }) => {
    const stages = [{ $documents: [{ a: 1 }, { a: { $add: [1, 1] } }] }, { $match: { a: 2 } }];
    expect(await db.aggregate(stages).toArray()).toEqual([{ a: 2 }]);
  },
  'must be documents': async ({ db }) => {
    expect((await errorOf(db.aggregate([{ $documents: [1] }]).toArray())).code).toBe(5858203);
  },
  'come first': async ({ db }) => {
    expect((await errorOf(db.aggregate([{ $match: {} }]).toArray())).code).toBe(73);
    expect((await errorOf(db.aggregate([]).toArray())).code).toBe(73);
  },
};

conformanceOfEngine('stages: documents', documents);
