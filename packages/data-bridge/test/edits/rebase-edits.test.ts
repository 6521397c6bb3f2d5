import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { ABSENT, memberOf } from '../../src/bson/encode.ts';
import type { AtomicOperator } from '../../src/edits/atomic-operators.ts';
import type { Edit, EditTree } from '../../src/edits/edits.ts';
import { clashesOf, editTo, equalOrBothAbsent, rebaseEdits, takeMine } from '../../src/edits/rebase-edits.ts';
import { treeOf } from '../support/laws-trees.ts';

const fieldsOf = (document: object) => (name: string) => memberOf(document, name);

/** What the edits from one document to another make of a newer one, and where they clash. */
function merge(before: object, mine: object, newer: object): { readonly merged: object; readonly clashes: string[] } {
  return mergeTree(treeOf(before, mine), newer);
}

function mergeTree(tree: EditTree, newer: object): { readonly merged: object; readonly clashes: string[] } {
  const laid = rebaseEdits(tree, fieldsOf(newer), takeMine);
  const merged: Record<string, unknown> = { ...newer };
  for (const [name, edit] of laid?.children ?? []) {
    if (edit.kind === 'delete' || edit.value === ABSENT) delete merged[name];
    else merged[name] = edit.value;
  }
  return { merged, clashes: clashesOf(tree, fieldsOf(newer)).map(({ keys }) => keys.join('/')) };
}

function atomic(operator: AtomicOperator, operand: unknown, base: unknown, value: unknown): EditTree {
  return {
    kind: 'object',
    children: new Map<string, Edit>([['a', { kind: 'atomic', operator, operand, base, value }]]),
  };
}

