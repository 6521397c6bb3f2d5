import type { BSON, Collection, ExplainVerbosityLike } from 'mongodb';
import type { RawCursor } from './raw-batch.ts';

/** The commands of a collection that a transaction may hold, and at which place each takes its options. */
export const OPTIONS_AT = {
  bulkWrite: 1,
  countDocuments: 1,
  createIndexes: 1,
  deleteMany: 1,
  deleteOne: 1,
  distinct: 2,
  findOne: 1,
  findOneAndDelete: 1,
  findOneAndReplace: 2,
  findOneAndUpdate: 2,
  insertMany: 1,
  insertOne: 1,
  replaceOne: 2,
  updateMany: 2,
  updateOne: 2,
} as const;

/** The methods that a transaction cannot hold, and what to do instead. */
export const NOT_IN_TRANSACTIONS = {
  estimatedDocumentCount: 'the statistics know nothing of it: use count()',
} as const;

/** A cursor of the driver as the mapper uses it. `D` is what it gives. */
export interface Cursor<D = BSON.Document> extends RawCursor {
  /** True when it was closed before the server had given all. */
  readonly killed: boolean;
  readBufferedDocuments(): D[];
  toArray(): Promise<D[]>;
  explain(verbosity?: ExplainVerbosityLike): Promise<BSON.Document>;
}

/**
 * The driver's collection as the mapper uses it. Inside a transaction everything that is sent through it is part of that:
 * there is no other way to the server.
 */
export interface SessionCollection extends Pick<
  Collection,
  keyof typeof OPTIONS_AT | keyof typeof NOT_IN_TRANSACTIONS | 'namespace' | 'writeConcern'
> {
  find(...given: Parameters<Collection['find']>): Cursor;
  aggregate(...given: Parameters<Collection['aggregate']>): Cursor;
}
