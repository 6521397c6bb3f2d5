import type { Life, Terms } from './life.ts';
import { CONCURRENCIES, type Concurrency } from './model-options.ts';
import { type Conflict, FieldNotLoadedError, UsageError } from './errors.ts';
import { extentAt } from './partial.ts';
import type { EditTree } from './state/edits.ts';
import type { Keys } from './state/pending.ts';
import { bothGuards, guardsText, unchangedAt, valueGuard } from './state/value-guards.ts';

/*
 * What a write asks of the stored document, besides its `_id`.
 */

/** What becomes of a path that this document and another writer both changed. */
export type OnConflict<C = Conflict> = 'throw' | 'rebase' | 'mine' | 'theirs' | Settling<C>['settle'];

/** A method, whose parameter is compared both ways: a document of any model is one of unknown fields. */
interface Settling<C> {
  settle(conflict: C): unknown;
}

/** Options of a save about other writers. `C` is the type of its conflicts, `P` that of the document's paths. */
export interface ConflictOptions<C = Conflict, P = string> {
  /**
   * What happens where others wrote the same document meanwhile.
   * @default the model's `concurrency`
   */
  readonly concurrency?: Concurrency;
  /**
   * Dotted paths that must be as they were read, too, whether the save writes them or not: what was decided by them would
   * be wrong otherwise.
   * @default []
   */
  readonly guard?: readonly P[];
  /**
   * What becomes of a conflict:
   *
   * - `'throw'`: a `ConflictError`; nothing is written.
   * - `'rebase'`: my changes are laid on the newer document and saved again, unless they overlap with theirs.
   * - `'mine'`, `'theirs'`: the same, and where they overlap one side wins.
   * - a function: the same, and it is called with each overlap and gives the value to store, or a promise of it.
   *
   * A path of `guard` that differs is always an error.
   * @default 'throw'
   */
  readonly onConflict?: OnConflict<C>;
}

const POLICIES: readonly unknown[] = ['throw', 'rebase', 'mine', 'theirs'];

/** @throws UsageError */
export function checkConflictOptions(
  method: string,
  { definition, context }: Life,
  { concurrency, guard, onConflict }: ConflictOptions,
): void {
  const refuse = (text: string): never => {
    throw new UsageError(`${method}() ${text}`, context);
  };
  if (concurrency !== undefined && !CONCURRENCIES.includes(concurrency))
    refuse(`takes the option "concurrency" ${CONCURRENCIES.map((each) => JSON.stringify(each)).join(' or ')}.`);
  if (concurrency === 'version' && definition.version === undefined)
    refuse('takes the concurrency "version" only where the model has a version: give it the option "version".');
  if (guard !== undefined && !(Array.isArray(guard) && guard.every((path) => typeof path === 'string')))
    refuse('takes the option "guard" as a list of dotted paths.');
  if (onConflict !== undefined && typeof onConflict !== 'function' && !POLICIES.includes(onConflict))
    refuse(`takes the option "onConflict" ${POLICIES.map((each) => JSON.stringify(each)).join(', ')} or a function.`);
}

/** The terms of a write; null where it fits whatever others did. */
export function termsOf(
  life: Life,
  edits: EditTree,
  { concurrency = life.definition.concurrency, guard = [] }: ConflictOptions,
): Terms | null {
  if (concurrency === 'merge' && guard.length === 0) return null;
  const premises = guard.map((path) => keysOfGuard(life, path));
  const { version } = life.definition;
  if (concurrency === 'version' && version !== undefined) premises.push(keysOfGuard(life, version));
  return { concurrency, premises, asPipeline: false, ...termsFilter(life, edits, concurrency, premises) };
}

function keysOfGuard(life: Life, path: string): Keys {
  const { definition, baseline } = life;
  const stored = definition.storedPath(path);
  const isField = definition.names.has(stored) || baseline.has(stored);
  const keys: Keys = isField ? [stored] : (stored.split('.') as [string, ...string[]]);
  if (extentAt(life, keys) !== 'whole') throw new FieldNotLoadedError(path, life.context);
  return keys;
}

/** The filter that says the terms of edits to the document as it was read. */
export function termsFilter(
  life: Life,
  edits: EditTree,
  concurrency: Concurrency,
  premises: readonly Keys[],
): Pick<Terms, 'filter' | 'collation'> {
  const originals = (name: string): unknown => life.ordered(name);
  const trees = premises.map((keys) => unchangedAt(keys, originals));
  if (concurrency === 'fields') trees.push(edits);
  const filter = trees.map((tree) => valueGuard(tree, originals)).reduce(bothGuards, {});
  return { filter, collation: trees.some(guardsText) ? { locale: 'simple' } : undefined };
}
