import { BSON } from 'mongodb';
import { copyValue } from '../bson/copy.ts';
import { setOwn } from '../bson/plain-object.ts';
import {
  decodeDocument,
  decodeElement,
  decodeExact,
  decodeFields,
  decodeStored,
  documentSize,
} from '../bson/decode.ts';
import { ABSENT, encodeDocument, LateBytes } from '../bson/encode.ts';
import { elementEqualsValue } from '../bson/equal-bytes.ts';
import type { Identities } from '../bson/identity.ts';
import { Layout } from '../bson/layout.ts';
import type { Field } from '../bson/level.ts';
import { fieldsOf, locate } from '../bson/locate.ts';
import { decodeOrdered } from '../bson/decode-ordered.ts';
import { splice } from '../bson/splice.ts';
import type { Baseline } from './baseline.ts';
import { diffStored, sourceOf } from '../edits/diff-stored.ts';
import type { Edit, EditTree } from '../edits/edits.ts';
import type { Source } from '../edits/stored-edits.ts';
import { encodeEdits } from './encode-edits.ts';
import { IndexSet } from './index-set.ts';
import type { Selection } from './selection.ts';
import { readsAsSent, REMOVED, shown } from './touched-values.ts';

type CarryOver = (baseline: BsonBaseline) => void;

/** The edit of a field that has the value now, told of values that are decoded. */
type Diff = (name: string, value: unknown) => Edit | null;

const NO_BYTES = new Uint8Array(0);

/**
 * A baseline over a document's bytes: they are the copy, so tracking costs none. A field is decoded when it is first
 * read and then remembered; a remembered container is compared with the bytes when asked, since the program may have
 * changed it in place. Fields that were never read cost nothing.
 */
export class BsonBaseline implements Baseline {
  readonly layout: Layout;
  #bytes: Uint8Array;
  /** Where the document begins in the bytes: several may share one arena. */
  #start: number;
  /** What was sent since, not yet part of the bytes, or all of them: many documents are dropped after they were saved. */
  #sent: EditTree | LateBytes | null = null;
  /** Takes over what the program held before those were sent; done when a value is first asked for, for the same reason. */
  #carryOver: CarryOver | null = null;
  /** Touched values by the layout's index; those of names that the layout could not take are in `#unlisted`. */
  #values: unknown[] | null = null;
  #unlisted: Map<string, unknown> | null = null;
  /** Indexes of the fields that were set or removed, in that order. Of the others only containers can have changed. */
  #written: IndexSet | null = null;

  constructor(layout: Layout, bytes: Uint8Array, start: number) {
    this.layout = layout;
    this.#bytes = bytes;
    this.#start = start;
  }

  /**
   * One over a document that was just sent, and is encoded only when it is asked about. Before a value is read or written,
   * `carryOver` calls `carry` for what the program holds.
   */
  static late(layout: Layout, sent: LateBytes, carryOver: CarryOver | null = null): BsonBaseline {
    const baseline = new BsonBaseline(layout, NO_BYTES, 0);
    baseline.#sent = sent;
    baseline.#carryOver = carryOver;
    return baseline;
  }

  get selection(): Selection | null {
    return null;
  }

  get promotesBuffers(): boolean {
    const { promoteBuffers, promoteValues } = this.layout.options;
    return promoteBuffers && promoteValues;
  }

  get identities(): Identities | undefined {
    return this.layout.identities;
  }

  get(name: string): unknown {
    const field = this.layout.field(name);
    const touched = this.#touchedValue(field);
    if (touched !== undefined) return shown(touched);
    if (this.#values === null && field.index >= 0) {
      this.#values = this.#firstValues();
      const value = this.#values[field.index];
      if (value !== undefined) return value;
    }
    const at = this.#locate(field);
    if (at < 0) return undefined;
    const value = this.#decode(field, at);
    this.layout.habit.readOne();
    this.#remember(field, value);
    return value;
  }

