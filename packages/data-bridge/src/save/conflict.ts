import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Abortable, FindOptions, UpdateOptions } from 'mongodb';
import { ownBytes } from '../bson/arena.ts';
import { copyValue } from '../bson/copy.ts';
import { ABSENT, toExact } from '../bson/encode.ts';
import { type Conflict, ConflictError } from '../errors.ts';
import type { DocumentState, Write, WriteConditions } from '../document/document-state.ts';
import { joinAtomics, putBack } from '../document/atomic-methods.ts';
import { valueAt } from '../document/path.ts';
import { applyAtomic } from '../edits/atomic-operators.ts';
import type { Baseline } from '../tracking/baseline.ts';
import type { BsonBaseline } from '../tracking/bson-baseline.ts';
import type { EditTree } from '../edits/edits.ts';
import { baselineOver } from '../tracking/loaded-baseline.ts';
import { exactAt, isShown, type PendingAtomic, treeWith } from '../tracking/pending-operators.ts';
import {
  type Clash,
  clashesOf,
  editTo,
  equalOrBothAbsent,
  keepsMeaning,
  rebaseEdits,
  type Settle,
  takeMine,
} from '../edits/rebase-edits.ts';
import { moveTo } from '../tracking/state-tracker.ts';
import { unchangedAt } from '../update/value-guards.ts';
import { notFound, readRaw } from '../document/stored-commands.ts';
import { changesText, hasSeen, type HookRun } from './run-hooks.ts';
import { conditionsFilter, type ConflictOptions, type OnConflict } from './write-conditions.ts';

/*
 * What a write does where another writer was faster.
 */

/** So many other writers in a row are no coincidence: the program gets an error. */
export const MAX_TRIES = 20;

/**
 * Called when a guarded update met no document that it fits: reads the newer one. Where all is as the conditions ask, its bytes
 * become the baseline, and the same changes are to be sent again. Else it is a conflict, which `onConflict` may settle.
 *
 * @returns what to send now; null where the save is to be planned anew.
 * @throws ConflictError, DocumentNotFoundError
 */
export async function afterMiss(
  state: DocumentState,
  write: Write & { readonly kind: 'update' },
  conditions: WriteConditions,
  options: ConflictOptions & UpdateOptions & Partial<Abortable>,
  tries: number,
  run: HookRun | null,
): Promise<Write | null> {
  const newer = await readNewer(state, options);
  if (newer === null) throw notFound(state);
  const { onConflict = 'throw' } = options;
  const { guarded, overlaps } = conflictsOf(state, write, conditions, newer);
  const isConflict = guarded.length + overlaps.length > 0;
  if (tries >= MAX_TRIES || (isConflict && onConflict === 'throw'))
    throw conflictError(state, newer, [...guarded, ...overlaps]);
  if (!isConflict) {
    await pause(tries, options);
    return rebaseWrite(state, write, conditions, newer);
  }
  const { version } = state.definition;
  const fixed = guarded.filter(({ keys }) => keys[0] !== version);
  if (fixed.length > 0) throw conflictError(state, newer, [...fixed, ...overlaps]);
  await pause(tries, options);
  putBack(state);
  state.withdrawn();
  state.answered();
  if (run === null) await settleConflicts(state, newer, onConflict);
  else await settleSeen(state, newer, onConflict, run);
  return null;
}

/** Notes whether the program changed anything meanwhile, or was asked: what comes before the write is called again then. */
async function settleSeen(
  state: DocumentState,
  newer: BsonBaseline,
  onConflict: OnConflict,
  run: HookRun,
): Promise<void> {
  let isSeen = hasSeen(run, state);
  const ask = (conflict: Conflict): unknown => {
    isSeen = false;
    return (onConflict as (conflict: Conflict) => unknown)(conflict);
  };
  await settleConflicts(state, newer, typeof onConflict === 'function' ? ask : onConflict);
  run.seen = isSeen ? changesText(state) : null;
}

/** Waits for a while that is another one for each writer. After the first miss it does not: most often there is one. */
export async function pause(tries: number, { signal }: Partial<Abortable>): Promise<void> {
  if (tries > 1) await setTimeout(Math.random() * Math.min(2 ** tries, 64), undefined, signal ? { signal } : {});
}

