import { int32, nameEnd } from './bytes.ts';
import { newObjects } from './plain-object.ts';
import { utf8 } from './text.ts';

/** How many names a nested level learns. One with more is probably a map keyed by ids, where nothing can be predicted. */
const maxNames = 128;
/** A longer name, in bytes, is not learned: it would stay in memory as long as the layout does. */
export const maxNameSize = 256;

const referenceKeys: ReadonlySet<string> = new Set(['$ref', '$id', '$db']);

/** Makes of a decoded value what the program reads. */
export interface Reader {
  (value: unknown): unknown;
  /** The reader of what lies inside; null where that is read as it is decoded. */
  readonly at?: (step: string | number) => Reader | null;
}

/** How many more names the levels of one layout learn. */
interface Budget {
  names: number;
}

/** One name at one level: where the layout predicts keys. */
export class Field {
  readonly name: string;
  /** Dense from 0 within the level; -1 for a name that the level could not take. */
  readonly index: number;
  /** The name in UTF-8, without a terminator. */
  readonly bytes: Uint8Array;
  /** A member of this name can be assigned. Not `__proto__`, for which `Object.prototype` has a setter. */
  readonly assignable: boolean;
  /** 1 for the three keys of a DBRef, 2 for any other name that starts with `$`, else 0. */
  readonly dollar: number;
  /** A program's object may have a member of this name, and the name means nothing to BSON or to JavaScript. */
  readonly isPlain: boolean;
  /** What followed this field in the last document, and so probably follows in the next. */
  next: Field | null = null;
  /** What makes of the decoded value what the program reads, for fields of one JavaScript type. */
  read: Reader | null = null;
  /** How far its texts are the same in many documents: see `SharedTexts`. */
  repeats = 16;
  /** Another field of the level, with the same hash. */
  alike: Field | null = null;
  #level: Level | null = null;
  readonly #budget: Budget;
  /** The first four bytes of the name and its terminator, or as many as there are, as a number; and the next four. */
  readonly #head: number;
  readonly #headMask: number;
  readonly #second: number;
  readonly #secondMask: number;

  constructor(name: string, index: number, budget: Budget) {
    this.name = asKey(name);
    this.bytes = Buffer.from(name);
    this.index = index;
    this.assignable = name !== '__proto__';
    this.dollar = name.charCodeAt(0) !== 0x24 ? 0 : referenceKeys.has(name) ? 1 : 2;
    this.isPlain = this.dollar === 0 && this.assignable && name !== '_bsontype';
    this.#budget = budget;
    this.#headMask = maskOf(this.bytes.length + 1);
    this.#head = wordAt(this.bytes, 0);
    this.#secondMask = maskOf(this.bytes.length - 3);
    this.#second = wordAt(this.bytes, 4);
  }

