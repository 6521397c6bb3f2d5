import { describe, expect, it } from 'vitest';
import { isNameable, operators } from '../../src/update/operators.ts';
import { treeOf } from '../support/laws-trees.ts';

const said = (before: object, after: object) => operators(treeOf(before, after))?.update ?? null;

describe('operators', () => {
  it.each([
    ['a field was set', { a: 1 }, { a: 2 }, { $set: { a: 2 } }],
    ['a field was removed', { a: 1 }, {}, { $unset: { a: '' } }],
    ['a field was set to undefined', { a: 1 }, { a: undefined }, { $unset: { a: '' } }],
    ['a member was set', { o: { a: 1, b: 1 } }, { o: { a: 2, b: 1 } }, { $set: { 'o.a': 2 } }],
    ['a member was removed', { o: { a: 1, b: 1 } }, { o: { b: 1 } }, { $unset: { 'o.a': '' } }],
    [
      'deep members',
      { o: { p: { a: 1, b: 1 } } },
      { o: { p: { a: 2, c: 3 } } },
      { $set: { 'o.p.a': 2, 'o.p.c': 3 }, $unset: { 'o.p.b': '' } },
    ],
    ['a number-like member', { scores: { 17: 1, 18: 1 } }, { scores: { 17: 2, 18: 1 } }, { $set: { 'scores.17': 2 } }],
    ['an array grew', { tags: ['a'] }, { tags: ['a', 'b', 'c'] }, { $push: { tags: { $each: ['b', 'c'] } } }],
    ['a nested array grew', { o: { tags: [] } }, { o: { tags: ['a'] } }, { $push: { 'o.tags': { $each: ['a'] } } }],
    ['an element was edited', { l: [1, { q: 1, r: 1 }] }, { l: [1, { q: 2, r: 1 }] }, { $set: { 'l.1.q': 2 } }],
    ['an element was replaced', { l: [1, 2] }, { l: [1, 'x'] }, { $set: { 'l.1': 'x' } }],
    [
      'below an element',
      { l: [{ a: [1], b: 1 }, 0] },
      { l: [{ a: [1, 2] }, 0] },
      { $unset: { 'l.0.b': '' }, $push: { 'l.0.a': { $each: [2] } } },
    ],
    [
      'an element has an odd key',
      { l: [{ '': 1, b: 1 }, 0] },
      { l: [{ '': 2, b: 1 }, 0] },
      { $set: { 'l.0': { '': 2, b: 1 } } },
    ],
    ['every element changed', { l: [1, { a: 1 }] }, { l: [2, { a: 2 }] }, { $set: { l: [2, { a: 2 }] } }],
    ['an array is empty still', { l: [], a: 1 }, { l: [], a: 2 }, { $set: { a: 2 } }],
    ['an array shrank', { l: [1, 2] }, { l: [1] }, { $set: { l: [1] } }],
    ['odd keys are inside a set value', { a: 1 }, { a: { '$x.y': 1 } }, { $set: { a: { '$x.y': 1 } } }],
  ])('says that %s', (_, before, after, update) => {
    expect(said(before, after)).toEqual(update);
  });

  describe('of an array whose elements have identity', () => {
    const [a, b, c] = [{ sku: 'a' }, { sku: 'b', rows: [{ _id: 1, q: 1 }, { _id: 2 }] }, { sku: 'c' }];
    const edit = (rows: unknown) => [{ items: [a, b] }, { items: [a, { ...b, rows }] }] as const;

    it('edits elements that it finds by filters', () => {
      const after = {
        items: [
          { sku: 'a', o: { p: 1 } },
          { sku: 'b', rows: [{ _id: 1, q: 2 }, { _id: 2 }] },
        ],
      };
      expect(operators(treeOf({ items: [a, b] }, after))).toEqual({
        update: { $set: { 'items.$[e0].o': { p: 1 }, 'items.$[e1].rows.$[e2].q': 2 } },
        arrayFilters: [{ 'e0.sku': 'a' }, { 'e1.sku': 'b' }, { 'e2._id': 1 }],
      });
    });

    it('adds or removes elements', () => {
      expect(said({ items: [a] }, { items: [a, b, c] })).toEqual({ $push: { items: { $each: [b, c] } } });
      expect(said({ items: [a, b, c] }, { items: [b] })).toEqual({ $pull: { items: { sku: { $in: ['a', 'c'] } } } });
    });

    it('removes elements of an element', () => {
      expect(operators(treeOf(...edit([{ _id: 2 }])))).toEqual({
        update: { $pull: { 'items.$[e0].rows': { _id: { $in: [1] } } } },
        arrayFilters: [{ 'e0.sku': 'b' }],
      });
    });

    it.each<[string, readonly [object, object]]>([
      ['both at once', [{ items: [a, b] }, { items: [a, c] }]],
      ['an edit beside an addition', [{ items: [a] }, { items: [{ sku: 'a', q: 1 }, b] }]],
      ['another order', [{ items: [a, b] }, { items: [b, a] }]],
      ['an addition to an element', edit([{ _id: 1, q: 1 }, { _id: 2 }, { _id: 3 }])],
      ['another order in an element', edit([{ _id: 2 }, { _id: 1, q: 1 }])],
      ['an odd key in an element', [{ items: [a] }, { items: [{ sku: 'a', 'x.y': 1 }] }]],
      ['a number-like key in an element', [{ items: [a] }, { items: [{ sku: 'a', 7: 1 }] }]],
      ['an index in an element', [{ items: [{ sku: 'a', l: [1, 2] }] }, { items: [{ sku: 'a', l: [1, 3] }] }]],
    ])('cannot say %s', (_, [before, after]) => {
      expect(operators(treeOf(before, after))).toBeNull();
    });

    it('says below an index what it can', () => {
      const before = { list: [{ items: [a, b] }, 0] };
      expect(operators(treeOf(before, { list: [{ items: [{ sku: 'a', q: 1 }, b] }, 0] }))).toEqual({
        update: { $set: { 'list.0.items.$[e0].q': 1 } },
        arrayFilters: [{ 'e0.sku': 'a' }],
      });
      const moved = { items: [b, a] };
      expect(said(before, { list: [moved, 0] })).toEqual({ $set: { 'list.0': moved } });
    });
  });

  it('keeps a field named __proto__', () => {
    const update = said({}, Object.fromEntries([['__proto__', 1]]));
    expect(Object.entries(update?.$set ?? {})).toEqual([['__proto__', 1]]);
  });

  it.each(['', 'a.b', '.', 'x.', '$x', '$'])('cannot say the key "%s", at any depth', (key) => {
    expect(isNameable(key)).toBe(false);
    expect(said({}, { [key]: 1 })).toBeNull();
    expect(said({ a: 1, o: { p: {} } }, { a: 2, o: { p: { [key]: 1 } } })).toBeNull();
    expect(said({ o: { [key]: { b: 1 } } }, { o: { [key]: { b: 2 } } })).toBeNull();
  });

  it.each(['a', 'é', '0', 'a$', '__proto__', 'a b'])('can say the key "%s"', (key) => {
    expect(isNameable(key)).toBe(true);
  });
});
