import { AsyncLocalStorage } from 'node:async_hooks';
import type { BSON } from 'mongodb';
import { currentAttempt, type Member, type TransactionAttempt } from '../connection/transaction-attempt.ts';
import { copyValue } from '../bson/copy.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { ABSENT, LateBytes, memberOf } from '../bson/encode.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { Concurrency } from '../definition/model-options.ts';
import { equalValues } from '../bson/equal-values.ts';
import { type ErrorContext, UsageError } from '../errors.ts';
import { AssignedFields } from './assigned-fields.ts';
import type { PlannedEntry } from './planned-entry.ts';
import type { Baseline } from '../tracking/baseline.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import type { Edit, EditTree, Keys } from '../edits/edits.ts';
import type { GuardFilter } from '../update/shape-guards.ts';
import type { UpdatePlan } from '../update/plan.ts';
import { equalOrBothUndefined, type PendingAtomic } from '../tracking/pending-operators.ts';
import { baselineOf, moveTo, type StateTracker } from '../tracking/state-tracker.ts';

/** What one save writes: fixed when it is planned, so that later changes of the document are left for the next one. */
export type Write =
  | { readonly kind: 'insert'; readonly document: BSON.Document; readonly entry?: PlannedEntry }
  | {
      readonly kind: 'update';
      readonly filter: DocumentState['filter'];
      readonly tree: EditTree;
      /** The fields that the mapper itself writes: the time of the update, and the version. */
      readonly stamped: readonly string[];
      /** True where the server tells what the operators left, since others may have written there, too. */
      readonly reads: boolean;
      /** What the stored document must hold besides; null where the update fits any. */
      readonly conditions: WriteConditions | null;
      /** Of a model whose history is kept. */
      readonly entry?: PlannedEntry;
    };

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

/** One operation on a stored document, or on several. */
interface Operation {
  isOver: boolean;
}

/** What the fields of a document were at some time. */
export interface KeptFields {
  readonly baseline: Baseline;
  readonly assigned: readonly string[];
  /** Takes the document back. It can be called again. */
  restore(): void;
}

/** A document's part in a transaction. */
interface Part extends Member {
  readonly attempt: TransactionAttempt;
  /** True when more was done than reading. */
  isFirm: boolean;
}

/** The operations that the current chain of calls is in, or was started from. On Node 20 its first use slows every promise of the process. */
const busy = new AsyncLocalStorage<ReadonlySet<Operation>>();

/** A default that a document handed out for a field that is not stored, and a copy to see whether it was changed. */
export interface HandedDefault {
  readonly value: unknown;
  readonly original: unknown;
}

/**
 * What the mapper keeps of a document beside its fields. Documents that are only read have none, so it is made when a
 * document is new, is written or is saved.
 */