describe('rebaseEdits', () => {
  it.each([
    ['other fields', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 }, { a: 2, b: 2 }],
    ['other members', { o: { a: 1, b: 1 } }, { o: { a: 2, b: 1 } }, { o: { a: 1, c: 3 } }, { o: { a: 2, c: 3 } }],
    ['a removal', { o: { a: 1, b: 1 } }, { o: { b: 1 } }, { o: { a: 1, b: 2 } }, { o: { b: 2 } }],
    ['growth of both', { l: [1] }, { l: [1, 2] }, { l: [1, 3] }, { l: [1, 3, 2] }],
    ['growth of what was cut', { l: [1] }, { l: [1, 2] }, { l: [] }, { l: [2] }],
    ['other elements', { l: [1, 2, 3] }, { l: [1, 20, 3] }, { l: [5, 2, 3, 4] }, { l: [5, 20, 3, 4] }],
    [
      'a Map',
      {
        m: new Map([
          ['a', 1],
          ['b', 1],
        ]),
      },
      { m: { a: 2, b: 1 } },
      {
        m: new Map([
          ['a', 1],
          ['b', 5],
        ]),
      },
      { m: { a: 2, b: 5 } },
    ],
  ])('keeps %s', (_, before, mine, newer, merged) => {
    expect(merge(before, mine, newer)).toEqual({ merged, clashes: [] });
  });

  it.each([
    ['one field', { a: 1 }, { a: 2 }, { a: 3 }, ['a']],
    ['one member', { o: { a: 1, b: 1 } }, { o: { a: 2, b: 1 } }, { o: { a: 3, b: 1 } }, ['o/a']],
    ['a field that the other removed', { a: 1, b: 1 }, { a: 2, b: 1 }, { b: 1 }, ['a']],
    ['a field that I removed', { a: 1, b: 1 }, { b: 1 }, { a: 2, b: 1 }, ['a']],
    ['a field that both removed', { a: 1, b: 1 }, { b: 1 }, { b: 1 }, ['a']],
    ['an object that is none now', { o: { a: 1, b: 1 } }, { o: { a: 2, b: 1 } }, { o: 5 }, ['o']],
    ['an array that is none now', { l: [1] }, { l: [1, 2] }, { l: 'x' }, ['l']],
    ['an edited array that is none now', { l: [1, 2] }, { l: [1, 3] }, { l: null }, ['l']],
    ['an element', { l: [1, 2] }, { l: [1, 3] }, { l: [1, 4] }, ['l']],
    ['an element that moved away', { l: [1, 2] }, { l: [1, 3] }, { l: [1] }, ['l']],
  ])('lets me win over %s, and reports it', (_, before, mine, newer, clashes) => {
    expect(merge(before, mine, newer)).toEqual({ merged: mine, clashes });
  });

  it('leaves out what is stored already', () => {
    expect(
      rebaseEdits(treeOf({ a: 1, o: { b: 1 } }, { a: 2, o: { b: 2 } }), fieldsOf({ a: 2, o: { b: 2 } }), takeMine),
    ).toBeNull();
  });

  it('does operators to the newer value', () => {
    expect(mergeTree(atomic('$inc', 2, 1, 3), { a: 10 })).toEqual({ merged: { a: 12 }, clashes: [] });
    expect(mergeTree(atomic('$inc', 2, 1, 3), {})).toEqual({ merged: { a: 2 }, clashes: [] });
    expect(mergeTree(atomic('$pull', ['x'], ['x'], []), {})).toEqual({ merged: {}, clashes: [] });
    expect(mergeTree(atomic('$bit', { or: 2 }, 1, 3), { a: 4 })).toEqual({ merged: { a: 6 }, clashes: [] });
    expect(mergeTree(atomic('$pop', 1, [1, 2], [1]), { a: [1, 2] })).toEqual({ merged: { a: [1] }, clashes: [] });
    expect(mergeTree(atomic('$pop', 1, [1, 2], [1]), { a: [1, 2, 3] })).toEqual({ merged: { a: [1] }, clashes: ['a'] });
    expect(mergeTree(atomic('$inc', 2, 1, 3), { a: 'x' })).toEqual({ merged: { a: 3 }, clashes: ['a'] });
  });

  it('takes an operator for one in conflict where a guard asks for the kind, and what it was for is gone', () => {
    const clashes = (tree: EditTree, newer: object) =>
      clashesOf(tree, fieldsOf(newer), true).map(({ keys }) => keys[0]);
    expect(clashes(atomic('$inc', 2, 1, 3), {})).toEqual(['a']);
    expect(clashes(atomic('$inc', 2, ABSENT, 2), {})).toEqual([]);
    expect(clashes(atomic('$max', 2, 1, 2), {})).toEqual([]);
    expect(clashes(atomic('$inc', 2, 1, 3), { a: 2 })).toEqual([]);
    expect(clashes(atomic('$bit', { or: 2 }, 1, 3), { a: new BSON.Double(4.5) })).toEqual(['a']);
    expect(clashes(atomic('$currentDate', true, 1, 3), { a: 'x' })).toEqual([]);
  });

  it('takes an operator on a member along', () => {
    const pull: Edit = { kind: 'atomic', operator: '$pull', operand: ['x'], base: ABSENT, value: ABSENT };
    const object: Edit = { kind: 'object', base: {}, value: {}, children: new Map([['l', pull]]) };
    const tree: EditTree = { kind: 'object', children: new Map([['o', object]]) };
    expect(mergeTree(tree, { o: { b: 1 } })).toEqual({ merged: { o: { b: 1 } }, clashes: [] });
  });

  it('takes an object that was loaded in part, and not there, for an empty one', () => {
    const set: Edit = { kind: 'set', base: ABSENT, value: 1 };
    const part: Edit = { kind: 'object', base: {}, value: { a: 1 }, children: new Map([['a', set]]), isPart: true };
    const tree: EditTree = { kind: 'object', children: new Map([['o', part]]) };
    expect(mergeTree(tree, {})).toEqual({ merged: { o: { a: 1 } }, clashes: [] });
  });
});

describe('editTo', () => {
  it('gives the edit to a value, if it takes one', () => {
    expect(editTo(1, 1)).toBeNull();
    expect(editTo(ABSENT, ABSENT)).toBeNull();
    expect(editTo(1, ABSENT)).toEqual({ kind: 'delete', base: 1 });
    expect(editTo(ABSENT, 1)).toEqual({ kind: 'set', base: ABSENT, value: 1 });
  });
});

