import { nameEnd, terminator, valueEnd } from './bytes.ts';
import { Layout } from './layout.ts';
import type { Field } from './level.ts';
import { utf8 } from './text.ts';

/*
 * The last document that was scanned and where its fields lie, so that several reads of one document scan it once. It
 * keeps that one document alive, so large ones are held weakly. Bytes must not change while they are read as a document.
 */
const offsets = new Int32Array(Layout.maxNames);
const maxKept = 64 * 1024;
let scannedLayout: Layout | null = null;
let scannedBytes: Uint8Array | null = null;
let scannedLarge: WeakRef<Uint8Array> | null = null;
let scannedStart = 0;
/** How many fields the level had when the document was scanned: it has none of those that came later. */
let scannedFields = 0;

/** The offset of the type byte of a top-level field, or -1. Of several of one name the last counts. */
export function locate(layout: Layout, bytes: Uint8Array, start: number, field: Field): number {
  if (field.index < 0) return search(bytes, start, field);
  const isScanned = scannedBytes === bytes || scannedLarge?.deref() === bytes;
  if (!isScanned || scannedStart !== start || scannedLayout !== layout) scan(layout, bytes, start);
  return field.index < scannedFields ? (offsets[field.index] as number) : -1;
}

function scan(layout: Layout, bytes: Uint8Array, start: number): void {
  const limit = terminator(bytes, start, start, bytes.length);
  scannedBytes = null;
  scannedLarge = null;
  for (let i = layout.top.fields.length - 1; i >= 0; i--) offsets[i] = -1;
  let previous: Field | null = null;
  let names = 0;
  for (let at = start + 4; at < limit;) {
    const field: Field | null = layout.top.fieldAt(bytes, start, at + 1, limit, previous);
    let end: number;
    if (field === null) {
      end = nameEnd(bytes, start, at + 1, limit);
    } else {
      end = at + 1 + field.bytes.length;
      offsets[field.index] = at;
      previous = field;
      names += 1;
    }
    at = valueEnd(bytes, start, bytes[at] as number, end + 1, limit);
  }
  layout.habit.turnTo(names);
  if (bytes.length > maxKept) scannedLarge = new WeakRef(bytes);
  else scannedBytes = bytes;
  scannedLayout = layout;
  scannedStart = start;
  scannedFields = layout.top.fields.length;
}

/*
 * The last document that was searched for a name which no layout knows, and from the second search on where its fields
 * lie by name: it may have thousands, and a search for each of them would take their square.
 */
let searchedBytes: WeakRef<Uint8Array> | null = null;
let searchedStart = 0;
let searchedOffsets: ReadonlyMap<string, number> | null = null;

function search(bytes: Uint8Array, start: number, field: Field): number {
  if (searchedStart === start && searchedBytes?.deref() === bytes) {
    searchedOffsets ??= offsetsByName(bytes, start);
    return searchedOffsets.get(field.name) ?? -1;
  }
  const found = searchOnce(bytes, start, field);
  searchedBytes = new WeakRef(bytes);
  searchedStart = start;
  searchedOffsets = null;
  return found;
}

function searchOnce(bytes: Uint8Array, start: number, { name, bytes: { length } }: Field): number {
  const limit = terminator(bytes, start, start, bytes.length);
  let found = -1;
  for (let at = start + 4; at < limit;) {
    const end = nameEnd(bytes, start, at + 1, limit);
    if (end - at - 1 === length && utf8(bytes, start, at + 1, end) === name) found = at;
    at = valueEnd(bytes, start, bytes[at] as number, end + 1, limit);
  }
  return found;
}

/** Of several of one name the last. */
function offsetsByName(bytes: Uint8Array, start: number): Map<string, number> {
  const limit = terminator(bytes, start, start, bytes.length);
  const found = new Map<string, number>();
  for (let at = start + 4; at < limit;) {
    const end = nameEnd(bytes, start, at + 1, limit);
    found.set(utf8(bytes, start, at + 1, end), at);
    at = valueEnd(bytes, start, bytes[at] as number, end + 1, limit);
  }
  return found;
}

/** The top-level fields in document order; of several of one name the first. */
export function fieldsOf(layout: Layout, bytes: Uint8Array, start: number): Field[] {
  const limit = terminator(bytes, start, start, bytes.length);
  const fields = new Set<Field>();
  const unlearned = new Map<string, Field>();
  let previous: Field | null = null;
  for (let at = start + 4; at < limit;) {
    const end = nameEnd(bytes, start, at + 1, limit);
    const learned: Field | null = layout.top.fieldAt(bytes, start, at + 1, limit, previous);
    if (learned === null) {
      const name = utf8(bytes, start, at + 1, end);
      const field = unlearned.get(name) ?? layout.field(name);
      unlearned.set(name, field);
      fields.add(field);
    } else {
      fields.add(learned);
      previous = learned;
    }
    at = valueEnd(bytes, start, bytes[at] as number, end + 1, limit);
  }
  return [...fields];
}
