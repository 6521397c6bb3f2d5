import { copyValue, isMutable, setOwn } from '../bson/copy.ts';
import { ABSENT } from '../bson/encode.ts';
import { equalValues } from '../bson/equal.ts';
import type { Baseline } from './baseline.ts';
import type { EditTree } from './edits.ts';

/**
 * A baseline over a plain object, which is kept by reference and written in place. Nothing is copied until a field is
 * first written or a container is first handed out; then its original is kept.
 */
export class ObjectBaseline implements Baseline {
  readonly #data: Record<string, unknown>;
  readonly #originals = new Map<string, unknown>();

  constructor(data: object) {
    this.#data = data as Record<string, unknown>;
  }

  get(name: string): unknown {
    const value = this.current(name);
    if (isMutable(value)) this.#keepOriginal(name);
    return value;
  }

  set(name: string, value: unknown): void {
    this.#keepOriginal(name);
    if (value === undefined) delete this.#data[name];
    else setOwn(this.#data, name, value);
  }

  has(name: string): boolean {
    return this.current(name) !== undefined;
  }

  names(): string[] {
    return Object.keys(this.#data).filter((name) => this.#data[name] !== undefined);
  }

  touched(): string[] {
    return [...this.#originals.keys()];
  }

  differs(name: string): boolean {
    const original = this.exact(name);
    const value = this.current(name);
    return original === ABSENT || value === undefined
      ? original !== ABSENT || value !== undefined
      : !equalValues(original, value);
  }

  current(name: string): unknown {
    return Object.hasOwn(this.#data, name) ? this.#data[name] : undefined;
  }

  exact(name: string): unknown {
    const original = this.#originals.has(name) ? this.#originals.get(name) : this.current(name);
    return original === undefined ? ABSENT : original;
  }

  original(name: string): unknown {
    const original = this.exact(name);
    return original === ABSENT ? undefined : copyValue(original);
  }

  live(exact: unknown): unknown {
    return copyValue(exact);
  }

  toObject(): Record<string, unknown> {
    return copyValue(this.#data);
  }

  revert(name?: string): void {
    for (const each of name === undefined ? this.touched() : [name]) {
      if (!this.#originals.has(each)) continue;
      const original = this.exact(each);
      if (original === ABSENT) delete this.#data[each];
      else setOwn(this.#data, each, original);
      this.#originals.delete(each);
    }
  }

  settle(tree: EditTree): void {
    for (const [name, edit] of tree.children) this.#originals.set(name, edit.kind === 'delete' ? ABSENT : edit.value);
    for (const name of this.touched()) {
      if (!isMutable(this.current(name)) && !this.differs(name)) this.#originals.delete(name);
    }
  }

  #keepOriginal(name: string): void {
    if (this.#originals.has(name)) return;
    const value = this.current(name);
    this.#originals.set(name, value === undefined ? ABSENT : copyValue(value));
  }
}
