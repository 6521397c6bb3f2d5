// Changes of what is stored, and how the log keeps them.
import { Binary, Long } from 'bson';
import { decode, decodeFirst, encode } from '../values/bson.ts';
import {
  descriptionDocument,
  descriptionOfDifference,
  descriptionOfPaths,
  type UpdateDescription,
} from './update-description.ts';
import { DateTime, type Document, documentOf, isArray, type Value } from '../values/value.ts';
import type { Namespace } from './namespace.ts';
import type { LogPosition } from '../storage/storage.ts';

/** Where something changed. */
export interface ChangePlace extends Namespace {
  /** The collection's. */
  readonly uuid: Binary;
}

/** The documents of a change, as BSON. They are kept as they are, and must not be changed from now on. */
interface Images {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** True where change streams may ask for both. */
  readonly keepsImages: boolean;
}

/** A change of what is stored. An update that changes no byte is no change. */
export type Change =
  | ({ readonly kind: 'insert' } & ChangePlace & Pick<Images, 'after'>)
  /** By operators, which wrote to these paths, or by a pipeline. */
  | ({ readonly kind: 'update'; readonly written: readonly string[] | undefined } & ChangePlace & Images)
  /** By a document that takes the place of the old one. */
  | ({ readonly kind: 'replace' } & ChangePlace & Images)
  | ({ readonly kind: 'delete' } & ChangePlace & Omit<Images, 'after'>)
  | ({ readonly kind: 'create' | 'drop' } & ChangePlace)
  | ({ readonly kind: 'rename'; readonly to: Namespace } & ChangePlace)
  | { readonly kind: 'dropDatabase'; readonly database: string };

/** A change of a document. */
export type DocumentChange = Extract<Change, { kind: 'insert' | 'update' | 'replace' | 'delete' }>;

/** What names a client's transaction. */
export interface TransactionId {
  /** The session's id, as the client sends it, as BSON. */
  readonly session: Uint8Array;
  readonly number: bigint;
}

/** A change as the log has it. */
export interface LoggedChange {
  readonly position: LogPosition;
  /** What events say of it. */
  readonly head: Document;
  /** The collection, where the change is in one. */
  readonly uuid: Binary | undefined;
  /** The document after the change and the one before it, as BSON, where the log has them. */
  readonly after: Uint8Array | undefined;
  readonly before: Uint8Array | undefined;
}

// Members of an entry's head that no event shows.
const UUID = 'uuid';
const IMAGES = 'images';

/** What is in the log of a change: its head as BSON, and the documents that go with it behind that. */
export function writeChange(change: Change, wallTime: number, transaction?: TransactionId): Uint8Array {
  const head = headOf(change).set('wallTime', new DateTime(BigInt(wallTime)));
  if (transaction !== undefined) {
    head.set('lsid', decode(transaction.session)).set('txnNumber', Long.fromBigInt(transaction.number));
  }
  const images = imagesOf(change, head.get('operationType') ?? null);
  if (images.length === 0) return encode(head);
  head.set(
    IMAGES,
    images.map(([name]) => name),
  );
  return Buffer.concat([encode(head), ...images.map(([, bytes]) => bytes)]);
}

export function readChange(position: LogPosition, bytes: Uint8Array): LoggedChange {
  const head = decode(bytes);
  const uuid = head.get(UUID);
  const names = head.get(IMAGES);
  head.delete(UUID);
  head.delete(IMAGES);
  const images = new Map<Value, Uint8Array>();
  let start = lengthAt(bytes, 0);
  for (const name of isArray(names) ? names : []) {
    const end = start + lengthAt(bytes, start);
    images.set(name, bytes.subarray(start, end));
    start = end;
  }
  return {
    position,
    head,
    uuid: uuid instanceof Binary ? uuid : undefined,
    after: images.get('after'),
    before: images.get('before'),
  };
}

function lengthAt(bytes: Uint8Array, start: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + start, 4).getInt32(0, true);
}

/** The members of the event of a change, beside its documents and times. */
function headOf(change: Change): Document {
  switch (change.kind) {
    case 'insert':
      return membersOf('insert', change, ['documentKey', decodeFirst(change.after)]);
    case 'update':
    case 'replace':
      return updateOf(change);
    case 'delete':
      return membersOf('delete', change, ['documentKey', decodeFirst(change.before)]);
    case 'create':
    case 'drop':
      return membersOf(change.kind, change);
    case 'rename':
      return membersOf('rename', change, ['to', nsOf(change.to)]);
    case 'dropDatabase':
      return documentOf(['operationType', change.kind], ['ns', documentOf(['db', change.database])]);
  }
}

function updateOf(change: Extract<Change, { kind: 'update' | 'replace' }>): Document {
  const key = ['documentKey', decodeFirst(change.after)] as const;
  const description = change.kind === 'update' ? descriptionOf(change) : undefined;
  if (description === undefined) return membersOf('replace', change, key);
  return membersOf('update', change, key, ['updateDescription', descriptionDocument(description)]);
}

/** `undefined` where the whole document says it shorter. */
function descriptionOf({ before, after, written }: Extract<Change, { kind: 'update' }>): UpdateDescription | undefined {
  const was = decode(before);
  const is = decode(after);
  return written === undefined ? descriptionOfDifference(was, is) : descriptionOfPaths(was, is, written);
}

function membersOf(type: string, place: ChangePlace, ...members: readonly (readonly [string, Value])[]): Document {
  return documentOf(['operationType', type], [UUID, place.uuid], ['ns', nsOf(place)], ...members);
}

function nsOf({ database, name }: Namespace): Document {
  return documentOf(['db', database], ['coll', name]);
}

/** The documents that the log keeps: what an event of that type always has, and what may be asked for. */
function imagesOf(change: Change, type: Value): (readonly [string, Uint8Array])[] {
  if (change.kind === 'insert') return [['after', change.after]];
  const before = 'before' in change && change.keepsImages ? [['before', change.before] as const] : [];
  const keepsAfter = type === 'replace' || ('after' in change && change.keepsImages);
  return 'after' in change && keepsAfter ? [['after', change.after], ...before] : before;
}
