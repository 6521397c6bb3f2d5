import type { Abortable, BSON, FindOneAndUpdateOptions, UpdateOptions } from 'mongodb';
import { isInTransaction } from './attempt.ts';
import { ownBytes } from './bson/arena.ts';
import { setOwn } from './bson/copy.ts';
import { ABSENT, encodeDocument, toExact } from './bson/encode.ts';
import { equalValues } from './bson/equal.ts';
import { isVerdict, serverCode } from './driver-error.ts';
import { DocumentNotFoundError, OutcomeUnknownError, UsageError } from './errors.ts';
import type { Life, Write } from './life.ts';
import { putBack, takeStored } from './operate.ts';
import { type Outcome, outcomeOf, safely, translate } from './outcome.ts';
import { confined, extentAt } from './partial.ts';
import { applyAtomic, misfit } from './state/atomics.ts';
import { BsonBaseline } from './state/bson-baseline.ts';
import type { Edit, EditTree } from './state/edits.ts';
import { isNameable } from './state/operators.ts';
import { carriedOut, treeWith } from './state/pending.ts';
import { adds, fallback, needsPipelineInBatch, plan, type UpdatePlan } from './state/plan.ts';
import { moveTo } from './state/tracker.ts';
import { validate } from './validate.ts';

/** Options that would change which document is written, or make a part of one. */
const REFUSED = ['upsert', 'arrayFilters', 'hint', 'collation', 'sort'] as const;

