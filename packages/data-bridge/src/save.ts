import type { Abortable, BSON, UpdateOptions } from 'mongodb';
import { isInTransaction } from './attempt.ts';
import { setOwn } from './bson/copy.ts';
import { ABSENT, encodeDocument, LateBytes, toExact } from './bson/encode.ts';
import { copyStorable, isPlainKey } from './bson/storable.ts';
import { afterMiss } from './conflict.ts';
import { type ModelDefinition, REVISION, REVISION_ID } from './definition.ts';
import { isVerdict, serverCode } from './driver-error.ts';
import { refuseNamed } from './driver-options.ts';
import { type Conflict, DocumentNotFoundError, OutcomeUnknownError, UsageError } from './errors.ts';
import { type EntryKind, planEntry, type PlannedEntry } from './history/entry.ts';
import { isRecorded } from './history/record.ts';
import { recordInsert, recordUpdate, withRevision } from './history/record-save.ts';
import type { Life, Terms, Write } from './life.ts';
import { putBack, takeStored } from './operate.ts';
import { type Outcome, outcomeOf, safely, translate } from './outcome.ts';
import { confined, extentAt } from './partial.ts';
import { applyAtomic, type AtomicOperator, misfit } from './state/atomics.ts';
import type { Baseline } from './state/baseline.ts';
import { BsonBaseline } from './state/bson-baseline.ts';
import type { AtomicEdit, EditTree } from './state/edits.ts';
import { carriedOut, treeWith } from './state/pending.ts';
import { adds, fallback, plan, type UpdatePlan } from './state/plan.ts';
import { bothGuards } from './state/value-guards.ts';
import { moveTo } from './state/tracker.ts';
import { type Answer, hasAtomic, notFound, readRaw, type Update, update, updateAndRead } from './stored-document.ts';
import { checkConflictOptions, type ConflictOptions, termsOf } from './terms.ts';
import { validate } from './validate.ts';

/** Options that would change which document is written, or make a part of one, and those that other methods take. */
const REFUSED = ['upsert', 'arrayFilters', 'hint', 'collation', 'sort', 'timestamps', 'history', 'applied'] as const;

