import { Decimal128, Double, ObjectId } from 'mongodb';
import { expect } from 'vitest';
import { type Case, conformance, errorOf } from '../support/conformance.ts';

const collections: Record<string, Case> = {
  'a collection begins with its first document': async ({ db, collection }) => {
    const name = collection.collectionName;
    expect(await db.listCollections({ name }).toArray()).toEqual([]);
    await collection.insertOne({});
    expect(await db.listCollections({ name }).toArray()).toMatchObject([
      {
        name,
        type: 'collection',
        options: {},
        info: { readOnly: false },
        idIndex: { v: 2, key: { _id: 1 }, name: '_id_' },
      },
    ]);
    expect(await db.listCollections({ name }, { nameOnly: true }).toArray()).toEqual([{ name, type: 'collection' }]);
  },
  'reading what is not there finds nothing and makes nothing': async ({ db, collection }) => {
    expect(await collection.find().toArray()).toEqual([]);
    expect(await collection.countDocuments()).toBe(0);
    expect(await collection.estimatedDocumentCount()).toBe(0);
    expect(await collection.distinct('a')).toEqual([]);
    expect(await collection.aggregate([{ $match: {} }]).toArray()).toEqual([]);
    expect((await collection.deleteMany({})).deletedCount).toBe(0);
    expect((await collection.updateMany({}, { $set: { a: 1 } })).matchedCount).toBe(0);
    expect(await db.listCollections({ name: collection.collectionName }).toArray()).toEqual([]);
  },
  'create keeps its options and refuses a second time': async ({ db, collection }) => {
    const name = collection.collectionName;
    const validator = { a: { $exists: true } };
    await db.createCollection(name, { validator, validationLevel: 'moderate', validationAction: 'warn' });
    const [{ options } = { options: {} }] = await db.listCollections({ name }, { nameOnly: false }).toArray();
    expect(options).toEqual({ validator, validationLevel: 'moderate', validationAction: 'warn' });
    expect((await errorOf(db.createCollection(name, { validator: {} }))).code).toBe(48);
  },
  'a collection takes its documents and indexes to its new name': async ({ db, collection }) => {
    const name = `${collection.collectionName}_renamed`;
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertMany([{ a: 1 }, { a: 2 }]);
    const renamed = await collection.rename(name);
    expect(await collection.countDocuments()).toBe(0);
    expect(await renamed.countDocuments({ a: 1 })).toBe(1);
    const error = await errorOf(renamed.insertOne({ a: 1 }));
    expect(error).toMatchObject({ code: 11000 });
    expect(error.message).toContain(`${db.databaseName}.${name}`);
    expect((await errorOf(collection.rename('elsewhere'))).code).toBe(26);
    await collection.insertOne({ b: 1 });
    expect((await errorOf(collection.rename(name))).code).toBe(48);
    await collection.rename(name, { dropTarget: true });
    expect(await renamed.find({}, { projection: { _id: 0 } }).toArray()).toEqual([{ b: 1 }]);
    expect(await renamed.indexes()).toHaveLength(1);
  },
  'drop takes documents and indexes': async ({ db, collection }) => {
    await collection.createIndex({ a: 1 });
    await collection.insertOne({ a: 1 });
    expect(await db.command({ drop: collection.collectionName })).toMatchObject({ nIndexesWas: 2, ok: 1 });
    expect(await collection.countDocuments()).toBe(0);
    await collection.insertOne({ a: 1 });
    expect(await collection.indexes()).toHaveLength(1);
  },
  'dropping what is not there is no error': async ({ collection }) => {
    expect(await collection.drop()).toBe(true);
  },
  'names that cannot be': async ({ db }) => {
    for (const name of ['a$b', '.a', `x${'y'.repeat(255)}`]) {
      expect((await errorOf(db.command({ insert: name, documents: [{}] }))).code).toBe(73);
    }
    expect((await errorOf(db.command({ find: '' }))).code).toBe(73);
    expect((await errorOf(db.command({ find: 1 }))).code).toBe(73);
  },
  'databases are listed while they hold something': async ({ client, db, collection }) => {
    const other = client.db(`${db.databaseName}_other`);
    const filter = { name: other.databaseName };
    const list = async () => (await client.db().admin().listDatabases({ filter, nameOnly: true })).databases;
    expect(await list()).toEqual([]);
    await other.collection(collection.collectionName).insertOne({});
    expect(await list()).toEqual([filter]);
    const { databases } = await client.db().admin().listDatabases({ filter });
    expect(databases).toMatchObject([{ ...filter, empty: false }]);
    expect(await other.dropDatabase()).toBe(true);
    expect(await list()).toEqual([]);
  },
  'listDatabases belongs to admin': async ({ db }) => {
    expect((await errorOf(db.command({ listDatabases: 1 }))).code).toBe(13);
  },
};

