import type { CollationOptions } from 'mongodb';
import { expect } from 'vitest';
import { type Case, conformanceOfEngine, errorOf } from '../support/conformance.ts';

// Source: the MongoDB manual, "Collation".

const LOOSE: CollationOptions = { locale: 'en', strength: 1 };
const CASELESS: CollationOptions = { locale: 'en', strength: 2 };
const NUMERIC: CollationOptions = { locale: 'en', numericOrdering: true };
const SIMPLE: CollationOptions = { locale: 'simple' };

const WORDS = ['cote', 'Cote', 'coté', 'dog', 'apple'].map((word, _id) => ({ _id, word }));

const commands: Record<string, Case> = {
  'find by equality, range and list': async ({ collection }) => {
    await collection.insertMany(WORDS);
    const idsOf = async (filter: object, collation: CollationOptions): Promise<unknown[]> =>
      (await collection.find(filter, { collation }).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
    expect(await idsOf({ word: 'COTE' }, CASELESS)).toEqual([0, 1]);
    expect(await idsOf({ word: 'COTE' }, LOOSE)).toEqual([0, 1, 2]);
    expect(await idsOf({ word: 'COTE' }, { locale: 'en' })).toEqual([]);
    expect(await idsOf({ word: 'COTE' }, SIMPLE)).toEqual([]);
    expect(await idsOf({ word: { $gt: 'COTE' } }, LOOSE)).toEqual([3]);
    expect(await idsOf({ word: { $ne: 'COTE' } }, LOOSE)).toEqual([3, 4]);
    expect(await idsOf({ word: { $in: ['COTE', 'APPLE'] } }, CASELESS)).toEqual([0, 1, 4]);
    expect(await idsOf({ word: { $nin: ['COTE', 'APPLE'] } }, LOOSE)).toEqual([3]);
  },
  'case counts where it is asked for': async ({ collection }) => {
    await collection.insertMany(WORDS);
    const collation: CollationOptions = { locale: 'en', strength: 1, caseLevel: true };
    expect(await collection.countDocuments({ word: 'coté' }, { collation })).toBe(2);
    const upper = collection.find({ word: /cot/i }, { collation: { locale: 'en', caseFirst: 'upper' } });
    expect((await upper.sort({ word: 1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 0, 2]);
  },
  'sorting by a language, and digits as numbers': async ({ collection }) => {
    await collection.insertMany(['z', 'ä', 'a', 'B', '10', '9', '02'].map((_id) => ({ _id })));
    const sorted = async (collation: CollationOptions): Promise<unknown[]> =>
      (await collection.find().collation(collation).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
    expect(await sorted(SIMPLE)).toEqual(['02', '10', '9', 'B', 'a', 'z', 'ä']);
    expect(await sorted({ locale: 'de' })).toEqual(['02', '10', '9', 'a', 'ä', 'B', 'z']);
    expect(await sorted({ locale: 'sv' })).toEqual(['02', '10', '9', 'a', 'B', 'z', 'ä']);
    expect((await sorted(NUMERIC)).slice(0, 3)).toEqual(['02', '9', '10']);
  },
  'distinct, count and aggregate': async ({ collection }) => {
    await collection.insertMany(WORDS);
    expect(await collection.distinct('word', {}, { collation: LOOSE })).toHaveLength(3);
    expect(await collection.countDocuments({ word: 'DOG' }, { collation: CASELESS })).toBe(1);
    const grouped = collection.aggregate(
      [{ $match: { word: { $lt: 'D' } } }, { $group: { _id: '$word', n: { $sum: 1 } } }, { $sort: { _id: 1 } }],
      { collation: LOOSE },
    );
    expect((await grouped.toArray()).map(({ n }) => n as unknown)).toEqual([1, 3]);
  },
  'updating, removing and finding to change': async ({ collection }) => {
    await collection.insertMany(WORDS);
    const collation = CASELESS;
    expect((await collection.updateMany({ word: 'COTE' }, { $set: { x: 1 } }, { collation })).matchedCount).toBe(2);
    expect((await collection.updateOne({ word: 'DOG' }, { $set: { x: 1 } })).matchedCount).toBe(0);
    expect((await collection.findOneAndDelete({ word: 'DOG' }, { collation }))?._id).toBe(3);
    expect((await collection.deleteMany({ word: 'cOTE' }, { collation })).deletedCount).toBe(2);
    expect((await collection.deleteOne({ word: 'APPLE' }, { collation })).deletedCount).toBe(1);
  },
  // Sources: the pages of `$expr`, `$addToSet`, `$pull`, `$min` and of update's `arrayFilters`: the operation's collation
  // is that of all comparisons in it.
  'expressions in a filter': async ({ collection }) => {
    await collection.insertMany(WORDS);
    const same = { $expr: { $eq: ['$word', 'COTE'] } };
    expect(await collection.countDocuments(same, { collation: CASELESS })).toBe(2);
    expect(await collection.countDocuments(same)).toBe(0);
    const among = { $expr: { $in: ['$word', ['DOG', 'APPLE']] } };
    expect(await collection.countDocuments(among, { collation: CASELESS })).toBe(2);
  },
  'expressions in a pipeline': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: 'x', b: ['X', 'y', 'Y', 'z'] });
    const collation = CASELESS;
    const compute = async (v: object): Promise<unknown> =>
      (await collection.aggregate([{ $project: { _id: 0, v } }], { collation }).toArray())[0]?.['v'];
    expect(await compute({ $cmp: ['$a', 'X'] })).toBe(0);
    expect(await compute({ $indexOfArray: ['$b', 'Y'] })).toBe(1);
    expect(await compute({ $setIsSubset: [['x', 'Z'], '$b'] })).toBe(true);
    expect(await compute({ $size: { $setUnion: ['$b', ['Z']] } })).toBe(3);
    expect(await compute({ $max: ['B', 'a'] })).toBe('B');
    expect(await compute({ $sortArray: { input: ['B', 'a', 'C'], sortBy: 1 } })).toEqual(['a', 'B', 'C']);
    expect(await compute({ $switch: { branches: [{ case: { $eq: ['$a', 'X'] }, then: 1 }], default: 2 } })).toBe(1);
  },
  'accumulators of a group': async ({ collection }) => {
    await collection.insertMany(['a', 'B', 'c', 'C'].map((word, _id) => ({ _id, word })));
    const fields = { max: { $max: '$word' }, set: { $addToSet: '$word' }, two: { $minN: { n: 2, input: '$word' } } };
    const [group] = await collection
      .aggregate([{ $group: { _id: null, ...fields } }], { collation: CASELESS })
      .toArray();
    expect([group?.['max'], group?.['set'].length, group?.['two']]).toEqual(['c', 3, ['a', 'B']]);
  },
  'a lookup': async ({ collection }) => {
    await collection.insertMany(WORDS);
    const $lookup = { from: collection.collectionName, localField: 'upper', foreignField: 'word', as: 'found' };
    const stages = [{ $match: { _id: 0 } }, { $set: { upper: 'DOG' } }, { $lookup }];
    const [joined] = await collection.aggregate(stages, { collation: CASELESS }).toArray();
    expect(joined?.['found']).toEqual([{ _id: 3, word: 'dog' }]);
  },
  'operators and array filters of an update': async ({ collection }) => {
    const collation = CASELESS;
    const after = async (update: object, arrayFilters?: object[]): Promise<unknown> => {
      await collection.replaceOne({ _id: 1 }, { a: ['b', 'A'], w: 'm' }, { upsert: true });
      await collection.updateOne({ _id: 1 }, update, { collation, ...(arrayFilters && { arrayFilters }) });
      const found = await collection.findOne({ _id: 1 });
      return found?.['w'] === 'm' ? found['a'] : found?.['w'];
    };
    expect(await after({ $set: { 'a.$[e]': 0 } }, [{ e: 'a' }])).toEqual(['b', 0]);
    expect(await after({ $pull: { a: 'B' } })).toEqual(['A']);
    expect(await after({ $pull: { a: { $in: ['B'] } } })).toEqual(['A']);
    expect(await after({ $pullAll: { a: ['B'] } })).toEqual(['A']);
    expect(await after({ $addToSet: { a: 'B' } })).toEqual(['b', 'A']);
    expect(await after({ $push: { a: { $each: [], $sort: 1 } } })).toEqual(['A', 'b']);
    expect(await after({ $max: { w: 'N' } })).toBe('N');
    expect(await after({ $min: { w: 'N' } })).toEqual(['b', 'A']);
    expect(await after([{ $set: { w: { $cond: [{ $eq: ['$w', 'M'] }, 1, 2] } } }])).toBe(1);
  },
  'the element that a projection wants': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: ['b', 'A'] });
    const projection = { _id: 0, a: { $elemMatch: { $eq: 'a' } } };
    expect(await collection.findOne({}, { projection, collation: CASELESS })).toEqual({ a: ['A'] });
    expect(await collection.findOne({ a: 'a' }, { projection: { 'a.$': 1 }, collation: CASELESS })).toEqual({
      _id: 1,
      a: ['A'],
    });
  },
  'texts inside documents and arrays': async ({ collection }) => {
    await collection.insertMany([
      { _id: 1, a: { b: 'X' } },
      { _id: 2, a: ['x', 'Y'] },
    ]);
    expect(await collection.distinct('_id', { a: { b: 'x' } }, { collation: CASELESS })).toEqual([1]);
    expect(await collection.distinct('_id', { a: 'y' }, { collation: CASELESS })).toEqual([2]);
    expect(await collection.distinct('_id', { a: ['X', 'y'] }, { collation: CASELESS })).toEqual([2]);
  },
  'what is no collation is refused': async ({ collection }) => {
    const codeOf = async (collation: object): Promise<unknown> =>
      (await errorOf(collection.find({}, { collation: collation as CollationOptions }).toArray())).code;
    expect(await codeOf({ locale: 'nowhere' })).toBe(2);
    expect(await codeOf({ strength: 1 })).toBe(40414);
    expect(await codeOf({ locale: 'en', strength: 7 })).toBe(2);
    expect(await codeOf({ locale: 'en', caseLevel: 'yes' })).toBe(14);
  },
};