/** Options of `save()`: the driver's, whether to validate, and what happens where others wrote the document meanwhile. */
export interface SaveOptions<C = Conflict, P = string>
  extends Omit<UpdateOptions, (typeof REFUSED)[number]>, Partial<Abortable>, ConflictOptions<C, P> {
  /**
   * Are the changed fields validated first?
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

/** Writes what changed in a document. Nothing is sent when nothing changed. */
export async function save(life: Life, options: SaveOptions = {}): Promise<void> {
  checkSaveOptions('save', life, options);
  const prepared = prepare(life, options);
  const write = prepared instanceof Promise ? await prepared : prepared;
  if (write !== null) await sendAndSettle(life, write, options);
}

/** The first three steps: hooks, validate, plan. Gives what to send, or null; a promise only where there is something to wait for. */
export function prepare(life: Life, options: SaveOptions): Write | null | Promise<Write | null> {
  checkSavable(life);
  const { unanswered } = life;
  // What is stored must be known before the difference to it can be told.
  if (unanswered !== null) return sendAndSettle(life, unanswered, options).then(() => prepare(life, options));
  runHooks(life);
  stampNew(life);
  const validated = options.validate ?? life.definition.validate;
  return validated ? validate(life, (edits) => planWrite(life, options, edits)) : planWrite(life, options);
}

/** The last two: send, settle. Where another writer was faster, what is sent then follows from the newer document. */
export async function sendAndSettle(life: Life, write: Write, options: SaveOptions): Promise<void> {
  for (let next: Write | null = write, tries = 1; next !== null; tries += 1) {
    if (options.signal?.aborted === true) throw fail(life, next, options.signal.reason, 'refused');
    let answer: Answer | null;
    try {
      answer = await send(life, next, driverOptions(options));
    } catch (error) {
      throw fail(life, next, error);
    }
    if (answer !== null) return settle(life, next, answer.stored);
    next = (await resend(life, next, options, tries)) ?? (await prepare(life, options));
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

function checkSavable(life: Life): void {
  if (life.isDeleted) throw new DocumentNotFoundError('The document was deleted, so it cannot be saved.', life.context);
  if (life.inDoubt) {
    const text =
      'The document was saved in a transaction whose commit was never answered. Call reload() to see what is stored, or $rebase({ applied: true }) where you know.';
    throw new OutcomeUnknownError(text, life.context);
  }
  if (life.unanswered !== null && !isRepeatable(life.unanswered)) {
    const text =
      'The last save was sent and its answer never came; sending it again could apply it twice. Call reload() to see what is stored, or $rebase({ applied }) where you know.';
    throw new OutcomeUnknownError(text, life.context);
  }
}

/** @throws UsageError for an option with which a save cannot do what it promises. */
export function checkSaveOptions(method: string, life: Life, options: SaveOptions): void {
  refuseNamed(method, life, options, REFUSED);
  checkConflictOptions(method, life, options);
  checkWriteConcern(method, life, options);
}

/** Without an answer nobody knows what is stored. */
export function checkWriteConcern(
  method: string,
  life: Pick<Life, 'definition' | 'context'>,
  options: UpdateOptions,
): void {
  const { w } = options.writeConcern ?? life.definition.collection().writeConcern ?? {};
  if (w === 0)
    throw new UsageError(`${method}() needs an answer from the server: write concern 0 gives none.`, life.context);
}

// ── hooks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What happens to a document before each save. */
export function runHooks(life: Life): void {
  life.adoptDefaults();
}

/** Notes the time of the insert in a new document, where the program gave none. */
export function stampNew({ baseline, definition, isNew }: Life): void {
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
export function planWrite(life: Life, options: ConflictOptions = {}, known?: () => EditTree | null): Write | null {
  if (life.isNew) return numberedInsert(life, withId(life, planInsert(life)));
  const { baseline, definition, pending } = life;
  const { tree: edits, atomics } = treeWith(baseline, pending, (name) => definition.shownName(name), known?.());
  for (const name of ['_id', definition.version, REVISION, REVISION_ID])
    if (name !== undefined && edits?.children.has(name)) life.checkOwn(name);
  const tree = edits === null ? null : confined(life, edits);
  const write = tree === null ? null : planUpdate(life, tree, atomics.length > 0, options);
  life.sent = atomics;
  life.pending = [];
  life.writing = tree;
  return write;
}

function planUpdate(life: Life, edits: EditTree, hasAtomics: boolean, options: ConflictOptions): Write {
  const terms = termsOf(life, edits, options);
  const { version } = life.definition;
  // Where the version is no part of the filter, others may have counted, too.
  const reads = hasAtomics || (version !== undefined && terms?.concurrency !== 'version');
  return { kind: 'update', filter: life.filter, ...stamp(life, edits), reads, terms, ...entryOf(life, 'update') };
}

/** Adds to edits what the mapper itself writes: the time of the update, where they have none, and the next version. */
function stamp({ baseline, definition }: Life, edits: EditTree): { tree: EditTree; stamped: readonly string[] } {
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
  const known = base === ABSENT || misfit(operator, base, operand) !== null ? undefined : base;
  return { kind: 'atomic', operator, operand, base, value: applyAtomic(operator, known, operand, name) };
}

/** Every field as it is now, copied, `_id` first. */
function planInsert({ baseline, definition }: Life): BSON.Document {
  const document: BSON.Document = {};
  const copyField = (name: string): void => {
    const value = baseline.current(name);
    if (value === undefined) return;
    const copy = isPlainKey(name) ? copyStorable(value) : undefined;
    setOwn(document, name, copy ?? toExact(value, ABSENT, [definition.shownName(name)]));
  };
  copyField('_id');
  for (const name of baseline.names()) if (name !== '_id') copyField(name);
  // A document that is restored counts on.
  if (definition.version !== undefined) document[definition.version] ??= 1;
  return document;
}

/** The driver would make an `_id` of its own, of which neither the model's schema nor the document would know. */
function withId(life: Life, document: BSON.Document): BSON.Document {
  if (document['_id'] === undefined || document['_id'] === null)
    throw new UsageError(
      'A new document needs an _id, and this one has none: its model has a schema of its own for it.',
      life.context,
    );
  return document;
}

/** What is noted of a write in the history, where one is kept. */
function entryOf({ definition }: Life, kind: EntryKind): { readonly entry?: PlannedEntry } {
  return isRecorded(definition) ? { entry: planEntry(kind) } : {};
}

function numberedInsert(life: Life, document: BSON.Document): Write {
  const recorded = entryOf(life, 'insert');
  if (recorded.entry !== undefined) Object.assign(document, { [REVISION]: 1, [REVISION_ID]: recorded.entry.id });
  return { kind: 'insert', document, ...recorded };
}

/** What an insert of this document would store, without storing it. */
export async function insertion(life: Life, validated = life.definition.validate): Promise<BSON.Document> {
  runHooks(life);
  stampNew(life);
  return validated ? validate(life, () => planInsert(life)) : planInsert(life);
}

// ── send ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Null where the stored document is not as the terms of an update ask. */
function send(life: Life, write: Write, options: UpdateOptions): Promise<Answer | null> {
  return write.kind === 'insert' ? sendInsert(life, write, options) : sendEdits(life, write, options);
}

async function sendInsert(
  life: Life,
  { document, entry }: Write & { readonly kind: 'insert' },
  options: UpdateOptions,
): Promise<Answer> {
  const { definition } = life;
  if (entry === undefined || !isRecorded(definition)) await insert(life, document, options);
  else await recordInsert(life, definition, document, entry, options, () => insert(life, document, options));
  return { stored: null };
}

async function insert(life: Life, document: BSON.Document, options: UpdateOptions): Promise<void> {
  try {
    await life.definition.collection().insertOne(document, options);
  } catch (error) {
    // An insert that is sent again, since its answer was lost, may find its own document.
    if (life.unanswered === null || serverCode(error) !== 11000) throw error;
    const stored = await readRaw(life);
    if (stored === null || Buffer.compare(stored, encodeDocument(document)) !== 0) throw error;
  }
}

function sendEdits(
  life: Life,
  write: Write & { readonly kind: 'update' },
  options: UpdateOptions,
): Promise<Answer | null> {
  const { tree, reads, entry } = write;
  const { definition } = life;
  if (tree.children.size === 0) return Promise.resolve({ stored: null });
  if (entry === undefined || !isRecorded(definition))
    return sendUpdate(life, write, options, reads ? updateAndRead(tree) : update);
  return recordUpdate(life, definition, tree, entry, options, (by) => sendUpdate(life, write, options, by));
}

async function sendUpdate(
  life: Life,
  { filter, tree, terms }: Write & { readonly kind: 'update' },
  options: UpdateOptions,
  tryPlan: Update,
): Promise<Answer | null> {
  const collation = terms?.collation && { collation: terms.collation };
  const tryForm = (form: UpdatePlan) =>
    tryPlan(life, { ...filter, ...guardOf(form, terms) }, { ...form, ...collation }, options);
  // An error would abort a transaction, so there the form that cannot fail goes first.
  const first = plan(tree, { isRetry: terms?.asPipeline === true, inTransaction: isInTransaction(options) });
  const isLast = terms !== null || (first.guard === undefined && Array.isArray(first.update));
  const answer = (await tryForm(first)) ?? (isLast ? null : await tryForm(fallback(tree)));
  if (answer === null && terms === null) throw notFound(life);
  return answer;
}

/** What is asked of the stored document so that an update means what it says, and as its terms have it. */
function guardOf(form: UpdatePlan, terms: Terms | null): object | undefined {
  if (terms === null) return form.guard;
  // What guards values guards the shape that they lie in.
  return terms.concurrency === 'fields' ? terms.filter : bothGuards({ ...form.guard }, terms.filter);
}

/** What to send where the terms were not met. */
async function resend(life: Life, write: Write, options: SaveOptions, tries: number): Promise<Write | null> {
  try {
    if (write.kind === 'insert' || write.terms === null) throw notFound(life);
    return await afterMiss(life, write, write.terms, options, tries);
  } catch (error) {
    throw fail(life, write, error, 'refused');
  }
}

// ── settle ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Makes what was sent the baseline.
 *
 * @param stored the fields with operators as they are stored now, where the server told them.
 */
export function settle(life: Life, write: Write, stored: Uint8Array | null = null): void {
  if (write.kind === 'insert') settleInsert(life, write.document);
  else settleUpdate(life, write, stored);
  life.unanswered = null;
  life.writing = null;
}

function settleUpdate(life: Life, { tree, stamped }: Write & { kind: 'update' }, stored: Uint8Array | null): void {
  const { baseline, definition } = life;
  const after = stored === null ? null : new BsonBaseline(definition.layout(), stored, 0);
  const left = after === null ? null : (name: string) => after.exact(name);
  const settled = [...tree.children.values()].some(hasAtomic) ? carriedOut(tree, left) : tree;
  // A Date that was read before stays as it is: the new time is another one.
  const read = stamped.filter((name) => baseline.current(name) !== undefined && !baseline.differs(name));
  const loaded = withoutUnloaded(life, settled, stamped);
  baseline.settle(after !== null && isRecorded(definition) ? withRevision(life, loaded, after) : loaded);
  for (const name of read) baseline.revert(name);
  takeStored(life);
  life.lastSaved = settled;
}

/** Of what was not loaded only the time of the update and the version can have been written; they stay unknown. */
function withoutUnloaded(life: Life, tree: EditTree, stamped: readonly string[]): EditTree {
  const unloaded = stamped.filter((name) => extentAt(life, [name]) === 'nothing');
  if (unloaded.length === 0) return tree;
  return { kind: 'object', children: new Map([...tree.children].filter(([name]) => !unloaded.includes(name))) };
}

function settleInsert(life: Life, document: BSON.Document): void {
  const { baseline, definition } = life;
  const sent = new LateBytes(document);
  const settled = BsonBaseline.late(definition.layout(), sent);
  // Containers that the program holds stay, and so does what it changed since the insert was planned.
  for (const name of Object.keys(document))
    if (!counts(definition, name)) settled.carry(name, baseline.current(name), document[name]);
  for (const name of baseline.names())
    if (!Object.hasOwn(document, name) && !counts(definition, name)) settled.carry(name, baseline.current(name));
  moveTo(life.tracker, settled);
  life.isNew = false;
  life.lastSaved = sent;
}

/** Is it what the mapper counts the writes by? */
function counts(definition: ModelDefinition, name: string): boolean {
  return name === definition.version || definition.isRevision(name);
}

/** Takes back a plan that is not going to be sent: what it holds waits for the next save. */
export function withdraw(life: Life): void {
  putBack(life);
  life.writing = null;
}

/** Notes what is known of a write that failed, and gives the error to throw. */
export function fail(life: Life, write: Write, error: unknown, outcome: Outcome = outcomeOf(error)): unknown {
  // The error has no exact values: those of operators are taken to be what memory shows.
  if (outcome === 'applied') settle(life, write);
  // What the server refuses to store, it did not store before.
  if (isVerdict(error)) life.unanswered = null;
  if (outcome === 'refused' && life.unanswered === null) putBack(life);
  if (outcome !== 'unknown') {
    if (life.unanswered === null) life.writing = null;
    return translate(error, life.context, life.definition);
  }
  life.unanswered = write;
  const then = isRepeatable(write)
    ? 'Calling save() again is safe.'
    : 'Call reload() to see what is stored, or $rebase({ applied }) where you know.';
  return new OutcomeUnknownError(`The save was sent, and the connection broke before its answer came. ${then}`, {
    ...life.context,
    cause: safely(error),
  });
}

/** Does sending it twice leave what sending it once does? */
function isRepeatable(write: Write): boolean {
  return write.kind === 'insert' || (write.entry === undefined && !adds(write.tree));
}
