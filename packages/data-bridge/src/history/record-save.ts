import type {
  BSON,
  DeleteOptions,
  FindOneAndDeleteOptions,
  FindOneAndUpdateOptions,
  ObjectId,
  UpdateOptions,
} from 'mongodb';
import { setOwn } from '../bson/plain-object.ts';
import { ABSENT, encodeDocument } from '../bson/encode.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { REVISION, REVISION_ID } from '../definition/revision.ts';
import { HistoryError } from '../errors.ts';
import { storedId } from '../document/document-filter.ts';
import type { DocumentState, InsertWrite, UpdateWrite } from '../document/document-state.ts';
import type { Baseline } from '../tracking/baseline.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import type { Edit, EditTree } from '../edits/edits.ts';
import { ruleOf } from '../edits/atomic-operators.ts';
import { applyEdits } from '../edits/apply-edits.ts';
import { isNameable } from '../update/operators.ts';
import { fallbackTree, type UpdatePlan } from '../update/plan.ts';
import { changesBetween, type StoredChange } from '../edits/stored-changes.ts';
import type { PlannedState } from '../save/recorder.ts';
import { type Answer, nullIfShapeDiffers, type Update } from '../document/stored-commands.ts';
import { planEntry, UNKNOWN } from './entry.ts';
import type { PlannedEntry } from '../document/planned-entry.ts';
import {
  beforehand,
  type Done,
  type Known,
  isGathered,
  nextRevision,
  record,
  type RecordedModel,
  recordedModel,
} from './record.ts';

/*
 * Saves and deletions of documents whose history is kept.
 */

/**
 * Sends an insert with its entry. A document whose `_id` may have been in the collection before goes on where that ended.
 * The document carries the revision, which is changed here where it is another one.
 */
export async function recordInsert(
  state: DocumentState,
  { document, entry }: InsertWrite,
  options: UpdateOptions,
  insert: () => Promise<void>,
): Promise<void> {
  const definition = recordedModel(state.definition);
  const planned = entry as PlannedEntry;
  if (mayBeKnown(state) && state.unanswered === null && !isGathered(planned))
    document[REVISION] = await beforehand(definition, options, () =>
      nextRevision(definition, document['_id'], options),
    );
  const done = await record(definition, planned, knownBeforeInsert(document), options, async () => {
    await insert();
    return insertDone(document);
  });
  if (done !== null) document[REVISION] = done.rev;
}

/** True where there may have been another document with the same `_id` before: the program chose it. */
export function mayBeKnown({ assigned, definition }: DocumentState): boolean {
  return assigned.has('_id') || definition.fields.has('_id');
}

export function knownBeforeInsert(document: BSON.Document): Known {
  return { doc: document['_id'] as unknown, base: 0, seen: null, values: [], isWhole: true };
}

export function knownBeforeUpdate(state: DocumentState, tree: EditTree): Known {
  return { ...seenIn(state), values: valuesBelow(state.baseline, tree), isWhole: false };
}

/** What an insert did. @param document as it was sent. */
export function insertDone(document: BSON.Document): Done {
  const { _id: doc, [REVISION]: rev, [REVISION_ID]: _revId, ...fields } = document;
  return { doc: doc as unknown, rev: Number(rev), prev: null, changes: changesBetween({}, fields, []) };
}

/** Sends an update with its entry: what was stored before it comes back, and the edits are laid on that. */
export async function recordUpdate(
  state: DocumentState,
  write: UpdateWrite,
  options: UpdateOptions,
  send: (update: Update) => Promise<Answer | null>,
): Promise<Answer | null> {
  const definition = recordedModel(state.definition);
  const { tree } = write;
  const entry = write.entry as PlannedEntry;
  const known = knownBeforeUpdate(state, tree);
  const met: Exchanged[] = [];
  const done = await record(definition, entry, known, options, async () => {
    await send((_, filter, form, sent) =>
      nullIfShapeDiffers(form, async () => {
        const exchanged = await exchange(definition, { filter, tree, form, entry }, sent);
        if (exchanged !== null) met.push(exchanged);
        return exchanged === null ? null : { stored: null };
      }),
    );
    return doneBy(met, known.doc);
  });
  if (done === null) return null;
  const stored = { ...met[0]?.after, [REVISION]: done.rev, [REVISION_ID]: entry.id };
  return { stored: encodeDocument(stored) };
}

