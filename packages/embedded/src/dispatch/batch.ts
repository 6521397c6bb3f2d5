import { ServerError } from '../errors.ts';
import { WriteConflict } from '../storage/write-conflict.ts';
import type { Request } from './command.ts';

const TIME_IS_OVER = 50;

/** True where a batch ends at its first error: in a transaction always, else unless the command says otherwise. */
export function isOrdered({ fields, part }: Request): boolean {
  if (part?.kind === 'transaction') return true;
  return fields.value('ordered') === undefined || fields.boolean('ordered');
}

/**
 * Runs the statements of a batch in order. An ordered batch ends at the first error, an unordered one goes on. A conflict
 * with a transaction ends all of it, and so does the end of the command's time.
 */
export function runBatch<T>(
  statements: Iterable<T>,
  ordered: boolean,
  run: (statement: T, index: number) => void,
  failed: (error: ServerError, index: number, statement: T) => void,
): void {
  let index = 0;
  for (const statement of statements) {
    try {
      run(statement, index);
    } catch (error) {
      if (!(error instanceof ServerError) || error instanceof WriteConflict || error.code === TIME_IS_OVER) throw error;
      failed(error, index, statement);
      if (ordered) return;
    }
    index += 1;
  }
}

/** Throws 72 where one of the statements of a retryable write may change several documents. */
export function refuseMulti(
  { part }: Request,
  statements: readonly { readonly multi: boolean }[],
  how: 'multi=true' | 'limit=0',
): void {
  if (part?.kind !== 'retryable' || !statements.some(({ multi }) => multi)) return;
  throw new ServerError(72, `Cannot use (or request) retryable writes with ${how}`);
}
