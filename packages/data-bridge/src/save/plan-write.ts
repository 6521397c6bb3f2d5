import type { Arena } from '../bson/arena.ts';
import { ABSENT, toExact } from '../bson/encode.ts';
import { EncodedDocument } from '../bson/encoded-document.ts';
import { setOwn } from '../bson/plain-object.ts';
import { copyStorable, isPlainKey } from '../bson/storable.ts';
import { writeDocument, writeExact } from '../bson/write-document.ts';
import { type EncodingOptions, isEncodedSo, takesEncoded } from '../connection/takes-encoded.ts';
import type { ScopeOptions } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { DocumentState, InsertWrite, Write } from '../document/document-state.ts';
import { confined } from '../document/loaded-part.ts';
import { type AtomicOperator, applyAtomic, whyInapplicable } from '../edits/atomic-operators.ts';
import type { AtomicEdit, Edit, EditTree } from '../edits/edits.ts';
import { UsageError } from '../errors.ts';
import type { Baseline } from '../tracking/baseline.ts';
import { treeWith } from '../tracking/pending-operators.ts';
import { recorderOf } from './recorder.ts';
import { extensionStamps, updateStamps } from './door.ts';
import { type ConflictOptions, conditionsOf } from './write-conditions.ts';
import type { BSON } from 'mongodb';

/** What a plan depends on besides the document. */
type PlanOptions = ConflictOptions & EncodingOptions & ScopeOptions & { readonly timestamps?: boolean };

/**
 * What a save of this document writes now, or null.
 *
 * @param known gives what changed, where that was told already.
 */
export function planWrite(
  state: DocumentState,
  options: PlanOptions = {},
  known?: () => EditTree | null,
): Write | null {
  if (state.isNew) return planInsert(state, options);
  state.takenOver.planned();
  const { baseline, definition, pending } = state;
  const { tree: edits, atomics } = treeWith(baseline, pending, definition.namer, known?.());
  for (const name of definition.guarded) if (edits?.children.has(name)) state.checkOwn(name);
  const tree = edits === null ? null : confined(state, edits, options.concurrency);
  const write = tree === null ? null : planUpdate(state, tree, atomics.length > 0, options);
  state.planned(tree, atomics);
  return write;
}

function planUpdate(state: DocumentState, changed: EditTree, hasAtomics: boolean, options: PlanOptions): Write {
  const own = extensionStamps(state.definition, 'update', options.unscoped);
  const edits = own.size === 0 ? changed : withoutOwn(state, changed, own);
  const conditions = conditionsOf(state, edits, options);
  const { version } = state.definition;
  // Where the version is no part of the filter, others may have counted, too.
  const reads = hasAtomics || (version !== undefined && conditions?.concurrency !== 'version');
  const { tree, stamped } = stamp(state, edits, own, options.timestamps !== false);
  return {
    kind: 'update',
    filter: state.filter,
    tree,
    stamped,
    reads,
    conditions,
    entry: recorderOf(state.definition).planUpdate(),
  };
}

/** Adds to edits what the mapper itself writes, where the program wrote nothing there. */
function stamp(
  { baseline, definition }: DocumentState,
  edits: EditTree,
  own: ReadonlyMap<string, unknown>,
  hasTimes: boolean,
): { tree: EditTree; stamped: readonly string[] } {
  if (own.size === 0 && definition.timestamps === undefined && definition.version === undefined)
    return { tree: edits, stamped: [] };
  const isAdded = (name: string): boolean =>
    !edits.children.has(name) && !own.has(name) && (hasTimes || name === definition.version);
  const stamps = updateStamps(definition).filter(({ name }) => isAdded(name));
  if (stamps.length + own.size === 0) return { tree: edits, stamped: [] };
  const added = stamps.map(({ name, operator, operand }): [string, Edit] => [
    name,
    stampOf(baseline, name, operator, operand),
  ]);
  for (const [name, value] of own)
    added.push([name, { kind: 'set', base: baseline.exact(name), value: toExact(value, ABSENT, [name]) }]);
  return {
    tree: { kind: 'object', children: new Map([...edits.children, ...added]) },
    stamped: added.map(([name]) => name),
  };
}

/** Edits without those of fields that extensions write: what the program gave there goes. */
function withoutOwn({ baseline }: DocumentState, edits: EditTree, own: ReadonlyMap<string, unknown>): EditTree {
  for (const name of own.keys()) if (edits.children.has(name)) baseline.revert(name);
  return { kind: 'object', children: new Map([...edits.children].filter(([name]) => !own.has(name))) };
}

function stampOf(baseline: Baseline, name: string, operator: AtomicOperator, operand: unknown): AtomicEdit {
  const base = baseline.exact(name);
  const known = base === ABSENT || whyInapplicable(operator, base, operand) !== null ? undefined : base;
  return { kind: 'atomic', operator, operand, base, value: applyAtomic(operator, known, operand, name) };
}

/** @param arena where the bytes of many documents are kept together. */
export function planInsert(state: DocumentState, options: EncodingOptions, arena: Arena | null = null): InsertWrite {
  state.takenOver.planned();
  const { definition } = state;
  const recorder = recorderOf(definition);
  if (!recorder.needsDocuments && canEncode(definition, options)) {
    const document = encodeNew(state, arena);
    if (document !== null) return { kind: 'insert', document, entry: undefined };
  }
  const document = withId(state, newDocument(state));
  return { kind: 'insert', document, entry: recorder.planInsert(document) };
}

/** True where documents can be encoded before the driver has them. */
export function canEncode(definition: ModelDefinition, options: EncodingOptions): boolean {
  if (!isEncodedSo(options)) return false;
  try {
    return takesEncoded(definition.connection().client, definition.driverCollection());
  } catch {
    // case: there is no connection, of which the program is told when the document is sent
    return false;
  }
}

/** What the server would refuse anyway is left to the driver, which says so. */
const MAX_ENCODED = 16 * 1024 * 1024;

/** Every field as it is now, encoded: of what can be encoded as it is no copies are made. */
function encodeNew(state: DocumentState, arena: Arena | null): EncodedDocument | null {
  const { baseline, definition } = state;
  const fields: BSON.Document = { _id: baseline.current('_id') };
  for (const name of baseline.names()) if (name !== '_id') setOwn(fields, name, baseline.current(name));
  if (definition.version !== undefined) fields[definition.version] ??= 1;
  const { _id } = withId(state, fields);
  const bytes = writeDocument(fields, arena) ?? writeExact(newDocument(state), arena);
  return bytes !== null && bytes.length < MAX_ENCODED ? new EncodedDocument(_id, bytes) : null;
}

/** Every field as it is now, copied, `_id` first. */
export function newDocument({ baseline, definition }: DocumentState): BSON.Document {
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
