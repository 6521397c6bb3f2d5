import { BSON, ObjectId } from 'mongodb';
import { setOwn } from '../bson/copy.ts';
import { float64, int32, milliseconds, nameEnd, stringEnd, terminator, valueEnd } from '../bson/bytes.ts';
import { decodeExactValue } from '../bson/decode.ts';
import { ABSENT } from '../bson/encode.ts';
import { equalIdAt, equalText } from '../bson/equal.ts';
import type { Identities } from '../bson/identity.ts';
import type { Field, Layout, Level } from '../bson/layout.ts';
import { latin1, utf8 } from '../bson/text.ts';
import { type Edit, MAX_LEVELS, type ValueEdit } from './edits.ts';

/*
 * The difference between a live value and the bytes that it was read from, in one walk over both: what is unchanged is
 * neither decoded nor copied. It knows the commonest types, keys in their stored order, new keys at the end, and arrays
 * without identities; at anything else it gives up (`undefined`), and the general `diff` takes the field.
 */

/** The bytes of a document whose terminator is at `limit`. They never change. */
interface Source {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/** A value that is decoded when somebody asks for it. */
class Stored<B = unknown> {
  protected readonly _source: Source;
  readonly _type: number;
  readonly _at: number;
  readonly _limit: number;
  _base: B | undefined = undefined;

  constructor(source: Source, type: number, at: number, limit: number) {
    this._source = source;
    this._type = type;
    this._at = at;
    this._limit = limit;
  }