function doneBy([exchanged]: readonly Exchanged[], doc: unknown): Done | null {
  if (exchanged === undefined) return null;
  const { before, after, rev, prev } = exchanged;
  return { doc, rev, prev, changes: changesBetween(before, after, []) };
}

/** Deletes a document with its entry. False when there was none. */
export async function recordDelete(state: DocumentState, filter: object, options: DeleteOptions): Promise<boolean> {
  const definition = recordedModel(state.definition);
  const { baseline } = state;
  const names = baseline instanceof BsonBaseline ? baseline.names() : [];
  const values = names
    .filter(isField)
    .map((name): StoredChange => ({ keys: [name], from: baseline.exact(name), to: ABSENT }));
  const known: Known = { ...seenIn(state), values, isWhole: baseline.selection === null };
  const done = await record(definition, planEntry('delete'), known, options, async () => {
    const sent = { ...(options as FindOneAndDeleteOptions), raw: true, includeResultMetadata: false } as const;
    const found = await definition.collection().findOneAndDelete(filter, sent);
    if (found === null) return null;
    const stored = storedIn(definition, found as unknown as Uint8Array);
    const fields = fieldsOf(stored, stored.names());
    return { doc: known.doc, ...revisionAfter(stored), changes: changesBetween(fields, {}, []) };
  });
  return done !== null;
}

function isField(name: string): boolean {
  return name !== '_id' && name !== REVISION && name !== REVISION_ID;
}

// ── what a writer knows ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A document that was saved after another writer's write has the new revision, but not what the other wrote. Until it is
 * read again, this is the last revision of which it has all.
 */
const lagging = new WeakMap<Baseline, number>();

function seenIn(state: DocumentState): Pick<Known, 'doc' | 'base' | 'seen'> {
  const { baseline } = state;
  const [id, rev] = [idIn(baseline), revisionIn(baseline)];
  return { doc: storedId(state), base: lagging.get(baseline) ?? rev, seen: id && { id, rev } };
}

/** The edits of a save with what the document carries since. */
export function withRevision(state: DocumentState, tree: EditTree, stored: Baseline): EditTree {
  const { baseline } = state;
  const { base } = seenIn(state);
  const set = (name: string): [string, Edit] => [
    name,
    { kind: 'set', base: baseline.exact(name), value: stored.exact(name) },
  ];
  if (revisionIn(stored) === base + 1) lagging.delete(baseline);
  else lagging.set(baseline, base);
  return { kind: 'object', children: new Map([...tree.children, set(REVISION), set(REVISION_ID)]) };
}

/** Has a document carry another revision than it was sent with: that one was taken. */
export function renumber({ state, write }: PlannedState, rev: number): void {
  const { baseline, isNew } = state;
  // case: an insert that is not settled yet
  if (isNew && write.kind === 'insert') write.document[REVISION] = rev;
  else {
    const edit: Edit = { kind: 'set', base: baseline.exact(REVISION), value: rev };
    baseline.settle({ kind: 'object', children: new Map([[REVISION, edit]]) });
  }
}

function revisionIn(baseline: Baseline): number {
  const revision = baseline.exact(REVISION);
  return revision === ABSENT ? 0 : Number(revision);
}

function idIn(baseline: Baseline): ObjectId | null {
  const id = baseline.exact(REVISION_ID);
  return id === ABSENT ? null : (id as ObjectId);
}

/** The originals of what a tree changes, as far as they were loaded. */
function valuesBelow(baseline: Baseline, tree: EditTree): StoredChange[] {
  return [...tree.children].flatMap(([name, edit]) => valuesAt(baseline, edit, [name]));
}

function valuesAt(baseline: Baseline, edit: Edit, keys: readonly string[]): StoredChange[] {
  if (edit.kind === 'object')
    return [...edit.children].flatMap(([key, child]) => valuesAt(baseline, child, [...keys, key]));
  const isLoaded = baseline.selection === null || baseline.selection.at(keys) === 'whole';
  return [{ keys, from: isLoaded ? edit.base : UNKNOWN, to: ABSENT }];
}

// ── one update ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Attempted {
  readonly filter: object;
  readonly tree: EditTree;
  readonly form: UpdatePlan;
  readonly entry: PlannedEntry;
}

/** The changed fields before an update and after it, and how it is numbered. */
interface Exchanged {
  readonly before: object;
  readonly after: object;
  readonly rev: number;
  readonly prev: ObjectId | null;
}

