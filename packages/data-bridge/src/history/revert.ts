import { copyValue } from '../bson/copy.ts';
import { decodeStored } from '../bson/decode.ts';
import { ABSENT, encodeDocument } from '../bson/encode.ts';
import { checkTaken } from '../connection/taken-options.ts';
import { equalValues } from '../bson/equal-values.ts';
import { type ErrorContext, HistoryError, UsageError } from '../errors.ts';
import { type Fields, lastEntry, type ReadOptions, stateAt, valueAt } from './read.ts';
import type { RecordedModel } from './record.ts';
import { fieldsOf } from './record-save.ts';
import { definitionOfType } from '../definition/stored-class.ts';
import { isInScope } from '../filter/scopes.ts';
import { storedId } from '../document/document-filter.ts';
import type { DocumentState } from '../document/document-state.ts';
import { save, type SaveOptions, SAVING } from '../save/save.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import { changesBetween, replacedAt, type StoredKeys } from '../edits/stored-changes.ts';
import { hasChanges, hooksFor, runBefore } from '../save/run-hooks.ts';
import { validate } from '../save/validate.ts';

/**
 * Saves a document as it was after a revision, as a new revision. What is redacted stays as it is, and so do the version
 * and the times of the insert and of the update.
 */
export async function revert(
  state: DocumentState,
  definition: RecordedModel,
  revision: number,
  options: Omit<SaveOptions, 'cascade'> = {},
): Promise<void> {
  checkTaken('$revert', state, options, SAVING);
  checkRevertible(state);
  const past = await stateAt(definition, storedId(state), revision, readOptions(options));
  if (past === null) {
    const text = `There was no document at revision ${revision}: delete() deletes it, restore() brings a deleted one back.`;
    throw new UsageError(text, state.context);
  }
  await saveExactly(state, revertedFields(state, definition, past), options);
}

function readOptions({ session }: SaveOptions): ReadOptions {
  return session === undefined ? {} : { session };
}

function checkRevertible(state: DocumentState): void {
  const refuse = (text: string): never => {
    throw new UsageError(text, state.context);
  };
  if (state.isNew) refuse('The document is new: there is nothing to go back to.');
  if (state.baseline.selection !== null) refuse('Only a part of the document was loaded, so it cannot be reverted.');
  if (state.baseline.isModified() || state.pending.length > 0)
    refuse('The document has changes that are not saved: save them, or drop them by rollback(), before $revert().');
}

/** The fields that differ, with the values that they shall have. */
function revertedFields(
  { baseline, context }: DocumentState,
  definition: RecordedModel,
  past: Fields,
): Map<string, unknown> {
  const { redaction } = definition;
  const present = fieldsOf(baseline, baseline.names()) as Fields;
  const stays = new Set<string | undefined>([...Object.values(definition.timestamps ?? {}), definition.version]);
  const fields = new Map<string, unknown>();
  for (const name of new Set([...Object.keys(present), ...Object.keys(past)])) {
    if (stays.has(name)) continue;
    const value = Object.hasOwn(present, name) ? present[name] : ABSENT;
    const known = redaction.strip([name], value);
    // What is redacted as a whole is in neither.
    const changes = changesBetween(known, Object.hasOwn(past, name) ? past[name] : ABSENT, [name]);
    if (changes.length === 0) continue;
    for (const { keys } of changes) checkNothingHidden(definition, keys, valueAt(value, keys.slice(1)), context);
    fields.set(
      name,
      changes.reduce((whole, { keys: [, ...inner], to }) => replacedAt(whole, inner, to), value),
    );
  }
  return fields;
}

/** Of what is replaced as a whole nothing may be redacted: its value is not known. */
function checkNothingHidden(definition: RecordedModel, keys: StoredKeys, value: unknown, context: ErrorContext): void {
  if (changesBetween(definition.redaction.strip(keys, value), value, keys).length === 0) return;
  const text = `"${definition.programPath(keys)}" holds values that the history does not: change it by hand.`;
  throw new HistoryError(text, { problem: 'redacted', ...context });
}

/**
 * Stores a deleted document again, as it was before.
 *
 * @param make makes a new document of fields by their stored names.
 */
export async function restore<D>(
  definition: RecordedModel,
  doc: unknown,
  make: (fields: Record<string, unknown>) => D,
  stateOf: (document: D) => DocumentState,
  options: Omit<SaveOptions, 'cascade'> = {},
): Promise<D> {
  checkTaken('restore', definition, options, SAVING);
  const context = definition.contextOf(doc);
  const last = await lastEntry(definition, doc, readOptions(options));
  if (last !== null && last.kind !== 'delete') throw new UsageError('The document is not deleted.', context);
  const past = last && (await stateAt(definition, doc, last._id.rev - 1, readOptions(options)));
  if (past === null || !isInScope(definition, { _id: doc, ...past }, options.unscoped, 'borders')) {
    const text = 'The history has no deletion of such a document: there was none, or it was pruned.';
    throw new HistoryError(text, { problem: 'pruned', ...context });
  }
  const fields: Fields = { _id: doc, ...past };
  const { updatedAt } = definition.timestamps ?? {};
  if (updatedAt !== undefined) fields[updatedAt] = new Date();
  // A copy that was read before the deletion must not take the new document for the one that it knows.
  const { version } = definition;
  if (version !== undefined) fields[version] = Number(past[version] ?? 0) + 1;
  const live: Record<string, unknown> = decodeStored(
    definitionOfType(definition, past[definition.kin.key]).layout(),
    encodeDocument(fields),
    0,
  );
  const document = make(live);
  const state = stateOf(document);
  state.assigned.add('_id');
  state.isRestored = true;
  await state.queue('restore', () => saveExactly(state, new Map(Object.entries(fields)), options));
  return document;
}

/** Saves fields with the types that they have in BSON: the program's values, which the schemas judge, do not tell all of them. */
async function saveExactly(
  state: DocumentState,
  fields: ReadonlyMap<string, unknown>,
  options: Omit<SaveOptions, 'cascade'>,
): Promise<void> {
  const reader = new BsonBaseline(state.definition.layout(), encodeDocument({}), 0);
  try {
    for (const [name, value] of fields) {
      state.set(name, value === ABSENT ? undefined : reader.live(value, [name]));
      // It was stored once: no schema transforms it again.
      if (value !== ABSENT) state.takenOver.set(name, reader.live(value, [name]));
    }
    const hooks = hooksFor(state, options);
    const before = hooks?.[state.isNew ? 'insert' : 'update'].before ?? [];
    const given = new Map([...fields.keys()].map((name) => [name, copyValue(state.baseline.current(name))]));
    if (before.length > 0 && hasChanges(state)) await runBefore(state, before);
    // What a hook made of a value is the program's, and no longer the one that was stored.
    const isKept = (name: string): boolean =>
      before.length === 0 || equalValues(given.get(name), state.baseline.current(name));
    const exact = [...fields].filter(([name, value]) => value !== ABSENT && isKept(name));
    if (options.validate ?? state.definition.validate) await validate(state, () => {});
    for (const [name, value] of exact) state.set(name, value);
    await save(state, { ...options, validate: false }, true);
  } finally {
    // What the program reads next is made of what is stored.
    for (const name of fields.keys()) state.baseline.revert(name);
  }
}
