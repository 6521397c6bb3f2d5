/** What the shop refuses, in its own words. How that is told over HTTP is not said here. */
export type Refusal = 'UNKNOWN_PRODUCT' | 'OUT_OF_STOCK' | 'ORDER_CLOSED' | 'OVERPAID';

/** The shop refuses what somebody wants, by a rule that is about more than one document. */
export class ShopError extends Error {
  readonly code: Refusal;
  /** What of the request it is about, dotted. */
  readonly path: string;

  constructor(code: Refusal, path: string, message: string) {
    super(message);
    this.name = 'ShopError';
    this.code = code;
    this.path = path;
  }
}
