import * as bson from 'bson';
import { describe, expect, it } from 'vitest';
import { compileUpdate } from '../../../src/engine/update/compile.ts';
import { D, dec, doc, L, text } from '../../support/engine.ts';
import { apply, type Input, now, type Options } from '../../support/updates.ts';

describe('field operators', () => {
  it.each<[Input, Input, string]>([
    [{ $set: { a: 1 } }, {}, '{a: 1}'],
    [{ $set: { a: D(1) } }, { a: 1, b: 2 }, '{a: 1.0, b: 2}'],
    [{ $set: { 'a.b.c': 1 } }, {}, '{a: {b: {c: 1}}}'],
    [{ $set: { 'a.b': 1 } }, { a: { c: 2 } }, '{a: {c: 2, b: 1}}'],
    [{ $set: { 'a.1': 9 } }, { a: [1, 2] }, '{a: [1, 9]}'],
    [{ $set: { 'a.3': 9 } }, { a: [1] }, '{a: [1, null, null, 9]}'],
    [{ $set: { 'a.0.b': 9 } }, { a: [{ b: 1 }] }, '{a: [{b: 9}]}'],
    [{ $set: { 'a.01': 9 } }, { a: [1, 2] }, '{a: [1, 9]}'],
    [{ $set: { 'a.0': 9 } }, {}, '{a: {0: 9}}'],
    [{ $set: { 'a.0': 9 } }, { a: {} }, '{a: {0: 9}}'],
    [{ $set: { a: { $x: 1 } } }, {}, '{a: {$x: 1}}'],
    // MongoDB adds new fields by name, numeric ones by number.
    [{ $set: { b: 1, c: 2, a: 3 } }, { c: 0 }, '{c: 2, a: 3, b: 1}'],
    [{ $set: { 'm.10': 1, 'm.9': 2, 'm.x': 3 } }, {}, '{m: {9: 2, 10: 1, x: 3}}'],
    [{ $set: { b: 1 }, $inc: { a: 2 } }, {}, '{a: 2, b: 1}'],
    [{ $set: {} }, { a: 1 }, '{a: 1}'],
    [{ $unset: { a: '', 'b.c': 1, x: 1 } }, { a: 1, b: { c: 1, d: 2 } }, '{b: {d: 2}}'],
    [{ $unset: { 'a.1': '' } }, { a: [1, 2, 3] }, '{a: [1, null, 3]}'],
    [{ $unset: { 'a.5': '' } }, { a: [1] }, '{a: [1]}'],
    [{ $unset: { 'a.b.c': '', 'x.y': '' } }, { a: { b: 5 } }, '{a: {b: 5}}'],
    [{ $unset: { 'a.b': '' } }, { a: [{ b: 1 }] }, '{a: [{b: 1}]}'],
    [{ $inc: { a: 2 } }, { a: 1 }, '{a: 3}'],
    [{ $inc: { a: 2 } }, {}, '{a: 2}'],
    [{ $inc: { a: D(2) } }, { a: 1 }, '{a: 3.0}'],
    [{ $inc: { a: L(2) } }, { a: 1 }, '{a: 3L}'],
    [{ $inc: { a: 1 } }, { a: 2147483647 }, '{a: 2147483648L}'],
    [{ $inc: { a: 1 } }, { a: dec('0.10') }, '{a: 1.10m}'],
    [{ $mul: { a: 3 } }, { a: 2 }, '{a: 6}'],
    [{ $mul: { a: L(3) } }, {}, '{a: 0L}'],
    [{ $mul: { a: 1.5 } }, {}, '{a: 0.0}'],
    [{ $mul: { a: 65536 } }, { a: 65536 }, '{a: 4294967296L}'],
    [{ $min: { a: 1, b: 5, c: 7 } }, { a: 2, b: 3 }, '{a: 1, b: 3, c: 7}'],
    [{ $max: { a: D(1), b: 'x' } }, { a: 1, b: 3 }, '{a: 1, b: "x"}'],
    [{ $min: { a: null } }, { a: 1 }, '{a: null}'],
    [{ $currentDate: { a: true, b: { $type: 'date' } } }, {}, '{a: date(1700000000123), b: date(1700000000123)}'],
    [{ $setOnInsert: { a: 1, 'b.c': 1 } }, { b: 5 }, '{b: 5}'],
    [{ $rename: { a: 'b' } }, { a: 1, c: 2 }, '{c: 2, b: 1}'],
    [{ $rename: { a: 'b' } }, { a: 1, b: 2 }, '{b: 1}'],
    [{ $rename: { 'a.x': 'b.y' } }, { a: { x: 1 } }, '{a: {}, b: {y: 1}}'],
    [{ $rename: { x: 'b' } }, { b: 2 }, '{b: 2}'],
    [{ $rename: { x: 'b.c' } }, { b: 2 }, '{b: 2}'],
    [{ $rename: { 'a.5': 'b' } }, { a: [1] }, '{a: [1]}'],
    [{ $bit: { a: { and: 12 } } }, { a: 10 }, '{a: 8}'],
    [{ $bit: { a: { or: L(5) } } }, { a: 10 }, '{a: 15L}'],
    [{ $bit: { a: { xor: 5, or: 8 } } }, {}, '{a: 13}'],
    [{ $set: { _id: 1, a: 1 } }, { _id: 1 }, '{_id: 1, a: 1}'],
    [{ $set: { '_id.x': 1, a: 1 } }, { _id: { x: 1 } }, '{_id: {x: 1}, a: 1}'],
    [{ $set: { 'a.$id': 5 } }, { a: { $ref: 'c', $id: 1 } }, '{a: {$ref: "c", $id: 5}}'],
  ])('%j of %j', (update, document, expected) => {
    expect(text(apply(update, document))).toBe(expected);
  });

  it('give $currentDate timestamps of the second', () => {
    const timestamp = apply({ $currentDate: { a: { $type: 'timestamp' } } }, {}).get('a');
    expect(timestamp).toEqual(new bson.Timestamp({ t: 1_700_000_000, i: 1 }));
  });

  it('take hostile names', () => {
    const update = new Map([
      [
        '$set',
        new Map([
          ['__proto__', 1],
          ['a.constructor', 2],
        ]),
      ],
    ]);
    const compiled = compileUpdate(doc(update), { now });
    expect(text(compiled.apply(doc({})))).toBe('{__proto__: 1, a: {constructor: 2}}');
  });
});

