import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb';
import { expect } from 'vitest';
import { type AnyDocument, type Case, conformanceOfEngine, errorOf } from '../../support/conformance.ts';

/** The values that documents 0, 1, 2 … have in `a` (`[]`: the document has no `a`), a filter, and the `_id`s it selects. */
type Row = readonly [
  name: string,
  values: readonly (readonly unknown[])[],
  filter: AnyDocument,
  selected: readonly number[],
];

const id = new ObjectId('65f000000000000000000001');
const numbers = [
  [1],
  [new Double(1)],
  [Long.fromNumber(1)],
  [Decimal128.fromString('1.0')],
  [2],
  [new Double(1.5)],
  ['1'],
];

const rows: readonly Row[] = [
  ['equality compares numbers across types', numbers, { a: 1 }, [0, 1, 2, 3]],
  ['$in compares numbers across types', numbers, { a: { $in: [Long.fromNumber(1), 2] } }, [0, 1, 2, 3, 4]],
  ['$gt stays within numbers', numbers, { a: { $gt: 1 } }, [4, 5]],
  ['$gte and $lt make a range', numbers, { a: { $gte: 1, $lt: 2 } }, [0, 1, 2, 3, 5]],
  ['$ne selects what equality does not', numbers, { a: { $ne: 1 } }, [4, 5, 6]],
  ['$nin selects what $in does not', [[1], [2], [3], []], { a: { $nin: [1, 2] } }, [2, 3]],
  [
    'large longs stay exact',
    [[Long.fromString('9007199254740993')], [Long.fromString('9007199254740992')]],
    { a: Long.fromString('9007199254740993') },
    [0],
  ],
  ['NaN equals NaN', [[Number.NaN], [1], [null]], { a: Number.NaN }, [0]],
  ['-0 equals 0', [[new Double(-0)], [0], [new Double(0)]], { a: 0 }, [0, 1, 2]],
  ['null matches null and missing', [[null], [], [0], [false]], { a: null }, [0, 1]],
  ['$ne null matches neither null nor missing', [[null], [], [0]], { a: { $ne: null } }, [2]],
  ['null matches an element', [[[1, null]], [[1]]], { a: null }, [0]],
  ['$exists tells null from missing', [[null], []], { a: { $exists: true } }, [0]],
  ['$exists false selects missing', [[null], []], { a: { $exists: false } }, [1]],
  ['equality matches an element', [[[1, 2]], [[3]], [2]], { a: 2 }, [0, 2]],
  ['equality matches a whole array', [[[1, 2]], [[2, 1]], [[[1, 2]]]], { a: [1, 2] }, [0, 2]],
  ['equality with an object minds key order', [[{ x: 1, y: 2 }], [{ y: 2, x: 1 }]], { a: { x: 1, y: 2 } }, [0]],
  ['equality with an empty object', [[{}], [{ x: 1 }], []], { a: {} }, [0]],
  ['a dotted path enters objects', [[{ b: 1 }], [{ b: 2 }], [1]], { 'a.b': 1 }, [0]],
  ['a dotted path enters the objects of an array', [[[{ b: 1 }, { b: 2 }]], [[{ b: 3 }]], [[1]]], { 'a.b': 2 }, [0]],
  ['a dotted path does not enter an array in an array', [[[[{ b: 1 }]]], [[{ b: 1 }]]], { 'a.b': 1 }, [1]],
  ['a number in a path is a position', [[[5, 6]], [[6, 5]]], { 'a.1': 6 }, [0]],
  ['a number in a path is a key too', [[{ 1: 6 }], [[{ 1: 6 }]], [[5, 7]]], { 'a.1': 6 }, [0, 1]],
  ['a position, then a path', [[[{ b: 1 }, { b: 2 }]], [[{ b: 2 }]]], { 'a.0.b': 2 }, [1]],
  ['null on a dotted path below an array', [[[{ b: 1 }, {}]], [[{ b: 1 }]], [[]], [[1]]], { 'a.b': null }, [0]],
  ['$elemMatch on objects', [[[{ x: 1, y: 2 }]], [[{ x: 1 }, { y: 2 }]]], { a: { $elemMatch: { x: 1, y: 2 } } }, [0]],
  ['$elemMatch on values', [[[1, 9]], [[5]], [5]], { a: { $elemMatch: { $gt: 3, $lt: 7 } } }, [1]],
  ['a range on an array may match two elements', [[[1, 9]], [[5]], [[1]]], { a: { $gt: 3, $lt: 7 } }, [0, 1]],
  ['$all needs each value', [[[1, 2, 3]], [[1]], [1]], { a: { $all: [1, 2] } }, [0]],
  ['$all of one value matches a scalar', [[[1]], [1], [2]], { a: { $all: [1] } }, [0, 1]],
  ['$all of nothing selects nothing', [[[1]], [[]]], { a: { $all: [] } }, []],
  [
    '$all with $elemMatch',
    [[[{ x: 1 }, { x: 2 }]], [[{ x: 1 }]]],
    { a: { $all: [{ $elemMatch: { x: 1 } }, { $elemMatch: { x: 2 } }] } },
    [0],
  ],
  ['$size', [[[1, 2]], [[1]], [2], [[]]], { a: { $size: 2 } }, [0]],
  ['$size 0', [[[]], [[1]], []], { a: { $size: 0 } }, [0]],
  ['$type by name', [[1], [new Double(1)], ['x'], [[1]]], { a: { $type: 'int' } }, [0, 3]],
  [
    '$type number',
    [[1], [new Double(1.5)], [Long.fromNumber(3)], [Decimal128.fromString('1')], ['1']],
    { a: { $type: 'number' } },
    [0, 1, 2, 3],
  ],
  ['$type array means the field itself', [[[1]], [1], [[[1]]]], { a: { $type: 'array' } }, [0, 2]],
  ['$type by number, and a list', [['x'], [null], [1]], { a: { $type: [2, 'null'] } }, [0, 1]],
  ['$mod', [[4], [5], [new Double(8)], ['4'], []], { a: { $mod: [4, 0] } }, [0, 2]],
  ['$regex with options', [['Abc'], ['xabc'], [1]], { a: { $regex: '^a', $options: 'i' } }, [0]],
  ['a regular expression literal', [['abc'], ['b'], [['x', 'abc']]], { a: /bc/ }, [0, 2]],
  ['$in with a regular expression', [['abc'], ['b'], [1]], { a: { $in: [/^a/, 1] } }, [0, 2]],
  ['$not with a regular expression', [['abc'], ['b'], []], { a: { $not: /^a/ } }, [1, 2]],
  ['$not negates operators', [[1], [5], [], ['x']], { a: { $not: { $gt: 3 } } }, [0, 2, 3]],
  ['$and', [[1], [2], [3]], { $and: [{ a: { $gt: 1 } }, { a: { $lt: 3 } }] }, [1]],
  ['$or', [[1], [2], [3]], { $or: [{ a: 1 }, { a: 3 }] }, [0, 2]],
  ['$nor', [[1], [2], []], { $nor: [{ a: 1 }, { a: 2 }] }, [2]],
  ['$expr compares fields', [[{ x: 1, y: 1 }], [{ x: 1, y: 2 }]], { $expr: { $eq: ['$a.x', '$a.y'] } }, [0]],
  [
    '$expr $eq minds key order',
    [[{ x: 1, y: 2 }], [{ y: 2, x: 1 }]],
    { $expr: { $eq: ['$a', { $literal: { x: 1, y: 2 } }] } },
    [0],
  ],
  ['$bitsAllSet', [[7], [5], [new Double(6)]], { a: { $bitsAllSet: 6 } }, [0, 2]],
  ['$bitsAnyClear', [[7], [5]], { a: { $bitsAnyClear: [0, 1] } }, [1]],
  ['dates compare by time', [[new Date(5)], [new Date(6)], [5]], { a: { $gt: new Date(5) } }, [1]],
  ['ObjectIds', [[id], [id.toHexString()]], { a: id }, [0]],
  [
    'binary by subtype and bytes',
    [[new Binary(Buffer.of(1), 0)], [new Binary(Buffer.of(1), 5)]],
    { a: new Binary(Buffer.of(1), 5) },
    [1],
  ],
  [
    'timestamps',
    [[new Timestamp({ t: 1, i: 1 })], [new Timestamp({ t: 1, i: 2 })]],
    { a: { $gt: new Timestamp({ t: 1, i: 1 }) } },
    [1],
  ],
  [
    '$gte MinKey selects every type',
    [[null], ['x'], [1], [new MinKey()], [new MaxKey()]],
    { a: { $gte: new MinKey() } },
    [0, 1, 2, 3, 4],
  ],
  ['booleans are no numbers', [[true], [1], [false], [0]], { a: true }, [0]],
  ['$lt on strings', [['a'], ['b'], ['B'], [1]], { a: { $lt: 'b' } }, [0, 2]],
  ['$gt on an object', [[{ x: 2 }], [{ x: 1 }], [5]], { a: { $gt: { x: 1 } } }, [0]],
  [
    '$jsonSchema as a filter',
    [[1], ['x'], []],
    { $jsonSchema: { required: ['a'], properties: { a: { bsonType: 'string' } } } },
    [1],
  ],
  ['$comment changes nothing', [[1], [2]], { a: 1, $comment: 'why' }, [0]],
];

