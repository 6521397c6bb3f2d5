import { type Batch, batchOf } from '../bson/batch.ts';
import { int32 } from '../bson/bytes.ts';
import { DOCUMENT } from '../bson/types.ts';

/*
 * The documents that a cursor has received, as bytes. The driver's own way to them, `readBufferedDocuments()`, looks for
 * the elements of each document before it gives its bytes, which takes longer than all else that a read costs. But to count
 * the documents the driver has gone through the batch already, and it keeps where each of them lies. That is no part of its
 * documented interface, so it is taken only where everything is as it is known to be; otherwise the driver's own way is taken.
 */

/** A cursor of the driver that was opened with `raw: true`. */
export interface RawCursor {
  readonly closed: boolean;
  hasNext(): Promise<boolean>;
  readBufferedDocuments(): unknown[];
  close(): Promise<void>;
  /** The reply that the driver reads from now. */
  readonly documents?: unknown;
}

/** A reply as the driver keeps it. */
interface Reply {
  /** How many documents are left. */
  readonly length: number;
  /** How many were taken. */
  readonly iterated: number;
  readonly encryptedResponse?: unknown;
  readonly batch: {
    readonly bson: Uint8Array;
    /** Where the array begins. */
    readonly offset: number;
    readonly isArray: unknown;
    readonly elements: readonly Element[];
  };
  clear(): void;
}

/** Of an element its type, where its name is, and where its value is. */
type Element = readonly [type: number, name: number, nameLength: number, at: number, size: number];

/** Takes what the cursor has received. The bytes are the driver's: what is kept must be copied. */
export function takeBatch(cursor: RawCursor): Batch {
  const reply = cursor.documents as Reply | null | undefined;
  const batch = batchIn(reply);
  if (batch !== null) {
    reply?.clear();
    if (reply?.length === 0) return batch;
  }
  return batchOf(cursor.readBufferedDocuments() as Uint8Array[]);
}

/** Takes all that a cursor gives, and closes it. */
export async function takeAll(cursor: RawCursor): Promise<Batch[]> {
  const batches: Batch[] = [];
  try {
    while (await cursor.hasNext()) batches.push(takeBatch(cursor));
    return batches;
  } finally {
    if (!cursor.closed) await cursor.close();
  }
}

/** The documents of a reply of which none was taken yet; null where anything is not as it is known to be. */
function batchIn(reply: Reply | null | undefined): Batch | null {
  try {
    if (typeof reply?.clear !== 'function' || reply.iterated !== 0) return null;
    // Its documents would lack what was decrypted.
    if ((reply.encryptedResponse ?? null) !== null) return null;
    const { bson, offset, isArray, elements } = reply.batch;
    if (!(bson instanceof Uint8Array) || isArray !== true || !Array.isArray(elements)) return null;
    if (reply.length !== elements.length || !isDocumentAt(bson, offset, bson.length)) return null;
    const starts = startsOf(bson, offset, elements);
    return starts === null ? null : { bytes: bson, starts };
  } catch {
    // case: a property that another version of the driver works out, and cannot
    return null;
  }
}

/** Where the documents of the array at `offset` begin; null if anything else is among them, or lies elsewhere. */
function startsOf(bytes: Uint8Array, offset: number, elements: readonly Element[]): number[] | null {
  const limit = offset + int32(bytes, offset) - 1;
  const starts: number[] = [];
  let end = offset + 4;
  for (const [type, , , at, size] of elements) {
    // An element has at least its type and the end of its name before its value.
    if (type !== DOCUMENT || !(at >= end + 2) || !isDocumentAt(bytes, at, limit)) return null;
    end = at + int32(bytes, at);
    if (end !== at + size) return null;
    starts.push(at);
  }
  return end === limit ? starts : null;
}

/** True where a document lies at `at` and ends at `limit` or before. */
function isDocumentAt(bytes: Uint8Array, at: number, limit: number): boolean {
  if (!Number.isInteger(at) || at < 0 || at + 5 > limit) return false;
  const size = int32(bytes, at);
  return size >= 5 && at + size <= limit && bytes[at + size - 1] === 0;
}
