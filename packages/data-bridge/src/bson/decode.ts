import { nameEnd, terminator } from './bytes.ts';
import type { BsonOptions, Layout } from './layout.ts';
import { type Field, Level } from './level.ts';
import { setOwn } from './make.ts';
import { readDocument, readElement, readFields } from './read-document.ts';
import type { SharedTexts } from './shared-texts.ts';

const exactOptions: Required<BsonOptions> = {
  promoteLongs: false,
  promoteValues: false,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: true,
};
/** A level that learns nothing. */
const unlearned = new Level({ names: 0 }, false);

/**
 * The size in bytes of the document at `start`.
 *
 * @throws CorruptBsonError if it is under 5 or goes beyond the buffer, or the document's last byte is not 0.
 */
export function documentSize(bytes: Uint8Array, start: number): number {
  return terminator(bytes, start, start, bytes.length) + 1 - start;
}

/**
 * The whole document as a plain object. Also `{$ref, $id}` at the top level stays one; below it becomes a DBRef, as in
 * the bson package.
 *
 * @throws CorruptBsonError for malformed bytes.
 */
export function decodeDocument<T>(layout: Layout, bytes: Uint8Array, start: number): T {
  return readDocument(layout, bytes, start, false) as T;
}

/** The same as the program reads it: with what the layout's readers make of their fields. */
export function decodeStored<T>(layout: Layout, bytes: Uint8Array, start: number): T {
  const document = readDocument(layout, bytes, start, false) as Record<string, unknown>;
  for (const { name, read } of layout.fixed) {
    if (read !== null && Object.hasOwn(document, name)) setOwn(document, name, read(document[name]));
  }
  return document as T;
}

/**
 * The same for a value that is dropped at once, faster: as long as one of its strings is kept, so is a text of the
 * document's size.
 */
export function decodeTransient<T>(layout: Layout, bytes: Uint8Array, start: number): T {
  return readDocument(layout, bytes, start, true) as T;
}

/** The values of all fields that the layout has learned, by their index, as the program reads them: one walk over the document. */
export function decodeFields(layout: Layout, bytes: Uint8Array, start: number): unknown[] {
  const values = readFields(layout, bytes, start);
  for (const { index, read } of layout.fixed) {
    if (read !== null && index >= 0 && values[index] !== undefined) values[index] = read(values[index]);
  }
  return values;
}

/** The value of the element at `at` (its type byte), a field of the document at `start`. */
export function decodeElement(layout: Layout, bytes: Uint8Array, start: number, field: Field, at: number): unknown {
  return decodeAt(layout.options, layout.texts, field, bytes, start, at);
}

/**
 * The same with every value as the BSON class of its type, as the bson package gives it with `promoteValues: false` and
 * `bsonRegExp: true`.
 */
export function decodeExact(bytes: Uint8Array, start: number, field: Field, at: number): unknown {
  return decodeAt(exactOptions, null, field, bytes, start, at);
}

/** The same for the value of type `type` at `from`, an offset inside the element. */
export function decodeExactValue(bytes: Uint8Array, start: number, type: number, from: number, limit: number): unknown {
  return readElement(exactOptions, null, unlearned.unknown, bytes, start, type, from, limit);
}

function decodeAt(
  options: Required<BsonOptions>,
  texts: SharedTexts | null,
  field: Field,
  bytes: Uint8Array,
  start: number,
  at: number,
): unknown {
  const limit = terminator(bytes, start, start, bytes.length);
  const from = nameEnd(bytes, start, at + 1, limit) + 1;
  return readElement(options, texts, field, bytes, start, bytes[at] as number, from, limit);
}
