// https://www.mongodb.com/docs/manual/changeStreams/
import { once } from 'node:events';
import type { Timestamp } from 'mongodb';
import { expect } from 'vitest';
import { type Case, conformance, errorOf } from '../support/conformance.ts';
import { cursorOf, Watching } from '../support/watching.ts';

const TEXT = 'x'.repeat(500);

const watching: Record<string, Case> = {
  'tell inserts, updates, replacements and deletions': async ({ collection, db }) => {
    await using watching = await Watching.open(collection);
    await collection.insertOne({ _id: 1, a: 1 });
    await collection.updateOne({ _id: 1 }, { $set: { a: 2 } });
    await collection.replaceOne({ _id: 1 }, { b: 1 });
    await collection.deleteOne({ _id: 1 });
    const ns = { db: db.databaseName, coll: collection.collectionName };
    const events = await watching.next(4);
    expect(events).toMatchObject([
      { operationType: 'insert', ns, documentKey: { _id: 1 }, fullDocument: { _id: 1, a: 1 } },
      { operationType: 'update', ns, documentKey: { _id: 1 } },
      { operationType: 'replace', ns, documentKey: { _id: 1 }, fullDocument: { _id: 1, b: 1 } },
      { operationType: 'delete', ns, documentKey: { _id: 1 } },
    ]);
    expect(events.map((event) => 'fullDocument' in event)).toEqual([true, false, true, false]);
    expect(events[1]?.['updateDescription']).toEqual({
      updatedFields: { a: 2 },
      removedFields: [],
      truncatedArrays: [],
    });
  },

  'give each event a token, a time and a wall time, in order': async ({ collection }) => {
    await using watching = await Watching.open(collection);
    await collection.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const events = await watching.next(3);
    const tokens = events.map(({ _id }) => (_id as { _data: string })._data);
    expect(tokens).toEqual([...new Set(tokens)].sort());
    const times = events.map(({ clusterTime }) => clusterTime as Timestamp);
    expect(times.every((time, index) => index === 0 || (times[index - 1] ?? time).lessThan(time))).toBe(true);
    expect(events.every(({ wallTime }) => wallTime instanceof Date)).toBe(true);
    expect(events.some((event) => 'collectionUUID' in event)).toBe(false);
  },

  'tell nothing that happened before or elsewhere, and no update that changed nothing': async ({ collection, db }) => {
    await collection.insertOne({ _id: 1, a: 1 });
    await using watching = await Watching.open(collection);
    await db.collection('elsewhere').insertOne({});
    await collection.updateOne({ _id: 1 }, { $set: { a: 1 } });
    await collection.deleteOne({ _id: 2 });
    await collection.insertOne({ _id: 3 });
    const [event] = await watching.next();
    expect(event).toMatchObject({ operationType: 'insert', documentKey: { _id: 3 } });
  },

  'watch all collections of a database': async ({ client, collection, db }) => {
    await using watching = await Watching.open(db);
    await client
      .db(`${db.databaseName}_other`)
      .collection('c')
      .insertOne({ _id: 0 as never });
    await collection.insertOne({ _id: 1 });
    await db.collection('other').insertOne({ _id: 2 as never });
    const events = await watching.next(2);
    expect(events.map(({ documentKey }) => documentKey)).toEqual([{ _id: 1 }, { _id: 2 }]);
    await client.db(`${db.databaseName}_other`).dropDatabase();
  },

  'watch all databases': async ({ client, collection, db }) => {
    const other = client.db(`${db.databaseName}_other`);
    const mine = [{ $match: { 'ns.db': { $in: [db.databaseName, other.databaseName] } } }];
    await using watching = await Watching.open(client, mine);
    await other.collection('c').insertOne({ _id: 0 as never });
    await collection.insertOne({ _id: 1 });
    expect((await watching.next(2)).map(({ documentKey }) => documentKey)).toEqual([{ _id: 0 }, { _id: 1 }]);
    await other.dropDatabase();
  },

  'wait for an event, and wake when it comes': async ({ collection }) => {
    const stream = collection.watch([], { maxAwaitTimeMS: 600_000 });
    const opened = once(cursorOf(stream), 'init');
    const next = stream.next();
    await opened;
    await collection.insertOne({ _id: 1 });
    expect(await next).toMatchObject({ documentKey: { _id: 1 } });
    await stream.close();
  },

  'tell many streams the same': async ({ collection }) => {
    const all = await Promise.all(Array.from({ length: 5 }, () => Watching.open(collection)));
    await collection.insertMany([{ _id: 1 }, { _id: 2 }]);
    const told = await Promise.all(all.map((watching) => watching.next(2)));
    expect(new Set(told.map((events) => JSON.stringify(events))).size).toBe(1);
    await Promise.all(all.map((watching) => watching.stream.close()));
  },

  'keep the order for a reader that is slow': async ({ collection }) => {
    await using watching = await Watching.open(collection, [], { batchSize: 7 });
    for (let start = 0; start < 200; start += 50) {
      await collection.insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: start + n, text: TEXT })));
    }
    const events = await watching.next(200);
    expect(events.map(({ documentKey }) => documentKey)).toEqual(Array.from({ length: 200 }, (_, _id) => ({ _id })));
  },

  'close while they wait': async ({ collection }) => {
    const stream = collection.watch([], { maxAwaitTimeMS: 600_000 });
    const opened = once(cursorOf(stream), 'init');
    const waiting = stream.next().catch((error: unknown) => error);
    await opened;
    await stream.close();
    expect(await waiting).toBeInstanceOf(Error);
  },
};

