import { ServerError } from '../errors.ts';

/** What somebody waits for. */
export interface Rival {
  /** Resolves when the transaction has ended, one way or the other. */
  readonly ended: Promise<void>;
}

/** A write met one that its snapshot does not show: of an open transaction, or of one that has been committed since. */
export class WriteConflict extends ServerError {
  /** The transaction that stands in the way; undefined where it is too late for this snapshot anyway. */
  readonly rival: Rival | undefined;

  constructor(rival?: Rival) {
    super(
      112,
      'Caused by :: Write conflict during plan execution and yielding is disabled. :: ' +
        'Please retry your operation or multi-document transaction.',
    );
    this.name = 'WriteConflict';
    this.rival = rival;
  }
}
