import type { Abortable, BSON, UpdateOptions } from 'mongodb';
import { isInTransaction } from '../connection/transaction-attempt.ts';
import { setOwn } from '../bson/plain-object.ts';
import { ABSENT, encodeDocument, LateBytes, toExact } from '../bson/encode.ts';
import { copyStorable, isPlainKey } from '../bson/storable.ts';
import { afterMiss } from './conflict.ts';
import { type ModelDefinition, REVISION, REVISION_ID } from '../definition/model-definition.ts';
import { isVerdict, serverCode } from '../connection/driver-error.ts';
import { refuseNamed } from '../connection/driver-options.ts';
import { type Conflict, DocumentNotFoundError, OutcomeUnknownError, UsageError } from '../errors.ts';
import { planEntry } from '../history/entry.ts';
import type { EntryKind, PlannedEntry } from '../document/planned-entry.ts';
import { isRecorded } from '../history/record.ts';
import { recordInsert, recordUpdate, withRevision } from '../history/record-save.ts';
import type { DocumentState, Write, WriteConditions } from '../document/document-state.ts';
import { putBack, takeStored } from '../document/atomic-methods.ts';
import { type Outcome, outcomeOf, safely, translate } from '../connection/write-outcome.ts';
import { confined, extentAt } from '../document/loaded-part.ts';
import { applyAtomic, type AtomicOperator, whyInapplicable } from '../edits/atomic-operators.ts';
import type { Baseline } from '../tracking/baseline.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import type { AtomicEdit, EditTree } from '../edits/edits.ts';
import { carriedOut, treeWith } from '../tracking/pending-operators.ts';
import { adds, fallback, plan, type UpdatePlan } from '../update/plan.ts';
import { joinGuards } from '../update/value-guards.ts';
import { moveTo } from '../tracking/state-tracker.ts';
import {
  type Answer,
  hasAtomic,
  notFound,
  readRaw,
  type Update,
  update,
  updateAndRead,
} from '../document/stored-commands.ts';
import { checkConflictOptions, conditionsOf, type ConflictOptions } from './write-conditions.ts';
import { validate } from './validate.ts';

/** Options that would change which document is written, or make a part of one, and those that other methods take. */
const REFUSED = ['upsert', 'arrayFilters', 'hint', 'collation', 'sort', 'timestamps', 'history', 'applied'] as const;