export class DocumentState {
  readonly definition: ModelDefinition;
  readonly tracker: StateTracker<never>;
  /** The document itself: others of its class are made as it was. */
  readonly owner: object;
  isNew: boolean;
  isDeleted = false;
  /** What the last save wrote: of an insert the document's bytes, which the baseline has too. */
  lastSaved: EditTree | LateBytes | null = null;
  /** Atomic operators that wait for a save. */
  pending: readonly PendingAtomic[] = [];
  /** Those in the write that is under way, or whose answer did not come. */
  sent: readonly PendingAtomic[] = [];
  /** What the save under way writes, or one of which nobody knows what became of it. */
  writing: EditTree | null = null;
  /** A write whose answer did not come. */
  unanswered: Write | null = null;
  /** True when it was written in a transaction of which nobody knows whether it was committed. */
  inDoubt = false;
  /** Fields that were assigned as a whole and not validated since: their schema's output is still to be taken over. */
  readonly assigned = new AssignedFields();
  /** The defaults that were handed out; null when there are none. */
  defaults: Map<string, HandedDefault> | null = null;
  /** What a clone took over: those of its fields that the schema does not name are no mistakes. */
  kept: ReadonlySet<string> | null = null;
  /** True when the program's own code, run in the midst of an operation, assigned a field. */
  disturbed = false;
  /** The end of the operations that were started; null when none is under way. */
  #tail: Promise<void> | null = null;
  #calling = false;
  /** What runs now, or ran last. */
  #operation: Operation = { isOver: true };
  /** The transaction that it takes part in. */
  #part: Part | null = null;

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
    return { model: this.definition.collectionName, id: this.baseline.current('_id') ?? this.baseline.original('_id') };
  }

  /** The filter that finds the stored document: its `_id` as it is stored, and what the collection is sharded by. */
  get filter(): { readonly [name: string]: unknown; readonly _id: unknown } {
    const _id = this.ordered('_id');
    if (_id === ABSENT)
      throw new UsageError('The document was loaded without its _id, so it cannot be found again.', this.context);
    const { selection } = this.baseline;
    if (!this.definition.shardKey.every((path) => (selection?.at(path.split('.')) ?? 'whole') === 'whole'))
      throw new UsageError('The document was loaded without its shard key, so it cannot be found again.', this.context);
    const { shardKey } = this.definition;
    if (shardKey.length === 0) return { _id };
    const shard = shardKey.map((path) => [path, this.#stored(path)] as const);
    return { _id, ...Object.fromEntries(shard) };
  }

  /** The stored value at a path of the shard key. A missing one is found, and routed, as null. */
  #stored(path: string): unknown {
    const [name = '', ...keys] = path.split('.');
    const value = keys.reduce<unknown>((outer, key) => memberOf(outer, key), this.ordered(name));
    return value === ABSENT ? null : value;
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

  /** @throws UsageError where the program changed what it may not: the `_id` of a stored document, or what counts its writes. */
  checkOwn(name: string): void {
    if (name === '_id' && !this.isNew) {
      const text = 'The _id of a stored document cannot be changed: insert a new document and delete this one.';
      throw new UsageError(text, this.context);
    }
    if (name === this.definition.version || this.definition.isRevision(name))
      throw new UsageError(`"${name}" counts the writes of the document: it cannot be set.`, this.context);
  }

  /** Sets a field's value. */
  set(name: string, value: unknown): void {
    if (this.#calling && !equalOrBothUndefined(this.baseline.current(name), value)) this.disturbed = true;
    this.baseline.set(name, value);
    this.defaults?.delete(name);
  }

  /** Forgets what was noted of one field's changes, or of all: they were rolled back. */
  forgetChanges(field?: string): void {
    this.pending = this.pending.filter(({ keys }) => field !== undefined && keys[0] !== field);
    const isOther = (name: string): boolean => field !== undefined && name !== field;
    if (field === undefined) this.defaults = null;
    else this.defaults?.delete(field);
    // A new document goes back to what it was made of, which is still to be validated.
    if (!this.isNew) this.assigned.keep(isOther);
  }

  /** Forgets all that was noted since the document was read: it was read again. */
  forget(): void {
    this.isNew = false;
    this.isDeleted = false;
    this.inDoubt = false;
    this.unanswered = null;
    this.pending = [];
    this.sent = [];
    this.writing = null;
    this.assigned.clear();
    this.defaults = null;
  }

  // ── transactions ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes part in the transaction around the call, if there is one, from now on until that is over.
   *
   * @param isReading true where a value was handed out that may be changed in place. It need not be, so whoever does
   *   more comes first.
   * @throws UsageError while others are busy with the document.
   */
  join(isReading = false): void {
    const attempt = currentAttempt();
    if (attempt !== undefined && this.#part?.attempt === attempt) {
      this.#part.isFirm ||= !isReading;
      return;
    }
    const obstacle = this.#findObstacle();
    if (isReading && (this.#part !== null || obstacle !== null)) return;
    if (attempt === undefined || attempt.isOver) {
      if (obstacle === null) this.#part = null;
      return;
    }
    if (obstacle !== null) throw new UsageError(obstacle, this.context);
    this.#part = this.#takePart(attempt, !isReading);
    attempt.join(this.#part);
  }

  /** Why nothing may be done with it now where the call is, because of a transaction; null where it may. */
  #findObstacle(): string | null {
    const attempt = currentAttempt();
    if (this.#part?.attempt === attempt) return null;
    if (this.#part?.isFirm === true)
      return 'The document takes part in a transaction that is under way: do this inside of its callback, or when it is over.';
    return attempt === undefined || attempt.isOver || this.#tail === null
      ? null
      : 'An operation on the document began before the transaction and is not over: await it first.';
  }

  #takePart(attempt: TransactionAttempt, isFirm: boolean): Part {
    const restore = this.#keep();
    const { lastSaved, isDeleted } = this;
    const part: Part = {
      attempt,
      isFirm,
      idle: async () => {
        await this.#tail;
      },
      leave: (fate) => {
        if (this.#part !== part) return;
        this.#part = null;
        if (fate === 'restored') restore();
        if (fate === 'unknown') this.inDoubt ||= this.lastSaved !== lastSaved || this.isDeleted !== isDeleted;
      },
    };
    return part;
  }

  /** Gives what puts it back as it is now. */
  #keep(): () => void {
    const fields = { ...this };
    const { restore } = this.keepFields();
    return () => {
      Object.assign(this, fields);
      restore();
    };
  }

  /** Keeps what the program sees and changed: only what differs from what is stored is copied. */
  keepFields(): KeptFields {
    const baseline = this.baseline.copy();
    const { pending } = this;
    const assigned = this.assigned.list();
    const defaults = copiesOf(this.defaults);
    const restore = (): void => {
      moveTo(this.tracker, baseline.copy());
      this.pending = pending;
      this.assigned.begin(assigned);
      this.defaults = copiesOf(defaults);
    };
    return { baseline, assigned, restore };
  }

  // ── the queue ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs an operation on the stored document after those that were started before it. @param operation must not throw but reject. */
  queue<R>(name: string, operation: () => Promise<R>): Promise<R> {
    return DocumentState.queueAll([this], name, operation);
  }

  /**
   * Runs one operation on several documents, after those that were started on any of them before it. It takes its place
   * in all their queues at once, so that two of them with documents in common never wait for each other.
   */
  static queueAll<R>(states: readonly DocumentState[], name: string, operation: () => Promise<R>): Promise<R> {
    let tails: Set<Promise<void>> | null = null;
    for (const state of states) {
      const obstacle = state.#isInside()
        ? `${name}() was called from inside a save of the same document, so it would wait for itself.`
        : state.#findObstacle();
      if (obstacle !== null) return Promise.reject(new UsageError(obstacle, state.context));
      if (state.#tail !== null) (tails ??= new Set()).add(state.#tail);
    }
    for (const state of states) state.join();
    const current: Operation = { isOver: false };
    const perform = (): Promise<R> => {
      for (const state of states) state.#operation = current;
      return operation();
    };
    const run = tails === null ? perform() : Promise.all(tails).then(perform);
    // This is told before whoever called: each promise costs, so it is the only one here.
    const finish = (): void => {
      current.isOver = true;
      for (const state of states) if (state.#tail === tail) state.#tail = null;
    };
    const tail: Promise<void> = run.then(finish, finish);
    for (const state of states) state.#tail = tail;
    return run;
  }

  /** True where the current chain of calls is part of what runs on this document now. */
  #isInside(): boolean {
    return this.#calling || (!this.#operation.isOver && busy.getStore()?.has(this.#operation) === true);
  }

  /** Runs the program's own code in the midst of an operation, so that `queue` knows when it is called from there. */
  call<R>(code: () => R): R {
    this.#calling = true;
    try {
      return code();
    } finally {
      this.#calling = false;
    }
  }

  /** The same for code that waits: what it does later is inside too. */
  inside<R>(code: () => R): R {
    return busy.run(new Set(busy.getStore()).add(this.#operation), code);
  }
}

function copiesOf(defaults: ReadonlyMap<string, HandedDefault> | null): Map<string, HandedDefault> | null {
  if (defaults === null) return null;
  const copies = [...defaults].map(
    ([name, { value, original }]) => [name, { value: copyValue(value), original }] as const,
  );
  return new Map(copies);
}
