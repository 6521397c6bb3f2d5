import { describe, expect, it } from 'vitest';
import { compileUpdate, upsertDocument } from '../../../src/engine/update/compile.ts';
import { doc, failure, text } from '../../support/engine.ts';
import { type Input, now } from '../../support/updates.ts';

describe('upserts', () => {
  const upsert = (filter: Input, update: Input | Input[]): string => {
    const compiled = compileUpdate(Array.isArray(update) ? update.map(doc) : doc(update), { now });
    return text(upsertDocument(doc(filter), compiled));
  };

  it.each<[Input, Input | Input[], string]>([
    [{ _id: 1 }, { $set: { a: 1 } }, '{_id: 1, a: 1}'],
    [{ a: 1, _id: 2 }, { $setOnInsert: { b: 3 } }, '{_id: 2, a: 1, b: 3}'],
    [{ _id: 1, a: { $gt: 5 }, b: { $eq: 2 } }, { $inc: { c: 1 } }, '{_id: 1, b: 2, c: 1}'],
    [{ _id: 1, $and: [{ a: 1 }, { 'b.c': 2 }] }, { $set: { d: 1 } }, '{_id: 1, a: 1, b: {c: 2}, d: 1}'],
    [{ _id: 1, $or: [{ a: 1 }] }, { $set: { d: 1 } }, '{_id: 1, a: 1, d: 1}'],
    [{ _id: 1, $or: [{ a: 1 }, { a: 2 }] }, { $set: { d: 1 } }, '{_id: 1, d: 1}'],
    [{ _id: { $in: [1] }, a: { $in: [1, 2] }, b: { $all: [5] } }, { $set: { d: 1 } }, '{_id: 1, b: 5, d: 1}'],
    [{ _id: 1, a: /x/ }, { $set: { d: 1 } }, '{_id: 1, d: 1}'],
    [{ _id: 1, a: 1 }, { $set: { a: 2 } }, '{_id: 1, a: 2}'],
    [{ _id: 1, a: 1 }, { $unset: { a: 1 } }, '{_id: 1}'],
    [{ _id: 1, a: 1 }, { b: 2 }, '{_id: 1, b: 2}'],
    [{ a: 1 }, { _id: 3, b: 2 }, '{_id: 3, b: 2}'],
    [{ a: 1 }, { $set: { _id: 4 } }, '{_id: 4, a: 1}'],
    [{ a: 1 }, { $setOnInsert: { _id: 4 } }, '{_id: 4, a: 1}'],
    [{ _id: 1, a: 1 }, [{ $set: { b: '$a' } }], '{_id: 1, a: 1, b: 1}'],
    [{ _id: 1, 'a.0': 5 }, { $set: { b: 1 } }, '{_id: 1, a: {0: 5}, b: 1}'],
    [{ _id: 1, a: { $elemMatch: { b: 1 } }, c: { $ne: 1 }, d: null }, { $set: { e: 1 } }, '{_id: 1, d: null, e: 1}'],
  ])('%j, %j', (filter, update, expected) => {
    expect(upsert(filter, update)).toBe(expected);
  });

  it('make an _id where none is given, in front', () => {
    expect(upsert({ a: 1 }, { $set: { b: 2 } })).toMatch(/^\{_id: oid\([0-9a-f]{24}\), a: 1, b: 2\}$/);
    expect(upsert({ a: 1 }, { b: 2 })).toMatch(/^\{_id: oid\([0-9a-f]{24}\), b: 2\}$/);
  });

  it.each<[Input, Input, number, string]>([
    [{ $and: [{ a: 1 }, { a: 2 }] }, { $set: { b: 1 } }, 54, "path 'a' is matched twice"],
    [{ a: { $all: [1, 2] } }, { $set: { b: 1 } }, 54, "path 'a' is matched twice"],
    [{ a: 1, 'a.b': 2 }, { $set: { b: 1 } }, 54, 'cannot infer query fields to set'],
    [{ _id: 1 }, { $set: { _id: 2 } }, 66, "immutable field '_id'"],
    [{ _id: 1 }, { _id: 2 }, 66, "(immutable) field '_id'"],
    [{ '_id.a': 1 }, { b: 2 }, 111, "field at '_id' must be exactly specified"],
    [{}, { $set: { _id: { $x: 1 } } }, 52, "_id fields may not contain '$'-prefixed fields"],
    [{}, { $set: { _id: [1] } }, 53, "The '_id' value cannot be of type array"],
    [{ a: 1 }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: 1}"],
  ])('%j, %j fails', (filter, update, code, message) => {
    const error = failure(() => upsert(filter, update));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });
});
