import { AsyncLocalStorage } from 'node:async_hooks';
import { UsageError } from '../errors.ts';

/* The author of what is written now, and the reason: for histories, and for extensions that note them. */

/** The author of a write and the reason for it, as every entry of a history has them. */
export interface Authorship {
  readonly actor?: string;
  readonly reason?: string;
}

/** On Node 20 its first use slows every promise of the process, so only a call that names an actor or a reason uses it. */
const authorship = new AsyncLocalStorage<Authorship>();

/**
 * Runs code as somebody: histories name this actor in what the code writes, also after it has waited.
 *
 * ```ts
 * await withActor('ann', () => user.save());
 * ```
 *
 * @param actor a name or an id, as a text.
 * @returns what the code gives; of a query what that gives, which is sent at once.
 */
export function withActor<R>(actor: string, code: () => PromiseLike<R>): Promise<R>;
export function withActor<R>(actor: string, code: () => R): R;
export function withActor(actor: string, code: () => unknown): unknown {
  const text = checkText('withActor', actor, code);
  return runInside(authorship, { ...authorship.getStore(), actor: text }, code);
}

/** Runs code, and histories give this reason for what it writes. It may stand inside of `withActor`, or around it. */
export function withReason<R>(reason: string, code: () => PromiseLike<R>): Promise<R>;
export function withReason<R>(reason: string, code: () => R): R;
export function withReason(reason: string, code: () => unknown): unknown {
  const text = checkText('withReason', reason, code);
  return runInside(authorship, { ...authorship.getStore(), reason: text }, code);
}

/** An `AsyncLocalStorage`: declarations of this package name no module of Node.js. */
interface Storage<T> {
  run<R>(value: T, code: () => R): R;
}

/** Runs code with what it and all that it waits for can look up. A query that it gives begins here, and not where it is awaited. */
export function runInside<T>(storage: Storage<T>, value: T, code: () => unknown): unknown {
  return storage.run(value, () => {
    const given = code() as { readonly then?: unknown } | null | undefined;
    const isQuery = typeof given === 'object' && typeof given?.then === 'function' && !(given instanceof Promise);
    return isQuery ? (given as PromiseLike<unknown>).then((result) => result) : given;
  });
}

/** The author of what is written now and the reason, as far as they were given. */
export function currentAuthorship(): Authorship {
  return authorship.getStore() ?? {};
}

function checkText(method: string, text: unknown, code: unknown): string {
  if (typeof text === 'string' && text !== '' && typeof code === 'function') return text;
  throw new UsageError(`${method}() takes a text that is not empty, and a function.`);
}
