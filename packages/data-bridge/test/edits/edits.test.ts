import { Double, Int32, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { EncodeError } from '../../src/errors.ts';
import { ABSENT } from '../../src/bson/encode.ts';
import { changesOf, diff } from '../../src/edits/edits.ts';
import { nest, treeOf } from '../support/laws-trees.ts';

const edit = (base: unknown, value: unknown) => diff(base, value, ['field']);

describe('diff', () => {
  describe('finds no change', () => {
    it.each([
      ['nothing and nothing', ABSENT, undefined],
      ['a stored undefined and nothing', undefined, undefined],
      ['numbers of other types', { a: new Double(5), b: Long.fromNumber(1) }, { a: 5, b: 1 }],
      ['key order', { a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 }],
      ['undefined members', { a: 1 }, { a: 1, b: undefined }],
      ['a stored undefined member', { a: 1, b: undefined }, { a: 1 }],
      ['undefined elements', [undefined, null], [null, undefined]],
      ['empty arrays', [], []],
      ['an object and a Map', { a: 1 }, new Map([['a', 1]])],
      ['a Map and an object', new Map([['a', 1]]), { a: 1 }],
      ['equal values at the lowest level', nest(10, { a: [1] }), nest(10, new Map([['a', [1]]]))],
    ])('between %s', (_, base, value) => {
      expect(edit(base, value)).toBeNull();
    });
  });

  it('sets a new value', () => {
    expect(edit(ABSENT, 'x')).toEqual({ kind: 'set', base: ABSENT, value: 'x' });
    expect(edit(undefined, 'x')).toEqual({ kind: 'set', base: undefined, value: 'x' });
  });

  it('sets a value of another kind', () => {
    expect(edit('x', 1)).toEqual({ kind: 'set', base: 'x', value: 1 });
    expect(edit([1], { 0: 1 })).toEqual({ kind: 'set', base: [1], value: { 0: 1 } });
    expect(edit(undefined, null)).toEqual({ kind: 'set', base: undefined, value: null });
  });

  it('sends the type of what it replaces', () => {
    expect(edit(new Double(1), 2)).toEqual({ kind: 'set', base: new Double(1), value: new Double(2) });
  });

  it('deletes what is gone, null too', () => {
    expect(edit('x', undefined)).toEqual({ kind: 'delete', base: 'x' });
    expect(edit(null, undefined)).toEqual({ kind: 'delete', base: null });
  });

  it('goes into objects and Maps as deep as the change', () => {
    const base = { a: { b: 1, c: 1 }, d: 1 };
    const value = { a: new Map([['c', 2]]), d: 1, e: 1 };
    expect(edit(base, value)).toEqual({
      kind: 'object',
      base,
      value,
      children: new Map<string, unknown>([
        [
          'a',
          {
            kind: 'object',
            base: base.a,
            value: value.a,
            children: new Map<string, unknown>([
              ['c', { kind: 'set', base: 1, value: 2 }],
              ['b', { kind: 'delete', base: 1 }],
            ]),
          },
        ],
        ['e', { kind: 'set', base: ABSENT, value: 1 }],
      ]),
    });
  });

  it('does not take inherited members for stored ones', () => {
    const value = Object.fromEntries(['__proto__', 'constructor'].map((key) => [key, 1]));
    const found = edit({}, value);
    expect(found?.kind === 'object' && [...found.children.keys()]).toEqual(['__proto__', 'constructor']);
  });

  it('pushes what was added at the end', () => {
    const base = [new Double(1), { a: 1 }];
    const value = [base[0], { a: 1 }, 'x', undefined];
    expect(edit(base, value)).toEqual({ kind: 'push', base, value: [...base, 'x', null], added: ['x', null] });
    expect(edit([], ['x'])).toEqual({ kind: 'push', base: [], value: ['x'], added: ['x'] });
  });

  it('edits the elements of an array of the same length', () => {
    const base = ['a', { b: 1 }, undefined, 'c'];
    expect(edit(base, ['a', { b: 2 }, 1, null])).toEqual({
      kind: 'positions',
      base,
      value: ['a', { b: 2 }, 1, null],
      children: new Map<number, unknown>([
        [
          1,
          {
            kind: 'object',
            base: { b: 1 },
            value: { b: 2 },
            children: new Map([['b', { kind: 'set', base: 1, value: 2 }]]),
          },
        ],
        [2, { kind: 'set', base: null, value: 1 }],
        [3, { kind: 'set', base: 'c', value: null }],
      ]),
    });
  });

  it.each([
    ['shrank', [1, 2], [1]],
    ['grew and changed', ['a'], ['b', 'c']],
    ['grew in front', [1], [2, 1]],
  ])('sets an array that %s', (_, base, value) => {
    expect(edit(base, value)).toEqual({ kind: 'set', base, value });
  });

  describe('of an array whose elements have identity', () => {
    const a = { _id: 'a', n: 1 };
    const b = { _id: 'b', n: Long.fromNumber(1) };
    const c = { _id: 'c', list: [1] };
    const same = { key: '_id', children: new Map(), removed: [], added: [], isMoved: false };

    it.each([
      ['an addition', [a, b], [a, b, c], { added: [c] }],
      ['a removal', [a, b, c], [a, c], { removed: [b] }],
      ['another order', [a, b, c], [c, a, b], { isMoved: true }],
      ['an insertion', [a, b], [a, c, b], { added: [c], isMoved: true }],
      ['another element', [a, b], [c], { removed: [a, b], added: [c] }],
      ['the first element', [], [a], { added: [a] }],
      ['no element', [a, b], [], { removed: [a, b] }],
    ])('tells %s', (_, base, value, expected) => {
      expect(edit(base, value)).toEqual({ kind: 'elements', base, value, ...same, ...expected });
    });

    it('makes the edits of elements that moved from their own originals', () => {
      const value = [
        { _id: 'c', list: [1, 2] },
        { _id: 'b', n: 1, m: 1 },
      ];
      const set = { kind: 'set', base: ABSENT, value: 1 };
      const list = { kind: 'push', base: [1], value: [1, 2], added: [2] };
      const [ofC, ofB] = [
        { kind: 'object', base: c, value: value[0], children: new Map([['list', list]]) },
        { kind: 'object', base: b, value: { ...value[1], n: b.n }, children: new Map([['m', set]]) },
      ];
      expect(edit([a, b, c], value)).toEqual({
        ...same,
        kind: 'elements',
        base: [a, b, c],
        value: [value[0], { ...value[1], n: b.n }],
        children: new Map<number, unknown>([
          [2, ofC],
          [1, ofB],
        ]),
        removed: [a],
        isMoved: true,
      });
    });

    it('is null where nothing changed', () => {
      expect(
        edit(
          [a, b],
          [
            { n: 1, _id: 'a' },
            { _id: 'b', n: 1 },
          ],
        ),
      ).toBeNull();
      expect(edit([{ _id: 1, o: { x: 1 } }], [{ _id: 1, o: new Map([['x', 1]]) }])).toBeNull();
    });

    it('sets the array where elements would have to be looked for all too often', () => {
      const base = Array.from({ length: 317 }, (_, _id) => ({ _id }));
      expect(edit(base, base.toReversed())).toMatchObject({ kind: 'set' });
      expect(edit(base, base.slice(0, 300).toReversed())).toMatchObject({ kind: 'elements' });
      expect(edit(base, base.slice(1))).toMatchObject({ kind: 'elements' });
    });
  });

  it('goes no deeper than 10 levels below a field', () => {
    let found = edit(nest(12, 1), nest(12, 2));
    for (let level = 0; level < 10; level += 1) {
      expect(found?.kind).toBe('object');
      found = found?.kind === 'object' ? (found.children.get('m') ?? null) : null;
    }
    expect(found).toEqual({ kind: 'set', base: nest(2, 1), value: nest(2, 2) });
  });

  it('keeps nothing of the program memory', () => {
    const value = { a: { list: [1] } };
    const found = edit({ a: { list: [] } }, value);
    value.a.list.push(2);
    expect(found).toMatchObject({ value: { a: { list: [1] } } });
  });

  it('refuses what BSON cannot hold, by its path', () => {
    expect(() => edit({ a: 1 }, { a: [() => 1] })).toThrow(new EncodeError(['field', 'a', 0], 'a function'));
  });
});

describe('changesOf', () => {
  const plain = (exact: unknown) => (exact instanceof Int32 ? exact.value : exact);

  it('gives one change for each leaf', () => {
    const before = { name: 'Ann', age: new Int32(5), tags: ['a'], o: { x: 1, 'y.z': 1 }, list: [{ q: 1 }, 2], same: 1 };
    const after = { name: 'Bob', tags: ['a', 'b'], o: { x: 1, 'y.z': 2 }, list: [{ q: 3 }, 2], same: 1, fresh: null };
    expect(changesOf(treeOf(before, after), plain)).toEqual([
      { path: 'name', keys: ['name'], from: 'Ann', to: 'Bob' },
      { path: 'age', keys: ['age'], from: 5, to: undefined },
      { path: 'tags', keys: ['tags'], from: ['a'], to: ['a', 'b'] },
      { path: 'o.y.z', keys: ['o', 'y.z'], from: 1, to: 2 },
      { path: 'list.0.q', keys: ['list', 0, 'q'], from: 1, to: 3 },
      { path: 'fresh', keys: ['fresh'], from: undefined, to: null },
    ]);
  });

  it('names an element by its index only where that means the same one before and after', () => {
    const one = { _id: 1, q: 1 };
    const two = { _id: 2, q: 1 };
    const changed = { _id: 2, q: 2 };
    expect(changesOf(treeOf({ rows: [one, two] }, { rows: [one, changed] }), plain)).toEqual([
      { path: 'rows.1.q', keys: ['rows', 1, 'q'], from: 1, to: 2 },
    ]);
    for (const rows of [[changed], [changed, one], [one, changed, { _id: 3 }]]) {
      expect(changesOf(treeOf({ rows: [one, two] }, { rows }), plain)).toEqual([
        { path: 'rows', keys: ['rows'], from: [one, two], to: rows },
      ]);
    }
  });
});
