import type { BSON } from 'mongodb';
import { copyValue } from '../bson/copy.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { ABSENT, LateBytes } from '../bson/encode.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { Unscoped } from '../definition/extension.ts';
import type { Concurrency } from '../definition/model-options.ts';
import { equalValues } from '../bson/equal-values.ts';
import { type ErrorContext, UsageError } from '../errors.ts';
import { type DocumentFilter, documentFilter } from './document-filter.ts';
import { AssignedFields } from './assigned-fields.ts';
import { OperationQueue } from './operation-queue.ts';
import type { PlannedEntry } from './planned-entry.ts';
import {
  findObstacle,
  joinTransaction,
  type KeptState,
  type Participant,
  type TransactionPart,
} from './transaction-part.ts';
import type { Baseline } from '../tracking/baseline.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import type { Edit, EditTree, Keys } from '../edits/edits.ts';
import { TakenOver } from './taken-over.ts';
import type { GuardFilter } from '../update/shape-guards.ts';
import type { UpdatePlan } from '../update/plan.ts';
import { equalOrBothUndefined, type PendingAtomic } from '../tracking/pending-operators.ts';
import { baselineOf, moveTo, type StateTracker } from '../tracking/state-tracker.ts';

/** What one save writes: fixed when it is planned, so that later changes of the document are left for the next one. */
export type Write = InsertWrite | UpdateWrite;

export interface InsertWrite {
  readonly kind: 'insert';
  readonly document: BSON.Document;
  /** What the recorder notes of it; undefined where it notes nothing. */
  readonly entry: PlannedEntry | undefined;
}

export interface UpdateWrite {
  readonly kind: 'update';
  readonly filter: DocumentState['filter'];
  readonly tree: EditTree;
  /** The fields that the mapper itself writes: the time of the update, and the version. */
  readonly stamped: readonly string[];
  /** True where the server tells what the operators left, since others may have written there, too. */
  readonly reads: boolean;
  /** What the stored document must hold besides; null where the update fits any. */
  readonly conditions: WriteConditions | null;
  /** What the recorder notes of it; undefined where it notes nothing. */
  readonly entry: PlannedEntry | undefined;
}

/** Under which conditions a document is written. */
export interface WriteConditions {
  readonly concurrency: Concurrency;
  /** Paths that must be as they were read: those that the save asked for, and the version. */
  readonly guardedPaths: readonly Keys[];
  /** Both, and what `concurrency` asks of the edits, as a filter. */
  readonly filter: GuardFilter;
  /** Strings are compared as they are, whatever the collection's own collation takes for equal. */
  readonly collation: UpdatePlan['collation'];
  /** True where the update is to be a pipeline, which fits any shape. */
  readonly asPipeline: boolean;
}

/** What the fields of a document were at some time. */
export interface KeptFields {
  readonly baseline: Baseline;
  readonly assigned: readonly string[];
  /** Takes the document back. It can be called again. */
  restore(): void;
}

/** A default that a document handed out for a field that is not stored, and a copy to see whether it was changed. */
export interface HandedDefault {
  readonly value: unknown;
  readonly original: unknown;
}

/**
 * How far the writing of a document has come. Only `DocumentState` changes it, by its transitions; it is what a
 * transaction that is taken back puts back, beside the fields.
 */
interface Progress {
  readonly isNew: boolean;
  readonly isDeleted: boolean;
  /** What the last save wrote: of an insert the document's bytes, which the baseline has too. */
  readonly lastSaved: EditTree | LateBytes | null;
  /** Atomic operators that wait for a save. */
  readonly pending: readonly PendingAtomic[];
  /** Those in the write that is under way, or whose answer did not come. */
  readonly sent: readonly PendingAtomic[];
  /** What the save under way writes, or one of which nobody knows what became of it. */
  readonly writing: EditTree | null;
  /** A write whose answer did not come. */
  readonly unanswered: Write | null;
  /** True when it was written in a transaction of which nobody knows whether it was committed. */
  readonly inDoubt: boolean;
}

/**
 * What the mapper keeps of a document beside its fields. Documents that are only read have none, so it is made when a
 * document is new, is written or is saved.
 */
export class DocumentState implements Progress, Participant {
  readonly definition: ModelDefinition;
  readonly tracker: StateTracker<never>;
  /** The document itself: others of its class are made as it was. */
  readonly owner: object;
  readonly isNew: boolean;
  readonly isDeleted: boolean = false;
  readonly lastSaved: EditTree | LateBytes | null = null;
  readonly pending: readonly PendingAtomic[] = [];
  readonly sent: readonly PendingAtomic[] = [];
  readonly writing: EditTree | null = null;
  readonly unanswered: Write | null = null;
  readonly inDoubt: boolean = false;
  /** Fields that were assigned as a whole and not validated since: their schema's output is still to be taken over. */
  readonly assigned = new AssignedFields();
  readonly takenOver = new TakenOver();
  /** The defaults that were handed out; null when there are none. */
  defaults: Map<string, HandedDefault> | null = null;
  /** What a clone took over: those of its fields that the schema does not name are no mistakes. */
  kept: ReadonlySet<string> | null = null;
  /** True for a document that is stored again after its deletion. */
  isRestored = false;
  /** Which scopes the operation that runs now leaves out. */
  unscoped: Unscoped | undefined;
  /** True when the program's own code, run in the midst of an operation, assigned a field. */
  disturbed = false;
  readonly operations = new OperationQueue();
  part: TransactionPart | null = null;