async function exchange(
  definition: RecordedModel,
  attempt: Attempted,
  options: UpdateOptions,
): Promise<Exchanged | null> {
  const { filter, tree, form, entry } = attempt;
  const names = [...tree.children.keys()];
  const { arrayFilters, collation } = form;
  const sent = {
    ...(options as FindOneAndUpdateOptions),
    ...(arrayFilters !== undefined && { arrayFilters: [...arrayFilters] as BSON.Document[] }),
    ...(collation !== undefined && { collation }),
    projection: projectionOf(names),
    raw: true,
    includeResultMetadata: false,
  } as const;
  const collection = definition.collection();
  const send = async (where: object, returnDocument: 'before' | 'after'): Promise<BsonBaseline | null> => {
    const found = await collection.findOneAndUpdate(where, numbered(form, entry.id), { ...sent, returnDocument });
    return found && storedIn(definition, found as unknown as Uint8Array);
  };
  if (!asksTheTime(tree)) {
    const stored = await send(filter, 'before');
    if (stored === null) return null;
    const isPipeline = Array.isArray(form.update);
    const laid = applyEdits(isPipeline ? fallbackTree(tree) : tree, isPipeline ? 'pipeline' : 'operators', (name) =>
      stored.exact(name),
    );
    return { before: fieldsOf(stored, names), after: asStored(definition, laid), ...revisionAfter(stored) };
  }
  // The server's time is not known before it answers, so what was there before is read first, until nobody writes between.
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { session, projection } = sent;
    const sameOptions = { ...(session && { session }), ...(collation && { collation }) };
    const found = await beforehand(definition, options, () =>
      collection.findOne(filter, { ...sameOptions, projection, raw: true }),
    );
    if (found === null) return null;
    const stored = storedIn(definition, found as unknown as Uint8Array);
    const after = await send({ ...filter, ...sameRevision(stored) }, 'after');
    if (after !== null)
      return { before: fieldsOf(stored, names), after: fieldsOf(after, names), ...revisionAfter(stored) };
  }
  const text = 'Other writers changed the document each time before the update reached it: try again.';
  throw new HistoryError(text, { problem: 'contended', ...definition.context });
}

/** How often a write is tried that others come before. */
export const MAX_TRIES = 50;

/** A filter for the document as long as nobody else wrote it. */
export function sameRevision(stored: Baseline): object {
  const same = [REVISION, REVISION_ID].map((name) => {
    const value = stored.exact(name);
    return [name, value === ABSENT ? { $exists: false } : value] as const;
  });
  return Object.fromEntries(same);
}

export function revisionAfter(stored: Baseline): { readonly rev: number; readonly prev: ObjectId | null } {
  return { rev: revisionIn(stored) + 1, prev: idIn(stored) };
}

export function storedIn(definition: ModelDefinition, bytes: Uint8Array): BsonBaseline {
  return new BsonBaseline(definition.layout(), bytes, 0);
}

/** Fields as they are stored, BSON-typed. */
export function fieldsOf(stored: Baseline, names: Iterable<string>): object {
  const fields = {};
  for (const name of names) {
    const value = isField(name) ? stored.exact(name) : ABSENT;
    if (value !== ABSENT) setOwn(fields, name, value);
  }
  return fields;
}

/** Values as they come back from the server. */
function asStored(definition: ModelDefinition, fields: ReadonlyMap<string, unknown>): object {
  const present = new Map([...fields].filter(([, value]) => value !== ABSENT));
  return fieldsOf(storedIn(definition, encodeDocument(present)), present.keys());
}

function projectionOf(names: readonly string[]): object {
  if (!names.every(isNameable)) return {};
  return Object.fromEntries([...names, REVISION, REVISION_ID].map((name) => [name, 1]));
}

function asksTheTime(edit: Edit | EditTree): boolean {
  if (edit.kind === 'object') return [...edit.children.values()].some(asksTheTime);
  return edit.kind === 'atomic' && ruleOf(edit.operator).isServerValue;
}

/** The update with the next revision. */
function numbered({ update }: Pick<UpdatePlan, 'update'>, id: ObjectId): BSON.Document | BSON.Document[] {
  if (Array.isArray(update)) {
    const next = { $add: [{ $ifNull: [`$${REVISION}`, 0] }, 1] };
    return [...(update as BSON.Document[]), { $set: { [REVISION]: next, [REVISION_ID]: { $literal: id } } }];
  }
  const { $inc, $set, ...others } = update as BSON.Document;
  return { ...others, $inc: { ...$inc, [REVISION]: 1 }, $set: { ...$set, [REVISION_ID]: id } };
}
