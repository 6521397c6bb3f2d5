import { calculateObjectSize } from 'bson';
import { Binary, BSONRegExp, Int32, Long, MongoBulkWriteError, ObjectId, Timestamp } from 'mongodb';
import { expect } from 'vitest';
import { type Case, conformance, conformanceOfEngine, errorOf } from '../support/conformance.ts';

const KIBIBYTE = 1024;

const inserting: Record<string, Case> = {
  'what is inserted is found as it was': async ({ collection }) => {
    const document = {
      _id: new ObjectId(),
      text: 'Grüße 🌍',
      number: 1.5,
      long: Long.fromString('9007199254740993'),
      date: new Date(0),
      binary: new Binary(Buffer.of(1, 2, 3), 5),
      list: [1, [2, { x: null }]],
      nested: { a: { b: {} } },
      truth: false,
    };
    expect(await collection.insertOne(document)).toEqual({ acknowledged: true, insertedId: document._id });
    expect(await collection.findOne({}, { promoteLongs: false })).toEqual(document);
  },
  'keys that JavaScript or MongoDB finds odd': async ({ collection }) => {
    const document = { _id: 1, '': 1, constructor: 2, toString: 3, 'a.b': 4, $x: 5, 0: 6 };
    await collection.insertOne(document);
    expect(await collection.findOne({})).toEqual(document);
  },
  'a missing _id is made by the server and put first': async ({ db, collection }) => {
    await db.command({ insert: collection.collectionName, documents: [{ a: 1 }] });
    const found = await collection.findOne({});
    expect(Object.keys(found ?? {})).toEqual(['_id', 'a']);
    expect(found?._id).toBeInstanceOf(ObjectId);
  },
  'an _id that is not first is put first': async ({ db, collection }) => {
    await db.command({ insert: collection.collectionName, documents: [{ a: 1, _id: 2 }] });
    expect(Object.keys((await collection.findOne({})) ?? {})).toEqual(['_id', 'a']);
  },
  'an _id cannot be an array, a regular expression or an object with operators': async ({ collection }) => {
    expect((await errorOf(collection.insertOne({ _id: [1] }))).code).toBe(53);
    expect((await errorOf(collection.insertOne({ _id: new BSONRegExp('a') }))).code).toBe(53);
    expect((await errorOf(collection.insertOne({ _id: { $x: 1 } }))).code).toBe(52);
  },
  'an _id may be null, an object or binary': async ({ db, collection }) => {
    const documents = [{ _id: null }, { _id: { b: 1, a: 2 } }, { _id: new Binary(Buffer.of(1)) }];
    await db.command({ insert: collection.collectionName, documents });
    expect(await collection.countDocuments({ _id: { b: 1, a: 2 } })).toBe(1);
    expect(await collection.countDocuments({ _id: null })).toBe(1);
  },
  'two _ids that compare equal clash': async ({ db, collection }) => {
    await collection.insertOne({ _id: 1 });
    const error = await errorOf(collection.insertOne({ _id: Long.fromNumber(1) }));
    expect(error.code).toBe(11000);
    expect(error['keyPattern']).toEqual({ _id: 1 });
    expect(error['keyValue']).toEqual({ _id: 1 });
    expect(error.message).toContain(
      `E11000 duplicate key error collection: ${db.databaseName}.${collection.collectionName} index: _id_ dup key: { _id: 1 }`,
    );
  },
  'an ordered batch ends at an error': async ({ collection }) => {
    const error = await errorOf(collection.insertMany([{ _id: 1 }, { _id: 1 }, { _id: 2 }]));
    expect(error).toBeInstanceOf(MongoBulkWriteError);
    expect(error).toMatchObject({ code: 11000, insertedCount: 1, writeErrors: [{ index: 1, code: 11000 }] });
    expect(await collection.countDocuments()).toBe(1);
  },
  'an unordered batch goes on and tells all errors': async ({ collection }) => {
    const documents = [{ _id: 1 }, { _id: 1 }, { _id: 2 }, { _id: 2 }, { _id: 3 }];
    const error = await errorOf(collection.insertMany(documents, { ordered: false }));
    expect(error).toMatchObject({ insertedCount: 3, writeErrors: [{ index: 1 }, { index: 3 }] });
  },
  'a write error has the fields of MongoDB': async ({ db, collection }) => {
    await collection.insertOne({ _id: 'x' });
    const reply = await db.command({ insert: collection.collectionName, documents: [{ _id: 'x' }] });
    expect(reply).toMatchObject({
      ok: 1,
      n: 0,
      writeErrors: [{ index: 0, code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 'x' } }],
    });
  },
  'a document of 16 MiB is stored, a larger one is refused': async ({ db, collection }) => {
    const largest = 16 * KIBIBYTE * KIBIBYTE - calculateObjectSize({ _id: 1, s: Buffer.alloc(0) });
    const insert = collection.collectionName;
    await db.command({ insert, documents: [{ _id: 1, s: Buffer.alloc(largest) }] });
    expect((await collection.findOne({}))?.['s'].length()).toBe(largest);
    const more = await db.command({ insert, documents: [{ _id: 2, s: Buffer.alloc(largest + 1) }] });
    expect(more).toMatchObject({ n: 0, writeErrors: [{ index: 0 }] });
    const grown = await errorOf(collection.updateOne({ _id: 1 }, { $set: { t: 1 } }));
    expect(grown.message).toMatch(/larger|large/);
    expect(await collection.countDocuments()).toBe(1);
  },
  'an empty timestamp is filled in': async ({ collection }) => {
    await collection.insertOne({ _id: 1, t: new Timestamp(0n), nested: { t: new Timestamp(0n) } });
    const found = await collection.findOne({});
    expect(found?.['t'].isZero()).toBe(false);
    expect(found?.['nested'].t.isZero()).toBe(true);
  },
  'a batch must hold something': async ({ db, collection }) => {
    const error = await errorOf(db.command({ insert: collection.collectionName, documents: [] }));
    expect(error.code).toBe(16);
  },
  'write concern 0 is not answered, and done': async ({ collection }) => {
    expect((await collection.insertOne({ _id: 1 }, { writeConcern: { w: 0 } })).acknowledged).toBe(false);
    await collection.insertOne({ _id: 1 }, { writeConcern: { w: 0 } });
    await expect.poll(() => collection.countDocuments()).toBe(1);
  },
};

