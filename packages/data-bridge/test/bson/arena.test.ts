import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { ownAll, ownBytes } from '../../src/bson/arena.ts';
import { batchOf } from '../../src/bson/batch.ts';

interface Placed {
  readonly bytes: Uint8Array;
  readonly start: number;
}

const place = (bytes: Uint8Array, start: number): Placed => ({ bytes, start });
const documentsOf = (sizes: readonly number[]) =>
  sizes.map((size, i) => new Uint8Array(BSON.serialize({ i, text: 'x'.repeat(size) })));
const read = ({ bytes, start }: Placed) =>
  BSON.deserialize(bytes.subarray(start, start + new DataView(bytes.buffer, bytes.byteOffset).getInt32(start, true)));

describe('ownBytes()', () => {
  it('gives an exact copy', () => {
    const message = Buffer.from([0, 1, 2, 3]);
    const own = ownBytes(message.subarray(1, 3));
    expect([...own]).toEqual([1, 2]);
    expect(own.buffer.byteLength).toBe(2);
    message[1] = 9;
    expect(own[0]).toBe(1);
  });
});

describe('ownAll()', () => {
  it('gives nothing for nothing', () => {
    expect(ownAll(batchOf([]), place)).toEqual([]);
  });

  it('gives exact copies of a few documents', () => {
    const documents = documentsOf(Array.from({ length: 63 }, () => 100));
    const placed = ownAll(batchOf(documents), place);
    expect(placed.map(read)).toEqual(documents.map((document) => BSON.deserialize(document)));
    expect(placed.every(({ bytes, start }) => start === 0 && bytes.buffer.byteLength === bytes.length)).toBe(true);
  });

  it('lets many documents share arenas of at most 16 KB', () => {
    const documents = documentsOf(Array.from({ length: 500 }, (_, i) => (i * 37) % 700));
    const placed = ownAll(batchOf(documents), place);
    expect(placed.map(read)).toEqual(documents.map((document) => BSON.deserialize(document)));
    const arenas = new Set(placed.map(({ bytes }) => bytes.buffer));
    expect(arenas.size).toBeLessThan(documents.length / 10);
    for (const arena of arenas) expect(arena.byteLength).toBeLessThanOrEqual(16 * 1024);
  });

  it('gives a document that no arena holds its own', () => {
    const documents = documentsOf(Array.from({ length: 100 }, (_, i) => (i % 10 === 3 ? 50_000 : 10)));
    const placed = ownAll(batchOf(documents), place);
    expect(placed.map(read)).toEqual(documents.map((document) => BSON.deserialize(document)));
    const large = placed.filter((_, i) => i % 10 === 3);
    expect(new Set(large.map(({ bytes }) => bytes.buffer)).size).toBe(10);
    for (const { bytes, start } of large) {
      expect(start).toBe(0);
      expect(bytes.buffer.byteLength).toBeLessThan(51_000);
    }
  });

  it('keeps nothing of the memory it copied from', () => {
    const message = Buffer.alloc(100_000);
    const starts = documentsOf(Array.from({ length: 100 }, () => 20)).map((document, i) => {
      message.set(document, i * 100);
      return i * 100;
    });
    const placed = ownAll({ bytes: message, starts }, place);
    message.fill(0);
    expect(placed.map((each) => read(each)['i'])).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('gives documents in the order of the batch, whatever the order in which they lie', () => {
    const { bytes, starts } = batchOf(documentsOf(Array.from({ length: 100 }, () => 20)));
    const placed = ownAll({ bytes, starts: starts.toReversed() }, place);
    expect(placed.map((each) => read(each)['i'])).toEqual(Array.from({ length: 100 }, (_, i) => 99 - i));
  });

  it('refuses a document whose size is wrong', () => {
    const { bytes, starts } = batchOf(documentsOf([10, 10]));
    bytes[starts[1] as number] = 4;
    expect(() => ownAll({ bytes, starts }, place)).toThrow('wrong size');
  });
});
