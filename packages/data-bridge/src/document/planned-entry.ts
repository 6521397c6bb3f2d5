import type { ObjectId } from 'mongodb';

/** What a write did to its document. */
export type EntryKind = 'insert' | 'update' | 'delete';

/** What is known of a write before it is sent. */
export interface PlannedEntry {
  readonly kind: EntryKind;
  /** The write's own id, which the document carries as its `_revId` until the next one. */
  readonly id: ObjectId;
  readonly at: Date;
  readonly by?: string;
  readonly why?: string;
}
