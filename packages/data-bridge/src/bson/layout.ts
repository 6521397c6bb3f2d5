import type { BSON } from 'mongodb';
import { UsageError } from '../errors.ts';
import { int32, nameEnd, terminator, valueEnd } from './bytes.ts';
import type { Identities } from './identity.ts';
import { ReadingHabit } from './reading-habit.ts';
import { SharedTexts } from './shared-texts.ts';
import { utf8 } from './text.ts';

/** How BSON becomes JavaScript: the driver's options, with the driver's defaults. */
export type BsonOptions = Readonly<
  Pick<BSON.DeserializeOptions, 'promoteLongs' | 'promoteValues' | 'promoteBuffers' | 'useBigInt64' | 'bsonRegExp'>
>;

const maxNames = 128;
/** At the top level, which keeps its names when there are more: wide documents are no maps, and reading them by search costs more than all else. */
const maxTopNames = 1024;
/** Over all levels of a layout: nested maps that are keyed by ids could otherwise learn `maxNames` to the power of their depth. */
const maxNamesInAll = 4096;
/** Names that no layout took, with their fields: making one costs more than a search for it. */
const maxDetached = 4096;

const referenceKeys: ReadonlySet<string> = new Set(['$ref', '$id', '$db']);

/** Makes of a decoded value what the program reads. */
export type Reader = (value: unknown) => unknown;

const noReaders: ReadonlyMap<string, Reader> = new Map();

/** One name at one level: where the layout predicts keys. */
export class Field {
  readonly name: string;
  /** Dense from 0 within the level; -1 for a name that the level could not take. */
  readonly index: number;
  /** The name in UTF-8, without a terminator. */
  readonly bytes: Uint8Array;
  /** Can a member of this name be assigned? Not `__proto__`, for which `Object.prototype` has a setter. */
  readonly assignable: boolean;
  /** 1 for the three keys of a DBRef, 2 for any other name that starts with `$`, else 0. */
  readonly dollar: number;
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
  /** The first four bytes of the name and its terminator, or as many as there are, as a number. */
  readonly #head: number;
  readonly #headMask: number;

  constructor(name: string, index: number, budget: Budget) {
    // V8 keeps one string of each property key, and compares that by its address.
    this.name = internalized(name);
    this.bytes = Buffer.from(name);
    this.index = index;
    this.assignable = name !== '__proto__';
    this.dollar = name.charCodeAt(0) !== 0x24 ? 0 : referenceKeys.has(name) ? 1 : 2;
    this.#budget = budget;
    const { bytes } = this;
    const size = Math.min(4, bytes.length + 1);
    this.#headMask = size === 4 ? -1 : (1 << (8 * size)) - 1;
    let head = 0;
    for (let i = 0; i < Math.min(4, bytes.length); i++) head |= (bytes[i] as number) << (8 * i);
    this.#head = head;
  }