const collections: Record<string, Case> = {
  'a collection compares texts by its own rules unless told otherwise': async ({ db, collection }) => {
    const own = await db.createCollection<{ _id: number; word: string }>(collection.collectionName, {
      collation: CASELESS,
    });
    await own.insertMany(WORDS);
    expect(await own.countDocuments({ word: 'DOG' })).toBe(1);
    expect(await own.countDocuments({ word: 'DOG' }, { collation: SIMPLE })).toBe(0);
    expect((await own.updateOne({ word: 'DOG' }, { $set: { word: 'Cat' } })).matchedCount).toBe(1);
    expect(
      await own
        .find({ word: { $gt: 'B' } })
        .sort({ word: 1, _id: 1 })
        .toArray(),
    ).toMatchObject([{ word: 'Cat' }, { word: 'cote' }, { word: 'Cote' }, { word: 'coté' }]);
    const [info] = await db.listCollections({ name: collection.collectionName }).toArray();
    expect(info).toMatchObject({ options: { collation: { locale: 'en', strength: 2 } } });
  },
  'its _ids and its indexes have the same rules': async ({ db, collection }) => {
    const own = await db.createCollection<{ _id: string }>(collection.collectionName, { collation: CASELESS });
    await own.insertOne({ _id: 'Ann' });
    expect((await errorOf(own.insertOne({ _id: 'ANN' }))).code).toBe(11000);
    expect((await own.findOne({ _id: 'ann' }))?._id).toBe('Ann');
    await own.createIndex({ name: 1 }, { unique: true });
    expect((await own.indexes()).at(-1)).toMatchObject({ collation: { locale: 'en', strength: 2 } });
  },
  'a unique index by a collation': async ({ collection }) => {
    await collection.createIndex({ email: 1 }, { unique: true, collation: CASELESS });
    await collection.insertOne({ email: 'ann@example.com' });
    expect((await errorOf(collection.insertOne({ email: 'Ann@Example.com' }))).code).toBe(11000);
    await collection.insertOne({ email: 'änn@example.com' });
    expect(await collection.countDocuments({ email: 'ANN@example.com' }, { collation: CASELESS })).toBe(1);
    expect(await collection.countDocuments({ email: 'ANN@example.com' })).toBe(0);
  },
  'an index serves the queries of its collation': async ({ collection }) => {
    await collection.createIndex({ a: 1 }, { collation: CASELESS });
    await collection.insertMany(['x', 'X', 5, 7].map((a, _id) => ({ _id, a })));
    const plan = async (filter: object, collation?: CollationOptions): Promise<string> =>
      JSON.stringify(await collection.find(filter, collation && { collation }).explain('queryPlanner'));
    expect(await plan({ a: 'x' }, CASELESS)).toContain('IXSCAN');
    expect(await plan({ a: 'x' })).toContain('COLLSCAN');
    expect(await plan({ a: 5 })).toContain('IXSCAN');
    expect(await collection.countDocuments({ a: 'x' })).toBe(1);
    expect(await collection.countDocuments({ a: 'x' }, { collation: CASELESS })).toBe(2);
    expect(await collection.countDocuments({ a: { $gte: 5 } })).toBe(2);
  },
};

conformanceOfEngine('collation', commands);
conformanceOfEngine('collations of collections and indexes', collections);
