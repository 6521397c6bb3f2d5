import type { DocumentState, WriteConditions } from '../document/document-state.ts';
import { CONCURRENCIES, type Concurrency } from '../definition/model-options.ts';
import { type Conflict, FieldNotLoadedError, UsageError } from '../errors.ts';
import { extentAt } from '../document/loaded-part.ts';
import type { EditTree, Keys } from '../edits/edits.ts';
import {
  joinGuards,
  kindGuard,
  kindGuardComparesText,
  unchangedAt,
  valueGuard,
  valueGuardComparesText,
} from '../update/value-guards.ts';

/*
 * What a write asks of the stored document, besides its `_id`.
 */

/** What happens to a path that this document and another writer both changed. */
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
   * Dotted paths that must still be as they were read, whether the save writes them or not: those on which the program based
   * a decision.
   * @default []
   */
  readonly guard?: readonly P[];
  /**
   * What happens to a conflict:
   *
   * - `'throw'`: a `ConflictError`; nothing is written.
   * - `'rebase'`: my changes are applied to the newer document and saved again, unless they overlap with theirs.
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
  state: DocumentState,
  { concurrency, guard, onConflict }: ConflictOptions,
): void {
  if (concurrency === undefined && guard === undefined && onConflict === undefined) return;
  const { definition } = state;
  const refuse = (text: string): never => {
    throw new UsageError(`${method}() ${text}`, state.context);
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

/** The conditions of a write; null where it fits whatever others did. */
export function conditionsOf(
  state: DocumentState,
  edits: EditTree,
  { concurrency = state.definition.concurrency, guard = [] }: ConflictOptions,
): WriteConditions | null {
  const once = state.definition.writeOnce.filter((name) => edits.children.has(name));
  if (concurrency === 'merge' && guard.length + once.length === 0) return null;
  // What is written once is written now only because it was not stored: another writer must not have written it since.
  const guardedPaths = [...guard.map((path) => keysOfGuardedPath(state, path)), ...once.map((name): Keys => [name])];
  const { version } = state.definition;
  if (concurrency === 'version' && version !== undefined) guardedPaths.push(keysOfGuardedPath(state, version));
  return { concurrency, guardedPaths, asPipeline: false, ...conditionsFilter(state, edits, concurrency, guardedPaths) };
}

function keysOfGuardedPath(state: DocumentState, path: string): Keys {
  const { definition, baseline } = state;
  const stored = definition.storedPath(path);
  const isField = definition.names.has(stored) || baseline.has(stored);
  const keys: Keys = isField ? [stored] : (stored.split('.') as [string, ...string[]]);
  if (extentAt(state, keys) !== 'whole') throw new FieldNotLoadedError(path, state.context);
  return keys;
}

/** The filter that says the conditions of edits to the document as it was read. */
export function conditionsFilter(
  state: DocumentState,
  edits: EditTree,
  concurrency: Concurrency,
  guardedPaths: readonly Keys[],
): Pick<WriteConditions, 'filter' | 'collation'> {
  const originals = (name: string): unknown => state.ordered(name);
  const trees = guardedPaths.map((keys) => unchangedAt(keys, originals));
  if (concurrency === 'fields') trees.push(edits);
  const guards = trees.map((tree) => valueGuard(tree, originals));
  // Of a version only those know who count by it.
  if (concurrency === 'version') guards.push(kindGuard(edits, originals));
  const comparesText =
    trees.some(valueGuardComparesText) || (concurrency === 'version' && kindGuardComparesText(edits));
  return { filter: guards.reduce(joinGuards, {}), collation: comparesText ? { locale: 'simple' } : undefined };
}