  set(name: string, value: unknown): void {
    this.#carry();
    const field = this.layout.field(name);
    if (field.index >= 0) (this.#written ??= new IndexSet()).add(field.index);
    this.#remember(field, value === undefined ? REMOVED : value);
  }

  has(name: string): boolean {
    return this.#has(this.layout.field(name));
  }

  #has(field: Field): boolean {
    const touched = this.#touchedValue(field);
    if (touched !== undefined) return touched !== REMOVED;
    const at = this.#locate(field);
    return at >= 0 && !elementEqualsValue(this.layout, this.#bytes, this.#start, at, undefined);
  }

  names(): string[] {
    const names = new Set(
      this.#storedFields()
        .filter((field) => this.#has(field))
        .map((field) => field.name),
    );
    for (const name of this.#writtenNames()) if (this.has(name)) names.add(name);
    return [...names];
  }

  /** The names of the fields in the bytes. */
  storedNames(): string[] {
    return this.#storedFields().map((field) => field.name);
  }

  #storedFields(): Field[] {
    this.#settleSent();
    return fieldsOf(this.layout, this.#bytes, this.#start);
  }

  /** In the order in which they were written; those that the layout could not take are last. */
  #writtenNames(): string[] {
    const names = this.#written?.list().map((index) => this.layout.fieldAt(index).name) ?? [];
    return this.#unlisted === null ? names : [...names, ...this.#unlisted.keys()];
  }

  isModified(): boolean {
    this.#settleSent();
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
    this.#settleSent();
    const values = this.#values ?? [];
    for (let index = 0; index < values.length; index++) {
      if (this.#indexDiffers(values, index)) visit(this.layout.fieldAt(index).name, shown(values[index]));
    }
    this.#unlisted?.forEach((value, name) => {
      if (this.differs(name)) visit(name, shown(value));
    });
  }

  /**
   * Calls `take` with the edit of each field that differs from its original.
   *
   * @param general makes the edit of a field whose value is not of the most common kinds.
   * @param isLater true for fields whose edit is made later: here it is null.
   */
  eachEdit(general: Diff, take: (name: string, edit: Edit | null) => void, isLater = never): void {
    this.#settleSent();
    const values = this.#values ?? [];
    const source = sourceOf(this.#bytes, this.#start);
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      if (!this.#mayDiffer(index, value)) continue;
      const field = this.layout.fieldAt(index);
      if (isLater(field.name)) {
        if (this.#valueDiffers(field, value)) take(field.name, null);
        continue;
      }
      const edit = this.#editOf(field, value, general, source);
      if (edit !== null) take(field.name, edit);
    }
    this.#unlisted?.forEach((value, name) => {
      if (this.differs(name)) take(name, isLater(name) ? null : general(name, shown(value)));
    });
  }

  /** The edit of one field; null where it equals its original. */
  editOf(name: string, general: Diff): Edit | null {
    this.#settleSent();
    const field = this.layout.field(name);
    const value = this.#touchedValue(field);
    return value === undefined ? null : this.#editOf(field, value, general, sourceOf(this.#bytes, this.#start));
  }

  #editOf(field: Field, value: unknown, general: Diff, source: Source): Edit | null {
    const at = this.#locate(field);
    const identities = this.identities?.at(field.name);
    const edit = diffStored(source, at, field, shown(value), identities);
    if (edit !== undefined) return edit;
    return this.#valueDiffers(field, value) ? general(field.name, shown(value)) : null;
  }

