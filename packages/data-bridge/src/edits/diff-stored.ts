import { BSON, ObjectId } from 'mongodb';
import { float64, int32, milliseconds, nameEnd, stringEnd, terminator, valueEnd } from '../bson/bytes.ts';
import { ABSENT } from '../bson/encode.ts';
import { equalId, equalText, equalTyped } from '../bson/equal-scalars.ts';
import { isShownDefault } from '../bson/equal-values.ts';
import type { Identities } from '../bson/identity.ts';
import type { Field } from '../bson/level.ts';
import { utf8 } from '../bson/text.ts';
import { type Edit, inParallel, MAX_LEVELS, type ValueEdit } from './edits.ts';
import { copyDate, copyPlain, isPlainKey } from './plain-copy.ts';
import { type Source, StoredDelete, StoredObject, StoredSet } from './stored-edits.ts';
import { isCommonType } from './stored-types.ts';
import { walkArray } from './diff-stored-arrays.ts';
import { ARRAY, BOOLEAN, DATE, DOCUMENT, DOUBLE, INT32, NULL, OBJECT_ID, STRING, UNDEFINED } from '../bson/types.ts';

/*
 * The difference between a live value and the bytes that it was read from, in one walk over both: what is unchanged is
 * neither decoded nor copied. It knows the commonest kinds of values, keys in their stored order, new keys at the end, and
 * elements where they were; at anything else it gives up (`undefined`), and the general `diff` takes the field. The
 * edits that it does find are those of `diff`.
 */

/** The bytes of a document, which its edits share. */
export function sourceOf(bytes: Uint8Array, start: number): Source {
  return { bytes, start, limit: terminator(bytes, start, start, bytes.length) };
}

/**
 * @param document its bytes.
 * @param at the type byte of the stored element, or -1.
 * @param value the current one, `undefined` when it was removed.
 * @returns null when they are equal, `undefined` for what only `diff` can decide.
 */
export function diffStored(
  document: Source,
  at: number,
  field: Field,
  value: unknown,
  identities: Identities | undefined,
): Edit | null | undefined {
  if (at < 0) return diffAbsent(field, value);
  if (!field.isPlain) return undefined;
  const type = document.bytes[at] as number;
  // case: a stored undefined counts as absent
  if (value === undefined && type === UNDEFINED) return undefined;
  const from = at + 2 + field.bytes.length;
  const part = partOf(document, type, from);
  const source = part ?? document;
  const own = part === null ? from : 0;
  if (value === undefined) return new StoredDelete(source, type, own);
  return walk(source, type, own, source.limit, field, value, 0, identities);
}

function diffAbsent({ name }: Field, value: unknown): Edit | null | undefined {
  if (value === undefined) return null;
  const copy = isPlainKey(name) ? copyPlain(value, 0) : undefined;
  return copy === undefined ? undefined : { kind: 'set', base: ABSENT, value: copy };
}

/** Bytes beyond this are not kept for the sake of an edit of a small part of them. */
const maxKept = 64 * 1024;

/** Edits outlive the document's bytes, in `lastSaved` until the next save: of large ones they take their part along. */
function partOf({ bytes, start, limit }: Source, type: number, at: number): Source | null {
  if (bytes.buffer.byteLength <= maxKept) return null;
  const size = valueEnd(bytes, start, type, at, limit) - at;
  if (size * 2 > bytes.buffer.byteLength) return null;
  // A zero byte more ends what is damaged, as a document's terminator does.
  const own = new Uint8Array(size + 1);
  own.set(bytes.subarray(at, at + size));
  return { bytes: own, start: start - at, limit: size };
}

/** Compares one value with the stored one at `at`. */
function walk(
  source: Source,
  type: number,
  at: number,
  limit: number,
  field: Field,
  value: unknown,
  level: number,
  identities: Identities | undefined,
): ValueEdit | null | undefined {
  const { bytes, start } = source;
  switch (typeof value) {
    case 'string':
      if (type === STRING && equalText(bytes, start, at + 4, stringEnd(bytes, start, at, limit), value)) return null;
      return isCommonType(type) && value.isWellFormed() ? new StoredSet(source, type, at, value) : undefined;
    case 'number':
      if (type === INT32) return Object.is(int32(bytes, at), value) ? null : new StoredSet(source, type, at, value);
      if (type === DOUBLE) {
        if (Object.is(float64(bytes, at), value)) return null;
        return new StoredSet(source, type, at, new BSON.Double(value));
      }
      return isCommonType(type) ? new StoredSet(source, type, at, value) : nullIfEqual(bytes, type, at, value);
    case 'boolean':
      if (type === BOOLEAN && (bytes[at] === 1) === value) return null;
      return isCommonType(type) ? new StoredSet(source, type, at, value) : undefined;
    case 'bigint':
      return nullIfEqual(bytes, type, at, value);
    case 'object':
      return value === null
        ? walkNull(source, type, at)
        : walkObject(source, type, at, limit, field, value, level, identities);
    default:
      return undefined;
  }
}

