/*
 * Bytes of documents in memory of their own. The driver's buffers are parts of whole network messages: keeping one
 * document must not keep its neighbours. A few documents get exact copies; many share arenas, since each ArrayBuffer
 * costs memory of its own. Keeping one document of an arena keeps all of it, so arenas are small.
 */
const ARENA_SIZE = 12 * 1024;
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
  const placed: R[] = [];
  for (let from = 0; from < documents.length;) {
    const to = endOfRun(documents, from);
    const arena = Buffer.allocUnsafeSlow(sizeOf(documents, from, to));
    let start = 0;
    for (; from < to; from++) {
      const bytes = documents[from] as Uint8Array;
      arena.set(bytes, start);
      placed.push(place(arena, start));
      start += bytes.length;
    }
  }
  return placed;
}

/** The documents from `from` on that fit in one arena, at least one: the arena is made for them, so that no byte is left over. */
function endOfRun(documents: readonly Uint8Array[], from: number): number {
  let size = 0;
  let to = from;
  while (to < documents.length) {
    size += (documents[to] as Uint8Array).length;
    if (size > ARENA_SIZE && to > from) break;
    to += 1;
  }
  return to;
}

function sizeOf(documents: readonly Uint8Array[], from: number, to: number): number {
  let size = 0;
  for (let i = from; i < to; i++) size += (documents[i] as Uint8Array).length;
  return size;
}
