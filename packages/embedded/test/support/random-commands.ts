import { deserialize, type Document, Double, Int32, Long, serialize, UUID } from 'bson';
import fc from 'fast-check';
import { runCommand } from '../../src/commands/run-command.ts';
import type { Context } from '../../src/dispatch/command.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { CLIENT, contextOver, expectContextConsistent } from './in-process.ts';

/** A server without a network, for commands of `randomCommand`. */
export class Server {
  readonly #context: Context;
  #transactions = 0;
  #open: { id: Long; collection: string } = { id: Long.ZERO, collection: 'none' };

  constructor(storage: Storage) {
    this.#context = contextOver(storage);
  }

  /** The reply, without what is new in each server. A `getMore` reads the cursor that was opened last. */
  run(command: Document): Document {
    const { id, collection } = this.#open;
    const sent = 'getMore' in command ? { ...command, getMore: id, collection } : command;
    const reply = deserialize(this.#run(serialize({ ...sent, $db: 'test' })), { promoteValues: false });
    delete reply['$clusterTime'];
    delete reply['operationTime'];
    const cursor = reply['cursor'] as { id: Long | boolean; ns: string } | undefined;
    if (cursor !== undefined) {
      if (cursor.id instanceof Long && !cursor.id.isZero()) {
        this.#open = { id: cursor.id, collection: cursor.ns.replace('test.', '') };
      }
      cursor.id = cursor.id instanceof Long && cursor.id.isZero();
    }
    // Errors name the cursor, or the collection by its UUID.
    if ('getMore' in command && reply['ok'].value === 0) delete reply['errmsg'];
    return reply;
  }

  /** All that is stored: for each collection its description, its indexes and its documents in natural order. */
  contents(): Document[] {
    const { firstBatch } = this.run({ listCollections: 1, cursor: {} })['cursor'] as Document;
    return (firstBatch as Document[]).map(({ name, options }) => ({
      name,
      options,
      indexes: this.run({ listIndexes: name }),
      documents: this.run({ find: name, batchSize: 1_000 }),
      stats: this.run({ collStats: name }),
    }));
  }

  expectConsistent(): Promise<void> {
    return expectContextConsistent(this.#context);
  }

  close(): void {
    this.#context.cursors.closeAll();
  }

  /** Begins a transaction that writes to a collection of its own. @returns what ends it */
  beginBeside(): () => void {
    const part = { lsid: { id: new UUID() }, txnNumber: Long.ONE, autocommit: false };
    this.#runOk({
      insert: `beside${(this.#transactions += 1)}`,
      documents: [{}],
      ...part,
      startTransaction: true,
      $db: 'other',
    });
    return () => this.#runOk({ commitTransaction: 1, ...part, $db: 'admin' });
  }

  #runOk(command: Document): void {
    const reply = deserialize(this.#run(serialize(command)));
    if (reply['ok'] !== 1) throw new Error(String(reply['errmsg']));
  }

  #run(body: Uint8Array): Uint8Array {
    const reply = runCommand(this.#context, CLIENT, { body, sequences: new Map() });
    if (reply instanceof Uint8Array) return reply;
    throw new Error('The command waits.');
  }
}

const id = fc.integer({ min: 0, max: 19 });
const name = fc.constantFrom('c', 'c', 'c', 'd');
const value = fc.constantFrom(1, 2, new Double(1), Long.ONE, 'x', 'y'.repeat(300), null, [1, 2], [], { b: 1 }, [{ b: 1 }, { b: 2 }]); // prettier-ignore
const members = fc.record({ a: value, b: value }, { requiredKeys: [] });
const filter = fc.oneof(
  id.map((_id) => ({ _id })),
  value.map((a) => ({ a })),
  fc.tuple(value, value).map(([a, b]) => ({ a, b })),
  fc.constant({}),
  fc.constant({ _id: { $in: [new Int32(3), new Double(3), Long.fromInt(5), 1] } }),
);
const change = fc.oneof(
  value.map((a) => ({ $set: { a } })),
  fc.constant({ $inc: { b: 1 } }),
  fc.constant({ $unset: { a: 1 } }),
  fc.constant({ $push: { a: 7 } }),
  fc.constant({ $set: { text: 'z'.repeat(5_000) } }),
);

/** Commands on two collections, also such that alter them. */
export const randomCommand: fc.Arbitrary<Document> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(name, fc.array(fc.tuple(id, members), { minLength: 1, maxLength: 8 }), fc.boolean())
      .map(([insert, documents, ordered]) => ({
        insert,
        documents: documents.map(([_id, rest]) => ({ _id, ...rest })),
        ordered,
      })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(name, filter, change, fc.boolean())
      .map(([update, q, u, multi]) => ({ update, updates: [{ q, u, multi }] })),
  },
  fc.tuple(name, id, members).map(([update, _id, u]) => ({ update, updates: [{ q: { _id }, u, upsert: true }] })),
  fc
    .tuple(name, filter, fc.constantFrom(0, 1))
    .map(([name_, q, limit]) => ({ delete: name_, deletes: [{ q, limit }] })),
  fc
    .tuple(name, filter, change, fc.boolean())
    .map(([findAndModify, query, update, asNew]) => ({ findAndModify, query, update, new: asNew })),
  fc.tuple(name, filter).map(([findAndModify, query]) => ({ findAndModify, query, remove: true })),
  { weight: 3, arbitrary: fc.tuple(name, filter).map(([find, filter_]) => ({ find, filter: filter_, batchSize: 2 })) },
  { weight: 2, arbitrary: name.map((find) => ({ find, batchSize: 1 })) },
  { weight: 3, arbitrary: fc.constantFrom(1, 3, 100).map((batchSize) => ({ getMore: 0, collection: '', batchSize })) },
  fc.tuple(name, filter).map(([count, query]) => ({ count, query })),
  name.map((distinct) => ({ distinct, key: 'a' })),
  fc
    .tuple(name, fc.constantFrom({ a: 1 }, { 'a.b': 1 }, { a: 1, b: -1 }), fc.boolean(), fc.boolean())
    .map(([createIndexes, key, unique, sparse]) => ({
      createIndexes,
      indexes: [{ key, name: Object.keys(key).join(), unique, sparse }],
    })),
  fc
    .tuple(
      name,
      fc.constantFrom('a', 'a.b', 'a,b'),
      fc.constantFrom({ hidden: true }, { hidden: false }, { prepareUnique: true }, { unique: true }),
    )
    .map(([collMod, index, change_]) => ({ collMod, index: { name: index, ...change_ } })),
  name.map((dropIndexes) => ({ dropIndexes, index: '*' })),
  name.map((drop) => ({ drop })),
  name.map((create) => ({ create, validator: { a: { $ne: 2 } }, validationAction: 'error' })),
  name.map((collMod) => ({ collMod, validationLevel: 'off' })),
);
