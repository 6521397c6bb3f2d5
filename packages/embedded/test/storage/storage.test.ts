import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Int32 } from 'bson';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Document, Value } from '../../src/values/value.ts';
import { UNDEFINED } from '../../src/values/value.ts';
import { type IndexKey, indexKeys } from '../../src/values/index-keys.ts';
import {
  ALL_KEYS,
  isCutKey,
  type KeyRange,
  rangeBehind,
  rangeOf,
  storedKey,
  storedRange,
} from '../../src/storage/key-range.ts';
import { LmdbStorage } from '../../src/storage/lmdb.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Entry, RecordStore, Storage } from '../../src/storage/storage.ts';

const storages: readonly [name: string, open: (folder: string) => Promise<Storage>][] = [
  ['MemoryStorage', async () => new MemoryStorage()],
  ['LmdbStorage', (folder) => LmdbStorage.open(folder)],
];

describe.each(storages)('%s', (_name, open) => {
  let folder: string;
  let storage: Storage;
  let records: RecordStore;

  /** Inserts records whose bytes are their keys. */
  const insert = (...keys: string[]): number[] => keys.map((key) => records.insert(key, Buffer.from(key)).id);

  const texts = (): string[] => Array.from(records.records(), ({ bytes }) => Buffer.from(bytes).toString());

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'storage-'));
    storage = await open(folder);
    records = storage.createCollection().records;
  });

  afterEach(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  /** A case that is one transaction. */
  const committed = (run: () => void) => () => storage.transaction(run);

  it(
    'keeps records in the order of insertion, and finds them by key and by id',
    committed(() => {
      const [b, a] = insert('b', 'a', 'c');
      expect(texts()).toEqual(['b', 'a', 'c']);
      expect(records.find('a')).toMatchObject({ id: a, bytes: Buffer.from('a') });
      expect(records.get(b ?? 0)?.bytes).toEqual(Buffer.from('b'));
      expect(records.find('x')).toBeUndefined();
      expect(records.get(99)).toBeUndefined();
    }),
  );

  it(
    'keeps its own copy of the bytes',
    committed(() => {
      const bytes = Buffer.from('abc');
      const { id } = records.insert('k', bytes);
      bytes.fill(0);
      expect(records.get(id)?.bytes).toEqual(Buffer.from('abc'));
      const replacement = Buffer.from('defg');
      records.replace(id, replacement);
      replacement.fill(0);
      expect(records.get(id)?.bytes).toEqual(Buffer.from('defg'));
    }),
  );

  it(
    'counts records and bytes',
    committed(() => {
      const [aa, bbb] = insert('aa', 'bbb');
      expect([records.count, records.size]).toEqual([2, 5]);
      records.replace(aa ?? 0, Buffer.from('aaaa'));
      expect([records.count, records.size]).toEqual([2, 7]);
      records.remove(bbb ?? 0);
      expect([records.count, records.size]).toEqual([1, 4]);
      records.remove(99);
      expect([records.count, records.size]).toEqual([1, 4]);
    }),
  );

  it(
    'does not use an id again, and refuses to replace what is gone',
    committed(() => {
      const [id = 0] = insert('a');
      records.remove(id);
      expect(records.find('a')).toBeUndefined();
      expect(insert('a')).not.toEqual([id]);
      expect(() => records.replace(id, Buffer.of(1))).toThrow(RangeError);
    }),
  );

  it(
    'goes on with an iteration while records come, change and go',
    committed(() => {
      const [, , c = 0] = insert('a', 'b', 'c', 'd');
      const seen: string[] = [];
      for (const { bytes, id } of records.records()) {
        const text = Buffer.from(bytes).toString();
        seen.push(text);
        if (text === 'a') records.replace(records.find('d')?.id ?? 0, Buffer.from('D'));
        if (text === 'b') {
          records.remove(id);
          records.remove(c);
          insert('e');
        }
      }
      expect(seen).toEqual(['a', 'b', 'D', 'e']);
    }),
  );

  it('goes on with an iteration in later transactions', () => {
    storage.transaction(() => insert(...Array.from({ length: 300 }, (_, n) => `${n}`)));
    const iterator = records.records();
    const seen: string[] = [];
    for (let turn = 0; turn < 300; turn += 1) {
      storage.transaction(() => {
        const { value } = iterator.next();
        seen.push(Buffer.from(value.bytes).toString());
        if (turn % 70 === 0) records.replace(records.find(`${turn + 1}`)?.id ?? 0, Buffer.from(`new ${turn + 1}`));
      });
    }
    const expected = Array.from({ length: 300 }, (_, n) => (n % 70 === 1 ? `new ${n}` : `${n}`));
    expect(seen).toEqual(expected);
    expect(storage.transaction(() => iterator.next().done)).toBe(true);
  });

  /** Keys in the order of a scan. */
  const keysOf = (entries: readonly Entry[]): string[] => entries.map(({ position }) => position);

  it(
    'scans records by key, forwards and backwards',
    committed(() => {
      insert('b', 'd', 'a', 'c', 'b\xff');
      expect(keysOf(records.scan(ALL_KEYS, false, 10))).toEqual(['a', 'b', 'b\xff', 'c', 'd']);
      expect(keysOf(records.scan(ALL_KEYS, true, 2))).toEqual(['d', 'c']);
      expect(keysOf(records.scan({ start: 'b', end: 'd' }, false, 10))).toEqual(['b', 'b\xff', 'c']);
      expect(keysOf(records.scan({ start: 'b', end: 'd' }, true, 10))).toEqual(['c', 'b\xff', 'b']);
      expect(keysOf(records.scan({ start: 'aa', end: 'bb' }, true, 10))).toEqual(['b']);
      expect(keysOf(records.scan({ start: 'x', end: undefined }, false, 10))).toEqual([]);
      const [one] = records.scan({ start: 'c', end: 'd' }, false, 1);
      records.remove(one?.record ?? 0);
      insert('bb');
      expect(keysOf(records.scan(ALL_KEYS, false, 10))).toEqual(['a', 'b', 'bb', 'b\xff', 'd']);
    }),
  );

  it(
    'keeps which records have which keys of an index, in their order',
    committed(() => {
      const index = storage.createCollection().index(1);
      const recordsOf = (range: KeyRange, backwards = false): number[] =>
        index.scan(range, backwards, 10).map(({ record }) => record);
      index.multikey = 0;
      index.add('a', 2);
      index.add('b', 4);
      index.add('a', 1);
      index.add('ab', 3);
      expect(recordsOf(rangeOf('a'))).toEqual([1, 2, 3]);
      expect(recordsOf(ALL_KEYS)).toEqual([1, 2, 3, 4]);
      expect(recordsOf(ALL_KEYS, true)).toEqual([4, 3, 2, 1]);
      expect(recordsOf({ start: 'ab', end: 'b' })).toEqual([3]);
      const [first] = index.scan(ALL_KEYS, false, 1);
      expect(recordsOf(rangeBehind(ALL_KEYS, first?.position ?? '', false))).toEqual([2, 3, 4]);
      index.remove('a', 2);
      index.remove('a', 3);
      expect(recordsOf(rangeOf('a'))).toEqual([1, 3]);
    }),
  );

  it(
    'keeps thousands of entries in their order',
    committed(() => {
      const index = storage.createCollection().index(1);
      const keys = Array.from({ length: 5_000 }, (_, n) => String((n * 7919) % 5_000).padStart(4, '0'));
      for (const [record, key] of keys.entries()) index.add(key, record);
      for (const [record, key] of keys.entries()) if (record % 3 === 0) index.remove(key, record);
      const left = keys.filter((_, record) => record % 3 !== 0).sort();
      const found = (backwards: boolean): string[] =>
        index.scan(ALL_KEYS, backwards, 10_000).map(({ position }) => position.slice(0, 4));
      expect(found(false)).toEqual(left);
      expect(found(true)).toEqual(left.toReversed());
    }),
  );

  it('remembers that an index is multikey and has cut keys', () => {
    const collection = storage.createCollection();
    const index = collection.index(1);
    expect([index.multikey, index.hasCutKeys]).toEqual([0, false]);
    storage.transaction(() => {
      index.multikey = 5;
      index.add('a', 1);
    });
    expect([index.multikey, index.hasCutKeys]).toEqual([5, false]);
    storage.transaction(() => index.add(storedKey('x'.repeat(300)), 2));
    expect([index.multikey, index.hasCutKeys]).toEqual([5, true]);
    expect(storage.transaction(() => index.scan(ALL_KEYS, false, 10)).length).toBe(2);
    if (!storage.persistent) return;
    const again = collection.index(1);
    expect([again.multikey, again.hasCutKeys]).toEqual([5, true]);
  });
});

