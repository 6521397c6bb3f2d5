import * as bson from 'bson';
import { describe, expect, it } from 'vitest';
import { type MatchDetails, matcher } from '../../src/engine/match.ts';
import { compileUpdate, upsertDocument } from '../../src/engine/update.ts';
import { DateTime, type Document } from '../../src/engine/value.ts';
import { D, dec, doc, failure, L, text } from './support.ts';

type Input = Record<string, unknown>;

const now = new DateTime(1_700_000_000_123n);

interface Options {
  readonly arrayFilters?: Input[];
  readonly filter?: Input;
}

function apply(update: Input | Input[], document: Input | Map<string, unknown>, options: Options = {}): Document {
  const compiled = compileUpdate(Array.isArray(update) ? update.map(doc) : doc(update), {
    now,
    arrayFilters: options.arrayFilters?.map(doc),
  });
  const stored = doc(document);
  const details: MatchDetails = { index: undefined };
  if (options.filter !== undefined) expect(matcher(doc(options.filter))(stored, details)).toBe(true);
  const before = text(stored);
  try {
    return compiled.apply(stored, details);
  } finally {
    // Whatever comes out, the document that went in is untouched.
    expect(text(stored)).toBe(before);
  }
}

describe('field operators', () => {
  it.each<[Input, Input, string]>([
    [{ $set: { a: 1 } }, {}, '{a: 1}'],
    [{ $set: { a: D(1) } }, { a: 1, b: 2 }, '{a: 1.0, b: 2}'],
    [{ $set: { 'a.b.c': 1 } }, {}, '{a: {b: {c: 1}}}'],
    [{ $set: { 'a.b': 1 } }, { a: { c: 2 } }, '{a: {c: 2, b: 1}}'],
    [{ $set: { 'a.1': 9 } }, { a: [1, 2] }, '{a: [1, 9]}'],
    [{ $set: { 'a.3': 9 } }, { a: [1] }, '{a: [1, null, null, 9]}'],
    [{ $set: { 'a.0.b': 9 } }, { a: [{ b: 1 }] }, '{a: [{b: 9}]}'],
    [{ $set: { 'a.01': 9 } }, { a: [1, 2] }, '{a: [1, 9]}'],
    [{ $set: { 'a.0': 9 } }, {}, '{a: {0: 9}}'],
    [{ $set: { 'a.0': 9 } }, { a: {} }, '{a: {0: 9}}'],
    [{ $set: { a: { $x: 1 } } }, {}, '{a: {$x: 1}}'],
    // MongoDB adds new fields by name, numeric ones by number.
    [{ $set: { b: 1, c: 2, a: 3 } }, { c: 0 }, '{c: 2, a: 3, b: 1}'],
    [{ $set: { 'm.10': 1, 'm.9': 2, 'm.x': 3 } }, {}, '{m: {9: 2, 10: 1, x: 3}}'],
    [{ $set: { b: 1 }, $inc: { a: 2 } }, {}, '{a: 2, b: 1}'],
    [{ $set: {} }, { a: 1 }, '{a: 1}'],
    [{ $unset: { a: '', 'b.c': 1, x: 1 } }, { a: 1, b: { c: 1, d: 2 } }, '{b: {d: 2}}'],
    [{ $unset: { 'a.1': '' } }, { a: [1, 2, 3] }, '{a: [1, null, 3]}'],
    [{ $unset: { 'a.5': '' } }, { a: [1] }, '{a: [1]}'],
    [{ $unset: { 'a.b.c': '', 'x.y': '' } }, { a: { b: 5 } }, '{a: {b: 5}}'],
    [{ $unset: { 'a.b': '' } }, { a: [{ b: 1 }] }, '{a: [{b: 1}]}'],
    [{ $inc: { a: 2 } }, { a: 1 }, '{a: 3}'],
    [{ $inc: { a: 2 } }, {}, '{a: 2}'],
    [{ $inc: { a: D(2) } }, { a: 1 }, '{a: 3.0}'],
    [{ $inc: { a: L(2) } }, { a: 1 }, '{a: 3L}'],
    [{ $inc: { a: 1 } }, { a: 2147483647 }, '{a: 2147483648L}'],
    [{ $inc: { a: 1 } }, { a: dec('0.10') }, '{a: 1.10m}'],
    [{ $mul: { a: 3 } }, { a: 2 }, '{a: 6}'],
    [{ $mul: { a: L(3) } }, {}, '{a: 0L}'],
    [{ $mul: { a: 1.5 } }, {}, '{a: 0.0}'],
    [{ $mul: { a: 65536 } }, { a: 65536 }, '{a: 4294967296L}'],
    [{ $min: { a: 1, b: 5, c: 7 } }, { a: 2, b: 3 }, '{a: 1, b: 3, c: 7}'],
    [{ $max: { a: D(1), b: 'x' } }, { a: 1, b: 3 }, '{a: 1, b: "x"}'],
    [{ $min: { a: null } }, { a: 1 }, '{a: null}'],
    [{ $currentDate: { a: true, b: { $type: 'date' } } }, {}, '{a: date(1700000000123), b: date(1700000000123)}'],
    [{ $setOnInsert: { a: 1, 'b.c': 1 } }, { b: 5 }, '{b: 5}'],
    [{ $rename: { a: 'b' } }, { a: 1, c: 2 }, '{c: 2, b: 1}'],
    [{ $rename: { a: 'b' } }, { a: 1, b: 2 }, '{b: 1}'],
    [{ $rename: { 'a.x': 'b.y' } }, { a: { x: 1 } }, '{a: {}, b: {y: 1}}'],
    [{ $rename: { x: 'b' } }, { b: 2 }, '{b: 2}'],
    [{ $rename: { x: 'b.c' } }, { b: 2 }, '{b: 2}'],
    [{ $rename: { 'a.5': 'b' } }, { a: [1] }, '{a: [1]}'],
    [{ $bit: { a: { and: 12 } } }, { a: 10 }, '{a: 8}'],
    [{ $bit: { a: { or: L(5) } } }, { a: 10 }, '{a: 15L}'],
    [{ $bit: { a: { xor: 5, or: 8 } } }, {}, '{a: 13}'],
    [{ $set: { _id: 1, a: 1 } }, { _id: 1 }, '{_id: 1, a: 1}'],
    [{ $set: { '_id.x': 1, a: 1 } }, { _id: { x: 1 } }, '{_id: {x: 1}, a: 1}'],
    [{ $set: { 'a.$id': 5 } }, { a: { $ref: 'c', $id: 1 } }, '{a: {$ref: "c", $id: 5}}'],
  ])('%j of %j', (update, document, expected) => {
    expect(text(apply(update, document))).toBe(expected);
  });

  it('give $currentDate timestamps of the second', () => {
    const timestamp = apply({ $currentDate: { a: { $type: 'timestamp' } } }, {}).get('a');
    expect(timestamp).toEqual(new bson.Timestamp({ t: 1_700_000_000, i: 1 }));
  });

  it('take hostile names', () => {
    const update = new Map([['$set', new Map([['__proto__', 1], ['a.constructor', 2]])]]); // prettier-ignore
    const compiled = compileUpdate(doc(update), { now });
    expect(text(compiled.apply(doc({})))).toBe('{__proto__: 1, a: {constructor: 2}}');
  });
});

