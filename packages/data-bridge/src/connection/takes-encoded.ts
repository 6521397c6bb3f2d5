import { BSON, type Collection, type MongoClient } from 'mongodb';
import { EncodedDocument } from '../bson/encoded-document.ts';
import { hasMiddleware } from './middleware.ts';

/*
 * Whether the driver sends documents that are encoded already as they are. How it encodes is no part of its documented
 * interface, so each client is tried once, without sending anything. Otherwise documents are sent as plain objects.
 */

const known = new WeakMap<MongoClient, boolean>();

/** True where `EncodedDocument`s may be given to the driver. */
export function takesEncoded(client: MongoClient, collection: Collection): boolean {
  let takes = known.get(client);
  if (takes === undefined) {
    takes = isWrittenAsItIs() && isMeasuredAsItIs(collection);
    known.set(client, takes);
  }
  return takes && !isWatched(client);
}

/** True where somebody is shown the commands: the documents in them must have their fields. */
function isWatched(client: MongoClient): boolean {
  const { mongoLogger } = client as { readonly mongoLogger?: unknown };
  return client.options.monitorCommands || mongoLogger !== undefined || hasMiddleware(client);
}

const SAMPLE = { _id: 1, text: 'é', list: [{ n: 0.5 }, null] };

function isWrittenAsItIs(): boolean {
  try {
    const bytes = BSON.serialize(SAMPLE);
    const encoded = new EncodedDocument(SAMPLE._id, bytes);
    const around = (document: object) =>
      BSON.serialize({ a: 1, documents: [document, document], b: { document }, c: 2 });
    return isSame(BSON.serialize(encoded), bytes) && isSame(around(encoded), around(SAMPLE));
  } catch {
    // case: a bson package that goes another way
    return false;
  }
}

/**
 * The driver cuts inserts of many into commands by the documents' sizes. Versions before 7.6 work out each size from the
 * members, and so do all where fields are encrypted; the others keep what they encoded.
 */
function isMeasuredAsItIs(collection: Collection): boolean {
  try {
    const bytes = BSON.serialize(SAMPLE);
    const encoded = new EncodedDocument(SAMPLE._id, bytes);
    const bulks = [collection.initializeOrderedBulkOp(), collection.initializeUnorderedBulkOp()];
    return bulks.every((bulk) => {
      const [batch] = bulk.insert(encoded).batches as readonly { readonly serializedOperations?: Uint8Array[] }[];
      return isSame(batch?.serializedOperations?.[0] ?? new Uint8Array(), bytes);
    });
  } catch {
    // case: a client that was closed meanwhile
    return false;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
