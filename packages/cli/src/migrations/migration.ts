import type { Change, Query } from 'data-bridge';
import type { Db } from 'mongodb';

/** How `batch()` goes through the documents of a query. */
export interface BatchOptions {
  /**
   * How many documents are read, changed and saved together: one transaction.
   * @default 500
   */
  readonly size?: number;
  /**
   * The name under which the ledger keeps how far it came. Calls without one are counted: give names where a later version of
   * the migration may have them in another order.
   */
  readonly name?: string;
  /**
   * Whether the schemas are asked before documents are saved.
   * @default true
   */
  readonly validate?: boolean;
}

/** What `batch()` did, interrupted runs before this one included. */
export interface BatchResult {
  /** How many documents were read. */
  readonly seen: number;
  /** How many of them were changed, and saved. */
  readonly changed: number;
}

/** A document as `batch()` needs it: every document of a model is one. */
export interface Migrated {
  readonly $id: unknown;
  changes(): Change[];
  toObject(): object;
}

/** What a migration works with. */
export interface MigrationContext {
  /** The driver's database. In a dry run its methods that write are refused. */
  readonly db: Db;
  /** True where nothing may be stored. */
  readonly dryRun: boolean;
  /** Aborted where the run is to stop: long loops of your own should look at it. `batch()` does. */
  readonly signal: AbortSignal;
  /** Tells the one who runs it. */
  log(text: string): void;
  /**
   * Gives each document of a query to a function, and saves what that changed: page by page in the order of the query, from
   * where an interrupted run came to. Documents, their hooks and histories and the place of the next page are one
   * transaction where the server has these; without them a page may be seen twice, so the function must bear that. It sees
   * what was stored when its page was read. Await it: a migration that ends before one of its batches has failed.
   *
   * ```ts
   * await context.batch(User.find({ email: { $exists: true } }), (user) => {
   *   user.email = user.email.toLowerCase();
   * });
   * ```
   */
  batch<D extends Migrated>(
    query: Query<D>,
    each: (document: D) => unknown,
    options?: BatchOptions,
  ): Promise<BatchResult>;
}

/** One step from a state of the database to the next. */
export interface Migration {
  /** What it is for, in a sentence. */
  readonly description?: string;
  /** Does it. It is run again from the start where it was interrupted: `batch()` skips what is done. */
  up(context: MigrationContext): Promise<void> | void;
  /** Takes it back. */
  down?(context: MigrationContext): Promise<void> | void;
}

/**
 * What the file of a migration exports by default. It gives back what it is given; it is there for its types.
 *
 * ```ts
 * // migrations/001-lower-case-emails.ts
 * export default defineMigration({
 *   description: 'Emails in lower case',
 *   async up({ batch }) {
 *     await batch(User.find(), (user) => {
 *       user.email = user.email.toLowerCase();
 *     });
 *   },
 * });
 * ```
 */
export function defineMigration(migration: Migration): Migration {
  return migration;
}

/** A migration with its place in the order. */
export interface MigrationStep {
  /** The number that its file's name begins with, as it is written there: `001`. */
  readonly version: string;
  /** What follows the number in the file's name: `lower-case-emails`. */
  readonly name: string;
  /** The SHA-256 of its text, hexadecimal: what has run must not change afterwards. */
  readonly checksum: string;
  readonly migration: Migration;
}
