import type { BSON, ResumeToken, Timestamp } from 'mongodb';
import type { Paths, PathValue } from './paths.ts';
import type { ShapeOf } from './shape.ts';

/** What every change has. */
interface AnyEvent {
  /** The place of the change: stored, it is what another stream goes on from by `resumeAfter`. */
  readonly _id: ResumeToken;
  readonly clusterTime?: Timestamp;
  /** When the server made the change. Servers before MongoDB 6.0 do not say. */
  readonly wallTime?: Date;
  /** Where it was made. */
  readonly ns?: { readonly db: string; readonly coll: string };
  /** The transaction that it was part of, and the session of that. */
  readonly txnNumber?: unknown;
  readonly lsid?: unknown;
}

/** The `_id` of the document, and what the collection is sharded by. */
type DocumentKey<D> = { readonly _id: D extends { readonly _id: infer I } ? I : unknown } & Partial<ShapeOf<D>>;

/** What an update changed, under the program's names. */
export interface UpdateDescription<D> {
  /** The new values, by dotted path. Elements of arrays are named by position, as in `tags.0`. */
  readonly updatedFields: { readonly [P in Paths<D>]?: PathValue<D, P> } & { readonly [path: string]: unknown };
  readonly removedFields: readonly (Paths<D> | (string & {}))[];
  readonly truncatedArrays?: readonly { readonly field: string; readonly newSize: number }[];
}

/** Which documents the events have beside the changes: the driver's options that ask for them. */
export interface Lookups {
  readonly fullDocument?: 'default' | 'updateLookup' | 'whenAvailable' | 'required';
  readonly fullDocumentBeforeChange?: 'off' | 'whenAvailable' | 'required';
}

type After<D, O> = O extends { readonly fullDocument: infer F }
  ? F extends 'required'
    ? { readonly fullDocument: D }
    : F extends 'updateLookup' | 'whenAvailable'
      ? { readonly fullDocument: D | null }
      : unknown
  : unknown;

type Before<D, O> = O extends { readonly fullDocumentBeforeChange: infer F }
  ? F extends 'required'
    ? { readonly fullDocumentBeforeChange: D }
    : F extends 'whenAvailable'
      ? { readonly fullDocumentBeforeChange: D | null }
      : unknown
  : unknown;

/** A document was inserted. */
export interface InsertEvent<D> extends AnyEvent {
  readonly operationType: 'insert';
  readonly documentKey: DocumentKey<D>;
  readonly fullDocument: D;
}

/** A document was updated. */
export type UpdateEvent<D, O = Lookups> = AnyEvent &
  After<D, O> &
  Before<D, O> & {
    readonly operationType: 'update';
    readonly documentKey: DocumentKey<D>;
    readonly updateDescription: UpdateDescription<D>;
  };

/** A document was replaced as a whole. */
export type ReplaceEvent<D, O = Lookups> = AnyEvent &
  Before<D, O> & {
    readonly operationType: 'replace';
    readonly documentKey: DocumentKey<D>;
    readonly fullDocument: D;
  };

/** A document was deleted. */
export type DeleteEvent<D, O = Lookups> = AnyEvent &
  Before<D, O> & { readonly operationType: 'delete'; readonly documentKey: DocumentKey<D> };

/** Something happened to the collection. After `invalidate` there are no more events. */
export interface CollectionEvent extends AnyEvent {
  readonly operationType:
    | 'drop'
    | 'rename'
    | 'dropDatabase'
    | 'invalidate'
    | 'create'
    | 'createIndexes'
    | 'dropIndexes'
    | 'modify'
    | 'shardCollection'
    | 'reshardCollection'
    | 'refineCollectionShardKey';
  /** What it is called since, after `rename`. */
  readonly to?: { readonly db: string; readonly coll: string };
  /** With the option `showExpandedEvents`: what was asked for. */
  readonly operationDescription?: BSON.Document;
}

/** A change that a stream gives. `D` is the model's document, `O` the options of the stream. */
export type ChangeEvent<D, O = Lookups> =
  | InsertEvent<D>
  | UpdateEvent<D, O>
  | ReplaceEvent<D, O>
  | DeleteEvent<D, O>
  | CollectionEvent;
