import {
  type LogEntry,
  type LogPosition,
  type LogStore,
  MAX_LOG_BYTES,
  MAX_LOG_ENTRIES,
  type NewLogEntry,
} from './storage.ts';

/** Nothing is worked out, or copied, before somebody reads it: most servers are never asked for their log. */
export class MemoryLog implements LogStore {
  start: LogPosition = '';
  #entries: NewLogEntry[] = [];
  #size = 0;

  begin(start: LogPosition): void {
    if (this.start === '') this.start = start;
  }

  /** @returns what takes back all that is appended from now on */
  mark(): () => void {
    const { start } = this;
    const entries = this.#entries;
    const { length } = entries;
    const size = this.#size;
    return () => {
      // What was trimmed meanwhile is still in the old list.
      entries.length = length;
      this.#entries = entries;
      this.#size = size;
      this.start = start;
    };
  }

  append(entry: NewLogEntry): void {
    this.#entries.push(entry);
    this.#size += entry.size;
    if (this.#entries.length > MAX_LOG_ENTRIES * 1.1 || this.#size > MAX_LOG_BYTES * 1.1) this.#trim();
  }

  at(position: LogPosition): LogEntry | undefined {
    const entry = this.#entries[this.#indexAfter(position) - 1];
    return entry?.position === position ? entry : undefined;
  }

  *after(position: LogPosition): Generator<LogEntry> {
    const entries = this.#entries;
    for (let index = this.#indexAfter(position); index < entries.length; index += 1) {
      const entry = entries[index];
      if (entry !== undefined) yield entry;
    }
  }

  #trim(): void {
    let first = Math.max(0, this.#entries.length - MAX_LOG_ENTRIES);
    for (const { size } of this.#entries.slice(0, first)) this.#size -= size;
    // One entry stays, however large: whoever has read the one before it may go on.
    while (this.#size > MAX_LOG_BYTES && first < this.#entries.length - 1) {
      this.#size -= this.#entries[first]?.size ?? 0;
      first += 1;
    }
    this.start = this.#entries[first - 1]?.position ?? this.start;
    this.#entries = this.#entries.slice(first);
  }

  /** The index of the first entry behind a position. */
  #indexAfter(position: LogPosition): number {
    let from = 0;
    let to = this.#entries.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#entries[middle]?.position ?? '') <= position) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
