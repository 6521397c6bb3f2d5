import { checkTaken } from '../connection/taken-options.ts';
import { checkCount, checkFunction, type QuerySpec } from './query-spec.ts';

/** What `forEach()` takes. */
export interface ForEachOptions {
  /**
   * How many calls may be under way at a time.
   * @default 1
   */
  readonly concurrency?: number;
}

/**
 * Calls a function with each item, at most `concurrency` calls at a time, and waits for all of them. After the first
 * error nothing more is taken from the source, which is closed, and what was started is waited for.
 *
 * @throws what the source or the first failing call threw, and UsageError for arguments that cannot be.
 */
export async function forEach<T>(
  { definition }: QuerySpec<unknown>,
  source: AsyncGenerator<T, void, undefined>,
  call: (item: T) => unknown,
  options: ForEachOptions,
): Promise<void> {
  checkFunction('forEach', call);
  checkTaken('forEach', definition, options, ['concurrency']);
  const { concurrency = 1 } = options;
  checkCount('forEach', concurrency, 1);
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    try {
      // A generator answers one request after another, so the workers can share it; who leaves the loop closes it.
      for await (const item of source) {
        if (errors.length > 0) return;
        await call(item);
      }
    } catch (error) {
      errors.push(error);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  if (errors.length > 0) throw errors[0];
}