describe('array operators', () => {
  it.each<[Input, Input, string]>([
    [{ $push: { a: 1 } }, {}, '{a: [1]}'],
    [{ $push: { a: [2] } }, { a: [1] }, '{a: [1, [2]]}'],
    [{ $push: { a: { b: 1 } } }, { a: [] }, '{a: [{b: 1}]}'],
    [{ $push: { a: { $each: [2, 3] } } }, { a: [1] }, '{a: [1, 2, 3]}'],
    [{ $push: { a: { $each: [] } } }, {}, '{a: []}'],
    [{ $push: { a: { $each: [8, 9], $position: 1 } } }, { a: [1, 2] }, '{a: [1, 8, 9, 2]}'],
    [{ $push: { a: { $each: [9], $position: -1 } } }, { a: [1, 2] }, '{a: [1, 9, 2]}'],
    [{ $push: { a: { $each: [9], $position: -9 } } }, { a: [1, 2] }, '{a: [9, 1, 2]}'],
    [{ $push: { a: { $each: [9], $position: 7 } } }, { a: [1] }, '{a: [1, 9]}'],
    [{ $push: { a: { $each: [3], $slice: 2 } } }, { a: [1, 2] }, '{a: [1, 2]}'],
    [{ $push: { a: { $each: [3], $slice: -2 } } }, { a: [1, 2] }, '{a: [2, 3]}'],
    [{ $push: { a: { $each: [3], $slice: 0 } } }, { a: [1, 2] }, '{a: []}'],
    [{ $push: { a: { $slice: -2, $sort: -1, $each: [5] } } }, { a: [9, 1] }, '{a: [5, 1]}'],
    [{ $push: { a: { $each: [{ b: 1 }], $sort: { b: 1 } } } }, { a: [{ b: 2 }, 'x'] }, '{a: ["x", {b: 1}, {b: 2}]}'],
    [{ $push: { 'a.0': 1 } }, { a: [[0]] }, '{a: [[0, 1]]}'],
    [{ $addToSet: { a: 1 } }, { a: [D(1)] }, '{a: [1.0]}'],
    [{ $addToSet: { a: { b: 1, c: 2 } } }, { a: [{ c: 2, b: 1 }] }, '{a: [{c: 2, b: 1}, {b: 1, c: 2}]}'],
    [{ $addToSet: { a: { $each: [1, 2, 2] } } }, {}, '{a: [1, 2]}'],
    [{ $addToSet: { a: { $each: [1, 2] } } }, { a: [2, 2] }, '{a: [2, 2, 1]}'],
    [{ $addToSet: { a: [1] } }, { a: [1] }, '{a: [1, [1]]}'],
    [{ $pull: { a: 1 } }, { a: [1, 2, D(1)] }, '{a: [2]}'],
    [{ $pull: { a: { $gte: 2 } } }, { a: [1, 2, 3, 'x'] }, '{a: [1, "x"]}'],
    [{ $pull: { a: { b: 1 } } }, { a: [{ b: 1, c: 2 }, { b: 2 }, 1] }, '{a: [{b: 2}, 1]}'],
    [{ $pull: { a: { b: { $in: [1, 2] } } } }, { a: [{ b: 1 }, { b: 3 }] }, '{a: [{b: 3}]}'],
    [{ $pull: { a: { $or: [{ b: 1 }, { b: 2 }] } } }, { a: [{ b: 1 }, { b: 3 }] }, '{a: [{b: 3}]}'],
    [{ $pull: { a: [1] } }, { a: [1, [1], [1, 2]] }, '{a: [1, [1, 2]]}'],
    [{ $pull: { a: /^x/ } }, { a: ['xa', 'b'] }, '{a: ["b"]}'],
    [{ $pull: { a: {} } }, { a: [{ b: 1 }, 1] }, '{a: [1]}'],
    [{ $pull: { a: null } }, { a: [null, 1] }, '{a: [1]}'],
    [{ $pull: { a: 1, 'x.y': 2 } }, {}, '{}'],
    [{ $pull: { 'a.b': 1 } }, { a: 5 }, '{a: 5}'],
    [{ $pullAll: { a: [1, 3] } }, { a: [1, 2, 3, D(3)] }, '{a: [2]}'],
    [{ $pop: { a: 1 } }, { a: [1, 2] }, '{a: [1]}'],
    [{ $pop: { a: -1 } }, { a: [1, 2] }, '{a: [2]}'],
    [{ $pop: { a: 1, b: 1 } }, { a: [] }, '{a: []}'],
  ])('%j of %j', (update, document, expected) => {
    expect(text(apply(update, document))).toBe(expected);
  });
});

