import type { BSON } from 'mongodb';
import { UsageError } from '../errors.ts';
import type { Identities } from './identity.ts';
import { Field, Level, maxNameSize, type Reader } from './level.ts';
import { ReadingHabit } from './reading-habit.ts';
import type { ShowDefaults } from './shown-defaults.ts';
import { SharedTexts } from './shared-texts.ts';

/** How BSON becomes JavaScript: the driver's options, with the driver's defaults. */
export type BsonOptions = Readonly<
  Pick<BSON.DeserializeOptions, 'promoteLongs' | 'promoteValues' | 'promoteBuffers' | 'useBigInt64' | 'bsonRegExp'>
>;

/**
 * At the top level, which keeps its names when there are more: wide documents are no maps, and reading them by search costs
 * more than all else.
 */
const maxTopNames = 1024;
/** Over all levels of a layout: nested maps that are keyed by ids could otherwise learn some to the power of their depth. */
const maxNamesInAll = 4096;
/** Names that no layout took, with their fields: making one costs more than a search for it. */
const maxDetached = 4096;

const noReaders: ReadonlyMap<string, Reader> = new Map();
const noDefaults: ReadonlyMap<string, ShowDefaults> = new Map();

/**
 * The shape of a collection's documents, learned from those that are read. It predicts which name comes next, so that a
 * name is compared with a few bytes and neither decoded nor looked up.
 */
export class Layout {
  /** How many names the top level learns. */
  static readonly maxNames = maxTopNames;
  readonly options: Required<BsonOptions>;
  /** The top-level fields that have a `read`. */
  readonly fixed: readonly Field[];
  /** The top-level names. */
  readonly top: Level;
  /** What a schema declares of the arrays in the documents. */
  readonly identities: Identities | undefined;
  /** By top-level name what sets the defaults of what a value lacks. */
  readonly defaults: ReadonlyMap<string, ShowDefaults>;
  /** Texts that come back from document to document. */
  readonly texts = new SharedTexts();
  /** Whether most fields of the next document will be read. */
  readonly habit = new ReadingHabit();
  readonly #byName = new Map<string, Field>();
  readonly #detached = new Map<string, Field>();
  readonly #readers: ReadonlyMap<string, Reader>;

  /**
   * @param names known top-level names, learned in this order.
   * @param readers by top-level name, what makes of a decoded value what the program reads: for fields whose JavaScript
   *   type does not depend on the options.
   * @param identities what a schema declares of the arrays in the documents.
   * @param defaults by top-level name, what sets the defaults of what a value lacks.
   * @throws UsageError where the driver refuses a combination of options.
   */
  constructor(
    options: BsonOptions = {},
    names: readonly string[] = [],
    readers: ReadonlyMap<string, Reader> = noReaders,
    identities?: Identities,
    defaults: ReadonlyMap<string, ShowDefaults> = noDefaults,
  ) {
    this.options = withDefaults(options);
    if (this.options.useBigInt64 && !(this.options.promoteValues && this.options.promoteLongs)) {
      throw new UsageError('The option useBigInt64 needs promoteValues and promoteLongs, which are on by default.');
    }
    this.top = new Level({ names: maxNamesInAll }, true, maxTopNames);
    this.#readers = readers;
    this.identities = identities;
    this.defaults = defaults;
    for (const name of names) this.field(name);
    this.fixed = Array.from(readers.keys(), (name) => this.field(name));
    for (const field of this.fixed) field.read = readers.get(field.name) ?? null;
  }

  /**
   * The layout of documents of which nothing but the options is known, shared by all that have the same. One whose top
   * level is full is replaced, so no more than one of each is kept beyond those in use.
   */
  static shared(options: BsonOptions = {}): Layout {
    const key = bitsOf(options);
    const known = shared.get(key);
    if (known !== undefined && !known.top.full) return known;
    const layout = new Layout(options);
    shared.set(key, layout);
    return layout;
  }

  /** The top-level field of this name. One that was not learned has the index -1, and is found by a slower search. */
  field(name: string): Field {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    // A name that BSON cannot hold must not be learned: its bytes would be those of another name.
    const isStorable = !this.#detached.has(name) && !name.includes('\0') && Buffer.from(name).toString() === name;
    const field = isStorable ? this.top.take(name) : null;
    if (field === null) return this.#detachedField(name);
    this.#byName.set(name, field);
    return field;
  }

  #detachedField(name: string): Field {
    const known = this.#detached.get(name);
    if (known !== undefined) return known;
    const field = new Field(name, -1, { names: 0 });
    field.read = this.#readers.get(name) ?? null;
    if (name.length > maxNameSize) return field;
    if (this.#detached.size >= maxDetached) this.#detached.clear();
    this.#detached.set(name, field);
    return field;
  }

  /** The top-level field of this index. */
  fieldAt(index: number): Field {
    const field = this.top.fields[index];
    if (field === undefined) throw new UsageError(`The layout has no field ${index}, only ${this.top.fields.length}.`);
    return field;
  }
}

function withDefaults({
  promoteLongs = true,
  promoteValues = true,
  promoteBuffers = false,
  useBigInt64 = false,
  bsonRegExp = false,
}: BsonOptions): Required<BsonOptions> {
  return { promoteLongs, promoteValues, promoteBuffers, useBigInt64, bsonRegExp };
}

/** By the options as bits: there are no more than 32. */
const shared = new Map<number, Layout>();

/** Without an object for the defaults: asked for every tracker. */
function bitsOf({ promoteLongs, promoteValues, promoteBuffers, useBigInt64, bsonRegExp }: BsonOptions): number {
  return (
    ((promoteLongs ?? true) ? 1 : 0) |
    ((promoteValues ?? true) ? 2 : 0) |
    (promoteBuffers === true ? 4 : 0) |
    (useBigInt64 === true ? 8 : 0) |
    (bsonRegExp === true ? 16 : 0)
  );
}
