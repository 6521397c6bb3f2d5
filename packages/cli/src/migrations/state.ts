import { type Binary, type Collection, type Db, MongoServerError, type ObjectId } from 'mongodb';
import type { MigrationStep } from './migration.ts';

/** The collection in which a database keeps what was done to it. */
const STATE_COLLECTION = '_data_bridge';

export type Direction = 'up' | 'down';

/** How far one `batch()` of a migration came. */
export interface Progress {
  /** The token of the next page; null where there is none. */
  readonly after: string | null;
  readonly seen: number;
  readonly changed: number;
  readonly isOver: boolean;
}

/** A migration that was run to its end, or was begun. */
export interface StepRecord {
  readonly _id: string;
  readonly version: string;
  readonly name: string;
  readonly checksum: string;
  /** Where it stands: `up` and `down` while it is on its way, and where that was interrupted. */
  readonly state: 'applied' | Direction;
  /** That of the lease under which it was last touched: a process that lost the lease writes nothing more. */
  readonly token: number;
  readonly startedAt: Date;
  readonly appliedAt?: Date;
  readonly milliseconds?: number;
  readonly progress?: Readonly<Record<string, Progress>>;
}

/** One run of one migration to its end. */
export interface RunRecord {
  readonly _id: ObjectId;
  readonly kind: 'run';
  readonly version: string;
  readonly name: string;
  readonly direction: Direction;
  readonly startedAt: Date;
  readonly milliseconds: number;
}

/** Who migrates, and until when that holds unless it is renewed. */
export interface LeaseRecord {
  readonly _id: 'lease';
  readonly owner?: string;
  readonly until?: Date;
  /** Counts those who held it. */
  readonly token: number;
  /** The session of its last transaction. */
  readonly session?: Binary;
}

export function steps(db: Db): Collection<StepRecord> {
  return db.collection<StepRecord>(STATE_COLLECTION);
}

export function runs(db: Db): Collection<RunRecord> {
  return db.collection<RunRecord>(STATE_COLLECTION);
}

export function leases(db: Db): Collection<LeaseRecord> {
  return db.collection<LeaseRecord>(STATE_COLLECTION);
}

/** `001` and `1` are one version. */
export function stepId({ version }: Pick<MigrationStep, 'version'>): string {
  return `migration:${BigInt(version)}`;
}

/** What is known of every migration that was begun, by its id. */
export async function stepRecords(db: Db): Promise<Map<string, StepRecord>> {
  const found = await steps(db)
    .find({ _id: { $gte: 'migration:', $lt: 'migration;' } })
    .toArray();
  return new Map(found.map((record) => [record._id, record]));
}

const DUPLICATE_KEY = 11_000;

/** What an upsert made or found; null where the document is there and the filter refuses it. */
export async function orNull<T>(upsert: Promise<T | null>): Promise<T | null> {
  try {
    return await upsert;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return null;
    throw error;
  }
}
