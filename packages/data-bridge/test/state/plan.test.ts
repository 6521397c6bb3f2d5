import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { pipeline } from '../../src/state/pipeline.ts';
import { fallback, needsPipelineInBatch, plan } from '../../src/state/plan.ts';
import { nest, treeOf } from '../support/laws-trees.ts';

describe('plan', () => {
  it('says what it can in operators', () => {
    expect(plan(treeOf({ a: 1 }, { a: 2 }))).toEqual({ update: { $set: { a: 2 } } });
    expect(plan(treeOf({ a: { 1: 1 } }, { a: { 1: 2 } }), { form: 'auto' })).toEqual({
      update: { $set: { 'a.1': 2 } },
      guard: { a: { $not: { $type: 'array' } } },
    });
  });

  it('says the whole tree as a pipeline where one key cannot be said', () => {
    const tree = treeOf({ a: 1, o: { 1: 1 } }, { a: 2, o: { 1: 2, '': 1 } });
    expect(plan(tree)).toEqual({ update: pipeline(tree) });
  });

  it('says a pipeline when asked to', () => {
    const tree = treeOf({ a: { 1: 1 } }, { a: { 1: 2 } });
    expect(plan(tree, { form: 'pipeline' })).toEqual({ update: pipeline(tree) });
  });
});

describe('fallback', () => {
  it('is the pipeline', () => {
    const tree = treeOf({ a: [1] }, { a: [1, 2] });
    expect(fallback(tree)).toEqual({ update: pipeline(tree) });
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
    for (const wrap of [nest, inArrays]) {
      const tree = treeOf({ a: wrap(99, 1) as object }, { a: wrap(99, 2) as object });
      expect(depthOf({ updates: [{ u: fallback(tree).update }] })).toBeLessThanOrEqual(200);
      expect(() => BSON.serialize({ u: fallback(tree).update })).not.toThrow();
    }
  });
});

describe('needsPipelineInBatch', () => {
  it('is true for dotted paths and array operators', () => {
    expect(needsPipelineInBatch(treeOf({ a: {} }, { a: { b: 1 } }))).toBe(true);
    expect(needsPipelineInBatch(treeOf({ a: [] }, { a: [1] }))).toBe(true);
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