  /**
   * This name, and no longer one, stands at `at`. Never looks beyond `limit`. Names are compared by four bytes at once, and
   * the rest one by one.
   */
  isAt(bytes: Uint8Array, at: number, limit: number): boolean {
    const name = this.bytes;
    const { length } = name;
    let i = 0;
    if (at + 8 <= limit) {
      if ((int32(bytes, at) & this.#headMask) !== this.#head) return false;
      if (length < 4) return true;
      if ((int32(bytes, at + 4) & this.#secondMask) !== this.#second) return false;
      if (length < 8) return true;
      i = 8;
    }
    for (; i < length; i++) if (bytes[at + i] !== name[i]) return false;
    return bytes[at + length] === 0;
  }

  /** The names in the documents under this one, directly or in arrays. */
  get level(): Level {
    return (this.#level ??= new Level(this.#budget, false));
  }
}

/** The lowest `count` bytes of a number: none below 1, all from 4 on. */
function maskOf(count: number): number {
  if (count < 1) return 0;
  return count >= 4 ? -1 : (1 << (8 * count)) - 1;
}

/** Four bytes from `from` on as a number, zeros where there are no more. */
function wordAt(bytes: Uint8Array, from: number): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word |= (bytes[from + i] ?? 0) << (8 * i);
  return word;
}

/** The same text as V8 keeps it for property keys: it compares two of them by their addresses. */
function asKey(name: string): string {
  const [key = name] = Object.keys({ [name]: null });
  return key;
}

/** The names that documents were seen to have at one place, up to a limit. */
export class Level {
  /** What the last document began with. */
  first: Field | null = null;
  /** No more names are learned: one that is not found stays unknown. */
  full: boolean;
  /** Makes the objects of this place. */
  readonly Plain = newObjects();
  readonly #fields: Field[] = [];
  readonly #byHash = new Map<number, Field>();
  readonly #budget: Budget;
  readonly #keeps: boolean;
  readonly #most: number;
  #unknown: Field | null = null;

  /** @param keeps whether the names stay when there are too many of them, rather than make room. */
  constructor(budget: Budget, keeps: boolean, most = maxNames) {
    this.#budget = budget;
    this.#most = most;
    this.#keeps = keeps;
    this.full = budget.names === 0;
  }

  get fields(): readonly Field[] {
    return this.#fields;
  }

  /** Stands for all names that were not learned: what lies under them has a layout too. */
  get unknown(): Field {
    return (this.#unknown ??= new Field('', -1, this.#budget));
  }

  /**
   * The field whose name stands at `at`, learned if need be; null where it cannot be. Looks first whether it is the one
   * that followed `previous` the last time.
   */
  fieldAt(bytes: Uint8Array, start: number, at: number, limit: number, previous: Field | null): Field | null {
    const expected = previous === null ? this.first : previous.next;
    if (expected !== null && expected.isAt(bytes, at, limit)) return expected;
    return this.#find(bytes, start, at, limit, previous);
  }

  #find(bytes: Uint8Array, start: number, at: number, limit: number, previous: Field | null): Field | null {
    if (this.full && this.#fields.length === 0) return null;
    const end = nameEnd(bytes, start, at, limit);
    if (end - at > maxNameSize) return null;
    const hash = hashOf(bytes, at, end);
    const field =
      this.#known(bytes, at, limit, hash) ?? (this.full ? null : this.#learn(utf8(bytes, start, at, end), hash));
    if (field === null) return null;
    if (previous === null) this.first = field;
    else previous.next = field;
    return field;
  }

  /** The field whose name stands at `at`, or the one that stands for all that were not learned. */
  known(bytes: Uint8Array, start: number, at: number, limit: number): Field {
    const end = nameEnd(bytes, start, at, limit);
    return this.#known(bytes, at, limit, hashOf(bytes, at, end)) ?? this.unknown;
  }

  #known(bytes: Uint8Array, at: number, limit: number, hash: number): Field | null {
    let field = this.#byHash.get(hash) ?? null;
    while (field !== null && !field.isAt(bytes, at, limit)) field = field.alike;
    return field;
  }

  /** The field of this name, learned if need be; null where it cannot be. */
  take(name: string): Field | null {
    const bytes = Buffer.from(name);
    if (bytes.length > maxNameSize) return null;
    const hash = hashOf(bytes, 0, bytes.length);
    let field = this.#byHash.get(hash) ?? null;
    while (field !== null && field.name !== name) field = field.alike;
    if (field !== null || this.full) return field;
    const previous = this.#fields.at(-1);
    field = this.#learn(name, hash);
    if (field === null) return null;
    if (previous === undefined) this.first = field;
    else previous.next ??= field;
    return field;
  }

  #learn(name: string, hash: number): Field | null {
    if (this.#fields.length === this.#most || this.#budget.names === 0) {
      this.#close();
      return null;
    }
    this.#budget.names--;
    const field = new Field(name, this.#fields.length, this.#budget);
    field.alike = this.#byHash.get(hash) ?? null;
    this.#byHash.set(hash, field);
    this.#fields.push(field);
    return field;
  }

  #close(): void {
    this.full = true;
    if (this.#keeps) return;
    this.#fields.length = 0;
    this.#byHash.clear();
    this.first = null;
  }
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  return hash;
}
