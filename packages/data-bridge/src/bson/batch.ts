import { terminator } from './bytes.ts';

/** Documents whose bytes lie in one buffer. */
export interface Batch {
  readonly bytes: Uint8Array;
  /** Where each document begins, in the order in which they are to be read. */
  readonly starts: readonly number[];
}

/** A batch of documents that lie anywhere. One alone stays where it is; several are copied together. */
export function batchOf(documents: readonly Uint8Array[]): Batch {
  const [only] = documents;
  if (only !== undefined && documents.length === 1) return { bytes: only, starts: [0] };
  let size = 0;
  const starts = documents.map(({ length }) => (size += length) - length);
  const bytes = new Uint8Array(size);
  for (const [i, document] of documents.entries()) bytes.set(document, starts[i]);
  return { bytes, starts };
}

/** The documents of several batches as one. */
export function joinBatches(batches: readonly Batch[]): Batch {
  const [only] = batches;
  return only !== undefined && batches.length === 1 ? only : batchOf(batches.flatMap((batch) => slicesOf(batch)));
}

/** Each document as a part of the batch's buffer. @throws CorruptBsonError for one whose size or last byte is wrong. */
export function slicesOf({ bytes, starts }: Batch): Uint8Array[] {
  return starts.map((start) => bytes.subarray(start, endOf(bytes, start)));
}

/** The end of the document at `start`. @throws CorruptBsonError where its size or last byte is wrong. */
export function endOf(bytes: Uint8Array, start: number): number {
  return terminator(bytes, start, start, bytes.length) + 1;
}
