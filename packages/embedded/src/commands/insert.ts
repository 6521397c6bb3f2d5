import { ObjectId, Timestamp } from 'bson';
import { encode } from '../values/bson.ts';
import { checkNewId } from '../engine/update/compile.ts';
import type { Document, Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import type { Statement } from '../dispatch/command.ts';
import { checkSize, MAX_DOCUMENT_SIZE } from '../messages/limits.ts';

/**
 * Stores a new document and gives it as it is stored. Throws 52 or 53 for an `_id` that cannot be, 2 for a document that
 * is too large, and what the collection's rule and indexes throw.
 */
export function insertDocument(collection: Collection, statement: Statement, checked: boolean): Document {
  const document = prepared(statement.document);
  const untouched = document === statement.document ? statement.bytes : undefined;
  const bytes = untouched ?? encode(document);
  checkSize(bytes, 2, `object to insert too large. size in bytes: ${bytes.length}, max size: ${MAX_DOCUMENT_SIZE}`);
  collection.insert(document, bytes, checked);
  return document;
}

/** The document as it is stored: `_id` first, made where there is none, and empty timestamps filled in. */
export function prepared(document: Document): Document {
  const id = document.get('_id');
  if (id !== undefined) checkNewId(id);
  const stored = withIdFirst(id === undefined ? new Map([['_id', new ObjectId()], ...document]) : document);
  if (![...stored.values()].some(isEmptyTimestamp)) return stored;
  return new Map(Array.from(stored, ([name, value]) => [name, isEmptyTimestamp(value) ? nextTimestamp() : value]));
}

/** The document with its `_id` in front; the very document where it is there already. */
export function withIdFirst(document: Document): Document {
  const [first] = document.keys();
  const id = document.get('_id');
  return first === '_id' || id === undefined ? document : new Map([['_id', id], ...document]);
}

/** MongoDB fills in a timestamp of 0 at the top level of a new document. */
function isEmptyTimestamp(value: Value): boolean {
  return value instanceof Timestamp && value.isZero();
}

let lastTimestamp = 0n;

/** Seconds since 1970 and a counter within the second: larger than any before. */
function nextTimestamp(): Timestamp {
  const now = BigInt(Math.floor(Date.now() / 1000)) << 32n;
  lastTimestamp = now > lastTimestamp ? now + 1n : lastTimestamp + 1n;
  return new Timestamp(lastTimestamp);
}
