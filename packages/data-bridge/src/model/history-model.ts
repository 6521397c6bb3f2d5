import { decodeStored } from '../bson/decode.ts';
import { encodeDocument } from '../bson/encode.ts';
import { checkTaken } from '../connection/taken-options.ts';
import { castId } from '../filter/cast-filter.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { REVISION } from '../definition/revision.ts';
import { classOfType, definitionOfType } from '../definition/stored-class.ts';
import type { Document, DocumentClass } from '../save/document.ts';
import { storedId } from '../document/document-filter.ts';
import { stateOf } from '../document/tracked-document.ts';
import { UsageError } from '../errors.ts';
import { type HistoryOptions, type HistoryPage, historyPage } from '../history/page.ts';
import { lastFields, type ReadOptions, stateAt } from '../history/read.ts';
import { checkUnscoped } from '../definition/extension.ts';
import { isInScope, scopesOf } from '../filter/scopes.ts';
import { recordedModel, type RecordedModel } from '../history/record.ts';
import { checkOwnFields, TakenFields } from '../document/new-document.ts';
import { restore, revert } from '../history/revert.ts';
import type { SaveOptions } from '../save/save.ts';

/** What a document has besides where the option `history` of its model is on. */
export interface HistoryDocument {
  /** The number of its last write, as far as this document knows; null while it is new. */
  readonly $revision: number | null;
  /** A page of what was done to it: the newest entries first. */
  $history(options?: HistoryOptions): Promise<HistoryPage>;
  /**
   * Saves it as it was after a revision, which makes a new one: as any save does, so that schemas are asked and conflicts
   * with other writers are told. What is redacted stays as it is, and so do the times of the insert and of the update.
   *
   * @returns the document.
   * @throws UsageError when it has changes that are not saved; HistoryError where the history does not tell.
   */
  $revert(revision: number, options?: Omit<SaveOptions, 'cascade'>): Promise<this>;
}

export function revisionOf(document: Document<unknown>): number | null {
  const { baseline } = stateOf(document);
  return document.$isNew ? null : Number(baseline.original(REVISION) ?? 0);
}

export async function historyOfDocument(document: Document<unknown>, options?: HistoryOptions): Promise<HistoryPage> {
  const state = stateOf(document);
  return scopedPage(recordedModel(state.definition), storedId(state), options);
}

export async function historyOf(model: DocumentClass, id: unknown, options?: HistoryOptions): Promise<HistoryPage> {
  const definition = recordedModel(model.prototype[definitionKey]);
  return scopedPage(definition, castId(definition, id), options);
}

const EMPTY: HistoryPage = { items: [], next: null };

/** Of a document that is in the scopes that hold now: one that was deleted is still its tenant's. */
async function scopedPage(definition: RecordedModel, doc: unknown, given: HistoryOptions = {}): Promise<HistoryPage> {
  checkTaken('history', definition, given, ['size', 'before', 'session', 'unscoped']);
  const { unscoped, ...options } = given;
  const { session } = options;
  if (definition.conditions !== null || scopesOf(definition, unscoped, 'borders').length > 0) {
    const fields = await lastFields(definition, doc, session === undefined ? {} : { session });
    if (fields === null || !isInScope(definition, fields, unscoped, 'borders')) return EMPTY;
  }
  return historyPage(definition, doc, options);
}

export async function revertDocument(
  document: Document<unknown>,
  revision: number,
  options?: Omit<SaveOptions, 'cascade'>,
): Promise<void> {
  checkOwnFields(document);
  const state = stateOf(document);
  checkRevision(state.definition, revision);
  await state.queue('$revert', () => revert(state, recordedModel(state.definition), revision, options));
}

export async function fieldsAsOf(
  model: DocumentClass,
  id: unknown,
  when: Date | number,
  given: ReadOptions = {},
): Promise<object | null> {
  const definition = recordedModel(model.prototype[definitionKey]);
  checkTaken('asOf', definition, given, ['session', 'unscoped']);
  const { unscoped, ...options } = given;
  if (!(when instanceof Date && !Number.isNaN(when.getTime()))) checkRevision(definition, when);
  const doc = castId(definition, id);
  checkUnscoped(definition.extensions, unscoped, definition.collectionName);
  const state = await stateAt(definition, doc, when, options);
  const fields = state !== null && isInScope(definition, { _id: doc, ...state }, unscoped, 'all') ? state : null;
  if (fields === null) return null;
  const own = definitionOfType(definition, fields[definition.kin.key]);
  return own.programFields(decodeStored<object>(own.layout(), encodeDocument({ _id: doc, ...fields }), 0));
}

export async function restoreDocument(
  model: DocumentClass,
  id: unknown,
  options?: Omit<SaveOptions, 'cascade'>,
): Promise<Document<unknown>> {
  const definition = recordedModel(model.prototype[definitionKey]);
  const make = (fields: Record<string, unknown>): Document<unknown> => {
    const own = (classOfType(definition, fields[definition.kin.key]) ?? model) as DocumentClass;
    return new own(new TakenFields(fields));
  };
  return restore(definition, castId(definition, id), make, stateOf, options);
}

function checkRevision(definition: ModelDefinition, revision: unknown): void {
  if (Number.isSafeInteger(revision) && Number(revision) >= 0) return;
  const text = 'A point in a history is a revision, which is a whole number from 0, or a Date.';
  throw new UsageError(text, definition.context);
}
