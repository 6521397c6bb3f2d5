import { Double } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { shapeGuard } from '../../src/update/shape-guards.ts';
import { treeOf } from '../support/laws-trees.ts';

const guard = (before: object, after: object) => shapeGuard(treeOf(before, after));
const isObject = (value: unknown) => ({ $eq: [{ $type: { $ifNull: [value, null] } }, 'object'] });
const isNoArray = { $not: { $type: 'array' } };

describe('shapeGuard', () => {
  it('asks for nothing where the operators mean the same to any stored shape, or are refused', () => {
    expect(
      guard({ a: 1, o: { p: { q: 1 } }, tags: [], b: 1 }, { a: 2, o: { p: { q: 2 } }, tags: ['x'] }),
    ).toBeUndefined();
    expect(guard({ 17: 1 }, { 17: 2 })).toBeUndefined();
  });

  it('asks that the parent of a number-like key is no array', () => {
    expect(guard({ scores: { 17: 1 } }, { scores: { 17: 2 } })).toEqual({ scores: isNoArray });
    const nested = guard({ o: { 1: { 2: { a: [] } } } }, { o: { 1: { 2: { a: [1] } } } });
    expect(nested).toEqual({ o: isNoArray, 'o.1': isNoArray });
    expect(guard({ o: { 1: 1 } }, { o: {} })).toEqual({ o: isNoArray });
  });

  it('asks nothing of objects without edited elements beside those that have some', () => {
    const before = { o: { list: [1, 2], p: { q: 1 } } };
    const both = guard(before, { o: { list: [1, 3], p: { q: 2 } } });
    expect(both).toEqual(guard(before, { o: { list: [1, 3], p: { q: 1 } } }));
  });

  it('asks that an edited element is as it was', () => {
    const unchanged = (i: number, value: unknown) => ({ $eq: [{ $arrayElemAt: ['$l', i] }, { $literal: value }] });
    expect(guard({ l: [new Double(1), { q: 1 }, 0] }, { l: [2, { q: 2 }, 0] })).toEqual({
      $expr: { $cond: [{ $isArray: ['$l'] }, { $and: [unchanged(0, new Double(1)), unchanged(1, { q: 1 })] }, false] },
    });
  });

  it('asks for the objects above an array, under any key that can be said', () => {
    const map = { $getField: { field: { $literal: '7' }, input: '$o' } };
    const list = { $getField: { field: { $literal: 'l' }, input: map } };
    const unchanged = { $eq: [{ $arrayElemAt: [list, 0] }, { $literal: 1 }] };
    const inList = { $cond: [{ $isArray: [list] }, unchanged, false] };
    const inMap = { $cond: [isObject(map), inList, false] };
    expect(guard({ o: { 7: { l: [1, 0], a: 1 } } }, { o: { 7: { l: [2, 0], a: 2 } } })).toEqual({
      o: isNoArray,
      $expr: { $cond: [isObject('$o'), inMap, false] },
    });
  });

  it('asks that no element has the identity of a new one', () => {
    const before = { o: { items: [{ sku: 'a' }] }, rows: [{ _id: 1 }] };
    const added = [{ sku: 'b' }, { sku: new Double(2) }];
    const after = { o: { items: [...before.o.items, ...added] }, rows: [{ _id: 1 }, { _id: 2 }] };
    expect(guard(before, after)).toEqual({ 'o.items.sku': { $nin: ['b', new Double(2)] }, 'rows._id': { $nin: [2] } });
    expect(guard({ rows: [{ _id: 1 }, { _id: 2 }] }, { rows: [{ _id: 1, q: 1 }, { _id: 2 }] })).toBeUndefined();
    expect(guard({ rows: [{ _id: 1 }] }, { rows: [] })).toBeUndefined();
  });

  it('asks for nothing below an element', () => {
    const before = { l: [{ 1: [1, 0] }, 0] };
    const unchanged = { $eq: [{ $arrayElemAt: ['$l', 0] }, { $literal: before.l[0] }] };
    expect(guard(before, { l: [{ 1: [2, 0] }, 0] })).toEqual({
      $expr: { $cond: [{ $isArray: ['$l'] }, unchanged, false] },
    });
  });

  it('asks for every array that has an edited element', () => {
    const first = (path: string) => ({
      $cond: [{ $isArray: [path] }, { $eq: [{ $arrayElemAt: [path, 0] }, { $literal: 1 }] }, false],
    });
    expect(guard({ l: [1, 0], m: [1, 0] }, { l: [2, 0], m: [2, 0] })).toEqual({
      $expr: { $and: [first('$l'), first('$m')] },
    });
  });
});
