import { describe, expect, it } from 'vitest';
import { ABSENT, encodeDocument } from '../../src/bson/encode.ts';
import { Layout } from '../../src/bson/layout.ts';
import { BsonBaseline } from '../../src/tracking/bson-baseline.ts';
import { ObjectBaseline } from '../../src/tracking/object-baseline.ts';
import { treeOf } from '../../src/tracking/state-tracker.ts';

describe('ObjectBaseline', () => {
  it('writes to the object that it was made over', () => {
    const data: Record<string, unknown> = { a: 1 };
    const baseline = new ObjectBaseline(data);
    baseline.set('a', 2);
    baseline.set('b', 3);
    expect(data).toStrictEqual({ a: 2, b: 3 });
    baseline.set('a', undefined);
    expect(data).toStrictEqual({ b: 3 });
  });

  it('keeps a copy only of what is handed out or written', () => {
    const data = { list: [1], other: [1], text: 'a' };
    const baseline = new ObjectBaseline(data);
    baseline.get('list');
    baseline.get('text');
    data.list.push(2);
    data.other.push(2);
    data.text = 'b';
    expect(['list', 'other', 'text'].map((name) => baseline.original(name))).toEqual([[1], [1, 2], 'b']);
    expect(['list', 'other', 'text'].map((name) => baseline.differs(name))).toEqual([true, false, false]);
  });

  it('is copied with its changes and its originals', () => {
    const data: Record<string, unknown> = { list: [1], text: 'a', other: [1] };
    const baseline = new ObjectBaseline(data);
    (baseline.get('list') as number[]).push(2);
    baseline.set('text', undefined);
    baseline.set('new', 1);
    const copy = baseline.copy();
    (baseline.get('list') as number[]).push(3);
    (baseline.get('other') as number[]).push(2);
    baseline.set('new', 2);
    expect(copy.toObject()).toStrictEqual({ list: [1, 2], other: [1], new: 1 });
    copy.revert();
    expect(copy.toObject()).toStrictEqual({ list: [1], other: [1], text: 'a' });
    expect(data).toStrictEqual({ list: [1, 2, 3], other: [1, 2], new: 2 });
    expect([copy.sharesOriginal(baseline), copy.sharesOriginal(new ObjectBaseline({}))]).toEqual([true, false]);
    const tree = treeOf(baseline);
    if (tree !== null) baseline.settle(tree);
    expect(copy.sharesOriginal(baseline)).toBe(false);
    expect(copy.sharesOriginal(new BsonBaseline(new Layout(), encodeDocument({}), 0))).toBe(false);
  });

  it('knows null, absent and undefined apart', () => {
    const baseline = new ObjectBaseline({ none: null, hidden: undefined });
    expect([baseline.exact('none'), baseline.exact('hidden'), baseline.exact('absent')]).toEqual([
      null,
      ABSENT,
      ABSENT,
    ]);
    expect([baseline.has('none'), baseline.has('hidden'), baseline.has('absent')]).toEqual([true, false, false]);
    expect(baseline.names()).toEqual(['none']);
    baseline.set('none', 1);
    baseline.set('hidden', 1);
    expect([baseline.exact('none'), baseline.exact('hidden'), baseline.original('none')]).toEqual([null, ABSENT, null]);
    baseline.set('none', undefined);
    expect([baseline.differs('none'), baseline.differs('hidden')]).toEqual([true, true]);
    baseline.revert();
    expect([baseline.current('none'), baseline.has('hidden'), baseline.isModified()]).toEqual([null, false, false]);
  });

  it('takes equal values of other classes for no change', () => {
    const baseline = new ObjectBaseline({ map: new Map([['a', 1]]), when: new Date(0) });
    baseline.set('map', { a: 1 });
    baseline.set('when', new Date(0));
    expect(baseline.isModified()).toBe(false);
  });

  it('leaves alone what is no own member', () => {
    const inherited = Object.create({ name: 'inherited' }) as object;
    const baseline = new ObjectBaseline(inherited);
    expect([baseline.get('name'), baseline.has('name'), baseline.get('toString')]).toEqual([
      undefined,
      false,
      undefined,
    ]);
  });

  it('settles what was sent, and keeps watching what can change in place', () => {
    const baseline = new ObjectBaseline({ list: [1], text: 'a', gone: 1 });
    const list = baseline.get('list') as number[];
    list.push(2);
    baseline.set('text', 'b');
    baseline.set('gone', undefined);
    const tree = treeOf(baseline);
    if (tree === null) throw new Error('Expected changes');
    list.push(3);
    baseline.settle(tree);
    expect([baseline.differs('list'), baseline.differs('text'), baseline.differs('gone')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(baseline.original('list')).toEqual([1, 2]);
    expect(baseline.original('text')).toBe('b');
    expect(baseline.original('gone')).toBeUndefined();
  });

  it('gives live values as they are, copied', () => {
    const value = { a: [1] };
    const live = new ObjectBaseline({}).live(value);
    expect(live).toEqual(value);
    expect(live).not.toBe(value);
  });
});
