import { Binary, BSON, ObjectId, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { ABSENT, memberOf } from '../../src/bson/encode.ts';
import type { Identities } from '../../src/bson/identity.ts';
import { Layout } from '../../src/bson/layout.ts';
import { applyEdits } from '../../src/edits/apply-edits.ts';
import { diff, type Edit, type EditTree } from '../../src/edits/edits.ts';
import { isObject, member } from '../../src/edits/expression.ts';
import { clashesOf, rebaseEdits, takeMine } from '../../src/edits/rebase-edits.ts';
import { StoredPositions, StoredValues } from '../../src/edits/stored-edits.ts';
import { BsonBaseline } from '../../src/tracking/bson-baseline.ts';
import { treeOf } from '../../src/tracking/state-tracker.ts';
import type { Asked } from '../../src/update/operators.ts';
import { pipeline } from '../../src/update/pipeline.ts';
import { fallback, plan, type UpdatePlan } from '../../src/update/plan.ts';
import { valueGuard, valueGuardComparesText } from '../../src/update/value-guards.ts';

const UNIQUE: Identities = { key: undefined, isUnique: true, at: () => undefined };
const BOUND: Identities = { key: undefined, isBound: true, at: () => undefined };

function editOf(base: unknown, value: unknown, identities?: Identities): Edit {
  const edit = diff(base, value, ['l'], false, identities);
  if (edit === null) throw new Error('Expected a difference');
  return edit;
}

const inTree = (edit: Edit): EditTree => ({ kind: 'object', children: new Map([['l', edit]]) });
const sent = (base: unknown, value: unknown, identities?: Identities): UpdatePlan =>
  plan(inTree(editOf(base, value, identities)));
const ids = Array.from({ length: 4 }, (_, i) => new ObjectId(`${i}`.repeat(24)));
const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${i}`);

describe('an array of values that are their own identity', () => {
  it.each<[string, unknown[], unknown[], object]>([
    ['grows', ['a'], ['a', 'b'], { $push: { l: { $each: ['b'] } } }],
    ['loses some', ['a', 'b', 'c'], ['b'], { $pullAll: { l: ['a', 'c'] } }],
    ['loses all', ['a', 'b'], [], { $pullAll: { l: ['a', 'b'] } }],
    ['loses an id', ids, ids.slice(1), { $pullAll: { l: [ids[0]] } }],
    ['is another one', ['a', 'b'], ['c'], { $set: { l: ['c'] } }],
    ['has one replaced', ['a', 'b'], ['a', 'c'], { $set: { 'l.1': 'c' } }],
  ])('that %s is sent by operators', (_, base, value, update) => {
    expect(sent(base, value).update).toEqual(update);
  });

  it.each<[string, unknown[], unknown[]]>([
    ['loses one and gets one', ['a', 'b'], ['b', 'c', 'd']],
    ['grows in front', ['a'], ['b', 'a']],
    ['grows inside', ['a', 'b'], ['a', 'c', 'b']],
    ['is put in another order', ['a', 'b'], ['b', 'a']],
  ])('that %s is set whole while it is as it was, and else merged', (_, base, value) => {
    const collation = { locale: 'simple' };
    const guard = { $expr: { $eq: ['$l', { $literal: base }] } };
    const tree = inTree(editOf(base, value));
    expect(plan(tree)).toEqual({ update: { $set: { l: value } }, guard, collation });
    expect(fallback(tree)).toMatchObject({ update: pipeline(tree), reason: 'shape-changed', collation });
    expect(JSON.stringify(pipeline(tree))).toContain('$filter');
  });

  it('is set whole by what the filter asks anyway', () => {
    const reason = (base: unknown[], asked: Asked, identities?: Identities): unknown =>
      plan(inTree(editOf(base, [...base.slice(1), 'x', 'y'], identities)), { asked }).reason;
    const long = texts(1001);
    expect([reason(long.slice(1), 'anything'), reason(long, 'anything')]).toEqual([undefined, 'mixed-array-edits']);
    expect([reason(long, 'values'), reason(long, 'kinds')]).toEqual([undefined, 'mixed-array-edits']);
    expect([reason(ids, 'anything', UNIQUE), reason(ids, 'values', UNIQUE)]).toEqual([undefined, 'mixed-array-edits']);
  });

  it('is guarded inside of objects, and in an element by what guards that', () => {
    const planned = (before: object, after: object): UpdatePlan =>
      plan({ kind: 'object', children: new Map([['o', diff(before, after, ['o']) as Edit]]) });
    const inObject = planned({ k: ['a', 'b'], n: ['a', 'b'] }, { k: ['b', 'a'], n: ['b'] });
    expect(inObject.update).toEqual({ $set: { 'o.k': ['b', 'a'] }, $pullAll: { 'o.n': ['a'] } });
    const isAsBefore = { $eq: [member('$o', 'k'), { $literal: ['a', 'b'] }] };
    expect(inObject.guard).toEqual({ $expr: { $cond: [isObject('$o'), isAsBefore, false] } });
    const inPlace = planned([{ k: ['a', 'b'] }, 1], [{ k: ['b', 'a'] }, 1]);
    expect(inPlace.update).toEqual({ $set: { 'o.0.k': ['b', 'a'] } });
    expect(JSON.stringify(inPlace.guard)).toContain('{"$literal":{"k":["a","b"]}}');
    const inElement = planned([{ _id: 1, k: ['a', 'b'] }], [{ _id: 1, k: ['b', 'a'] }]);
    expect(inElement.reason).toBe('mixed-array-edits');
  });

  it.each<[string, unknown[], unknown[]]>([
    ['numbers', [1, 2, 3], [1, 3]],
    ['a value twice', ['a', 'a', 'b'], ['a', 'b']],
    ['a new value twice', ['a', 'b', 'c'], ['b', 'd', 'd', 'e']],
    ['null', ['a', null, 'b'], ['a', 'b']],
    ['bytes', [new Binary(Buffer.of(1), 0), 'a'], ['a']],
    ['objects', ['a', {}], ['a', { b: 1 }, 'x'].slice(1)],
  ])('is none with %s', (_, base, value) => {
    expect(sent(base, value).update).toEqual({ $set: { l: value } });
  });

  it('tells UUIDs apart', () => {
    const [a, b] = [new UUID(), new UUID()];
    expect(sent([a, b], [b]).update).toEqual({ $pullAll: { l: [a] } });
  });

  it('is set whole where a search would take longer', () => {
    const kinds = (base: unknown[], value: unknown[]): string => editOf(base, value).kind;
    const long = texts(2000);
    expect(kinds(long, long.slice(100))).toBe('values');
    expect(kinds(long, long.slice(600))).toBe('set');
    expect(kinds(long, ['x', ...long.slice(10)])).toBe('values');
    expect(kinds(long, ['x', ...long.slice(60)])).toBe('set');
    expect(kinds(texts(100), texts(100).toReversed())).toBe('values');
    expect(kinds(texts(101), texts(101).toReversed())).toBe('set');
    expect(plan(inTree(editOf(long, long.slice(100))), { inTransaction: true }).update).toEqual([
      { $set: { l: { $literal: long.slice(100) } } },
    ]);
    const replaced = (count: number): unknown[] => long.map((text, i) => (i < count ? `${text}!` : text));
    expect([editOf(long, replaced(50)), editOf(long, replaced(51))]).toMatchObject([
      { kind: 'positions', isByValue: true },
      { kind: 'positions' },
    ]);
    expect(editOf(long, replaced(51))).not.toHaveProperty('isByValue');
  });

  it('is set whole where its length is bounded', () => {
    expect(sent(['a', 'b'], ['b'], BOUND).update).toEqual({ $set: { l: ['b'] } });
    expect(editOf(['a', 'b'], ['a', 'c'], BOUND)).not.toHaveProperty('isByValue');
    expect(sent(['a'], ['a', 'b'], BOUND).update).toEqual({ $push: { l: { $each: ['b'] } } });
  });

  it('is set whole beside one of the same lengths that is', () => {
    const update = (before: object, after: object): unknown =>
      plan({ kind: 'object', children: new Map([['o', diff(before, after, ['o']) as Edit]]) }).update;
    expect(update({ k: ['a', 'b'], n: [1, 2] }, { k: ['b'], n: [2] })).toEqual({ $set: { 'o.k': ['b'], 'o.n': [2] } });
    expect(update({ k: ['a', 'b'], n: [1, 2, 3] }, { k: ['b'], n: [2] })).toEqual({
      $set: { 'o.n': [2] },
      $pullAll: { 'o.k': ['a'] },
    });
    expect(update({ k: ['a', 'b'], n: 1 }, { k: ['b'], n: [2] })).toEqual({
      $set: { 'o.n': [2] },
      $pullAll: { 'o.k': ['a'] },
    });
  });

  it('compares texts as they are', () => {
    const simple = { locale: 'simple' };
    expect(sent(['a', 'b'], ['b']).collation).toEqual(simple);
    expect(sent(ids, ids.slice(1)).collation).toBeUndefined();
    expect(sent(ids, ['x', ...ids]).collation).toEqual(simple);
    const replaced = inTree(editOf(ids, [ids[0], 'x', ids[2], ids[3]]));
    expect([plan(replaced).collation, fallback(replaced).collation]).toEqual([undefined, simple]);
  });
});

describe('an array that is declared to have no value twice', () => {
  it('takes any scalars', () => {
    expect(sent([1, 2, 3], [1, 3], UNIQUE).update).toEqual({ $pullAll: { l: [2] } });
    expect(sent([1], [1, 2, 3], UNIQUE).update).toEqual({ $addToSet: { l: { $each: [2, 3] } } });
    expect(sent([], [1], UNIQUE).update).toEqual({ $addToSet: { l: { $each: [1] } } });
    expect(sent([1, 2], [1, 3], UNIQUE).update).toEqual({ $set: { l: [1, 3] } });
    expect(sent([1, 2], [3, 4], UNIQUE).update).toEqual({ $set: { l: [3, 4] } });
  });

  it('is sent like another one where a value is there twice, or is none', () => {
    expect(sent([1, 1], [1], UNIQUE).update).toEqual({ $set: { l: [1] } });
    expect(sent([1, null], [1], UNIQUE).update).toEqual({ $set: { l: [1] } });
    expect(sent([0, 1], [-0, 1], UNIQUE).update).toEqual({ $set: { 'l.0': -0 } });
  });

  it('asks in mode fields for an order alone', () => {
    const guard = (value: unknown[]): object => valueGuard(inTree(editOf([1, 2], value, UNIQUE)), () => [1, 2]);
    expect(guard([2])).toEqual({ l: { $type: 'array' } });
    expect(guard([2, 1])).toHaveProperty('$expr');
    const compares = (base: unknown[], value: unknown[], identities?: Identities): boolean =>
      valueGuardComparesText(inTree(editOf(base, value, identities)));
    expect([compares(['a', 'b'], ['b', 'a'], UNIQUE), compares(['a', 'b'], ['b'], UNIQUE)]).toEqual([true, false]);
    expect([compares(['a', 'b'], ['b']), compares(ids, ids.slice(1))]).toEqual([true, false]);
  });
});

describe('mode fields', () => {
  it('asks for the whole list where nothing is declared', () => {
    const filter = valueGuard(inTree(editOf(['a', 'b'], ['b'])), () => ['a', 'b']);
    expect(filter).toEqual({ $expr: { $eq: ['$l', { $literal: ['a', 'b'] }] } });
  });
});

describe('what is stored then', () => {
  const after = (base: unknown, value: unknown, current: unknown, identities?: Identities): unknown[] => {
    const tree = inTree(editOf(base, value, identities));
    return (['operators', 'pipeline'] as const).map((form) => applyEdits(tree, form, () => current).get('l'));
  };

  it.each<[string, string, string, string, string]>([
    ['a removal', 'a b c', 'a c', 'x b c', 'x c'],
    ['values in front, inside and behind', 'a b c', 'f a i j b c l', 'c x b a', 'f c x b a i j l'],
    ['a value behind one that is gone', 'a b c', 'a b i c', 'a c d', 'a c d i'],
    ['values that are there already', 'a b c', 'f a i b', 'i f a b', 'i f a b'],
    ['another order', 'a b c', 'c n a', 'a b x c', 'c n a x'],
    ['a replacement elsewhere', 'a b c', 'a z c', 'x a b c', 'x a z c'],
    ['a replacement of what another one replaced', 'a b c', 'a z c', 'a y c', 'a z c'],
    ['a replacement of what is gone', 'a b c', 'a z c', 'a c', 'a c z'],
    ['a replacement by what is there', 'a b c', 'a z c', 'a c z', 'a c z'],
    ['a replacement at the place of another', 'a b c', 'a z c', 'b a c', 'z a c'],
  ])('of %s', (_, base, mine, theirs, expected) => {
    const list = (words: string): string[] => words.split(' ');
    expect(after(list(base), list(mine), list(theirs))[1]).toEqual(list(expected));
  });

  it('of removals from what is no array', () => {
    expect(after(['a', 'b'], ['b'], ABSENT)).toEqual([ABSENT, ['b']]);
    expect(after(['a', 'b'], ['b'], 5)).toEqual([['b'], ['b']]);
  });

  it('of additions to what is not there', () => {
    expect(after([1], [1, 2], ABSENT, UNIQUE)).toEqual([[2], [1, 2]]);
  });

  it('of an edit that is too long for a pipeline', () => {
    const long = texts(2000);
    expect(after(long, long.slice(100), ['x'])).toEqual([['x'], long.slice(100)]);
  });
});

describe('an edit that is laid on a newer document', () => {
  const rebased = (base: unknown, mine: unknown, newer: unknown, identities?: Identities): unknown[] => {
    const tree = inTree(editOf(base, mine, identities));
    const theirs = (): unknown => newer;
    const edit = rebaseEdits(tree, theirs, takeMine)?.children.get('l');
    const value = edit === undefined ? newer : edit.kind === 'delete' ? ABSENT : edit.value;
    return [value, clashesOf(tree, theirs).length, clashesOf(tree, theirs, true).length];
  };

  it.each<[string, unknown, unknown, unknown, unknown, number, number]>([
    ['two removals', ['a', 'b', 'c'], ['a', 'b'], ['b', 'c'], ['b'], 0, 1],
    ['the same removal', ['a', 'b'], ['b'], ['b'], ['b'], 0, 1],
    ['a removal that nobody met', ['a', 'b'], ['b'], ['a', 'b'], ['b'], 0, 0],
    ['a removal, of a list with values twice', ['a', 'b'], ['b'], ['a', 'b', 'b'], ['b', 'b'], 0, 1],
    ['one order, and an addition', ['a', 'b'], ['b', 'a'], ['a', 'b', 'c'], ['b', 'a', 'c'], 0, 1],
    ['two orders', ['a', 'b', 'c'], ['b', 'a', 'c'], ['a', 'c', 'b'], ['b', 'a', 'c'], 1, 1],
    ['a replacement, at its place', ['a', 'b'], ['a', 'z'], ['a', 'b', 'c'], ['a', 'z', 'c'], 0, 0],
    ['a replacement, elsewhere', ['a', 'b'], ['a', 'z'], ['c', 'a', 'b'], ['c', 'a', 'z'], 0, 1],
    ['a replacement of what is gone', ['a', 'b'], ['a', 'z'], ['a', 'y'], ['a', 'z'], 1, 1],
    ['a removal from no list', ['a', 'b'], ['b'], 5, ['b'], 1, 1],
    ['a replacement in no list', ['a', 'b'], ['a', 'z'], null, ['a', 'z'], 1, 1],
  ])('is merged, or in conflict: %s', (_, base, mine, newer, ...expected) => {
    expect(rebased(base, mine, newer)).toEqual(expected);
  });

  it('is no conflict of removals where that is declared', () => {
    expect(rebased([1, 2, 3], [1, 2], [2, 3], UNIQUE)).toEqual([[2], 0, 0]);
    expect(rebased([1, 2, 3], [3, 2, 1], [2, 1, 3], UNIQUE)).toEqual([[3, 2, 1], 1, 1]);
  });

  it('merges members of an element, while all others are as they were', () => {
    const base = [{ b: 1, t: 1 }, 2];
    const mine = [{ b: 2, t: 1 }, 2];
    expect(rebased(base, mine, [{ b: 1, t: 5 }, 2])).toEqual([[{ b: 2, t: 5 }, 2], 0, 1]);
    expect(rebased(base, mine, [{ b: 3, t: 5 }, 2])).toEqual([[{ b: 2, t: 5 }, 2], 1, 1]);
    expect(rebased(base, mine, [{ b: 2, t: 5 }, 2])).toEqual([[{ b: 2, t: 5 }, 2], 1, 1]);
    expect(rebased(base, mine, [{ b: 1, t: 5 }, 3])).toEqual([mine, 1, 1]);
    expect(rebased(base, mine, [{ b: 1, t: 5 }])).toEqual([mine, 1, 1]);
    expect(rebased(base, mine, [null, 2])).toEqual([mine, 1, 1]);
    expect(rebased([1, 2], [3, 2], [4, 2])).toEqual([[3, 2], 1, 1]);
  });

  it('leaves null where the program settles an element by nothing', () => {
    const tree = inTree(editOf([{ b: 1 }, 2], [{ b: 2 }, 2]));
    const settled = rebaseEdits(
      tree,
      () => [5, 2],
      ({ theirs }) => ({ kind: 'delete', base: theirs }),
    );
    expect(settled?.children.get('l')).toMatchObject({ kind: 'positions', value: [null, 2] });
  });
});

describe('a stored array beside its bytes', () => {
  const change = (list: unknown[], make: (list: unknown[]) => void, identities?: Identities): Edit => {
    const declared = identities && { key: undefined, at: () => identities };
    const layout = new Layout({}, [], new Map(), declared);
    const baseline = new BsonBaseline(layout, BSON.serialize({ l: list }), 0);
    make(baseline.get('l') as unknown[]);
    const edit = treeOf(baseline)?.children.get('l');
    if (edit === undefined) throw new Error('Expected a change');
    return edit;
  };

  it('tells removals without decoding the rest', () => {
    const edit = change(['a', 'b', ids[0], 'é'.repeat(20)], (list) => list.splice(1, 2));
    expect(edit).toBeInstanceOf(StoredValues);
    expect(edit).toMatchObject({ removed: ['b', ids[0]], value: ['a', 'é'.repeat(20)], hasTexts: true, isLong: false });
    expect(change([...ids], (list) => list.pop())).toMatchObject({ removed: [ids[3]], hasTexts: false });
    expect(change([...ids], (list) => list.shift(), UNIQUE)).toBeInstanceOf(StoredValues);
    const long = texts(2000);
    expect(change(long, (list) => list.splice(0, 100))).toMatchObject({ kind: 'values', isLong: true });
  });

  it('tells values that were replaced', () => {
    const edit = change(['a', ids[0]], (list) => (list[1] = 'é'));
    expect(edit).toBeInstanceOf(StoredPositions);
    expect(edit).toMatchObject({ isByValue: true });
    expect(change(['a', 'b', 'b'], (list) => (list[1] = 'c'))).not.toHaveProperty('isByValue', true);
    expect(change(['a', 'b'], (list) => (list[1] = 'c'), BOUND)).not.toHaveProperty('isByValue', true);
    expect(change(['a', 1], (list) => (list[0] = 2))).not.toHaveProperty('isByValue', true);
  });

  it.each<[string, unknown[], (list: unknown[]) => void, Identities | undefined, string]>([
    ['a move', ['a', 'b', 'c'], (list) => list.reverse(), undefined, 'values'],
    ['a removal and a replacement', ['a', 'b', 'c'], (list) => list.splice(0, 3, 'b', 'x'), undefined, 'values'],
    ['a replacement and an addition', ['a', 'b'], (list) => list.splice(0, 1, 'c', 'd'), undefined, 'values'],
    ['a removal of one that is there twice', ['a', 'b', 'b'], (list) => list.splice(1, 1), undefined, 'set'],
    ['a removal beside a number', ['a', 'b', 1], (list) => list.splice(0, 1), undefined, 'set'],
    ['a removal of a number behind a text', ['a', 'b', 1], (list) => list.splice(1, 2), undefined, 'set'],
    ['a removal of many', texts(2000), (list) => list.splice(0, 600), undefined, 'set'],
    ['a removal where the length is bounded', ['a', 'b'], (list) => list.pop(), BOUND, 'set'],
    ['a removal of a UUID', [new UUID(), new UUID()], (list) => list.pop(), undefined, 'values'],
    ['a removal of bytes', [Buffer.of(1), Buffer.of(2)], (list) => list.pop(), undefined, 'set'],
    ['an addition to what is declared', ['a'], (list) => list.push('b'), UNIQUE, 'values'],
    ['a removal of a declared number', [1, 2], (list) => list.pop(), UNIQUE, 'values'],
    ['a replacement of what is declared', ['a', 'b'], (list) => (list[1] = 'c'), UNIQUE, 'values'],
    ['one value twice', ['a', 'b', 'c'], (list) => list.splice(1, 2, 'd', 'd'), undefined, 'positions'],
  ])('tells as the exact diff does: %s', (_, list, make, identities, kind) => {
    const edit = change(list, make, identities);
    const copy = [...list];
    make(copy);
    const stored = BSON.deserialize(BSON.serialize({ l: list }), { promoteValues: false })['l'] as unknown[];
    const exact = diff(stored, copy, ['l'], false, identities);
    expect([edit.kind, exact?.kind]).toEqual([kind, kind]);
  });

  it('stands beside others of the same lengths', () => {
    const document = { o: { k: ['a', 'b'], n: [1, 2] }, k: ['a', 'b'], n: [1, 2], x: 1 };
    const baseline = new BsonBaseline(new Layout(), BSON.serialize(document), 0);
    const o = baseline.get('o') as typeof document.o;
    for (const list of [o.k, o.n, baseline.get('k') as unknown[], baseline.get('n') as unknown[]]) list.shift();
    const tree = treeOf(baseline) as EditTree;
    const kinds = ['k', 'n'].map((name) => tree.children.get(name)?.kind);
    expect([kinds, plan(tree).update]).toEqual([
      ['set', 'set'],
      { $set: { 'o.k': ['b'], 'o.n': [2], k: ['b'], n: [2] } },
    ]);
    expect(memberOf(baseline.exact('o'), 'k')).toEqual(['a', 'b']);
  });
});
