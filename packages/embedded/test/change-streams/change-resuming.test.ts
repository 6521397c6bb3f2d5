// https://www.mongodb.com/docs/manual/changeStreams/#resume-a-change-stream
import { MongoClient, Timestamp } from 'mongodb';
import { expect } from 'vitest';
import { type AnyDocument, type Case, conformance, errorOf } from '../support/conformance.ts';
import { cursorOf, Watching } from '../support/watching.ts';

const resuming: Record<string, Case> = {
  'after an event': async ({ collection }) => {
    await using first = await Watching.open(collection);
    await collection.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const [event] = await first.next();
    for (const option of ['resumeAfter', 'startAfter']) {
      await using second = await Watching.open(collection, [], { [option]: event?._id });
      expect((await second.next(2)).map(({ documentKey }) => documentKey)).toEqual([{ _id: 2 }, { _id: 3 }]);
    }
  },

  'after the token of a stream that saw nothing': async ({ collection, db }) => {
    const first = await Watching.open(collection);
    const token = first.stream.resumeToken;
    await first.stream.close();
    await db.collection('elsewhere').insertOne({});
    await collection.insertOne({ _id: 1 });
    await using second = await Watching.open(collection, [], { resumeAfter: token });
    expect(await second.next()).toMatchObject([{ documentKey: { _id: 1 } }]);
  },

  'at a time': async ({ collection }) => {
    await using first = await Watching.open(collection);
    await collection.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const [, event] = await first.next(2);
    const startAtOperationTime = event?.clusterTime as Timestamp;
    await using second = await Watching.open(collection, [], { startAtOperationTime });
    expect((await second.next(2)).map(({ documentKey }) => documentKey)).toEqual([{ _id: 2 }, { _id: 3 }]);
  },

  'after the end of a collection': async ({ collection }) => {
    await collection.insertOne({ _id: 1 });
    await using first = await Watching.open(collection);
    await collection.drop();
    await collection.insertOne({ _id: 2 });
    const [drop, invalidate] = await first.next(2);
    await using again = await Watching.open(collection, [], { resumeAfter: drop?._id });
    expect(await again.types(1)).toEqual(['invalidate']);
    expect(await errorOf(Watching.open(collection, [], { resumeAfter: invalidate?._id }))).toMatchObject({ code: 260 });
    await using next = await Watching.open(collection, [], { startAfter: invalidate?._id });
    expect(await next.next()).toMatchObject([{ operationType: 'insert', documentKey: { _id: 2 } }]);
  },

  'with the token of another stream': async ({ collection, db }) => {
    await using first = await Watching.open(collection);
    await collection.insertOne({ _id: 1 });
    const [event] = await first.next();
    const other = db.collection('another');
    expect(await errorOf(Watching.open(other, [], { resumeAfter: event?._id }))).toMatchObject({ code: 280 });
  },

  'with what is no token': async ({ collection }) => {
    expect(await errorOf(Watching.open(collection, [], { resumeAfter: { _data: 'zz' } }))).toMatchObject({ code: 9 });
    expect(await errorOf(Watching.open(collection, [], { resumeAfter: { _data: 1 } }))).toMatchObject({ code: 40647 });
  },

  'with two beginnings': async ({ collection, db }) => {
    const token = { _data: '82' };
    const open = (options: object): Promise<unknown> =>
      db.command({ aggregate: collection.collectionName, pipeline: [{ $changeStream: options }], cursor: {} });
    expect(await errorOf(open({ resumeAfter: token, startAfter: token }))).toMatchObject({ code: 50865 });
    const time = { startAtOperationTime: new Timestamp({ t: 1, i: 1 }) };
    expect(await errorOf(open({ resumeAfter: token, ...time }))).toMatchObject({ code: 40674 });
  },

  'at a time that is forgotten': async ({ collection }) => {
    const startAtOperationTime = new Timestamp({ t: 1, i: 1 });
    expect(await errorOf(Watching.open(collection, [], { startAtOperationTime }))).toMatchObject({ code: 286 });
  },

  'after an error that can be repaired': async ({ collection, db, uri }) => {
    const other = new MongoClient(uri);
    const watched = other.db(db.databaseName).collection<AnyDocument>(collection.collectionName);
    await using watching = await Watching.open(watched);
    await collection.insertOne({ _id: 1 });
    expect(await watching.next()).toMatchObject([{ documentKey: { _id: 1 } }]);
    // Without its cursor on the server, the driver opens another stream behind the last event.
    await db.command({ killCursors: collection.collectionName, cursors: [cursorOf(watching.stream).id] });
    await collection.insertOne({ _id: 2 });
    expect(await watching.next()).toMatchObject([{ documentKey: { _id: 2 } }]);
    await other.close();
  },
};

conformance('resuming', resuming);
