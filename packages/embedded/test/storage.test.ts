import { Int32 } from 'bson';
import { describe, expect, it } from 'vitest';
import type { Document, Value } from '../src/engine/value.ts';
import { UNDEFINED } from '../src/engine/value.ts';
import { type IndexKey, indexKeys } from '../src/storage/index-keys.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import type { RecordStore } from '../src/storage/storage.ts';

function store(...keys: string[]): RecordStore {
  const records = new MemoryStorage().createStore();
  for (const key of keys) records.insert(key, Buffer.from(key));
  return records;
}

function keysOf(records: Iterable<{ readonly key: string }>): string[] {
  return Array.from(records, ({ key }) => key);
}

describe('MemoryStorage', () => {
  it('keeps records in the order of insertion, and finds them by key and by id', () => {
    const records = store('b', 'a', 'c');
    expect(keysOf(records.records())).toEqual(['b', 'a', 'c']);
    const record = records.find('a');
    expect(record?.bytes).toEqual(Buffer.from('a'));
    expect(records.get(record?.id ?? 0)).toBe(record);
    expect(records.find('x')).toBeUndefined();
  });

  it('keeps its own copy of the bytes', () => {
    const records = new MemoryStorage().createStore();
    const bytes = Buffer.from('abc');
    const { id } = records.insert('k', bytes);
    bytes.fill(0);
    expect(records.get(id)?.bytes).toEqual(Buffer.from('abc'));
    const replacement = Buffer.from('defg');
    records.replace(id, replacement);
    replacement.fill(0);
    expect(records.get(id)?.bytes).toEqual(Buffer.from('defg'));
  });

  it('counts records and bytes', () => {
    const records = store('aa', 'bbb');
    expect([records.count, records.size]).toEqual([2, 5]);
    records.replace(records.find('aa')?.id ?? 0, Buffer.from('aaaa'));
    expect([records.count, records.size]).toEqual([2, 7]);
    records.remove(records.find('bbb')?.id ?? 0);
    expect([records.count, records.size]).toEqual([1, 4]);
    records.remove(99);
    expect([records.count, records.size]).toEqual([1, 4]);
  });

  it('does not use an id again, and refuses to replace what is gone', () => {
    const records = store('a');
    const id = records.find('a')?.id ?? 0;
    records.remove(id);
    expect(records.insert('a', Buffer.of(1)).id).not.toBe(id);
    expect(() => records.replace(id, Buffer.of(1))).toThrow(RangeError);
  });

  it('goes on with an iteration while records come, change and go', () => {
    const records = store('a', 'b', 'c', 'd');
    const seen: string[] = [];
    for (const { key, id } of records.records()) {
      seen.push(key);
      if (key === 'a') records.replace(id, Buffer.from('changed'));
      if (key === 'b') {
        records.remove(id);
        records.remove(records.find('c')?.id ?? 0);
        records.insert('e', Buffer.of(1));
      }
    }
    expect(seen).toEqual(['a', 'b', 'd', 'e']);
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
