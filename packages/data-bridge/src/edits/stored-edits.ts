import { nameEnd, valueEnd } from '../bson/bytes.ts';
import { setOwn } from '../bson/plain-object.ts';
import { decodeExactValue } from '../bson/decode.ts';
import { utf8 } from '../bson/text.ts';
import type { Insertion, ValuesEdit } from './values-edit.ts';
import type { DeleteEdit, ElementsEdit, ObjectEdit, PositionsEdit, PushEdit, SetEdit, ValueEdit } from './edits.ts';
import { ARRAY, DOCUMENT } from '../bson/types.ts';

/*
 * Edits whose originals lie in a document's bytes, and are decoded when somebody asks. Most never are: operators say what
 * is new, and only guards, histories and people want to know what was there. Their members are getters: a copy by spread
 * has none of them.
 */

/** The bytes of a document, or of one value in it. They never change: what is saved makes new ones. */
export interface Source {
  readonly bytes: Uint8Array;
  /** Where the document begins, from which errors count. */
  readonly start: number;
  /** Where it ends: the offset of a zero byte. */
  readonly limit: number;
}

/** A value in the bytes. */
abstract class Stored<B> {
  protected readonly source: Source;
  protected readonly type: number;
  protected readonly at: number;
  #base: B | undefined = undefined;

  constructor(source: Source, type: number, at: number) {
    this.source = source;
    this.type = type;
    this.at = at;
  }

  /** The original, BSON-typed. */
  get base(): B {
    return (this.#base ??= exactAt(this.source, this.type, this.at) as B);
  }
}

/** A stored value that another one replaces. */
export class StoredSet extends Stored<unknown> implements SetEdit {
  readonly kind = 'set';
  readonly value: unknown;

  constructor(source: Source, type: number, at: number, value: unknown) {
    super(source, type, at);
    this.value = value;
  }
}

/** A stored value that is no longer there. */
export class StoredDelete extends Stored<unknown> implements DeleteEdit {
  readonly kind = 'delete';
}

/** A stored object of which some members changed, or that has new ones; none is gone. */
export class StoredObject extends Stored<object> implements ObjectEdit {
  readonly kind = 'object';
  readonly children: ReadonlyMap<string, ValueEdit>;
  #value: object | undefined = undefined;

  constructor(source: Source, at: number, children: ReadonlyMap<string, ValueEdit>) {
    super(source, DOCUMENT, at);
    this.children = children;
  }

  get value(): object {
    return (this.#value ??= this.#edited());
  }

  /** What was replaced is not decoded. */
  #edited(): object {
    const value = {};
    eachIn(this.source, this.at, (type, nameAt, from) => {
      const name = utf8(this.source.bytes, this.source.start, nameAt, from - 1);
      const edit = this.children.get(name);
      setOwn(value, name, edit === undefined ? exactAt(this.source, type, from) : edit.value);
    });
    for (const [name, edit] of this.children) if (!Object.hasOwn(value, name)) setOwn(value, name, edit.value);
    return value;
  }
}

/** A stored array of which some elements changed, each where it was. */
export class StoredPositions extends Stored<readonly unknown[]> implements PositionsEdit {
  readonly kind = 'positions';
  readonly children: ReadonlyMap<number, ValueEdit>;
  readonly isByValue?: true;
  #value: readonly unknown[] | undefined = undefined;

  constructor(source: Source, at: number, children: ReadonlyMap<number, ValueEdit>, isByValue: boolean) {
    super(source, ARRAY, at);
    this.children = children;
    if (isByValue) this.isByValue = true;
  }

  get value(): readonly unknown[] {
    return (this.#value ??= editedElements(this.source, this.at, this.children));
  }
}

/** A stored array of values that are told apart by what they are, of which some were removed. */
export class StoredValues extends Stored<readonly unknown[]> implements ValuesEdit {
  readonly kind = 'values';
  readonly removed: readonly unknown[];
  readonly added: readonly unknown[] = [];
  readonly first: readonly unknown[] = [];
  readonly inserted: readonly Insertion[] = [];
  readonly last: readonly unknown[] = [];
  readonly isMoved = false;
  readonly isUnique: boolean;
  readonly hasTexts: boolean;
  readonly isLong: boolean;
  readonly #gone: ReadonlySet<number>;
  #value: readonly unknown[] | undefined = undefined;

  /** @param gone the places of those that were removed. */
  constructor(
    source: Source,
    at: number,
    gone: ReadonlySet<number>,
    { removed, isUnique, hasTexts, isLong }: Pick<ValuesEdit, 'removed' | 'isUnique' | 'hasTexts' | 'isLong'>,
  ) {
    super(source, 0x04, at);
    this.#gone = gone;
    this.removed = removed;
    this.isUnique = isUnique;
    this.hasTexts = hasTexts;
    this.isLong = isLong;
  }

  get value(): readonly unknown[] {
    return (this.#value ??= this.base.filter((_, i) => !this.#gone.has(i)));
  }
}

/** A stored array that only grew. */
export class StoredPush extends Stored<readonly unknown[]> implements PushEdit {
  readonly kind = 'push';
  readonly added: readonly unknown[];

  constructor(source: Source, at: number, added: readonly unknown[]) {
    super(source, ARRAY, at);
    this.added = added;
  }

  get value(): readonly unknown[] {
    return [...this.base, ...this.added];
  }
}

/** A stored array of elements with identities, each where it was, of which some were edited. */
export class StoredElements extends Stored<readonly unknown[]> implements ElementsEdit {
  readonly kind = 'elements';
  readonly key: string;
  readonly children: ReadonlyMap<number, ValueEdit>;
  readonly ids: ReadonlyMap<number, unknown>;
  readonly hasTexts: boolean;
  readonly removed: readonly unknown[] = [];
  readonly added: readonly unknown[] = [];
  readonly isMoved = false;
  #value: readonly unknown[] | undefined = undefined;

  constructor(
    source: Source,
    at: number,
    { key, children, ids, hasTexts }: Pick<StoredElements, 'key' | 'children' | 'ids' | 'hasTexts'>,
  ) {
    super(source, ARRAY, at);
    this.key = key;
    this.children = children;
    this.ids = ids;
    this.hasTexts = hasTexts;
  }

  get value(): readonly unknown[] {
    return (this.#value ??= editedElements(this.source, this.at, this.children));
  }
}

/** The value of that type at that offset, BSON-typed. */
export function exactAt({ bytes, start, limit }: Source, type: number, at: number): unknown {
  return decodeExactValue(bytes, start, type, at, limit);
}

function editedElements(source: Source, at: number, children: ReadonlyMap<number, ValueEdit>): unknown[] {
  const elements: unknown[] = [];
  eachIn(source, at, (type, _, from) => {
    const edit = children.get(elements.length);
    elements.push(edit === undefined ? exactAt(source, type, from) : edit.value);
  });
  return elements;
}

/** Calls `visit` for each element of the document or array at `at`, of which the walk has seen that it is sound. */
function eachIn(
  { bytes, start, limit }: Source,
  at: number,
  visit: (type: number, nameAt: number, from: number) => void,
): void {
  for (let here = at + 4; bytes[here] !== 0;) {
    const type = bytes[here] as number;
    const from = nameEnd(bytes, start, here + 1, limit) + 1;
    visit(type, here + 1, from);
    here = valueEnd(bytes, start, type, from, limit);
  }
}
