import type { Abortable, FindOptions } from 'mongodb';
import { readNewer, settleConflicts } from './conflict.ts';
import { refuseNamed } from './driver-options.ts';
import { type Conflict, OutcomeUnknownError, UsageError } from './errors.ts';
import type { Life } from './life.ts';
import { settle, withdraw } from './save.ts';
import { notFound } from './stored-document.ts';
import { checkConflictOptions, type ConflictOptions } from './terms.ts';

/** Options of `$rebase()`: the driver's, and what becomes of overlaps. */
export interface RebaseOptions<C = Conflict>
  extends
    Pick<FindOptions, 'session' | 'comment' | 'timeoutMS'>,
    Partial<Abortable>,
    Pick<ConflictOptions<C>, 'onConflict'> {
  /** Of a save whose answer never came: was it done? You may know by what is stored. */
  readonly applied?: boolean;
}

const REFUSED = ['concurrency', 'guard', 'validate', 'history', 'timestamps'];

/** Reads the stored document, and lays on it what the program changed. Nothing is saved. */
export async function rebase(life: Life, { applied, onConflict = 'rebase', ...options }: RebaseOptions): Promise<void> {
  checkConflictOptions('$rebase', life, { onConflict });
  refuseNamed('$rebase', life, options, REFUSED);
  if (applied !== undefined) decide(life, applied);
  else if (life.unanswered !== null || life.inDoubt) {
    const text = 'The last save was sent and its answer never came: say { applied: true } or { applied: false }.';
    throw new OutcomeUnknownError(text, life.context);
  }
  if (life.isNew) {
    if (applied === false) return;
    throw new UsageError('The document is new: there is nothing to rebase it on.', life.context);
  }
  const newer = await readNewer(life, options);
  if (newer === null) throw notFound(life);
  await settleConflicts(life, newer, onConflict);
  life.inDoubt = false;
}

/** Takes the program's word for what became of the last save. */
function decide(life: Life, applied: boolean): void {
  const { unanswered } = life;
  if (life.inDoubt) {
    // What was there before it is kept no longer.
    if (!applied)
      throw new UsageError('A transaction that was not committed leaves what reload() reads.', life.context);
    life.inDoubt = false;
    return;
  }
  if (unanswered === null)
    throw new UsageError('$rebase() takes "applied" only where the answer to a save never came.', life.context);
  if (applied) return settle(life, unanswered);
  withdraw(life);
  life.unanswered = null;
}
