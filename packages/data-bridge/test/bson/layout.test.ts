import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { decodeDocument, decodeElement } from '../../src/bson/decode.ts';
import { Layout } from '../../src/bson/layout.ts';
import { fieldsOf, locate } from '../../src/bson/locate.ts';
import { CorruptBsonError, UsageError } from '../../src/errors.ts';
import { documentBytes, type StoredElement } from '../support/arbitrary.ts';

function read(layout: Layout, bytes: Uint8Array, name: string): unknown {
  const field = layout.field(name);
  const at = locate(layout, bytes, 0, field);
  return at < 0 ? undefined : decodeElement(layout, bytes, 0, field, at);
}

/** The given names in an order that changes with the seed, some left out. */
function shuffled(names: readonly string[], seed: number): string[] {
  const place = (name: string): number =>
    (Buffer.from(name).reduce((sum, byte) => sum * 31 + byte, seed) * 7919) % 1009;
  return names.filter((name) => place(name) % 4 !== 0).toSorted((a, b) => place(a) - place(b));
}

describe('Layout', () => {
  it('numbers the names it is given, then those it meets', () => {
    const layout = new Layout({}, ['_id', 'name']);
    decodeDocument(layout, BSON.serialize({ _id: 1, extra: 2, name: 'x' }), 0);
    expect(['_id', 'name', 'extra', 'new'].map((name) => layout.field(name).index)).toEqual([0, 1, 2, 3]);
    expect(layout.fieldAt(2).name).toBe('extra');
    expect(layout.field('name')).toBe(layout.field('name'));
    expect(() => layout.fieldAt(9)).toThrow(UsageError);
  });

  it('refuses the options that the driver refuses', () => {
    expect(() => new Layout({ useBigInt64: true, promoteLongs: false })).toThrow(UsageError);
    expect(() => new Layout({ useBigInt64: true, promoteValues: false })).toThrow(UsageError);
    expect(new Layout().options).toEqual({
      promoteLongs: true,
      promoteValues: true,
      promoteBuffers: false,
      useBigInt64: false,
      bsonRegExp: false,
    });
  });

  it('finds every field of documents in any order', () => {
    const layout = new Layout();
    const names = Array.from({ length: 20 }, (_, i) => `field${i}`);
    for (let seed = 1; seed < 200; seed++) {
      const document = Object.fromEntries(shuffled(names, seed).map((name, i) => [name, { i, seed }]));
      const bytes = BSON.serialize(document);
      for (const name of names) expect(read(layout, bytes, name)).toEqual(document[name]);
      expect(fieldsOf(layout, bytes, 0).map((field) => field.name)).toEqual(Object.keys(document));
      expect(decodeDocument(layout, bytes, 0)).toEqual(document);
    }
  });

  it('works on with more names than it learns', () => {
    const early = Layout.maxNames - 28;
    const layout = new Layout(
      {},
      Array.from({ length: early }, (_, i) => `early${i}`),
    );
    for (let round = 0; round < 5; round++) {
      const document = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`field${i + round * 30}`, { i }]));
      const bytes = BSON.serialize(document);
      expect(decodeDocument(layout, bytes, 0)).toEqual(document);
      expect(fieldsOf(layout, bytes, 0).map((field) => field.name)).toEqual(Object.keys(document));
      for (const [name, value] of Object.entries(document)) expect(read(layout, bytes, name)).toEqual(value);
      expect(read(layout, bytes, 'early3')).toBeUndefined();
    }
    expect(layout.field('early99').index).toBe(99);
    expect(layout.field('field27').index).toBe(Layout.maxNames - 1);
    expect(layout.field('field28').index).toBe(-1);
    expect(layout.field('field28')).toBe(layout.field('field28'));
    expect(layout.top.fields.length).toBe(Layout.maxNames);
  });

  it('distinguishes names that begin alike', () => {
    const names = Array.from({ length: 12 }, (_, i) => 'abcdefghijkl'.slice(0, i + 1));
    const document = Object.fromEntries([...names, ...names.map((name) => `${name}_`)].map((name, i) => [name, i]));
    const layout = new Layout({}, Object.keys(document).toReversed());
    const bytes = BSON.serialize(document);
    for (const [name, value] of Object.entries(document)) expect(read(layout, bytes, name)).toBe(value);
  });

  it('learns no long names, which would stay in memory', () => {
    const layout = new Layout();
    const long = 'n'.repeat(1000);
    const document = { a: 1, [long]: { [long]: 2, b: 3 }, c: 4 };
    const bytes = BSON.serialize(document);
    expect(decodeDocument(layout, bytes, 0)).toEqual(document);
    expect(fieldsOf(layout, bytes, 0).map((field) => field.name)).toEqual(['a', long, 'c']);
    expect(['a', long, 'c'].map((name) => read(layout, bytes, name))).toEqual([1, document[long], 4]);
    expect(layout.top.fields.map((field) => field.name)).toEqual(['a', 'c']);
    expect(layout.field(long)).not.toBe(layout.field(long));
  });

  it('is shared by all documents of the same options until its top level is full', () => {
    const shared = Layout.shared();
    expect([Layout.shared({ promoteLongs: true }), Layout.shared({ bsonRegExp: false })]).toEqual([shared, shared]);
    const options = { promoteLongs: false, promoteBuffers: true, bsonRegExp: true } as const;
    expect(Layout.shared(options)).toBe(Layout.shared({ ...options }));
    expect(Layout.shared(options).options).toMatchObject(options);
    expect(Layout.shared({ useBigInt64: true })).not.toBe(shared);
    const raw = Layout.shared({ promoteValues: false });
    for (let i = 0; i <= Layout.maxNames; i++) raw.field(`shared${i}`);
    expect(Layout.shared({ promoteValues: false })).not.toBe(raw);
  });

  it('stops learning a level that is a map keyed by ids, and still learns what lies in its values', () => {
    const layout = new Layout();
    for (let i = 0; i < 40; i++) {
      const byId = Object.fromEntries(Array.from({ length: 10 }, (_, k) => [`id${i}-${k}`, { name: 'x', at: { k } }]));
      expect(decodeDocument(layout, BSON.serialize({ byId }), 0)).toEqual({ byId });
    }
    const level = layout.field('byId').level;
    expect([level.full, level.fields.length]).toEqual([true, 0]);
    expect(level.unknown.level.fields.map((field) => field.name)).toEqual(['name', 'at']);
  });

  it('learns a bounded number of names over all levels', () => {
    const layout = new Layout();
    const learned = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const members = Object.fromEntries(Array.from({ length: 100 }, (_, k) => [`name${k}`, k]));
      const document = { [`map${i}`]: members };
      expect(decodeDocument(layout, BSON.serialize(document), 0)).toEqual(document);
      for (const field of layout.field(`map${i}`).level.fields) learned.add(`${i}.${field.name}`);
    }
    expect(learned.size).toBeLessThanOrEqual(4096);
  });

  // case: unstorable-name
  it('takes a name that BSON cannot hold for absent', () => {
    const layout = new Layout({}, ['a\0b', '\ud800']);
    const bytes = BSON.serialize({ a: 1, '\ufffd': 2 });
    expect([read(layout, bytes, 'a\0b'), read(layout, bytes, '\ud800')]).toEqual([undefined, undefined]);
    expect([read(layout, bytes, 'a'), read(layout, bytes, '\ufffd')]).toEqual([1, 2]);
  });

  it('keeps nothing of the bytes that it learned from', () => {
    const layout = new Layout();
    const bytes = Buffer.from(BSON.serialize({ name: 1, nested: { inner: 2 } }));
    const copy = Buffer.from(bytes);
    decodeDocument(layout, bytes, 0);
    bytes.fill(0x41);
    expect(decodeDocument(layout, copy, 0)).toEqual({ name: 1, nested: { inner: 2 } });
    expect(layout.top.fields.map((field) => field.name)).toEqual(['name', 'nested']);
  });

  it('distinguishes names of one hash', () => {
    // 31 * 'A' + 'a' is 31 * 'B' + 'B'.
    const document = { Aa: 1, BB: 2, AaAa: 3, BBBB: 4, AaBB: 5, BBAa: 6 };
    const bytes = BSON.serialize(document);
    const layout = new Layout();
    for (const [name, value] of Object.entries(document)) expect(read(layout, bytes, name)).toBe(value);
    expect(decodeDocument(layout, bytes, 0)).toEqual(document);
  });
});

