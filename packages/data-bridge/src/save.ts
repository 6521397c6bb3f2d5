import type { BSON, UpdateOptions } from 'mongodb';
import { setOwn } from './bson/copy.ts';
import { ABSENT, encodeDocument, toExact } from './bson/encode.ts';
import { equalValues } from './bson/equal.ts';
import { DocumentNotFoundError, OutcomeUnknownError, UsageError } from './errors.ts';
import type { Life, Write } from './life.ts';
import { outcomeOf, serverCode, translate } from './outcome.ts';
import { BsonBaseline } from './state/bson-baseline.ts';
import type { Edit, EditTree } from './state/edits.ts';
import { fallback, needsPipelineInBatch, plan, type UpdatePlan } from './state/plan.ts';
import { moveTo, treeOf } from './state/tracker.ts';
import { validate } from './validate.ts';

/** Options of `save()`: the driver's, and whether to validate. */
export interface SaveOptions extends Omit<UpdateOptions, 'upsert' | 'arrayFilters' | 'hint' | 'collation' | 'sort'> {
  /**
   * Are the changed fields validated first?
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

/** Writes what changed in a document. Nothing is sent when nothing changed. */
export async function save(
  life: Life,
  { validate: validated = life.definition.validate, ...options }: SaveOptions = {},
): Promise<void> {
  checkSavable(life, options);
  // What is stored must be known before the difference to it can be told.
  if (life.unanswered !== null) await sendAndSettle(life, life.unanswered, options);
  runHooks(life);
  const write = validated ? await validate(life, () => planWrite(life)) : planWrite(life);
  if (write !== null) await sendAndSettle(life, write, options);
}

async function sendAndSettle(life: Life, write: Write, options: UpdateOptions): Promise<void> {
  try {
    await send(life, write, options);
  } catch (error) {
    throw fail(life, write, error);
  }
  settle(life, write);
}

function checkSavable(life: Life, options: UpdateOptions): void {
  if (life.isDeleted) throw new DocumentNotFoundError('The document was deleted, so it cannot be saved.', life.context);
  if (life.unanswered !== null && !isRepeatable(life.unanswered)) {
    const text =
      'The last save was sent and its answer never came; sending it again could apply it twice. Call reload() to see what is stored.';
    throw new OutcomeUnknownError(text, life.context);
  }
  checkWriteConcern('save', life, options);
}

/** Without an answer nobody knows what is stored. */
export function checkWriteConcern(method: string, { context, definition }: Life, options: UpdateOptions): void {
  const { w } = options.writeConcern ?? definition.collection().writeConcern ?? {};
  if (w === 0)
    throw new UsageError(`${method}() needs an answer from the server: write concern 0 gives none.`, context);
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

// ── plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a save of this document writes now, or null. */
export function planWrite(life: Life): Write | null {
  if (life.isNew) return { kind: 'insert', document: planInsert(life) };
  const tree = treeOf(life.baseline);
  if (tree?.children.has('_id') === true) life.refuseNewId();
  return tree === null ? null : { kind: 'update', filter: life.filter, tree };
}

/** Every field as it is now, copied, `_id` first. */
function planInsert({ baseline }: Life): BSON.Document {
  const document: BSON.Document = {};
  for (const name of new Set(['_id', ...baseline.names()])) {
    const value = baseline.current(name);
    if (value !== undefined) setOwn(document, name, toExact(value, ABSENT, [name]));
  }
  return document;
}

/** What an insert of this document would store, without storing it. */
export async function insertion(life: Life, validated = life.definition.validate): Promise<BSON.Document> {
  runHooks(life);
  return validated ? validate(life, () => planInsert(life)) : planInsert(life);
}

// ── send ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function send(life: Life, write: Write, options: UpdateOptions): Promise<void> {
  return write.kind === 'insert'
    ? sendInsert(life, write.document, options)
    : sendUpdate(life, write.filter, write.tree, options);
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

async function sendUpdate(life: Life, filter: Life['filter'], tree: EditTree, options: UpdateOptions): Promise<void> {
  // An error would abort a transaction, so there the form that cannot fail goes first.
  const inTransaction = options.session?.inTransaction() === true;
  const first = plan(tree, inTransaction && needsPipelineInBatch(tree) ? { form: 'pipeline' } : {});
  if (await tryPlan(life, filter, first, options)) return;
  if (first.guard !== undefined || !Array.isArray(first.update)) {
    if (await tryPlan(life, filter, fallback(tree), options)) return;
  }
  throw new DocumentNotFoundError(
    'The document is no longer in the collection: another writer deleted it.',
    life.context,
  );
}

/** The server refuses an operator whose path does not fit the stored shape with one of these; the pipeline form always fits. */
const SHAPE_ERRORS: ReadonlySet<number | undefined> = new Set([2, 14, 28]);

/** Sends one form of the update. False when it met no document, or a document of another shape. */
async function tryPlan(life: Life, filter: Life['filter'], form: UpdatePlan, options: UpdateOptions): Promise<boolean> {
  const collection = life.definition.collection();
  const sent =
    form.arrayFilters === undefined ? options : { ...options, arrayFilters: [...form.arrayFilters] as BSON.Document[] };
  try {
    const { matchedCount } = await collection.updateOne({ ...filter, ...form.guard } as never, form.update, sent);
    return matchedCount > 0;
  } catch (error) {
    if (Array.isArray(form.update) || !SHAPE_ERRORS.has(serverCode(error))) throw error;
    return false;
  }
}

/** The stored document's bytes, or null when it is gone. They lie in the driver's buffers: copy what is kept. */
export async function readRaw(life: Life, options: object = {}): Promise<Uint8Array | null> {
  try {
    const found: unknown = await life.definition.collection().findOne(life.filter as never, { ...options, raw: true });
    return found as Uint8Array | null;
  } catch (error) {
    throw translate(error, life.context);
  }
}

// ── settle ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Makes what was sent the baseline. */
export function settle(life: Life, write: Write): void {
  if (write.kind === 'insert') settleInsert(life, write.document);
  else {
    life.baseline.settle(write.tree);
    life.lastSaved = write.tree;
  }
  life.unanswered = null;
}

function settleInsert(life: Life, document: BSON.Document): void {
  const { baseline } = life;
  const settled = new BsonBaseline(life.definition.layout(), encodeDocument(document), 0);
  // Containers that the program holds stay, and so does what it changed since the insert was planned.
  for (const name of new Set([...Object.keys(document), ...baseline.names()]))
    settled.carry(name, baseline.current(name));
  moveTo(life.tracker, settled);
  life.isNew = false;
  const children = Object.entries(document).map(([name, value]): [string, Edit] => [
    name,
    { kind: 'set', base: ABSENT, value },
  ]);
  life.lastSaved = { kind: 'object', children: new Map(children) };
}

/** Notes what is known of a write that failed, and gives the error to throw. */
export function fail(life: Life, write: Write, error: unknown): unknown {
  const outcome = outcomeOf(error);
  if (outcome === 'applied') settle(life, write);
  // What the server refuses now, it did not do before.
  if (serverCode(error) !== undefined) life.unanswered = null;
  if (outcome !== 'unknown') return translate(error, life.context);
  life.unanswered = write;
  const then = isRepeatable(write) ? 'Calling save() again is safe.' : 'Call reload() to see what is stored.';
  return new OutcomeUnknownError(`The save was sent, and the connection broke before its answer came. ${then}`, {
    ...life.context,
    cause: error,
  });
}

/** Does sending it twice leave what sending it once does? */
function isRepeatable(write: Write): boolean {
  return write.kind === 'insert' || !adds(write.tree);
}

function adds(edit: Edit | EditTree): boolean {
  return edit.kind === 'push' || ('children' in edit && [...edit.children.values()].some(adds));
}
