// https://www.mongodb.com/docs/manual/reference/change-events/update/
import { expect } from 'vitest';
import { type Case, conformance, errorOf } from '../support/conformance.ts';
import { Watching } from '../support/watching.ts';

const TEXT = 'x'.repeat(500);

const updating: Record<string, Case> = {
  'the paths that operators wrote to': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: 1, b: 1, o: { p: 1, q: 1 }, list: [1, 2], rows: [{ n: 1 }, { n: 2 }] });
    await using watching = await Watching.open(collection);
    await collection.updateOne(
      { _id: 1, 'rows.n': 2 },
      {
        $inc: { a: 1 },
        $unset: { b: 1, missing: 1 },
        $set: { 'o.p': 2, 'x.y.z': 1, 'rows.$.n': 5 },
        $push: { list: { $each: [3, 4] } as never },
      },
    );
    const [event] = await watching.next();
    expect(event?.['updateDescription']).toEqual({
      updatedFields: { a: 2, 'list.2': 3, 'list.3': 4, 'o.p': 2, 'rows.1.n': 5, x: { y: { z: 1 } } },
      removedFields: ['b'],
      truncatedArrays: [],
    });
  },

  'an object that is set is told as a whole, and so is an array that lost or moved elements': async ({
    collection,
  }) => {
    await collection.insertOne({ _id: 1, o: { p: 1, q: 1 }, list: [1, 2, 3], other: [1, 2] });
    await using watching = await Watching.open(collection);
    await collection.updateOne(
      { _id: 1 },
      { $set: { o: { p: 1, q: 2 } }, $pull: { list: 2 as never }, $pop: { other: 1 } },
    );
    const [event] = await watching.next();
    expect(event?.['updateDescription']).toEqual({
      updatedFields: { list: [1, 3], o: { p: 1, q: 2 }, other: [1] },
      removedFields: [],
      truncatedArrays: [],
    });
  },

  'a pipeline: what differs, and arrays that became shorter': async ({ collection }) => {
    await collection.insertOne({ _id: 1, text: TEXT, n: 1, gone: 1, o: { p: 1, text: TEXT }, list: [1, 2, 3, TEXT] });
    await using watching = await Watching.open(collection);
    await collection.updateOne({ _id: 1 }, [
      { $set: { n: { $add: ['$n', 1] }, 'o.p': 2, list: { $slice: ['$list', 2] } } },
      { $unset: 'gone' },
    ]);
    const [event] = await watching.next();
    expect(event).toMatchObject({
      operationType: 'update',
      updateDescription: {
        updatedFields: { n: 2, 'o.p': 2 },
        removedFields: ['gone'],
        truncatedArrays: [{ field: 'list', newSize: 2 }],
      },
    });
  },

  'a pipeline whose difference is larger than the document replaces it': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: 1 });
    await using watching = await Watching.open(collection);
    await collection.updateOne({ _id: 1 }, [{ $set: { a: 'another value' } }]);
    expect(await watching.next()).toMatchObject([
      { operationType: 'replace', fullDocument: { _id: 1, a: 'another value' } },
    ]);
  },

  'every way to write is told': async ({ client, collection, db }) => {
    await using watching = await Watching.open(collection);
    await collection.updateOne({ _id: 1 }, { $set: { a: 1 } }, { upsert: true });
    await collection.findOneAndUpdate({ _id: 1 }, { $set: { a: 2 } });
    await collection.findOneAndReplace({ _id: 1 }, { b: 1 });
    await collection.findOneAndDelete({ _id: 1 });
    await collection.insertMany([{ _id: 2 }, { _id: 3 }]);
    await collection.updateMany({}, { $set: { c: 1 } });
    await collection.deleteMany({});
    const namespace = `${db.databaseName}.${collection.collectionName}`;
    await client.bulkWrite([{ namespace, name: 'insertOne', document: { _id: 4 as never } }]);
    const ways = ['insert', 'update', 'replace', 'delete', 'insert', 'insert', 'update', 'update', 'delete', 'delete'];
    expect(await watching.types(11)).toEqual([...ways, 'insert']);
  },
};

const lookingUp: Record<string, Case> = {
  'updateLookup gives the document as it is now': async ({ collection }) => {
    await collection.insertMany([{ _id: 1 }, { _id: 2 }]);
    await using watching = await Watching.open(collection, [], { fullDocument: 'updateLookup', batchSize: 1 });
    await collection.updateOne({ _id: 1 }, { $set: { a: 1 } });
    await collection.updateOne({ _id: 2 }, { $set: { a: 1 } });
    await collection.deleteOne({ _id: 2 });
    const [first, second] = await watching.next(2);
    expect(first?.['fullDocument']).toEqual({ _id: 1, a: 1 });
    expect(second?.['fullDocument']).toBe(null);
  },

  'images before and after, of a collection that keeps them': async ({ collection, db }) => {
    await db.createCollection(collection.collectionName, { changeStreamPreAndPostImages: { enabled: true } });
    await collection.insertOne({ _id: 1, a: 1 });
    const options = { fullDocument: 'required', fullDocumentBeforeChange: 'required' };
    await using watching = await Watching.open(collection, [], options);
    await collection.updateOne({ _id: 1 }, { $set: { a: 2 } });
    await collection.updateOne({ _id: 1 }, { $set: { a: 3 } });
    await collection.deleteOne({ _id: 1 });
    const events = await watching.next(3);
    expect(events.map((event) => [event['fullDocumentBeforeChange'], event['fullDocument']])).toEqual([
      [
        { _id: 1, a: 1 },
        { _id: 1, a: 2 },
      ],
      [
        { _id: 1, a: 2 },
        { _id: 1, a: 3 },
      ],
      [{ _id: 1, a: 3 }, undefined],
    ]);
  },

  'images where there are none: null if they may be missing, an error if not': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: 1 });
    const options = { fullDocument: 'whenAvailable', fullDocumentBeforeChange: 'whenAvailable' };
    await using watching = await Watching.open(collection, [], options);
    await using strict = await Watching.open(collection, [], { fullDocument: 'required' });
    await collection.updateOne({ _id: 1 }, { $set: { a: 2 } });
    expect(await watching.next()).toMatchObject([{ fullDocument: null, fullDocumentBeforeChange: null }]);
    expect(await errorOf(strict.next())).toMatchObject({ code: 47 });
  },
};

conformance('what an update changed', updating);
conformance('full documents', lookingUp);
