import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import type { Db } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Catalog } from '../../src/catalog/catalog.ts';
import type { Collection } from '../../src/catalog/collection.ts';
import { indexDefinition } from '../../src/commands/index-definition.ts';
import { decode, encode } from '../../src/values/bson.ts';
import { documentOf } from '../../src/values/value.ts';
import { LmdbStorage } from '../../src/storage/lmdb.ts';
import { type AnyDocument, errorOf } from '../support/conformance.ts';
import { Durable } from '../support/durable.ts';

let durable: Durable;

beforeEach(async () => {
  durable = await Durable.start();
});

afterEach(() => durable.remove());

const db = (): Db => durable.client.db('shop');

/** All documents of a collection as hexadecimal BSON, in natural order. */
async function rawOf(collection: string): Promise<string[]> {
  const found = await db().collection(collection).find({}, { raw: true }).toArray();
  return found.map((bytes) => Buffer.from(bytes as unknown as Uint8Array).toString('hex'));
}

describe('a restart', () => {
  it('keeps documents byte for byte in natural order', async () => {
    const typed = {
      _id: new ObjectId(),
      int: new Int32(1),
      double: new Double(1),
      long: Long.fromString('9007199254740993'),
      decimal: Decimal128.fromString('1.50'),
      binary: new Binary(Buffer.of(1, 2), 4),
      timestamp: new Timestamp({ t: 1, i: 2 }),
      nested: { 'a.b': [null, /x/i, new Date(0)], '': 'Grüße 🌍' },
    };
    const items = db().collection<AnyDocument>('items');
    await items.insertMany([{ _id: 'z' }, typed, { _id: 2 }, { _id: null }, { _id: 'gone' }, { _id: 'a' }]);
    await items.updateOne({ _id: 2 }, { $set: { text: 'x'.repeat(100_000) } });
    await items.deleteOne({ _id: 'gone' });
    const before = await rawOf('items');
    expect(before).toHaveLength(5);
    for (let round = 0; round < 2; round += 1) {
      await durable.restart();
      expect(await rawOf('items')).toEqual(before);
    }
    await db().collection<AnyDocument>('items').insertOne({ _id: 'A' });
    expect((await rawOf('items')).slice(0, 5)).toEqual(before);
    expect(await db().collection('items').countDocuments({})).toBe(6);
    expect(await db().collection('items').estimatedDocumentCount()).toBe(6);
  });

  it('keeps indexes with their options, and what they enforce', async () => {
    const items = db().collection<AnyDocument>('items');
    await items.createIndexes([
      { key: { email: 1 }, unique: true, name: 'mail' },
      { key: { a: -1, 'b.c': 1 }, sparse: true },
      { key: { tags: 1 }, hidden: true },
      { key: { code: 1 }, unique: true, partialFilterExpression: { code: { $gt: 5 } } },
    ]);
    await items.insertMany([
      { _id: 1, email: 'ann@example.com', tags: ['x', 'y'], code: 1 },
      { _id: 2, email: 'bob@example.com', tags: ['x'], code: 1 },
      { _id: 3, email: 'x'.repeat(3_000), code: 6 },
    ]);
    const before = await items.indexes();
    await durable.restart();
    const again = db().collection<AnyDocument>('items');
    expect(await again.indexes()).toEqual(before);
    expect(before.map(({ name }) => name)).toEqual(['_id_', 'mail', 'a_-1_b.c_1', 'tags_1', 'code_1']);
    expect(await again.findOne({ email: 'bob@example.com' })).toMatchObject({ _id: 2 });
    expect(await again.findOne({ email: 'x'.repeat(3_000) })).toMatchObject({ _id: 3 });
    expect((await errorOf(again.insertOne({ email: 'x'.repeat(3_000) }))).code).toBe(11000);
    expect((await errorOf(again.insertOne({ email: 'new', code: 6 }))).code).toBe(11000);
    await again.insertOne({ email: 'new', code: 1 });
    await again.dropIndex('mail');
    await again.createIndex({ other: 1 });
    await durable.restart();
    const names = (await db().collection('items').indexes()).map(({ name }) => name);
    expect(names).toEqual(['_id_', 'a_-1_b.c_1', 'tags_1', 'code_1', 'other_1']);
  });

  it('keeps that an index has met arrays', async () => {
    const items = db().collection<AnyDocument>('items');
    await items.createIndex({ 'a.x': 1, 'a.y': 1 });
    await items.insertOne({ _id: 1, a: [{ x: 1, y: 2 }, { x: 3, y: 4 }] }); // prettier-ignore
    await durable.restart();
    expect(await db().collection('items').countDocuments({ 'a.x': 1, 'a.y': 4 })).toBe(1);
  });

  it('keeps collections, their rules and their identity', async () => {
    await db().createCollection('empty');
    await db().createCollection('ruled', { validator: { age: { $gte: 18 } }, validationLevel: 'moderate' });
    await db().createCollection('gone');
    await db().collection('gone').insertOne({ a: 1 });
    await db().collection('gone').drop();
    await durable.client.db('other').createCollection('c');
    const before = await db().listCollections().toArray();
    await durable.restart();
    expect(await db().listCollections().toArray()).toEqual(before);
    expect(before.map(({ name }) => name)).toEqual(['empty', 'ruled']);
    expect((await errorOf(db().collection('ruled').insertOne({ age: 1 }))).code).toBe(121);
    await db().command({ collMod: 'ruled', validator: {} });
    await durable.restart();
    expect(await db().collection('ruled').insertOne({ age: 1 })).toMatchObject({ acknowledged: true });
    const { databases } = await db().admin().listDatabases();
    expect(databases.map(({ name }) => name)).toEqual(['other', 'shop']);
    expect(await durable.client.db('shop').dropDatabase()).toBe(true);
    await durable.restart();
    expect(await db().listCollections().toArray()).toEqual([]);
  });

  it('leaves nothing of a collection that was dropped and made again', async () => {
    const items = db().collection<AnyDocument>('items');
    await items.createIndex({ a: 1 }, { unique: true });
    await items.insertMany(Array.from({ length: 2_500 }, (_, a) => ({ a })));
    await items.drop();
    await durable.restart();
    await db().collection('items').insertOne({ a: 1 });
    expect(await db().collection('items').countDocuments({})).toBe(1);
    expect(await db().command({ collStats: 'items' })).toMatchObject({ count: 1, nindexes: 1 });
  });
});

