import { Timestamp } from 'bson';
import type { ServerState } from '../storage/storage.ts';

/** Its name in the state of the server. */
const STATE_NAME = 'clock';

/** A client may tell of a time that is later than the server's, but not by more than that many seconds: a year. */
const MAX_AHEAD = 365 * 24 * 3600;

/**
 * The logical time of the server: seconds since 1970 and a counter within the second. It goes on with each change of
 * what is stored, never backwards, and where the storage is persistent not even after a restart with a clock put back.
 */
export class Clock {
  readonly #state: ServerState;
  #operationTime: bigint;
  #clusterTime: bigint;
  #saved: bigint;

  constructor(state: ServerState) {
    this.#state = state;
    const saved = state.get(STATE_NAME);
    this.#saved = saved === undefined ? 0n : Buffer.from(saved).readBigUInt64BE(0);
    // What was there when the server started was there before the first change.
    this.#operationTime = later(this.#saved, secondsNow() | 1n);
    this.#clusterTime = this.#operationTime;
  }

  /** The time of the last change: all that a command reads was there by then. */
  get operationTime(): Timestamp {
    return new Timestamp(this.#operationTime);
  }

  /** The latest time that the server knows of. */
  get clusterTime(): Timestamp {
    return new Timestamp(this.#clusterTime);
  }

  /** The time of a new change, later than all before. */
  tick(): Timestamp {
    const now = secondsNow();
    this.#operationTime = this.#clusterTime = now > this.#clusterTime ? now | 1n : this.#clusterTime + 1n;
    return this.operationTime;
  }

  /** Takes note of a time that a client was told elsewhere: the next change is later. Leaves out what cannot be. */
  witness(time: Timestamp): void {
    const told = time.toBigInt();
    if (told > this.#clusterTime && told - secondsNow() < BigInt(MAX_AHEAD) << 32n) this.#clusterTime = told;
  }

  /** Makes the time of the last change part of what is stored. Within a transaction of the storage. */
  save(): void {
    if (this.#saved === this.#operationTime) return;
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(this.#operationTime);
    this.#state.set(STATE_NAME, bytes);
    this.#saved = this.#operationTime;
  }
}

function secondsNow(): bigint {
  return BigInt(Math.floor(Date.now() / 1000)) << 32n;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
