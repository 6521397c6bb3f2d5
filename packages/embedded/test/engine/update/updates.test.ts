import { deserialize, EJSON, serialize } from 'bson';
import { Decimal128, Double, type FindOneAndUpdateOptions, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { expect } from 'vitest';
import {
  type AnyDocument,
  type Case,
  conformanceOfEngine,
  errorOf,
  type Workbench,
} from '../../support/conformance.ts';

interface Options {
  readonly filter?: AnyDocument;
  readonly arrayFilters?: AnyDocument[];
}

type Update = AnyDocument | AnyDocument[];

/** What a document becomes, compared as BSON: types and key order count. A number is the error code instead. */
type Row = readonly [name: string, before: AnyDocument, update: Update, after: AnyDocument | number, options?: Options];

const rows: readonly Row[] = [
  ['$set of a field', { a: 1 }, { $set: { a: 2 } }, { a: 2 }],
  ['$set of new fields adds them by name', { a: 1 }, { $set: { z: 1, b: 2, c: 3 } }, { a: 1, b: 2, c: 3, z: 1 }],
  ['numeric names go by number', {}, { $set: { 10: 1, 9: 2 } }, { 9: 2, 10: 1 }],
  ['$set makes the objects on its path', {}, { $set: { 'a.b.c': 1 } }, { a: { b: { c: 1 } } }],
  ['$set by position', { a: [1, 2] }, { $set: { 'a.1': 5 } }, { a: [1, 5] }],
  ['$set past the end fills with null', { a: [1] }, { $set: { 'a.3': 5 } }, { a: [1, null, null, 5] }],
  ['$set through a scalar', { a: 1 }, { $set: { 'a.b': 1 } }, 28],
  ['$set by name in an array', { a: [1] }, { $set: { 'a.b': 1 } }, 28],
  ['$set through null', { a: null }, { $set: { 'a.b': 1 } }, 28],
  ['$set keeps the place of the field', { a: 1, b: 2, c: 3 }, { $set: { b: 'x' } }, { a: 1, b: 'x', c: 3 }],
  ['$set of an empty path', {}, { $set: { '': 1 } }, 56],
  ['$set of a path with an empty part', {}, { $set: { 'a..b': 1 } }, 56],
  ['$set of _id to another value', { _id: 1 }, { $set: { _id: 2 } }, 66],
  ['$set of _id to its value', { _id: 1 }, { $set: { _id: 1, a: 2 } }, { _id: 1, a: 2 }],
  ['$unset', { a: 1, b: 2 }, { $unset: { a: '' } }, { b: 2 }],
  ['$unset of an element leaves null', { a: [1, 2, 3] }, { $unset: { 'a.1': '' } }, { a: [1, null, 3] }],
  ['$unset of what is missing', { b: 1 }, { $unset: { 'a.b': '' } }, { b: 1 }],
  ['$inc keeps the type', { a: 1 }, { $inc: { a: 2 } }, { a: 3 }],
  ['$inc with a long gives a long', { a: 1 }, { $inc: { a: Long.fromNumber(2) } }, { a: Long.fromNumber(3) }],
  ['$inc with a double gives a double', { a: 1 }, { $inc: { a: 0.5 } }, { a: 1.5 }],
  [
    '$inc with a decimal gives a decimal',
    { a: 1 },
    { $inc: { a: Decimal128.fromString('0.10') } },
    { a: Decimal128.fromString('1.10') },
  ],
  [
    '$inc beyond int32 gives a long',
    { a: new Int32(2147483647) },
    { $inc: { a: 1 } },
    { a: Long.fromString('2147483648') },
  ],
  ['$inc beyond int64', { a: Long.MAX_VALUE }, { $inc: { a: 1 } }, 2],
  ['$inc of what is missing', {}, { $inc: { 'a.b': 2 } }, { a: { b: 2 } }],
  ['$inc of a string', { a: 'x' }, { $inc: { a: 1 } }, 14],
  ['$inc by a string', { a: 1 }, { $inc: { a: 'x' } }, 14],
  ['$inc of null', { a: null }, { $inc: { a: 1 } }, 14],
  ['$mul', { a: 3, b: 1.5 }, { $mul: { a: 2, b: 2, c: 5 } }, { a: 6, b: new Double(3), c: 0 }],
  ['$min and $max', { a: 5, b: 5 }, { $min: { a: 3 }, $max: { b: 9 } }, { a: 3, b: 9 }],
  ['$min and $max that change nothing', { a: 5, b: 5 }, { $min: { a: 9 }, $max: { b: 3 } }, { a: 5, b: 5 }],
  ['$max across types goes by the order of types', { a: 5 }, { $max: { a: 'x' } }, { a: 'x' }],
  ['$rename', { a: 1, b: 2 }, { $rename: { a: 'c' } }, { b: 2, c: 1 }],
  ['$rename over a field that is there', { a: 1, b: 2 }, { $rename: { a: 'b' } }, { b: 1 }],
  ['$rename of what is missing', { b: 2 }, { $rename: { a: 'c' } }, { b: 2 }],
  ['$push', { a: [1] }, { $push: { a: 2 } }, { a: [1, 2] }],
  ['$push of an array pushes the array', { a: [1] }, { $push: { a: [2, 3] } }, { a: [1, [2, 3]] }],
  ['$push to what is missing', {}, { $push: { a: 1 } }, { a: [1] }],
  ['$push to a scalar', { a: 1 }, { $push: { a: 1 } }, 2],
  ['$push $each', { a: [1] }, { $push: { a: { $each: [2, 3] } } }, { a: [1, 2, 3] }],
  ['$push $each of nothing', { a: [1] }, { $push: { a: { $each: [] } } }, { a: [1] }],
  ['$push at a position', { a: [1, 4] }, { $push: { a: { $each: [2, 3], $position: 1 } } }, { a: [1, 2, 3, 4] }],
  [
    '$push at a position from the end',
    { a: [1, 4] },
    { $push: { a: { $each: [3], $position: -1 } } },
    { a: [1, 3, 4] },
  ],
  ['$push and keep the last', { a: [1, 2] }, { $push: { a: { $each: [3], $slice: -2 } } }, { a: [2, 3] }],
  ['$push and sort', { a: [3, 1] }, { $push: { a: { $each: [2], $sort: 1 } } }, { a: [1, 2, 3] }],
  [
    '$push and sort by a field',
    { a: [{ q: 3 }, { q: 1 }] },
    { $push: { a: { $each: [{ q: 2 }], $sort: { q: -1 }, $slice: 2 } } },
    { a: [{ q: 3 }, { q: 2 }] },
  ],
  ['$push with an unknown modifier', { a: [] }, { $push: { a: { $each: [1], $foo: 1 } } }, 2],
  ['$addToSet', { a: [1, 2] }, { $addToSet: { a: 2 } }, { a: [1, 2] }],
  ['$addToSet compares numbers by value', { a: [1] }, { $addToSet: { a: new Double(1) } }, { a: [1] }],
  ['$addToSet $each', { a: [1] }, { $addToSet: { a: { $each: [1, 2, 2, 3] } } }, { a: [1, 2, 3] }],
  [
    '$addToSet minds the key order of objects',
    { a: [{ x: 1, y: 2 }] },
    { $addToSet: { a: { y: 2, x: 1 } } },
    {
      a: [
        { x: 1, y: 2 },
        { y: 2, x: 1 },
      ],
    },
  ],
  ['$pull of a value', { a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
  ['$pull by a condition', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
  [
    '$pull of objects by some members',
    { a: [{ x: 1, y: 1 }, { x: 2 }] },
    { $pull: { a: { x: 1 } } },
    { a: [{ x: 2 }] },
  ],
  ['$pull of what is no array', { a: 1 }, { $pull: { a: 1 } }, 2],
  ['$pullAll', { a: [1, 2, 3, 1] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
  ['$pop from either end', { a: [1, 2, 3], b: [1, 2, 3] }, { $pop: { a: 1, b: -1 } }, { a: [1, 2], b: [2, 3] }],
  ['$pop by something else', { a: [1] }, { $pop: { a: 2 } }, 9],
  ['$bit', { a: 13 }, { $bit: { a: { and: new Int32(10) } } }, { a: 8 }],
  ['$setOnInsert does nothing to a stored document', { a: 1 }, { $set: { a: 2 }, $setOnInsert: { b: 1 } }, { a: 2 }],
  ['the positional operator', { a: [1, 5, 9] }, { $set: { 'a.$': 0 } }, { a: [1, 0, 9] }, { filter: { a: 5 } }],
  [
    'the positional operator in objects',
    { a: [{ x: 1 }, { x: 2 }] },
    { $inc: { 'a.$.n': 1 } },
    { a: [{ x: 1 }, { x: 2, n: 1 }] },
    { filter: { 'a.x': 2 } },
  ],
  [
    'the positional operator after $elemMatch',
    { a: [{ x: 1 }, { x: 2, y: 3 }] },
    { $set: { 'a.$.y': 4 } },
    { a: [{ x: 1 }, { x: 2, y: 4 }] },
    { filter: { a: { $elemMatch: { x: 2, y: 3 } } } },
  ],
  ['the positional operator without a match', { a: [1] }, { $set: { 'a.$': 0 } }, 2],
  ['every element', { a: [1, 2] }, { $inc: { 'a.$[]': 10 } }, { a: [11, 12] }],
  [
    'filtered elements',
    { a: [{ x: 1 }, { x: 2 }] },
    { $set: { 'a.$[e].y': 1 } },
    { a: [{ x: 1 }, { x: 2, y: 1 }] },
    { arrayFilters: [{ 'e.x': 2 }] },
  ],
  [
    'filtered elements, nested',
    { a: [{ b: [1, 2] }, { b: [2, 3] }] },
    { $set: { 'a.$[].b.$[e]': 0 } },
    { a: [{ b: [1, 0] }, { b: [0, 3] }] },
    { arrayFilters: [{ e: 2 }] },
  ],
  ['filtered elements of what is no array', { a: 1 }, { $set: { 'a.$[e]': 0 } }, 2, { arrayFilters: [{ e: 2 }] }],
  ['an array filter that is not used', { a: [1] }, { $set: { b: 0 } }, 9, { arrayFilters: [{ e: 2 }] }],
  ['an identifier without an array filter', { a: [1] }, { $set: { 'a.$[e]': 0 } }, 2],
  ['two operators on one path', { a: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }, 40],
  ['an operator above another', { a: { b: 1 } }, { $set: { a: {}, 'a.b': 1 } }, 40],
  ['an unknown operator', { a: 1 }, { $foo: { a: 1 } }, 9],
  ['operators fail as a whole', { a: 'x', b: 1 }, { $set: { b: 2 }, $inc: { a: 1 } }, 14],
  ['a pipeline', { a: 1, b: 2 }, [{ $set: { c: { $add: ['$a', '$b'] } } }, { $unset: 'b' }], { a: 1, c: 3 }],
  ['a pipeline merges objects', { a: { x: 1 } }, [{ $set: { a: { y: 2 } } }], { a: { x: 1, y: 2 } }],
  [
    'a pipeline writes a literal as it is',
    { a: { x: 1 } },
    [{ $set: { a: { $literal: { y: '$x' } } } }],
    { a: { y: '$x' } },
  ],
  [
    'a dotted path of a pipeline goes through arrays',
    { a: [{ x: 1 }, { x: 2 }] },
    [{ $set: { 'a.y': 0 } }],
    {
      a: [
        { x: 1, y: 0 },
        { x: 2, y: 0 },
      ],
    },
  ],
  ['$replaceWith keeps _id', { _id: 1, a: 1 }, [{ $replaceWith: { b: '$a' } }], { _id: 1, b: 1 }],
  ['_id stays in front', { a: 1 }, [{ $replaceWith: { b: '$a', _id: '$_id' } }], { b: 1 }],
  ['a pipeline that changes _id', { _id: 1, a: 1 }, [{ $set: { _id: 2 } }], 66],
  ['a stage that an update cannot have', { a: 1 }, [{ $match: { a: 1 } }], 72],
  ['a stage that there is not', { a: 1 }, [{ $foo: { a: 1 } }], 40324],
  ['an unknown expression', { a: 1 }, [{ $set: { a: { $foo: 1 } } }], 168],
];

/** A document as text that shows types and key order. */
function canonical(bytes: Uint8Array): string {
  return EJSON.stringify(deserialize(bytes, { promoteValues: false }), { relaxed: false });
}

async function stored({ collection }: Workbench): Promise<string> {
  const [bytes] = await collection.find({}, { raw: true }).toArray();
  if (!(bytes instanceof Uint8Array)) throw new Error('Expected one document.');
  return canonical(bytes);
}

function application([name, fields, update, after, { filter = {}, arrayFilters } = {}]: Row): [string, Case] {
  const run: Case = async (bench) => {
    const before: AnyDocument = { _id: 1, ...fields };
    await bench.collection.insertOne(before);
    const attempt = bench.collection.updateOne({ ...filter, _id: 1 }, update, arrayFilters && { arrayFilters });
    if (typeof after === 'number') {
      expect((await errorOf(attempt)).code).toBe(after);
      expect(await stored(bench)).toBe(canonical(serialize(before)));
      return;
    }
    const expected = canonical(serialize({ _id: 1, ...after }));
    const { matchedCount, modifiedCount } = await attempt;
    expect(await stored(bench)).toBe(expected);
    const changed = canonical(serialize(before)) === expected ? 0 : 1;
    expect({ matchedCount, modifiedCount }).toEqual({ matchedCount: 1, modifiedCount: changed });
  };
  return [name, run];
}

/** What an upsert inserts; `_id` only where the row says it. */
type Upsert = readonly [name: string, filter: AnyDocument, update: Update, inserted: AnyDocument | number];

const upserts: readonly Upsert[] = [
  [
    'the equalities of the filter and the update',
    { _id: 5, a: 1, b: { $gt: 3 } },
    { $set: { c: 2 } },
    { _id: 5, a: 1, c: 2 },
  ],
  [
    '$eq, $in of one value and $and',
    { _id: { $eq: 5 }, a: { $in: [1] }, $and: [{ b: 2 }] },
    { $set: { c: 3 } },
    { _id: 5, a: 1, b: 2, c: 3 },
  ],
  ['$setOnInsert', { _id: 5 }, { $set: { a: 1 }, $setOnInsert: { b: 2 } }, { _id: 5, a: 1, b: 2 }],
  ['a dotted equality', { _id: 5, 'a.b': 1 }, { $set: { 'a.c': 2 } }, { _id: 5, a: { b: 1, c: 2 } }],
  ['$inc starts at 0', { _id: 5 }, { $inc: { n: 2 } }, { _id: 5, n: 2 }],
  ['$push makes the array', { _id: 5 }, { $push: { a: 1 } }, { _id: 5, a: [1] }],
  ['a replacement takes only _id of the filter', { _id: 5, a: 1 }, { b: 2 }, { _id: 5, b: 2 }],
  ['a pipeline', { _id: 5, a: 1 }, [{ $set: { b: { $add: ['$a', 1] } } }], { _id: 5, a: 1, b: 2 }],
  ['_id of the update', { a: 1 }, { $set: { _id: 7 } }, { _id: 7, a: 1 }],
  ['another _id in the update than in the filter', { _id: 5 }, { $set: { _id: 7 } }, 66],
  ['two values for one field', { _id: 5, $and: [{ a: 1 }, { a: 2 }] }, { $set: { b: 1 } }, 54],
];

function insertion([name, filter, update, inserted]: Upsert): [string, Case] {
  const run: Case = async (bench) => {
    const { collection } = bench;
    const operators = Array.isArray(update) || Object.keys(update)[0]?.startsWith('$') === true;
    const attempt = operators
      ? collection.updateOne(filter, update, { upsert: true })
      : collection.replaceOne(filter, update, { upsert: true });
    if (typeof inserted === 'number') {
      expect((await errorOf(attempt)).code).toBe(inserted);
      expect(await collection.countDocuments()).toBe(0);
      return;
    }
    const counts = { matchedCount: 0, modifiedCount: 0, upsertedCount: 1, upsertedId: inserted._id };
    expect(await attempt).toMatchObject(counts);
    expect(await stored(bench)).toBe(canonical(serialize(inserted)));
  };
  return [name, run];
}

const others: Record<string, Case> = {
  'updateMany counts what matched and what changed': async ({ collection }) => {
    await collection.insertMany([{ a: 1 }, { a: 2 }, { a: 2 }, { b: 1 }]);
    expect(await collection.updateMany({ a: { $exists: true } }, { $set: { a: 2 } })).toMatchObject({
      matchedCount: 3,
      modifiedCount: 1,
    });
  },
  'an update of another type of the same number counts as a change': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: new Int32(1) });
    expect((await collection.updateOne({ _id: 1 }, { $set: { a: new Double(1) } })).modifiedCount).toBe(1);
  },
  'an upsert that finds a document inserts none': async ({ collection }) => {
    await collection.insertOne({ _id: 1 });
    const result = await collection.updateOne({ _id: 1 }, { $set: { a: 1 } }, { upsert: true });
    expect(result).toMatchObject({ matchedCount: 1, modifiedCount: 1, upsertedCount: 0, upsertedId: null });
  },
  'an upsert without _id makes an ObjectId and puts it first': async ({ collection }) => {
    const { upsertedId } = await collection.updateOne({ a: 1 }, { $set: { b: 2 } }, { upsert: true });
    expect(upsertedId).toBeInstanceOf(ObjectId);
    const found = await collection.findOne({});
    expect(Object.keys(found ?? {})).toEqual(['_id', 'a', 'b']);
    expect(found?._id).toEqual(upsertedId);
  },
  'a replacement replaces all but _id': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: 1, b: 2 });
    expect((await collection.replaceOne({ a: 1 }, { c: 3 })).modifiedCount).toBe(1);
    expect(await collection.findOne({})).toEqual({ _id: 1, c: 3 });
  },
  'a replacement cannot change _id': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: 1 });
    expect((await errorOf(collection.replaceOne({ a: 1 }, { _id: 2 }))).code).toBe(66);
  },
  'many documents cannot be replaced at once': async ({ db, collection }) => {
    const updates = [{ q: {}, u: { a: 1 }, multi: true }];
    const { writeErrors } = await db.command({ update: collection.collectionName, updates });
    expect(writeErrors).toMatchObject([{ index: 0, code: 9 }]);
  },
  '$currentDate sets dates and timestamps': async ({ collection }) => {
    await collection.insertOne({ _id: 1 });
    await collection.updateOne({ _id: 1 }, { $currentDate: { d: { $type: 'date' }, t: { $type: 'timestamp' } } });
    const found = await collection.findOne({});
    expect(found?.['d']).toBeInstanceOf(Date);
    expect(found?.['t']).toBeInstanceOf(Timestamp);
  },
  'updates of one batch see each other': async ({ collection }) => {
    const { matchedCount, modifiedCount, upsertedCount } = await collection.bulkWrite([
      { updateOne: { filter: { _id: 1 }, update: { $inc: { n: 1 } }, upsert: true } },
      { updateOne: { filter: { _id: 1 }, update: { $inc: { n: 1 } } } },
      { updateOne: { filter: { n: 2 }, update: { $inc: { n: 1 } } } },
    ]);
    expect({ matchedCount, modifiedCount, upsertedCount }).toEqual({
      matchedCount: 2,
      modifiedCount: 2,
      upsertedCount: 1,
    });
    expect(await collection.findOne({})).toEqual({ _id: 1, n: 3 });
  },
  'an ordered batch ends at an error, an unordered one goes on': async ({ collection }) => {
    await collection.insertMany([
      { _id: 1, a: 'x' },
      { _id: 2, a: 1 },
    ]);
    const batch = [1, 2].map((_id) => ({ updateOne: { filter: { _id }, update: { $inc: { a: 1 } } } }));
    expect(await errorOf(collection.bulkWrite(batch))).toMatchObject({ code: 14, modifiedCount: 0 });
    expect(await errorOf(collection.bulkWrite(batch, { ordered: false }))).toMatchObject({
      code: 14,
      modifiedCount: 1,
    });
  },
  'findOneAndUpdate gives the document before or after': async ({ collection }) => {
    await collection.insertOne({ _id: 1, n: 1 });
    expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } })).toEqual({ _id: 1, n: 1 });
    expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { returnDocument: 'after' })).toEqual({
      _id: 1,
      n: 3,
    });
    expect(await collection.findOneAndUpdate({ _id: 9 }, { $inc: { n: 1 } })).toBeNull();
  },
  'findOneAndUpdate sorts, projects and uses array filters': async ({ collection }) => {
    await collection.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 5, a: [1, 2] },
      { _id: 3, n: 3 },
    ]);
    const options: FindOneAndUpdateOptions = {
      sort: { n: -1 },
      projection: { a: 1, _id: 0 },
      arrayFilters: [{ e: 2 }],
      returnDocument: 'after',
    };
    const after = await collection.findOneAndUpdate({}, { $set: { 'a.$[e]': 9 } }, options);
    expect(after).toEqual({ a: [1, 9] });
  },
  'findOneAndUpdate upserts': async ({ collection }) => {
    const options = { upsert: true, includeResultMetadata: true } as const;
    const inserted = await collection.findOneAndUpdate(
      { _id: 5 },
      { $set: { a: 1 } },
      { ...options, returnDocument: 'after' },
    );
    expect(inserted).toMatchObject({
      value: { _id: 5, a: 1 },
      lastErrorObject: { n: 1, updatedExisting: false, upserted: 5 },
    });
    const before = await collection.findOneAndUpdate({ _id: 6 }, { $set: { a: 1 } }, options);
    expect(before).toMatchObject({ value: null, lastErrorObject: { n: 1, updatedExisting: false, upserted: 6 } });
  },
  'findOneAndReplace and findOneAndDelete': async ({ collection }) => {
    await collection.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    expect(await collection.findOneAndReplace({ a: 1 }, { b: 1 }, { returnDocument: 'after' })).toEqual({
      _id: 1,
      b: 1,
    });
    expect(await collection.findOneAndDelete({}, { sort: { _id: -1 } })).toEqual({ _id: 2, a: 2 });
    expect(await collection.findOneAndDelete({ _id: 2 })).toBeNull();
    expect(await collection.countDocuments()).toBe(1);
  },
  'findAndModify refuses contradictions': async ({ db, collection }) => {
    const findAndModify = collection.collectionName;
    for (const fields of [
      {},
      { remove: true, update: {} },
      { remove: true, new: true },
      { remove: true, upsert: true },
    ]) {
      expect((await errorOf(db.command({ findAndModify, ...fields }))).code).toBe(9);
    }
  },
  'fifty increments at once all count': async ({ collection }) => {
    await collection.insertOne({ _id: 1, n: 0 });
    await Promise.all(Array.from({ length: 50 }, () => collection.updateOne({ _id: 1 }, { $inc: { n: 1 } })));
    expect(await collection.findOne({})).toEqual({ _id: 1, n: 50 });
  },
};

conformanceOfEngine('updates', Object.fromEntries(rows.map(application)));
conformanceOfEngine('upserts', Object.fromEntries(upserts.map(insertion)));
conformanceOfEngine('updating', others);