describe('positional operators', () => {
  it.each<[Input, Input, Options, string]>([
    [{ $set: { 'a.$': 9 } }, { a: [1, 2] }, { filter: { a: 2 } }, '{a: [1, 9]}'],
    [{ $set: { 'a.$.b': 9 } }, { a: [{ b: 1 }, { b: 2 }] }, { filter: { 'a.b': 2 } }, '{a: [{b: 1}, {b: 9}]}'],
    [{ $inc: { 'a.$': 1 } }, { a: [1, 2] }, { filter: { a: { $elemMatch: { $gt: 1 } } } }, '{a: [1, 3]}'],
    [{ $unset: { 'a.$': '' } }, { a: [1, 2] }, { filter: { a: 1 } }, '{a: [null, 2]}'],
    [
      { $set: { 'a.$.b': 1, 'a.1.c': 2 } },
      { a: [{}, {}] },
      { filter: { a: { $elemMatch: {} } } },
      '{a: [{b: 1}, {c: 2}]}',
    ],
    [{ $inc: { 'a.$[]': 1 } }, { a: [1, 2] }, {}, '{a: [2, 3]}'],
    [{ $set: { 'a.$[].b.$[]': 0 } }, { a: [{ b: [1] }, { b: [] }] }, {}, '{a: [{b: [0]}, {b: []}]}'],
    [{ $set: { 'a.$[e]': 0 } }, { a: [1, 5, 9] }, { arrayFilters: [{ e: { $gt: 2 } }] }, '{a: [1, 0, 0]}'],
    [
      { $set: { 'a.$[e].q': 5 } },
      { a: [{ s: 'x' }, { s: 'y', q: 1 }] },
      { arrayFilters: [{ 'e.s': 'y' }] },
      '{a: [{s: "x"}, {s: "y", q: 5}]}',
    ],
    [{ $unset: { 'a.$[e].q': 1 } }, { a: [{ s: 1, q: 1 }] }, { arrayFilters: [{ 'e.s': L(1) }] }, '{a: [{s: 1}]}'],
    [
      { $push: { 'a.$[e].q': { $each: [2] } } },
      { a: [{ s: 1, q: [1] }, { s: 2 }] },
      { arrayFilters: [{ 'e.s': 1 }] },
      '{a: [{s: 1, q: [1, 2]}, {s: 2}]}',
    ],
    [
      { $set: { 'a.$[e].x': 1, 'a.$[f].y': 2 } },
      { a: [{ s: 1 }, { s: 2 }] },
      { arrayFilters: [{ 'e.s': 1 }, { 'f.s': { $gte: 1 } }] },
      '{a: [{s: 1, x: 1, y: 2}, {s: 2, y: 2}]}',
    ],
    [
      { $set: { 'a.$[e].b.$[f]': 0 } },
      { a: [{ b: [1, 2] }, 5] },
      { arrayFilters: [{ 'e.b': { $exists: true } }, { $or: [{ f: 2 }, { f: 3 }] }] },
      '{a: [{b: [1, 0]}, 5]}',
    ],
    [{ $set: { 'a.$[e]': 1 } }, { a: [] }, { arrayFilters: [{ e: 1 }] }, '{a: []}'],
  ])('%j of %j with %j', (update, document, options, expected) => {
    expect(text(apply(update, document, options))).toBe(expected);
  });
});