  get base(): B {
    const { bytes, start } = this._source;
    return (this._base ??= decodeExactValue(bytes, start, this._type, this._at, this._limit) as B);
  }
}

class StoredSet extends Stored {
  readonly kind = 'set';
  readonly value: unknown;
  constructor(source: Source, type: number, at: number, limit: number, value: unknown) {
    super(source, type, at, limit);
    this.value = value;
  }
}

class StoredDelete extends Stored {
  readonly kind = 'delete';
}

class StoredObject extends Stored<object> {
  readonly kind = 'object';
  readonly children: ReadonlyMap<string, Edit>;
  _value: object | undefined;
  constructor(source: Source, at: number, limit: number, children: ReadonlyMap<string, Edit>) {
    super(source, 0x03, at, limit);
    this.children = children;
  }
  /** The original with its edits. */
  get value(): object {
    return (this._value ??= this._merge());
  }
  _merge(): object {
    const value = {};
    const base = this.base as Record<string, unknown>;
    for (const key of Object.keys(base)) setOwn(value, key, valueOf(this.children.get(key), base[key]));
    for (const [key, edit] of this.children) if (!Object.hasOwn(value, key)) setOwn(value, key, valueOf(edit, undefined));
    return value;
  }
}

class StoredPositions extends Stored<readonly unknown[]> {
  readonly kind = 'positions';
  readonly children: ReadonlyMap<number, ValueEdit>;
  _value: unknown[] | undefined;
  constructor(source: Source, at: number, limit: number, children: ReadonlyMap<number, ValueEdit>) {
    super(source, 0x04, at, limit);
    this.children = children;
  }
  get value(): readonly unknown[] {
    return (this._value ??= this.base.map((element, i) => valueOf(this.children.get(i), element)));
  }
}

class StoredPush extends Stored<readonly unknown[]> {
  readonly kind = 'push';
  readonly added: readonly unknown[];
  constructor(source: Source, at: number, limit: number, added: readonly unknown[]) {
    super(source, 0x04, at, limit);
    this.added = added;
  }
  get value(): readonly unknown[] {
    return [...this.base, ...this.added];
  }
}

/** Elements that are told apart, each where it was, of which some were edited. */
export class StoredElements extends Stored<readonly unknown[]> {
  readonly kind = 'elements';
  readonly key: string;
  readonly children: ReadonlyMap<number, ValueEdit>;
  readonly removed: readonly unknown[] = [];
  readonly added: readonly unknown[] = [];
  readonly isMoved = false;
  /** Are the identities texts? Else they are ObjectIds. */
  readonly hasTexts: boolean;
  readonly ids: ReadonlyMap<number, unknown>;
  constructor(
    source: Source,
    at: number,
    limit: number,
    key: string,
    children: ReadonlyMap<number, ValueEdit>,
    ids: ReadonlyMap<number, unknown>,
    hasTexts: boolean,
  ) {
    super(source, 0x04, at, limit);
    this.key = key;
    this.children = children;
    this.ids = ids;
    this.hasTexts = hasTexts;
  }
  get value(): readonly unknown[] {
    return this.base.map((element, i) => valueOf(this.children.get(i), element));
  }
}

/** Where the identity lies in each element: nothing else than ObjectIds or texts, first in their elements, each once. */
function walkIdentified(
  source: Source,
  at: number,
  last: number,
  limit: number,
  field: Field,
  value: readonly unknown[],
  level: number,
  identities: Identities | undefined,
  key: string,
): ValueEdit | null | undefined {
  const { bytes, start } = source;
  let children: Map<number, ValueEdit> | null = null;
  let idType = 0;
  let i = 0;
  for (let here = at + 4; here < last; i++) {
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    const live = value[i];
    if (type !== 0x03 || i >= value.length || typeof live !== 'object' || live === null) return undefined;
    if (Object.getPrototypeOf(live) !== Object.prototype) return undefined;
    const found = bytes[from + 4] as number;
    if ((found !== 0x07 && found !== 0x02) || (idType !== 0 && found !== idType)) return undefined;
    idType = found;
    const end = nameEnd(bytes, start, from + 5, last);
    if (end - from - 5 !== key.length || utf8(bytes, start, from + 5, end) !== key) return undefined;
    const edit = walk(source, type, from, last, field, live, level + 1, identities?.at(i));
    if (edit === undefined || (edit !== null && (edit.kind !== 'object' || edit.children.has(key)))) return undefined;
    if (edit !== null) (children ??= new Map<number, ValueEdit>()).set(i, edit);
    here = valueEnd(bytes, start, type, from, last);
  }
  if (i !== value.length) return undefined;
  if (children === null) return null;
  if (children.size * i > 100_000) return undefined;
  // The identities have to be different.
  const seen = new Set<string>();
  const ids = new Map<number, unknown>();
  i = 0;
  for (let here = at + 4; here < last; i++) {
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    const id = from + 6 + key.length;
    const to = idType === 0x07 ? id + 12 : stringEnd(bytes, start, id, last);
    seen.add(latin1(bytes, id, to));
    if (children.has(i)) ids.set(i, decodeExactValue(bytes, start, idType, id, last));
    here = terminator(bytes, start, from, last) + 1;
  }
  if (seen.size !== i) return undefined;
  return new StoredElements(source, at, limit, key, children, ids, idType === 0x02);
}

function valueOf(edit: Edit | undefined, unchanged: unknown): unknown {
  if (edit === undefined) return unchanged;
  return (edit as { readonly value?: unknown }).value;
}

/**
 * @param at the type byte of the stored element, or -1.
 * @returns null when they are equal, `undefined` for what only `diff` can tell.
 */
export function diffStored(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
  at: number,
  field: Field,
  value: unknown,
  identities: Identities | undefined,
): Edit | null | undefined {
  const { name } = field;
  if (at < 0) {
    if (value === undefined) return null;
    if (!isPlainKey(name)) return undefined;
    const copy = fresh(value, 0);
    return copy === undefined ? undefined : { kind: 'set', base: ABSENT, value: copy };
  }
  if (field.dollar !== 0 || !field.assignable) return undefined;
  const source = { bytes, start };
  const limit = terminator(bytes, start, start, bytes.length);
  const type = bytes[at] as number;
  const from = at + 2 + field.bytes.length;
  if (value === undefined) return type === 0x06 ? undefined : (new StoredDelete(source, type, from, limit) as Edit);
  void layout;
  return walk(source, type, from, limit, field, value, 0, identities);
}

/** Types over which a scalar of another type is simply set. */
function isUnrelated(type: number): boolean {
  return (type >= 0x01 && type <= 0x04) || (type >= 0x07 && type <= 0x0a) || type === 0x10;
}

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
      if (type === 0x02) {
        if (equalText(bytes, start, at + 4, stringEnd(bytes, start, at, limit), value)) return null;
      } else if (!isUnrelated(type)) return undefined;
      return isWellFormed(value) ? new StoredSet(source, type, at, limit, value) : undefined;
    case 'number':
      if (type === 0x10) return Object.is(int32(bytes, at), value) ? null : new StoredSet(source, type, at, limit, value);
      if (type === 0x01)
        return Object.is(float64(bytes, at), value)
          ? null
          : new StoredSet(source, type, at, limit, new BSON.Double(value));
      return isUnrelated(type) ? new StoredSet(source, type, at, limit, value) : undefined;
    case 'boolean':
      if (type === 0x08 && (bytes[at] === 1) === value) return null;
      return isUnrelated(type) ? new StoredSet(source, type, at, limit, value) : undefined;
    case 'object':
      return walkObject(source, type, at, limit, field, value, level, identities);
    default:
      return undefined;
  }
}

