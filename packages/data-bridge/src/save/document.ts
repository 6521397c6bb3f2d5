import type { FindOptions } from 'mongodb';
import { currentAttempt } from '../connection/transaction-attempt.ts';
import { ownCopy } from '../bson/copy-input.ts';
import { toJsonValue } from '../bson/json.ts';
import { unstorable } from '../bson/storable.ts';
import { castId } from '../filter/cast-filter.ts';
import { changesOfNew, shownChanges } from '../document/changes.ts';
import { type Checkpoint, checkpoint } from '../document/checkpoint.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { customInspect, type Inspect } from '../bson/inspect.ts';
import { DocumentState } from '../document/document-state.ts';
import { hasAtomics, operate } from '../document/atomic-methods.ts';
import { checkOwnFields, clonedFields, keepTaken, newData, TakenFields } from '../document/new-document.ts';
import { checkAssignable, checkReadable, checkWritable, extentAt } from '../document/loaded-part.ts';
import { getPath, keysOf, type Root, setPath, unsetPath } from '../document/path.ts';
import { rebase, type RebaseOptions } from './rebase.ts';
import { reload } from './reload.ts';
import { deleteDocument, type RemoveOptions } from './delete.ts';
import { save, type SaveOptions } from './save.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import type { AtomicOperator } from '../edits/atomic-operators.ts';
import type { Change } from '../edits/edits.ts';
import { treeWith } from '../tracking/pending-operators.ts';
import { baselineOf, StateTracker } from '../tracking/state-tracker.ts';
import type {
  AnyInteger,
  AnyNumber,
  AnyPath,
  Comparable,
  ElementOf,
  PathsTo,
  PathValue,
  ReadValue,
  SetValue,
} from '../types/paths.ts';
import type { ConflictIn } from '../types/conflict.ts';
import type { shape } from '../types/shape.ts';
import type { BitOperation } from '../types/update.ts';
import { validate } from './validate.ts';

/** For the layers above: what the mapper keeps of a document beside its fields. */
export let lifeOf: (document: Document<unknown>) => DocumentState;

/** For the accessors of `model()`. */
export let readField: (document: Document<unknown>, name: string) => unknown;
export let writeField: (document: Document<unknown>, name: string, value: unknown) => void;

/**
 * A document: accessors for the schema's fields (defined by `model()`), and what can be done with it. It knows what
 * changed, nested values included, and `save()` sends just that.
 *
 * `S` is the type of its fields.
 */
export abstract class Document<S> {
  declare readonly [shape]: S;
  declare readonly [definitionKey]: ModelDefinition;
  readonly #tracker: StateTracker<never>;
  #state: DocumentState | null = null;