describe('what cannot be compiled', () => {
  it.each<[Input | Input[], number, string, Input[]?]>([
    [{ $foo: { a: 1 } }, 9, 'Unknown modifier: $foo'],
    [{ $set: { a: 1 }, b: 1 }, 9, 'Unknown modifier: b'],
    [{ $set: 5 }, 9, 'Modifiers operate on fields but we found type int instead'],
    [{ a: 1, $b: 1 }, 52, "The dollar ($) prefixed field '$b'"],
    [{ $set: { a: 1, 'a.b': 2 } }, 40, "Updating the path 'a.b' would create a conflict at 'a'"],
    [{ $set: { 'a.b': 1, a: 2 } }, 40, "Updating the path 'a' would create a conflict at 'a'"],
    [{ $set: { a: 1 }, $inc: { a: 1 } }, 40, "conflict at 'a'"],
    [{ $push: { 'a.$[e]': 1 }, $set: { 'a.0': 2 } }, 40, "conflict at 'a'", [{ e: 1 }]],
    [{ $rename: { a: 'b' }, $set: { b: 1 } }, 40, "conflict at 'b'"],
    [{ $rename: { a: 'a.b' } }, 2, 'must not be on the same path'],
    [{ $set: { '': 1 } }, 56, 'An empty update path is not valid.'],
    [{ $set: { 'a..b': 1 } }, 56, "The update path 'a..b' contains an empty field name"],
    [{ $set: { 'a.': 1 } }, 56, 'contains an empty field name'],
    [{ $set: { $x: 1 } }, 52, "The dollar ($) prefixed field '$x' in '$x' is not valid for storage."],
    [{ $set: { 'a.$x': 1 } }, 52, "The dollar ($) prefixed field '$x' in 'a.$x'"],
    [{ $set: { '$[].a': 1 } }, 2, 'in the first position'],
    [{ $set: { 'a.$.b.$': 1 } }, 2, "Too many positional (i.e. '$') elements found in path 'a.$.b.$'"],
    [{ $set: { 'a.$[e]': 1 } }, 2, "No array filter found for identifier 'e' in path 'a.$[e]'"],
    [
      { $set: { a: 1 } },
      9,
      "The array filter for identifier 'e' was not used in the update { $set: { a: 1 } }",
      [{ e: 1 }],
    ],
    [{ $set: { 'a.$[e]': 1 } }, 9, 'Found multiple array filters', [{ e: 1 }, { 'e.x': 1 }]],
    [{ $set: { 'a.$[e]': 1 } }, 9, "Expected a single top-level field name, found 'e' and 'f'", [{ e: 1, f: 1 }]],
    [{ $set: { 'a.$[e]': 1 } }, 9, 'without a top-level field name', [{}]],
    [{ $set: { 'a.$[E]': 1 } }, 2, "lowercase letter, found 'E'", [{ E: 1 }]],
    [{ $set: { 'a.$[e]': 1 } }, 2, 'unknown operator: $foo', [{ e: { $foo: 1 } }]],
    [{ a: 1 }, 9, 'arrayFilters', [{ e: 1 }]],
    [[{ $set: { a: 1 } }], 9, 'arrayFilters', [{ e: 1 }]],
    [{ $inc: { a: 'x' } }, 14, 'Cannot increment with non-numeric argument: {a: "x"}'],
    [{ $mul: { 'b.a': null } }, 14, 'Cannot multiply with non-numeric argument: {a: null}'],
    [{ $currentDate: { a: 1 } }, 2, 'int is not valid type for $currentDate'],
    [{ $currentDate: { a: { $type: 'x' } } }, 2, "'$type' string field is required"],
    [{ $currentDate: { a: { x: 1 } } }, 2, 'Unrecognized $currentDate option: x'],
    [{ $rename: { a: 1 } }, 2, "The 'to' field for $rename must be a string"],
    [{ $rename: { a: 'a' } }, 2, 'must differ'],
    [{ $rename: { 'a.$[]': 'b' } }, 2, 'may not be dynamic'],
    [{ $rename: { a: 'b.$' } }, 2, 'may not be dynamic'],
    [{ $bit: { a: 1 } }, 2, 'not compatible with a int'],
    [{ $bit: { a: { not: 1 } } }, 2, "only supports 'and', 'or', and 'xor'"],
    [{ $bit: { a: { and: 1.5 } } }, 2, 'must be an Integer'],
    [{ $bit: { a: {} } }, 2, 'at least one bitwise operation'],
    [{ $push: { a: { $each: 1 } } }, 2, 'The argument to $each in $push must be an array but it was of type: int'],
    [{ $push: { a: { $each: [], $foo: 1 } } }, 2, 'Unrecognized clause in $push: $foo'],
    [{ $push: { a: { $each: [], $slice: 1.5 } } }, 2, 'The value for $slice must be an integer value'],
    [
      { $push: { a: { $each: [], $position: 'x' } } },
      2,
      'The value for $position must be an integer value, not of type: string',
    ],
    [{ $push: { a: { $each: [], $sort: 2 } } }, 2, 'The $sort is invalid'],
    [{ $push: { a: { $each: [], $sort: { b: 2 } } } }, 2, 'must be either 1 or -1'],
    [{ $addToSet: { a: { $each: 1 } } }, 14, 'The argument to $each in $addToSet must be an array'],
    [{ $addToSet: { a: { $each: [], $slice: 1 } } }, 2, 'Found unexpected fields after $each in $addToSet'],
    [{ $pull: { a: { $foo: 1 } } }, 2, 'unknown operator: $foo'],
    [{ $pullAll: { a: 1 } }, 2, '$pullAll requires an array argument but was given a int'],
    [{ $pop: { a: 2 } }, 9, '$pop expects 1 or -1, found: 2'],
    [{ $pop: { a: 'x' } }, 9, 'Expected a number in: a: "x"'],
    [[{ $match: {} }], 72, '$match is not allowed to be used within an update'],
    [[{ $foo: {} }], 72, '$foo is not allowed'],
    [[{ $set: { 'a..b': 1 } }], 15998, 'Invalid $set :: caused by :: FieldPath field names may not be empty strings.'],
    [[{ $set: { a: { 'b.c': 1 } } }], 40183, "cannot use dotted field name 'b.c' in a sub object"],
    [[{ $set: { a: { b: 1, $add: 2 } } }], 40181, 'must contain exactly one field'],
    [[{ $set: { a: 1, 'a.b': 1 } }], 40176, 'two conflicting paths'],
  ])('%j', (update, code, message, arrayFilters) => {
    const error = failure(() => apply(update, {}, arrayFilters === undefined ? {} : { arrayFilters }));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });
});