/** Options of `save()`: the driver's, whether to validate, and what happens where others wrote the document meanwhile. */
export interface SaveOptions<C = Conflict, P = string>
  extends Omit<UpdateOptions, (typeof REFUSED)[number]>, Partial<Abortable>, ConflictOptions<C, P> {
  /**
   * Whether the changed fields are validated first.
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

/** Writes what changed in a document. Nothing is sent when nothing changed. */
export async function save(state: DocumentState, options: SaveOptions = {}): Promise<void> {
  checkSaveOptions('save', state, options);
  const prepared = prepare(state, options);
  const write = prepared instanceof Promise ? await prepared : prepared;
  if (write !== null) await sendAndSettle(state, write, options);
}

/** The first three steps: hooks, validate, plan. Gives what to send, or null; a promise only where there is something to wait for. */
export function prepare(state: DocumentState, options: SaveOptions): Write | null | Promise<Write | null> {
  checkSavable(state);
  const { unanswered } = state;
  // What is stored must be known before the difference to it can be told.
  if (unanswered !== null) return sendAndSettle(state, unanswered, options).then(() => prepare(state, options));
  runHooks(state);
  stampNew(state);
  const validated = options.validate ?? state.definition.validate;
  return validated ? validate(state, (edits) => planWrite(state, options, edits)) : planWrite(state, options);
}

/** The last two: send, settle. Where another writer was faster, what is sent then follows from the newer document. */
export async function sendAndSettle(state: DocumentState, write: Write, options: SaveOptions): Promise<void> {
  for (let next: Write | null = write, tries = 1; next !== null; tries += 1) {
    if (options.signal?.aborted === true) throw fail(state, next, options.signal.reason, 'refused');
    let answer: Answer | null;
    try {
      answer = await send(state, next, driverOptions(options));
    } catch (error) {
      throw fail(state, next, error);
    }
    if (answer !== null) return settle(state, next, answer.stored);
    next = (await resend(state, next, options, tries)) ?? (await prepare(state, options));
  }
}

/** The options without those of this package. */
export function driverOptions({
  validate: _,
  concurrency: _c,
  guard: _g,
  onConflict: _o,
  ...options
}: SaveOptions): UpdateOptions {
  return options;
}

function checkSavable(state: DocumentState): void {
  if (state.isDeleted)
    throw new DocumentNotFoundError('The document was deleted, so it cannot be saved.', state.context);
  if (state.inDoubt) {
    const text =
      'The document was saved in a transaction whose commit was never answered. Call reload() to see what is stored, or $rebase({ applied: true }) where you know.';
    throw new OutcomeUnknownError(text, state.context);
  }
  if (state.unanswered !== null && !isRepeatable(state.unanswered)) {
    const text =
      'The last save was sent and its answer never came; sending it again could apply it twice. Call reload() to see what is stored, or $rebase({ applied }) where you know.';
    throw new OutcomeUnknownError(text, state.context);
  }
}

/** @throws UsageError for an option with which a save cannot do what it promises. */
export function checkSaveOptions(method: string, state: DocumentState, options: SaveOptions): void {
  refuseNamed(method, state, options, REFUSED);
  checkConflictOptions(method, state, options);
  checkWriteConcern(method, state, options);
}

/** Without an answer nobody knows what is stored. */
export function checkWriteConcern(
  method: string,
  state: Pick<DocumentState, 'definition' | 'context'>,
  options: UpdateOptions,
): void {
  const { w } = options.writeConcern ?? state.definition.collection().writeConcern ?? {};
  if (w === 0)
    throw new UsageError(`${method}() needs an answer from the server: write concern 0 gives none.`, state.context);
}

// ── hooks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What happens to a document before each save. */
export function runHooks(state: DocumentState): void {
  state.adoptDefaults();
}

/** Notes the time of the insert in a new document, where the program gave none. */
export function stampNew({ baseline, definition, isNew }: DocumentState): void {
  if (!isNew || definition.timestamps === undefined) return;
  const now = Date.now();
  for (const name of Object.values(definition.timestamps)) {
    if (name !== undefined && !baseline.has(name)) baseline.set(name, new Date(now));
  }
}

// ── plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────

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
  const { tree: edits, atomics } = treeWith(baseline, pending, (name) => definition.programName(name), known?.());
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
function planInsert({ baseline, definition }: DocumentState): BSON.Document {
  const document: BSON.Document = {};
  const copyField = (name: string): void => {
    const value = baseline.current(name);
    if (value === undefined) return;
    const copy = isPlainKey(name) ? copyStorable(value) : undefined;
    setOwn(document, name, copy ?? toExact(value, ABSENT, [definition.programName(name)]));
  };
  copyField('_id');
  for (const name of baseline.names()) if (name !== '_id') copyField(name);
  // A document that is restored counts on.
  if (definition.version !== undefined) document[definition.version] ??= 1;
  return document;
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
  const recorded = entryOf(state, 'insert');
  if (recorded.entry !== undefined) Object.assign(document, { [REVISION]: 1, [REVISION_ID]: recorded.entry.id });
  return { kind: 'insert', document, ...recorded };
}

/** What an insert of this document would store, without storing it. */
export async function insertion(state: DocumentState, validated = state.definition.validate): Promise<BSON.Document> {
  runHooks(state);
  stampNew(state);
  return validated ? validate(state, () => planInsert(state)) : planInsert(state);
}

// ── send ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Null where the stored document is not as the conditions of an update ask. */
function send(state: DocumentState, write: Write, options: UpdateOptions): Promise<Answer | null> {
  return write.kind === 'insert' ? sendInsert(state, write, options) : sendEdits(state, write, options);
}

async function sendInsert(
  state: DocumentState,
  { document, entry }: Write & { readonly kind: 'insert' },
  options: UpdateOptions,
): Promise<Answer> {
  const { definition } = state;
  if (entry === undefined || !isRecorded(definition)) await insert(state, document, options);
  else await recordInsert(state, definition, document, entry, options, () => insert(state, document, options));
  return { stored: null };
}

async function insert(state: DocumentState, document: BSON.Document, options: UpdateOptions): Promise<void> {
  try {
    await state.definition.collection().insertOne(document, options);
  } catch (error) {
    // An insert that is sent again, since its answer was lost, may find its own document.
    if (state.unanswered === null || serverCode(error) !== 11000) throw error;
    const stored = await readRaw(state);
    if (stored === null || Buffer.compare(stored, encodeDocument(document)) !== 0) throw error;
  }
}

function sendEdits(
  state: DocumentState,
  write: Write & { readonly kind: 'update' },
  options: UpdateOptions,
): Promise<Answer | null> {
  const { tree, reads, entry } = write;
  const { definition } = state;
  if (tree.children.size === 0) return Promise.resolve({ stored: null });
  if (entry === undefined || !isRecorded(definition))
    return sendUpdate(state, write, options, reads ? updateAndRead(tree) : update);
  return recordUpdate(state, definition, tree, entry, options, (by) => sendUpdate(state, write, options, by));
}

async function sendUpdate(
  state: DocumentState,
  { filter, tree, conditions }: Write & { readonly kind: 'update' },
  options: UpdateOptions,
  tryPlan: Update,
): Promise<Answer | null> {
  const collation = conditions?.collation && { collation: conditions.collation };
  const tryForm = (form: UpdatePlan) =>
    tryPlan(state, { ...filter, ...wholeGuard(form, conditions) }, { ...form, ...collation }, options);
  // An error would abort a transaction, so there the form that cannot fail goes first.
  const first = plan(tree, { isRetry: conditions?.asPipeline === true, inTransaction: isInTransaction(options) });
  const isLast = conditions !== null || (first.guard === undefined && Array.isArray(first.update));
  const answer = (await tryForm(first)) ?? (isLast ? null : await tryForm(fallback(tree)));
  if (answer === null && conditions === null) throw notFound(state);
  return answer;
}

/** What is asked of the stored document so that an update means what it says, and as its conditions have it. */
function wholeGuard(form: UpdatePlan, conditions: WriteConditions | null): object | undefined {
  if (conditions === null) return form.guard;
  // What guards values guards the shape that they lie in.
  return conditions.concurrency === 'fields' ? conditions.filter : joinGuards({ ...form.guard }, conditions.filter);
}

/** What to send where the conditions were not met. */
async function resend(state: DocumentState, write: Write, options: SaveOptions, tries: number): Promise<Write | null> {
  try {
    if (write.kind === 'insert' || write.conditions === null) throw notFound(state);
    return await afterMiss(state, write, write.conditions, options, tries);
  } catch (error) {
    throw fail(state, write, error, 'refused');
  }
}

// ── settle ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Makes what was sent the baseline.
 *
 * @param stored the fields with operators as they are stored now, where the server told them.
 */
export function settle(state: DocumentState, write: Write, stored: Uint8Array | null = null): void {
  if (write.kind === 'insert') settleInsert(state, write.document);
  else settleUpdate(state, write, stored);
  state.unanswered = null;
  state.writing = null;
}

function settleUpdate(
  state: DocumentState,
  { tree, stamped }: Write & { kind: 'update' },
  stored: Uint8Array | null,
): void {
  const { baseline, definition } = state;
  const after = stored === null ? null : new BsonBaseline(definition.layout(), stored, 0);
  const left = after === null ? null : (name: string) => after.exact(name);
  const settled = [...tree.children.values()].some(hasAtomic) ? carriedOut(tree, left) : tree;
  // A Date that was read before stays as it is: the new time is another one.
  const read = stamped.filter((name) => baseline.current(name) !== undefined && !baseline.differs(name));
  const loaded = withoutUnloaded(state, settled, stamped);
  baseline.settle(after !== null && isRecorded(definition) ? withRevision(state, loaded, after) : loaded);
  for (const name of read) baseline.revert(name);
  takeStored(state);
  state.lastSaved = settled;
}

/** Of what was not loaded only the time of the update and the version can have been written; they stay unknown. */
function withoutUnloaded(state: DocumentState, tree: EditTree, stamped: readonly string[]): EditTree {
  const unloaded = stamped.filter((name) => extentAt(state, [name]) === 'nothing');
  if (unloaded.length === 0) return tree;
  return { kind: 'object', children: new Map([...tree.children].filter(([name]) => !unloaded.includes(name))) };
}

function settleInsert(state: DocumentState, document: BSON.Document): void {
  const { baseline, definition } = state;
  const sent = new LateBytes(document);
  const settled = BsonBaseline.late(definition.layout(), sent);
  // Containers that the program holds stay, and so does what it changed since the insert was planned.
  for (const name of Object.keys(document))
    if (!counts(definition, name)) settled.carry(name, baseline.current(name), document[name]);
  for (const name of baseline.names())
    if (!Object.hasOwn(document, name) && !counts(definition, name)) settled.carry(name, baseline.current(name));
  moveTo(state.tracker, settled);
  state.isNew = false;
  state.lastSaved = sent;
}

/** True for what the mapper counts the writes by. */
function counts(definition: ModelDefinition, name: string): boolean {
  return name === definition.version || definition.isRevision(name);
}

/** Takes back a plan that is not going to be sent: what it holds waits for the next save. */
export function withdraw(state: DocumentState): void {
  putBack(state);
  state.writing = null;
}

/** Notes what is known of a write that failed, and gives the error to throw. */
export function fail(state: DocumentState, write: Write, error: unknown, outcome: Outcome = outcomeOf(error)): unknown {
  // The error has no exact values: those of operators are taken to be what memory shows.
  if (outcome === 'applied') settle(state, write);
  // What the server refuses to store, it did not store before.
  if (isVerdict(error)) state.unanswered = null;
  if (outcome === 'refused' && state.unanswered === null) putBack(state);
  if (outcome !== 'unknown') {
    if (state.unanswered === null) state.writing = null;
    return translate(error, state.context, state.definition);
  }
  state.unanswered = write;
  const then = isRepeatable(write)
    ? 'Calling save() again is safe.'
    : 'Call reload() to see what is stored, or $rebase({ applied }) where you know.';
  return new OutcomeUnknownError(`The save was sent, and the connection broke before its answer came. ${then}`, {
    ...state.context,
    cause: safely(error),
  });
}

/** True where sending it twice leaves what sending it once does. */
function isRepeatable(write: Write): boolean {
  return write.kind === 'insert' || (write.entry === undefined && !adds(write.tree));
}