const tooLarge: Record<string, Case> = {
  'each way to make a document too large has its error': async ({ db, collection }) => {
    const large = Buffer.alloc(16 * KIBIBYTE * KIBIBYTE);
    const part = large.subarray(KIBIBYTE);
    const documents = [{ _id: 1, large }, { _id: 2 }];
    const reply = await db.command({ insert: collection.collectionName, documents, ordered: false });
    expect(reply).toMatchObject({ n: 1, writeErrors: [{ index: 0, code: 2 }] });
    await collection.insertOne({ _id: 3, part });
    expect((await errorOf(collection.updateOne({ _id: 3 }, { $set: { more: part } }))).code).toBe(17419);
    const twice = collection.updateOne({ _id: 4, part }, [{ $set: { more: '$part' } }], { upsert: true });
    expect((await errorOf(twice)).code).toBe(17420);
    // No message may have a document that is larger still.
    expect((await errorOf(collection.insertOne({ _id: 5, large, part: Buffer.alloc(16 * KIBIBYTE) }))).code).toBe(
      10334,
    );
    expect(await collection.countDocuments()).toBe(2);
  },
};

const deleting: Record<string, Case> = {
  'deleteOne deletes one, deleteMany all': async ({ collection }) => {
    await collection.insertMany([{ a: 1 }, { a: 1 }, { a: 1 }, { a: 2 }]);
    expect((await collection.deleteOne({ a: 1 })).deletedCount).toBe(1);
    expect((await collection.deleteMany({ a: 1 })).deletedCount).toBe(2);
    expect((await collection.deleteMany({})).deletedCount).toBe(1);
    expect((await collection.deleteMany({})).deletedCount).toBe(0);
  },
  'a deleted _id can be used again': async ({ collection }) => {
    await collection.insertOne({ _id: 1, a: 1 });
    await collection.deleteOne({ _id: 1 });
    await collection.insertOne({ _id: 1, a: 2 });
    expect(await collection.find().toArray()).toEqual([{ _id: 1, a: 2 }]);
  },
  'the limit is 0 or 1': async ({ db, collection }) => {
    const deletes = [{ q: {}, limit: 2 }];
    expect((await errorOf(db.command({ delete: collection.collectionName, deletes }))).code).toBe(9);
  },
  'a wrong filter deletes nothing': async ({ collection }) => {
    await collection.insertOne({ a: 1 });
    expect((await errorOf(collection.deleteMany({ a: { $foo: 1 } }))).code).toBe(2);
    expect(await collection.countDocuments()).toBe(1);
  },
};

