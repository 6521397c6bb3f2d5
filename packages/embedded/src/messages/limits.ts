import { ServerError } from '../errors.ts';

/** The largest document, in bytes. */
export const MAX_DOCUMENT_SIZE = 16 * 1024 * 1024;

/** The most statements of one write command. */
export const MAX_BATCH_COUNT = 100_000;

/** The version of MongoDB whose answers this server gives. */
export const MONGODB_VERSION = '8.0.0';

/** What this server really is, for those who ask. */
export const PRODUCT = '@data-bridge/embedded 0.1.0';

/** The documents of a first batch that names no size. */
export const DEFAULT_BATCH_SIZE = 101;

/** Throws the error of that code for a document that is too large to be stored. Each way to make one has its own. */
export function checkSize(bytes: Uint8Array, code: number, message: string): void {
  if (bytes.length > MAX_DOCUMENT_SIZE) throw new ServerError(code, message);
}