describe('equalOrBothAbsent', () => {
  it('takes the old type undefined for nothing', () => {
    expect(equalOrBothAbsent(undefined, ABSENT)).toBe(true);
    expect(equalOrBothAbsent(undefined, null)).toBe(false);
    expect(equalOrBothAbsent({ a: 1, b: 1 }, { b: 1, a: 1 })).toBe(true);
  });
});

describe('rebaseEdits, of elements with identity', () => {
  const item = (_id: string, n = 0) => ({ _id, n });
  const list = (...items: readonly object[]) => ({ l: items });

  it.each([
    [
      'edits of others',
      list(item('a'), item('b')),
      list(item('a', 1), item('b')),
      list(item('b', 2), item('a')),
      list(item('b', 2), item('a', 1)),
    ],
    [
      'removals',
      list(item('a'), item('b')),
      list(item('b')),
      list(item('c'), item('a'), item('b', 1)),
      list(item('c'), item('b', 1)),
    ],
    [
      'what both removed',
      list(item('a'), item('b')),
      list(item('b')),
      list(item('b'), item('c')),
      list(item('b'), item('c')),
    ],
    [
      'additions',
      list(item('a')),
      list(item('a'), item('b')),
      list(item('a'), item('c')),
      list(item('a'), item('c'), item('b')),
    ],
    [
      'an order',
      list(item('a'), item('b')),
      list(item('b'), item('a')),
      list(item('a', 1), item('c'), item('b')),
      list(item('b'), item('a', 1), item('c')),
    ],
    [
      'an order of what is left',
      list(item('a'), item('b'), item('c')),
      list(item('c'), item('b'), item('a')),
      list(item('a'), item('c')),
      list(item('c'), item('a')),
    ],
    ['elements without identity', list(item('a')), list(item('a', 1)), list({}, item('a')), list({}, item('a', 1))],
  ])('keeps %s', (_, before, mine, newer, merged) => {
    expect(merge(before, mine, newer)).toEqual({ merged, clashes: [] });
  });

  it.each([
    [
      'an edited one',
      list(item('a'), item('b')),
      list(item('a'), item('b', 1)),
      list(item('b', 2), item('a')),
      list(item('b', 1), item('a')),
      'l/1/n',
    ],
    [
      'one that the other removed',
      list(item('a'), item('b')),
      list(item('a', 1), item('b')),
      list(item('b')),
      list(item('b'), item('a', 1)),
      'l/0',
    ],
    [
      'one that I removed',
      list(item('a'), item('b')),
      list(item('b')),
      list(item('a', 1), item('b')),
      list(item('b')),
      'l/0',
    ],
    [
      'one that both added',
      list(item('a')),
      list(item('a'), item('b', 1)),
      list(item('b', 2), item('a')),
      list(item('b', 1), item('a')),
      'l/1',
    ],
    [
      'an order',
      list(item('a'), item('b')),
      list(item('b'), item('a')),
      list(item('b', 1), item('c'), item('a')),
      list(item('b'), item('a')),
      'l',
    ],
    ['what is no array', list(item('a')), list(item('a', 1)), { l: 5 }, list(item('a', 1)), 'l'],
    [
      'what has no identity now',
      list(item('a')),
      list(item('a', 1)),
      list(item('a'), item('a')),
      list(item('a', 1)),
      'l',
    ],
  ])('lets me win over %s, and reports it', (_, before, mine, newer, merged, clash) => {
    const result = merge(before, mine, newer);
    expect(result.clashes).toEqual([clash]);
    if (clash !== 'l' || !Array.isArray(newer.l)) expect(result.merged).toEqual(merged);
  });

  it('leaves out what is stored already', () => {
    const tree = treeOf(list(item('a')), list(item('a', 1), item('b')));
    expect(rebaseEdits(tree, fieldsOf(list(item('a', 1), item('b'))), takeTheirs)).toBeNull();
  });
});

const takeTheirs = () => null;
