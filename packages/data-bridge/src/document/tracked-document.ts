import { assign } from './assign.ts';
import { adoptReferences, readReferences } from './references.ts';
import { ownCopy } from '../bson/copy-input.ts';
import { currentAttempt } from '../connection/transaction-attempt.ts';
import { castId } from '../filter/cast-filter.ts';
import { changesOfNew, shownChanges } from './changes.ts';
import { type Checkpoint, checkpoint } from './checkpoint.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { DocumentState } from './document-state.ts';
import { documentJson } from './document-json.ts';
import { hasAtomics, operate } from './atomic-methods.ts';
import { clonedFields, keepTaken, newData, TakenFields } from './new-document.ts';
import { checkAssignable, checkReadable, checkWritable, extentAt } from './loaded-part.ts';
import { getPath, keysOf, type Root, setPath, unsetPath } from './path.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import type { AtomicOperator } from '../edits/atomic-operators.ts';
import type { Change } from '../edits/edits.ts';
import { type Siblings, siblingsKey } from '../references/linked.ts';
import { treeWith } from '../tracking/pending-operators.ts';
import { baselineOf, StateTracker } from '../tracking/state-tracker.ts';
import type {
  AnyInteger,
  AnyNumber,
  Comparable,
  OperandAt,
  OwnPaths,
  PathsTo,
  ReadValue,
  RunTimePath,
  SetValue,
} from '../types/paths.ts';
import type { Plain } from '../types/ref.ts';
import type { OwnRemovals } from '../types/removable.ts';
import type { Assigned, declared, Flat, shape } from '../types/shape.ts';
import type { BitOperation, ElementsAt } from '../types/update.ts';

/** What the mapper keeps of a document beside its fields. */
export let stateOf: <S>(document: TrackedDocument<S>) => DocumentState;

/** For the accessors of `model()`. */
export let readField: (document: TrackedDocument<unknown>, name: string) => unknown;
/** The same for fields with references. */
export let readReferenceField: (document: TrackedDocument<unknown>, name: string) => unknown;
export let writeField: (document: TrackedDocument<unknown>, name: string, value: unknown) => void;

/**
 * What a document can do without its server: accessors for the schema's fields (defined by `model()`), what changed, and
 * atomic operators. `Document` adds what goes to the server.
 *
 * `S` is the type of its fields.
 */
export abstract class TrackedDocument<S, T = unknown> {
  declare readonly [shape]: () => S;
  declare readonly [declared]: () => T;
  declare readonly [definitionKey]: ModelDefinition;
  readonly #tracker: StateTracker<never>;
  #state: DocumentState | null = null;
  #siblings: Siblings | null = null;

  static {
    stateOf = (document) => document.#record;
    readField = (document, name) => document.#read(name);
    readReferenceField = (document, name) => document.#readReferences(name);
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
    else state.assigned.begin(this[definitionKey].storedNames(Object.keys(input)));
  }

  /**
   * The tracker of the document, under the stored names: what was read, what changed, and the update for it. Atomic operators
   * show as ordinary changes.
   */
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

  /** The documents that were read together with this one. */
  get [siblingsKey](): Siblings | null {
    return this.#siblings;
  }

  set [siblingsKey](siblings: Siblings | null) {
    this.#siblings = siblings;
  }

  /** A document is a loaded reference to itself, so it may stand wherever a reference to it is asked for. */
  get $isLoaded(): true {
    return true;
  }

  /** The document itself. */
  get $doc(): this {
    return this;
  }

  /** True as long as it was never stored. */
  get $isNew(): boolean {
    return this.#state?.isNew === true;
  }