describe('array operators', () => {
  it.each<[Input, Input, string]>([
    [{ $push: { a: 1 } }, {}, '{a: [1]}'],
    [{ $push: { a: [2] } }, { a: [1] }, '{a: [1, [2]]}'],
    [{ $push: { a: { b: 1 } } }, { a: [] }, '{a: [{b: 1}]}'],
    [{ $push: { a: { $each: [2, 3] } } }, { a: [1] }, '{a: [1, 2, 3]}'],
    [{ $push: { a: { $each: [] } } }, {}, '{a: []}'],
    [{ $push: { a: { $each: [8, 9], $position: 1 } } }, { a: [1, 2] }, '{a: [1, 8, 9, 2]}'],
    [{ $push: { a: { $each: [9], $position: -1 } } }, { a: [1, 2] }, '{a: [1, 9, 2]}'],
    [{ $push: { a: { $each: [9], $position: -9 } } }, { a: [1, 2] }, '{a: [9, 1, 2]}'],
    [{ $push: { a: { $each: [9], $position: 7 } } }, { a: [1] }, '{a: [1, 9]}'],
    [{ $push: { a: { $each: [3], $slice: 2 } } }, { a: [1, 2] }, '{a: [1, 2]}'],
    [{ $push: { a: { $each: [3], $slice: -2 } } }, { a: [1, 2] }, '{a: [2, 3]}'],
    [{ $push: { a: { $each: [3], $slice: 0 } } }, { a: [1, 2] }, '{a: []}'],
    [{ $push: { a: { $slice: -2, $sort: -1, $each: [5] } } }, { a: [9, 1] }, '{a: [5, 1]}'],
    [{ $push: { a: { $each: [{ b: 1 }], $sort: { b: 1 } } } }, { a: [{ b: 2 }, 'x'] }, '{a: ["x", {b: 1}, {b: 2}]}'],
    [{ $push: { 'a.0': 1 } }, { a: [[0]] }, '{a: [[0, 1]]}'],
    [{ $addToSet: { a: 1 } }, { a: [D(1)] }, '{a: [1.0]}'],
    [{ $addToSet: { a: { b: 1, c: 2 } } }, { a: [{ c: 2, b: 1 }] }, '{a: [{c: 2, b: 1}, {b: 1, c: 2}]}'],
    [{ $addToSet: { a: { $each: [1, 2, 2] } } }, {}, '{a: [1, 2]}'],
    [{ $addToSet: { a: { $each: [1, 2] } } }, { a: [2, 2] }, '{a: [2, 2, 1]}'],
    [{ $addToSet: { a: [1] } }, { a: [1] }, '{a: [1, [1]]}'],
    [{ $pull: { a: 1 } }, { a: [1, 2, D(1)] }, '{a: [2]}'],
    [{ $pull: { a: { $gte: 2 } } }, { a: [1, 2, 3, 'x'] }, '{a: [1, "x"]}'],
    [{ $pull: { a: { b: 1 } } }, { a: [{ b: 1, c: 2 }, { b: 2 }, 1] }, '{a: [{b: 2}, 1]}'],
    [{ $pull: { a: { b: { $in: [1, 2] } } } }, { a: [{ b: 1 }, { b: 3 }] }, '{a: [{b: 3}]}'],
    [{ $pull: { a: { $or: [{ b: 1 }, { b: 2 }] } } }, { a: [{ b: 1 }, { b: 3 }] }, '{a: [{b: 3}]}'],
    [{ $pull: { a: [1] } }, { a: [1, [1], [1, 2]] }, '{a: [1, [1, 2]]}'],
    [{ $pull: { a: /^x/ } }, { a: ['xa', 'b'] }, '{a: ["b"]}'],
    [{ $pull: { a: {} } }, { a: [{ b: 1 }, 1] }, '{a: [1]}'],
    [{ $pull: { a: null } }, { a: [null, 1] }, '{a: [1]}'],
    [{ $pull: { a: 1, 'x.y': 2 } }, {}, '{}'],
    [{ $pull: { 'a.b': 1 } }, { a: 5 }, '{a: 5}'],
    [{ $pullAll: { a: [1, 3] } }, { a: [1, 2, 3, D(3)] }, '{a: [2]}'],
    [{ $pop: { a: 1 } }, { a: [1, 2] }, '{a: [1]}'],
    [{ $pop: { a: -1 } }, { a: [1, 2] }, '{a: [2]}'],
    [{ $pop: { a: 1, b: 1 } }, { a: [] }, '{a: []}'],
  ])('%j of %j', (update, document, expected) => {
    expect(text(apply(update, document))).toBe(expected);
  });
});