  static {
    lifeOf = (document) => document.#record;
    readField = (document, name) => document.#read(name);
    writeField = (document, name, value) => {
      if (document.#isPartial) checkAssignable(document.#record, [name], value);
      document.#write(name, value);
    };
  }

  constructor(input: object) {
    const stored = input instanceof BsonBaseline;
    this.#tracker = new StateTracker(stored ? input : newData(this[definitionKey], input)) as StateTracker<never>;
    if (stored) return;
    const state = (this.#state = new DocumentState(this[definitionKey], this.#tracker, this, true));
    if (input instanceof TakenFields) keepTaken(state, input);
    else for (const name of Object.keys(input)) state.assigned.add(this[definitionKey].storedPath(name));
  }

  /** The tracker: what was read, what changed, and the update that says it, atomic operators as ordinary changes; under the stored names. */
  get $state(): StateTracker<S & object> {
    if (currentAttempt() !== undefined) this.#record.join(true);
    return this.#tracker;
  }

  /** The `_id`, also where the model's type is not known. */
  get $id(): S extends { readonly _id: infer I } ? I : unknown {
    return this.#read('_id') as S extends { readonly _id: infer I } ? I : unknown;
  }

  /** A copy of the document's BSON as it was last read or saved, without the changes since; null when it is new. */
  get $bytes(): Uint8Array | null {
    const baseline = baselineOf(this.#tracker);
    return baseline instanceof BsonBaseline ? baseline.bytes() : null;
  }

  /** True while it was never stored. */
  get $isNew(): boolean {
    return this.#state?.isNew === true;
  }

  /** The value at a path, such as `address.city`; for stored fields that the schema does not name, too. */
  get<P extends AnyPath<S>>(path: P): ReadValue<S, P>;
  get(path: string): unknown {
    const root = this.#root();
    const value = getPath(root, path);
    if (value === undefined && this.#isPartial) checkReadable(this.#record, keysOf(root, path));
    return value;
  }

  /** Sets the value at a path, making objects on the way. `undefined` removes it. */
  set<P extends AnyPath<S>>(path: P, value: SetValue<S, P>): this;
  set(path: string, value: unknown): this {
    const root = this.#root();
    if (this.#isPartial) checkAssignable(this.#record, keysOf(root, path), value);
    setPath(root, path, value);
    return this;
  }

  /** Removes the value at a path. */
  unset(path: AnyPath<S>): this {
    const root = this.#root();
    if (this.#isPartial) checkWritable(this.#record, keysOf(root, path));
    unsetPath(root, path);
    return this;
  }

  /** True where this field, or any, differs from what is stored. Every field of a new document does. */
  isModified(field?: keyof S & string): boolean {
    this.#adoptDefaults();
    const name = field === undefined ? undefined : this.#stored(field);
    const baseline = baselineOf(this.#tracker);
    if (this.$isNew) return name === undefined || baseline.has(name);
    const differs = name === undefined ? baseline.isModified() : baseline.differs(name);
    return differs || (this.#state !== null && hasAtomics(this.#state, name));
  }

  /** What differs from what is stored, as small as it can be told. */
  changes(): Change[] {
    this.#adoptDefaults();
    const baseline = baselineOf(this.#tracker);
    if (this.$isNew) return changesOfNew(this[definitionKey], baseline);
    const { sent = [], pending = [] } = this.#state ?? {};
    return shownChanges(this[definitionKey], baseline, treeWith(baseline, [...sent, ...pending]).tree);
  }

  /** What the last `save()` wrote; nothing before the first. */
  $previousChanges(): Change[] {
    return shownChanges(this[definitionKey], baselineOf(this.#tracker), this.#state?.lastEdits() ?? null);
  }

  /**
   * Adds to a number. Like every atomic operator it shows in memory at once, waits for `save()`, and is then done by the
   * server to what is stored by that time, so that what other writers did meanwhile counts too; memory takes the result.
   * Several of one kind on a path add up. What a new document holds is just changed, and so is a value that was set or
   * changed in place before: a later change in another way has the save send what memory shows.
   *
   * @param path a field, or a dotted path through objects.
   * @returns the document.
   * @throws UsageError when the value is no number, and when an operator of another kind waits on the path, above or below it.
   */
  $inc(path: PathsTo<S, AnyNumber>, by?: AnyNumber): this;
  $inc(path: string, by: AnyNumber = 1): this {
    return this.#operate('$inc', path, by);
  }

  /** Multiplies a number; one that is not there becomes 0. An atomic operator, as `$inc` is. */
  $mul(path: PathsTo<S, AnyNumber>, by: AnyNumber): this;
  $mul(path: string, by: AnyNumber): this {
    return this.#operate('$mul', path, by);
  }

  /** Sets a value if it is less than the one there, in MongoDB's order. An atomic operator, as `$inc` is. */
  $min<P extends PathsTo<S, Comparable>>(path: P, value: NonNullable<PathValue<S, P>>): this;
  $min(path: string, value: unknown): this {
    return this.#operate('$min', path, value);
  }

  /** Sets a value if it is greater than the one there, in MongoDB's order. An atomic operator, as `$inc` is. */
  $max<P extends PathsTo<S, Comparable>>(path: P, value: NonNullable<PathValue<S, P>>): this;
  $max(path: string, value: unknown): this {
    return this.#operate('$max', path, value);
  }

  /**
   * Changes bits of an integer: `{ and: … }`, `{ or: … }` or `{ xor: … }`; several are done in their order. One that is not
   * there counts as 0. An atomic operator, as `$inc` is.
   */
  $bit(path: PathsTo<S, AnyInteger>, bits: BitOperation): this;
  $bit(path: string, bits: BitOperation): this {
    return this.#operate('$bit', path, bits);
  }

  /** Adds values at the end of an array, whatever others added to it. An atomic operator, as `$inc` is. */
  $push<P extends PathsTo<S, readonly unknown[]>>(path: P, ...values: ElementOf<NonNullable<PathValue<S, P>>>[]): this;
  $push(path: string, ...values: unknown[]): this {
    return this.#operate('$push', path, values);
  }

  /** Adds to an array those values that are not in it. An atomic operator, as `$inc` is. */
  $addToSet<P extends PathsTo<S, readonly unknown[]>>(
    path: P,
    ...values: ElementOf<NonNullable<PathValue<S, P>>>[]
  ): this;
  $addToSet(path: string, ...values: unknown[]): this {
    return this.#operate('$addToSet', path, values);
  }

  /** Removes every element of an array that equals one of the values; conditions are refused. An atomic operator, as `$inc` is. */
  $pull<P extends PathsTo<S, readonly unknown[]>>(path: P, ...values: ElementOf<NonNullable<PathValue<S, P>>>[]): this;
  $pull(path: string, ...values: unknown[]): this {
    return this.#operate('$pull', path, values);
  }

  /**
   * Removes the last element of an array, or with -1 the first. An atomic operator, as `$inc` is; but a second one waits
   * for a save, and with `concurrency: 'fields'` the array must be as it was read.
   */
  $pop(path: PathsTo<S, readonly unknown[]>, end?: 1 | -1): this;
  $pop(path: string, end: 1 | -1 = 1): this {
    return this.#operate('$pop', path, end);
  }

  /** Sets a date to the server's time. An atomic operator, as `$inc` is. */
  $currentDate(path: PathsTo<S, Date>): this;
  $currentDate(path: string): this {
    return this.#operate('$currentDate', path, true);
  }

  /**
   * Stores what changed. An unchanged document sends nothing; a new one is inserted.
   *
   * @returns the document.
   * @throws ValidationError when a changed value is refused, and EncodeError when BSON cannot hold it; nothing was sent.
   * @throws ConflictError when another writer changed meanwhile what had to stay as it was read; nothing was written.
   * @throws DocumentNotFoundError when another writer deleted it.
   * @throws OutcomeUnknownError when the connection broke before the answer came.
   */
  async save(options?: SaveOptions<ConflictIn<S>, AnyPath<S>>): Promise<this> {
    checkOwnFields(this);
    await this.#record.queue('save', () => save(this.#record, options));
    return this;
  }

  /** Validates the changed fields without saving. @throws ValidationError with every issue. */
  async validate(): Promise<void> {
    this.#adoptDefaults();
    await validate(this.#record, () => {});
  }

  /**
   * Reads the stored document again, of a part-loaded one the same part, and drops every change. Containers handed out
   * before are detached from the document.
   *
   * @returns the document.
   * @throws DocumentNotFoundError when it is gone.
   */
  async reload(options?: FindOptions): Promise<this> {
    await this.#record.queue('reload', () => reload(this.#record, options));
    return this;
  }

  /**
   * Reads the stored document, and lays on it what was changed here, without saving: what others changed meanwhile shows,
   * too. Containers handed out before are detached from the document, but of fields that only this document changed.
   *
   * @returns the document.
   * @throws ConflictError where both changed the same and `onConflict` does not say which goes; the document stays as it was.
   * @throws DocumentNotFoundError when it is gone.
   */
  async $rebase(options: RebaseOptions<ConflictIn<S>> = {}): Promise<this> {
    await this.#record.queue('$rebase', () => rebase(this.#record, options as RebaseOptions));
    return this;
  }

  /** Takes one field, or all, back to what is stored. Containers handed out before are detached from the document. */
  rollback(field?: keyof S & string): void {
    this.#record.join();
    const name = field === undefined ? undefined : this.#stored(field);
    baselineOf(this.#tracker).revert(name);
    this.#state?.forgetChanges(name);
  }

  /**
   * Keeps this moment, to take the fields back to by its `rollback()`: atomic operators that wait, too. After a save in
   * between only memory goes back, so that the difference is a change for the next save. Containers handed out before are
   * detached from the document.
   */
  $checkpoint(): Checkpoint {
    return checkpoint(this.#record);
  }

  /**
   * Deletes the stored document. With `concurrency: 'fields'` only while nothing that was loaded was changed by others,
   * with 'version' only while its version is the one that was loaded.
   *
   * @returns false when it was already gone, or was never stored.
   * @throws ConflictError where another writer changed it; nothing was deleted.
   */
  async delete(options?: RemoveOptions<AnyPath<S>>): Promise<boolean> {
    return this.#record.queue('delete', () => deleteDocument(this.#record, options));
  }

  /** A plain object with a copy of every field: defaults, and stored fields that the schema does not name, included. */
  toObject(): S {
    return this.#record.toObject() as S;
  }

  /**
   * A new document with copies of all fields as they are now: those that the schema does not name, too, but the times of
   * the model's `timestamps`. An ObjectId as `_id` is a new one; any other is left to the schema's default, or to you.
   *
   * @throws UsageError where only a part of the document was loaded.
   */
  $clone(): this {
    if (this.#isPartial)
      throw new UsageError('Only a part of the document was loaded, so it cannot be cloned.', this.#record.context);
    this.#adoptDefaults();
    const fields = clonedFields(this[definitionKey], baselineOf(this.#tracker).toObject());
    return new (this.constructor as new (fields: TakenFields) => this)(fields);
  }

  /** What `JSON.stringify` shows: every field, 64-bit integers as strings and bytes as base64. */
  toJSON(): unknown {
    return toJsonValue(this.toObject());
  }

  [customInspect](_depth: number, options: object, inspect: Inspect): string {
    return `${this.constructor.name} ${inspect(this.toObject(), options)}`;
  }

  get [unstorable](): string {
    return `it is a document of ${this.constructor.name}: pass its _id, or what its toObject() gives`;
  }

  get #record(): DocumentState {
    return (this.#state ??= new DocumentState(this[definitionKey], this.#tracker, this, false));
  }

  #read(name: string): unknown {
    const value = baselineOf(this.#tracker).get(name);
    // What holds other values may be changed in place.
    if (typeof value === 'object' && currentAttempt() !== undefined) this.#record.join(true);
    return value === undefined ? this.#readAbsent(name) : value;
  }

  /** True where it was loaded by `select()` or `omit()`, so that it is not the whole document. */
  get #isPartial(): boolean {
    return baselineOf(this.#tracker).selection !== null;
  }

  #readAbsent(name: string): unknown {
    if (this.#isPartial) {
      checkReadable(this.#record, [name]);
      if (extentAt(this.#record, [name]) === 'part') return undefined;
    }
    // Most fields have none: then reading one makes no record.
    const hasDefault = this[definitionKey].fields.get(name)?.hasDefault === true;
    if (!hasDefault) return undefined;
    this.#record.join(true);
    return this.#record.readDefault(name);
  }

  #write(name: string, value: unknown): void {
    const state = this.#record;
    state.join();
    state.checkOwn(name);
    state.set(name, ownCopy(name === '_id' ? castId(state.definition, value) : value, state.baseline.current(name)));
    if (!state.definition.isTime(name)) state.assigned.add(name);
  }

  #operate(operator: AtomicOperator, path: string, operand: unknown): this {
    const state = this.#record;
    state.join();
    const set = (name: string, value: unknown): void => state.set(name, value);
    operate(state, { ...this.#root(), set }, operator, path, operand);
    return this;
  }

  #stored(path: string): string {
    return this[definitionKey].storedPath(path);
  }

  /** Where paths begin. */
  #root(): Root {
    return {
      stored: (path) => this.#stored(path),
      has: (name) => this[definitionKey].fields.has(name) || baselineOf(this.#tracker).has(name),
      get: (name) => this.#read(name),
      set: (name, value) => this.#write(name, value),
    };
  }

  #adoptDefaults(): void {
    if (this.#state !== null) this.#state.adoptDefaults();
  }
}

/** How the functions see a model's class. */
export type DocumentClass = (new (input: object) => Document<unknown>) & { readonly prototype: Document<unknown> };
