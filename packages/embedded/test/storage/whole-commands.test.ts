// Whatever fails inside a command leaves nothing of it behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, type Document, Long, serialize, UUID } from 'bson';
import { describe, expect, it } from 'vitest';
import { IS_DEEP } from '../../../../scripts/case-count.ts';
import { runCommand } from '../../src/commands/run-command.ts';
import type { Context } from '../../src/dispatch/command.ts';
import { ServerError } from '../../src/errors.ts';
import { LmdbStorage } from '../../src/storage/lmdb.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { type Fault, FaultyStorage } from '../support/faulty-storage.ts';
import { CLIENT, contextOver, expectContextConsistent } from '../support/in-process.ts';

const fault: Fault = () => new RangeError('Map maximum size exceeded');
const refusal: Fault = () => new ServerError(263, 'Cannot do that.');

const session = { id: new UUID() };
let number = 0;

const writes: Readonly<Record<string, () => Document>> = {
  'an insert': () => ({
    insert: 'c',
    documents: [{ _id: 10, a: 5, tags: ['p', 'q'] }, { _id: 11, a: 6 }, { _id: 12 }],
  }),
  'an unordered insert': () => ({
    insert: 'c',
    documents: [{ _id: 10, a: 5 }, { _id: 1 }, { _id: 12 }],
    ordered: false,
  }),
  'an insert that makes its collection': () => ({ insert: 'new', documents: [{ _id: 1 }] }),
  'an update of many': () => ({
    update: 'c',
    updates: [{ q: {}, u: { $inc: { a: 10 }, $push: { tags: 'n' } }, multi: true }],
  }),
  'a replacement': () => ({ update: 'c', updates: [{ q: { _id: 2 }, u: { a: 7, tags: [] } }] }),
  'an upsert': () => ({ update: 'c', updates: [{ q: { _id: 20 }, u: { $set: { a: 20 } }, upsert: true }] }),
  'a deletion of many': () => ({ delete: 'c', deletes: [{ q: { _id: { $lt: 3 } }, limit: 0 }] }),
  'a deletion and an insert': () => ({
    bulkWrite: 1,
    $db: 'admin',
    nsInfo: [{ ns: 'test.c' }],
    ops: [
      { delete: 0, filter: { _id: 1 } },
      { insert: 0, document: { _id: 1, a: 99 } },
      { insert: 0, document: { _id: 30 } },
    ],
  }),
  'a change of one': () => ({ findAndModify: 'c', query: { _id: 3 }, update: { $set: { a: 33 } } }),
  'a retryable write': () => ({
    insert: 'c',
    documents: [{ _id: 40, a: 40 }],
    lsid: session,
    txnNumber: Long.fromNumber((number += 1)),
  }),
  'an output': () => ({ aggregate: 'c', pipeline: [{ $out: 'd' }], cursor: {} }),
  'a merge': () => ({ aggregate: 'c', pipeline: [{ $set: { a: { $add: ['$a', 50] } } }, { $merge: 'c' }], cursor: {} }),
};

const alterations: Readonly<Record<string, () => Document>> = {
  'a new collection': () => ({ create: 'new', validator: { a: 1 } }),
  'new indexes': () => ({
    createIndexes: 'c',
    indexes: [
      { key: { x: 1 }, name: 'x' },
      { key: { a: -1, _id: 1 }, name: 'y' },
    ],
  }),
  'the end of indexes': () => ({ dropIndexes: 'c', index: '*' }),
  'another rule': () => ({ collMod: 'c', validator: { a: { $gt: 0 } } }),
  'the end of a collection': () => ({ drop: 'c' }),
  'the end of a database': () => ({ dropDatabase: 1 }),
  'another name': () => ({ renameCollection: 'test.c', to: 'test.d', dropTarget: true, $db: 'admin' }),
};

/** Else some of the changes of a command fail, not each. */

async function run(context: Context, command: Document): Promise<Document> {
  const body = serialize({ ...command, $db: command['$db'] ?? 'test' });
  return deserialize(await runCommand(context, CLIENT, { body, sequences: new Map() }), { promoteValues: false });
}

