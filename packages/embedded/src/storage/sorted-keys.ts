import type { KeyRange } from './key-range.ts';

/** A full chunk is cut in two. Adding moves half a chunk on average, so that they must not be large. */
const MAX_CHUNK = 512;

/** Texts in the order of their characters. A list of sorted chunks: less code than a tree, and as fast up to millions. */
export class SortedKeys {
  /** None is empty. */
  readonly #chunks: string[][] = [];

  /** Takes texts that are sorted already. */
  static of(sorted: readonly string[]): SortedKeys {
    const keys = new SortedKeys();
    const half = MAX_CHUNK / 2;
    for (let at = 0; at < sorted.length; at += half) keys.#chunks.push(sorted.slice(at, at + half));
    return keys;
  }

  /** @returns whether it was not there before */
  add(key: string): boolean {
    const at = Math.max(0, this.#chunkOf(key));
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return true;
    }
    const place = firstFrom(chunk, key);
    if (chunk[place] === key) return false;
    chunk.splice(place, 0, key);
    if (chunk.length < MAX_CHUNK) return true;
    // Keys often come in their order: then the last chunk stays as full as it is.
    const middle = at === this.#chunks.length - 1 && place === chunk.length - 1 ? chunk.length - 1 : chunk.length >> 1;
    this.#chunks.splice(at + 1, 0, chunk.splice(middle));
    return true;
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const place = firstFrom(chunk, key);
    if (chunk[place] !== key) return false;
    chunk.splice(place, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    return true;
  }

  /** At most `limit` of a range, from its start, or from its end. */
  scan({ start, end }: KeyRange, backwards: boolean, limit: number): string[] {
    return backwards ? this.#scanBack(start, end, limit) : this.#scanOn(start, end, limit);
  }

  #scanOn(start: string, end: string | undefined, limit: number): string[] {
    const found: string[] = [];
    let at = Math.max(0, this.#chunkOf(start));
    let place = firstFrom(this.#chunks[at] ?? [], start);
    for (let chunk = this.#chunks[at]; chunk !== undefined; chunk = this.#chunks[++at], place = 0) {
      for (; place < chunk.length; place += 1) {
        const key = chunk[place];
        if (key === undefined || found.length === limit || (end !== undefined && key >= end)) return found;
        found.push(key);
      }
    }
    return found;
  }

  #scanBack(start: string, end: string | undefined, limit: number): string[] {
    const found: string[] = [];
    let at = end === undefined ? this.#chunks.length - 1 : Math.max(0, this.#chunkOf(end));
    let place = end === undefined ? Number.POSITIVE_INFINITY : firstFrom(this.#chunks[at] ?? [], end);
    for (
      let chunk = this.#chunks[at];
      chunk !== undefined;
      chunk = this.#chunks[--at], place = Number.POSITIVE_INFINITY
    ) {
      for (place = Math.min(place, chunk.length) - 1; place >= 0; place -= 1) {
        const key = chunk[place];
        if (key === undefined || found.length === limit || key < start) return found;
        found.push(key);
      }
    }
    return found;
  }

  /** The last chunk that does not begin behind the key; -1 where all do. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.[0] ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The place of the first key that is not before `key`. */
function firstFrom(chunk: readonly string[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chunk[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