function nullIfEqual(bytes: Uint8Array, type: number, at: number, value: unknown): null | undefined {
  return equalTyped(bytes, type, at, value) ? null : undefined;
}

function walkNull(source: Source, type: number, at: number): StoredSet | null | undefined {
  if (type === NULL) return null;
  return isCommonType(type) ? new StoredSet(source, type, at, null) : undefined;
}

function walkObject(
  source: Source,
  type: number,
  at: number,
  limit: number,
  field: Field,
  value: object,
  level: number,
  identities: Identities | undefined,
): ValueEdit | null | undefined {
  const { bytes, start } = source;
  if (typeof (value as { toBSON?: unknown }).toBSON === 'function') return undefined;
  if (Array.isArray(value)) {
    if (type !== ARRAY || level >= MAX_LEVELS) return undefined;
    return walkArray(walk, { source, at, last: terminator(bytes, start, at, limit), field, level, identities }, value);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) {
    if (type !== DOCUMENT || level >= MAX_LEVELS) return undefined;
    return walkMembers(source, at, limit, field, value as Record<string, unknown>, level, identities);
  }
  if (prototype === Date.prototype) return walkDate(source, type, at, value as Date);
  if (prototype === ObjectId.prototype)
    return type === OBJECT_ID && equalId(bytes, at, value as ObjectId) ? null : undefined;
  return nullIfEqual(bytes, type, at, value);
}

function walkDate(source: Source, type: number, at: number, value: Date): StoredSet | null | undefined {
  if (type !== DATE) return undefined;
  if (value.getTime() === milliseconds(source.bytes, at)) return null;
  const copy = copyDate(value);
  return copy && new StoredSet(source, type, at, copy);
}

// V8 knows that this holds for the keys of a for-in loop; for Object.hasOwn it looks every time.
const { hasOwnProperty } = Object.prototype;

function walkMembers(
  source: Source,
  at: number,
  limit: number,
  { level: names }: Field,
  value: Record<string, unknown>,
  level: number,
  identities: Identities | undefined,
): ValueEdit | null | undefined {
  const { bytes, start } = source;
  const last = terminator(bytes, start, at, limit);
  let children: Map<string, ValueEdit> | null = null;
  let here = at + 4;
  let previous: Field | null = null;
  for (const key in value) {
    if (!hasOwnProperty.call(value, key)) return undefined;
    const live = value[key];
    let edit: ValueEdit | null | undefined;
    if (here < last) {
      // Learned here, too: a program may set anew what it has never read.
      const learned: Field | null = names.fieldAt(bytes, start, here + 1, last, previous);
      const from = learned === null ? unlearnedEnd(source, here + 1, last, key) : namedEnd(learned, here + 1, key);
      if (from < 0) return undefined;
      const type = bytes[here] as number;
      edit = walk(source, type, from, last, learned ?? names.unknown, live, level + 1, identities?.at(key));
      here = valueEnd(bytes, start, type, from, last);
      if (learned !== null) previous = learned;
    } else if (isShownDefault(value, key, live)) continue;
    else {
      const copy = isPlainKey(key) ? copyPlain(live, level) : undefined;
      if (copy !== undefined) edit = { kind: 'set', base: ABSENT, value: copy };
    }
    if (edit === undefined) return undefined;
    if (edit !== null) (children ??= new Map<string, ValueEdit>()).set(key, edit);
  }
  if (here < last) return undefined;
  return children === null
    ? null
    : new StoredObject(source, at, inParallel<ReadonlyMap<string, Edit>>(children) as ReadonlyMap<string, ValueEdit>);
}

/** Where the value of the element begins whose name, a field's, stands at `at`; -1 where it is another one than `key`. */
function namedEnd(field: Field, at: number, key: string): number {
  return field.isPlain && field.name === key ? at + field.bytes.length + 1 : -1;
}

/** The same for a name that was not learned. */
function unlearnedEnd({ bytes, start }: Source, at: number, limit: number, key: string): number {
  const end = nameEnd(bytes, start, at, limit);
  return isPlainKey(key) && utf8(bytes, start, at, end) === key ? end + 1 : -1;
}
