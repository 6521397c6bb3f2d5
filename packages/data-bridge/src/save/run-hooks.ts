import { currentAttempt } from '../connection/transaction-attempt.ts';
import { type ClassHooks, type HookCall, hooksOf } from '../definition/hooks.ts';
import type { DocumentState } from '../document/document-state.ts';
import { encodeDocument } from '../bson/encode.ts';
import { AfterHookError, type ErrorContext, UsageError } from '../errors.ts';
import type { ClientSession } from 'mongodb';

/*
 * Calls hooks, the program's own code around writes of documents, and passes on their errors.
 */

/** What methods that write documents take. */
export interface HookOptions {
  /**
   * Whether the hooks of the documents' classes are called.
   * @default true
   */
  readonly hooks?: boolean;
}

/** The options by which hooks are chosen, as they were given. */
export interface HookChoice {
  readonly hooks?: boolean | undefined;
  readonly session?: ClientSession | undefined;
}

/** What was done to a document when its hooks are called. */
export type Done = 'insert' | 'update' | 'delete';

const WORDS: Readonly<Record<Done, string>> = { insert: 'stored', update: 'stored', delete: 'deleted' };

/** @throws UsageError */
export function checkHooks(method: string, context: ErrorContext, hooks: unknown): void {
  if (hooks !== undefined && typeof hooks !== 'boolean')
    throw new UsageError(`${method}() takes true or false as "hooks".`, context);
}

/** The hooks of a document, unless a call leaves them out. @throws UsageError for a hook that could not be called at its moment. */
export function hooksFor(
  state: Pick<DocumentState, 'owner' | 'context'>,
  { hooks: isOn, session }: HookChoice,
): ClassHooks | null {
  const hooks = hooksOf(state.owner);
  if (hooks === null || isOn === false) return null;
  if (hooks.commit.after.length > 0 && currentAttempt() === undefined && session?.inTransaction() === true) {
    const text =
      'Nobody tells the mapper when a transaction of the driver is committed, so "afterCommit" could not be called: use transaction(), or pass { hooks: false }.';
    throw new UsageError(text, state.context);
  }
  return hooks;
}

/** The hooks around one save. */
export interface HookRun {
  readonly hooks: ClassHooks;
  /** The changes for which the hooks before the write were called, as a text; null before that. */
  seen: string | null;
}

/** The hooks around a save of a document; null where there are none. */
export function hookRun(state: DocumentState, options: HookChoice): HookRun | null {
  const hooks = hooksFor(state, options);
  return hooks === null ? null : { hooks, seen: null };
}

/** True where the program changed nothing since the hooks before the write were called. */
export function hasSeen({ seen }: HookRun, state: DocumentState): boolean {
  return seen !== null && seen === changesText(state);
}

/** Calls the hooks before a write, one after another. An error ends it: nothing is sent. */
export async function runBefore(state: DocumentState, calls: readonly HookCall[]): Promise<void> {
  for (const call of calls) await state.operations.inside(() => call(state.owner));
}

/**
 * Calls the hooks after a write, one after another, and all of them even where one fails. Without a transaction those after
 * the commit are called now.
 *
 * @throws AfterHookError with what they threw.
 */
export async function runAfter(state: DocumentState, hooks: ClassHooks, done: Done): Promise<void> {
  const attempt = currentAttempt();
  const commit = hooks.commit.after;
  const isLater = attempt !== undefined && commit.length > 0;
  if (isLater) attempt.afterCommit(state, () => afterCommit(state, commit));
  const calls = isLater || attempt !== undefined ? hooks[done].after : [...hooks[done].after, ...commit];
  const errors = await callAll(state, calls);
  if (errors.length === 0) return;
  const where = attempt === undefined ? '' : ' in the transaction';
  throw new AfterHookError(`The document was ${WORDS[done]}${where}, and what a hook did after that failed.`, {
    ...state.context,
    errors,
  });
}

/** The same, and gives the error instead of throwing it; undefined where there is none. */
export async function errorAfter(state: DocumentState, hooks: ClassHooks, done: Done): Promise<unknown> {
  try {
    await runAfter(state, hooks, done);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Runs as an operation of the document, so `save()` in such a hook does what it does in others. Gives the errors. */
function afterCommit(state: DocumentState, calls: readonly HookCall[]): Promise<unknown[]> {
  return state.queue('afterCommit', () => callAll(state, calls));
}

async function callAll(state: DocumentState, calls: readonly HookCall[]): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (const call of calls) {
    try {
      await state.operations.inside(() => call(state.owner));
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}

/** True where a save of the document would write something. */
export function hasChanges({ isNew, pending, baseline }: DocumentState): boolean {
  return isNew || pending.length > 0 || baseline.isModified();
}

/**
 * What the program changed, as a text that is another one after another change; null where it cannot be told, since a value is
 * none that BSON has.
 */
export function changesText({ baseline, pending }: DocumentState): string | null {
  const changed: [string, unknown][] = [];
  baseline.eachChange((name, value) => changed.push([name, value === undefined ? [] : [value]]));
  try {
    return Buffer.from(encodeDocument({ changed, operators: pending.length })).toString('latin1');
  } catch {
    return null;
  }
}
