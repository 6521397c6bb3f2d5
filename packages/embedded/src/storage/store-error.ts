/** Why a folder cannot be used. */
export type StoreProblem =
  /** It is no folder, or may not be read and written. */
  | 'STORE_PATH'
  /** Another server has it open. */
  | 'STORE_LOCKED'
  /** Another version of this package wrote it. */
  | 'STORE_FORMAT'
  /** What is in it is no store, or no longer whole. */
  | 'STORE_DAMAGED';

/** What a durable store is refused with. The message says which folder, why, and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreProblem;

  constructor(code: StoreProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