describe('locate', () => {
  it('finds the last of several fields of one name', () => {
    const elements: StoredElement[] = [
      ['a', { type: 0x08, bytes: Buffer.of(0) }],
      ['b', { type: 0x0a, bytes: Buffer.alloc(0) }],
      ['a', { type: 0x08, bytes: Buffer.of(1) }],
    ];
    const bytes = documentBytes(elements);
    const full = new Layout(
      {},
      Array.from({ length: Layout.maxNames }, (_, i) => `other${i}`),
    );
    for (const layout of [new Layout(), full]) {
      expect(read(layout, bytes, 'a')).toBe(true);
      expect(fieldsOf(layout, bytes, 0).map((field) => field.name)).toEqual(['a', 'b']);
    }
  });

  it('does not take one document or layout for another', () => {
    const one = new Layout({}, ['a', 'b']);
    const other = new Layout({}, ['b', 'a']);
    const documents = [{ a: 1, b: 2 }, { b: 3, a: 4 }, { a: 5 }].map((document) => BSON.serialize(document));
    const arena = Buffer.concat(documents);
    const starts = [0, documents[0]?.length ?? 0];
    for (let round = 0; round < 3; round++) {
      for (const layout of [one, other]) {
        expect(documents.map((bytes) => [read(layout, bytes, 'a'), read(layout, bytes, 'b')])).toEqual([
          [1, 2],
          [4, 3],
          [5, undefined],
        ]);
        const field = layout.field('a');
        const values = starts.map((start) =>
          decodeElement(layout, arena, start, field, locate(layout, arena, start, field)),
        );
        expect(values).toEqual([1, 4]);
      }
    }
  });

  it('finds no field in a document that was scanned before its name was learned', () => {
    const layout = new Layout();
    const [one, other] = [BSON.serialize({ a: 1, b: 2 }), BSON.serialize({ b: 3, c: 4 })];
    expect([read(layout, one, 'a'), read(layout, one, 'c')]).toEqual([1, undefined]);
    expect([read(layout, other, 'c'), read(layout, other, 'a')]).toEqual([4, undefined]);
    expect(read(layout, one, 'b')).toBe(2);
    decodeDocument(layout, BSON.serialize({ d: 5 }), 0);
    expect([read(layout, one, 'd'), read(layout, one, 'c'), read(layout, one, 'a')]).toEqual([undefined, undefined, 1]);
  });

  it('finds fields of documents that are too large to be remembered', () => {
    const layout = new Layout();
    const bytes = BSON.serialize({ a: 'x'.repeat(100_000), b: 2 });
    expect([read(layout, bytes, 'b'), read(layout, bytes, 'c'), read(layout, bytes, 'b')]).toEqual([2, undefined, 2]);
  });

  it('throws for a document whose headers are damaged, each time', () => {
    const bytes = Buffer.from(BSON.serialize({ a: 1, b: 2 }));
    bytes[4] = 0x66;
    const layout = new Layout();
    for (let i = 0; i < 2; i++) {
      expect(() => locate(layout, bytes, 0, layout.field('b'))).toThrow(CorruptBsonError);
      expect(() => fieldsOf(layout, bytes, 0)).toThrow(CorruptBsonError);
    }
  });

  it('leaves damage inside a field to the reading of that field', () => {
    const bytes = documentBytes([
      ['bad', { type: 0x03, bytes: documentBytes([['x', { type: 0x66, bytes: Buffer.alloc(0) }]]) }],
      ['good', { type: 0x08, bytes: Buffer.of(1) }],
    ]);
    const layout = new Layout();
    expect(read(layout, bytes, 'good')).toBe(true);
    expect(() => read(layout, bytes, 'bad')).toThrow(CorruptBsonError);
  });
});
