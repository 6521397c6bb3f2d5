import { type Document, Long, UUID } from 'bson';
import { describe, expect, it } from 'vitest';
import { conformance, type Case, type Workbench } from '../support/conformance.ts';
import { Durable } from '../support/durable.ts';
import { RawClient } from '../support/raw-client.ts';

/** Sends commands of one session, each on a connection of its own, as after a broken one. */
class Sender {
  readonly #uri: string;
  readonly #lsid = { id: new UUID() };
  readonly #db: string;

  constructor(uri: string, db: string) {
    this.#uri = uri;
    this.#db = db;
  }

  async send(number: number, command: Document): Promise<Document> {
    return this.run({ ...command, txnNumber: Long.fromNumber(number) });
  }

  async run(command: Document): Promise<Document> {
    const client = await RawClient.connect(this.#uri);
    try {
      const { $clusterTime, operationTime, electionId, opTime, ...reply } =
        (await client.command({ ...command, $db: command['$db'] ?? this.#db, lsid: this.#lsid })) ?? {};
      return reply;
    } finally {
      client.close();
    }
  }
}

function senderFor({ uri, db }: Workbench): Sender {
  return new Sender(uri, db.databaseName);
}

const repeated: readonly ((name: string) => Document)[] = [
  (insert) => ({ insert, documents: [{ _id: 9 }, { _id: 10 }] }),
  (insert) => ({ insert, documents: [{ _id: 9 }, { _id: 1 }, { _id: 10 }] }),
  (update) => ({ update, updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }] }),
  (update) => ({ update, updates: [{ q: { n: 7 }, u: { $inc: { m: 1 } }, upsert: true }] }),
  (update) => ({ update, updates: [{ q: { n: 0 }, u: { n: 1 } }] }),
  (name) => ({ delete: name, deletes: [{ q: { n: 0 }, limit: 1 }] }),
  (findAndModify) => ({ findAndModify, query: { _id: 1 }, update: { $inc: { n: 1 } } }),
  (findAndModify) => ({ findAndModify, query: { _id: 1 }, update: { $inc: { n: 1 } }, new: true }),
  (findAndModify) => ({ findAndModify, query: { n: 0 }, remove: true }),
];

const cases: Record<string, Case> = {
  'a write is done once and answered the same': async (bench) => {
    const { collection } = bench;
    const sender = senderFor(bench);
    for (const [position, commandOn] of repeated.entries()) {
      await collection.deleteMany();
      await collection.insertMany([1, 2, 3].map((_id) => ({ _id, n: 0 })));
      const command = commandOn(collection.collectionName);
      const first = await sender.send(10 * position, command);
      expect(first).toMatchObject({ ok: 1 });
      const after = await collection.find().sort({ _id: 1 }).toArray();
      for (let turn = 0; turn < 3; turn += 1) {
        const { retriedStmtIds, retriedStmtId, ...again } = await sender.send(10 * position, command);
        expect(again).toEqual(first);
      }
      expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual(after);
      // With another number it is another write.
      expect(await sender.send(10 * position + 1, command)).toMatchObject({ ok: 1 });
    }
  },

  'bulkWrite is done once and answered the same': async (bench) => {
    const { collection, db } = bench;
    await collection.insertOne({ _id: 1, n: 0 });
    const sender = senderFor(bench);
    const command = {
      bulkWrite: 1,
      $db: 'admin',
      ops: [
        { insert: 0, document: { _id: 2, n: 0 } },
        { update: 0, filter: { _id: 1 }, updateMods: { $inc: { n: 1 } } },
        { delete: 0, filter: { _id: 2 } },
      ],
      nsInfo: [{ ns: `${db.databaseName}.${collection.collectionName}` }],
    };
    const first = await sender.send(1, command);
    expect(first).toMatchObject({ ok: 1, nInserted: 1, nModified: 1, nDeleted: 1 });
    const { retriedStmtIds, ...again } = await sender.send(1, command);
    expect(again).toEqual(first);
    expect(await collection.find().toArray()).toEqual([{ _id: 1, n: 1 }]);
  },

  'an older number is refused': async (bench) => {
    const insert = bench.collection.collectionName;
    const sender = senderFor(bench);
    await sender.send(5, { insert, documents: [{ _id: 5 }] });
    expect(await sender.send(4, { insert, documents: [{ _id: 4 }] })).toMatchObject({ ok: 0, code: 225 });
    expect(await bench.collection.distinct('_id')).toEqual([5]);
  },

  'each session counts for itself': async (bench) => {
    const { collection } = bench;
    const insert = collection.collectionName;
    await senderFor(bench).send(5, { insert, documents: [{ _id: 1 }] });
    expect(await senderFor(bench).send(1, { insert, documents: [{ _id: 2 }] })).toMatchObject({ n: 1 });
  },

  'more statements of one number are done': async (bench) => {
    const { collection } = bench;
    const insert = collection.collectionName;
    const sender = senderFor(bench);
    await sender.send(1, { insert, documents: [{ _id: 0 }, { _id: 1 }] });
    const more = { insert, documents: [{ _id: 2 }], stmtId: 2 };
    expect(await sender.send(1, more)).toMatchObject({ n: 1 });
    expect(await sender.send(1, more)).toMatchObject({ n: 1 });
    expect(await sender.send(1, { insert, documents: [{ _id: 0 }, { _id: 1 }] })).toMatchObject({ n: 2 });
    expect(await collection.distinct('_id')).toEqual([0, 1, 2]);
  },

  'what failed as a whole may be tried again': async (bench) => {
    const { collection } = bench;
    const sender = senderFor(bench);
    await collection.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ]);
    await collection.createIndex({ n: 1 }, { unique: true });
    const clash = { findAndModify: collection.collectionName, query: { _id: 1 }, update: { $set: { n: 2 } } };
    expect(await sender.send(1, clash)).toMatchObject({ ok: 0, code: 11000 });
    await collection.deleteOne({ _id: 2 });
    expect(await sender.send(1, clash)).toMatchObject({ ok: 1, value: { n: 1 } });
    expect(await collection.findOne({ _id: 1 })).toEqual({ _id: 1, n: 2 });
  },

