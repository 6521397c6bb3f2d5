import { type ClientBulkWriteModel, type Document, Int32, MongoClientBulkWriteError } from 'mongodb';
import { expect } from 'vitest';
import { type Case, conformance, errorOf, type Workbench } from '../support/conformance.ts';

// Source: the MongoDB manual, "bulkWrite (database command)".

/** The namespaces of a case: two collections of one database. */
function namespaces({ collection }: Workbench): [first: string, second: string] {
  return [collection.namespace, `${collection.namespace}_second`];
}

/** The command as it is, with arrays instead of document sequences. */
function bulkWrite(bench: Workbench, ops: Document[], options: Document = {}): Promise<Document> {
  const nsInfo = namespaces(bench).map((ns) => ({ ns }));
  return bench.client.db('admin').command({ bulkWrite: 1, ops, nsInfo, ...options });
}

async function failedBulkWrite(
  { client }: Workbench,
  models: ClientBulkWriteModel[],
  options: Document = {},
): Promise<MongoClientBulkWriteError> {
  try {
    await client.bulkWrite(models, options);
  } catch (error) {
    if (error instanceof MongoClientBulkWriteError) return error;
    throw error;
  }
  throw new Error('Expected the bulk write to fail.');
}

const driver: Record<string, Case> = {
  'every kind of operation, in several collections': async (bench) => {
    const [first, second] = namespaces(bench);
    const result = await bench.client.bulkWrite(
      [
        { name: 'insertOne', namespace: first, document: { _id: 1, a: 1 } as Document },
        { name: 'insertOne', namespace: second, document: { _id: 1, a: 1 } as Document },
        { name: 'updateOne', namespace: first, filter: { _id: 1 } as Document, update: { $inc: { a: 1 } } },
        {
          name: 'updateOne',
          namespace: first,
          filter: { _id: 2 } as Document,
          update: { $set: { a: 5 } },
          upsert: true,
        },
        { name: 'updateMany', namespace: first, filter: {}, update: [{ $set: { b: { $add: ['$a', 1] } } }] },
        { name: 'replaceOne', namespace: second, filter: { a: 1 }, replacement: { a: 2 } },
        { name: 'deleteOne', namespace: first, filter: { _id: 2 } as Document },
        { name: 'deleteMany', namespace: second, filter: { a: { $gt: 5 } } },
      ],
      { verboseResults: true },
    );
    expect(result).toMatchObject({ acknowledged: true, insertedCount: 2, upsertedCount: 1, deletedCount: 1 });
    expect(result).toMatchObject({ matchedCount: 4, modifiedCount: 4 });
    expect([...(result.insertResults ?? [])]).toEqual([
      [0, { insertedId: 1 }],
      [1, { insertedId: 1 }],
    ]);
    expect(result.updateResults?.get(3)).toEqual({
      matchedCount: 1,
      modifiedCount: 0,
      didUpsert: true,
      upsertedId: 2,
    });
    expect(result.updateResults?.get(4)).toMatchObject({ matchedCount: 2, modifiedCount: 2, didUpsert: false });
    expect([...(result.deleteResults?.values() ?? [])]).toEqual([{ deletedCount: 1 }, { deletedCount: 0 }]);
    expect(await bench.collection.find().toArray()).toEqual([{ _id: 1, a: 2, b: 3 }]);
    expect(await bench.db.collection(`${bench.collection.collectionName}_second`).findOne()).toMatchObject({ a: 2 });
  },
  'array filters, hints and variables': async (bench) => {
    const [namespace] = namespaces(bench);
    await bench.collection.insertOne({ _id: 1, list: [1, 5, 9] });
    const result = await bench.client.bulkWrite(
      [
        {
          name: 'updateOne',
          namespace,
          filter: { $expr: { $eq: ['$_id', '$$one'] } },
          update: { $set: { 'list.$[large]': 0 } },
          arrayFilters: [{ large: { $gt: 4 } }],
          hint: '_id_',
        },
      ],
      { let: { one: 1 } },
    );
    expect(result).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect(await bench.collection.findOne()).toEqual({ _id: 1, list: [1, 0, 0] });
  },
  'ordered operations end at the first error': async (bench) => {
    const [namespace] = namespaces(bench);
    const error = await failedBulkWrite(bench, [
      { name: 'insertOne', namespace, document: { _id: 1 } as Document },
      { name: 'insertOne', namespace, document: { _id: 1 } as Document },
      { name: 'insertOne', namespace, document: { _id: 2 } as Document },
    ]);
    expect(error.writeErrors.get(1)).toMatchObject({ code: 11000 });
    expect(error.partialResult).toMatchObject({ insertedCount: 1 });
    expect(await bench.collection.countDocuments()).toBe(1);
  },
  'unordered operations go on, and tell every error': async (bench) => {
    const [namespace] = namespaces(bench);
    await bench.db.createCollection(bench.collection.collectionName, { validator: { a: { $type: 'int' } } });
    const document = (_id: number, a: unknown): ClientBulkWriteModel => ({
      name: 'insertOne',
      namespace,
      document: { _id, a } as Document,
    });
    const models = [document(1, new Int32(1)), document(1, new Int32(1)), document(2, 'x'), document(3, new Int32(3))];
    const error = await failedBulkWrite(bench, models, { ordered: false });
    expect(Array.from(error.writeErrors, ([index, { code }]) => [index, code])).toEqual([
      [1, 11000],
      [2, 121],
    ]);
    expect(error.partialResult).toMatchObject({ insertedCount: 2 });
    const bypassed = await bench.client.bulkWrite([document(2, 'x')], { bypassDocumentValidation: true });
    expect(bypassed.insertedCount).toBe(1);
  },
  'many operations': async (bench) => {
    const [namespace] = namespaces(bench);
    const models = Array.from({ length: 3_000 }, (_, n) => ({
      name: 'insertOne' as const,
      namespace,
      document: { _id: n, text: 'x'.repeat(20) } as Document,
    }));
    const result = await bench.client.bulkWrite(models, { verboseResults: true });
    expect(result.insertedCount).toBe(3_000);
    expect(result.insertResults?.size).toBe(3_000);
  },
};