  /**
   * Does this name, and no longer one, stand at `at`? Never looks beyond `limit`. Comparing the first four bytes at once
   * makes a scan a sixth faster.
   */
  isAt(bytes: Uint8Array, at: number, limit: number): boolean {
    const name = this.bytes;
    const { length } = name;
    let i = 0;
    if (at + 4 <= limit) {
      if ((int32(bytes, at) & this.#headMask) !== this.#head) return false;
      if (length < 4) return true;
      i = 4;
    }
    for (; i < length; i++) if (bytes[at + i] !== name[i]) return false;
    return bytes[at + length] === 0;
  }

  /** The names in the documents under this one, directly or in arrays. */
  get level(): Level {
    return (this.#level ??= new Level(this.#budget, false));
  }
}

interface Budget {
  names: number;
}

const scratch: Record<string, null> = {};

/** The string that V8 keeps of each property key. */
function internalized(name: string): string {
  // A lookup by a computed key makes V8 internalize it; the key itself is then the one that it compares by address.
  void (scratch as Record<string, unknown>)[name];
  return name;
}

/** The names that documents were seen to have at one place, up to a limit. */
export class Level {
  /** What the last document began with. */
  first: Field | null = null;
  /** Are no more names learned? Then a name that is not found stays unknown. */
  full: boolean;
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
   * The field whose name stands at `at`, learned if need be; null if the level is full. Looks first whether it is the one
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

  /** The field of this name, learned if need be; null if the level is full. */
  take(name: string): Field | null {
    const bytes = Buffer.from(name);
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

/**
 * The shape of a collection's documents, learned from those that are read. It predicts which name comes next, so that a
 * name is compared with a few bytes and neither decoded nor looked up.
 */
export class Layout {
  /** How many names one level learns. One with more is probably a map keyed by ids, where nothing can be predicted. */
  static readonly maxNames = maxTopNames;
  readonly options: Required<BsonOptions>;
  /** The top-level fields that have a `read`. */
  readonly fixed: readonly Field[];
  /** The top-level names. */
  readonly top: Level;
  /** What a schema declares of the arrays in the documents. */
  readonly identities: Identities | undefined;
  /** Texts that come back from document to document. */
  readonly texts = new SharedTexts();
  /** Whether most fields of the next document will be read. */
  readonly habit = new ReadingHabit();
  readonly #byName = new Map<string, Field>();
  readonly #detachedByName = new Map<string, Field>();
  readonly #readers: ReadonlyMap<string, Reader>;

  /**
   * @param names known top-level names, learned in this order.
   * @param readers by top-level name, what makes of a decoded value what the program reads: for fields whose JavaScript
   *   type does not depend on the options.
   * @param identities what a schema declares of the arrays in the documents.
   * @throws UsageError where the driver refuses a combination of options.
   */
  constructor(
    options: BsonOptions = {},
    names: readonly string[] = [],
    readers: ReadonlyMap<string, Reader> = noReaders,
    identities?: Identities,
  ) {
    this.options = {
      promoteLongs: options.promoteLongs ?? true,
      promoteValues: options.promoteValues ?? true,
      promoteBuffers: options.promoteBuffers ?? false,
      useBigInt64: options.useBigInt64 ?? false,
      bsonRegExp: options.bsonRegExp ?? false,
    };
    if (this.options.useBigInt64 && !(this.options.promoteValues && this.options.promoteLongs)) {
      throw new UsageError('The option useBigInt64 needs promoteValues and promoteLongs, which are on by default.');
    }
    this.top = new Level({ names: maxNamesInAll }, true, maxTopNames);
    this.#readers = readers;
    this.identities = identities;
    for (const name of names) this.field(name);
    this.fixed = Array.from(readers.keys(), (name) => this.field(name));
    for (const field of this.fixed) field.read = readers.get(field.name) ?? null;
  }

  /**
   * The layout of documents of which nothing but the options is known. One that is full is replaced: its trackers keep it.
   */
  static shared(options: BsonOptions = {}): Layout {
    const { promoteLongs = true, promoteValues = true, promoteBuffers = false, useBigInt64 = false, bsonRegExp = false } = options;
    const key =
      (promoteLongs ? 1 : 0) | (promoteValues ? 2 : 0) | (promoteBuffers ? 4 : 0) | (useBigInt64 ? 8 : 0) | (bsonRegExp ? 16 : 0);
    let layout = shared[key];
    if (layout === undefined || layout.top.full) shared[key] = layout = new Layout(options);
    return layout;
  }

  /** The top-level field of this name. A full level gives one with the index -1, which is found by a slower search. */
  field(name: string): Field {
    const known = this.#byName.get(name) ?? this.#detachedByName.get(name);
    if (known !== undefined) return known;
    // A name that BSON cannot hold must not be learned: its bytes would be those of another name.
    const storable = !name.includes('\0') && Buffer.from(name).toString() === name;
    const field = storable ? this.top.take(name) : null;
    if (field === null) return this.#detached(name);
    this.#byName.set(name, field);
    return field;
  }

  #detached(name: string): Field {
    const known = this.#detachedByName.get(name);
    if (known !== undefined) return known;
    const field = new Field(name, -1, { names: 0 });
    field.read = this.#readers.get(name) ?? null;
    if (this.#detachedByName.size >= maxDetached) this.#detachedByName.clear();
    this.#detachedByName.set(name, field);
    return field;
  }

  /** The top-level field of this index. */
  fieldAt(index: number): Field {
    const field = this.top.fields[index];
    if (field === undefined) throw new UsageError(`The layout has no field ${index}, only ${this.top.fields.length}.`);
    return field;
  }
}

const shared: (Layout | undefined)[] = Array.from({ length: 32 });

/*
 * The last document that was scanned and where its fields lie, so that several reads of one document scan it once. It
 * keeps that one document alive, so large ones are held weakly. Bytes must not change while they are read as a document.
 */
const offsets = new Int32Array(maxTopNames);
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
  offsets.fill(-1, 0, layout.top.fields.length);
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