describe('storedKey', () => {
  it('tells long keys apart that begin alike', () => {
    const long = 'x'.repeat(5_000);
    const keys = [`${long}a`, `${long}b`, 'x'.repeat(256), 'x'.repeat(255)].map(storedKey);
    expect(new Set(keys).size).toBe(4);
    expect(keys.map(isCutKey)).toEqual([true, true, true, false]);
  });

  it('keeps a key within the range of all that it begins with', () => {
    const bytes = fc.string({ unit: fc.constantFrom('\x01', 'a', '\xfe'), maxLength: 3 });
    const long = fc.tuple(bytes, fc.constantFrom(0, 220, 300), bytes).map(([a, n, b]) => a + 'a'.repeat(n) + b);
    fc.assert(
      fc.property(long, long, long, (key, start, end) => {
        const range = storedRange({ start, end });
        if (key < start || key >= end) return;
        const stored = storedKey(key);
        expect(stored >= range.start).toBe(true);
        expect(range.end === undefined || stored < range.end).toBe(true);
      }),
    );
  });
});

function documentOf(value: unknown): Document {
  const convert = (part: unknown): Value => {
    if (Array.isArray(part)) return part.map(convert);
    if (typeof part === 'number') return new Int32(part);
    if (part === null || typeof part === 'string') return part;
    return new Map(Object.entries(part as object).map(([name, member]) => [name, convert(member)]));
  };
  return convert(value) as Document;
}

