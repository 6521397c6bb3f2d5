import { refuseNamed } from '../connection/driver-options.ts';
import { checkUnscoped, type ScopeOptions } from '../definition/extension.ts';
import type { DocumentState, Write } from '../document/document-state.ts';
import { type Answer, notFound } from '../document/stored-commands.ts';
import type { EditTree } from '../edits/edits.ts';
import { type Conflict, DocumentNotFoundError, OutcomeUnknownError, UsageError } from '../errors.ts';
import { saveChannel, type SaveTrace } from '../connection/tracing.ts';
import { afterMiss } from './conflict.ts';
import { checkWriteConcern } from './check-write-concern.ts';
import { letOut } from './door.ts';
import { newDocument, planWrite } from './plan-write.ts';
import { send } from './send.ts';
import {
  changesText,
  checkHooks,
  type Done,
  hasSeen,
  type HookChoice,
  hookRun,
  type HookOptions,
  type HookRun,
  hooksFor,
  runAfter,
} from './run-hooks.ts';
import { fail, isRepeatable, settle } from './settle.ts';
import { type ConflictOptions, checkConflictOptions } from './write-conditions.ts';
import type { Abortable, BSON, UpdateOptions } from 'mongodb';

/** Options that would change which document is written, or make a part of one, and those that other methods take. */
const REFUSED = ['upsert', 'arrayFilters', 'hint', 'collation', 'sort', 'history', 'applied'] as const;

/** Options of `save()`: the driver's, whether to validate, and what happens where others wrote the document meanwhile. */
export interface SaveOptions<C = Conflict, P = string>
  extends
    Omit<UpdateOptions, (typeof REFUSED)[number]>,
    Partial<Abortable>,
    ConflictOptions<C, P>,
    HookOptions,
    ScopeOptions {
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
  /**
   * Whether the documents that its references have loaded are saved with it where they are new or changed, and those that
   * theirs have: all of them by `saveAll()`, so what fails is a `BulkSaveError`.
   * @default false
   */
  readonly cascade?: boolean;
}

/**
 * Writes what changed in a document. Nothing is sent when nothing changed.
 *
 * @param isReady true where the hooks that come before were called.
 */
export async function save(state: DocumentState, options: SaveOptions = {}, isReady = false): Promise<void> {
  checkSaveOptions('save', state, options);
  state.unscoped = options.unscoped;
  const run = hookRun(state, options);
  const prepared = prepare(state, options, isReady ? null : run);
  const write = prepared instanceof Promise ? await prepared : prepared;
  if (write === null) return;
  const done = await sendAndSettle(state, write, options, run);
  if (run !== null && done !== null) await runAfter(state, run.hooks, done);
}

/** The first steps: the door, where it is validated, and the plan. Gives what to send, or null; a promise only where there is something to wait for. */
export function prepare(
  state: DocumentState,
  options: SaveOptions,
  run: HookRun | null,
): Write | null | Promise<Write | null> {
  checkSavable(state);
  if (state.unanswered !== null) return prepareAgain(state, state.unanswered, options, run);
  const { validate = state.definition.validate, timestamps, unscoped } = options;
  if (run === null)
    return letOut(state, validate, (edits) => planWrite(state, options, edits), timestamps, undefined, unscoped);
  const calls = run.hooks[state.isNew ? 'insert' : 'update'].before;
  const plan = (edits?: () => EditTree | null): Write | null => {
    const write = planWrite(state, options, edits);
    if (options.onConflict !== undefined) run.seen = changesText(state);
    return write;
  };
  return letOut(state, validate, plan, timestamps, hasSeen(run, state) ? [] : calls, unscoped);
}

/** What is stored must be known before the difference to it can be found. */
async function prepareAgain(
  state: DocumentState,
  unanswered: Write,
  options: SaveOptions,
  run: HookRun | null,
): Promise<Write | null> {
  const done = await sendAndSettle(state, unanswered, options, run);
  if (run !== null && done !== null) await runAfter(state, run.hooks, done);
  return prepare(state, options, run);
}

