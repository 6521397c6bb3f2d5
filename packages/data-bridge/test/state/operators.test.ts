import { describe, expect, it } from 'vitest';
import { isNameable, operators } from '../../src/state/operators.ts';
import { treeOf } from '../support/laws-trees.ts';

const said = (before: object, after: object) => operators(treeOf(before, after));

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
