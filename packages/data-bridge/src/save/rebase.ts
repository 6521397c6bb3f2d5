import type { Abortable, FindOptions } from 'mongodb';
import { readNewer, settleConflicts } from './conflict.ts';
import { checkTaken } from '../connection/taken-options.ts';
import { type Conflict, OutcomeUnknownError, UsageError } from '../errors.ts';
import { checkUnscoped, type ScopeOptions } from '../definition/extension.ts';
import type { DocumentState } from '../document/document-state.ts';
import { settle, withdraw } from './settle.ts';
import { notFound } from '../document/stored-commands.ts';
import { checkConflictOptions, type ConflictOptions } from './write-conditions.ts';

const REBASING = ['session', 'comment', 'timeoutMS', 'signal', 'applied', 'onConflict', 'unscoped'] as const;

/** Options of `$rebase()`: the driver's, and what happens to overlaps. */
export interface RebaseOptions<C = Conflict>
  extends
    Pick<FindOptions, 'session' | 'comment' | 'timeoutMS'>,
    Partial<Abortable>,
    Pick<ConflictOptions<C>, 'onConflict'>,
    ScopeOptions {
  /** Of a save whose answer never came: whether it was done. You may know by what is stored. */
  readonly applied?: boolean;
}

/** Reads the stored document, and applies to it what the program changed. Nothing is saved. */
export async function rebase(state: DocumentState, given: RebaseOptions): Promise<void> {
  checkTaken('$rebase', state, given, REBASING);
  const { applied, onConflict = 'rebase', unscoped, ...options } = given;
  checkConflictOptions('$rebase', state, { onConflict });
  checkUnscoped(state.definition.extensions, unscoped, state.definition.collectionName);
  state.unscoped = unscoped;
  if (applied !== undefined) decide(state, applied);
  else if (state.unanswered !== null || state.inDoubt) {
    const text = 'The last save was sent and its answer never came: say { applied: true } or { applied: false }.';
    throw new OutcomeUnknownError(text, state.context);
  }
  if (state.isNew) {
    if (applied === false) return;
    throw new UsageError('The document is new: there is nothing to rebase it on.', state.context);
  }
  const newer = await readNewer(state, options);
  if (newer === null) throw notFound(state);
  await settleConflicts(state, newer, onConflict);
  state.decided();
}

/** Takes the program's word for what became of the last save. */
function decide(state: DocumentState, applied: boolean): void {
  const { unanswered } = state;
  if (state.inDoubt) {
    // What was there before it is kept no longer.
    if (!applied)
      throw new UsageError('A transaction that was not committed leaves what reload() reads.', state.context);
    state.decided();
    return;
  }
  if (unanswered === null)
    throw new UsageError('$rebase() takes "applied" only where the answer to a save never came.', state.context);
  if (applied) return settle(state, unanswered);
  withdraw(state);
  state.answered();
}
