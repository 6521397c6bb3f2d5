import { startServer } from '@data-bridge/embedded';
import { type Collection, MongoClient, MongoServerError } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { expectConsistent } from '../../../embedded/test/support/consistency.ts';
import { setOwn } from '../../src/bson/plain-object.ts';
import { decodeDocument, decodeExact } from '../../src/bson/decode.ts';
import { encodeDocument } from '../../src/bson/encode.ts';
import { Layout } from '../../src/bson/layout.ts';
import { fieldsOf, locate } from '../../src/bson/locate.ts';
import type { EditTree } from '../../src/edits/edits.ts';
import { fallback, plan } from '../../src/update/plan.ts';
import type { Members } from './laws-documents.ts';
import { childrenOf } from './laws-trees.ts';

export interface Stored extends Members {
  _id: number;
}

/** How a save went. */
export type Outcome = 'operators' | 'pipeline' | 'fallback';

const otherUri = process.env['MONGODB_URI'];

/** The embedded server always, and the one at `MONGODB_URI` where there is one. */
export const serverNames: readonly string[] = otherUri === undefined ? ['embedded'] : ['embedded', 'MONGODB_URI'];

/** How an update is sent: as the plan says, or as a pipeline in any case. */
export type Form = 'auto' | 'pipeline';

/** Every server with every form of an update. */
export const serversAndForms: readonly { readonly server: string; readonly form: Form }[] = serverNames.flatMap(
  (server) => (['auto', 'pipeline'] as const).map((form) => ({ server, form })),
);

/** A client of a server, and a collection for this process alone. */
export interface Store {
  readonly collection: Collection<Stored>;
  close(): Promise<void>;
}

export async function openStore(serverName: string, collectionName: string): Promise<Store> {
  const embedded = serverName === 'embedded' ? await startServer() : undefined;
  const client = await new MongoClient(embedded?.uri ?? otherUri ?? '', { ignoreUndefined: true }).connect();
  const collection = client.db('laws').collection<Stored>(`${collectionName}-${process.pid}`);
  return {
    collection,
    async close() {
      if (embedded !== undefined) await expectConsistent(client);
      await collection.drop();
      await client.close();
      await embedded?.close();
    },
  };
}

/** A store for the tests of the `describe` around the call: opened before them, and closed after them. */
export function useStore(serverName: string, collectionName: string): Pick<Store, 'collection'> {
  let store: Store | undefined;
  beforeAll(async () => {
    store = await openStore(serverName, collectionName);
  });
  afterAll(async () => store?.close());
  return {
    get collection() {
      if (store === undefined) throw new Error('The store is open in tests only.');
      return store.collection;
    },
  };
}

/** Stores a document alone, and reads it back. */
export async function insertAlone(collection: Collection<Stored>, document: Members): Promise<Uint8Array> {
  await collection.deleteMany({});
  await collection.insertOne(document as Stored);
  return readBytes(collection, document['_id'] as number);
}

export async function readBytes(collection: Collection<Stored>, id: number): Promise<Uint8Array> {
  const found: unknown = await collection.findOne({ _id: id }, { raw: true });
  if (!(found instanceof Uint8Array)) throw new Error('The document is gone');
  return Uint8Array.from(found);
}

/** A document of its own, as the program has it after loading. */
export function live(bytes: Uint8Array): Members {
  return decodeDocument<Members>(new Layout(), bytes, 0);
}

/** The same with the types that it has in the bytes. */
export function exact(bytes: Uint8Array): Members {
  const layout = new Layout();
  const document = {};
  for (const field of fieldsOf(layout, bytes, 0)) {
    setOwn(document, field.name, decodeExact(bytes, 0, field, locate(layout, bytes, 0, field)));
  }
  return document;
}

/** A value as it reads after being stored. */
export function reread(value: unknown): unknown {
  return live(encodeDocument({ value }))['value'];
}

/** The edits from a stored document to one in memory; `null` when there are none. */
export function editsOf(original: Members, memory: Members): EditTree | null {
  const children = childrenOf(original, memory);
  return children.size === 0 ? null : { kind: 'object', children };
}

/** What the sent edits leave as the next original. */
export function settled(original: Members, tree: EditTree): Members {
  const next = {};
  for (const name of Object.keys(original)) if (!tree.children.has(name)) setOwn(next, name, original[name]);
  for (const [name, edit] of tree.children) if (edit.kind !== 'delete') setOwn(next, name, edit.value);
  return exact(encodeDocument(next));
}

/** Sends the edits as DESIGN §4 says: the plan, then its fallback. */
export async function send(collection: Collection<Stored>, id: number, tree: EditTree, form: Form): Promise<Outcome> {
  const first = plan(tree, { isRetry: form === 'pipeline' });
  const isPipeline = Array.isArray(first.update);
  try {
    const { guard, update, arrayFilters = [], collation } = first;
    const options = isPipeline ? {} : { arrayFilters: arrayFilters as Members[] };
    const filter = { _id: id, ...guard };
    const { matchedCount } = await collection.updateOne(filter, update, {
      ...options,
      ...(collation && { collation }),
    });
    if (matchedCount === 1) return isPipeline ? 'pipeline' : 'operators';
  } catch (error) {
    const isShape = error instanceof MongoServerError && [2, 14, 28].includes(Number(error.code));
    if (isPipeline || !isShape) throw error;
  }
  const { update, collation } = fallback(tree);
  const { matchedCount } = await collection.updateOne({ _id: id }, update, { ...(collation && { collation }) });
  if (matchedCount !== 1) throw new Error('The fallback found no document');
  return 'fallback';
}
