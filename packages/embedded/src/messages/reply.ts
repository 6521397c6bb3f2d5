import { Binary, Double, Int32, Long, Timestamp } from 'bson';
import type { Clock } from '../catalog/clock.ts';
import type { ServerError } from '../errors.ts';
import { encode } from '../values/bson.ts';
import type { Document, Value } from '../values/value.ts';

const OK = new Double(1);
const FAILED = new Double(0);

/** What every reply with a cursor ends with, unless it has a summary. */
const END_OF_REPLY = encode(new Map([['ok', OK]]));

const DOCUMENT = 0x03;
const ARRAY = 0x04;

/** A batch of a cursor. Its documents go to the client as the bytes that they are. */
export class CursorReply {
  readonly batchName: 'firstBatch' | 'nextBatch';
  readonly documents: readonly Uint8Array[];
  /** 0 where this was the last batch. */
  readonly id: bigint;
  readonly namespace: string;
  /** What the reply says beside the cursor. */
  readonly summary: Document;
  /** Where a change stream could go on after this batch. */
  readonly token: Document | undefined;

  constructor(
    batchName: CursorReply['batchName'],
    documents: readonly Uint8Array[],
    id: bigint,
    namespace: string,
    { summary = new Map(), token }: Partial<Pick<CursorReply, 'summary' | 'token'>> = {},
  ) {
    this.batchName = batchName;
    this.documents = documents;
    this.id = id;
    this.namespace = namespace;
    this.summary = summary;
    this.token = token;
  }

  /** This reply with a summary of the whole command beside the cursor. */
  with(summary: Document): CursorReply {
    return new CursorReply(this.batchName, this.documents, this.id, this.namespace, { summary });
  }
}

/** What a command answers; bytes where it was encoded before, without the times of the server. */
export type Reply = Document | CursorReply | Uint8Array;

/** A document of these fields, without those that are undefined. */
export function documentOf(fields: Readonly<Record<string, Value | undefined>>): Document {
  const document: Document = new Map();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) document.set(name, value);
  return document;
}

// What every reply of a replica set ends with. Nobody signs the time where there are no users.
const ZERO = new Timestamp(0n);
const SIGNATURE = documentOf({ hash: new Binary(Buffer.alloc(20)), keyId: Long.ZERO });
const TIMES = documentOf({
  $clusterTime: documentOf({ clusterTime: ZERO, signature: SIGNATURE }),
  operationTime: ZERO,
});
const STAMP = encode(TIMES).subarray(4, -1);
const CLUSTER_TIME = STAMP.lastIndexOf('clusterTime\0') + 'clusterTime\0'.length;
const OPERATION_TIME = STAMP.length - 8;

/** For a reply that is kept, to be stamped whenever it is sent. */
export const NO_STAMP = new Uint8Array();

/** Elements that a reply ends with, as BSON: the times of the server. Good until the next call. */
export function stampOf({ clusterTime, operationTime }: Clock): Uint8Array {
  STAMP.writeBigUInt64LE(clusterTime.toBigInt(), CLUSTER_TIME);
  STAMP.writeBigUInt64LE(operationTime.toBigInt(), OPERATION_TIME);
  return STAMP;
}

/** The answer to a command that succeeded, as BSON. */
export function encodeReply(reply: Reply, stamp: Uint8Array): Buffer {
  if (reply instanceof Uint8Array) return stamped(reply, stamp);
  return reply instanceof CursorReply ? encodeCursor(reply, stamp) : stamped(withOk(reply), stamp);
}

/** The answer to a command that failed, as BSON. */
export function encodeError(error: ServerError, stamp: Uint8Array): Buffer {
  const reply: Document = new Map<string, Value>([['ok', FAILED], ...errorFields(error)]);
  return stamped(encode(reply.set('codeName', error.codeName)), stamp);
}

function withOk(reply: Document): Buffer {
  return encode(new Map(reply).set('ok', OK));
}

/** A document with more elements at its end. */
function stamped(document: Uint8Array, stamp: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(document.length + stamp.length);
  bytes.set(document);
  bytes.set(stamp, document.length - 1);
  bytes.writeUInt8(0, bytes.length - 1);
  bytes.writeInt32LE(bytes.length, 0);
  return bytes;
}

/** An error as replies carry it, for the whole command or for one statement of a batch. */
export function errorFields(error: ServerError): [string, Value][] {
  // The engine puts nothing but BSON values into `extra`; errors.ts, which comes before the engine, cannot say so.
  const extra = [...error.extra] as [string, Value][];
  return [['errmsg', error.message], ['code', new Int32(error.code)], ...extra];
}

/**
 * `{cursor: {<batchName>: [...documents], id, ns}, ...summary, ok: 1}`, put together by hand so that the documents are copied once
 * and not decoded. Format: https://bsonspec.org/spec.html
 */
function encodeCursor(reply: CursorReply, stamp: Uint8Array): Buffer {
  const { batchName, documents, id, namespace, summary, token } = reply;
  const rest = encode(documentOf({ postBatchResumeToken: token, id: Long.fromBigInt(id), ns: namespace })).subarray(4);
  const arraySize = documents.reduce((size, document, index) => size + elementHead(index) + document.length, 5);
  const cursorSize = 4 + 1 + batchName.length + 1 + arraySize + rest.length;
  const tail = stamped(summary.size === 0 ? END_OF_REPLY : withOk(summary), stamp).subarray(4);
  const size = 4 + 1 + 'cursor\0'.length + cursorSize + tail.length;

  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeInt32LE(size, 0);
  const name = (type: number, text: string): void => {
    at = bytes.writeUInt8(type, at);
    at += bytes.write(text, at, 'latin1');
    at = bytes.writeUInt8(0, at);
  };
  const copy = (source: Uint8Array): void => {
    bytes.set(source, at);
    at += source.length;
  };

  name(DOCUMENT, 'cursor');
  at = bytes.writeInt32LE(cursorSize, at);
  name(ARRAY, batchName);
  at = bytes.writeInt32LE(arraySize, at);
  for (const [index, document] of documents.entries()) {
    name(DOCUMENT, String(index));
    copy(document);
  }
  at = bytes.writeUInt8(0, at);
  copy(rest);
  copy(tail);
  return bytes;
}

/** Bytes of an array element before its value: type, index as text, NUL. */
function elementHead(index: number): number {
  return String(index).length + 2;
}
