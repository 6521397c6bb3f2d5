import * as bson from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { decode, encode } from '../../src/engine/bson.ts';
import { Writer } from '../../src/engine/bson-writer.ts';
import { ServerError } from '../../src/errors.ts';
import { document } from './arbitraries.ts';
import { text } from './support.ts';

describe('the codec', () => {
  it('gives back the very bytes of any document', () => {
    fc.assert(
      fc.property(document, (original) => {
        const bytes = encode(original);
        const decoded = decode(bytes);
        expect(encode(decoded)).toEqual(bytes);
        expect(text(decoded)).toBe(text(original));
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('writes the same bytes however often its buffer is too small', () => {
    fc.assert(
      fc.property(document, fc.integer({ min: 1, max: 64 }), (original, size) => {
        const writer = new Writer(Buffer.alloc(size, 0xff));
        writer.document(original, 1);
        expect(writer.bytes.subarray(0, writer.position)).toEqual(encode(original));
      }),
      { numRuns: caseCount(900) },
    );
  });

  it('reads and writes what the bson package writes', () => {
    const plain = fc.dictionary(fc.string(), fc.anything({ maxDepth: 3, withBigInt: false, withNullPrototype: false }));
    fc.assert(
      fc.property(plain, (input) => {
        let bytes: Buffer;
        try {
          bytes = Buffer.from(bson.serialize(input));
        } catch {
          return; // not every object is BSON
        }
        if (!bytes.toString('latin1').includes('\u00ef\u00bf\u00bd')) expect(encode(decode(bytes))).toEqual(bytes);
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('answers damaged bytes with a document or an error of its own, never with another error', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(document, damage, fc.nat(), (original, changes, cut) => {
        const bytes = encode(original);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          expect(decode(bytes.subarray(0, bytes.length - (cut % 3)))).toBeInstanceOf(Map);
        } catch (error) {
          expect(error).toBeInstanceOf(ServerError);
        }
      }),
      { numRuns: caseCount(3000) },
    );
  });
});
