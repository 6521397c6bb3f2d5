import { expect } from 'vitest';
import { type Case, conformanceOfEngine, errorOf } from '../../support/conformance.ts';

// Source: the MongoDB manual, "cursor.sort()" and "Multikey Indexes".

const cases: Record<string, Case> = {
  'fields of one array are taken from one element': async ({ collection }) => {
    await collection.insertMany([
      { _id: 1, a: [{ x: 1, y: 9 }, { x: 2, y: 1 }] }, // prettier-ignore
      { _id: 2, a: [{ x: 1, y: 5 }] },
    ]);
    const sorted = collection.find().sort({ 'a.x': 1, 'a.y': 1 });
    expect((await sorted.toArray()).map(({ _id }) => _id)).toEqual([2, 1]);
    const turned = collection.find().sort({ 'a.x': -1, 'a.y': 1 });
    expect((await turned.toArray()).map(({ _id }) => _id)).toEqual([1, 2]);
  },
  'two arrays of one document are no order': async ({ collection }) => {
    await collection.insertOne({ a: [1, 2], b: [1, 2] });
    expect((await errorOf(collection.find().sort({ a: 1, b: 1 }).toArray())).code).toBe(2);
    expect(await collection.find().sort({ a: 1, c: 1 }).toArray()).toHaveLength(1);
  },
  'the order by an index is that of a sort': async ({ collection }) => {
    const values = [null, 5, 'b', true, new Date(0), [3, 7], [], { x: 1 }, 2.5, -1, 'a', [null]];
    await collection.insertMany([...values.map((a, _id) => ({ _id, a })), { _id: 99 }]);
    const order = async (direction: 1 | -1): Promise<unknown[]> =>
      (await collection.find().sort({ a: direction, _id: 1 }).toArray()).map(({ _id }) => _id);
    const before = [await order(1), await order(-1)];
    await collection.createIndex({ a: 1, _id: 1 });
    expect([await order(1), await order(-1)]).toEqual(before);
    expect(before[0]?.slice(0, 4)).toEqual([6, 0, 11, 99]);
  },
  'an update of all that an index finds comes to each once': async ({ collection }) => {
    await collection.createIndex({ a: 1 });
    await collection.insertMany(Array.from({ length: 50 }, (_, n) => ({ a: n })));
    const { modifiedCount } = await collection.updateMany({ a: { $gte: 0 } }, { $inc: { a: 10 } });
    expect(modifiedCount).toBe(50);
    expect(await collection.countDocuments({ a: { $gte: 10, $lt: 60 } })).toBe(50);
  },
  'a cursor by an index goes on while documents change': async ({ collection }) => {
    await collection.createIndex({ a: 1 });
    await collection.insertMany(Array.from({ length: 100 }, (_, n) => ({ _id: n, a: n })));
    const cursor = collection.find({ a: { $gte: 0 } }).sort({ a: 1 }).batchSize(10); // prettier-ignore
    const seen = new Set<unknown>();
    for await (const { _id } of cursor) {
      seen.add(_id);
      if (seen.size === 20) await collection.deleteMany({ a: { $gte: 60, $lt: 80 } });
      if (seen.size === 30) await collection.updateMany({ a: { $lt: 5 } }, { $set: { b: 1 } });
    }
    // Those that were removed meanwhile may have been read before.
    const others = [...seen].filter((id) => Number(id) < 60 || Number(id) >= 80);
    expect(others).toHaveLength(80);
  },
};

conformanceOfEngine('sorting', cases);
