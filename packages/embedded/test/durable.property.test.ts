import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, type Document, Double, Int32, Long, serialize } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../scripts/case-count.ts';
import type { Context } from '../src/commands/command.ts';
import { runCommand } from '../src/commands/run.ts';
import { LmdbStorage } from '../src/storage/lmdb.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import type { Storage } from '../src/storage/storage.ts';
import { CLIENT, contextOver } from './support/in-process.ts';

/** A server without a network. */
class Server {
  readonly #context: Context;
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

  close(): void {
    this.#context.cursors.closeAll();
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

const command: fc.Arbitrary<Document> = fc.oneof(
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
  name.map((dropIndexes) => ({ dropIndexes, index: '*' })),
  name.map((drop) => ({ drop })),
  name.map((create) => ({ create, validator: { a: { $ne: 2 } }, validationAction: 'error' })),
  name.map((collMod) => ({ collMod, validationLevel: 'off' })),
);

describe('the durable store', () => {
  it('answers as the one in memory does, after a restart too', { timeout: 60_000 }, async () => {
    const history = fc.array(fc.oneof({ weight: 25, arbitrary: command }, fc.constant('restart' as const)), {
      minLength: 5,
      maxLength: 40,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const path = mkdtempSync(join(tmpdir(), 'embedded-'));
        const memory = new Server(new MemoryStorage());
        let storage = await LmdbStorage.open(path);
        let durable = new Server(storage);
        const restart = async (): Promise<void> => {
          durable.close();
          await storage.close();
          storage = await LmdbStorage.open(path);
          durable = new Server(storage);
        };
        try {
          for (const step of steps) {
            if (step === 'restart') {
              // Cursors do not live on: the reading of one is the last answer to be compared.
              await restart();
              memory.close();
            } else {
              expect(durable.run(step)).toEqual(memory.run(step));
            }
          }
          await restart();
          expect(durable.contents()).toEqual(memory.contents());
        } finally {
          await storage.close();
          rmSync(path, { recursive: true });
        }
      }),
      { numRuns: caseCount(60) },
    );
  });
});
