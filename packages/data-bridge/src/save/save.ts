import { refuseNamed } from '../connection/driver-options.ts';
import type { DocumentState, Write } from '../document/document-state.ts';
import { type Answer, notFound } from '../document/stored-commands.ts';
import { type Conflict, DocumentNotFoundError, OutcomeUnknownError, UsageError } from '../errors.ts';
import { afterMiss } from './conflict.ts';
import { letOut } from './door.ts';
import { newDocument, planWrite } from './plan-write.ts';
import { send } from './send.ts';
import { fail, isRepeatable, settle } from './settle.ts';
import { type ConflictOptions, checkConflictOptions } from './write-conditions.ts';
import type { Abortable, BSON, UpdateOptions } from 'mongodb';

/** Options that would change which document is written, or make a part of one, and those that other methods take. */
const REFUSED = ['upsert', 'arrayFilters', 'hint', 'collation', 'sort', 'history', 'applied'] as const;

/** Options of `save()`: the driver's, whether to validate, and what happens where others wrote the document meanwhile. */
export interface SaveOptions<C = Conflict, P = string>
  extends Omit<UpdateOptions, (typeof REFUSED)[number]>, Partial<Abortable>, ConflictOptions<C, P> {
  /**
   * Whether the changed fields are validated first.
   * @default the model's `validate`
   */
  readonly validate?: boolean;
  /**
   * Whether the times of the model's `timestamps` are written. With false, a new document may be given its own, as imports
   * do; a stored one keeps its `updatedAt`.
   * @default true
   */
  readonly timestamps?: boolean;
}

/** Writes what changed in a document. Nothing is sent when nothing changed. */
export async function save(state: DocumentState, options: SaveOptions = {}): Promise<void> {
  checkSaveOptions('save', state, options);
  const prepared = prepare(state, options);
  const write = prepared instanceof Promise ? await prepared : prepared;
  if (write !== null) await sendAndSettle(state, write, options);
}

/** The first steps: the door, where it is validated, and the plan. Gives what to send, or null; a promise only where there is something to wait for. */
export function prepare(state: DocumentState, options: SaveOptions): Write | null | Promise<Write | null> {
  checkSavable(state);
  const { unanswered } = state;
  // What is stored must be known before the difference to it can be found.
  if (unanswered !== null) return sendAndSettle(state, unanswered, options).then(() => prepare(state, options));
  const { validate = state.definition.validate, timestamps } = options;
  return letOut(state, validate, (edits) => planWrite(state, options, edits), timestamps);
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
  timestamps: _t,
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

/** What an insert of this document would store, without storing it. */
export async function insertion(state: DocumentState, validated = state.definition.validate): Promise<BSON.Document> {
  return letOut(state, validated, () => newDocument(state));
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