const ending: Record<string, Case> = {
  'a collection that is dropped ends its stream': async ({ collection }) => {
    await collection.insertOne({ _id: 1 });
    await using watching = await Watching.open(collection);
    await collection.drop();
    const [drop, invalidate] = await watching.next(2);
    expect([drop?.operationType, invalidate?.operationType]).toEqual(['drop', 'invalidate']);
    expect(Object.keys(invalidate ?? {})).toEqual(['_id', 'operationType', 'clusterTime', 'wallTime']);
    expect(watching.stream.closed).toBe(true);
  },

  'a collection that is renamed ends its stream': async ({ collection, db }) => {
    await collection.insertOne({ _id: 1 });
    await using watching = await Watching.open(collection);
    await collection.rename('renamed');
    const [rename, invalidate] = await watching.next(2);
    expect(rename).toMatchObject({
      operationType: 'rename',
      ns: { db: db.databaseName, coll: collection.collectionName },
      to: { db: db.databaseName, coll: 'renamed' },
    });
    expect(invalidate?.operationType).toBe('invalidate');
  },

  'the stream of the name that a collection gets ends, too': async ({ collection, db }) => {
    await collection.insertOne({ _id: 1 });
    await db.collection('target').insertOne({});
    await using watching = await Watching.open(db.collection('target'));
    await collection.rename('target', { dropTarget: true });
    expect(await watching.types(2)).toEqual(['rename', 'invalidate']);
  },

  'the stream of a database goes on until the database is dropped': async ({ client, db }) => {
    const other = client.db(`${db.databaseName}_dropped`);
    await other.collection('a').insertOne({});
    await using watching = await Watching.open(other);
    await other.collection('a').drop();
    await other.collection('b').insertOne({});
    await other.collection('b').rename('c');
    await other.dropDatabase();
    const events = await watching.next(6);
    expect(events.map(({ operationType }) => operationType)).toEqual([
      'drop',
      'insert',
      'rename',
      'drop',
      'dropDatabase',
      'invalidate',
    ]);
    expect(events[4]?.['ns']).toEqual({ db: other.databaseName });
  },
};

const piping: Record<string, Case> = {
  'select and reshape events': async ({ collection }) => {
    await using watching = await Watching.open(collection, [
      { $match: { operationType: 'insert', 'fullDocument.n': { $gt: 1 } } },
      { $addFields: { double: { $multiply: ['$fullDocument.n', 2] } } },
      { $project: { double: 1, key: '$documentKey._id' } },
    ]);
    await collection.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ]);
    const [event] = await watching.next();
    expect(event).toMatchObject({ double: 4, key: 2 });
    expect(Object.keys(event ?? {})).toEqual(['_id', 'double', 'key']);
  },

  'replace and redact events': async ({ collection }) => {
    await using watching = await Watching.open(collection, [
      { $replaceRoot: { newRoot: { $mergeObjects: ['$fullDocument', { _id: '$_id' }] } } },
      { $redact: { $cond: [{ $eq: ['$secret', true] }, '$$PRUNE', '$$DESCEND'] } },
    ]);
    await collection.insertMany([
      { _id: 1, secret: true },
      { _id: 2, open: { secret: true }, name: 'Ann' },
    ]);
    const [event] = await watching.next();
    expect(event).toMatchObject({ name: 'Ann' });
    expect(event).not.toHaveProperty('open');
  },

  'the token may not be changed': async ({ collection }) => {
    await using watching = await Watching.open(collection, [{ $set: { _id: 1 } }]);
    await collection.insertOne({});
    expect(await errorOf(watching.next())).toMatchObject({ code: 280 });
  },

  'stages that a stream cannot have': async ({ collection, db }) => {
    expect(await errorOf(Watching.open(collection, [{ $group: { _id: 1 } }]))).toMatchObject({ code: 20 });
    const twice = db.command({ aggregate: 'c', pipeline: [{ $match: {} }, { $changeStream: {} }], cursor: {} });
    expect(await errorOf(twice)).toMatchObject({ code: 40602 });
  },
};

const refusing: Record<string, Case> = {
  'options that are unknown or wrong': async ({ collection, db }) => {
    const open = (options: object): Promise<unknown> =>
      db.command({ aggregate: collection.collectionName, pipeline: [{ $changeStream: options }], cursor: {} });
    expect(await errorOf(open({ fullDocument: 'sometimes' }))).toMatchObject({ code: 2 });
    expect(await errorOf(open({ fullDocument: 1 }))).toMatchObject({ code: 14 });
    expect(await errorOf(open({ unknown: 1 }))).toMatchObject({ code: 40415 });
    expect(await errorOf(open({ startAtOperationTime: 1 }))).toMatchObject({ code: 14 });
  },

  'what is no subject': async ({ client, db }) => {
    expect(await errorOf(Watching.open(client.db('admin')))).toMatchObject({ code: 73 });
    const all = { aggregate: 1, pipeline: [{ $changeStream: { allChangesForCluster: true } }], cursor: {} };
    expect(await errorOf(db.command(all))).toMatchObject({ code: 72 });
  },
};

conformance('change streams', watching);
conformance('changes of collections', ending);
conformance('pipelines of streams', piping);
conformance('refusals of streams', refusing);
