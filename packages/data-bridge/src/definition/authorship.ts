import { AsyncLocalStorage } from 'node:async_hooks';
import { UsageError } from '../errors.ts';

/* Who writes now, and why: for histories, and for extensions that note it. */

/** Who writes, and why: noted in every entry of a history. */
export interface Authorship {
  readonly actor?: string;
  readonly reason?: string;
}

/** On Node 20 its first use slows every promise of the process, so it is used by those alone who name somebody. */
const authorship = new AsyncLocalStorage<Authorship>();

/**
 * Runs code, and notes in the history of documents that it writes who did it: in what it waits for, too.
 *
 * ```ts
 * await withActor('ann', () => user.save());
 * ```
 *
 * @param actor a name or an id, as a text.
 * @returns what the code gives.
 */
export function withActor<R>(actor: string, code: () => R): R {
  return authorship.run({ ...authorship.getStore(), actor: checkText('withActor', actor, code) }, code);
}

/** The same for why it was done. Inside `withActor`, or around it. */
export function withReason<R>(reason: string, code: () => R): R {
  return authorship.run({ ...authorship.getStore(), reason: checkText('withReason', reason, code) }, code);
}

/** Who writes now, and why, as far as it was said. */
export function currentAuthorship(): Authorship {
  return authorship.getStore() ?? {};
}

function checkText(method: string, text: unknown, code: unknown): string {
  if (typeof text === 'string' && text !== '' && typeof code === 'function') return text;
  throw new UsageError(`${method}() takes a text that is not empty, and a function.`);
}
