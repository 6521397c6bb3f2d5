import { Binary, BSON, Double, Int32, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { ABSENT } from '../../src/bson/encode.ts';
import { Layout } from '../../src/bson/layout.ts';
import { BsonBaseline } from '../../src/tracking/bson-baseline.ts';
import { baselineOf, moveTo, StateTracker, treeOf } from '../../src/tracking/state-tracker.ts';

const over = (document: object, layout = new Layout()) => new BsonBaseline(layout, BSON.serialize(document), 0);
/** Of two layouts one has learned so many names that the fields of a document are found by searching. */
const layouts: [string, () => Layout][] = [
  ['a layout that knows the fields', () => new Layout()],
  [
    'a full layout',
    () =>
      new Layout(
        {},
        Array.from({ length: Layout.maxNames }, (_, i) => `name${i}`),
      ),
  ],
];

describe.each(layouts)('BsonBaseline with %s', (_, layout) => {
  it('reads each field once', () => {
    const baseline = over({ list: [1], text: 'a' }, layout());
    expect(baseline.get('list')).toBe(baseline.get('list'));
    expect([baseline.get('text'), baseline.get('text'), baseline.get('absent')]).toEqual(['a', 'a', undefined]);
  });

  it('gives a stored object with its keys in their order', () => {
    const baseline = over({ list: [{ b: 1 }], object: { b: { z: 1, 1: 2 }, a: 1 } }, layout());
    const object = baseline.ordered('object') as Map<string, unknown>;
    expect([...object.keys()]).toEqual(['b', 'a']);
    expect(baseline.ordered('absent')).toBe(ABSENT);
  });

  it('gives current values of what was touched only', () => {
    const baseline = over({ list: [1], text: 'a' }, layout());
    expect(baseline.current('list')).toBeUndefined();
    baseline.get('list');
    baseline.set('text', undefined);
    expect([baseline.current('list'), baseline.current('text')]).toEqual([[1], undefined]);
    expect([baseline.get('text'), baseline.has('text'), baseline.has('list')]).toEqual([undefined, false, true]);
  });

  it('is copied with its changes and without its original', () => {
    const baseline = over({ list: [1], text: 'a', number: 1, same: 's', gone: 1 }, layout());
    const list = baseline.get('list') as number[];
    list.push(2);
    baseline.set('z', { deep: [1] });
    baseline.set('a', 1);
    baseline.set('same', 's');
    baseline.set('gone', undefined);
    const copy = baseline.copy();
    const then = { list: [1, 2], text: 'a', number: 1, same: 's', z: { deep: [1] }, a: 1 };
    list.push(3);
    (baseline.get('z') as { deep: number[] }).deep.push(2);
    baseline.set('text', 'b');
    baseline.revert('a');
    expect([copy.sharesOriginal(baseline), copy.sharesOriginal(over({}))]).toEqual([true, false]);
    expect(copy.toObject()).toStrictEqual(then);
    expect(copy.names()).toEqual(['list', 'text', 'number', 'same', 'z', 'a']);
    expect(treeOf(copy)?.children.size).toBe(4);
    copy.revert();
    expect([copy.toObject(), copy.get('list') === list]).toEqual([
      { list: [1], text: 'a', number: 1, same: 's', gone: 1 },
      false,
    ]);
  });

  it('is copied as it was settled last', () => {
    const baseline = over({ text: 'a' }, layout());
    baseline.set('text', 'b');
    const tree = treeOf(baseline);
    const before = baseline.copy();
    if (tree !== null) baseline.settle(tree);
    const copy = baseline.copy();
    expect([before, copy].map((each) => each.sharesOriginal(baseline))).toEqual([false, true]);
    expect([copy.original('text'), copy.isModified()]).toEqual(['b', false]);
  });

  it('knows what changed, one by one and in all', () => {
    const baseline = over({ list: [1], text: 'a', number: 1 }, layout());
    expect([baseline.isModified(), baseline.differs('list')]).toEqual([false, false]);
    baseline.get('text');
    baseline.get('list');
    baseline.set('number', 1);
    expect(baseline.isModified()).toBe(false);
    baseline.set('number', 2);
    baseline.set('number', 3);
    baseline.set('new', 1);
    baseline.set('absent', undefined);
    baseline.set('text', undefined);
    const changes: [string, unknown][] = [];
    baseline.eachChange((name, value) => changes.push([name, value]));
    expect(Object.fromEntries(changes)).toStrictEqual({ number: 3, new: 1, text: undefined });
    expect(baseline.isModified()).toBe(true);
    expect(baseline.names()).toEqual(['list', 'number', 'new']);
    expect(baseline.toObject()).toStrictEqual({ list: [1], number: 3, new: 1 });
  });

  it('goes back, of one field or of all', () => {
    const baseline = over({ list: [1], text: 'a' }, layout());
    baseline.set('text', 'b');
    baseline.set('new', 1);
    (baseline.get('list') as number[]).push(2);
    baseline.revert('text');
    baseline.revert('never touched');
    expect([baseline.get('text'), baseline.differs('text'), baseline.differs('list')]).toEqual(['a', false, true]);
    baseline.revert();
    expect([baseline.isModified(), baseline.has('new'), baseline.get('list')]).toEqual([false, false, [1]]);
  });

  it('settles what was sent; what was changed since differs still', () => {
    const baseline = over({ list: [1], text: 'a', gone: 1, back: 1 }, layout());
    const list = baseline.get('list') as number[];
    list.push(2);
    baseline.set('text', 'b');
    baseline.set('gone', undefined);
    baseline.set('back', undefined);
    baseline.set('new', 1);
    const tree = treeOf(baseline);
    if (tree === null) throw new Error('Expected changes');
    list.push(3);
    baseline.set('text', 'c');
    baseline.set('back', 1);
    baseline.set('later', 1);
    baseline.settle(tree);
    const changed: string[] = [];
    baseline.eachChange((name) => changed.push(name));
    expect(changed.toSorted()).toEqual(['back', 'later', 'list', 'text']);
    expect(baseline.get('list')).toBe(list);
    expect([baseline.has('gone'), baseline.exact('gone')]).toEqual([false, ABSENT]);
    baseline.revert();
    expect(baseline.toObject()).toEqual({ list: [1, 2], text: 'b', new: 1 });
  });

  it('carries a value over from another baseline', () => {
    const baseline = over({ same: [1], other: 'a', gone: 1 }, layout());
    const same = [1];
    baseline.carry('same', same);
    baseline.carry('other', 'b');
    baseline.carry('gone', undefined);
    baseline.carry('absent', undefined);
    expect(['same', 'other', 'gone', 'absent'].map((name) => baseline.differs(name))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(baseline.get('same')).toBe(same);
  });
});

describe('BsonBaseline', () => {
  it('gives originals with their types, and as the program reads them', () => {
    const baseline = over({ long: Long.fromNumber(5), double: new Double(1) });
    expect([baseline.exact('long'), baseline.exact('double'), baseline.exact('absent')]).toEqual([
      Long.fromNumber(5),
      new Double(1),
      ABSENT,
    ]);
    expect([baseline.original('long'), baseline.original('absent')]).toEqual([5, undefined]);
    expect(baseline.live([Long.fromNumber(5), { a: new Double(1) }], ['list'])).toEqual([5, { a: 1 }]);
  });

  it('reads a field as its layout says', () => {
    const layout = new Layout({}, [], new Map([['long', (value: unknown) => BigInt(value as number)]]));
    const baseline = over({ long: 5, other: 5 }, layout);
    expect([baseline.get('long'), baseline.get('other'), baseline.original('long')]).toEqual([5n, 5, 5n]);
    expect(baseline.toObject()).toEqual({ long: 5n, other: 5 });
    expect([baseline.live(6, ['long']), baseline.live(6, ['long', 0])]).toEqual([6n, 6]);
    expect(baseline.isModified()).toBe(false);
  });

  it('takes the BSON type undefined for absent', () => {
    // case: {a: undefined} as old drivers stored it
    const bytes = Buffer.from([8, 0, 0, 0, 0x06, 0x61, 0, 0]);
    const baseline = new BsonBaseline(new Layout(), bytes, 0);
    expect([baseline.get('a'), baseline.has('a'), baseline.names()]).toEqual([undefined, false, []]);
    baseline.set('a', undefined);
    expect([baseline.isModified(), treeOf(baseline)]).toEqual([false, null]);
    baseline.set('a', null);
    expect(baseline.isModified()).toBe(true);
  });

  it('keeps the subtype of bytes that the options hide', () => {
    const stored = { o: { b: new Binary(Buffer.from([1]), 5), c: 1, d: [1, 2] } };
    const bytes = BSON.serialize(stored);
    const tracker = StateTracker.fromBson<{ o: { b: Uint8Array; d: number[] } }>(bytes, { promoteBuffers: true });
    tracker.get('o').b[0] = 2;
    tracker.get('o').d.pop();
    const set = { 'o.b': new Binary(Buffer.from([2]), 5), 'o.d': [new Int32(1)] };
    expect(tracker.toUpdate()).toEqual({ update: { $set: set } });
  });

  it('lies where it is put', () => {
    const document = BSON.serialize({ a: 1 });
    const arena = Buffer.concat([Buffer.alloc(3, 255), document, Buffer.alloc(3, 255)]);
    const baseline = new BsonBaseline(new Layout(), arena, 3);
    expect(baseline.toObject()).toEqual({ a: 1 });
    baseline.set('a', 2);
    const tree = treeOf(baseline);
    if (tree !== null) baseline.settle(tree);
    expect([baseline.exact('a'), baseline.isModified()]).toEqual([new Int32(2), false]);
  });

  it('may take the place of another baseline of a tracker', () => {
    const tracker = new StateTracker({ a: 1 });
    tracker.set('a', 2);
    const baseline = over({ a: 3 });
    moveTo(tracker as never, baseline);
    expect(baselineOf(tracker as never)).toBe(baseline);
    expect([tracker.get('a'), tracker.isModified()]).toEqual([3, false]);
  });
});
