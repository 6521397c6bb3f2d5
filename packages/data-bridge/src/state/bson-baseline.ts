import { copyValue, setOwn } from '../bson/copy.ts';
import { decodeDocument, decodeElement, decodeExact } from '../bson/decode.ts';
import { ABSENT, encodeDocument, encodeField } from '../bson/encode.ts';
import { equalElement } from '../bson/equal.ts';
import { type Field, fieldsOf, Layout, locate } from '../bson/layout.ts';
import { splice } from '../bson/splice.ts';
import type { Baseline } from './baseline.ts';
import type { EditTree } from './edits.ts';

/** Stands in `values` for a field that was removed; `undefined` there means that the field was not touched. */
const REMOVED = Symbol('removed');

/**
 * A baseline over a document's bytes: they are the copy, so tracking costs none. A field is decoded when it is first
 * read and then remembered; a remembered container is compared with the bytes when asked, since the program may have
 * changed it in place. Fields that were never read cost nothing.
 */
export class BsonBaseline implements Baseline {
  readonly layout: Layout;
  bytes: Uint8Array;
  /** Where the document begins in `bytes`: several may share one arena. */
  start: number;
  /** Touched values by the layout's index; those of names that the layout could not take are in `#unlisted`. */
  #values: unknown[] | null = null;
  #unlisted: Map<string, unknown> | null = null;
  /** Names that were set or removed. Of the others only containers can have changed. */
  #written: Set<string> | null = null;

  constructor(layout: Layout, bytes: Uint8Array, start: number) {
    this.layout = layout;
    this.bytes = bytes;
    this.start = start;
  }

  get(name: string): unknown {
    const field = this.layout.field(name);
    const touched = this.#touchedValue(field);
    if (touched !== undefined) return touched === REMOVED ? undefined : touched;
    const at = locate(this.layout, this.bytes, this.start, field);
    if (at < 0) return undefined;
    const value = this.#decode(field, at);
    this.#remember(field, value);
    return value;
  }

  set(name: string, value: unknown): void {
    (this.#written ??= new Set()).add(name);
    this.#remember(this.layout.field(name), value === undefined ? REMOVED : value);
  }

  has(name: string): boolean {
    const field = this.layout.field(name);
    const touched = this.#touchedValue(field);
    if (touched !== undefined) return touched !== REMOVED;
    const at = locate(this.layout, this.bytes, this.start, field);
    return at >= 0 && !equalElement(this.layout, this.bytes, this.start, at, undefined);
  }

  names(): string[] {
    const stored = fieldsOf(this.layout, this.bytes, this.start).map((field) => field.name);
    const names = new Set(this.#written === null ? stored : [...stored, ...this.#written]);
    return [...names].filter((name) => this.has(name));
  }

  touched(): string[] {
    const names = new Set(this.#written);
    this.#values?.forEach((value, index) => {
      if (typeof value === 'object' && value !== null) names.add(this.layout.fieldAt(index).name);
    });
    this.#unlisted?.forEach((_, name) => names.add(name));
    return [...names];
  }

  differs(name: string): boolean {
    const field = this.layout.field(name);
    const at = locate(this.layout, this.bytes, this.start, field);
    const value = this.current(name);
    return at < 0 ? value !== undefined : !equalElement(this.layout, this.bytes, this.start, at, value);
  }

  current(name: string): unknown {
    const value = this.#touchedValue(this.layout.field(name));
    return value === REMOVED ? undefined : value;
  }

  exact(name: string): unknown {
    const at = locate(this.layout, this.bytes, this.start, this.layout.field(name));
    return at < 0 ? ABSENT : decodeExact(this.bytes, this.start, at);
  }

  original(name: string): unknown {
    const field = this.layout.field(name);
    const at = locate(this.layout, this.bytes, this.start, field);
    return at < 0 ? undefined : this.#decode(field, at);
  }

  live(exact: unknown): unknown {
    const wrapped: { value?: unknown } = decodeDocument(
      new Layout(this.layout.options),
      encodeDocument({ value: exact }),
      0,
    );
    return wrapped.value;
  }

  toObject(): Record<string, unknown> {
    const object: Record<string, unknown> = decodeDocument(this.layout, this.bytes, this.start);
    this.layout.readers.forEach((read, name) => {
      if (Object.hasOwn(object, name)) setOwn(object, name, read(object[name]));
    });
    for (const name of this.touched()) {
      const value = this.current(name);
      if (value === undefined) delete object[name];
      else setOwn(object, name, copyValue(value));
    }
    return object;
  }

  revert(name?: string): void {
    if (name === undefined) {
      this.#values = null;
      this.#unlisted = null;
      this.#written = null;
      return;
    }
    this.#remember(this.layout.field(name), undefined);
    this.#written?.delete(name);
  }

  settle(tree: EditTree): void {
    const elements = new Map<string, Uint8Array | null>();
    for (const [name, edit] of tree.children)
      elements.set(name, edit.kind === 'delete' ? null : encodeField(name, edit.value));
    this.adopt(splice(this.layout, this.bytes, this.start, elements), 0);
    for (const name of this.#written ?? []) if (!this.differs(name)) this.#forgetWrite(name);
  }

  /** Takes over the current value that a document had under another baseline. */
  carry(name: string, value: unknown): void {
    this.set(name, value);
    if (!this.differs(name)) this.#forgetWrite(name);
  }

  /** Takes other bytes as the original; what was touched stays and is compared with them from now on. */
  adopt(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.start = start;
  }

  /** A written value that now equals the bytes needs no more watching, unless it can be changed in place. */
  #forgetWrite(name: string): void {
    this.#written?.delete(name);
    const field = this.layout.field(name);
    if (this.#touchedValue(field) === REMOVED) this.#remember(field, undefined);
  }

  #decode(field: Field, at: number): unknown {
    const value = decodeElement(this.layout, this.bytes, this.start, field, at);
    const read = this.layout.readers.get(field.name);
    return read === undefined ? value : read(value);
  }

  #touchedValue(field: Field): unknown {
    return field.index >= 0 ? this.#values?.[field.index] : this.#unlisted?.get(field.name);
  }

  #remember(field: Field, value: unknown): void {
    if (field.index >= 0) (this.#values ??= [])[field.index] = value;
    else if (value === undefined) this.#unlisted?.delete(field.name);
    else (this.#unlisted ??= new Map()).set(field.name, value);
  }
}
