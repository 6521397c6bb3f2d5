import { copyValue, setOwn } from '../bson/copy.ts';
import { decodeDocument, decodeElement, decodeExact, decodeStored } from '../bson/decode.ts';
import { ABSENT, encodeDocument } from '../bson/encode.ts';
import { equalElement } from '../bson/equal.ts';
import { type Field, fieldsOf, Layout, locate } from '../bson/layout.ts';
import { elementsOf, splice } from '../bson/splice.ts';
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
  /** Indexes of the fields that were set or removed. Of the others only containers can have changed. */
  #written: number[] | null = null;

  constructor(layout: Layout, bytes: Uint8Array, start: number) {
    this.layout = layout;
    this.bytes = bytes;
    this.start = start;
  }

  get(name: string): unknown {
    const field = this.layout.field(name);
    const touched = this.#touchedValue(field);
    if (touched !== undefined) return shown(touched);
    const at = locate(this.layout, this.bytes, this.start, field);
    if (at < 0) return undefined;
    const value = this.#decode(field, at);
    this.#remember(field, value);
    return value;
  }

  set(name: string, value: unknown): void {
    const field = this.layout.field(name);
    if (field.index >= 0 && this.#written?.includes(field.index) !== true) (this.#written ??= []).push(field.index);
    this.#remember(field, value === undefined ? REMOVED : value);
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
    const written = this.#written?.map((index) => this.layout.fieldAt(index).name) ?? [];
    return [...new Set([...stored, ...written, ...(this.#unlisted?.keys() ?? [])])].filter((name) => this.has(name));
  }

  isModified(): boolean {
    const values = this.#values;
    if (values !== null)
      for (let index = 0; index < values.length; index++) if (this.#indexDiffers(values, index)) return true;
    if (this.#unlisted !== null) for (const name of this.#unlisted.keys()) if (this.differs(name)) return true;
    return false;
  }

  differs(name: string): boolean {
    const field = this.layout.field(name);
    const value = this.#touchedValue(field);
    return value !== undefined && this.#valueDiffers(field, value);
  }

  eachChange(visit: (name: string, value: unknown) => void): void {
    const values = this.#values ?? [];
    for (let index = 0; index < values.length; index++) {
      if (this.#indexDiffers(values, index)) visit(this.layout.fieldAt(index).name, shown(values[index]));
    }
    this.#unlisted?.forEach((value, name) => {
      if (this.differs(name)) visit(name, shown(value));
    });
  }

  current(name: string): unknown {
    return shown(this.#touchedValue(this.layout.field(name)));
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
    const object: Record<string, unknown> = decodeStored(this.layout, this.bytes, this.start);
    this.eachChange((name, value) => {
      if (value === undefined) delete object[name];
      else setOwn(object, name, copyValue(value));
    });
    return object;
  }

  revert(name?: string): void {
    if (name === undefined) {
      this.#values = null;
      this.#unlisted = null;
      this.#written = null;
      return;
    }
    const field = this.layout.field(name);
    this.#remember(field, undefined);
    this.#unmark(field);
  }

  settle(tree: EditTree): void {
    // One call encodes all values; a call for each would cost several times as much.
    const values: [string, unknown][] = [];
    for (const [name, edit] of tree.children) if (edit.kind !== 'delete') values.push([name, edit.value]);
    const encoded = elementsOf(encodeDocument(new Map(values)));
    const elements = new Map<string, Uint8Array | null>(values.map(([name], i) => [name, encoded[i] as Uint8Array]));
    for (const [name, edit] of tree.children) if (edit.kind === 'delete') elements.set(name, null);
    this.adopt(splice(this.layout, this.bytes, this.start, elements), 0);
    for (const index of this.#written?.slice() ?? []) this.#forgetWrite(this.layout.fieldAt(index));
    this.#unlisted?.forEach((_, name) => this.#forgetWrite(this.layout.field(name)));
  }

  /** Takes over the current value that a document had under another baseline. */
  carry(name: string, value: unknown): void {
    this.set(name, value);
    this.#forgetWrite(this.layout.field(name));
  }

  /** Takes other bytes as the original; what was touched stays and is compared with them from now on. */
  adopt(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.start = start;
  }

  /** A written value that now equals the bytes needs no more watching, unless it can be changed in place. */
  #forgetWrite(field: Field): void {
    const value = this.#touchedValue(field);
    if (value === undefined || this.#valueDiffers(field, value)) return;
    this.#unmark(field);
    if (value === REMOVED) this.#remember(field, undefined);
  }

  #unmark(field: Field): void {
    const at = this.#written?.indexOf(field.index) ?? -1;
    if (at >= 0) this.#written?.splice(at, 1);
  }

  #indexDiffers(values: readonly unknown[], index: number): boolean {
    const value = values[index];
    if (value === undefined) return false;
    if (typeof value !== 'object' && this.#written?.includes(index) !== true) return false;
    return this.#valueDiffers(this.layout.fieldAt(index), value);
  }

  #valueDiffers(field: Field, value: unknown): boolean {
    const at = locate(this.layout, this.bytes, this.start, field);
    if (at < 0) return value !== REMOVED;
    return !equalElement(this.layout, this.bytes, this.start, at, value === REMOVED ? undefined : value);
  }

  #decode(field: Field, at: number): unknown {
    const value = decodeElement(this.layout, this.bytes, this.start, field, at);
    return field.read === null ? value : field.read(value);
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

function shown(touched: unknown): unknown {
  return touched === REMOVED ? undefined : touched;
}
