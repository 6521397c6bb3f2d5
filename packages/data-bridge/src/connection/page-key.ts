import { hkdfSync } from 'node:crypto';

/**
 * The key of tokens.
 *
 * @param secret without one the key is the same everywhere: then a token is safe from accidents, not from somebody who
 *   wants to read or to forge it.
 */
export function pageKey(secret = ''): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'data-bridge page token', 32));
}