/** All that is stored, and all that change streams may tell. */
async function contents(context: Context): Promise<unknown> {
  const { firstBatch } = (await run(context, { listCollections: 1, cursor: {} }))['cursor'];
  const collections: unknown[] = [];
  for (const { name, options, info } of firstBatch as Document[]) {
    const described = [{ listIndexes: name }, { find: name }, { find: name, sort: { _id: -1 } }, { find: name, hint: 'a_1' }, { collStats: name }]; // prettier-ignore
    const replies = [];
    for (const command of described) {
      const { cursor, ...rest } = await run(context, command);
      delete rest['$clusterTime'];
      delete rest['operationTime'];
      replies.push({ ...rest, documents: cursor?.firstBatch });
    }
    collections.push({ name, options, info, replies });
  }
  const log = Array.from(
    context.catalog.log.after('', () => true),
    ({ position }) => position,
  );
  return { collections, log };
}

async function prepare(context: Context): Promise<void> {
  const steps: Document[] = [
    {
      createIndexes: 'c',
      indexes: [
        { key: { a: 1 }, name: 'a_1', unique: true, sparse: true },
        { key: { tags: 1 }, name: 't' },
      ],
    },
    { insert: 'c', documents: [1, 2, 3, 4].map((_id) => ({ _id, a: _id, tags: ['x', `y${_id}`] })) },
    { delete: 'c', deletes: [{ q: { _id: 4 }, limit: 1 }] },
    { insert: 'd', documents: [{ _id: 1 }, { _id: 2 }] },
    { createIndexes: 'd', indexes: [{ key: { a: 1 }, name: 'a_1' }] },
  ];
  for (const step of steps) expect(await run(context, step)).not.toHaveProperty('errmsg');
}

/** Begins a transaction that has nothing to do with what follows: writes beside it go another way. */
async function beginBeside(context: Context): Promise<void> {
  const part = { lsid: { id: new UUID() }, txnNumber: Long.ONE, startTransaction: true, autocommit: false };
  expect(await run(context, { insert: 'beside', documents: [{}], ...part })).toMatchObject({ ok: { value: 1 } });
}

async function checkEach(
  open: () => Promise<FaultyStorage>,
  commands: Readonly<Record<string, () => Document>>,
  failure: Fault,
  isBeside: boolean,
  stride: number,
): Promise<void> {
  for (const [title, command] of Object.entries(commands)) {
    const storage = await open();
    try {
      const context = contextOver(storage);
      await prepare(context);
      const before = await contents(context);
      let failures = 0;
      for (let change = 1; ; change += stride) {
        if (isBeside) await beginBeside(context);
        storage.failAt(change, failure);
        const reply = await run(context, command());
        if (!storage.heal()) {
          expect(reply, `${title}, unhurt`).toMatchObject({ ok: { value: 1 } });
          break;
        }
        failures += 1;
        expect(reply, `${title}, change ${change}`).toMatchObject({ ok: { value: 0 } });
        expect(await contents(context), `${title}, change ${change}`).toEqual(before);
        await expectContextConsistent(context);
      }
      expect(failures, `failures of ${title}`).toBeGreaterThan(0);
      await expectContextConsistent(context);
    } finally {
      await storage.close();
    }
  }
}

describe.each([
  ['a fault in a write', writes, fault],
  ['a refusal in the middle of a write', writes, refusal],
  ['a fault while a collection is altered', alterations, fault],
])('%s', (_title, commands, failure) => {
  it.each([false, true])('leaves nothing behind in memory, beside a transaction: %s', async (isBeside) => {
    const open = async (): Promise<FaultyStorage> => new FaultyStorage(new MemoryStorage());
    await checkEach(open, commands, failure, isBeside, IS_DEEP ? 1 : 5);
  });

  it.each([false, true])('leaves nothing behind in a folder, beside a transaction: %s', async (isBeside) => {
    const path = mkdtempSync(join(tmpdir(), 'embedded-'));
    let count = 0;
    const open = async (): Promise<FaultyStorage> => {
      count += 1;
      return new FaultyStorage(await LmdbStorage.open(join(path, String(count))));
    };
    try {
      // Each commit waits for the disk.
      await checkEach(open, commands, failure, isBeside, IS_DEEP ? 3 : 15);
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});
