import { UsageError } from '../errors.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import type { Change } from '../edits/edits.ts';
import { encodeDocument } from '../bson/encode.ts';
import type { EntryChange, StoredEntry } from './entry.ts';
import type { EntryKind } from '../document/planned-entry.ts';
import { newestEntries, type ReadOptions } from './read.ts';
import type { RecordedModel } from './record.ts';

/** A change as a history has it. */
export interface HistoryChange extends Change {
  /** The SHA-256 hashes, hexadecimal, of values over 1 MiB, of which nothing else is kept: `from` or `to` is `undefined` then. */
  readonly hashes?: { readonly from?: string; readonly to?: string };
}

/** One write of a document. */
export interface HistoryEntry {
  /** The first write of a document is 1. */
  readonly revision: number;
  readonly kind: EntryKind;
  /** When it was planned, by the clock of the program that wrote. */
  readonly at: Date;
  /** Who did it, where `withActor` said so. */
  readonly actor: string | undefined;
  /** Why, where `withReason` said so. */
  readonly reason: string | undefined;
  /** What it changed, without what is redacted; null where that was lost in a crash. */
  readonly changes: HistoryChange[] | null;
}

/** Which part of a history is read. */
export interface HistoryOptions extends ReadOptions {
  /**
   * How many entries a page has at most.
   * @default 50
   */
  readonly size?: number;
  /** The entries before this revision: the `next` of the page before. */
  readonly before?: number | null;
}

/** Some entries of a history, the newest first. */
export interface HistoryPage {
  readonly items: HistoryEntry[];
  /** The last revision of the page, for `before`; null where no older entries followed. */
  readonly next: number | null;
}

/** One page of a document's history. */
export async function historyPage(
  definition: RecordedModel,
  doc: unknown,
  { size = 50, before = null, ...options }: HistoryOptions = {},
): Promise<HistoryPage> {
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  if (!isCount(size) || (before !== null && !isCount(before))) {
    const text = 'A page of a history has a size of 1 or more entries, and begins before a revision of 1 or more.';
    throw new UsageError(text, definition.context);
  }
  const items: HistoryEntry[] = [];
  const range = before === null ? {} : { to: before - 1 };
  for await (const entry of newestEntries(definition, doc, range, options, size + 1))
    items.push(shownEntry(definition, entry));
  const page = items.slice(0, size);
  return { items: page, next: items.length > size ? (page.at(-1)?.revision ?? null) : null };
}

function shownEntry(definition: RecordedModel, { _id, kind, at, by, why, changes }: StoredEntry): HistoryEntry {
  const reader = new BsonBaseline(definition.layout(), encodeDocument({}), 0);
  const shown = changes && changes.map((change) => shownChange(definition, reader, change));
  return { revision: _id.rev, kind, at, actor: by, reason: why, changes: shown };
}

function shownChange(definition: RecordedModel, reader: BsonBaseline, change: EntryChange): HistoryChange {
  const [name, ...inner] = change.keys;
  const keys = [definition.programName(String(name)), ...inner];
  const live = (side: 'from' | 'to'): unknown => (side in change ? reader.live(change[side], change.keys) : undefined);
  const hashes = {
    ...(change.fromHash !== undefined && { from: change.fromHash.toString('hex') }),
    ...(change.toHash !== undefined && { to: change.toHash.toString('hex') }),
  };
  const shown = { path: keys.join('.'), keys, from: live('from'), to: live('to') };
  return Object.keys(hashes).length === 0 ? shown : { ...shown, hashes };
}
