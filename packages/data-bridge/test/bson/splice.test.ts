import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { encodeDocument } from '../../src/bson/encode.ts';
import { Layout } from '../../src/bson/layout.ts';
import { elementsOf, splice } from '../../src/bson/splice.ts';
import { anyDocument, anyName, runs } from '../support/arbitrary.ts';

const elements = (members: Record<string, unknown>): Map<string, Uint8Array | null> => {
  const names = Object.keys(members);
  const present = names.filter((name) => members[name] !== undefined);
  const encoded = elementsOf(encodeDocument(new Map(present.map((name) => [name, members[name]]))));
  return new Map(names.map((name) => [name, encoded[present.indexOf(name)] ?? null]));
};
const read = (bytes: Uint8Array) => BSON.deserialize(bytes);

describe('elementsOf()', () => {
  it('gives type, name and value of each element', () => {
    const [a, b, ...rest] = elementsOf(BSON.serialize({ a: 1, bc: null }));
    expect(rest).toEqual([]);
    expect([...(a ?? [])]).toEqual([0x10, 0x61, 0, 1, 0, 0, 0]);
    expect([...(b ?? [])]).toEqual([0x0a, 0x62, 0x63, 0]);
  });

  it('gives all of any document', () => {
    fc.assert(
      fc.property(anyDocument, (document) => {
        expect(Buffer.compare(Buffer.concat(elementsOf(document)), document.subarray(4, -1))).toBe(0);
      }),
      runs(300),
    );
  });
});

describe('splice()', () => {
  const document = BSON.serialize({ a: 1, b: 'two', c: [3], d: null });

  it('replaces, leaves out and adds, and keeps the order', () => {
    const spliced = splice(new Layout(), document, 0, elements({ d: 4, b: undefined, new: true, a: { x: 1 } }));
    expect(read(spliced)).toEqual({ a: { x: 1 }, c: [3], d: 4, new: true });
    expect(Object.keys(read(spliced))).toEqual(['a', 'c', 'd', 'new']);
  });

  it('copies the document where nothing changes', () => {
    const spliced = splice(new Layout(), document, 0, elements({ absent: undefined }));
    expect(Buffer.compare(spliced, document)).toBe(0);
    expect(spliced.buffer).not.toBe(document.buffer);
  });

  it('may leave nothing', () => {
    const none = elements({ a: undefined, b: undefined, c: undefined, d: undefined });
    expect([...splice(new Layout(), document, 0, none)]).toEqual([5, 0, 0, 0, 0]);
  });

  it('reads from an arena and writes to memory of its own', () => {
    const arena = Buffer.concat([Buffer.alloc(7, 255), document, Buffer.alloc(9, 255)]);
    const spliced = splice(new Layout(), arena, 7, elements({ b: 2 }));
    expect(read(spliced)).toEqual({ a: 1, b: 2, c: [3], d: null });
    expect(spliced.buffer.byteLength).toBe(spliced.length);
  });

  it('leaves any other element as it is', () => {
    fc.assert(
      fc.property(anyDocument, anyName, fc.option(fc.string(), { nil: undefined }), (bytes, name, value) => {
        const spliced = splice(new Layout(), bytes, 0, elements({ [name]: value }));
        const nameOf = (element: Uint8Array) => Buffer.from(element.subarray(1, element.indexOf(0, 1))).toString();
        const others = (all: Uint8Array[]) => all.filter((element) => nameOf(element) !== name);
        expect(others(elementsOf(spliced))).toEqual(others(elementsOf(bytes)));
        const [written] = elementsOf(spliced)
          .filter((element) => nameOf(element) === name)
          .toReversed();
        if (value !== undefined) expect(written).toEqual(elements({ [name]: value }).get(name));
      }),
      runs(300),
    );
  });
});
