import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Abortable, FindOptions, UpdateOptions } from 'mongodb';
import { ownBytes } from './bson/arena.ts';
import { copyValue } from './bson/copy.ts';
import { ABSENT, toExact } from './bson/encode.ts';
import { type Conflict, ConflictError } from './errors.ts';
import type { Life, Terms, Write } from './life.ts';
import { joinAtomics, putBack } from './operate.ts';
import { valueAt } from './path.ts';
import { applyAtomic, misfit, ruleOf } from './state/atomics.ts';
import type { Baseline } from './state/baseline.ts';
import type { BsonBaseline } from './state/bson-baseline.ts';
import type { EditTree } from './state/edits.ts';
import { baselineOver } from './state/partial-baseline.ts';
import { exactAt, isShown, type PendingAtomic, treeWith } from './state/pending.ts';
import { bring, type Clash, clashesOf, isSameStored, lay, type Settle, takeMine } from './state/rebase.ts';
import { moveTo } from './state/tracker.ts';
import { unchangedAt } from './state/value-guards.ts';
import { notFound, readRaw } from './stored-document.ts';
import { type ConflictOptions, type OnConflict, termsFilter } from './terms.ts';

/*
 * What a write does where another writer was faster.
 */

/** More writers than that in a row are no chance: the program is to be told. */
export const MAX_TRIES = 20;

/**
 * Called when a guarded update met no document that it fits: reads the newer one. Where all is as the terms ask, its bytes
 * become the baseline, and the same changes are to be sent again. Else it is a conflict, which `onConflict` may settle.
 *
 * @returns what to send now; null where the save is to be planned anew.
 * @throws ConflictError, DocumentNotFoundError
 */
export async function afterMiss(
  life: Life,
  write: Write & { readonly kind: 'update' },
  terms: Terms,
  options: ConflictOptions & UpdateOptions & Partial<Abortable>,
  tries: number,
): Promise<Write | null> {
  const newer = await readNewer(life, options);
  if (newer === null) throw notFound(life);
  const { onConflict = 'throw' } = options;
  const { premises, overlaps } = conflictsOf(life, write, terms, newer);
  const isConflict = premises.length + overlaps.length > 0;
  if (tries >= MAX_TRIES || (isConflict && onConflict === 'throw'))
    throw conflictError(life, newer, [...premises, ...overlaps]);
  if (!isConflict) {
    await pause(tries, options);
    return layWrite(life, write, terms, newer);
  }
  const { version } = life.definition;
  const fixed = premises.filter(({ keys }) => keys[0] !== version);
  if (fixed.length > 0) throw conflictError(life, newer, [...fixed, ...overlaps]);
  await pause(tries, options);
  putBack(life);
  life.unanswered = null;
  life.writing = null;
  await settleConflicts(life, newer, onConflict);
  return null;
}

/** Waits for a while that is another one for each writer. After the first miss it does not: most often there is one. */
export async function pause(tries: number, { signal }: Partial<Abortable>): Promise<void> {
  if (tries > 1) await setTimeout(Math.random() * Math.min(2 ** tries, 64), undefined, signal ? { signal } : {});
}

/** The stored document as a baseline; null when it is gone. */
export async function readNewer(
  life: Life,
  { session, comment, timeoutMS, signal }: Pick<FindOptions, 'session' | 'comment' | 'timeoutMS'> & Partial<Abortable>,
): Promise<BsonBaseline | null> {
  const given = Object.entries({ session, comment, timeoutMS, signal }).filter(([, value]) => value !== undefined);
  const stored = await readRaw(life, { ...Object.fromEntries(given), readPreference: 'primary' });
  if (stored === null) return null;
  return baselineOver(life.definition.layout(), ownBytes(stored), 0, life.baseline.selection);
}

/** What differs from what the terms ask: paths that had to stay, and edits that overlap with others'. */
export function conflictsOf(
  life: Life,
  { tree, stamped }: Pick<Write & { readonly kind: 'update' }, 'tree' | 'stamped'>,
  { concurrency, premises }: Terms,
  newer: BsonBaseline,
): { readonly premises: Clash[]; readonly overlaps: Clash[] } {
  const theirs = (name: string): unknown => newer.exact(name);
  const originals = (name: string): unknown => life.baseline.exact(name);
  // An update whose answer did not come may have been done: then what is stored is mine.
  const isOurs = (clash: Clash): boolean => life.unanswered !== null && isSameStored(clash.mine, clash.theirs);
  const kept = premises.flatMap((keys) => clashesOf(unchangedAt(keys, originals), theirs));
  const overlaps =
    concurrency === 'fields' || kept.length > 0 ? clashesOf(without(tree, stamped), theirs).filter(not(isOurs)) : [];
  return { premises: kept, overlaps };
}

function not<T>(test: (value: T) => boolean): (value: T) => boolean {
  return (value) => !test(value);
}

function without(tree: EditTree, names: readonly string[]): EditTree {
  return { kind: 'object', children: new Map([...tree.children].filter(([name]) => !names.includes(name))) };
}

export function conflictError(life: Life, newer: BsonBaseline, clashes: readonly Clash[]): ConflictError {
  const conflicts = clashes.map((clash) => conflictIn(life, clash));
  const paths = conflicts.map(({ path }) => `"${path}"`).join(', ');
  const text =
    paths === ''
      ? `The document was not saved: others wrote it each of ${MAX_TRIES} times before. Save it again later.`
      : `Another writer changed ${paths} since the document was read. Nothing was written: "current" has the newer document; see also the option onConflict, and reload() and $rebase().`;
  const { constructor } = life.owner as { constructor: new (stored: BsonBaseline) => object };
  return new ConflictError(text, { ...life.context, conflicts, current: new constructor(newer) });
}