  constructor(definition: ModelDefinition, tracker: StateTracker<never>, owner: object, isNew: boolean) {
    this.definition = definition;
    this.tracker = tracker;
    this.owner = owner;
    this.isNew = isNew;
  }

  get baseline(): Baseline {
    return baselineOf(this.tracker);
  }

  /** The model's name and the document's `_id`, for errors. */
  get context(): ErrorContext {
    return this.definition.contextOf(this.baseline.current('_id') ?? this.baseline.original('_id'));
  }

  /** The filter that finds the stored document, where it is in the scopes that hold now. @throws what a scope throws. */
  get filter(): DocumentFilter {
    return documentFilter(this);
  }

  /** A stored value with its keys in their order, which counts where whole objects are compared. */
  ordered(name: string): unknown {
    const { baseline } = this;
    const value = baseline.exact(name);
    const hasKeys = isPlainObject(value) || Array.isArray(value);
    return hasKeys && baseline instanceof BsonBaseline ? baseline.ordered(name) : value;
  }

  /** What the last save wrote, as edits. */
  lastEdits(): EditTree | null {
    if (!(this.lastSaved instanceof LateBytes)) return this.lastSaved;
    const inserted = BsonBaseline.late(this.definition.layout(), this.lastSaved);
    const names = inserted.names().filter((name) => !this.definition.isRevision(name));
    const edits = names.map((name): [string, Edit] => {
      return [name, { kind: 'set', base: ABSENT, value: inserted.exact(name) }];
    });
    return { kind: 'object', children: new Map(edits) };
  }

  /** A field that is not stored reads as its schema's default, the same one each time; it may be changed in place. */
  readDefault(name: string): unknown {
    const handed = this.defaults?.get(name);
    if (handed !== undefined) return handed.value;
    const value = this.definition.fields.get(name)?.defaultValue();
    if (value !== undefined) (this.defaults ??= new Map()).set(name, { value, original: copyValue(value) });
    return value;
  }

  /** A default that was handed out and changed in place becomes a value of the document. */
  adoptDefaults(): void {
    this.defaults?.forEach(({ value, original }, name, defaults) => {
      if (equalValues(original, value)) return;
      this.baseline.set(name, value);
      defaults.delete(name);
    });
  }

  /** A copy of every field that was loaded, defaults included, under the program's names. */
  toObject(): Record<string, unknown> {
    const object = this.baseline.toObject();
    for (const name of this.definition.fields.keys()) {
      if (Object.hasOwn(object, name)) continue;
      if (this.baseline.selection !== null && this.baseline.selection.at([name]) !== 'whole') continue;
      const value = this.readDefault(name);
      if (value !== undefined) setOwn(object, name, copyValue(value));
    }
    return this.definition.programFields(object);
  }

  /** @throws UsageError where the program changed what it may not: the `_id` of a stored document, what counts its writes, or is written once. */
  checkOwn(name: string): void {
    if (name === '_id' && !this.isNew) {
      const text = 'The _id of a stored document cannot be changed: insert a new document and delete this one.';
      throw new UsageError(text, this.context);
    }
    if (!this.isNew && this.definition.writeOnce.includes(name) && this.baseline.exact(name) !== ABSENT)
      throw new UsageError(
        `"${this.definition.programName(name)}" is written once: it cannot be changed.`,
        this.context,
      );
    if (name === this.definition.typeKey)
      throw new UsageError(`"${name}" says of which class a document is: it cannot be set.`, this.context);
    if (name === this.definition.version || this.definition.isRevision(name))
      throw new UsageError(`"${name}" counts the writes of the document: it cannot be set.`, this.context);
  }

  /** Sets a field's value. */
  set(name: string, value: unknown): void {
    if (this.operations.isCalling && !equalOrBothUndefined(this.baseline.current(name), value)) this.disturbed = true;
    this.baseline.set(name, value);
    this.defaults?.delete(name);
  }

  /** Forgets what was noted of one field's changes, or of all: they were rolled back. */
  forgetChanges(field?: string): void {
    this.#progress.pending = this.pending.filter(({ keys }) => field !== undefined && keys[0] !== field);
    if (!this.isNew) this.takenOver.forget(field);
    const isOther = (name: string): boolean => field !== undefined && name !== field;
    if (field === undefined) this.defaults = null;
    else this.defaults?.delete(field);
    // A new document goes back to what it was made of, which is still to be validated.
    if (!this.isNew) this.assigned.keep(isOther);
  }