const command: Record<string, Case> = {
  'the reply has the sums, and a result for each operation': async (bench) => {
    const reply = await bulkWrite(bench, [
      { insert: 0, document: { _id: 1 } },
      { update: 1, filter: { _id: 7 }, updateMods: { $set: { a: 1 } }, upsert: true },
      { delete: 0, filter: {}, multi: true },
    ]);
    expect(reply).toMatchObject({ nErrors: 0, nInserted: 1, nMatched: 0, nModified: 0, nUpserted: 1, nDeleted: 1 });
    expect(reply['cursor']).toMatchObject({ ns: 'admin.$cmd.bulkWrite' });
    expect(reply['cursor'].firstBatch).toMatchObject([
      { ok: 1, idx: 0, n: 1 },
      { ok: 1, idx: 1, n: 1, nModified: 0, upserted: { _id: 7 } },
      { ok: 1, idx: 2, n: 1 },
    ]);
  },
  'errors are results, with the fields of the error': async (bench) => {
    const ops = [
      { insert: 0, document: { _id: 1, a: 1 } },
      { insert: 0, document: { _id: 1 } },
      { update: 0, filter: { _id: 1 }, updateMods: { $set: { _id: 2 } } },
      { update: 0, filter: { _id: 1 }, updateMods: { $inc: { a: 1 } } },
    ];
    const reply = await bulkWrite(bench, ops, { ordered: false });
    expect(reply).toMatchObject({ ok: 1, nErrors: 2, nInserted: 1, nMatched: 1, nModified: 1 });
    expect(reply['cursor'].firstBatch).toMatchObject([
      { ok: 1, idx: 0 },
      { ok: 0, idx: 1, code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 1 }, n: 0 },
      { ok: 0, idx: 2, code: 66, n: 0 },
      { ok: 1, idx: 3 },
    ]);
    const ordered = await bulkWrite(bench, ops);
    expect(ordered['cursor'].firstBatch).toMatchObject([{ ok: 0, idx: 0, code: 11000 }]);
    const errors = await bulkWrite(bench, ops, { ordered: false, errorsOnly: true });
    expect(errors['cursor'].firstBatch.map(({ idx }: Document) => idx)).toEqual([0, 1, 2]);
  },
  'results that exceed a batch are read with getMore': async (bench) => {
    const ops = Array.from({ length: 5 }, (_, _id) => ({ insert: 0, document: { _id } }));
    const { cursor } = await bulkWrite(bench, ops, { cursor: { batchSize: 2 } });
    expect(cursor.firstBatch.map(({ idx }: Document) => idx)).toEqual([0, 1]);
    const more = await bench.client.db('admin').command({ getMore: cursor.id, collection: '$cmd.bulkWrite' });
    expect(more['cursor'].nextBatch.map(({ idx }: Document) => idx)).toEqual([2, 3, 4]);
    expect(Number(more['cursor'].id)).toBe(0);
  },
  'a command that cannot be understood does nothing': async (bench) => {
    const insert = { insert: 0, document: { _id: 1 } };
    const code = async (...ops: Document[]): Promise<unknown> =>
      (await errorOf(bulkWrite(bench, [insert, ...ops]))).code;
    expect(await code({ insert: 9, document: {} })).toBe(2);
    expect(await code({ delete: 0, filter: {}, limit: 1 })).toBe(40415);
    expect(await code({ update: 0, filter: {} })).toBe(40414);
    expect(await code({ upsert: 0 })).toBe(9);
    expect((await errorOf(bulkWrite(bench, []))).code).toBe(16);
    expect((await errorOf(bulkWrite(bench, [insert], { nsInfo: [{ ns: 'nowhere' }] }))).code).toBe(73);
    const elsewhere = bench.db.command({ bulkWrite: 1, ops: [insert], nsInfo: [{ ns: bench.collection.namespace }] });
    expect((await errorOf(elsewhere)).code).toBe(13);
    expect(await bench.collection.countDocuments()).toBe(0);
  },
  'an update of one document may say which by a sort': async ({ collection }) => {
    await collection.insertMany([2, 3, 1].map((_id) => ({ _id })));
    await collection.updateOne({}, { $set: { last: true } }, { sort: { _id: -1 } });
    await collection.replaceOne({}, { first: true }, { sort: { _id: 1 } });
    expect(await collection.find().toArray()).toEqual([{ _id: 2 }, { _id: 3, last: true }, { _id: 1, first: true }]);
  },
};

conformance('bulkWrite by the driver', driver);
conformance('bulkWrite', command);
