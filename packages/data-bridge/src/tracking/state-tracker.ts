import { customInspect, type Inspect, inspectAs } from '../bson/inspect.ts';
import { setOwn } from '../bson/plain-object.ts';
import { documentSize } from '../bson/decode.ts';
import { toJsonValue } from '../bson/json.ts';
import { type BsonOptions, Layout } from '../bson/layout.ts';
import { isObject } from '../bson/bson-classes.ts';
import { typeName } from '../schema/bson-types.ts';
import { UsageError } from '../errors.ts';
import type { Baseline } from './baseline.ts';
import { BsonBaseline } from './bson-baseline.ts';
import { type Change, changesOf, diff, type Edit, type EditTree, inParallel } from '../edits/edits.ts';
import { ObjectBaseline } from './object-baseline.ts';
import { plan, type UpdatePlan } from '../update/plan.ts';

/** For the rooms above: what a tracker stands on. Not part of the public names. */
export let baselineOf: (tracker: StateTracker<never>) => Baseline;

/** For the rooms above: puts a tracker on another baseline. Not part of the public names. */
export let moveTo: (tracker: StateTracker<never>, baseline: Baseline) => void;

/**
 * Knows what changed in a document since the last `reset()`, in nested values too, without a second copy of it.
 *
 * Over a plain object nothing is copied until a field is first written or a container (object, array, Date, binary, Map)
 * is first handed out by `get`. Over BSON bytes nothing is copied at all: the bytes are the original, and a field is
 * decoded when it is first read.
 *
 * ```ts
 * const tracker = new StateTracker({ name: 'Ann', tags: ['a'] });
 * tracker.get('tags').push('b');
 * tracker.changedFields(); // ['tags']
 * tracker.toUpdate();      // { update: { $push: { tags: { $each: ['b'] } } } }
 * ```
 */
export class StateTracker<T extends object = Record<string, unknown>> {
  #baseline: Baseline;

  static {
    baselineOf = (tracker) => tracker.#baseline;
    moveTo = (tracker, baseline) => {
      tracker.#baseline = baseline;
    };
  }

  /**
   * @param data kept by reference and written in place by `set`.
   * @throws UsageError for what is no object.
   */
  constructor(data: T) {
    if (data instanceof BsonBaseline) this.#baseline = data;
    else if (isObject(data)) this.#baseline = new ObjectBaseline(data);
    else throw new UsageError(`A tracker is over an object, got ${typeName(data)}.`);
  }

  /**
   * A tracker over one BSON document, as the server sends it.
   *
   * @param bytes owned by the tracker from now on: do not write to them.
   * @param options how values are decoded, as the driver has it; `layout` is shared by documents of one collection, so
   *   that each learns from the others where its fields lie.
   * @throws UsageError for a layout together with other options.
   * @throws CorruptBsonError when the bytes are no document. Damage inside a field is found when the field is read.
   */
  static fromBson<T extends object = Record<string, unknown>>(
    bytes: Uint8Array,
    options?: BsonOptions & { readonly layout?: Layout },
  ): StateTracker<T> {
    if (!(bytes instanceof Uint8Array)) throw new UsageError(`fromBson() takes bytes, got ${typeName(bytes)}.`);
    const size = documentSize(bytes, 0);
    const baseline: unknown = new BsonBaseline(
      layoutOf(options),
      size === bytes.length ? bytes : bytes.subarray(0, size),
      0,
    );
    return new StateTracker(baseline as T);
  }

  /** The current value of a field. A container is the object itself: changing it in place is a change of the document. */
  get<K extends keyof T>(field: K): T[K] {
    return this.#baseline.get(field as string) as T[K];
  }

  /** Sets a field. `undefined` removes it. Setting it back to an equal value makes it unmodified again. */
  set<K extends keyof T>(field: K, value: T[K]): void {
    this.#baseline.set(field as string, value);
  }

  /** Removes a field. */
  delete(field: keyof T): void {
    this.#baseline.set(field as string, undefined);
  }

  /** True where there is a field of this name now. One that holds `undefined` counts as absent. */
  has(field: keyof T): boolean {
    return this.#baseline.has(field as string);
  }

  /** The names of the fields in document order, new ones last. */
  keys(): string[] {
    return this.#baseline.names();
  }

  /** True where this field, or any, differs from the original. Nothing is decoded to find out. */
  isModified(field?: keyof T): boolean {
    if (field !== undefined) return this.#baseline.differs(field as string);
    return this.#baseline.isModified();
  }

  /** The names of the fields that differ from the original. */
  changedFields(): string[] {
    const names: string[] = [];
    this.#baseline.eachChange((name) => names.push(name));
    return names;
  }

