import { describe, expect, it } from 'vitest';
import { ABSENT, encodeDocument } from '../../src/bson/encode.ts';
import { Layout } from '../../src/bson/layout.ts';
import type { Edit, EditTree } from '../../src/edits/edits.ts';
import { baselineOver } from '../../src/tracking/loaded-baseline.ts';
import { fallback } from '../../src/update/plan.ts';
import { Selection } from '../../src/tracking/selection.ts';
import { treeOf } from '../support/laws-trees.ts';

const tree = (children: Record<string, Edit>): EditTree => ({
  kind: 'object',
  children: new Map(Object.entries(children)),
});
const set = (value: unknown, base: unknown = ABSENT): Edit => ({ kind: 'set', base, value });
const refuse = (keys: readonly string[], extent: string): never => {
  throw new Error(`${keys.join('.')}: ${extent}`);
};

describe('a selection of some paths', () => {
  const some = Selection.of(['a', 'b.c', 'b.d', 'a.x', '_id.y']);

  it('is what the server is asked for', () => {
    expect(some.projection).toEqual({ _id: 1, a: 1, 'b.c': 1, 'b.d': 1 });
    expect(some.withId(false).projection).toEqual({ _id: 0, a: 1, 'b.c': 1, 'b.d': 1 });
    expect(Selection.of(['_id']).projection).toEqual({ _id: 1 });
  });

  it('knows how much was loaded', () => {
    expect(some.at(['_id'])).toBe('whole');
    expect(some.withId(false).at(['_id'])).toBe('nothing');
    expect([some.at(['a']), some.at(['a', 'x', 'y'])]).toEqual(['whole', 'whole']);
    expect([some.at(['b']), some.at(['b', 'c']), some.at(['b', 'e'])]).toEqual(['part', 'whole', 'nothing']);
    expect([some.at(['z']), some.at(['z', 'c'])]).toEqual(['nothing', 'nothing']);
  });

  it('passes arrays', () => {
    const value = [{ c: 1 }, [{ c: 2 }]];
    expect([some.at(['b', 0], value), some.at(['b', '1', 0, 'c'], value)]).toEqual(['part', 'whole']);
    expect(some.at(['b', '0', 'x'], value)).toBe('nothing');
    expect(some.at(['b', '0', 'c'], { 0: { c: 1 } })).toBe('nothing');
  });

  it('lets edits of what was loaded through', () => {
    const edits = tree({ a: set(1) });
    expect(some.confine(edits, refuse)).toEqual(edits);
  });

  it.each<[string, Edit, unknown]>([
    ['an object', set({ c: 1 }), { c: 1 }],
    ['a Map', set(new Map([['c', 1]])), new Map([['c', 1]])],
  ])('sets the members of %s that is new one by one', (_what, edit, value) => {
    const confined = some.confine(tree({ b: edit }), refuse).children.get('b');
    expect(confined).toMatchObject({ kind: 'object', base: {}, value, isPart: true });
    expect(confined?.kind === 'object' && confined.children.get('c')).toEqual(set(1));
  });

  it('looks into objects that changed within', () => {
    const within = (children: Record<string, Edit>): EditTree => {
      return tree({ b: { kind: 'object', base: { c: 1 }, value: {}, children: tree(children).children } });
    };
    const confined = some.confine(within({ c: set(2, 1) }), refuse).children.get('b');
    expect(confined).toEqual({ ...within({ c: set(2, 1) }).children.get('b'), isPart: true });
    expect(() => some.confine(within({ e: set(2) }), refuse)).toThrow('b.e: nothing');
  });

  it.each<[string, Edit, string]>([
    ['what was not loaded', set(1), 'z: nothing'],
    ['a removal', { kind: 'delete', base: {} }, 'b: part'],
    ['another value', set(1), 'b: part'],
    ['another value over an object', set({ c: 1 }, {}), 'b: part'],
    ['nothing', set({}), 'b: part'],
    ['a member that was not loaded', set({ c: 1, e: 1 }), 'b.e: nothing'],
    ['an operator', { kind: 'atomic', operator: '$pull', operand: [], base: [], value: [] }, 'b: part'],
  ])('refuses %s', (_what, edit, told) => {
    const name = told.slice(0, 1);
    expect(() => some.confine(tree({ [name]: edit }), refuse)).toThrow(told);
  });

  it('lets arrays grow', () => {
    const push: Edit = { kind: 'push', base: [], value: [1], added: [1] };
    const atomic: Edit = { kind: 'atomic', operator: '$push', operand: [1], base: [], value: [1] };
    expect(some.confine(tree({ b: push }), refuse)).toEqual(tree({ b: push }));
    expect(some.confine(tree({ b: atomic }), refuse)).toEqual(tree({ b: atomic }));
  });
});

