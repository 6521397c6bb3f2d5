import type { Abortable, DeleteOptions } from 'mongodb';
import { ABSENT, memberOf } from './bson/encode.ts';
import { conflictError, conflictsOf, MAX_TRIES, moveOnto, pause, readNewer } from './conflict.ts';
import { REVISION, REVISION_ID } from './definition.ts';
import { refuseNamed } from './driver-options.ts';
import { type Conflict, OutcomeUnknownError } from './errors.ts';
import { planEntry } from './history/entry.ts';
import { isRecorded } from './history/record.ts';
import { recordDelete } from './history/record-save.ts';
import type { Life } from './life.ts';
import { outcomeOf, safely, translate } from './outcome.ts';
import { extentAt } from './partial.ts';
import { BsonBaseline } from './state/bson-baseline.ts';
import { type Edit, type EditTree, hasMembers } from './state/edits.ts';
import { literal } from './state/expression.ts';
import { type Clash, takeMine } from './state/rebase.ts';
import { bothGuards } from './state/value-guards.ts';
import { checkConflictOptions, type ConflictOptions, termsOf } from './terms.ts';

/** Options of `delete()`: the driver's, and what happens where others wrote the document meanwhile. */
export interface RemoveOptions<P = string>
  extends DeleteOptions, Partial<Abortable>, Pick<ConflictOptions<Conflict, P>, 'concurrency' | 'guard'> {}

/**
 * Deletes the stored document. A deletion changes every path there is, so where changes are guarded, everything that was
 * loaded is, and fields that nobody knew of at that time are in conflict with it.
 *
 * @returns false when there was none.
 * @throws ConflictError
 */
export async function remove(life: Life, { concurrency, guard, ...options }: RemoveOptions = {}): Promise<boolean> {
  const asked = { ...(concurrency && { concurrency }), ...(guard && { guard }) };
  checkConflictOptions('delete', life, asked);
  refuseNamed('delete', life, options, REFUSED);
  if (life.isNew && life.unanswered === null) return false;
  for (let tries = 1; ; tries += 1) {
    options.signal?.throwIfAborted();
    const isAll = (concurrency ?? life.definition.concurrency) === 'fields';
    const tree = isAll ? deletionsOf(life) : NOTHING;
    const terms = termsOf(life, tree, asked);
    const filter = bothGuards({ ...terms?.filter }, isAll ? noOtherFields(life) : {});
    const collation = terms?.collation && { collation: terms.collation };
    const isDeleted = await tryRemove(life, { ...life.filter, ...filter }, { ...options, ...collation });
    const newer = isDeleted || terms === null ? null : await readNewer(life, options);
    if (newer === null || terms === null) {
      life.isDeleted = true;
      return isDeleted;
    }
    const { premises, overlaps } = conflictsOf(life, { tree, stamped: [] }, terms, newer);
    const clashes = [...premises, ...overlaps, ...(isAll ? unknownFields(life, newer) : [])];
    if (clashes.length > 0 || tries >= MAX_TRIES) throw conflictError(life, newer, clashes);
    await pause(tries, options);
    moveOnto(life, newer, takeMine);
  }
}

const REFUSED = ['onConflict', 'validate', 'history', 'timestamps', 'applied'];

const NOTHING: EditTree = { kind: 'object', children: new Map() };

async function tryRemove(life: Life, filter: object, options: DeleteOptions & Partial<Abortable>): Promise<boolean> {
  try {
    const { definition } = life;
    if (isRecorded(definition)) return await recordDelete(life, definition, planEntry('delete'), filter, options);
    const { deletedCount } = await definition.collection().deleteOne(filter, options);
    return deletedCount > 0;
  } catch (error) {
    if (outcomeOf(error) === 'applied') life.isDeleted = true;
    if (outcomeOf(error) !== 'unknown') throw translate(error, life.context, life.definition);
    const text =
      'The deletion was sent, and the connection broke before its answer came. Calling delete() again is safe.';
    throw new OutcomeUnknownError(text, { ...life.context, cause: safely(error) });
  }
}

/** The deletion of everything that was loaded, but of what the mapper writes itself. */
function deletionsOf(life: Life): EditTree {
  const { baseline } = life;
  const children = new Map<string, Edit>();
  for (const name of storedNames(life)) {
    const edit = life.definition.isOwn(name) ? null : deletionOf(life, baseline.exact(name), [name]);
    if (edit !== null) children.set(name, edit);
  }
  return { kind: 'object', children };
}

/** Null for what was loaded in part and has no members to tell apart. */
function deletionOf(life: Life, base: unknown, keys: readonly string[]): Edit | null {
  if (extentAt(life, keys) === 'whole') return { kind: 'delete', base };
  if (!hasMembers(base)) return null;
  const children = new Map<string, Edit>();
  for (const key of base instanceof Map ? base.keys() : Object.keys(base)) {
    const edit = deletionOf(life, memberOf(base, key), [...keys, key]);
    if (edit !== null) children.set(key, edit);
  }
  return { kind: 'object', base, value: base, children };
}

/** The names of the fields as they were read. */
function storedNames({ baseline }: Life): string[] {
  return baseline instanceof BsonBaseline ? baseline.storedNames() : [];
}

/** A document that was loaded as a whole has no other fields than those. */
function noOtherFields(life: Life): Record<string, unknown> {
  if (life.baseline.selection !== null) return {};
  const names = { $map: { input: { $objectToArray: '$$ROOT' }, as: 'm', in: '$$m.k' } };
  const own = [...life.definition.names, REVISION, REVISION_ID].filter((name) => life.definition.isOwn(name));
  const known = [...new Set([...storedNames(life), ...own])];
  return { $expr: { $setIsSubset: [names, literal(known)] } };
}

function unknownFields(life: Life, newer: BsonBaseline): Clash[] {
  if (life.baseline.selection !== null) return [];
  const known = new Set(storedNames(life));
  const names = newer.storedNames().filter((name) => !known.has(name) && !life.definition.isOwn(name));
  return names.map((name) => ({ keys: [name], base: ABSENT, mine: ABSENT, theirs: newer.exact(name) }));
}
