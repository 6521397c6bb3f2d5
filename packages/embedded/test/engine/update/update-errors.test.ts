import { describe, expect, it } from 'vitest';
import { D, failure, L } from '../../support/engine.ts';
import { apply, type Input, type Options } from '../../support/updates.ts';

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
    [[{ $foo: {} }], 40324, "Unrecognized pipeline stage name: '$foo'"],
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
