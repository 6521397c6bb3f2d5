import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import type { PipelineReason } from '../../src/update/operators.ts';
import { pipeline } from '../../src/update/pipeline.ts';
import { adds, fallback, needsPipelineInBatch, plan } from '../../src/update/plan.ts';
import { StateTracker } from '../../src/tracking/state-tracker.ts';
import { nest, treeOf } from '../support/laws-trees.ts';

describe('plan', () => {
  it('says what it can in operators', () => {
    expect(plan(treeOf({ a: 1 }, { a: 2 }))).toEqual({ update: { $set: { a: 2 } } });
    expect(plan(treeOf({ a: { 1: 1 } }, { a: { 1: 2 } }), { inTransaction: false })).toEqual({
      update: { $set: { 'a.1': 2 } },
      guard: { a: { $not: { $type: 'array' } } },
    });
  });

  it('says the whole tree as a pipeline where one key cannot be said', () => {
    const tree = treeOf({ a: 1, o: { 1: 1 } }, { a: 2, o: { 1: 2, '': 1 } });
    expect(plan(tree)).toEqual({ update: pipeline(tree), reason: 'unnameable-key' });
  });

  it('finds elements by filters, and texts as they are', () => {
    const tree = treeOf({ rows: [{ _id: 1 }] }, { rows: [{ _id: 1, q: 'x' }] });
    expect(plan(tree)).toEqual({ update: { $set: { 'rows.$[e0].q': 'x' } }, arrayFilters: [{ 'e0._id': 1 }] });
    const texts = treeOf({ rows: [{ _id: 'a' }] }, { rows: [{ _id: 'a', q: 1 }] });
    expect(plan(texts)).toMatchObject({ arrayFilters: [{ 'e0._id': 'a' }], collation: { locale: 'simple' } });
    expect(fallback(texts)).toEqual({
      update: pipeline(texts),
      reason: 'shape-changed',
      collation: { locale: 'simple' },
    });
  });

  it.each<[string, object, object]>([
    ['a new identity', { rows: [{ _id: 1 }] }, { rows: [{ _id: 1 }, { _id: 'a' }] }],
    ['an element at its place', { o: { l: [['a'], 0] } }, { o: { l: [['b'], 0] } }],
    ['a member of such an element', { l: [{ a: { b: 'x' } }, 0] }, { l: [1, 0] }],
    ['a member of a Map in such an element', { l: [new Map([['a', 'x']]), 0] }, { l: [1, 0] }],
    ['a symbol', { l: [new BSON.BSONSymbol('x'), 0] }, { l: [1, 0] }],
    ['an identity below an element', { l: [{ _id: 1, m: [{ _id: 'a' }] }] }, { l: [{ _id: 1, m: [] }] }],
  ])('compares texts as they are where there is one in %s', (_, before, after) => {
    expect(plan(treeOf(before, after)).collation).toEqual({ locale: 'simple' });
  });

  it('needs no collation where it compares no texts', () => {
    expect(plan(treeOf({ l: [1, 0], s: ['a'], t: 'a' }, { l: [2, 0], s: ['b'], t: 'b' })).collation).toBeUndefined();
  });

  it('says a pipeline when asked to', () => {
    const tree = treeOf({ a: { 1: 1 } }, { a: { 1: 2 } });
    expect(plan(tree, { isRetry: true })).toEqual({ update: pipeline(tree), reason: 'conflict-retry' });
  });

  it.each<[string, object, object, PipelineReason]>([
    ['an empty key', { o: { '': 1 } }, { o: { '': 2 } }, 'unnameable-key'],
    ['a key with a dot', { 'a.b': 1 }, { 'a.b': 2 }, 'unnameable-key'],
    ['a key below an element', { l: [{ _id: 1, $x: 1 }] }, { l: [{ _id: 1, $x: 2 }] }, 'unnameable-key'],
    ['an edit and a removal', { l: [{ _id: 1 }, { _id: 2 }] }, { l: [{ _id: 1, q: 1 }] }, 'mixed-array-edits'],
    ['another order', { l: [{ _id: 1 }, { _id: 2 }] }, { l: [{ _id: 2 }, { _id: 1 }] }, 'mixed-array-edits'],
    ['a number-like key below an element', { l: [{ _id: 1, 7: 1 }] }, { l: [{ _id: 1, 7: 2 }] }, 'below-element'],
    ['a place below an element', { l: [{ _id: 1, m: [1, 2] }] }, { l: [{ _id: 1, m: [1, 3] }] }, 'below-element'],
    [
      'an addition below an element',
      { l: [{ _id: 1, m: [{ _id: 1 }] }] },
      { l: [{ _id: 1, m: [{ _id: 1 }, { _id: 2 }] }] },
      'below-element',
    ],
  ])('says why it is a pipeline: %s', (_, before, after, reason) => {
    const tree = treeOf(before, after);
    expect(plan(tree)).toMatchObject({ update: pipeline(tree), reason });
    // When it is sent changes nothing about that.
    expect(plan(tree, { inTransaction: true, isRetry: true }).reason).toBe(reason);
  });

  it('is a pipeline in a transaction where the operators could be refused', () => {
    const tree = treeOf({ a: { b: 1 } }, { a: { b: 2 } });
    expect(plan(tree, { inTransaction: true })).toEqual({ update: pipeline(tree), reason: 'transaction' });
    const whole = treeOf({ a: 1 }, { a: 2 });
    expect(plan(whole, { inTransaction: true })).toEqual({ update: { $set: { a: 2 } } });
  });

  it('has its reason in what a tracker shows', () => {
    const tracker = new StateTracker<Record<string, unknown>>({ o: { '': 1 }, n: 1 });
    tracker.set('n', 2);
    expect(tracker.toUpdate()).not.toHaveProperty('reason');
    tracker.set('o', { '': 2 });
    expect(tracker.toUpdate()?.reason).toBe('unnameable-key');
  });
});