function walkObject(
  source: Source,
  type: number,
  at: number,
  limit: number,
  field: Field,
  value: object | null,
  level: number,
  identities: Identities | undefined,
): ValueEdit | null | undefined {
  const { bytes, start } = source;
  if (value === null) {
    if (type === 0x0a) return null;
    return isUnrelated(type) ? new StoredSet(source, type, at, limit, null) : undefined;
  }
  if (typeof (value as { toBSON?: unknown }).toBSON === 'function') return undefined;
  if (Array.isArray(value)) {
    if (type !== 0x04 || level >= MAX_LEVELS) return undefined;
    return walkArray(source, at, terminator(bytes, start, at, limit), limit, field, value, level, identities);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) {
    if (type !== 0x03 || level >= MAX_LEVELS) return undefined;
    const last = terminator(bytes, start, at, limit);
    return walkMembers(source, at, last, limit, field.level, value as Record<string, unknown>, level, identities);
  }
  if (prototype === Date.prototype) {
    const time = (value as Date).getTime();
    if (type !== 0x09 || Number.isNaN(time)) return undefined;
    return time === milliseconds(bytes, at) ? null : new StoredSet(source, type, at, limit, new Date(time));
  }
  return prototype === ObjectId.prototype && type === 0x07 && equalIdAt(bytes, at, value as ObjectId) ? null : undefined;
}

const { hasOwnProperty } = Object.prototype;

function walkMembers(
  source: Source,
  at: number,
  last: number,
  limit: number,
  names: Level,
  value: Record<string, unknown>,
  level: number,
  identities: Identities | undefined,
): ValueEdit | null | undefined {
  const { bytes, start } = source;
  let children: Map<string, Edit> | null = null;
  let here = at + 4;
  let previous: Field | null = null;
  for (const key in value) {
    if (!hasOwnProperty.call(value, key)) return undefined;
    const live = value[key];
    if (live === undefined) return undefined;
    if (here < last) {
      // Learned here, too: a program may set anew what it has never read.
      const learned: Field | null = names.fieldAt(bytes, start, here + 1, last, previous);
      const field = learned ?? names.unknown;
      if (learned !== null) previous = learned;
      const type = bytes[here] as number;
      let from: number;
      if (field.index >= 0) {
        if (field.name !== key || field.dollar !== 0 || !field.assignable) return undefined;
        from = here + 2 + field.bytes.length;
      } else {
        const end = nameEnd(bytes, start, here + 1, last);
        if (utf8(bytes, start, here + 1, end) !== key || !isPlainKey(key)) return undefined;
        from = end + 1;
      }
      const edit = walk(source, type, from, last, field, live, level + 1, identities?.at(key));
      if (edit === undefined) return undefined;
      if (edit !== null) (children ??= new Map<string, Edit>()).set(key, edit);
      here = valueEnd(bytes, start, type, from, last);
    } else {
      if (!isPlainKey(key)) return undefined;
      const copy = fresh(live, level);
      if (copy === undefined) return undefined;
      (children ??= new Map<string, Edit>()).set(key, { kind: 'set', base: ABSENT, value: copy });
    }
  }
  if (here < last) return undefined;
  return children === null ? null : new StoredObject(source, at, limit, children);
}

function walkArray(
  source: Source,
  at: number,
  last: number,
  limit: number,
  field: Field,
  value: readonly unknown[],
  level: number,
  identities: Identities | undefined,
): ValueEdit | null | undefined {
  const { bytes, start } = source;
  if (value.length === 0) return at + 4 === last ? null : undefined;
  const first = value[0];
  const key = identities?.key ?? '_id';
  if (typeof first === 'object' && first !== null && Object.hasOwn(first, key))
    return walkIdentified(source, at, last, limit, field, value, level, identities, key);
  let children: Map<number, ValueEdit> | null = null;
  let stored = 0;
  for (let here = at + 4; here < last; stored++) {
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, last) + 1;
    here = valueEnd(bytes, start, type, from, last);
    if (stored < value.length) {
      const live = value[stored];
      const edit = walk(source, type, from, last, field, live, level + 1, identities?.at(stored));
      if (edit === undefined) return undefined;
      if (edit === null) continue;
      if (losesType(bytes, start, type, from, last)) return undefined;
      (children ??= new Map<number, ValueEdit>()).set(stored, edit);
    } else if (losesType(bytes, start, type, from, last)) return undefined;
  }
  const changed = children?.size ?? 0;
  if (stored === value.length) {
    if (children === null) return null;
    if (changed < stored) return new StoredPositions(source, at, limit, children);
  } else if (changed === 0 && value.length > stored) {
    const added = fresh(value.slice(stored), level);
    return added === undefined ? undefined : new StoredPush(source, at, limit, added as unknown[]);
  }
  const copy = beside(source, 0x04, at, limit, value, level);
  return copy === undefined || copiesLoseType ? undefined : new StoredSet(source, 0x04, at, limit, copy);
}