describe('an array whose elements have identity, loaded in part', () => {
  const only = Selection.of(['rows.q']);
  const before = {
    rows: [
      { _id: 1, q: 1 },
      { _id: 2, q: 1 },
    ],
  };
  const edits = (...rows: readonly object[]) => only.confine(treeOf(before, { rows }), refuse).children.get('rows');

  it('can be edited where it was loaded, and can grow', () => {
    const tree = edits({ _id: 1, q: 1 }, { _id: 2, q: 2 }, { _id: 3 });
    expect(tree).toMatchObject({ kind: 'elements', isPart: true, added: [{ _id: 3 }] });
    const element = tree?.kind === 'elements' ? tree.children.get(1) : undefined;
    expect(element).toMatchObject({ kind: 'object', isPart: true, children: new Map([['q', set(2, 1)]]) });
  });

  it('cannot be edited elsewhere, nor be put in order or lose elements', () => {
    expect(() => edits({ _id: 1, q: 1 }, { _id: 2, q: 1, r: 1 })).toThrow('rows.1.r: nothing');
    expect(() => edits({ _id: 1, q: 1 })).toThrow('rows: part');
    expect(() => edits({ _id: 2, q: 1 }, { _id: 1, q: 1 })).toThrow('rows: part');
  });
});

describe('a selection without some paths', () => {
  const rest = Selection.without(['a', 'b.c', '_id']);

  it('is what the server is asked for', () => {
    expect(rest.projection).toEqual({ a: 0, 'b.c': 0, _id: 0 });
    expect(rest.withId(true).projection).toEqual({ a: 0, 'b.c': 0 });
    expect([rest.hasId, rest.isOnly, rest.paths]).toEqual([false, false, ['a', 'b.c']]);
  });

  it('knows how much was loaded', () => {
    expect([rest.at(['a']), rest.at(['a', 'x'])]).toEqual(['nothing', 'nothing']);
    expect([rest.at(['b']), rest.at(['b', 'c']), rest.at(['b', 'd'])]).toEqual(['part', 'nothing', 'whole']);
    expect(rest.at(['z', 'x'])).toBe('whole');
  });
});

describe('a baseline', () => {
  const bytes = encodeDocument({ a: 1 });

  it('knows which part of the document it is', () => {
    const selection = Selection.of(['a']);
    const part = baselineOver(new Layout(), bytes, 0, selection);
    expect([part.selection, part.copy().selection]).toEqual([selection, selection]);
    expect(baselineOver(new Layout(), bytes, 0, null).selection).toBeNull();
  });
});

describe('a pipeline that would be too large', () => {
  it('sets fields whole, but not those that were loaded in part', () => {
    const text = 'x'.repeat(9 * 1024 * 1024);
    const object = (isPart: boolean): Edit => ({
      kind: 'object',
      base: {},
      value: { c: text },
      children: new Map([['c', set(text)]]),
      ...(isPart ? { isPart } : {}),
    });
    const stages = (isPart: boolean) => fallback(tree({ b: object(isPart) })).update as { $set: { b: object } }[];
    expect(Object.keys(stages(false)[0]?.$set.b ?? {})).toEqual(['$literal']);
    expect(Object.keys(stages(true)[0]?.$set.b ?? {})).toEqual(['$cond']);
  });
});
