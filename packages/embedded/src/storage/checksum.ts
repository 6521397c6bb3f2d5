import { crc32 } from 'node:zlib';

/** What is sealed begins behind so many bytes. */
export const CHECKSUM_BYTES = 4;

/** The parts one after another, behind their checksum. */
export function seal(...parts: readonly Uint8Array[]): Buffer {
  const sealed = Buffer.concat([Buffer.alloc(CHECKSUM_BYTES), ...parts]);
  sealed.writeUInt32LE(crc32(sealed.subarray(CHECKSUM_BYTES)), 0);
  return sealed;
}

/** What was sealed; undefined where a byte of it has changed. */
export function unseal(sealed: Buffer): Buffer | undefined {
  if (sealed.length < CHECKSUM_BYTES) return undefined;
  const content = sealed.subarray(CHECKSUM_BYTES);
  return crc32(content) === sealed.readUInt32LE(0) ? content : undefined;
}
