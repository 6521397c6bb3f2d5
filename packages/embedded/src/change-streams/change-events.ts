// What a change stream tells of the changes in the log.
// https://www.mongodb.com/docs/manual/reference/change-events/
import { decode } from '../values/bson.ts';
import { equals } from '../values/order.ts';
import { type Document, isDocument, type Value } from '../values/value.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { LoggedChange } from '../catalog/change.ts';
import { ServerError } from '../errors.ts';
import { timeOf } from '../storage/log-position.ts';
import type { LogPosition } from '../storage/storage.ts';
import { writeToken } from './resume-token.ts';

export type FullDocument = 'default' | 'updateLookup' | 'whenAvailable' | 'required';
export type FullDocumentBeforeChange = 'off' | 'whenAvailable' | 'required';

/** What events hold beside what happened. */
export interface EventOptions {
  readonly fullDocument: FullDocument;
  readonly fullDocumentBeforeChange: FullDocumentBeforeChange;
}

/** The event of a change. Its members are in MongoDB's order. */
export function eventOf(change: LoggedChange, options: EventOptions, catalog: Catalog): Document {
  const { head, position } = change;
  const event: Document = new Map<string, Value>([['_id', writeToken({ position, kind: 'event' })]]);
  const take = (...names: string[]): void => {
    for (const name of names) {
      const value = head.get(name);
      if (value !== undefined) event.set(name, value);
    }
  };
  take('operationType');
  event.set('clusterTime', timeOf(position));
  take('wallTime', 'txnNumber', 'lsid');
  const type = head.get('operationType');
  if (type === 'insert' || type === 'replace') event.set('fullDocument', decoded(change.after));
  take('ns', 'to', 'documentKey', 'updateDescription');
  if (type === 'update') addFullDocument(event, change, options.fullDocument, catalog);
  if (type === 'update' || type === 'replace' || type === 'delete') {
    addDocumentBefore(event, change, options.fullDocumentBeforeChange);
  }
  return event;
}

/** The event that ends a stream, after the change that made it end. */
export function invalidateEvent(position: LogPosition, wallTime: Value): Document {
  return new Map<string, Value>([
    ['_id', writeToken({ position, kind: 'invalidate' })],
    ['operationType', 'invalidate'],
    ['clusterTime', timeOf(position)],
    ['wallTime', wallTime],
  ]);
}

function decoded(bytes: Uint8Array | undefined): Document | null {
  return bytes === undefined ? null : decode(bytes);
}

function addFullDocument(event: Document, change: LoggedChange, wanted: FullDocument, catalog: Catalog): void {
  if (wanted === 'default') return;
  if (wanted === 'updateLookup') return void event.set('fullDocument', currentDocument(change, catalog));
  if (change.after === undefined && wanted === 'required') throw imageMissing('post', 'all update events');
  event.set('fullDocument', decoded(change.after));
}

function addDocumentBefore(event: Document, change: LoggedChange, wanted: FullDocumentBeforeChange): void {
  if (wanted === 'off') return;
  if (change.before === undefined && wanted === 'required') {
    throw imageMissing('pre', 'all update, delete and replace events');
  }
  event.set('fullDocumentBeforeChange', decoded(change.before));
}

function imageMissing(image: 'pre' | 'post', events: string): ServerError {
  return new ServerError(
    47,
    `Change stream was configured to require a ${image}-image for ${events}, but the ${image}-image was not found for event`,
  );
}

/** The document as it is now; null where it is gone, or where the collection is not the one that it was in. */
function currentDocument({ head, uuid }: LoggedChange, catalog: Catalog): Document | null {
  const ns = head.get('ns');
  const key = head.get('documentKey');
  if (!isDocument(ns) || !isDocument(key)) return null;
  const database = ns.get('db');
  const name = ns.get('coll');
  if (typeof database !== 'string' || typeof name !== 'string') return null;
  const collection = catalog.collection(database, name);
  if (collection === undefined || !equals(collection.uuid, uuid)) return null;
  return decoded(collection.ids.find(key.get('_id') ?? null)?.bytes);
}
