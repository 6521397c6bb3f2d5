import type { Binary, Timestamp } from 'bson';
import type { Namespace } from './namespace.ts';

/** Where something changed. */
export interface ChangePlace extends Namespace {
  /** The collection's. */
  readonly uuid: Binary;
}

/**
 * A change of what is stored. Documents are BSON, perhaps views on a larger message: whoever keeps them copies them.
 * An update that changes no byte is no change.
 */
export type Change = ChangePlace &
  (
    | { readonly kind: 'insert'; readonly after: Uint8Array }
    /** By operators or a pipeline. */
    | { readonly kind: 'update'; readonly before: Uint8Array; readonly after: Uint8Array }
    /** By a document that takes the place of the old one. */
    | { readonly kind: 'replace'; readonly before: Uint8Array; readonly after: Uint8Array }
    | { readonly kind: 'delete'; readonly before: Uint8Array }
    | { readonly kind: 'create' | 'drop' }
    | { readonly kind: 'rename'; readonly to: Namespace }
  );

/** A change as it is logged. */
export interface LoggedChange {
  /** Later than that of every change before; the same for all changes of one transaction. */
  readonly time: Timestamp;
  readonly change: Change;
  /** The transaction that it is part of, where a client has begun one. */
  readonly transaction?: TransactionId | undefined;
}

/** What names a client's transaction. */
export interface TransactionId {
  /** The session's id, as the client sends it, as BSON. */
  readonly session: Uint8Array;
  readonly number: bigint;
}

/** Who wants to know of all changes, in their order. Those of a transaction come together, when it is committed. */
export interface ChangeLog {
  /** Within a transaction of the storage: what this stores is kept with the change, or lost with it. */
  append(change: LoggedChange): void;
  /** That transaction has ended, and what was appended meanwhile is kept, or none of it. */
  settle(kept: boolean): void;
}