type Refusal = readonly [name: string, filter: AnyDocument, code: number];

const refusals: readonly Refusal[] = [
  ['an unknown operator', { a: { $foo: 1 } }, 2],
  ['an unknown top-level operator', { $foo: 1 }, 2],
  ['an empty $and', { $and: [] }, 2],
  ['$and that is no array', { $and: { a: 1 } }, 2],
  ['$in that is no array', { a: { $in: 1 } }, 2],
  ['an invalid $type', { a: { $type: 'nothing' } }, 2],
  ['an invalid regular expression', { a: { $regex: '(' } }, 51091],
  ['$size below zero', { a: { $size: -1 } }, 2],
  ['$options without $regex', { a: { $options: 'i' } }, 2],
];

const indexed = [{ key: { a: 1 } }, { key: { 'a.b': 1 } }, { key: { 'a.x': 1, 'a.y': 1 } }] as const;

/** What is true of a scan must be true of an index. */
function selection([name, values, filter, selected]: Row, byIndex: boolean): [string, Case] {
  const run: Case = async ({ collection }) => {
    if (byIndex) await collection.createIndexes([...indexed]);
    await collection.insertMany(values.map((value, _id) => (value.length === 0 ? { _id } : { _id, a: value[0] })));
    const found = await collection.find(filter).sort({ _id: 1 }).project({ _id: 1 }).toArray();
    expect(found.map(({ _id }) => _id)).toEqual(selected);
    expect(await collection.countDocuments(filter)).toBe(selected.length);
  };
  return [name, run];
}

function refusal([name, filter, code]: Refusal): [string, Case] {
  const run: Case = async ({ collection }) => {
    await collection.insertOne({ a: new Int32(1) });
    expect((await errorOf(collection.findOne(filter))).code).toBe(code);
  };
  return [name, run];
}

conformanceOfEngine('filters', Object.fromEntries(rows.map((row) => selection(row, false))));
conformanceOfEngine('filters with indexes', Object.fromEntries(rows.map((row) => selection(row, true))));
conformanceOfEngine('refused filters', Object.fromEntries(refusals.map(refusal)));