describe('positional operators', () => {
  it.each<[Input, Input, Options, string]>([
    [{ $set: { 'a.$': 9 } }, { a: [1, 2] }, { filter: { a: 2 } }, '{a: [1, 9]}'],
    [{ $set: { 'a.$.b': 9 } }, { a: [{ b: 1 }, { b: 2 }] }, { filter: { 'a.b': 2 } }, '{a: [{b: 1}, {b: 9}]}'],
    [{ $inc: { 'a.$': 1 } }, { a: [1, 2] }, { filter: { a: { $elemMatch: { $gt: 1 } } } }, '{a: [1, 3]}'],
    [{ $unset: { 'a.$': '' } }, { a: [1, 2] }, { filter: { a: 1 } }, '{a: [null, 2]}'],
    [
      { $set: { 'a.$.b': 1, 'a.1.c': 2 } },
      { a: [{}, {}] },
      { filter: { a: { $elemMatch: {} } } },
      '{a: [{b: 1}, {c: 2}]}',
    ],
    [{ $inc: { 'a.$[]': 1 } }, { a: [1, 2] }, {}, '{a: [2, 3]}'],
    [{ $set: { 'a.$[].b.$[]': 0 } }, { a: [{ b: [1] }, { b: [] }] }, {}, '{a: [{b: [0]}, {b: []}]}'],
    [{ $set: { 'a.$[e]': 0 } }, { a: [1, 5, 9] }, { arrayFilters: [{ e: { $gt: 2 } }] }, '{a: [1, 0, 0]}'],
    [
      { $set: { 'a.$[e].q': 5 } },
      { a: [{ s: 'x' }, { s: 'y', q: 1 }] },
      { arrayFilters: [{ 'e.s': 'y' }] },
      '{a: [{s: "x"}, {s: "y", q: 5}]}',
    ],
    [{ $unset: { 'a.$[e].q': 1 } }, { a: [{ s: 1, q: 1 }] }, { arrayFilters: [{ 'e.s': L(1) }] }, '{a: [{s: 1}]}'],
    [
      { $push: { 'a.$[e].q': { $each: [2] } } },
      { a: [{ s: 1, q: [1] }, { s: 2 }] },
      { arrayFilters: [{ 'e.s': 1 }] },
      '{a: [{s: 1, q: [1, 2]}, {s: 2}]}',
    ],
    [
      { $set: { 'a.$[e].x': 1, 'a.$[f].y': 2 } },
      { a: [{ s: 1 }, { s: 2 }] },
      { arrayFilters: [{ 'e.s': 1 }, { 'f.s': { $gte: 1 } }] },
      '{a: [{s: 1, x: 1, y: 2}, {s: 2, y: 2}]}',
    ],
    [
      { $set: { 'a.$[e].b.$[f]': 0 } },
      { a: [{ b: [1, 2] }, 5] },
      { arrayFilters: [{ 'e.b': { $exists: true } }, { $or: [{ f: 2 }, { f: 3 }] }] },
      '{a: [{b: [1, 0]}, 5]}',
    ],
    [{ $set: { 'a.$[e]': 1 } }, { a: [] }, { arrayFilters: [{ e: 1 }] }, '{a: []}'],
  ])('%j of %j with %j', (update, document, options, expected) => {
    expect(text(apply(update, document, options))).toBe(expected);
  });
});