describe('writes beside an open transaction', () => {
  it('are there after a restart, with all their entries', async () => {
    const items = db().collection<AnyDocument>('items');
    const session = durable.client.startSession();
    session.startTransaction();
    await db().collection('other').insertOne({}, { session });
    await items.insertOne({ _id: 1, u: 1 });
    await items.createIndex({ u: 1 }, { unique: true });
    await items.createIndex({ tags: 1 });
    await items.insertMany([
      { _id: 2, u: 2, tags: ['a', 'b'] },
      { _id: 3, u: 3 },
      { _id: 4, u: 4, tags: [] },
    ]);
    await items.updateOne({ _id: 3 }, { $set: { u: 30, tags: ['a'] } });
    await items.deleteOne({ _id: 4 });
    // The transaction ends with the server.
    await durable.restart();
    const again = db().collection<AnyDocument>('items');
    const found = [
      { _id: 1, u: 1 },
      { _id: 2, u: 2, tags: ['a', 'b'] },
      { _id: 3, u: 30, tags: ['a'] },
    ];
    expect(
      await again
        .find({ u: { $gt: 0 } })
        .hint({ u: 1 })
        .toArray(),
    ).toEqual(found);
    expect(await again.find({ tags: 'a' }).toArray()).toHaveLength(2);
    expect((await errorOf(again.insertOne({ u: 30 }))).code).toBe(11000);
    expect(await db().command({ validate: 'items' })).toMatchObject({ valid: true, nrecords: 3 });
    expect(await db().collection('other').countDocuments()).toBe(0);
  });
});

describe('a server on a folder', () => {
  it('says that it is persistent', async () => {
    const { storageEngine } = await db().command({ serverStatus: 1 });
    expect(storageEngine).toEqual({ name: 'lmdb', persistent: true });
  });

  it('answers distinct', async () => {
    await db()
      .collection('items')
      .insertMany([{ tags: ['a', 'b'] }, { tags: 'b' }, {}]);
    await durable.restart();
    expect(await db().collection('items').distinct('tags')).toEqual(['a', 'b']);
  });

  it('keeps what a command did before it failed, whole documents only', async () => {
    const items = db().collection<AnyDocument>('items');
    await items.insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 'text' }, { _id: 3, n: 3 }]); // prettier-ignore
    expect((await errorOf(items.updateMany({}, { $inc: { n: 1 } }))).code).toBe(14);
    await errorOf(items.insertMany([{ _id: 4 }, { _id: 1 }, { _id: 5 }]));
    await durable.restart();
    const found = await db().collection('items').find().toArray();
    expect(found).toEqual([{ _id: 1, n: 2 }, { _id: 2, n: 'text' }, { _id: 3, n: 3 }, { _id: 4 }]); // prettier-ignore
  });

  it('keeps nothing of an index that could not be built', async () => {
    const items = db().collection<AnyDocument>('items');
    await items.insertMany([{ a: 1 }, { a: 2 }, { a: 1 }]);
    expect((await errorOf(items.createIndex({ a: 1 }, { unique: true }))).code).toBe(11000);
    await items.deleteOne({ a: 1 });
    await items.createIndex({ a: 1 }, { unique: true });
    await durable.restart();
    expect(await db().collection('items').countDocuments({ a: 1 })).toBe(1);
  });
});

describe('a transaction that fails', () => {
  it('keeps nothing, and the catalogue is as it was before', async () => {
    await durable.stop();
    const storage = await LmdbStorage.open(durable.path);
    const catalog = new Catalog(storage, indexDefinition);
    const insert = (collection: Collection, id: string): void => {
      const document = documentOf(['_id', id]);
      collection.insert(document, encode(document));
    };
    const before = catalog.transaction(() => {
      const kept = catalog.create('a', 'kept');
      insert(kept, '1');
      return kept;
    });
    const failing = (): void => {
      insert(before, '2');
      insert(catalog.create('a', 'gone'), '1');
      catalog.drop(before);
      throw new Error('the disk is full');
    };
    expect(() => catalog.transaction(failing)).toThrow('the disk is full');
    expect(catalog.collections('a').map(({ name }) => name)).toEqual(['kept']);
    // Whoever still reads the collection of before has to know.
    expect(before.dropped).toBe(true);
    const after = catalog.existing('a', 'kept');
    expect([after.records.count, after.dropped, after.uuid]).toEqual([1, false, before.uuid]);
    catalog.transaction(() => insert(after, '2'));
    expect(Array.from(after.records.records(), ({ bytes }) => decode(bytes).get('_id'))).toEqual(['1', '2']);
    await storage.close();
  });
});