const indexes: Record<string, Case> = {
  'an index is made once and listed with its options': async ({ db, collection }) => {
    expect(await collection.createIndex({ a: 1, b: -1 }, { unique: true, sparse: true })).toBe('a_1_b_-1');
    const key = { a: 1, b: -1 };
    const again = {
      createIndexes: collection.collectionName,
      indexes: [{ key, name: 'a_1_b_-1', unique: true, sparse: true }],
    };
    expect(await db.command(again)).toMatchObject({
      numIndexesBefore: 2,
      numIndexesAfter: 2,
      note: 'all indexes already exist',
    });
    expect(await collection.indexes()).toEqual([
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key, name: 'a_1_b_-1', unique: true, sparse: true },
    ]);
  },
  'the first index makes the collection': async ({ db, collection }) => {
    const createIndexes = collection.collectionName;
    expect(await db.command({ createIndexes, indexes: [{ key: { a: 1 }, name: 'a' }] })).toMatchObject({
      numIndexesBefore: 1,
      numIndexesAfter: 2,
      createdCollectionAutomatically: true,
    });
  },
  'the indexes of what is not there': async ({ collection }) => {
    expect((await errorOf(collection.listIndexes().toArray())).code).toBe(26);
  },
  'one name for two keys': async ({ collection }) => {
    await collection.createIndex({ a: 1 }, { name: 'x' });
    expect((await errorOf(collection.createIndex({ b: 1 }, { name: 'x' }))).code).toBe(86);
  },
  'one name for two kinds of index': async ({ collection }) => {
    await collection.createIndex({ a: 1 });
    expect((await errorOf(collection.createIndex({ a: 1 }, { unique: true }))).code).toBe(86);
  },
  'two names for one index': async ({ collection }) => {
    await collection.createIndex({ a: 1 });
    expect((await errorOf(collection.createIndex({ a: 1 }, { name: 'x' }))).code).toBe(85);
  },
  'keys that cannot be': async ({ db, collection }) => {
    const createIndexes = collection.collectionName;
    for (const key of [{}, { a: 0 }, { a: 'nothing' }, { a: true }, { $a: 1 }, { 'a..b': 1 }]) {
      expect((await errorOf(db.command({ createIndexes, indexes: [{ key, name: 'x' }] }))).code).toBe(67);
    }
  },
  'an option that no index has': async ({ db, collection }) => {
    const command = { createIndexes: collection.collectionName, indexes: [{ key: { a: 1 }, name: 'x', foo: 1 }] };
    expect((await errorOf(db.command(command))).code).toBe(197);
  },
  'dropIndex by name and by key, all but _id': async ({ collection }) => {
    await collection.createIndexes([{ key: { a: 1 } }, { key: { b: 1 } }, { key: { c: 1 } }]);
    await collection.dropIndex('a_1');
    await collection.dropIndex('b_1');
    expect((await errorOf(collection.dropIndex('a_1'))).code).toBe(27);
    expect((await errorOf(collection.dropIndex('_id_'))).code).toBe(72);
    await collection.dropIndexes();
    expect(await collection.indexes()).toHaveLength(1);
  },
  'a unique index refuses a second document': async ({ db, collection }) => {
    await collection.createIndex({ email: 1 }, { unique: true });
    await collection.insertOne({ _id: 1, email: 'a@b.c' });
    const error = await errorOf(collection.insertOne({ _id: 2, email: 'a@b.c' }));
    expect(error).toMatchObject({ code: 11000, keyPattern: { email: 1 }, keyValue: { email: 'a@b.c' } });
    expect(error.message).toContain(
      `E11000 duplicate key error collection: ${db.databaseName}.${collection.collectionName} index: email_1 dup key: { email: "a@b.c" }`,
    );
  },
  'a unique index knows updates, upserts and deletes': async ({ collection }) => {
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    expect((await errorOf(collection.updateOne({ _id: 2 }, { $set: { a: 1 } }))).code).toBe(11000);
    expect((await errorOf(collection.findOneAndUpdate({ _id: 2 }, { $set: { a: 1 } }))).code).toBe(11000);
    expect((await errorOf(collection.updateOne({ _id: 3 }, { $set: { a: 1 } }, { upsert: true }))).code).toBe(11000);
    await collection.updateOne({ _id: 2 }, { $set: { a: 2, b: 1 } });
    await collection.updateOne({ _id: 1 }, { $set: { a: 9 } });
    await collection.updateOne({ _id: 2 }, { $set: { a: 1 } });
    await collection.deleteOne({ _id: 2 });
    await collection.insertOne({ _id: 4, a: 1 });
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, a: 9 },
      { _id: 4, a: 1 },
    ]);
  },
  'a unique index counts missing as null': async ({ collection }) => {
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertOne({ _id: 1 });
    const error = await errorOf(collection.insertOne({ _id: 2, a: null }));
    expect(error['keyValue']).toEqual({ a: null });
  },
  'a sparse unique index leaves missing out': async ({ collection }) => {
    await collection.createIndex({ a: 1 }, { unique: true, sparse: true });
    await collection.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3, a: null }]);
    expect((await errorOf(collection.insertOne({ _id: 4, a: null }))).code).toBe(11000);
  },
  'a partial unique index covers what its filter selects': async ({ collection }) => {
    await collection.createIndex({ a: 1 }, { unique: true, partialFilterExpression: { live: true } });
    await collection.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: 1, live: true },
    ]);
    expect((await errorOf(collection.insertOne({ a: 1, live: true }))).code).toBe(11000);
    expect((await errorOf(collection.updateOne({ _id: 1 }, { $set: { live: true } }))).code).toBe(11000);
    expect(await collection.countDocuments({ a: 1 })).toBe(3);
  },
  'a partial index has a filter of few operators': async ({ collection }) => {
    const possible = [
      {},
      { b: 1, c: null },
      { b: { $gt: 1, $lte: 5, $type: 'number' }, c: { $exists: true } },
      { $and: [{ b: { $in: [1, 2] } }, { $or: [{ c: { $eq: 1 } }, { d: { $gte: 1, $lt: 2 } }] }] },
    ];
    for (const [number, partialFilterExpression] of possible.entries()) {
      await collection.createIndex({ [`a${number}`]: 1 }, { partialFilterExpression });
    }
    const impossible = [
      { b: { $ne: 1 } },
      { b: { $exists: false } },
      { b: { $gt: 1, $nin: [2] } },
      { b: { $not: { $gt: 1 } } },
      { b: /x/ },
      { b: { $elemMatch: { $gt: 1 } } },
      { $nor: [{ b: 1 }] },
      { $and: [{ b: 1 }, { $or: [{ c: { $size: 1 } }] }] },
    ];
    for (const partialFilterExpression of impossible) {
      expect((await errorOf(collection.createIndex({ a: 1 }, { partialFilterExpression }))).code).toBe(67);
    }
  },
  'a unique index compares numbers by value': async ({ collection }) => {
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertOne({ a: 1 });
    expect((await errorOf(collection.insertOne({ a: new Double(1) }))).code).toBe(11000);
    expect((await errorOf(collection.insertOne({ a: Decimal128.fromString('1.00') }))).code).toBe(11000);
    await collection.insertOne({ a: '1' });
  },
  'a compound unique index': async ({ collection }) => {
    await collection.createIndex({ a: 1, b: 1 }, { unique: true });
    await collection.insertMany([{ a: 1, b: 1 }, { a: 1, b: 2 }, { a: 1 }]);
    const error = await errorOf(collection.insertOne({ a: 1, b: 2 }));
    expect(error).toMatchObject({ code: 11000, keyPattern: { a: 1, b: 1 }, keyValue: { a: 1, b: 2 } });
    expect((await errorOf(collection.insertOne({ a: 1, b: null }))).code).toBe(11000);
  },
  'a unique index over an array has each element, once per document': async ({ collection }) => {
    await collection.createIndex({ tags: 1 }, { unique: true });
    await collection.insertOne({ _id: 1, tags: ['a', 'b', 'a'] });
    expect((await errorOf(collection.insertOne({ tags: ['c', 'b'] })))['keyValue']).toEqual({ tags: 'b' });
    expect((await errorOf(collection.insertOne({ tags: 'a' }))).code).toBe(11000);
    await collection.updateOne({ _id: 1 }, { $set: { tags: ['b'] } });
    await collection.insertOne({ tags: ['a'] });
  },
  'a unique index on a dotted path through an array': async ({ collection }) => {
    await collection.createIndex({ 'items.sku': 1 }, { unique: true });
    await collection.insertOne({ items: [{ sku: 'a' }, { sku: 'b' }] });
    expect((await errorOf(collection.insertOne({ items: [{ sku: 'c' }, { sku: 'b' }] }))).code).toBe(11000);
    expect((await errorOf(collection.insertOne({ items: { sku: 'a' } }))).code).toBe(11000);
    await collection.insertOne({ items: [{ sku: 'c' }] });
  },
  'fields of one array go together in a compound index': async ({ collection }) => {
    await collection.createIndex({ 'a.x': 1, 'a.y': 1 }, { unique: true });
    await collection.insertOne({
      a: [
        { x: 1, y: 1 },
        { x: 2, y: 2 },
      ],
    });
    await collection.insertOne({ a: [{ x: 1, y: 2 }] });
    expect((await errorOf(collection.insertOne({ a: [{ x: 2, y: 2 }] }))).code).toBe(11000);
    expect(await collection.countDocuments({ 'a.x': 1, 'a.y': 2 })).toBe(2);
  },
  'two arrays cannot be in one index': async ({ collection }) => {
    await collection.createIndex({ a: 1, b: 1 });
    await collection.insertOne({ _id: 1, a: [1], b: 1 });
    expect((await errorOf(collection.insertOne({ a: [1], b: [1] }))).code).toBe(171);
    expect((await errorOf(collection.updateOne({ _id: 1 }, { $set: { b: [1, 2] } }))).code).toBe(171);
    expect(await collection.find().toArray()).toEqual([{ _id: 1, a: [1], b: 1 }]);
  },
  'a unique index is not made over documents that clash': async ({ collection }) => {
    await collection.insertMany([{ a: 1 }, { a: 1 }]);
    const error = await errorOf(collection.createIndex({ a: 1 }, { unique: true }));
    expect(error).toMatchObject({ code: 11000, keyPattern: { a: 1 }, keyValue: { a: 1 } });
    expect(await collection.indexes()).toHaveLength(1);
    await collection.insertOne({ a: 1 });
  },
  'a unique violation in the middle of a batch leaves the other indexes right': async ({ collection }) => {
    await collection.createIndexes([
      { key: { a: 1 }, unique: true },
      { key: { b: 1 }, unique: true },
    ]);
    await collection.insertOne({ a: 1, b: 1 });
    expect((await errorOf(collection.insertOne({ a: 2, b: 1 }))).code).toBe(11000);
    await collection.insertOne({ a: 2, b: 2 });
    expect(await collection.countDocuments({ a: 2 })).toBe(1);
  },
  'a filter by an index finds what was changed': async ({ collection }) => {
    const id = new ObjectId();
    await collection.createIndex({ owner: 1, n: 1 });
    await collection.insertMany([1, 2, 3].map((n) => ({ _id: n, owner: id, n })));
    await collection.updateOne({ owner: id, n: 2 }, { $set: { n: 7 } });
    await collection.deleteOne({ owner: id, n: 3 });
    expect(
      await collection
        .find({ owner: id, n: { $in: [1, 2, 3, 7] } })
        .sort({ _id: 1 })
        .toArray(),
    ).toMatchObject([{ _id: 1 }, { _id: 2 }]);
  },
  'a hint must name an index': async ({ collection }) => {
    await collection.insertOne({ a: 1 });
    await collection.createIndex({ a: 1 });
    expect(await collection.find({ a: 1 }).hint('a_1').toArray()).toHaveLength(1);
    expect(await collection.find({ a: 1 }).hint({ a: 1 }).toArray()).toHaveLength(1);
    expect((await errorOf(collection.find({ a: 1 }).hint('b_1').toArray())).code).toBe(2);
    expect((await errorOf(collection.updateOne({ a: 1 }, { $set: { b: 1 } }, { hint: { b: 1 } }))).code).toBe(2);
    expect((await errorOf(collection.deleteOne({ a: 1 }, { hint: 'b_1' }))).code).toBe(2);
    expect((await errorOf(collection.findOneAndDelete({ a: 1 }, { hint: { b: 1 } }))).code).toBe(2);
    expect((await collection.deleteOne({ a: 1 }, { hint: 'a_1' })).deletedCount).toBe(1);
  },
};

conformance('collections', collections);
conformance('indexes', indexes);