describe('replacements', () => {
  it.each<[Input, Input, string]>([
    [{ a: 1 }, { _id: 7, b: 2 }, '{_id: 7, a: 1}'],
    [{ a: 1, _id: D(7) }, { _id: 7 }, '{a: 1, _id: 7.0}'],
    [{}, { _id: 7, b: 2 }, '{_id: 7}'],
    [{ 'a.b': 1 }, { _id: 7 }, '{_id: 7, a.b: 1}'],
  ])('%j of %j', (update, document, expected) => {
    expect(text(apply(update, document))).toBe(expected);
  });
});

describe('pipelines', () => {
  it.each<[Input[], Input, string]>([
    [[{ $set: { a: 1, b: '$c' } }], { _id: 1, c: 5 }, '{_id: 1, c: 5, a: 1, b: 5}'],
    // An object merges into the stored one, a literal one replaces it.
    [[{ $set: { a: { b: 1 } } }], { a: { c: 2 } }, '{a: {c: 2, b: 1}}'],
    [[{ $set: { a: { $literal: { b: 1 } } } }], { a: { c: 2 } }, '{a: {b: 1}}'],
    // A path through an array applies to every element, and scalars make way.
    [[{ $set: { 'a.b': 1 } }], { a: [{ c: 2 }, 5, [{ d: 1 }]] }, '{a: [{c: 2, b: 1}, {b: 1}, [{d: 1, b: 1}]]}'],
    [[{ $set: { 'a.b': 1 } }], { a: 5 }, '{a: {b: 1}}'],
    [[{ $set: { 'a.0': 1 } }], { a: [7] }, '{a: [{0: 1}]}'],
    [[{ $set: { a: {}, b: { c: {} } } }], { a: { x: 1 } }, '{a: {}, b: {c: {}}}'],
    [[{ $set: {} }], { a: 1 }, '{a: 1}'],
    [[{ $addFields: { a: '$$REMOVE', b: '$missing' } }], { a: 1, b: 2, c: 3 }, '{c: 3}'],
    [[{ $unset: ['a', 'b.c'] }], { a: 1, b: [{ c: 1, d: 2 }] }, '{b: [{d: 2}]}'],
    [[{ $unset: 'a' }], { a: 1 }, '{}'],
    [[{ $project: { a: 1 } }], { _id: 1, a: 2, b: 3 }, '{_id: 1, a: 2}'],
    [[{ $replaceWith: { x: '$a' } }], { _id: 1, a: 2 }, '{_id: 1, x: 2}'],
    [
      [{ $replaceRoot: { newRoot: { $mergeObjects: ['$$ROOT', { $literal: { 'a.b': 1 } }] } } }],
      { _id: 1 },
      '{_id: 1, a.b: 1}',
    ],
    [[{ $set: { a: 1 } }, { $set: { b: '$a' } }], {}, '{a: 1, b: 1}'],
    [[{ $set: { t: '$$NOW' } }], {}, '{t: date(1700000000123)}'],
    [[], { a: 1 }, '{a: 1}'],
  ])('%j of %j', (update, document, expected) => {
    expect(text(apply(update, document))).toBe(expected);
  });
});
