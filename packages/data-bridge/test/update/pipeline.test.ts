import { describe, expect, it } from 'vitest';
import { ABSENT } from '../../src/bson/encode.ts';
import { diff, type EditTree, MAX_LEVELS } from '../../src/edits/edits.ts';
import { pipeline } from '../../src/update/pipeline.ts';
import { treeOf } from '../support/laws-trees.ts';

const said = (before: object, after: object) => pipeline(treeOf(before, after));
const isObjectO = { $eq: [{ $type: { $ifNull: ['$o', null] } }, 'object'] };
const lit = (value: unknown) => ({ $literal: value });

describe('pipeline', () => {
  it('sets and removes fields, every value literally', () => {
    expect(said({ a: 1, b: 1 }, { a: '$b' })).toEqual([{ $set: { a: lit('$b') } }, { $unset: ['b'] }]);
  });

  it('pushes to what is an array', () => {
    const grown = { $concatArrays: ['$tags', lit(['b'])] };
    expect(said({ tags: ['a'] }, { tags: ['a', 'b'] })).toEqual([
      { $set: { tags: { $cond: [{ $isArray: ['$tags'] }, grown, lit(['a', 'b'])] } } },
    ]);
  });

  it('sets members of what is an object', () => {
    expect(said({ o: { a: 1 } }, { o: { a: 2, 'b.c': 3 } })).toEqual([
      {
        $set: {
          o: { $cond: [isObjectO, { $mergeObjects: ['$o', lit({ a: 2, 'b.c': 3 })] }, lit({ a: 2, 'b.c': 3 })] },
        },
      },
    ]);
  });

  it('removes members and computes others', () => {
    const list = { $getField: { field: lit('list'), input: '$o' } };
    const rest = {
      $arrayToObject: {
        $filter: { input: { $objectToArray: '$o' }, as: 'm', cond: { $not: [{ $in: ['$$m.k', lit(['a'])] }] } },
      },
    };
    const grown = { $cond: [{ $isArray: [list] }, { $concatArrays: [list, lit([2])] }, lit([1, 2])] };
    expect(said({ o: { a: 1, list: [1] } }, { o: { list: [1, 2] } })).toEqual([
      {
        $set: {
          o: {
            $cond: [
              isObjectO,
              { $mergeObjects: [rest, { $arrayToObject: [[{ k: lit('list'), v: grown }]] }] },
              lit({ list: [1, 2] }),
            ],
          },
        },
      },
    ]);
  });

  it('replaces the elements that are as they were', () => {
    const at = (index: unknown) => ({ $arrayElemAt: ['$l', index] });
    const replaced = {
      $map: {
        input: { $range: [0, { $size: '$l' }] },
        as: 'i',
        in: { $switch: { branches: [{ case: { $eq: ['$$i', 1] }, ['then']: lit('x') }], default: at('$$i') } },
      },
    };
    const whole = lit([1, 'x']);
    expect(said({ l: [1, 2] }, { l: [1, 'x'] })).toEqual([
      {
        $set: {
          l: {
            $cond: [{ $isArray: ['$l'] }, { $cond: [{ $and: [{ $eq: [at(1), lit(2)] }] }, replaced, whole] }, whole],
          },
        },
      },
    ]);
  });

  it('sets fields that no stage can name by replacing the document', () => {
    const root = '$$ROOT';
    expect(said({ 'a.b': 1, c: 1 }, { 'a.b': 2, c: 2, '': 3 })).toEqual([
      { $set: { c: lit(2) } },
      { $replaceWith: { $mergeObjects: [root, lit({ 'a.b': 2, '': 3 })] } },
    ]);
  });

  it('keeps a field named __proto__', () => {
    const children = new Map([['__proto__', diff(ABSENT, 1, []) as never]]);
    const [stage] = pipeline({ kind: 'object', children } satisfies EditTree);
    expect(Object.entries((stage as { $set: object }).$set)).toEqual([['__proto__', lit(1)]]);
  });

  it('sets elements that lie as deep as edits go', () => {
    const deep = (n: number) => {
      const list: unknown = [{ _id: 1, n }, { _id: 2, n: 0 }, ...(n > 1 ? [{ _id: 3 }] : [])];
      return { f: Array.from({ length: MAX_LEVELS - 1 }).reduce((inner) => ({ a: inner }), list) };
    };
    const then = { case: { $eq: ['$$a._id', lit(1)] }, then: lit({ _id: 1, n: 2 }) };
    expect(JSON.stringify(said(deep(1), deep(2)))).toContain(JSON.stringify(then));
  });
});