  // ── transitions ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The operators that wait, and those under way, are others now. */
  setOperators(pending: readonly PendingAtomic[], sent = this.sent): void {
    const progress = this.#progress;
    progress.pending = pending;
    progress.sent = sent;
  }

  /** A save was planned: operators that waited go with it. */
  planned(tree: EditTree | null, atomics: readonly PendingAtomic[]): void {
    const progress = this.#progress;
    progress.sent = atomics;
    progress.pending = [];
    progress.writing = tree;
  }

  /** The write that was planned is laid on a newer document. */
  replanned(tree: EditTree): void {
    if (this.writing !== null) this.#progress.writing = tree;
  }

  /** The write that was planned is not under way any more: it was not sent, or refused, or is to be planned anew. */
  withdrawn(): void {
    this.#progress.writing = null;
  }

  /** What became of the write without an answer is known now. */
  answered(): void {
    this.#progress.unanswered = null;
  }

  /** The write was sent, and nobody knows what became of it. */
  unansweredBy(write: Write): void {
    this.#progress.unanswered = write;
  }

  /** The write was done. @param saved what it wrote. */
  settled(saved: EditTree | LateBytes): void {
    const progress = this.#progress;
    progress.isNew = false;
    progress.lastSaved = saved;
    progress.writing = null;
    progress.unanswered = null;
  }

  /** The stored document was deleted. */
  deleted(): void {
    this.#progress.isDeleted = true;
  }

  doubted(): void {
    this.#progress.inDoubt = true;
  }

  /** What became of a transaction of which nobody knew is known now. */
  decided(): void {
    this.#progress.inDoubt = false;
  }

  /** The document was read again: nothing that was noted since it was read before counts any more. */
  reread(): void {
    Object.assign(this.#progress, UNTOUCHED);
    this.assigned.clear();
    this.takenOver.forget();
    this.defaults = null;
  }

  get #progress(): Mutable<Progress> {
    return this;
  }

  // ── transactions ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes part in the transaction around the call, if there is one. @throws UsageError while others are busy with the document. */
  join(isReading = false): void {
    joinTransaction(this, isReading);
  }

  keep(): KeptState {
    const { isNew, isDeleted, lastSaved, pending, sent, writing, unanswered, inDoubt } = this;
    const progress: Progress = { isNew, isDeleted, lastSaved, pending, sent, writing, unanswered, inDoubt };
    const { restore } = this.keepFields();
    return {
      restore: () => {
        Object.assign(this.#progress, progress);
        restore();
      },
      isWritten: () => this.lastSaved !== lastSaved || this.isDeleted !== isDeleted,
    };
  }

  /** Keeps what the program sees and changed: only what differs from what is stored is copied. */
  keepFields(): KeptFields {
    const baseline = this.baseline.copy();
    const { pending } = this;
    const assigned = this.assigned.list();
    const defaults = copiesOf(this.defaults);
    const restoreSettled = this.takenOver.keep();
    const restore = (): void => {
      moveTo(this.tracker, baseline.copy());
      this.#progress.pending = pending;
      this.assigned.begin(assigned);
      restoreSettled();
      this.defaults = copiesOf(defaults);
    };
    return { baseline, assigned, restore };
  }

  // ── operations ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs an operation on the stored document after those that were started before it. @param operation must not throw but reject. */
  queue<R>(name: string, operation: () => Promise<R>): Promise<R> {
    return DocumentState.queueAll([this], name, operation);
  }

  /** Runs one operation on several documents, after those that were started on any of them before it. */
  static queueAll<R>(states: readonly DocumentState[], name: string, operation: () => Promise<R>): Promise<R> {
    for (const state of states) {
      const obstacle = whyStuck(name, state.operations) ?? findObstacle(state);
      if (obstacle !== null) return Promise.reject(new UsageError(obstacle, state.context));
    }
    for (const state of states) state.join();
    return OperationQueue.run(
      states.map(({ operations }) => operations),
      operation,
    );
  }
}

/** Why an operation on a document could never begin where the call is; null where it can. */
function whyStuck(name: string, operations: OperationQueue): string | null {
  if (operations.isInside)
    return `${name}() was called from inside a save or a deletion of the same document, so it would wait for itself.`;
  return operations.waitsForCaller
    ? `${name}() was called from inside a save or a deletion that another operation on this document waits for in its own hooks, so neither could go on: save such documents one after another, or together by saveAll().`
    : null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The progress of a document that was just read. */
const UNTOUCHED: Omit<Progress, 'lastSaved'> = {
  isNew: false,
  isDeleted: false,
  pending: [],
  sent: [],
  writing: null,
  unanswered: null,
  inDoubt: false,
};

function copiesOf(defaults: ReadonlyMap<string, HandedDefault> | null): Map<string, HandedDefault> | null {
  if (defaults === null) return null;
  const copies = [...defaults].map(
    ([name, { value, original }]) => [name, { value: copyValue(value), original }] as const,
  );
  return new Map(copies);
}