describe('what cannot be applied', () => {
  it.each<[Input | Input[], Input, number, string, Options?]>([
    [{ $set: { 'a.b': 1 } }, { a: 5 }, 28, "Cannot create field 'b' in element {a: 5}"],
    [{ $set: { 'a.b': 1 } }, { a: null }, 28, "Cannot create field 'b' in element {a: null}"],
    [{ $set: { 'a.b.c': 1 } }, { a: 'x' }, 28, 'Cannot create field \'b\' in element {a: "x"}'],
    [{ $set: { 'a.b': 1 } }, { a: [1] }, 28, "Cannot create field 'b' in element {a: [ 1 ]}"],
    [{ $inc: { 'a.b': 1 } }, { a: 5 }, 28, "Cannot create field 'b'"],
    [{ $push: { 'a.b': 1 } }, { a: 5 }, 28, "Cannot create field 'b'"],
    [{ $rename: { x: 'a.b' } }, { a: 5, x: 1 }, 28, "Cannot create field 'b'"],
    [{ $set: { 'a.2000000': 1 } }, { a: [] }, 155, 'backfill'],
    [
      { $inc: { a: 1 } },
      { _id: 7, a: 'x' },
      14,
      "Cannot apply $inc to a value of non-numeric type. {_id: 7} has the field 'a' of non-numeric type string",
    ],
    [{ $mul: { a: 1 } }, { a: null }, 14, 'Cannot apply $mul'],
    [
      { $inc: { a: 1 } },
      { a: L('9223372036854775807') },
      2,
      'Failed to apply $inc operations to current value (9223372036854775807)',
    ],
    [{ $mul: { a: 2 } }, { a: L('9223372036854775807') }, 2, 'Failed to apply $mul'],
    [{ $bit: { a: { and: 1 } } }, { a: D(1) }, 2, 'Cannot apply $bit to a value of non-integral type'],
    [
      { $push: { a: 1 } },
      { _id: 1, a: 5 },
      2,
      "The field 'a' must be an array but is of type int in document {_id: 1}",
    ],
    [{ $addToSet: { a: 1 } }, { a: 5 }, 2, 'Cannot apply $addToSet to non-array field'],
    [{ $pull: { a: 1 } }, { a: 5 }, 2, 'Cannot apply $pull to a non-array value'],
    [{ $pullAll: { a: [1] } }, { a: 5 }, 2, 'Cannot apply $pull to a non-array value'],
    [{ $pop: { a: 1 } }, { a: 5 }, 14, "Path 'a' contains an element of non-array type 'int'"],
    [{ $rename: { 'a.b': 'c' } }, { a: 5 }, 28, 'cannot use the part (a of a.b) to traverse the element ({a: 5})'],
    [{ $rename: { 'a.b': 'c' } }, { a: [] }, 28, 'cannot use the part (a of a.b)'],
    [{ $rename: { 'a.0': 'b' } }, { a: [1] }, 2, 'The source field cannot be an array element'],
    [{ $rename: { b: 'a.0' } }, { a: [1], b: 1 }, 2, 'The destination field cannot be an array element'],
    [{ $set: { 'a.$': 1 } }, { a: [1] }, 2, 'The positional operator did not find the match needed from the query.'],
    [{ $set: { 'a.$[]': 1 } }, {}, 2, "The path 'a' must exist in the document in order to apply array updates."],
    [{ $set: { 'a.b.$[]': 1 } }, { a: 5 }, 2, "The path 'a.b' must exist"],
    [
      { $set: { 'a.$[e]': 1 } },
      { a: 5 },
      2,
      'Cannot apply array updates to non-array element a: 5',
      { arrayFilters: [{ e: 1 }] },
    ],
    [
      { $set: { 'a.$[e].b': 1, 'a.$[f].b': 1 } },
      { a: [{}] },
      40,
      "conflict at 'a.0.b'",
      { arrayFilters: [{ e: {} }, { f: {} }] },
    ],
    [{ $set: { 'a.$': 1, 'a.0': 2 } }, { a: [1] }, 40, "conflict at 'a.0'", { filter: { a: 1 } }],
    [{ $set: { _id: 2 } }, { _id: 1 }, 66, "would modify the immutable field '_id'"],
    [{ $unset: { _id: 1 } }, { _id: 1 }, 66, "would modify the immutable field '_id'"],
    [{ $set: { '_id.a': 2 } }, { _id: { a: 1 } }, 66, "would modify the immutable field '_id'"],
    [{ $set: { _id: D(1) } }, { _id: 1 }, 66, "would modify the immutable field '_id'"],
    [{ _id: 2 }, { _id: 1 }, 66, "the (immutable) field '_id' was found to have been altered to _id: 2"],
    [[{ $set: { _id: 2 } }], { _id: 1 }, 66, "the (immutable) field '_id' was found to have been altered to _id: 2"],
    [[{ $set: { a: { $add: ['$b', 1] } } }], { b: 'x' }, 14, '$add only supports numeric or date types, not string'],
    [[{ $replaceWith: '$a' }], { a: 1 }, 40228, "'newRoot' expression must evaluate to an object"],
  ])('%j to %j', (update, document, code, message, options) => {
    const error = failure(() => apply(update, document, options));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });

  it('leaves nothing half done', () => {
    const error = failure(() => apply({ $set: { a: 9, 'z.y': 1 }, $push: { b: 1 } }, { a: 1, b: [], z: 5 }));
    expect(error.code).toBe(28);
  });
});

