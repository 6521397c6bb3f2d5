import { randomUUID } from 'node:crypto';
import type { Db } from 'mongodb';
import { LeaseError } from '../errors.ts';
import { type LeaseRecord, leases, orNull } from './state.ts';

/** How long a lease holds that nobody renews, in milliseconds. */
export const LEASE_TIME = 30_000;

/**
 * The right to migrate a database, which one process has at a time. It ends by itself when the process dies, by the server's
 * clock alone. Who loses it learns so before the next write: each write of a migration asks for the lease's token.
 */
export class Lease {
  /** Greater than that of every holder before. */
  readonly token: number;
  readonly #db: Db;
  readonly #owner: string;
  readonly #timer: NodeJS.Timeout;
  #lost: LeaseError | null = null;

  private constructor(db: Db, owner: string, token: number, time: number) {
    this.#db = db;
    this.#owner = owner;
    this.token = token;
    this.#timer = setInterval(() => void this.#renew(time), time / 3);
    this.#timer.unref();
  }

  /**
   * @param time how long it holds unless it is renewed, in milliseconds.
   * @param log is told where the transaction of a dead holder may have to be waited for.
   * @throws LeaseError where another process has it.
   */
  static async take(db: Db, time: number, log: (text: string) => void): Promise<Lease> {
    const owner = randomUUID();
    const record = await takeRecord(db, owner, time);
    const lease = new Lease(db, owner, record.token, time);
    await endDeadSession(db, record, log);
    return lease;
  }

  /** @throws LeaseError where another process took over. */
  check(): void {
    if (this.#lost !== null) throw this.#lost;
  }

  /** Notes the session of the transaction that begins, for the next holder: it locks what it wrote until it ends. */
  async note(session: Exclude<LeaseRecord['session'], undefined>): Promise<void> {
    const { matchedCount } = await leases(this.#db).updateOne(this.#own, { $set: { session } });
    if (matchedCount === 0) throw this.lose();
  }

  /** The error of whoever finds the lease lost. */
  lose(): LeaseError {
    this.#lost ??= new LeaseError(
      'Another process took over the migration, since this one did not renew its lease in time. It stopped before its next write.',
    );
    return this.#lost;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await leases(this.#db).updateOne(this.#own, { $unset: { owner: 1, until: 1, session: 1 } });
  }

  get #own(): { readonly _id: 'lease'; readonly owner: string } {
    return { _id: 'lease', owner: this.#owner };
  }

  async #renew(time: number): Promise<void> {
    try {
      const { matchedCount } = await leases(this.#db).updateOne(this.#own, [{ $set: { until: fromNow(time) } }]);
      if (matchedCount === 0) this.lose();
    } catch {
      // The next one may get through. If none does, another process takes the lease, and the token tells.
    }
  }
}

async function takeRecord(db: Db, owner: string, time: number): Promise<LeaseRecord> {
  const isFree = [{ until: { $exists: false } }, { $expr: { $lt: ['$until', '$$NOW'] } }];
  const taken = {
    owner: { $literal: owner },
    until: fromNow(time),
    token: { $add: [{ $ifNull: ['$token', 0] }, 1] },
  };
  const record = await orNull(
    leases(db).findOneAndUpdate({ _id: 'lease', $or: isFree }, [{ $set: taken }], {
      upsert: true,
      returnDocument: 'after',
    }),
  );
  if (record !== null) return record;
  const held = await leases(db).findOne({ _id: 'lease' });
  const until = held?.until === undefined ? '' : `, until ${held.until.toISOString()} unless it goes on longer`;
  throw new LeaseError(`Another process migrates this database${until}. Wait for it, and run this again.`);
}

function fromNow(time: number): object {
  return { $add: ['$$NOW', time] };
}

/** A killed process leaves its transaction open, and locked what it wrote, for a minute. */
async function endDeadSession(db: Db, { session }: LeaseRecord, log: (text: string) => void): Promise<void> {
  if (session === undefined) return;
  try {
    await db.admin().command({ killSessions: [{ id: session }] });
  } catch {
    log(
      'The migration before this one was killed, and this user may not end its transaction: it may take a minute until the server does.',
    );
  }
}