  /** The changed fields with their current values; a removed one is `undefined`. */
  getChanges(): Partial<T> {
    const changes = {};
    this.#baseline.eachChange((name, value) => setOwn(changes, name, value));
    return changes;
  }

  /** A fresh copy of the value at the last reset, `undefined` if there was none. */
  getOriginal<K extends keyof T>(field: K): T[K] | undefined {
    return this.#baseline.original(field as string) as T[K] | undefined;
  }

  /** What changed, as precisely as possible: a member of a nested object, an element of an array. */
  changes(): Change[] {
    const tree = treeOf(this.#baseline);
    return tree === null ? [] : changesOf(tree, (exact, keys) => this.#baseline.live(exact, keys));
  }

  /**
   * The smallest update that brings the stored document to the current values, or `null` when nothing changed.
   *
   * @throws EncodeError when a changed value cannot be stored.
   */
  toUpdate(): UpdatePlan | null {
    const tree = treeOf(this.#baseline);
    return tree === null ? null : plan(tree);
  }

  /**
   * Makes the current values the original.
   *
   * @throws EncodeError when a changed value cannot be stored; nothing is reset then.
   */
  reset(): void {
    const tree = treeOf(this.#baseline);
    if (tree !== null) this.#baseline.settle(tree);
  }

  /** Takes one field, or all, back to the original. Containers handed out before are detached from the document. */
  rollback(field?: keyof T): void {
    this.#baseline.revert(field as string | undefined);
  }

  /** A plain object with a copy of every current value. */
  toObject(): T {
    return this.#baseline.toObject() as T;
  }

  /** What `JSON.stringify` shows: the current values, 64-bit integers as strings and bytes as base64. */
  toJSON(): unknown {
    return toJsonValue(this.toObject());
  }

  [customInspect](_depth: number, options: object, inspect?: Inspect): string {
    const changed = this.changedFields();
    return inspectAs('StateTracker', { modified: changed.length > 0, changed }, options, inspect);
  }
}

function layoutOf(options: (BsonOptions & { readonly layout?: Layout }) | undefined): Layout {
  if (options?.layout === undefined) return Layout.shared(options);
  const { layout, ...own } = options;
  if (Object.keys(own).length > 0)
    throw new UsageError('fromBson() takes a layout, which has options of its own, or options: not both.');
  return layout;
}

/**
 * The edits since the last reset, with everything that will be sent copied; `null` when there are none.
 *
 * @param programName what errors call a field.
 */
export function treeOf(baseline: Baseline, programName?: (name: string) => string): EditTree | null {
  const children = new Map<string, Edit>();
  const general = generalDiff(baseline, programName);
  const take = (name: string, edit: Edit | null): void => {
    if (edit !== null) children.set(name, edit);
  };
  if (baseline instanceof BsonBaseline) baseline.eachEdit(general, take);
  else baseline.eachChange((name, value) => take(name, general(name, value)));
  return children.size === 0 ? null : { kind: 'object', children: inParallel(children) };
}

/**
 * The same field by field, for those who may change values before they are sent.
 *
 * @param isLater true for fields whose edit is made later, by `editOf`.
 * @returns null for those, and for what cannot be stored as it is.
 */
export function editsOf(
  baseline: Baseline,
  isLater: (name: string) => boolean,
  programName?: (name: string) => string,
): Map<string, Edit | null> {
  const edits = new Map<string, Edit | null>();
  const general = generalDiff(baseline, programName);
  const makeEdit = (name: string, value: unknown): Edit | null => {
    try {
      return general(name, value);
    } catch {
      // It is thrown again where the edit is asked for.
      edits.set(name, null);
      return null;
    }
  };
  if (baseline instanceof BsonBaseline) baseline.eachEdit(makeEdit, (name, edit) => edits.set(name, edit), isLater);
  else baseline.eachChange((name, value) => edits.set(name, isLater(name) ? null : makeEdit(name, value)));
  return edits;
}

/** The edit of one field, with everything that will be sent copied; `null` where it equals its original. */
export function editOf(baseline: Baseline, name: string, programName?: (name: string) => string): Edit | null {
  const general = generalDiff(baseline, programName);
  if (baseline instanceof BsonBaseline) return baseline.editOf(name, general);
  return baseline.differs(name) ? general(name, baseline.current(name)) : null;
}

function generalDiff(
  baseline: Baseline,
  programName?: (name: string) => string,
): (name: string, value: unknown) => Edit | null {
  return (name, value) => {
    const keys = [programName?.(name) ?? name];
    return diff(baseline.exact(name), value, keys, baseline.promotesBuffers, baseline.identities?.at(name));
  };
}