function conflictIn({ baseline, definition }: Life, { keys, base, mine, theirs }: Clash): Conflict {
  const [name = '', ...inner] = keys;
  const live = (exact: unknown): unknown => (exact === ABSENT ? undefined : baseline.live(exact, keys));
  const shown = [definition.shownName(String(name)), ...inner];
  return { path: shown.join('.'), keys: shown, original: live(base), mine: live(mine), theirs: live(theirs) };
}

// ── rebase ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The same write over a newer document, which becomes the baseline. */
function layWrite(
  life: Life,
  write: Write & { readonly kind: 'update' },
  { concurrency, premises }: Terms,
  newer: BsonBaseline,
): Write {
  const laid = lay(write.tree, (name) => newer.exact(name), takeMine);
  const isDone = laid === null || [...laid.children.keys()].every((name) => write.stamped.includes(name));
  const tree: EditTree = isDone ? { kind: 'object', children: new Map() } : laid;
  moveOnto(life, newer, takeMine);
  if (life.writing !== null) life.writing = tree;
  const asked = termsFilter(life, without(tree, write.stamped), concurrency, premises);
  return { ...write, tree, terms: { concurrency, premises, asPipeline: true, ...asked } };
}

/**
 * Makes a newer document the baseline, with what the program changed laid on it. What it only read is forgotten, and reads
 * as it is stored now: containers handed out before are detached, but of fields that only the program changed.
 */
export function moveOnto(life: Life, newer: BsonBaseline, settle: Settle): void {
  const { baseline } = life;
  const mine = changesOf(life);
  const laid = mine === null ? null : lay(mine, (name) => newer.exact(name), settle);
  for (const [name, edit] of laid?.children ?? []) {
    const before = mine?.children.get(name);
    const value = edit.kind === 'delete' || edit.value === ABSENT ? undefined : edit.value;
    const isMine = before !== undefined && before.kind !== 'delete' && before.value === value;
    const isHeld = isMine || isSameStored(baseline.exact(name), newer.exact(name));
    const isLive = value !== undefined && isHeld && baseline.current(name) !== undefined;
    newer.set(name, isLive ? baseline.current(name) : value === undefined ? undefined : newer.live(value, [name]));
  }
  layAtomics(life, baseline, newer);
  moveTo(life.tracker, newer);
  life.defaults.clear();
  for (const name of life.assigned) if (!newer.differs(name)) life.assigned.delete(name);
}

/** What the program changed since the document was read or saved, what is under way included. */
function changesOf(life: Life): EditTree | null {
  life.adoptDefaults();
  return treeWith(life.baseline, joinAtomics(life), (name) => life.definition.shownName(name)).tree;
}

/**
 * Operators that memory still shows are done to the newer values. One that fits them no longer is a plain change of what
 * memory shows.
 */
function layAtomics(life: Life, before: Baseline, newer: BsonBaseline): void {
  const theirs = { get: (name: string) => newer.original(name) };
  const memory = { get: (name: string) => newer.current(name) ?? newer.original(name) };
  const isLater =
    ({ keys }: PendingAtomic) =>
    (other: PendingAtomic) =>
      isDeepStrictEqual(other.keys, keys);
  const fits = ({ keys, operator, operand }: PendingAtomic): boolean =>
    misfit(operator, valueAt(theirs, keys), operand) === null &&
    (ruleOf(operator).standsAlone || isSameStored(exactAt(before, keys), exactAt(newer, keys)));
  const waiting = life.pending.filter((each) => isShown(before, each) && fits(each));
  life.sent = life.sent.map((each) => {
    if (!fits(each)) return each;
    const isLast = !waiting.some(isLater(each));
    const shown = isLast
      ? valueAt(memory, each.keys)
      : applyAtomic(each.operator, valueAt(theirs, each.keys), each.operand, '');
    return { ...each, shown: copyValue(shown) };
  });
  life.pending = waiting.map((each) => ({ ...each, shown: copyValue(valueAt(memory, each.keys)) }));
}

/** Lays the program's changes on the newer document. @throws ConflictError where they overlap and nothing settles that. */
export async function settleConflicts(life: Life, newer: BsonBaseline, onConflict: OnConflict): Promise<void> {
  const theirs = (name: string): unknown => newer.exact(name);
  const overlaps = (): Clash[] => {
    const mine = changesOf(life);
    return mine === null ? [] : clashesOf(mine, theirs);
  };
  if (typeof onConflict === 'function') return moveOnto(life, newer, await askAbout(life, overlaps, onConflict));
  const found = onConflict === 'throw' || onConflict === 'rebase' ? overlaps() : [];
  if (found.length > 0) throw conflictError(life, newer, found);
  moveOnto(life, newer, onConflict === 'theirs' ? () => null : takeMine);
}

/** Asks the program about each overlap, also about those that it makes while it is asked. */
async function askAbout(life: Life, overlaps: () => Clash[], ask: (conflict: Conflict) => unknown): Promise<Settle> {
  const answers = new Map<string, unknown>();
  const keyOf = ({ keys }: Clash): string => JSON.stringify(keys);
  for (let open = overlaps(); open.length > 0; open = overlaps().filter((clash) => !answers.has(keyOf(clash)))) {
    for (const clash of open) {
      const answer = await life.inside(() => ask(conflictIn(life, clash)));
      const exact = toExact(answer, clash.theirs, clash.keys);
      answers.set(keyOf(clash), exact === undefined ? ABSENT : exact);
    }
  }
  return (clash) => bring(clash.theirs, answers.get(keyOf(clash)));
}
