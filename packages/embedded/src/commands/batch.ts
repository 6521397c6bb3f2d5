import { ServerError } from '../errors.ts';
import type { Request } from './command.ts';
import type { Fields } from './fields.ts';

/** Whether a batch ends at its first error: unless the command says otherwise. */
export function isOrdered(fields: Fields): boolean {
  return fields.value('ordered') === undefined || fields.boolean('ordered');
}

/** Runs the statements of a batch in order. An ordered batch ends at the first error, an unordered one goes on. */
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
      if (!(error instanceof ServerError)) throw error;
      failed(error, index, statement);
      if (ordered) return;
    }
    index += 1;
  }
}

/** Throws 72 where one of the statements of a retryable write may change several documents. */
export function refuseMulti(
  { retry }: Request,
  statements: readonly { readonly multi: boolean }[],
  how: 'multi=true' | 'limit=0',
): void {
  if (retry === undefined || !statements.some(({ multi }) => multi)) return;
  throw new ServerError(72, `Cannot use (or request) retryable writes with ${how}`);
}
