import type { BSON, DeleteOptions, DeleteResult, FindOneAndUpdateOptions, UpdateOptions, UpdateResult } from 'mongodb';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { DocumentState, InsertWrite, UpdateWrite, Write } from '../document/document-state.ts';
import type { PlannedEntry } from '../document/planned-entry.ts';
import { type Answer, type Update, update, updateAndRead } from '../document/stored-commands.ts';
import type { EditTree } from '../edits/edits.ts';
import { UsageError } from '../errors.ts';
import type { Baseline } from '../tracking/baseline.ts';

/** A filter as it is sent. */
export type SentFilter = Readonly<Record<string, unknown>>;

/** A write of the first document that matches a filter. */
export type OneWrite =
  | {
      readonly kind: 'update';
      readonly update: BSON.Document | BSON.Document[];
      /** The `_id` that the update gives a new document, where that stands neither in its operators nor in the filter. */
      readonly id?: unknown;
    }
  | { readonly kind: 'replace'; readonly replacement: BSON.Document }
  | { readonly kind: 'delete' };

/** An operation of a bulk write: as which of the driver's it is sent, and its parts. */
export interface BulkOperation<N extends string> {
  readonly sentAs: N;
  readonly parts: BSON.Document;
}

/** A planned write and its document. */
export interface PlannedState {
  readonly state: DocumentState;
  readonly write: Write;
}

/** Writes that were announced, and are sent together. */
export interface WriteBatch {
  /** An insert was done by a command for many. */
  inserted(write: InsertWrite): void;
  /** A write was not done. */
  dropped(write: Write): void;
  /** Called when all were sent. Gives what failed after the write itself was done. */
  finish(): Promise<ReadonlyMap<Write, unknown>>;
}

/**
 * What stands around the writes of a model's documents: nothing, or a history that has an entry for each. Every write of
 * the mapper goes through its model's recorder, so no other place needs to know which one that is.
 */
export interface Recorder {
  /** True where each new document must come through its own state, whatever the program gave. */
  readonly needsDocuments: boolean;

  // ── documents ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Gives a document that is to be inserted what it carries. Asked only where it needs documents. */
  planInsert(document: BSON.Document): PlannedEntry | undefined;
  planUpdate(): PlannedEntry | undefined;
  /** @param insert sends the document. */
  insert(state: DocumentState, write: InsertWrite, options: UpdateOptions, insert: () => Promise<void>): Promise<void>;
  /** @param send sends the update by the way that it is given. */
  update(
    state: DocumentState,
    write: UpdateWrite,
    options: UpdateOptions,
    send: (by: Update) => Promise<Answer | null>,
  ): Promise<Answer | null>;
  /** Gives the edits of a save that was done, with what the document carries since. */
  settled(state: DocumentState, tree: EditTree, stored: Baseline): EditTree;
  /**
   * Called before writes of one model are sent together: inserts by one command, which `insert` does not see, and each
   * update by `update`. Gives what must be told of them, and done after them; null where that is nothing.
   */
  announce(
    definition: ModelDefinition,
    writes: readonly PlannedState[],
    options: Pick<UpdateOptions, 'session' | 'writeConcern'>,
  ): Promise<WriteBatch | null>;
  /** Deletes a document. False when there was none. */
  delete(state: DocumentState, filter: object, options: DeleteOptions): Promise<boolean>;

  // ── documents that match a filter ─────────────────────────────────────────────────────────────────────────────────

  /** @throws UsageError where the option `history` has no place at a method that writes one document. */
  checkOne(definition: ModelDefinition, method: string, history: unknown): void;
  updateOne(
    definition: ModelDefinition,
    filter: SentFilter,
    write: Exclude<OneWrite, { kind: 'delete' }>,
    options: UpdateOptions,
  ): Promise<UpdateResult>;
  deleteOne(definition: ModelDefinition, filter: SentFilter, options: DeleteOptions): Promise<DeleteResult>;
  /** Gives the document's bytes as they were, or as they are with `returnDocument: 'after'`. */
  findAndWrite(
    definition: ModelDefinition,
    filter: SentFilter,
    write: OneWrite,
    options: FindOneAndUpdateOptions,
  ): Promise<Uint8Array | null>;
  /** @throws UsageError where a method that writes many documents needs the option `history`, or has a wrong one. */
  checkMany(definition: ModelDefinition, method: string, history: unknown): void;
  /** An update of many documents as it is sent. */
  manyUpdate(update: BSON.Document): BSON.Document;
  /** An operation of a bulk write as it is sent. */
  bulkOperation<N extends string>(
    definition: ModelDefinition,
    operation: BulkOperation<N>,
    options: Pick<UpdateOptions, 'session' | 'writeConcern'>,
  ): Promise<BulkOperation<N | 'updateOne'>>;
}

/** Records nothing: writes are sent as they are. */
const PLAIN: Recorder = {
  needsDocuments: false,
  planInsert: () => undefined,
  planUpdate: () => undefined,
  insert: (_state, _write, _options, insert) => insert(),
  update: (_state, { reads, tree }, _options, send) => send(reads ? updateAndRead(tree) : update),
  settled: (_state, tree) => tree,
  announce: () => Promise.resolve(null),
  delete: async ({ definition }, filter, options) =>
    (await definition.collection().deleteOne(filter, options)).deletedCount > 0,
  checkOne: checkHistoryOption,
  updateOne(definition, filter, write, options) {
    const collection = definition.collection();
    return write.kind === 'replace'
      ? collection.replaceOne(filter, write.replacement, options)
      : collection.updateOne(filter, write.update, options);
  },
  deleteOne: (definition, filter, options) => definition.collection().deleteOne(filter, options),
  async findAndWrite(definition, filter, write, options) {
    const collection = definition.collection();
    const sent = { ...options, raw: true, includeResultMetadata: false } as object;
    const found: unknown = await (write.kind === 'delete'
      ? collection.findOneAndDelete(filter, sent)
      : write.kind === 'replace'
        ? collection.findOneAndReplace(filter, write.replacement, sent)
        : collection.findOneAndUpdate(filter, write.update, sent));
    return found as Uint8Array | null;
  },
  checkMany: checkHistoryOption,
  manyUpdate: (sent) => sent,
  bulkOperation: (_definition, operation) => Promise.resolve(operation),
};

/** Programs may say that no entries are written, also where a model keeps no history. */
function checkHistoryOption(definition: ModelDefinition, method: string, history: unknown): void {
  if (history === undefined || history === false) return;
  throw new UsageError(`${method}() takes { history: false } alone: it writes no entries.`, definition.context);
}

/** @throws UsageError for a write concern by which the server gives no answer, where that is needed. */
export function checkAnswered(definition: ModelDefinition, options: Pick<UpdateOptions, 'writeConcern'>): void {
  const { w } = options.writeConcern ?? definition.collection().writeConcern ?? {};
  if (w === 0)
    throw new UsageError("The server's answer has the document: write concern 0 gives none.", definition.context);
}

const recorders = new WeakMap<ModelDefinition, Recorder>();

/** The recorder of a model's documents. */
export function recorderOf(definition: ModelDefinition): Recorder {
  return recorders.get(definition) ?? PLAIN;
}

/** Chooses another recorder than the one that records nothing: once, when the model is made. */
export function chooseRecorder(definition: ModelDefinition, recorder: Recorder): void {
  recorders.set(definition, recorder);
}