describe('replacements', () => {
  it.each<[Input, Input, string]>([
    [{ a: 1 }, { _id: 7, b: 2 }, '{_id: 7, a: 1}'],
    [{ a: 1, _id: D(7) }, { _id: 7 }, '{a: 1, _id: 7.0}'],
    [{}, { _id: 7, b: 2 }, '{_id: 7}'],
    [{ 'a.b': 1 }, { _id: 7 }, '{_id: 7, a.b: 1}'],
  ])('%j of %j', (update, document, expected) => {
    expect(text(apply(update, document))).toBe(expected);
  });
});

describe('pipelines', () => {
  it.each<[Input[], Input, string]>([
    [[{ $set: { a: 1, b: '$c' } }], { _id: 1, c: 5 }, '{_id: 1, c: 5, a: 1, b: 5}'],
    // An object merges into the stored one, a literal one replaces it.
    [[{ $set: { a: { b: 1 } } }], { a: { c: 2 } }, '{a: {c: 2, b: 1}}'],
    [[{ $set: { a: { $literal: { b: 1 } } } }], { a: { c: 2 } }, '{a: {b: 1}}'],
    // A path through an array applies to every element, and scalars make way.
    [[{ $set: { 'a.b': 1 } }], { a: [{ c: 2 }, 5, [{ d: 1 }]] }, '{a: [{c: 2, b: 1}, {b: 1}, [{d: 1, b: 1}]]}'],
    [[{ $set: { 'a.b': 1 } }], { a: 5 }, '{a: {b: 1}}'],
    [[{ $set: { 'a.0': 1 } }], { a: [7] }, '{a: [{0: 1}]}'],
    [[{ $set: { a: {}, b: { c: {} } } }], { a: { x: 1 } }, '{a: {}, b: {c: {}}}'],
    [[{ $set: {} }], { a: 1 }, '{a: 1}'],
    [[{ $addFields: { a: '$$REMOVE', b: '$missing' } }], { a: 1, b: 2, c: 3 }, '{c: 3}'],
    [[{ $unset: ['a', 'b.c'] }], { a: 1, b: [{ c: 1, d: 2 }] }, '{b: [{d: 2}]}'],
    [[{ $unset: 'a' }], { a: 1 }, '{}'],
    [[{ $project: { a: 1 } }], { _id: 1, a: 2, b: 3 }, '{_id: 1, a: 2}'],
    [[{ $replaceWith: { x: '$a' } }], { _id: 1, a: 2 }, '{_id: 1, x: 2}'],
    [
      [{ $replaceRoot: { newRoot: { $mergeObjects: ['$$ROOT', { $literal: { 'a.b': 1 } }] } } }],
      { _id: 1 },
      '{_id: 1, a.b: 1}',
    ],
    [[{ $set: { a: 1 } }, { $set: { b: '$a' } }], {}, '{a: 1, b: 1}'],
    [[{ $set: { t: '$$NOW' } }], {}, '{t: date(1700000000123)}'],
    [[], { a: 1 }, '{a: 1}'],
  ])('%j of %j', (update, document, expected) => {
    expect(text(apply(update, document))).toBe(expected);
  });
});

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