describe('fallback', () => {
  it('is the pipeline', () => {
    const tree = treeOf({ a: [1] }, { a: [1, 2] });
    expect(fallback(tree)).toEqual({ update: pipeline(tree), reason: 'shape-changed' });
  });

  it('sets fields whole where the pipeline would exceed the limit of the server', () => {
    const long = 'x'.repeat(6 * 1024 * 1024);
    const tree = treeOf({ o: { a: 1 }, gone: 1, 'x.y': { z: [] } }, { o: { a: long, b: long }, 'x.y': { z: [1] } });
    expect(fallback(tree).update).toEqual([
      { $set: { o: { $literal: { a: long, b: long } } } },
      { $unset: ['gone'] },
      { $replaceWith: { $mergeObjects: ['$$ROOT', { $literal: { 'x.y': { z: [1] } } }] } },
    ]);
  });

  it('nests no deeper than a server takes, for the deepest document', () => {
    // The command holds the update in its list; 100 levels of document lie around and below the edits.
    const inArrays = (levels: number, value: unknown): unknown =>
      levels === 0 ? value : [inArrays(levels - 1, value)];
    // In another order each time, which nests deepest.
    let order = 1;
    const inElements = (levels: number, value: unknown): unknown =>
      levels < 2 ? value : [{ _id: 1, l: inElements(levels - 2, value) }, { _id: order }, { _id: -order }];
    const inOtherElements = (levels: number, value: unknown): unknown => {
      order = value === 1 ? 2 : -2;
      return inElements(levels, value);
    };
    for (const wrap of [nest, inArrays, inOtherElements]) {
      const tree = treeOf({ a: wrap(99, 1) as object }, { a: wrap(99, 2) as object });
      expect(depthOf({ updates: [{ u: fallback(tree).update }] })).toBeLessThanOrEqual(200);
      expect(() => BSON.serialize({ u: fallback(tree).update })).not.toThrow();
    }
  });
});

describe('adds', () => {
  const rows = [{ _id: 1, l: [1] }];

  it('is true where sending twice leaves another value', () => {
    expect(adds(treeOf({ a: [1] }, { a: [1, 2] }))).toBe(true);
    expect(adds(treeOf({ rows }, { rows: [{ _id: 1, l: [1, 2] }] }))).toBe(true);
  });

  it('is false for elements that have identity', () => {
    expect(adds(treeOf({ rows }, { rows: [...rows, { _id: 2 }] }))).toBe(false);
    expect(adds(treeOf({ rows }, { rows: [{ _id: 2 }, { _id: 1, l: [2] }] }))).toBe(false);
  });
});

describe('needsPipelineInBatch', () => {
  it('is true for dotted paths and array operators', () => {
    expect(needsPipelineInBatch(treeOf({ a: {} }, { a: { b: 1 } }))).toBe(true);
    expect(needsPipelineInBatch(treeOf({ a: [] }, { a: [1] }))).toBe(true);
    expect(needsPipelineInBatch(treeOf({ a: [{ _id: 1 }] }, { a: [] }))).toBe(true);
    expect(needsPipelineInBatch(treeOf({ a: [1, 0] }, { a: [2, 0] }))).toBe(true);
  });

  it('is false for whole fields', () => {
    expect(needsPipelineInBatch(treeOf({ a: 1, b: 1 }, { a: { c: 1 } }))).toBe(false);
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
