import { copyValue } from '../bson/copy.ts';
import type { Layout } from '../bson/layout.ts';
import { setOwn } from '../bson/plain-object.ts';
import { BsonBaseline } from './bson-baseline.ts';
import type { Selection } from './selection.ts';

/**
 * A baseline over the bytes of a document of which only a part was loaded, or whose schemas have defaults for members that it
 * may lack: they are set when their field is handed out.
 */
class LoadedBaseline extends BsonBaseline {
  readonly #selection: Selection | null;
  /** Fields that have their defaults, or are the program's own. */
  #complete: Set<string> | null = null;

  constructor(layout: Layout, bytes: Uint8Array, start: number, selection: Selection | null) {
    super(layout, bytes, start);
    this.#selection = selection;
  }

  override get selection(): Selection | null {
    return this.#selection;
  }

  override get(name: string): unknown {
    const value = super.get(name);
    const show = this.layout.defaults.get(name);
    if (show === undefined || this.#complete?.has(name) === true) return value;
    (this.#complete ??= new Set()).add(name);
    const selection = this.#selection;
    show(value, selection === null ? null : (keys) => selection.at([name, ...keys], value) === 'whole');
    return value;
  }

  override set(name: string, value: unknown): void {
    (this.#complete ??= new Set()).add(name);
    super.set(name, value);
  }

  override revert(name?: string): void {
    if (name === undefined) this.#complete = null;
    else this.#complete?.delete(name);
    super.revert(name);
  }

  override toObject(): Record<string, unknown> {
    const object = super.toObject();
    // What a default is made of may be another thing each time: a document has it once.
    for (const name of this.layout.defaults.keys())
      if (Object.hasOwn(object, name)) setOwn(object, name, copyValue(this.get(name)));
    return object;
  }

  protected override over(bytes: Uint8Array, start: number): LoadedBaseline {
    return new LoadedBaseline(this.layout, bytes, start, this.#selection);
  }
}

/** A baseline over a document's bytes. @param selection which part of the stored document they are; null for all of it. */
export function baselineOver(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
  selection: Selection | null,
): BsonBaseline {
  return selection === null && layout.defaults.size === 0
    ? new BsonBaseline(layout, bytes, start)
    : new LoadedBaseline(layout, bytes, start, selection);
}
