import { Binary, Int32 } from 'bson';
import { decode, encode } from '../values/bson.ts';
import { type Document, documentOf, isArray, isDocument, type Value } from '../values/value.ts';

/** What a collection is, beside its documents. */
export interface Description {
  readonly database: string;
  readonly name: string;
  readonly uuid: Binary;
  /** As `create` and `collMod` have set them. */
  readonly options: Document;
  readonly indexes: readonly IndexDescription[];
}

/** A secondary index: the name of its store, and what `listIndexes` says of it. */
export interface IndexDescription {
  readonly id: number;
  readonly specification: Document;
}

/** A description as BSON, for a store to keep. */
export function writeDescription({ database, name, uuid, options, indexes }: Description): Uint8Array {
  const document: Document = new Map<string, Value>([
    ['database', database],
    ['name', name],
    ['uuid', uuid],
    ['options', options],
    [
      'indexes',
      indexes.map(({ id, specification }) => documentOf(['id', new Int32(id)], ['specification', specification])),
    ],
  ]);
  return encode(document);
}

/** Reads what `writeDescription` wrote. Throws for anything else. */
export function readDescription(bytes: Uint8Array): Description {
  const document = decode(bytes);
  const database = document.get('database');
  const name = document.get('name');
  const uuid = document.get('uuid');
  const options = document.get('options');
  const indexes = document.get('indexes');
  if (typeof database !== 'string' || typeof name !== 'string' || !(uuid instanceof Binary)) throw unreadable();
  if (!isDocument(options) || !isArray(indexes)) throw unreadable();
  return { database, name, uuid, options, indexes: indexes.map(readIndex) };
}

function readIndex(index: Value): IndexDescription {
  const id = isDocument(index) ? index.get('id') : undefined;
  const specification = isDocument(index) ? index.get('specification') : undefined;
  if (!(id instanceof Int32) || !isDocument(specification)) throw unreadable();
  return { id: id.value, specification };
}

function unreadable(): Error {
  return new Error('The description of a collection cannot be read.');
}
