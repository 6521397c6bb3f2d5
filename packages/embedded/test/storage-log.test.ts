import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Timestamp } from 'bson';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LmdbLog } from '../src/storage/lmdb-log.ts';
import { openTables } from '../src/storage/lmdb-tables.ts';
import { LmdbStorage } from '../src/storage/lmdb.ts';
import { endOf, logPosition, startOf } from '../src/storage/log-position.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { type LogPosition, MAX_LOG_BYTES, MAX_LOG_ENTRIES, type Storage } from '../src/storage/storage.ts';

const storages: readonly [name: string, open: (folder: string) => Promise<Storage>][] = [
  ['MemoryStorage', async () => new MemoryStorage()],
  ['LmdbStorage', (folder) => LmdbStorage.open(folder)],
];

/** The position of the n-th change of a test. */
const at = (n: number, index = 0): LogPosition => logPosition({ t: 1_700_000_000, i: n }, index);

const time = (n: number): Timestamp => new Timestamp({ t: 1_700_000_000, i: n });

describe.each(storages)('the log of %s', (_name, open) => {
  let folder: string;
  let storage: Storage;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'storage-'));
    storage = await open(folder);
  });

  afterEach(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  const append = (position: LogPosition, text: string, topic = 'd.c'): void => {
    const bytes = Buffer.from(text);
    storage.log.append({ position, topic, bytes, size: bytes.length });
  };

  const textsAfter = (position: LogPosition): string[] =>
    storage.transaction(() => Array.from(storage.log.after(position), ({ bytes }) => Buffer.from(bytes).toString()));

  it('gives the entries behind a position, in order', () => {
    storage.transaction(() => {
      append(at(1), 'a');
      append(at(2), 'b', 'd.ünï');
      append(at(2, 1), 'c');
      append(at(300), 'd');
    });
    expect(textsAfter('')).toEqual(['a', 'b', 'c', 'd']);
    expect(textsAfter(at(1))).toEqual(['b', 'c', 'd']);
    expect(textsAfter(startOf(time(2)))).toEqual(['b', 'c', 'd']);
    expect(textsAfter(endOf(time(2)))).toEqual(['d']);
    expect(textsAfter(at(300))).toEqual([]);
    storage.transaction(() => {
      expect(storage.log.at(at(2))).toMatchObject({ position: at(2), topic: 'd.ünï' });
      expect(storage.log.at(at(3))).toBeUndefined();
      expect(storage.log.at(startOf(time(2)))).toBeUndefined();
    });
  });

  it('begins once', () => {
    storage.transaction(() => {
      storage.log.begin(at(1));
      storage.log.begin(at(2));
      expect(storage.log.start).toBe(at(1));
    });
  });

  it('forgets the oldest entries when there are too many', () => {
    const count = MAX_LOG_ENTRIES * 1.2;
    storage.transaction(() => {
      for (let n = 1; n <= count; n += 1) append(at(n), String(n));
    });
    const texts = textsAfter('');
    expect(texts.length).toBeGreaterThanOrEqual(MAX_LOG_ENTRIES);
    expect(texts.length).toBeLessThanOrEqual(MAX_LOG_ENTRIES * 1.1 + 1);
    expect(texts.at(-1)).toBe(String(count));
    // What was forgotten last is where the log starts.
    expect(storage.transaction(() => storage.log.start)).toBe(at(Number(texts[0]) - 1));
  });

  it('forgets the oldest entries when they are too large, but never the last', () => {
    storage.transaction(() => {
      for (let n = 1; n <= 20; n += 1) append(at(n), String(n).padEnd(MAX_LOG_BYTES / 8));
    });
    expect(textsAfter('').map(Number)).toEqual(Array.from({ length: 8 }, (_, index) => 13 + index));
    storage.transaction(() => append(at(21), '21'.padEnd(MAX_LOG_BYTES * 2)));
    expect(textsAfter('').map(Number)).toEqual([21]);
    expect(storage.transaction(() => storage.log.start)).toBe(at(20));
  });
});

describe('the log of a folder', () => {
  it('outlives the storage, and is undone with its transaction', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'storage-'));
    let storage = await LmdbStorage.open(folder);
    const append = (n: number): void =>
      storage.log.append({ position: at(n), topic: 'd.c', bytes: Buffer.from(String(n)), size: 1 });
    const texts = (): string[] => Array.from(storage.log.after(''), ({ bytes }) => Buffer.from(bytes).toString());
    storage.transaction(() => append(1));
    const failing = (): void => {
      append(2);
      throw new Error('the disk is full');
    };
    expect(() => storage.transaction(failing)).toThrow('the disk is full');
    storage.transaction(() => append(3));
    expect(storage.transaction(texts)).toEqual(['1', '3']);
    await storage.close();
    storage = await LmdbStorage.open(folder);
    expect(storage.transaction(texts)).toEqual(['1', '3']);
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  it('is not read again for each entry behind one that is large', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'storage-'));
    const { log: table, root } = await openTables(folder);
    const log = new LmdbLog(table);
    const append = (n: number, size: number): void =>
      log.append({ position: at(n), topic: 'd.c', bytes: Buffer.alloc(size), size });
    const reads = vi.spyOn(table, 'getRange');
    root.transactionSync(() => {
      append(1, MAX_LOG_BYTES / 2);
      append(2, MAX_LOG_BYTES * 0.8);
      for (let n = 3; n <= 100; n += 1) append(n, 1);
    });
    // For the totals and for the first entry.
    expect(reads).toHaveBeenCalledTimes(2);
    await root.close();
    rmSync(folder, { recursive: true });
  });
});