/** Keys in short: numbers plain, `-` for missing, `[]` for what an empty array counts as. */
function short(keys: readonly IndexKey[]): unknown[] {
  const part = (value: Value | undefined): unknown => {
    if (value === undefined) return '-';
    if (value === UNDEFINED) return '[]';
    if (value instanceof Int32) return value.value;
    return Array.isArray(value) ? value.map(part) : value;
  };
  return keys.map((key) => (key.length === 1 ? part(key[0]) : key.map(part)));
}

describe('indexKeys', () => {
  it.each<[string[], unknown, unknown[]]>([
    [['a'], { a: 1 }, [1]],
    [['a'], {}, ['-']],
    [['a'], { a: null }, [null]],
    [['a'], { a: [1, 2] }, [1, 2]],
    [['a'], { a: [] }, ['[]']],
    [['a'], { a: [null] }, [null]],
    [['a'], { a: [[1, 2], 3] }, [[1, 2], 3]],
    [['a.b'], { a: { b: 1 } }, [1]],
    [['a.b'], { a: 1 }, ['-']],
    [['a.b'], { a: [{ b: 1 }, { b: 2 }, { c: 3 }, 4] }, [1, 2, '-', '-']],
    [['a.b'], { a: [] }, ['-']],
    [['a.b'], { a: [[{ b: 1 }]] }, ['-']],
    [['a.b'], { a: [{ b: [1, 2] }, { b: 3 }] }, [1, 2, 3]],
    [['a.1'], { a: [5, 6] }, [6]],
    [['a.0.b'], { a: [{ b: 1 }, { b: 2 }] }, [1]],
    [['a', 'b'], { a: 1, b: 2 }, [[1, 2]]],
    [['a', 'b'], { a: [1, 2], b: 3 }, [[1, 3], [2, 3]]], // prettier-ignore
    [['a.x', 'a.y'], { a: [{ x: 1, y: 2 }, { x: 3 }] }, [[1, 2], [3, '-']]], // prettier-ignore
    [['a', 'a.x'], { a: [{ x: 1 }] }, [[new Map([['x', new Int32(1)]]), 1]]],
  ])('of %j in %j are %j', (paths, document, expected) => {
    const split = paths.map((path) => path.split('.'));
    expect(short(indexKeys(split, documentOf(document)))).toEqual(expected);
  });

  it('cannot be had from two arrays at once', () => {
    const paths = [['a'], ['b', 'c']];
    expect(() => indexKeys(paths, documentOf({ a: [1], b: [{ c: 1 }] }))).toThrow(
      'cannot index parallel arrays [b.c] [a]',
    );
    expect(() => indexKeys([['a', 'x'], ['a', 'y']], documentOf({ a: [{ x: [1], y: [2] }] }))).toThrow(/parallel/); // prettier-ignore
  });
});
