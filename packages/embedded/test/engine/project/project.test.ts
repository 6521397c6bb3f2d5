import { describe, expect, it } from 'vitest';
import { matcher, type MatchDetails } from '../../../src/engine/match/compile.ts';
import { projector } from '../../../src/engine/project/compile.ts';
import { D, doc, failure, text } from '../../support/engine.ts';

type Input = Record<string, unknown>;

describe('projections', () => {
  it.each<[Input, Input, string]>([
    [{}, { _id: 1, a: 1 }, '{_id: 1, a: 1}'],
    [{ a: 1 }, { _id: 1, b: 2, a: 3 }, '{_id: 1, a: 3}'],
    [{ a: true, _id: 0 }, { _id: 1, a: 3 }, '{a: 3}'],
    [{ _id: 1 }, { _id: 1, a: 3 }, '{_id: 1}'],
    [{ _id: 0 }, { _id: 1, a: 3 }, '{a: 3}'],
    [{ a: 0 }, { _id: 1, a: 3, b: 4 }, '{_id: 1, b: 4}'],
    [{ a: D(0), _id: 0 }, { _id: 1, a: 3, b: 4 }, '{b: 4}'],
    // The order is that of the document.
    [{ b: 1, a: 1 }, { a: 1, b: 2, _id: 3 }, '{a: 1, b: 2, _id: 3}'],
    [{ 'a.b': 1 }, { a: { b: 1, c: 2 } }, '{a: {b: 1}}'],
    [{ a: { b: 1 } }, { a: { b: 1, c: 2 } }, '{a: {b: 1}}'],
    [{ 'a.b': 1, 'a.c': 1 }, { a: [{ b: 1, d: 2 }, 5, { c: 3 }, [{ b: 4, d: 5 }]] }, '{a: [{b: 1}, {c: 3}, [{b: 4}]]}'],
    [{ 'a.b': 1 }, { a: 5 }, '{}'],
    [{ 'a.b': 1 }, { a: {} }, '{a: {}}'],
    [{ 'a.b': 0 }, { a: [{ b: 1, c: 2 }, 5] }, '{a: [{c: 2}, 5]}'],
    [{ 'a.0': 1 }, { a: [{ b: 1 }] }, '{a: [{}]}'],
    [{ a: { $slice: 2 } }, { a: [1, 2, 3], b: 1 }, '{a: [1, 2], b: 1}'],
    [{ a: { $slice: -1 } }, { a: [1, 2, 3] }, '{a: [3]}'],
    [{ a: { $slice: [1, 1] } }, { a: [1, 2, 3] }, '{a: [2]}'],
    [{ a: { $slice: [-2, 1] } }, { a: [1, 2, 3] }, '{a: [2]}'],
    [{ a: { $slice: 1 }, b: 1 }, { a: [1, 2], b: 1, c: 1 }, '{a: [1], b: 1}'],
    [{ a: { $slice: 1 }, b: 0 }, { a: [1, 2], b: 1, c: 1 }, '{a: [1], c: 1}'],
    [{ a: { $slice: 1 } }, { a: 5 }, '{a: 5}'],
    [{ a: { $slice: ['$b', 1] } }, { b: [1, 2] }, '{a: [1]}'],
    [{ a: { $elemMatch: { x: 2 } } }, { _id: 1, a: [{ x: 1 }, { x: 2, y: 3 }], b: 1 }, '{_id: 1, a: [{x: 2, y: 3}]}'],
    [{ a: { $elemMatch: { $gt: 1 } }, b: 1 }, { a: [1, 2, 3], b: 1 }, '{b: 1, a: [2]}'],
    [{ a: { $elemMatch: { $gt: 9 } } }, { _id: 1, a: [1] }, '{_id: 1}'],
    [{ c: { $add: ['$a', 1] } }, { _id: 1, a: 1, b: 2 }, '{_id: 1, c: 2}'],
    [{ a: 1, c: '$b' }, { a: 1, b: 2 }, '{a: 1, c: 2}'],
    [{ a: '$missing' }, { a: 1 }, '{}'],
    [{ a: { x: '$b', y: 1 } }, { a: { y: 5, z: 6 }, b: 2 }, '{a: {y: 5, x: 2}}'],
    [{ a: { x: '$b' } }, { a: [{ y: 1 }, 5], b: 2 }, '{a: [{x: 2}]}'],
    [{ a: { x: '$b' } }, { a: 5, b: 2 }, '{a: {x: 2}}'],
    [{ a: 'text' }, {}, '{a: "text"}'],
    [{ _id: '$a' }, { _id: 1, a: 2 }, '{_id: 2}'],
  ])('%j of %j', (spec, document, expected) => {
    expect(text(projector(doc(spec))(doc(document)))).toBe(expected);
  });

  it('take the element that the filter matched', () => {
    const document = doc({ _id: 1, a: [1, 2, 3], b: 4 });
    const details: MatchDetails = { index: undefined };
    expect(matcher(doc({ a: { $gt: 1 } }))(document, details)).toBe(true);
    expect(text(projector(doc({ 'a.$': 1 }))(document, details))).toBe('{_id: 1, a: [2]}');
    expect(failure(() => projector(doc({ 'a.$': 1 }))(document)).code).toBe(51246);
  });

  it.each<[Input, number, string]>([
    [{ a: 1, b: 0 }, 31254, 'Cannot do exclusion on field b in inclusion projection'],
    [{ a: 0, b: 1 }, 31253, 'Cannot do inclusion on field b in exclusion projection'],
    [{ a: 0, b: '$c' }, 31310, 'in an exclusion projection'],
    [{ a: 0, b: { $add: [1, 2] } }, 31252, 'in exclusion projection'],
    [{ a: 1, 'a.b': 1 }, 31249, 'Path collision at a.b remaining portion b'],
    [{ 'a.b': 1, a: 1 }, 31250, 'Path collision at a'],
    [{ a: {} }, 51270, 'An empty sub-projection is not a valid value'],
    [{ a: { $meta: 'textScore' } }, 238, '$meta'],
    [{ a: { $foo: 1 } }, 31325, 'Unknown expression $foo'],
    [{ a: { $elemMatch: 1 } }, 31274, 'object required'],
    [{ 'a..b': 1 }, 15998, 'may not be empty'],
    [{ $a: 1 }, 16410, "may not start with '$'"],
    [{ 'a.$': 1, 'b.$': 1 }, 31276, 'more than one positional'],
  ])('refuse %j', (spec, code, message) => {
    const error = failure(() => projector(doc(spec)));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });
});
