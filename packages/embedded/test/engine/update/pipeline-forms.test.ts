// The forms of update that the mapper sends when a stored shape may have changed: pipelines of expressions over literals.
// Each must give the value in memory where the shape no longer fits, and keep what others wrote where it does.
import { describe, expect, it } from 'vitest';
import { compileUpdate } from '../../../src/engine/update/compile.ts';
import { DateTime } from '../../../src/values/value.ts';
import { D, dec, doc, L, text } from '../../support/engine.ts';

type Input = Record<string, unknown>;

const lit = (value: unknown): Input => ({ $literal: value });
const applied = (stages: Input[], document: Input): string =>
  text(compileUpdate(stages.map(doc), { now: new DateTime(0n) }).apply(doc(document)));

const isObject = (x: unknown, then: unknown, memory: unknown): Input => ({
  $cond: [{ $eq: [{ $type: { $ifNull: [x, null] } }, 'object'] }, then, lit(memory)],
});

const without = (x: unknown, deleted: string[]): Input => ({
  $arrayToObject: {
    $filter: { input: { $objectToArray: x }, as: 'm', cond: { $not: [{ $in: ['$$m.k', lit(deleted)] }] } },
  },
});

describe('pipeline forms', () => {
  it('set and unset by names', () => {
    const stages = [{ $set: { a: lit({ $x: '$b', 'c.d': 1 }), b: lit('$a') } }, { $unset: ['z'] }];
    expect(applied(stages, { _id: 1, a: { q: 1 }, z: 2 })).toBe('{_id: 1, a: {$x: "$b", c.d: 1}, b: "$a"}');
  });

  it('set names that no path can say', () => {
    const stages = [{ $replaceWith: { $mergeObjects: ['$$ROOT', lit({ 'a.b': 1, $c: 2, '': 3 })] } }];
    expect(applied(stages, { _id: 1, a: { b: 0 } })).toBe('{_id: 1, a: {b: 0}, a.b: 1, $c: 2, : 3}');
  });

  it.each<[Input, string]>([
    [{ a: [1] }, '{a: [1, "$x", [2]]}'],
    [{ a: null }, '{a: [9]}'],
    [{ a: 'x' }, '{a: [9]}'],
    [{}, '{a: [9]}'],
  ])('push to %j', (document, expected) => {
    const added = { $concatArrays: ['$a', lit(['$x', [2]])] };
    expect(applied([{ $set: { a: { $cond: [{ $isArray: ['$a'] }, added, lit([9])] } } }], document)).toBe(expected);
  });

  it.each<[Input, string]>([
    [{ a: 1 }, '{a: 3}'],
    [{ a: L(1) }, '{a: 3L}'],
    [{ a: dec('0.5') }, '{a: 2.5m}'],
    [{}, '{a: 2}'],
    [{ a: 'x' }, '{a: 7}'],
    [{ a: null }, '{a: 7}'],
  ])('increment %j', (document, expected) => {
    const numeric = { $in: [{ $type: '$a' }, ['int', 'long', 'double', 'decimal', 'missing']] };
    const sum = { $add: [{ $ifNull: ['$a', 0] }, lit(2)] };
    expect(applied([{ $set: { a: { $cond: [numeric, sum, lit(7)] } } }], document)).toBe(expected);
  });

  it.each<[Input, string]>([
    [{ o: { x: 1, y: 2, z: 3 } }, '{o: {y: 2, z: 3, w: "$q", v: {n: 1}}}'],
    [{ o: { v: { m: 0 }, x: 1 } }, '{o: {v: {m: 0, n: 1}, w: "$q"}}'],
    [{ o: [{ x: 1 }] }, '{o: {mem: 1}}'],
    [{ o: null }, '{o: {mem: 1}}'],
    [{ o: 5 }, '{o: {mem: 1}}'],
    [{}, '{o: {mem: 1}}'],
  ])('members of an object: %j', (document, expected) => {
    const inner = { $getField: { field: lit('v'), input: '$o' } };
    const members = [
      { k: lit('w'), v: lit('$q') },
      { k: lit('v'), v: isObject(inner, { $mergeObjects: [inner, lit({ n: 1 })] }, { n: 1 }) },
    ];
    const merged = { $mergeObjects: [without('$o', ['x']), { $arrayToObject: [members] }] };
    expect(applied([{ $set: { o: isObject('$o', merged, { mem: 1 }) } }], document)).toBe(expected);
  });

  it.each<[Input, string]>([
    [{ l: [0, D(5), 'z'] }, '{l: [0, "new", "z"]}'],
    [{ l: [0, 6, 'z'] }, '{l: ["mem"]}'],
    [{ l: [0] }, '{l: ["mem"]}'],
    [{ l: { 1: 5 } }, '{l: ["mem"]}'],
    [{}, '{l: ["mem"]}'],
  ])('an element by its index: %j', (document, expected) => {
    const edited = {
      $map: {
        input: { $range: [0, { $size: '$l' }] },
        as: 'i0',
        in: {
          $switch: {
            branches: [{ case: { $eq: ['$$i0', 1] }, then: lit('new') }],
            default: { $arrayElemAt: ['$l', '$$i0'] },
          },
        },
      },
    };
    const unchanged = { $and: [{ $eq: [{ $arrayElemAt: ['$l', 1] }, lit(5)] }] };
    const form = { $cond: [{ $isArray: ['$l'] }, { $cond: [unchanged, edited, lit(['mem'])] }, lit(['mem'])] };
    expect(applied([{ $set: { l: form } }], document)).toBe(expected);
  });

  it.each<[Input, string]>([
    // b edited, c removed, e added; another writer's d stays, and so does what it wrote into b.
    [
      { l: [{ k: 'a' }, { k: 'b', other: 1 }, { k: 'c' }, { k: 'd' }] },
      '{l: [{k: "a"}, {k: "b", other: 1, q: 2}, {k: "d"}, {k: "e"}]}',
    ],
    [{ l: [{ k: 'e', old: 1 }, 5] }, '{l: [5, {k: "e"}]}'],
    [{ l: 'x' }, '{l: []}'],
  ])('elements by their identity: %j', (document, expected) => {
    const kept = { $filter: { input: '$l', as: 'a0', cond: { $not: [{ $in: ['$$a0.k', lit(['c', 'e'])] }] } } };
    const edited = {
      $map: {
        input: kept,
        as: 'a0',
        in: {
          $switch: {
            branches: [{ case: { $eq: ['$$a0.k', lit('b')] }, then: { $mergeObjects: ['$$a0', lit({ q: 2 })] } }],
            default: '$$a0',
          },
        },
      },
    };
    const form = { $cond: [{ $isArray: ['$l'] }, { $concatArrays: [edited, lit([{ k: 'e' }])] }, lit([])] };
    expect(applied([{ $set: { l: form } }], document)).toBe(expected);
  });

  it('moves elements by their identity, strangers last', () => {
    const bySelf = { $filter: { input: '$$l', as: 'a0', cond: { $eq: ['$$a0.k', '$$this'] } } };
    const order = ['c', 'a'];
    const form = {
      $let: {
        vars: { l: '$l' },
        in: {
          $concatArrays: [
            { $reduce: { input: lit(order), initialValue: [], in: { $concatArrays: ['$$value', bySelf] } } },
            { $filter: { input: '$$l', as: 'a0', cond: { $not: [{ $in: ['$$a0.k', lit(order)] }] } } },
          ],
        },
      },
    };
    const document = { l: [{ k: 'a' }, { k: 'x' }, { k: 'c', v: 1 }] };
    expect(applied([{ $set: { l: form } }], document)).toBe('{l: [{k: "c", v: 1}, {k: "a"}, {k: "x"}]}');
  });
});