/** The stored document as a baseline; null when it is gone. */
export async function readNewer(
  state: DocumentState,
  { session, comment, timeoutMS, signal }: Pick<FindOptions, 'session' | 'comment' | 'timeoutMS'> & Partial<Abortable>,
): Promise<BsonBaseline | null> {
  const given = Object.entries({ session, comment, timeoutMS, signal }).filter(([, value]) => value !== undefined);
  const stored = await readRaw(state, { ...Object.fromEntries(given), readPreference: 'primary' });
  if (stored === null) return null;
  return baselineOver(state.definition.layout(), ownBytes(stored), 0, state.baseline.selection);
}

/** What differs from what the conditions ask: paths that had to stay, and edits that overlap with others'. */
export function conflictsOf(
  state: DocumentState,
  { tree, stamped }: Pick<Write & { readonly kind: 'update' }, 'tree' | 'stamped'>,
  { concurrency, guardedPaths }: WriteConditions,
  newer: BsonBaseline,
): { readonly guarded: Clash[]; readonly overlaps: Clash[] } {
  const theirs = (name: string): unknown => newer.exact(name);
  const originals = (name: string): unknown => state.baseline.exact(name);
  // An update whose answer did not come may have been done: then what is stored is mine.
  const isOurs = (clash: Clash): boolean => state.unanswered !== null && equalOrBothAbsent(clash.mine, clash.theirs);
  const kept = guardedPaths.flatMap((keys) => clashesOf(unchangedAt(keys, originals), theirs));
  const overlaps =
    concurrency !== 'merge' || kept.length > 0
      ? clashesOf(without(tree, stamped), theirs, true).filter(not(isOurs))
      : [];
  // A path that is both is one conflict, with the value that was to be written.
  const isSame =
    (one: Clash) =>
    (other: Clash): boolean =>
      isDeepStrictEqual(one.keys, other.keys);
  return {
    guarded: kept.map((each) => overlaps.find(isSame(each)) ?? each),
    overlaps: overlaps.filter((each) => !kept.some(isSame(each))),
  };
}

function not<T>(test: (value: T) => boolean): (value: T) => boolean {
  return (value) => !test(value);
}

function without(tree: EditTree, names: readonly string[]): EditTree {
  return { kind: 'object', children: new Map([...tree.children].filter(([name]) => !names.includes(name))) };
}

export function conflictError(state: DocumentState, newer: BsonBaseline, clashes: readonly Clash[]): ConflictError {
  const conflicts = clashes.map((clash) => conflictIn(state, clash));
  const paths = conflicts.map(({ path }) => `"${path}"`).join(', ');
  const text =
    paths === ''
      ? `The document was not saved: others wrote it each of ${MAX_TRIES} times before. Save it again later.`
      : `Another writer changed ${paths} since the document was read. Nothing was written: "current" has the newer document; see also the option onConflict, and reload() and $rebase().`;
  const { constructor } = state.owner as { constructor: new (stored: BsonBaseline) => object };
  return new ConflictError(text, { ...state.context, conflicts, current: new constructor(newer) });
}

function conflictIn({ baseline, definition }: DocumentState, { keys, base, mine, theirs }: Clash): Conflict {
  const [name = '', ...inner] = keys;
  const live = (exact: unknown): unknown => (exact === ABSENT ? undefined : baseline.live(exact, keys));
  const shown = [definition.programName(String(name)), ...inner];
  return { path: shown.join('.'), keys: shown, original: live(base), mine: live(mine), theirs: live(theirs) };
}

// ── rebase ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The same write over a newer document, which becomes the baseline. */
function rebaseWrite(
  state: DocumentState,
  write: Write & { readonly kind: 'update' },
  { concurrency, guardedPaths }: WriteConditions,
  newer: BsonBaseline,
): Write {
  const rebased = rebaseEdits(write.tree, (name) => newer.exact(name), takeMine);
  const isDone = rebased === null || [...rebased.children.keys()].every((name) => write.stamped.includes(name));
  const tree: EditTree = isDone ? { kind: 'object', children: new Map() } : rebased;
  moveOnto(state, newer, takeMine);
  state.replanned(tree);
  const asked = conditionsFilter(state, without(tree, write.stamped), concurrency, guardedPaths);
  return { ...write, tree, conditions: { concurrency, guardedPaths, asPipeline: true, ...asked } };
}

/**
 * Makes a newer document the baseline, with what the program changed applied to it. What it only read is forgotten, and reads
 * as it is stored now: containers handed out before are detached, but of fields that only the program changed.
 */