  current(name: string): unknown {
    return shown(this.#touchedValue(this.layout.field(name)));
  }

  exact(name: string): unknown {
    const field = this.layout.field(name);
    const at = this.#locate(field);
    return at < 0 ? ABSENT : decodeExact(this.#bytes, this.#start, field, at);
  }

  /** The same with objects as Maps, which keep every order of keys. */
  ordered(name: string): unknown {
    const at = this.#locate(this.layout.field(name));
    return at < 0 ? ABSENT : decodeOrdered(this.#bytes, this.#start, at);
  }

  original(name: string): unknown {
    const field = this.layout.field(name);
    const at = this.#locate(field);
    return at < 0 ? undefined : this.#decode(field, at);
  }

  live(exact: unknown, [name, ...inner]: readonly (string | number)[]): unknown {
    let { read } = this.layout.field(String(name));
    for (const step of inner) read = read?.at?.(step) ?? null;
    if (typeof exact !== 'object' || exact === null) return read === null ? exact : read(exact);
    if (this.layout.options.promoteValues && read === null) {
      if (exact instanceof BSON.Int32 || exact instanceof BSON.Double) return exact.value;
      if (exact instanceof Date) return new Date(exact);
    }
    const layout = Layout.shared(this.layout.options);
    const { value } = decodeDocument<{ value?: unknown }>(layout, encodeDocument({ value: exact }), 0);
    return read === null ? value : read(value);
  }

  /** A copy of the document's bytes. */
  bytes(): Uint8Array {
    this.#settleSent();
    return new Uint8Array(this.#bytes.subarray(this.#start, this.#start + documentSize(this.#bytes, this.#start)));
  }

  toObject(): Record<string, unknown> {
    this.#settleSent();
    const object: Record<string, unknown> = decodeStored(this.layout, this.#bytes, this.#start);
    this.eachChange((name, value) => {
      if (value === undefined) delete object[name];
      else setOwn(object, name, copyValue(value));
    });
    return object;
  }

  copy(): BsonBaseline {
    this.#settleSent();
    const copy = this.over(this.#bytes, this.#start);
    const changes = new Map(this.#writtenNames().map((name) => [name, this.current(name)]));
    this.eachChange((name, value) => changes.set(name, value));
    for (const [name, value] of changes) copy.set(name, copyValue(value));
    return copy;
  }

  sharesOriginal(other: Baseline): boolean {
    this.#settleSent();
    return other instanceof BsonBaseline && other.#bytes === this.#bytes && other.#start === this.#start;
  }

  /** One of the same kind over other bytes. */
  protected over(bytes: Uint8Array, start: number): BsonBaseline {
    return new BsonBaseline(this.layout, bytes, start);
  }

  revert(name?: string): void {
    this.#settleSent();
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
    this.#settleSent();
    this.#sent = tree;
  }

  /** Takes over the current value that a document had under another baseline. */
  carry(name: string, value: unknown): void {
    const field = this.layout.field(name);
    // An object is compared whenever somebody asks, so it need not be now.
    if (typeof value === 'object') this.#remember(field, value);
    else if (this.#valueDiffers(field, value === undefined ? REMOVED : value)) this.set(name, value);
    else if (field.read === null && readsAsSent(value, this.layout.options)) this.#remember(field, value);
  }

  #carry(): void {
    const carryOver = this.#carryOver;
    if (carryOver === null) return;
    this.#carryOver = null;
    carryOver(this);
  }

  #settleSent(): void {
    const sent = this.#sent;
    if (sent === null) return;
    this.#carry();
    this.#sent = null;
    if (sent instanceof LateBytes) {
      this.#bytes = sent.bytes;
      return;
    }
    this.#bytes = splice(this.layout, this.#bytes, this.#start, encodeEdits(sent));
    this.#start = 0;
    for (const index of this.#written?.list() ?? []) this.#forgetWrite(this.layout.fieldAt(index));
    this.#unlisted?.forEach((_, name) => this.#forgetWrite(this.layout.field(name)));
  }

  #locate(field: Field): number {
    this.#settleSent();
    return locate(this.layout, this.#bytes, this.#start, field);
  }

  /** A written value that now equals the bytes needs no more watching, unless it can be changed in place. */
  #forgetWrite(field: Field): void {
    const value = this.#touchedValue(field);
    if (value === undefined || this.#valueDiffers(field, value)) return;
    this.#unmark(field);
    if (value === REMOVED) this.#remember(field, undefined);
  }

  #unmark(field: Field): void {
    this.#written?.delete(field.index);
  }

  #indexDiffers(values: readonly unknown[], index: number): boolean {
    const value = values[index];
    return this.#mayDiffer(index, value) && this.#valueDiffers(this.layout.fieldAt(index), value);
  }

  /** Without being written, only a container can have changed. */
  #mayDiffer(index: number, value: unknown): boolean {
    if (value === undefined) return false;
    return (typeof value === 'object' && value !== null) || this.#written?.has(index) === true;
  }

  #valueDiffers(field: Field, value: unknown): boolean {
    const at = this.#locate(field);
    if (at < 0) return value !== REMOVED;
    return !elementEqualsValue(this.layout, this.#bytes, this.#start, at, value === REMOVED ? undefined : value, field);
  }

  #decode(field: Field, at: number): unknown {
    const value = decodeElement(this.layout, this.#bytes, this.#start, field, at);
    return field.read === null ? value : field.read(value);
  }

  /** The values to begin with when a field is read for the first time: all of them where the program will read them all. */
  #firstValues(): unknown[] {
    this.#settleSent();
    try {
      if (this.layout.habit.predictsWhole()) return decodeFields(this.layout, this.#bytes, this.#start);
    } catch {
      // Damage is reported when the damaged field is read. The other fields can be read.
    }
    return [];
  }

  #touchedValue(field: Field): unknown {
    if (this.#values === null) this.#carry();
    return field.index >= 0 ? this.#values?.[field.index] : this.#unlisted?.get(field.name);
  }

  #remember(field: Field, value: unknown): void {
    if (field.index >= 0) (this.#values ??= [])[field.index] = value;
    else if (value === undefined) this.#unlisted?.delete(field.name);
    else (this.#unlisted ??= new Map()).set(field.name, value);
  }
}

const never = (_name: string): boolean => false;
