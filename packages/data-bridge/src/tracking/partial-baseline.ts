import type { Layout } from '../bson/layout.ts';
import { BsonBaseline } from './bson-baseline.ts';
import type { Selection } from './selection.ts';

/** A baseline over the bytes of a document of which only a part was loaded. */
class PartialBaseline extends BsonBaseline {
  readonly #selection: Selection;

  constructor(layout: Layout, bytes: Uint8Array, start: number, selection: Selection) {
    super(layout, bytes, start);
    this.#selection = selection;
  }

  override get selection(): Selection {
    return this.#selection;
  }

  protected override over(bytes: Uint8Array, start: number): PartialBaseline {
    return new PartialBaseline(this.layout, bytes, start, this.#selection);
  }
}

/** A baseline over a document's bytes. @param selection which part of the stored document they are; null for all of it. */
export function baselineOver(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
  selection: Selection | null,
): BsonBaseline {
  return selection === null
    ? new BsonBaseline(layout, bytes, start)
    : new PartialBaseline(layout, bytes, start, selection);
}
