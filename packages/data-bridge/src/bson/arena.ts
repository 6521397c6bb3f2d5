/**
 * Bytes of documents in memory of their own. The driver's buffers are parts of whole network messages: keeping one
 * document must not keep its neighbours. A few documents get exact copies; many share arenas, since each ArrayBuffer
 * costs memory of its own.
 */
const ARENA_SIZE = 16 * 1024;
/** Larger ones would leave too much of an arena unused. */
const LARGEST = ARENA_SIZE / 8;
/** Fewer documents than this get exact copies. */
const FEW = 64;

/** An exact copy. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

/** Copies the documents of one result, calling `place` for each with where its bytes lie now. */
export function ownAll<R>(documents: readonly Uint8Array[], place: (bytes: Uint8Array, start: number) => R): R[] {
  if (documents.length < FEW) return documents.map((bytes) => place(ownBytes(bytes), 0));
  let arena = Buffer.alloc(0);
  let used = 0;
  return documents.map((bytes) => {
    const size = bytes.length;
    if (size > LARGEST) return place(ownBytes(bytes), 0);
    if (used + size > arena.length) {
      arena = Buffer.allocUnsafeSlow(ARENA_SIZE);
      used = 0;
    }
    arena.set(bytes, used);
    used += size;
    return place(arena, used - size);
  });
}
