import { BSON, Int32, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { LateBytes } from '../../src/bson/encode.ts';
import { Layout } from '../../src/bson/layout.ts';
import type { Baseline } from '../../src/tracking/baseline.ts';
import { BsonBaseline } from '../../src/tracking/bson-baseline.ts';
import { ObjectBaseline } from '../../src/tracking/object-baseline.ts';
import { editOf, editsOf, treeOf } from '../../src/tracking/state-tracker.ts';

const data = () => ({ _id: new ObjectId(), name: 'Ann', tags: ['a'], box: { a: 1 }, when: new Date(5) });

const baselines: readonly (readonly [string, (document: object) => Baseline])[] = [
  ['bytes', (document) => new BsonBaseline(new Layout({}), BSON.serialize(document), 0)],
  ['bytes that come late', (document) => BsonBaseline.late(new Layout({}), new LateBytes(document))],
  ['an object', (document) => new ObjectBaseline(document)],
];

describe.each(baselines)('edits field by field over %s', (_, over) => {
  it('are those of the tree, except for fields whose edit is made later', () => {
    const baseline = over(data());
    baseline.set('name', 'Bob');
    (baseline.get('tags') as string[]).push('b');
    baseline.get('box');
    baseline.set('fresh', 7);
    const edits = editsOf(baseline, (name) => name === 'tags' || name === 'box');
    expect([...edits.keys()].toSorted()).toEqual(['fresh', 'name', 'tags']);
    expect(edits.get('tags')).toBeNull();
    const tree = treeOf(baseline);
    for (const name of ['name', 'fresh']) expect(edits.get(name)?.kind).toBe(tree?.children.get(name)?.kind);
    expect(editOf(baseline, 'tags')).toMatchObject({ kind: 'push', added: ['b'] });
    expect(editOf(baseline, 'box')).toBeNull();
    expect(editOf(baseline, 'when')).toBeNull();
  });

  it('are none yet of what cannot be stored as it is', () => {
    const baseline = over(data());
    baseline.set('name', () => {});
    expect(editsOf(baseline, () => false).get('name')).toBeNull();
    expect(() => editOf(baseline, 'name', (name) => `shown ${name}`)).toThrow(/shown name/);
  });

  it('pass on what else is thrown', () => {
    const baseline = over(data());
    const toBSON = (): never => {
      throw new RangeError('of the program');
    };
    baseline.set('name', { toBSON });
    expect(() => editsOf(baseline, () => false)).toThrow(/of the program/);
  });
});

describe('the tree of edits', () => {
  it('has no field that was only said to differ', () => {
    class Suspicious extends ObjectBaseline {
      override eachChange(visit: (name: string, value: unknown) => void): void {
        visit('name', 'Ann');
        visit('tags', ['b']);
      }
    }
    expect([...(treeOf(new Suspicious(data()))?.children.keys() ?? [])]).toEqual(['tags']);
  });
});

describe('a baseline over many names', () => {
  it('makes edits later for names that the layout has no room for, too', () => {
    const layout = new Layout({});
    const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`n${i}`, i]));
    const baseline = new BsonBaseline(layout, BSON.serialize(many), 0);
    for (let i = 0; i < 3000; i++) baseline.set(`n${i}`, i + 1);
    baseline.set('n2999', 2999);
    const edits = editsOf(baseline, (name) => name === 'n0' || name === 'n2998');
    expect(edits.size).toBe(2999);
    expect(edits.get('n0')).toBeNull();
    expect(edits.get('n2998')).toBeNull();
    expect(editOf(baseline, 'n2998')).toMatchObject({ kind: 'set' });
  });
});

describe('a baseline over bytes that come late', () => {
  it('takes over what the program holds, and reads it as it comes back from a server', () => {
    const sent = { text: 'a', flag: true, size: 1, big: 5n, box: { a: 1 } };
    for (const promoteValues of [true, false]) {
      const baseline = BsonBaseline.late(new Layout({ promoteValues }), new LateBytes(sent));
      for (const [name, value] of Object.entries(sent)) baseline.carry(name, value);
      expect(baseline.current('big')).toBeUndefined();
      expect(baseline.current('text')).toBe('a');
      expect(baseline.current('size')).toBe(promoteValues ? 1 : undefined);
      expect(baseline.get('size')).toEqual(promoteValues ? 1 : new Int32(1));
      expect(baseline.isModified()).toBe(false);
      baseline.carry('text', 'b');
      expect(baseline.differs('text')).toBe(true);
    }
  });

  it('encodes once', () => {
    const late = new LateBytes({ a: 1 });
    const { bytes } = late;
    expect(late.bytes).toBe(bytes);
  });
});
