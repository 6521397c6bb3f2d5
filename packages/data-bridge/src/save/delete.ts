import type { Abortable, BSON, DeleteOptions } from 'mongodb';
import { ABSENT, memberOf } from '../bson/encode.ts';
import { conflictError, conflictsOf, MAX_TRIES, moveOnto, pause, readNewer } from './conflict.ts';
import { checkUnscoped, type HardOptions, type ScopeOptions } from '../definition/extension.ts';
import { REVISION, REVISION_ID } from '../definition/revision.ts';
import { checkTaken, type DriverOptions, TAKEN } from '../connection/taken-options.ts';
import { type Conflict, OutcomeUnknownError } from '../errors.ts';
import { applyRules } from './apply-rules.ts';
import { removalUpdate } from './door.ts';
import { recorderOf, type SentFilter } from './recorder.ts';
import { checkHooks, hooksFor, type HookOptions, runAfter, runBefore } from './run-hooks.ts';
import type { DocumentState } from '../document/document-state.ts';
import { outcomeOf, safely, translate } from '../connection/write-outcome.ts';
import { guardedFilter, storedId } from '../document/document-filter.ts';
import { extentAt } from '../document/loaded-part.ts';
import { checkRules, rulesOf, type RulesOptions } from '../references/delete-rules.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import { type Edit, type EditTree, hasMembers } from '../edits/edits.ts';
import { literal } from '../edits/expression.ts';
import { type Clash, takeMine } from '../edits/rebase-edits.ts';
import { joinGuards } from '../update/value-guards.ts';
import { checkConflictOptions, conditionsOf, type ConflictOptions } from './write-conditions.ts';

/** Options of `delete()`: the driver's, and what happens where others wrote the document meanwhile. */
export interface RemoveOptions<P = string>
  extends
    DriverOptions<DeleteOptions, 'remove'>,
    Pick<ConflictOptions<Conflict, P>, 'concurrency' | 'guard'>,
    HookOptions,
    ScopeOptions,
    HardOptions,
    RulesOptions {}

/**
 * Deletes the stored document. A deletion changes every path there is, so where changes are guarded, everything that was
 * loaded is, and fields that nobody knew of at that time are in conflict with it.
 *
 * @returns false when there was none.
 * @throws ConflictError
 */
export async function deleteDocument(state: DocumentState, given: RemoveOptions = {}): Promise<boolean> {
  checkTaken('delete', state, given, [...TAKEN.remove, 'concurrency', 'guard', 'hooks']);
  const { hooks: isOn, rules, ...scoped } = given;
  const { unscoped } = scoped;
  checkRules('delete', state.definition, rules);
  checkHooks('delete', state.context, isOn);
  checkUnscoped(state.definition.extensions, unscoped, state.definition.collectionName);
  state.unscoped = unscoped;
  const own = hooksFor(state, { hooks: isOn, session: scoped.session });
  checkConflictOptions('delete', state, askedOf(given));
  if (state.isNew && state.unanswered === null) return false;
  // What a deletion writes would be written anew.
  if (state.isDeleted && scoped.hard !== true && state.definition.removalFields.length > 0) return false;
  const hooks = state.isDeleted ? null : own;
  if (hooks !== null) await runBefore(state, hooks.delete.before);
  if (rules !== 'ignore' && !state.isDeleted && rulesOf(state.definition).length > 0)
    await applyRules(state.definition, [storedId(state)], given);
  const isDeleted = await remove(state, scoped);
  if (hooks !== null && isDeleted) await runAfter(state, hooks, 'delete');
  return isDeleted;
}

async function remove(state: DocumentState, given: Omit<RemoveOptions, 'hooks' | 'rules'>): Promise<boolean> {
  const { concurrency, guard: _, hard, unscoped, ...options } = given;
  const asked = askedOf(given);
  for (let tries = 1; ; tries += 1) {
    options.signal?.throwIfAborted();
    const isAll = (concurrency ?? state.definition.concurrency) === 'fields';
    const tree = isAll ? deletionsOf(state) : NOTHING;
    const conditions = conditionsOf(state, tree, asked);
    const filter = joinGuards({ ...conditions?.filter }, isAll ? noOtherFields(state) : {});
    const collation = conditions?.collation && { collation: conditions.collation };
    const isDeleted = await tryRemove(state, guardedFilter(state, state.filter, filter), {
      ...options,
      ...collation,
      hard,
      unscoped,
    });
    const newer = isDeleted || conditions === null ? null : await readNewer(state, options);
    if (newer === null || conditions === null) {
      state.deleted();
      return isDeleted;
    }
    const { guarded, overlaps } = conflictsOf(state, { tree, stamped: [] }, conditions, newer);
    const clashes = [...guarded, ...overlaps, ...(isAll ? unknownFields(state, newer) : [])];
    if (clashes.length > 0 || tries >= MAX_TRIES) throw conflictError(state, newer, clashes);
    await pause(tries, options);
    moveOnto(state, newer, takeMine);
  }
}