/** Options of `save()`: the driver's, and whether to validate. */
export interface SaveOptions extends Omit<UpdateOptions, (typeof REFUSED)[number]>, Partial<Abortable> {
  /**
   * Are the changed fields validated first?
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

/** Writes what changed in a document. Nothing is sent when nothing changed. */
export async function save(life: Life, options: SaveOptions = {}): Promise<void> {
  checkSaveOptions('save', life, options);
  const write = await prepare(life, options);
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
  return validated ? validate(life, () => planWrite(life)) : planWrite(life);
}

/** The last two: send, settle. */
export async function sendAndSettle(life: Life, write: Write, { validate: _, ...options }: SaveOptions): Promise<void> {
  if (options.signal?.aborted === true) throw fail(life, write, options.signal.reason, 'refused');
  let stored: Uint8Array | null;
  try {
    stored = await send(life, write, options);
  } catch (error) {
    throw fail(life, write, error);
  }
  settle(life, write, stored);
}

function checkSavable(life: Life): void {
  if (life.isDeleted) throw new DocumentNotFoundError('The document was deleted, so it cannot be saved.', life.context);
  if (life.inDoubt) {
    const text =
      'The document was saved in a transaction whose commit was never answered. Call reload() to see what is stored.';
    throw new OutcomeUnknownError(text, life.context);
  }
  if (life.unanswered !== null && !isRepeatable(life.unanswered)) {
    const text =
      'The last save was sent and its answer never came; sending it again could apply it twice. Call reload() to see what is stored.';
    throw new OutcomeUnknownError(text, life.context);
  }
}

/** @throws UsageError for an option with which a save cannot do what it promises. */
export function checkSaveOptions(method: string, life: Life, options: UpdateOptions): void {
  const refused = REFUSED.find((name) => (options as Record<string, unknown>)[name] !== undefined);
  if (refused !== undefined) throw new UsageError(`${method}() does not take the option "${refused}".`, life.context);
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
  // A default that was handed out and changed in place becomes a value of the document.
  for (const [name, { value, original }] of life.defaults) {
    if (equalValues(original, value)) continue;
    life.baseline.set(name, value);
    life.defaults.delete(name);
  }
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

/** What a save of this document writes now, or null. */
export function planWrite(life: Life): Write | null {
  if (life.isNew) return { kind: 'insert', document: withId(life, planInsert(life)) };
  const { tree: edits, atomics } = treeWith(life.baseline, life.pending, (name) => life.definition.shownName(name));
  if (edits?.children.has('_id') === true) life.refuseNewId();
  const tree = edits === null ? null : confined(life, edits);
  const write = tree === null ? null : { kind: 'update' as const, filter: life.filter, ...stamp(life, tree) };
  life.sent = atomics;
  life.pending = [];
  life.writing = tree;
  return write;
}

/** Adds the time of the update to edits that have none. A greater time, of a writer whose clock is ahead, stays. */
function stamp({ baseline, definition }: Life, tree: EditTree): { tree: EditTree; stamped: string | undefined } {
  const name = definition.timestamps?.updatedAt;
  if (name === undefined || tree.children.has(name)) return { tree, stamped: undefined };
  const base = baseline.exact(name);
  const now = new Date();
  const known = base === ABSENT || misfit('$max', base, now) !== null ? undefined : base;
  const value = applyAtomic('$max', known, now, name);
  const edit: Edit = { kind: 'atomic', operator: '$max', operand: now, base, value };
  return { tree: { kind: 'object', children: new Map([...tree.children, [name, edit]]) }, stamped: name };
}

/** Every field as it is now, copied, `_id` first. */
function planInsert({ baseline, definition }: Life): BSON.Document {
  const document: BSON.Document = {};
  for (const name of new Set(['_id', ...baseline.names()])) {
    const value = baseline.current(name);
    if (value !== undefined) setOwn(document, name, toExact(value, ABSENT, [definition.shownName(name)]));
  }
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

/** What an insert of this document would store, without storing it. */
export async function insertion(life: Life, validated = life.definition.validate): Promise<BSON.Document> {
  runHooks(life);
  stampNew(life);
  return validated ? validate(life, () => planInsert(life)) : planInsert(life);
}

// ── send ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Gives the fields as they are stored now, where the program asked for operators; else null. */
async function send(life: Life, write: Write, options: UpdateOptions): Promise<Uint8Array | null> {
  if (write.kind === 'update') return sendUpdate(life, write.filter, write.tree, options);
  await sendInsert(life, write.document, options);
  return null;
}

async function sendInsert(life: Life, document: BSON.Document, options: UpdateOptions): Promise<void> {
  try {
    await life.definition.collection().insertOne(document, options);
  } catch (error) {
    // An insert that is sent again, since its answer was lost, may find its own document.
    if (life.unanswered === null || serverCode(error) !== 11000) throw error;
    const stored = await readRaw(life);
    if (stored === null || Buffer.compare(stored, encodeDocument(document)) !== 0) throw error;
  }
}

/** What came of an update that met a document: its fields, where they were asked for. */
interface Answer {
  readonly stored: Uint8Array | null;
}

async function sendUpdate(
  life: Life,
  filter: Life['filter'],
  tree: EditTree,
  options: UpdateOptions,
): Promise<Uint8Array | null> {
  const tryPlan =
    life.sent.length > 0 ? updateAndRead(life.baseline.selection?.projection ?? projectionOf(tree)) : update;
  const send = (form: UpdatePlan) => unlessMisfit(form, tryPlan(life, { ...filter, ...form.guard }, form, options));
  // An error would abort a transaction, so there the form that cannot fail goes first.
  const first = plan(tree, isInTransaction(options) && needsPipelineInBatch(tree) ? { form: 'pipeline' } : {});
  const isLast = first.guard === undefined && Array.isArray(first.update);
  const answer = (await send(first)) ?? (isLast ? null : await send(fallback(tree)));
  if (answer !== null) return answer.stored;
  throw notFound(life);
}

export function notFound({ context }: Life): DocumentNotFoundError {
  return new DocumentNotFoundError('The document is no longer in the collection: another writer deleted it.', context);
}

/** Sends one form of an update. Null when it met no document. */
type TryPlan = (life: Life, filter: object, form: UpdatePlan, options: UpdateOptions) => Promise<Answer | null>;

const update: TryPlan = async (life, filter, form, options) => {
  const sent = { ...options, ...optionsOf(form) };
  const { matchedCount } = await life.definition.collection().updateOne(filter, form.update, sent);
  return matchedCount > 0 ? { stored: null } : null;
};

/** The same, and reads the fields as they are then. */
function updateAndRead(projection: object): TryPlan {
  return async (life, filter, form, options) => {
    const sent = { ...options, ...optionsOf(form), projection, returnDocument: 'after', raw: true } as const;
    const collection = life.definition.collection();
    const found: unknown = await collection.findOneAndUpdate(filter, form.update, {
      ...(sent as FindOneAndUpdateOptions),
      includeResultMetadata: false,
    });
    return found === null ? null : { stored: ownBytes(found as Uint8Array) };
  };
}

function optionsOf({ arrayFilters, collation }: UpdatePlan): UpdateOptions {
  return {
    ...(arrayFilters && { arrayFilters: [...arrayFilters] as BSON.Document[] }),
    ...(collation && { collation }),
  };
}

/** The fields in which there are operators; all where one of them cannot be named. */
function projectionOf(tree: EditTree): object {
  const names = [...tree.children].filter(([, edit]) => hasAtomic(edit)).map(([name]) => name);
  return names.every(isNameable) ? Object.fromEntries(names.map((name) => [name, 1])) : {};
}

function hasAtomic(edit: Edit): boolean {
  return edit.kind === 'atomic' || (edit.kind === 'object' && [...edit.children.values()].some(hasAtomic));
}

/** The server refuses an operator whose path does not fit the stored shape with one of these; the pipeline form always fits. */
const SHAPE_ERRORS: ReadonlySet<number | undefined> = new Set([2, 14, 28]);

async function unlessMisfit(form: UpdatePlan, answer: Promise<Answer | null>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (Array.isArray(form.update) || !SHAPE_ERRORS.has(serverCode(error))) throw error;
    return null;
  }
}

/** The stored document's bytes, or null when it is gone. They lie in the driver's buffers: copy what is kept. */
export async function readRaw(life: Life, options: object = {}): Promise<Uint8Array | null> {
  if ((options as { projection?: unknown }).projection !== undefined)
    throw new UsageError('reload() does not take the option "projection": it reads what was loaded.', life.context);
  const { selection } = life.baseline;
  const part = selection === null ? {} : { projection: selection.projection };
  try {
    const sent = { ...options, ...part, raw: true } as const;
    const found: unknown = await life.definition.collection().findOne(life.filter as never, sent);
    return found as Uint8Array | null;
  } catch (error) {
    throw translate(error, life.context, life.definition);
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
  const isRead = stamped !== undefined && baseline.current(stamped) !== undefined && !baseline.differs(stamped);
  baseline.settle(withoutUnloaded(life, settled, stamped));
  if (isRead) baseline.revert(stamped);
  takeStored(life);
  life.lastSaved = settled;
}

/** Of what was not loaded only the time of the update can have been written; it stays unknown. */
function withoutUnloaded(life: Life, tree: EditTree, stamped: string | undefined): EditTree {
  if (stamped === undefined || extentAt(life, [stamped]) !== 'nothing') return tree;
  return { kind: 'object', children: new Map([...tree.children].filter(([name]) => name !== stamped)) };
}

function settleInsert(life: Life, document: BSON.Document): void {
  const { baseline } = life;
  const bytes = encodeDocument(document);
  const settled = new BsonBaseline(life.definition.layout(), bytes, 0);
  // Containers that the program holds stay, and so does what it changed since the insert was planned.
  const carry = (name: string): void => {
    const value = baseline.current(name);
    if (typeof value === 'object' || !Object.is(value, document[name])) settled.carry(name, value);
  };
  Object.keys(document).forEach(carry);
  for (const name of baseline.names()) if (!Object.hasOwn(document, name)) carry(name);
  moveTo(life.tracker, settled);
  life.isNew = false;
  life.lastSaved = bytes;
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
  const then = isRepeatable(write) ? 'Calling save() again is safe.' : 'Call reload() to see what is stored.';
  return new OutcomeUnknownError(`The save was sent, and the connection broke before its answer came. ${then}`, {
    ...life.context,
    cause: safely(error),
  });
}

/** Does sending it twice leave what sending it once does? */
function isRepeatable(write: Write): boolean {
  return write.kind === 'insert' || !adds(write.tree);
}
