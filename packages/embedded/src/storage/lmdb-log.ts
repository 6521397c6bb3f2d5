import { CHECKSUM_BYTES, seal, unseal } from './checksum.ts';
import type { Table } from './lmdb-records.ts';
import {
  type LogEntry,
  type LogPosition,
  type LogStore,
  MAX_LOG_BYTES,
  MAX_LOG_ENTRIES,
  type NewLogEntry,
} from './storage.ts';
import { StoreError } from './store-error.ts';

/** Before every position. */
const START_KEY = Buffer.of(0);
const FIRST_KEY = Buffer.of(1);
const NO_KEY = Buffer.alloc(13, 0xff);

const POSITION_BYTES = 12;

/** Bytes before the topic: how many entries and bytes there ever were, this one included, and the topic's length. */
const HEAD_BYTES = 18;

/** Without a search for the place. */
const AT_THE_END = { append: true };

/** So many entries are read, or removed, at a time. */
const CHUNK = 1_000;

/** How many entries and bytes there ever were. */
interface Totals {
  readonly entries: number;
  readonly bytes: number;
}

interface StoredEntry extends LogEntry {
  readonly totals: Totals;
}

/**
 * The log in LMDB: position → sealed: totals, length of the topic, topic, contents. As each entry tells how many there
 * were before it, the size of the log is the difference between its last entry and its first.
 */
export class LmdbLog implements LogStore {
  readonly #table: Table;
  #start: LogPosition | undefined;
  /** Those of the last entry, and those of the first that is still there. */
  #totals: Totals | undefined;
  #first: Totals | undefined;

  constructor(table: Table) {
    this.#table = table;
  }

  get start(): LogPosition {
    return (this.#start ??= this.#table.get(START_KEY)?.toString('latin1') ?? '');
  }

  begin(start: LogPosition): void {
    if (this.start === '') this.#setStart(start);
  }

  append({ position, topic, bytes }: NewLogEntry): void {
    const before = (this.#totals ??= this.#readTotals());
    const topicLength = Buffer.byteLength(topic);
    const totals = { entries: before.entries + 1, bytes: before.bytes + topicLength + bytes.length };
    const head = Buffer.allocUnsafe(HEAD_BYTES + topicLength);
    head.writeDoubleLE(totals.entries, 0);
    head.writeDoubleLE(totals.bytes, 8);
    head.writeUInt16LE(topicLength, 16);
    head.write(topic, HEAD_BYTES);
    this.#table.putSync(Buffer.from(position, 'latin1'), seal(head, bytes), AT_THE_END);
    this.#totals = totals;
    this.#trim(totals);
  }

  at(position: LogPosition): LogEntry | undefined {
    const key = Buffer.from(position, 'latin1');
    const value = key.length === POSITION_BYTES ? this.#table.get(key) : undefined;
    return value && parse(key, value);
  }

  *after(position: LogPosition): Generator<LogEntry> {
    const start = position === '' ? FIRST_KEY : Buffer.from(position, 'latin1');
    for (const { key, value } of this.#table.getRange({ start, end: NO_KEY })) {
      const entry = parse(key, value);
      if (entry.position > position) yield entry;
    }
  }

  /** What is remembered beside the table is read again: a transaction was undone. */
  forget(): void {
    this.#start = undefined;
    this.#totals = undefined;
    this.#first = undefined;
  }

  #trim(totals: Totals): void {
    // What would be left without the first entry: one that is large stays until there is enough behind it.
    this.#first ??= this.#readFirst(totals);
    if (!isMore(totals, this.#first, 1.1)) return;
    for (;;) {
      const oldest = Array.from(this.#table.getRange({ start: FIRST_KEY, end: NO_KEY, limit: CHUNK }), totalsAt);
      const old = oldest.filter((entry) => isMore(totals, entry.totals, 1));
      for (const { key } of old) this.#table.removeSync(key);
      const last = old.at(-1);
      if (last !== undefined) this.#setStart(last.key.toString('latin1'));
      const kept = oldest[old.length];
      if (kept === undefined) continue;
      this.#first = kept.totals;
      return;
    }
  }

  #setStart(start: LogPosition): void {
    this.#table.putSync(START_KEY, Buffer.from(start, 'latin1'));
    this.#start = start;
  }

  #readTotals(): Totals {
    const [last] = this.#table.getRange({ start: NO_KEY, end: FIRST_KEY, reverse: true, limit: 1 });
    return last === undefined ? { entries: 0, bytes: 0 } : parse(last.key, last.value).totals;
  }

  /** Up to the first entry, that one included. */
  #readFirst(totals: Totals): Totals {
    const [first] = this.#table.getRange({ start: FIRST_KEY, end: NO_KEY, limit: 1 });
    return first === undefined ? totals : totalsAt(first).totals;
  }
}

function isMore(totals: Totals, removed: Totals, factor: number): boolean {
  const entries = totals.entries - removed.entries;
  const bytes = totals.bytes - removed.bytes;
  return entries > MAX_LOG_ENTRIES * factor || bytes > MAX_LOG_BYTES * factor;
}

/** What an entry says of those before it. What it is trimmed for need not be whole. */
function totalsAt({ key, value }: { key: Buffer; value: Buffer }): { readonly key: Buffer; readonly totals: Totals } {
  return { key, totals: readTotals(value.subarray(CHECKSUM_BYTES)) };
}

function readTotals(content: Buffer): Totals {
  return { entries: content.readDoubleLE(0), bytes: content.readDoubleLE(8) };
}

function parse(key: Buffer, value: Buffer): StoredEntry {
  const content = unseal(value);
  if (content === undefined) {
    throw new StoreError('STORE_DAMAGED', 'The store is damaged: an entry of its log cannot be read.');
  }
  const start = HEAD_BYTES + content.readUInt16LE(16);
  return {
    position: key.toString('latin1'),
    topic: content.toString('utf8', HEAD_BYTES, start),
    bytes: content.subarray(start),
    totals: readTotals(content),
  };
}
