import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { decodeDocument, decodeElement, decodeExact, decodeTransient, documentSize } from '../../src/bson/decode.ts';
import { Layout } from '../../src/bson/layout.ts';
import { fieldsOf, locate } from '../../src/bson/locate.ts';
import { anyOptions, commonElements, documentBytes, runs } from '../support/arbitrary.ts';
import { portrait } from '../support/portrait.ts';

/** Documents with something else around them, as in an arena. */
const inArena = fc.record({
  bytes: commonElements.map(documentBytes),
  before: fc.uint8Array({ maxLength: 20 }),
  after: fc.uint8Array({ maxLength: 20 }),
});

function arena({ bytes, before, after }: { bytes: Buffer; before: Uint8Array; after: Uint8Array }): [Buffer, number] {
  return [Buffer.concat([before, bytes, after]), before.length];
}

/** What the bson package gives; at the top level, too, a document rather than a DBRef. */
function oracle(bytes: Buffer, options: BSON.DeserializeOptions): Record<string, unknown> {
  // Its own key comes first, so that the package finds no reference in what lies at the top level.
  const marked = Buffer.concat([bytes.subarray(0, 4), Buffer.from('\x0a$none\0', 'latin1'), bytes.subarray(4)]);
  marked.writeInt32LE(marked.length);
  const document = BSON.deserialize(marked, options) as Record<string, unknown>;
  delete document['$none'];
  return document;
}

describe('decoding any document gives what the bson package gives', () => {
  it('as a whole, whatever the layout has learned before', () => {
    const layout = new Layout();
    fc.assert(
      fc.property(inArena, (given) => {
        const [bytes, start] = arena(given);
        const expected = portrait(oracle(given.bytes, {}));
        expect(portrait(decodeDocument(layout, bytes, start))).toBe(expected);
        expect(portrait(decodeTransient(layout, bytes, start))).toBe(expected);
      }),
      runs(1000),
    );
  });

  it('under every combination of options', () => {
    fc.assert(
      fc.property(inArena, anyOptions, (given, options) => {
        const [bytes, start] = arena(given);
        const layout = new Layout(options);
        const expected = portrait(oracle(given.bytes, options));
        expect(portrait(decodeDocument(layout, bytes, start))).toBe(expected);
        expect(portrait(decodeTransient(layout, bytes, start))).toBe(expected);
      }),
      runs(1000),
    );
  });

  it('from a Uint8Array that is no Buffer', () => {
    fc.assert(
      fc.property(inArena, (given) => {
        const [bytes, start] = arena(given);
        const layout = new Layout();
        expect(portrait(decodeDocument(layout, new Uint8Array(bytes), start))).toBe(portrait(oracle(given.bytes, {})));
      }),
      runs(200),
    );
  });

  it('field by field', () => {
    const kept = new Map<string, Layout>();
    fc.assert(
      fc.property(inArena, anyOptions, (given, options) => {
        const [bytes, start] = arena(given);
        const key = JSON.stringify(options);
        const layout = kept.get(key) ?? new Layout(options);
        kept.set(key, layout);
        const expected = oracle(given.bytes, options);
        const fields = fieldsOf(layout, bytes, start);
        expect(fields.map((field) => field.name).toSorted()).toEqual(Object.keys(expected).toSorted());
        for (const field of fields) {
          const at = locate(layout, bytes, start, field);
          expect(portrait(decodeElement(layout, bytes, start, field, at))).toBe(portrait(expected[field.name]));
        }
        expect(documentSize(bytes, start)).toBe(given.bytes.length);
      }),
      runs(1000),
    );
  });

  it('exactly typed', () => {
    const layout = new Layout();
    fc.assert(
      fc.property(inArena, (given) => {
        const [bytes, start] = arena(given);
        const expected = oracle(given.bytes, { promoteValues: false, bsonRegExp: true });
        for (const field of fieldsOf(layout, bytes, start)) {
          const exact = decodeExact(bytes, start, field, locate(layout, bytes, start, field));
          expect(portrait(exact)).toBe(portrait(expected[field.name]));
        }
      }),
      runs(500),
    );
  });
});

describe('what is decoded', () => {
  it('never changes with the bytes that it came from', () => {
    fc.assert(
      fc.property(inArena, anyOptions, (given, options) => {
        const [bytes, start] = arena(given);
        const value = decodeDocument(new Layout(options), bytes, start);
        const before = portrait(value);
        bytes.fill(0x55);
        expect(portrait(value)).toBe(before);
      }),
      runs(300),
    );
  });
});