/** Is it, or holds it, a stored value of which the program's does not tell the type? */
function losesType(bytes: Uint8Array, start: number, type: number, at: number, limit: number): boolean {
  if (type === 0x01) return Number.isInteger(float64(bytes, at));
  if (type === 0x03 || type === 0x04) {
    const last = terminator(bytes, start, at, limit);
    for (let here = at + 4; here < last;) {
      const inner = bytes[here] as number;
      const from = nameEnd(bytes, start, here + 1, last) + 1;
      if (losesType(bytes, start, inner, from, last)) return true;
      here = valueEnd(bytes, start, inner, from, last);
    }
    return false;
  }
  return !(type === 0x02 || (type >= 0x07 && type <= 0x0a) || type === 0x10);
}

/** Did `beside` give a value a type that may not be its own? */
let copiesLoseType = false;

/** A copy with the types of what is stored in its place; `walk` has seen that it knows all of it. */
function beside(source: Source, type: number, at: number, limit: number, value: unknown, level: number): unknown {
  copiesLoseType = false;
  return copyBeside(source, type, at, limit, value, level);
}

function copyBeside(source: Source, type: number, at: number, limit: number, value: unknown, level: number): unknown {
  if (typeof value === 'number') {
    if (type !== 0x01 || !Number.isInteger(value)) return value;
    copiesLoseType = true;
    return new BSON.Double(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (type !== 0x03 && type !== 0x04) return fresh(value, level);
  const { bytes, start } = source;
  const last = terminator(bytes, start, at, limit);
  let here = at + 4;
  if (Array.isArray(value)) {
    const elements: unknown[] = [];
    for (const live of value as unknown[]) {
      let copy: unknown;
      if (here < last) {
        const inner = bytes[here] as number;
        const from = nameEnd(bytes, start, here + 1, last) + 1;
        copy = copyBeside(source, inner, from, last, live, level + 1);
        here = valueEnd(bytes, start, inner, from, last);
      } else copy = fresh(live, level + 1);
      if (copy === undefined) return undefined;
      elements.push(copy);
    }
    return elements;
  }
  const members: Record<string, unknown> = {};
  for (const key in value) {
    const live = (value as Record<string, unknown>)[key];
    let copy: unknown;
    if (here < last) {
      const inner = bytes[here] as number;
      const from = nameEnd(bytes, start, here + 1, last) + 1;
      copy = copyBeside(source, inner, from, last, live, level + 1);
      here = valueEnd(bytes, start, inner, from, last);
    } else copy = fresh(live, level + 1);
    if (copy === undefined) return undefined;
    members[key] = copy;
  }
  return members;
}

/** A copy of a value that has no original; `undefined` for what is not of the commonest types. */
function fresh(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value) ? value : undefined;
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : freshObject(value, depth);
    default:
      return undefined;
  }
}

function freshObject(value: object, depth: number): unknown {
  if (depth > 40 || typeof (value as { toBSON?: unknown }).toBSON === 'function') return undefined;
  if (Array.isArray(value)) {
    const elements: unknown[] = [];
    for (const each of value as unknown[]) {
      const copy = fresh(each, depth + 1);
      if (copy === undefined) return undefined;
      elements.push(copy);
    }
    return elements;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) {
    const members: Record<string, unknown> = {};
    for (const key in value) {
      if (!hasOwnProperty.call(value, key) || !isPlainKey(key)) return undefined;
      const copy = fresh((value as Record<string, unknown>)[key], depth + 1);
      if (copy === undefined) return undefined;
      members[key] = copy;
    }
    return members;
  }
  if (prototype === Date.prototype) {
    const time = (value as Date).getTime();
    return Number.isNaN(time) ? undefined : new Date(time);
  }
  return prototype === ObjectId.prototype ? value : undefined;
}

/** Keys that were seen to be plain: programs use few. */
const plainKeys = new Set<string>();

function isPlainKey(key: string): boolean {
  if (plainKeys.has(key)) return true;
  if (key === '_bsontype' || key === '__proto__' || key === 'toBSON' || key.startsWith('$')) return false;
  if (key.includes('\0') || !isWellFormed(key)) return false;
  if (plainKeys.size < 4096) plainKeys.add(key);
  return true;
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
