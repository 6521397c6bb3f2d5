import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { encodeDocument } from '../bson/encode.ts';
import { Layout } from '../bson/layout.ts';
import { InvalidPageTokenError } from '../errors.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';

/** A place between documents in an order: just before those with these values under the order's keys, or just after them. */
export interface Position {
  /** BSON-typed. */
  readonly values: readonly unknown[];
  readonly side: 'before' | 'after';
}

/*
 * A token is a position, encrypted and authenticated by AES-256-GCM together with what it belongs to: 12 random bytes, the
 * position, a tag of 16 bytes, in base64url.
 */
const CIPHER = 'aes-256-gcm';
const NONCE_SIZE = 12;
const TAG_SIZE = 16;

/** @param binding what the token belongs to: it can be read with the same again only. */
export function writeToken(position: Position, binding: Uint8Array, key: Uint8Array): string {
  const nonce = randomBytes(NONCE_SIZE);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(binding);
  const sealed = [nonce, cipher.update(encodeDocument(position)), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(sealed).toString('base64url');
}

/** @throws InvalidPageTokenError for what `writeToken` did not write for the same binding and key. */
export function readToken(token: string, binding: Uint8Array, key: Uint8Array): Position {
  const bytes = Buffer.from(typeof token === 'string' ? token : '', 'base64url');
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_SIZE), { authTagLength: TAG_SIZE });
    decipher.setAAD(binding).setAuthTag(bytes.subarray(-TAG_SIZE));
    const position = Buffer.concat([decipher.update(bytes.subarray(NONCE_SIZE, -TAG_SIZE)), decipher.final()]);
    const stored = new BsonBaseline(new Layout(), position, 0);
    return { values: stored.exact('values') as unknown[], side: stored.exact('side') as Position['side'] };
  } catch (cause) {
    throw new InvalidPageTokenError({ cause });
  }
}