const isNumber = { $jsonSchema: { required: ['n'], properties: { n: { bsonType: 'int' } } } };

const validating: Record<string, Case> = {
  'a document that breaks the rule is not inserted': async ({ db, collection }) => {
    await db.createCollection(collection.collectionName, { validator: isNumber });
    const error = await errorOf(collection.insertOne({ _id: 1, n: 'x' }));
    expect(error.code).toBe(121);
    expect(error.message).toContain('Document failed validation');
    expect(error.errInfo).toMatchObject({
      failingDocumentId: 1,
      details: {
        operatorName: '$jsonSchema',
        schemaRulesNotSatisfied: [
          {
            operatorName: 'properties',
            propertiesNotSatisfied: [
              { propertyName: 'n', details: [{ operatorName: 'bsonType', specifiedAs: { bsonType: 'int' } }] },
            ],
          },
        ],
      },
    });
    await collection.insertOne({ _id: 1, n: new Int32(1) });
  },
  'nor updated, nor upserted': async ({ db, collection }) => {
    await db.createCollection(collection.collectionName, { validator: isNumber });
    await collection.insertOne({ _id: 1, n: 1 });
    expect((await errorOf(collection.updateOne({ _id: 1 }, { $set: { n: 'x' } }))).code).toBe(121);
    expect((await errorOf(collection.findOneAndUpdate({ _id: 1 }, { $unset: { n: 1 } }))).code).toBe(121);
    expect((await errorOf(collection.updateOne({ _id: 2 }, { $set: { m: 1 } }, { upsert: true }))).code).toBe(121);
    expect(await collection.find().toArray()).toEqual([{ _id: 1, n: 1 }]);
  },
  'a query as the rule': async ({ db, collection }) => {
    await db.createCollection(collection.collectionName, { validator: { n: { $gt: 0 } } });
    await collection.insertOne({ n: 1 });
    expect((await errorOf(collection.insertOne({ n: 0 }))).code).toBe(121);
  },
  'bypassDocumentValidation bypasses it': async ({ db, collection }) => {
    await db.createCollection(collection.collectionName, { validator: isNumber });
    await collection.insertOne({ _id: 1 }, { bypassDocumentValidation: true });
    await collection.updateOne({ _id: 1 }, { $set: { n: 'x' } }, { bypassDocumentValidation: true });
    expect(await collection.findOne({})).toEqual({ _id: 1, n: 'x' });
  },
  'collMod sets and takes away the rule; moderate leaves old documents in peace': async ({ db, collection }) => {
    const collMod = collection.collectionName;
    await collection.insertMany([{ _id: 1 }, { _id: 2, n: 1 }]);
    await db.command({ collMod, validator: isNumber });
    expect((await errorOf(collection.updateOne({ _id: 1 }, { $set: { a: 1 } }))).code).toBe(121);
    await db.command({ collMod, validationLevel: 'moderate' });
    await collection.updateOne({ _id: 1 }, { $set: { a: 1 } });
    expect((await errorOf(collection.updateOne({ _id: 2 }, { $set: { n: 'x' } }))).code).toBe(121);
    await db.command({ collMod, validationAction: 'warn' });
    await collection.updateOne({ _id: 2 }, { $set: { n: 'x' } });
    await db.command({ collMod, validationAction: 'error', validator: {} });
    await collection.insertOne({ _id: 3 });
    expect(await collection.countDocuments()).toBe(3);
  },
  'a wrong rule is refused': async ({ db, collection }) => {
    const name = collection.collectionName;
    await errorOf(db.createCollection(name, { validator: { $jsonSchema: { bsonType: 'nothing' } } }));
    expect(await db.listCollections({ name }).toArray()).toEqual([]);
    await collection.insertOne({});
    expect((await errorOf(db.command({ collMod: name, validationLevel: 'sometimes' }))).code).toBe(2);
    expect((await errorOf(db.command({ collMod: `${name}_missing`, validator: {} }))).code).toBe(26);
  },
};

conformance('inserting', inserting);
conformanceOfEngine('inserting', tooLarge);
conformance('deleting', deleting);
conformance('validating', validating);