  'writes to many documents are refused': async (bench) => {
    const { collection, db } = bench;
    const name = collection.collectionName;
    await collection.insertOne({ _id: 1 });
    const sender = senderFor(bench);
    const many: Document[] = [
      { update: name, updates: [{ q: {}, u: { $set: { x: 1 } }, multi: true }] },
      { delete: name, deletes: [{ q: {}, limit: 0 }] },
      {
        bulkWrite: 1,
        ops: [{ delete: 0, filter: {}, multi: true }],
        nsInfo: [{ ns: `${db.databaseName}.${name}` }],
        $db: 'admin',
      },
    ];
    for (const [position, command] of many.entries()) {
      expect(await sender.send(position + 1, command)).toMatchObject({ ok: 0, code: 72 });
    }
    expect(await collection.find().toArray()).toEqual([{ _id: 1 }]);
  },

  'a number is for writes that can be repeated': async (bench) => {
    const sender = senderFor(bench);
    expect(await sender.send(1, { find: bench.collection.collectionName })).toMatchObject({ ok: 0, code: 50768 });
    const { uri, db } = bench;
    const client = await RawClient.connect(uri);
    const insert = { insert: bench.collection.collectionName, documents: [{}], $db: db.databaseName };
    expect(await client.command({ ...insert, txnNumber: Long.ONE })).toMatchObject({ ok: 0, code: 72 });
    client.close();
    expect(await sender.run({ ...insert, txnNumber: Long.fromNumber(-1) })).toMatchObject({ ok: 0, code: 72 });
  },
};

conformance('retryable writes', cases);

describe('after a restart', () => {
  it('a write is not done again, an older one is refused, and a commit is answered again', async () => {
    const durable = await Durable.start();
    try {
      const lsid = { id: new UUID() };
      const send = async (number: number, command: Document) => {
        const client = await RawClient.connect(durable.uri);
        const reply = await client.command({
          ...command,
          lsid,
          txnNumber: Long.fromNumber(number),
          $db: command['$db'] ?? 'test',
        });
        client.close();
        return reply;
      };
      await durable.client
        .db('test')
        .collection('c')
        .insertOne({ _id: 1 as never, n: 0 });
      const increment = { findAndModify: 'c', query: { _id: 1 }, update: { $inc: { n: 1 } }, new: true };
      expect(await send(3, increment)).toMatchObject({ value: { _id: 1, n: 1 } });
      await durable.restart();
      expect(await send(3, increment)).toMatchObject({ value: { _id: 1, n: 1 } });
      expect(await send(2, increment)).toMatchObject({ ok: 0, code: 225 });
      expect(await send(4, increment)).toMatchObject({ value: { _id: 1, n: 2 } });
      const part = { autocommit: false, startTransaction: true };
      expect(await send(5, { ...increment, ...part })).toMatchObject({ value: { _id: 1, n: 3 } });
      const commit = { commitTransaction: 1, autocommit: false };
      expect(await send(5, { ...commit, $db: 'admin' })).toMatchObject({ ok: 1 });
      await durable.restart();
      expect(await send(5, { ...commit, $db: 'admin' })).toMatchObject({ ok: 1 });
      expect(await durable.client.db('test').collection('c').findOne()).toMatchObject({ n: 3 });
    } finally {
      await durable.remove();
    }
  });
});