export function moveOnto(state: DocumentState, newer: BsonBaseline, settle: Settle): void {
  const { baseline } = state;
  const mine = changesOf(state);
  const rebased = mine === null ? null : rebaseEdits(mine, (name) => newer.exact(name), settle);
  for (const [name, edit] of rebased?.children ?? []) {
    const before = mine?.children.get(name);
    const value = edit.kind === 'delete' || edit.value === ABSENT ? undefined : edit.value;
    const isMine = before !== undefined && before.kind !== 'delete' && before.value === value;
    const isHeld = isMine || equalOrBothAbsent(baseline.exact(name), newer.exact(name));
    const isLive = value !== undefined && isHeld && baseline.current(name) !== undefined;
    // What was stored before is not transformed again, though it is stored no longer.
    if (state.takenOver.get(name) === undefined) state.takenOver.set(name, baseline.original(name));
    newer.set(name, isLive ? baseline.current(name) : value === undefined ? undefined : newer.live(value, [name]));
  }
  rebaseAtomics(state, baseline, newer);
  moveTo(state.tracker, newer);
  state.defaults = null;
  state.assigned.keep((name) => newer.differs(name));
}

/** What the program changed since the document was read or saved, what is under way included. */
function changesOf(state: DocumentState): EditTree | null {
  state.adoptDefaults();
  return treeWith(state.baseline, joinAtomics(state), (name) => state.definition.programName(name)).tree;
}

/**
 * Operators that memory still shows are done to the newer values. One that fits them no longer is a plain change of what
 * memory shows.
 */
function rebaseAtomics(state: DocumentState, before: Baseline, newer: BsonBaseline): void {
  const theirs = { get: (name: string) => newer.original(name) };
  const memory = { get: (name: string) => newer.current(name) ?? newer.original(name) };
  const isLater =
    ({ keys }: PendingAtomic) =>
    (other: PendingAtomic) =>
      isDeepStrictEqual(other.keys, keys);
  const fits = ({ keys, operator, operand }: PendingAtomic): boolean =>
    keepsMeaning({ operator, operand, base: exactAt(before, keys) }, exactAt(newer, keys));
  const waiting = state.pending.filter((each) => isShown(before, each) && fits(each));
  const sent = state.sent.map((each) => {
    if (!fits(each)) return each;
    const isLast = !waiting.some(isLater(each));
    const shown = isLast
      ? valueAt(memory, each.keys)
      : applyAtomic(each.operator, valueAt(theirs, each.keys), each.operand, '');
    return { ...each, shown: copyValue(shown) };
  });
  const pending = waiting.map((each) => ({ ...each, shown: copyValue(valueAt(memory, each.keys)) }));
  state.setOperators(pending, sent);
}

/** Applies the program's changes to the newer document. @throws ConflictError where they overlap and nothing settles that. */
export async function settleConflicts(
  state: DocumentState,
  newer: BsonBaseline,
  onConflict: OnConflict,
): Promise<void> {
  const theirs = (name: string): unknown => newer.exact(name);
  const overlaps = (): Clash[] => {
    const mine = changesOf(state);
    return mine === null ? [] : clashesOf(mine, theirs);
  };
  if (typeof onConflict === 'function') return moveOnto(state, newer, await askAbout(state, overlaps, onConflict));
  const found = onConflict === 'throw' || onConflict === 'rebase' ? overlaps() : [];
  if (found.length > 0) throw conflictError(state, newer, found);
  moveOnto(state, newer, onConflict === 'theirs' ? () => null : takeMine);
}

/** Asks the program about each overlap, also about those that it makes while it is asked. */
async function askAbout(
  state: DocumentState,
  overlaps: () => Clash[],
  ask: (conflict: Conflict) => unknown,
): Promise<Settle> {
  const answers = new Map<string, unknown>();
  const keyOf = ({ keys }: Clash): string => JSON.stringify(keys);
  for (let open = overlaps(); open.length > 0; open = overlaps().filter((clash) => !answers.has(keyOf(clash)))) {
    for (const clash of open) {
      const answer = await state.operations.inside(() => ask(conflictIn(state, clash)));
      const exact = toExact(answer, clash.theirs, clash.keys);
      answers.set(keyOf(clash), exact === undefined ? ABSENT : exact);
    }
  }
  return (clash) => editTo(clash.theirs, answers.get(keyOf(clash)));
}
