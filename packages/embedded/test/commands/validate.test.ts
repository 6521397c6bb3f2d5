import { deserialize, type Document, serialize } from 'bson';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/commands/run-command.ts';
import type { Context } from '../../src/dispatch/command.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { CollectionStore, IndexStore } from '../../src/storage/storage.ts';
import { type Case, conformance, errorOf } from '../support/conformance.ts';
import { CLIENT, contextOver } from '../support/in-process.ts';

const cases: Record<string, Case> = {
  'tells what a collection has': async ({ db, collection }) => {
    await collection.createIndexes([{ key: { tags: 1 } }, { key: { n: 1 }, sparse: true }]);
    await collection.insertMany([{ _id: 1, tags: ['a', 'b'], n: 1 }, { _id: 2 }]);
    const reply = await db.command({ validate: collection.collectionName });
    expect(reply).toMatchObject({
      ns: collection.namespace,
      valid: true,
      nrecords: 2,
      nIndexes: 3,
      keysPerIndex: { _id_: 2, tags_1: 3, n_1: 1 },
      indexDetails: { _id_: { valid: true }, tags_1: { valid: true }, n_1: { valid: true } },
      errors: [],
      missingIndexEntries: [],
      extraIndexEntries: [],
      ok: 1,
    });
    expect(await db.command({ validate: collection.collectionName, full: true })).toMatchObject({ valid: true });
  },

  'is refused where there is no collection, and in a transaction': async ({ client, db, collection }) => {
    expect(await errorOf(db.command({ validate: collection.collectionName }))).toMatchObject({ code: 26 });
    await collection.insertOne({});
    await client.withSession(async (session) => {
      session.startTransaction();
      expect(await errorOf(db.command({ validate: collection.collectionName }, { session }))).toMatchObject({
        code: 263,
      });
    });
  },
};

conformance('validate', cases);

/** A storage whose collections a test can break. */
class OpenStorage extends MemoryStorage {
  readonly stores: CollectionStore[] = [];

  override createCollection(): CollectionStore {
    const store = super.createCollection();
    this.stores.push(store);
    return store;
  }
}

async function run(context: Context, command: Document): Promise<Document> {
  const body = serialize({ ...command, $db: 'test' });
  return deserialize(await runCommand(context, CLIENT, { body, sequences: new Map() }));
}

/** What `validate` says of a collection of three documents once something of it was broken. */
async function broken(breakIt: (store: CollectionStore, index: IndexStore, first: string) => void): Promise<Document> {
  const storage = new OpenStorage();
  const context = contextOver(storage);
  await run(context, { createIndexes: 'c', indexes: [{ key: { n: 1 }, name: 'n', unique: true }] });
  await run(context, {
    insert: 'c',
    documents: [
      { _id: 1, n: 1 },
      { _id: 2, n: [2, 3] },
      { _id: 3, n: 4 },
    ],
  });
  const [store] = storage.stores;
  if (store === undefined) throw new Error('There is no collection.');
  const index = store.index(1);
  const [first] = index.scan({ start: '', end: undefined }, false, 1);
  breakIt(store, index, first?.position.slice(0, -6) ?? '');
  return run(context, { validate: 'c' });
}

describe('validate finds', () => {
  it('an entry that is missing', async () => {
    const reply = await broken((_store, index, key) => index.remove(key, 1));
    expect(reply).toMatchObject({ valid: false, indexDetails: { _id_: { valid: true }, n: { valid: false } } });
    expect(reply['missingIndexEntries']).toMatchObject([{ indexName: 'n', recordId: 1 }]);
    expect(reply['errors']).toEqual(['indexes lack 1 entries of documents']);
  });

  it('an entry without a document, and a key twice in a unique index', async () => {
    const reply = await broken((_store, index, key) => index.add(key, 9));
    expect(reply).toMatchObject({ valid: false, keysPerIndex: { n: 5 } });
    expect(reply['extraIndexEntries']).toMatchObject([{ indexName: 'n', recordId: 9 }]);
    expect(reply['errors']).toContain('the unique index "n" has a key twice');
  });

  it('a document without its entries, and one that is gone', async () => {
    const inserted = await broken((store) => store.records.insert('key', serialize({ _id: 7, n: 7 })));
    expect(inserted['missingIndexEntries']).toMatchObject([{ indexName: '_id_' }, { indexName: 'n' }]);
    const removed = await broken((store) => store.records.remove(2));
    expect(removed['extraIndexEntries']).toMatchObject([
      { indexName: 'n', recordId: 2 },
      { indexName: 'n', recordId: 2 },
    ]);
  });

  it('a document that says something else than its entries', async () => {
    const reply = await broken((store) => store.records.replace(3, serialize({ _id: 3, n: 5 })));
    expect(reply['missingIndexEntries']).toMatchObject([{ indexName: 'n', recordId: 3 }]);
    expect(reply['extraIndexEntries']).toMatchObject([{ indexName: 'n', recordId: 3 }]);
  });

  it('an index that does not know of several values in one document', async () => {
    const reply = await broken((_store, index) => {
      index.multikey = 0;
    });
    expect(reply['errors']).toEqual(['the index "n" does not know of what kind its keys are']);
  });
});
