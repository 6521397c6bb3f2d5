import { ABSENT, toExact } from '../bson/encode.ts';
import { setOwn } from '../bson/plain-object.ts';
import { copyStorable, isPlainKey } from '../bson/storable.ts';
import { type ModelDefinition, REVISION, REVISION_ID } from '../definition/model-definition.ts';
import type { DocumentState, Write } from '../document/document-state.ts';
import { confined } from '../document/loaded-part.ts';
import type { EntryKind, PlannedEntry } from '../document/planned-entry.ts';
import { type AtomicOperator, applyAtomic, whyInapplicable } from '../edits/atomic-operators.ts';
import type { AtomicEdit, EditTree } from '../edits/edits.ts';
import { UsageError } from '../errors.ts';
import { planEntry } from '../history/entry.ts';
import { isRecorded } from '../history/record.ts';
import type { Baseline } from '../tracking/baseline.ts';
import { treeWith } from '../tracking/pending-operators.ts';
import { type ConflictOptions, conditionsOf } from './write-conditions.ts';
import type { BSON } from 'mongodb';

/**
 * What a save of this document writes now, or null.
 *
 * @param known gives what changed, where that was told already.
 */
export function planWrite(
  state: DocumentState,
  options: ConflictOptions = {},
  known?: () => EditTree | null,
): Write | null {
  if (state.isNew) return numberedInsert(state, withId(state, planInsert(state)));
  const { baseline, definition, pending } = state;
  const { tree: edits, atomics } = treeWith(baseline, pending, definition.namer, known?.());
  for (const name of ['_id', definition.version, REVISION, REVISION_ID])
    if (name !== undefined && edits?.children.has(name)) state.checkOwn(name);
  const tree = edits === null ? null : confined(state, edits);
  const write = tree === null ? null : planUpdate(state, tree, atomics.length > 0, options);
  state.sent = atomics;
  state.pending = [];
  state.writing = tree;
  return write;
}

function planUpdate(state: DocumentState, edits: EditTree, hasAtomics: boolean, options: ConflictOptions): Write {
  const conditions = conditionsOf(state, edits, options);
  const { version } = state.definition;
  // Where the version is no part of the filter, others may have counted, too.
  const reads = hasAtomics || (version !== undefined && conditions?.concurrency !== 'version');
  return {
    kind: 'update',
    filter: state.filter,
    ...stamp(state, edits),
    reads,
    conditions,
    ...entryOf(state, 'update'),
  };
}

/** Adds to edits what the mapper itself writes: the time of the update, where they have none, and the next version. */
function stamp(
  { baseline, definition }: DocumentState,
  edits: EditTree,
): { tree: EditTree; stamped: readonly string[] } {
  const time = definition.timestamps?.updatedAt;
  const { version } = definition;
  if (time === undefined && version === undefined) return { tree: edits, stamped: [] };
  const stamps: [string, AtomicEdit][] = [];
  // A greater time, of a writer whose clock is ahead, stays.
  if (time !== undefined && !edits.children.has(time)) stamps.push([time, stampOf(baseline, time, '$max', new Date())]);
  if (version !== undefined) stamps.push([version, stampOf(baseline, version, '$inc', 1)]);
  return {
    tree: { kind: 'object', children: new Map([...edits.children, ...stamps]) },
    stamped: stamps.map(([name]) => name),
  };
}

function stampOf(baseline: Baseline, name: string, operator: AtomicOperator, operand: unknown): AtomicEdit {
  const base = baseline.exact(name);
  const known = base === ABSENT || whyInapplicable(operator, base, operand) !== null ? undefined : base;
  return { kind: 'atomic', operator, operand, base, value: applyAtomic(operator, known, operand, name) };
}

/** Every field as it is now, copied, `_id` first. */
export function planInsert({ baseline, definition }: DocumentState): BSON.Document {
  const document: BSON.Document = {};
  copyField(document, '_id', baseline.current('_id'), definition);
  for (const name of baseline.names())
    if (name !== '_id') copyField(document, name, baseline.current(name), definition);
  // A document that is restored counts on.
  if (definition.version !== undefined) document[definition.version] ??= 1;
  return document;
}

function copyField(document: BSON.Document, name: string, value: unknown, definition: ModelDefinition): void {
  if (value === undefined) return;
  const copy = isPlainKey(name) ? copyStorable(value) : undefined;
  setOwn(document, name, copy ?? toExact(value, ABSENT, [definition.programName(name)]));
}

/** The driver would make an `_id` of its own, of which neither the model's schema nor the document would know. */
function withId(state: DocumentState, document: BSON.Document): BSON.Document {
  if (document['_id'] === undefined || document['_id'] === null)
    throw new UsageError(
      'A new document needs an _id, and this one has none: its model has a schema of its own for it.',
      state.context,
    );
  return document;
}

/** What is noted of a write in the history, where one is kept. */
function entryOf({ definition }: DocumentState, kind: EntryKind): { readonly entry?: PlannedEntry } {
  return isRecorded(definition) ? { entry: planEntry(kind) } : {};
}

function numberedInsert(state: DocumentState, document: BSON.Document): Write {
  const { entry } = entryOf(state, 'insert');
  if (entry === undefined) return { kind: 'insert', document };
  Object.assign(document, { [REVISION]: 1, [REVISION_ID]: entry.id });
  return { kind: 'insert', document, entry };
}
