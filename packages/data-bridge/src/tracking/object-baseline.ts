import { copyValue, isMutable } from '../bson/copy.ts';
import { setOwn } from '../bson/plain-object.ts';
import { ABSENT } from '../bson/encode.ts';
import { equalValues } from '../bson/equal-values.ts';
import type { Baseline } from './baseline.ts';
import type { EditTree } from '../edits/edits.ts';

/**
 * A baseline over a plain object, which is kept by reference and written in place. Nothing is copied until a field is
 * first written or a container is first handed out; then its original is kept.
 */
export class ObjectBaseline implements Baseline {
  readonly promotesBuffers = false;
  readonly selection = null;
  readonly identities = undefined;
  readonly #data: Record<string, unknown>;
  /** By name the original, or `ABSENT`. Most new documents are only inserted, and never have one. */
  #originals: Map<string, unknown> | null = null;
  /** Another object as soon as what is now was made the original. */
  #origin: object;

  constructor(data: object) {
    this.#data = data as Record<string, unknown>;
    this.#origin = data;
  }

  get(name: string): unknown {
    const value = this.current(name);
    if (isMutable(value)) this.#keepOriginal(name, value);
    return value;
  }

  set(name: string, value: unknown): void {
    this.#keepOriginal(name, this.current(name));
    this.#write(name, value);
  }

  has(name: string): boolean {
    return this.current(name) !== undefined;
  }

  names(): string[] {
    const names = Object.keys(this.#data);
    const isThere = (name: string): boolean => this.#data[name] !== undefined;
    return names.every(isThere) ? names : names.filter(isThere);
  }

  isModified(): boolean {
    // `forEach` needs no iterator, which costs more than a look at one or two further fields.
    let modified = false;
    this.#originals?.forEach((original, name) => {
      modified ||= differ(original, this.current(name));
    });
    return modified;
  }

  differs(name: string): boolean {
    const original = this.#originals?.get(name);
    return original !== undefined && differ(original, this.current(name));
  }

  eachChange(visit: (name: string, value: unknown) => void): void {
    this.#originals?.forEach((original, name) => {
      const value = this.current(name);
      if (differ(original, value)) visit(name, value);
    });
  }

  current(name: string): unknown {
    return Object.hasOwn(this.#data, name) ? this.#data[name] : undefined;
  }

  carry(name: string, value: unknown): void {
    this.#write(name, value);
  }

  exact(name: string): unknown {
    const original = this.#originals?.get(name);
    return original === undefined ? orAbsent(this.current(name)) : original;
  }

  original(name: string): unknown {
    const original = this.exact(name);
    return original === ABSENT ? undefined : copyValue(original);
  }

  live(exact: unknown): unknown {
    return copyValue(exact);
  }

  toObject(): Record<string, unknown> {
    const object = {};
    for (const name of this.names()) setOwn(object, name, copyValue(this.#data[name]));
    return object;
  }

  copy(): ObjectBaseline {
    const copy = new ObjectBaseline(this.toObject());
    copy.#origin = this.#origin;
    // An original is never changed in place.
    if (this.#originals !== null) copy.#originals = new Map(this.#originals);
    return copy;
  }

  sharesOriginal(other: Baseline): boolean {
    return other instanceof ObjectBaseline && other.#origin === this.#origin;
  }

  revert(name?: string): void {
    this.#originals?.forEach((original, each, originals) => {
      if (name !== undefined && name !== each) return;
      this.#write(each, original === ABSENT ? undefined : original);
      originals.delete(each);
    });
  }

  settle(tree: EditTree): void {
    this.#origin = {};
    const originals = (this.#originals ??= new Map());
    for (const [name, edit] of tree.children) originals.set(name, edit.kind === 'delete' ? ABSENT : edit.value);
    for (const name of originals.keys()) {
      // A container may still be changed in place through the reference that the program has.
      if (!isMutable(this.current(name)) && !this.differs(name)) originals.delete(name);
    }
  }

  #keepOriginal(name: string, value: unknown): void {
    // null is an original like any other, and `undefined` says that none is kept.
    const originals = (this.#originals ??= new Map());
    if (originals.get(name) === undefined) originals.set(name, orAbsent(copyValue(value)));
  }

  #write(name: string, value: unknown): void {
    if (value === undefined) delete this.#data[name];
    else setOwn(this.#data, name, value);
  }
}

function orAbsent(value: unknown): unknown {
  return value === undefined ? ABSENT : value;
}

function differ(original: unknown, value: unknown): boolean {
  if (Object.is(original, value)) return false;
  if (original === ABSENT || value === undefined) return original !== ABSENT || value !== undefined;
  // Two primitives of one type that are not identical are different; the rest needs BSON's rules.
  if (typeof value !== 'object' && typeof value === typeof original) return true;
  return !equalValues(original, value);
}
