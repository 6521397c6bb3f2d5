import { createHash } from 'node:crypto';
import { type Binary, BSON, type ObjectId } from 'mongodb';
import { ABSENT, encodeField } from '../bson/encode.ts';
import type { StoredChange, StoredKeys } from '../edits/stored-changes.ts';
import { currentAuthorship } from '../definition/authorship.ts';
import type { Redaction } from '../definition/redaction.ts';
import type { EntryKind, PlannedEntry } from '../document/planned-entry.ts';

/** Stands for a value that the writer does not know, since it was not loaded. */
export const UNKNOWN = Symbol('unknown');

/**
 * A change as an entry holds it: a value, the SHA-256 hash of one that is too large (empty where the value is not known at
 * all), or neither where there is none.
 */
export interface EntryChange {
  readonly keys: StoredKeys;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly fromHash?: Binary;
  readonly toHash?: Binary;
}

/** An entry as it is stored. */
export interface StoredEntry extends PlannedEntry {
  readonly _id: { readonly doc: unknown; readonly rev: number };
  /** The id of the write before it, null where that is not known. */
  readonly prev: ObjectId | null;
  /** What it changed; null where that was lost. */
  readonly changes: readonly EntryChange[] | null;
}

/** A write by its id, and the revision that it made. */
export interface SeenWrite {
  readonly id: ObjectId;
  readonly rev: number;
}

/** What a write leaves before it is sent, outside of transactions: should it not come to its entry, this is what is known. */
export interface PendingEntry extends Omit<PlannedEntry, 'id'> {
  readonly _id: ObjectId;
  readonly pending: true;
  readonly doc: unknown;
  /** The last revision of which the writer had seen all, 0 where there was none. */
  readonly base: number;
  /** The last write that it had seen. */
  readonly seen: SeenWrite | null;
  /** What the writer is about to change, as it was then. */
  readonly known: readonly EntryChange[];
  /** True where these are all of the document's fields, so that others were not there. */
  readonly isWhole: boolean;
}

/** Larger values are kept as hashes: 1 MiB. */
const MAX_VALUE = 1024 * 1024;

/** What the values of an entry may take together, so that it stays well below the 16 MiB of a document. */
const MAX_ENTRY = 15 * 1024 * 1024;

/** The same changes as an entry holds them: without what is redacted, and with hashes for what is too large. */
export function entryChanges(changes: readonly StoredChange[], redaction: Redaction): EntryChange[] {
  return kept(changes, redaction, false);
}

/** The originals of what is about to change, as an announcement holds them: also of what was not there. */
export function knownValues(values: readonly StoredChange[], redaction: Redaction): EntryChange[] {
  const originals = values.map((value) => ({ ...value, to: ABSENT }));
  return kept(originals, redaction, true);
}

function kept(changes: readonly StoredChange[], redaction: Redaction, withAbsent: boolean): EntryChange[] {
  const sides: Side[] = [];
  const entries = changes.flatMap((change): EntryChange[] => {
    const [from, to] = [redaction.strip(change.keys, change.from), redaction.strip(change.keys, change.to)];
    const isRedacted = redaction.strip(change.keys, null) === ABSENT;
    if (isRedacted || (from === ABSENT && to === ABSENT && !withAbsent)) return [];
    const entry: Mutable<EntryChange> = { keys: change.keys };
    for (const [name, value] of [['from', from] as const, ['to', to] as const]) {
      if (value === ABSENT) continue;
      if (value === UNKNOWN) {
        entry[`${name}Hash`] = new BSON.Binary();
        continue;
      }
      entry[name] = value;
      sides.push({ entry, name, size: boundOf(value) });
    }
    return [entry];
  });
  hashLarge(sides);
  return entries;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One value of a change. */
interface Side {
  readonly entry: Mutable<EntryChange>;
  readonly name: 'from' | 'to';
  readonly size: number;
}

/** The largest go first. */
function hashLarge(sides: Side[]): void {
  let total = sides.reduce((sum, { size }) => sum + size, 0);
  for (const { entry, name, size } of sides.toSorted((a, b) => b.size - a.size)) {
    if (size <= MAX_VALUE && total <= MAX_ENTRY) return;
    const hash = createHash('sha256').update(encodeField('', entry[name])).digest();
    entry[`${name}Hash`] = new BSON.Binary(hash);
    delete entry[name];
    total -= size;
  }
}

/** The bytes that a value takes, or a few more. */
function boundOf(value: unknown): number {
  if (typeof value === 'string') return value.length * 3 <= MAX_VALUE ? value.length * 3 : Buffer.byteLength(value);
  return typeof value === 'object' && value !== null ? BSON.calculateObjectSize({ value }) : 16;
}

/** What is noted of a write that is made now. */
export function planEntry(kind: EntryKind): PlannedEntry {
  const { actor, reason } = currentAuthorship();
  return {
    kind,
    id: new BSON.ObjectId(),
    at: new Date(),
    ...(actor !== undefined && { by: actor }),
    ...(reason !== undefined && { why: reason }),
  };
}