function askedOf({ concurrency, guard }: RemoveOptions): ConflictOptions {
  return { ...(concurrency && { concurrency }), ...(guard && { guard }) };
}

const NOTHING: EditTree = { kind: 'object', children: new Map() };

async function tryRemove(
  state: DocumentState,
  filter: object,
  { hard, unscoped, ...options }: DeleteOptions & Partial<Abortable> & HardOptions & ScopeOptions,
): Promise<boolean> {
  const { definition } = state;
  try {
    const update = removalUpdate(definition, { hard, unscoped });
    if (update === null) return await recorderOf(definition).delete(state, filter, options);
    const sent = filter as SentFilter;
    const { matchedCount } = await recorderOf(definition).updateOne(
      definition,
      sent,
      { kind: 'update', update },
      options,
    );
    if (matchedCount > 0) showRemoval(state, update);
    return matchedCount > 0;
  } catch (error) {
    if (outcomeOf(error) === 'applied') state.deleted();
    if (outcomeOf(error) !== 'unknown') throw translate(error, state.context, state.definition);
    const text =
      'The deletion was sent, and the connection broke before its answer came. Calling delete() again is safe.';
    throw new OutcomeUnknownError(text, { ...state.context, cause: safely(error) });
  }
}

/** What was written instead of the deletion shows in the document, which cannot be saved any more. */
function showRemoval({ baseline }: DocumentState, { $set }: BSON.Document): void {
  const edits = Object.entries($set as object).map(([name, value]): [string, Edit] => [
    name,
    { kind: 'set', base: baseline.exact(name), value: value as unknown },
  ]);
  for (const [name] of edits) baseline.revert(name);
  baseline.settle({ kind: 'object', children: new Map(edits) });
}

/** The deletion of everything that was loaded, but of what the mapper writes itself. */
function deletionsOf(state: DocumentState): EditTree {
  const { baseline } = state;
  const children = new Map<string, Edit>();
  for (const name of storedNames(state)) {
    const edit = state.definition.isOwn(name) ? null : deletionOf(state, baseline.exact(name), [name]);
    if (edit !== null) children.set(name, edit);
  }
  return { kind: 'object', children };
}

/** Null for what was loaded in part and has no members to tell apart. */
function deletionOf(state: DocumentState, base: unknown, keys: readonly string[]): Edit | null {
  if (extentAt(state, keys) === 'whole') return { kind: 'delete', base };
  if (!hasMembers(base)) return null;
  const children = new Map<string, Edit>();
  for (const key of base instanceof Map ? base.keys() : Object.keys(base)) {
    const edit = deletionOf(state, memberOf(base, key), [...keys, key]);
    if (edit !== null) children.set(key, edit);
  }
  return { kind: 'object', base, value: base, children };
}

/** The names of the fields as they were read. */
function storedNames({ baseline }: DocumentState): string[] {
  return baseline instanceof BsonBaseline ? baseline.storedNames() : [];
}

/** A document that was loaded as a whole has no other fields than those. */
function noOtherFields(state: DocumentState): Record<string, unknown> {
  if (state.baseline.selection !== null) return {};
  const names = { $map: { input: { $objectToArray: '$$ROOT' }, as: 'm', in: '$$m.k' } };
  const own = [...state.definition.names, REVISION, REVISION_ID].filter((name) => state.definition.isOwn(name));
  const known = [...new Set([...storedNames(state), ...own])];
  return { $expr: { $setIsSubset: [names, literal(known)] } };
}

function unknownFields(state: DocumentState, newer: BsonBaseline): Clash[] {
  if (state.baseline.selection !== null) return [];
  const known = new Set(storedNames(state));
  const names = newer.storedNames().filter((name) => !known.has(name) && !state.definition.isOwn(name));
  return names.map((name) => ({ keys: [name], base: ABSENT, mine: ABSENT, theirs: newer.exact(name) }));
}
