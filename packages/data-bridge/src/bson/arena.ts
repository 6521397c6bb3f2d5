import { type Batch, endOf } from './batch.ts';

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

/**
 * Copies the documents of a batch, calling `place` for each with where its bytes lie now.
 *
 * @throws CorruptBsonError for a document whose size or last byte is wrong.
 */
export function ownAll<R>({ bytes, starts }: Batch, place: (bytes: Uint8Array, start: number) => R): R[] {
  const most = starts.length < FEW ? 0 : ARENA_SIZE;
  const placed: R[] = [];
  for (let i = 0; i < starts.length;) {
    const from = starts[i] as number;
    const run = runAt(bytes, starts, i, most);
    // Documents that follow one another are copied at once, with the few bytes that the reply has between them.
    const arena = ownBytes(bytes.subarray(from, run.end));
    for (; i < run.next; i++) placed.push(place(arena, (starts[i] as number) - from));
  }
  return placed;
}

/** The documents from the one at `first` on that follow one another within `most` bytes, at least one. */
function runAt(
  bytes: Uint8Array,
  starts: readonly number[],
  first: number,
  most: number,
): { readonly next: number; readonly end: number } {
  const from = starts[first] as number;
  let end = endOf(bytes, from);
  let next = first + 1;
  for (; next < starts.length; next++) {
    const start = starts[next] as number;
    // case: documents in another order than they lie in
    if (start < end) break;
    const nextEnd = endOf(bytes, start);
    if (nextEnd - from > most) break;
    end = nextEnd;
  }
  return { next, end };
}

/** Takes documents one after another, as `ownAll` does those of a batch. */
export class Arena {
  #bytes = Buffer.allocUnsafeSlow(0);
  #used = 0;

  /** For this many documents; null where each is to have memory of its own. */
  static for(documents: number): Arena | null {
    return documents < FEW ? null : new Arena();
  }

  /** A copy of the first `size` bytes. */
  take(bytes: Uint8Array, size: number): Uint8Array {
    if (this.#used + size > this.#bytes.length) {
      if (size > ARENA_SIZE / 2) return ownBytes(bytes.subarray(0, size));
      this.#bytes = Buffer.allocUnsafeSlow(ARENA_SIZE);
      this.#used = 0;
    }
    const own = this.#bytes.subarray(this.#used, this.#used + size);
    own.set(bytes.subarray(0, size));
    this.#used += size;
    return own;
  }
}