/**
 * The last two: send, settle. Where another writer was faster, what is sent then follows from the newer document.
 *
 * @returns what was done; null where nothing was left to do.
 */
export function sendAndSettle(
  state: DocumentState,
  write: Write,
  options: SaveOptions,
  run: HookRun | null,
): Promise<Done | null> {
  if (!saveChannel.hasSubscribers) return sendUntilDone(state, write, options, run, null);
  const fields = write.kind === 'insert' ? state.baseline.names().length : write.tree.children.size;
  const trace: SaveTrace = { model: state.definition.collectionName, operation: write.kind, fields, tries: 1 };
  const send = (): Promise<Done | null> => sendUntilDone(state, write, options, run, trace);
  return saveChannel.tracePromise<Done | null>(send, trace);
}

async function sendUntilDone(
  state: DocumentState,
  write: Write,
  options: SaveOptions,
  run: HookRun | null,
  trace: SaveTrace | null,
): Promise<Done | null> {
  for (let next: Write | null = write, tries = 1; next !== null; tries += 1) {
    if (trace !== null) trace.tries = tries;
    if (options.signal?.aborted === true) throw fail(state, next, options.signal.reason, 'refused');
    let answer: Answer | null;
    try {
      answer = await send(state, next, driverOptions(options));
    } catch (error) {
      throw fail(state, next, error);
    }
    if (answer !== null) {
      settle(state, next, answer.stored);
      return next.kind === 'update' && next.tree.children.size === 0 ? null : next.kind;
    }
    next = await resend(state, next, options, tries, run);
  }
  return null;
}

/** The options without those of this package. Most saves have none: taking an object apart costs more than looking at it. */
export function driverOptions(options: SaveOptions): UpdateOptions {
  const rest: Record<string, unknown> = {};
  for (const key in options) if (!OWN.has(key)) rest[key] = options[key as keyof SaveOptions];
  return rest;
}

type OwnOption = Exclude<keyof SaveOptions, keyof (UpdateOptions & Abortable)>;

/** All of them: the compiler asks for each. */
const OWN: ReadonlySet<string> = new Set(
  Object.keys({
    validate: 1,
    timestamps: 1,
    concurrency: 1,
    guard: 1,
    onConflict: 1,
    hooks: 1,
    cascade: 1,
    unscoped: 1,
  } satisfies Record<OwnOption, 1>),
);

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
  if (options.cascade === true)
    throw new UsageError(`${method}() takes no "cascade": save(), create() and saveAll() do.`, state.context);
  checkHooks(method, state.context, options.hooks);
  checkUnscoped(state.definition.extensions, options.unscoped, state.definition.collectionName);
  checkWriteConcern(method, state, options);
}

/** What an insert of this document would store, without storing it. */
export async function insertion(
  state: DocumentState,
  kind: 'insert' | 'replace',
  { validate = state.definition.validate, hooks, unscoped }: InsertionOptions,
): Promise<BSON.Document> {
  const calls = hooksFor(state, { hooks })?.[kind].before;
  return letOut(state, validate, () => newDocument(state), true, calls, unscoped);
}

/** What is asked of the insert of a document by itself. */
export type InsertionOptions = HookChoice & ScopeOptions & { readonly validate?: boolean | undefined };

/** What to send where the conditions were not met; null where nothing is left to write. */
async function resend(
  state: DocumentState,
  write: Write,
  options: SaveOptions,
  tries: number,
  run: HookRun | null,
): Promise<Write | null> {
  try {
    if (write.kind === 'insert' || write.conditions === null) throw notFound(state);
    const again = await afterMiss(state, write, write.conditions, options, tries, run);
    if (again !== null) return again;
  } catch (error) {
    throw fail(state, write, error, 'refused');
  }
  return prepare(state, options, run);
}