  /** The value at a path, such as `address.city`, also of stored fields that the schema does not name. */
  get<P extends string>(path: RunTimePath<P>): unknown;
  get<P extends OwnPaths<S, T>>(path: P): ReadValue<S, P>;
  get(path: string): unknown {
    const root = this.#root();
    const value = getPath(root, path);
    if (value === undefined && this.#isPartial) checkReadable(this.#record, keysOf(root, path));
    return value;
  }

  /** Sets the value at a path, making objects on the way. `undefined` removes it. */
  set<P extends string>(path: RunTimePath<P>, value: unknown): this;
  set<P extends OwnPaths<S, T>>(path: P, value: SetValue<S, T, P>): this;
  set(path: string, value: unknown): this {
    const root = this.#root();
    if (this.#isPartial) checkAssignable(this.#record, keysOf(root, path), value);
    setPath(root, path, value);
    return this;
  }

  /** Removes the value at a path, which its schema must allow. */
  unset<P extends string>(path: RunTimePath<P>): this;
  unset<P extends OwnPaths<S, T>>(path: OwnRemovals<T, P>): this;
  unset(path: string): this {
    const root = this.#root();
    if (this.#isPartial) checkWritable(this.#record, keysOf(root, path));
    unsetPath(root, path);
    return this;
  }

  /**
   * Sets the fields that an object names, such as the body of a request, each to a copy of its value: fields of the schema
   * alone. Other keys are the model's `unknown` to decide; `_id`, times and counters are never assigned, and no method is
   * replaced. `undefined` counts as not there. Nothing is set where any key is refused. `save()` validates the values.
   *
   * ```ts
   * user.assign(request.body);
   * await user.save();
   * ```
   *
   * @throws ValidationError for keys that the model does not take.
   */
  assign(input: Assigned<S>): this {
    assign(this.#record, input, (name, value) => this.#write(name, value));
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

  /** What differs from what is stored, as precisely as possible. */
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
   * Adds to a number. Like every atomic operator it changes memory at once and waits for `save()`. Then the server applies
   * it to what is stored by that time, so what other writers did meanwhile counts too, and memory takes the result.
   *
   * Several operators of one kind on a path add up. In a new document the value is simply changed, and so is a value that
   * was set or changed in place before. Where the value is changed in another way later, the save sends what memory shows.
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
  $min<P extends PathsTo<S, Comparable>>(path: P, value: OperandAt<S, P>): this;
  $min(path: string, value: unknown): this {
    return this.#operate('$min', path, value);
  }

  /** Sets a value if it is greater than the one there, in MongoDB's order. An atomic operator, as `$inc` is. */
  $max<P extends PathsTo<S, Comparable>>(path: P, value: OperandAt<S, P>): this;
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
  $push<P extends PathsTo<S, readonly unknown[]>>(path: P, ...values: ElementsAt<S, P>): this;
  $push(path: string, ...values: unknown[]): this {
    return this.#operate('$push', path, values);
  }

  /** Adds to an array those values that are not in it. An atomic operator, as `$inc` is. */
  $addToSet<P extends PathsTo<S, readonly unknown[]>>(path: P, ...values: ElementsAt<S, P>): this;
  $addToSet(path: string, ...values: unknown[]): this {
    return this.#operate('$addToSet', path, values);
  }

  /** Removes every element of an array that equals one of the values; conditions are refused. An atomic operator, as `$inc` is. */
  $pull<P extends PathsTo<S, readonly unknown[]>>(path: P, ...values: ElementsAt<S, P>): this;
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

  /** Takes one field, or all, back to what is stored. Containers handed out before are detached from the document. */
  rollback(field?: keyof S & string): void {
    this.#record.join();
    const name = field === undefined ? undefined : this.#stored(field);
    baselineOf(this.#tracker).revert(name);
    this.#state?.forgetChanges(name);
  }

  /**
   * Keeps the fields as they are now, with the atomic operators that wait: `rollback()` of the result takes the document
   * back to that. After a save in between only memory goes back, so that the difference is a change for the next save.
   * Containers handed out before are detached from the document.
   */
  $checkpoint(): Checkpoint {
    return checkpoint(this.#record);
  }

  /**
   * A plain object with a copy of every field: defaults, and stored fields that the schema does not name, included; without
   * those that are `hidden()`.
   */
  toObject(): Flat<Plain<S>> {
    this.#adoptReferences();
    const object = this.#record.toObject();
    for (const { programName } of this[definitionKey].hiddenFields) delete object[programName];
    return object as Flat<Plain<S>>;
  }

  /**
   * A new document with copies of all fields as they are now, also of those that the schema does not name, but without the
   * times of the model's `timestamps`. An ObjectId as `_id` is a new one; any other is left to the schema's default, or to you.
   *
   * @throws UsageError where only a part of the document was loaded.
   */
  $clone(): this {
    if (this.#isPartial)
      throw new UsageError('Only a part of the document was loaded, so it cannot be cloned.', this.#record.context);
    this.#adoptDefaults();
    return new (this.constructor as new (fields: TakenFields) => this)(clonedFields(this.#record));
  }

  /** What `JSON.stringify` shows: every field, and the getters of the option `json`; 64-bit integers as strings and bytes as base64. */
  toJSON(): unknown {
    return documentJson(this, this[definitionKey], baselineOf(this.#tracker), this.toObject());
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

  #readReferences(name: string): unknown {
    const value = this.#read(name);
    if (value === undefined || value === null) return value;
    return readReferences(this.#referring, name, value);
  }

  get #referring(): Parameters<typeof readReferences>[0] {
    return { definition: this[definitionKey], baseline: baselineOf(this.#tracker), owner: this };
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
    if (state.definition.references?.has(name) === true) this.#readReferences(name);
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
      get: (name) => this.#readReferences(name),
      set: (name, value) => this.#write(name, value),
    };
  }

  #adoptDefaults(): void {
    if (this.#state !== null) this.#state.adoptDefaults();
    this.#adoptReferences();
  }

  #adoptReferences(): void {
    if (this[definitionKey].references !== null) adoptReferences(this.#referring);
  }
}
