import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDocument, decodeElement, decodeExact, decodeTransient, documentSize } from '../../src/bson/decode.ts';
import { elementEqualsValue } from '../../src/bson/equal-bytes.ts';
import { CorruptBsonError } from '../../src/errors.ts';
import { Layout } from '../../src/bson/layout.ts';
import type { Field } from '../../src/bson/level.ts';
import { fieldsOf, locate } from '../../src/bson/locate.ts';
import { anyDocument, runs } from '../support/arbitrary.ts';
import { type Choose, chooser } from '../support/edits.ts';
import { portrait } from '../support/portrait.ts';

/** Shows what was read. */
type Show = (value: unknown) => string;
const ignored: Show = () => 'a value';

/** What became of a reading: a value, or the place of the damage. */
function outcome(read: () => unknown, show: Show): string {
  try {
    return show(read());
  } catch (error) {
    if (!(error instanceof CorruptBsonError)) throw error;
    return `${error.message} (${error.offset})`;
  }
}

/** Everything that reads a document, on one. `original` is what it was before the damage. */
function outcomes(bytes: Buffer, start: number, original: object, show: Show): string[] {
  const layout = new Layout();
  const read = [
    outcome(() => documentSize(bytes, start), show),
    outcome(() => decodeDocument(layout, bytes, start), show),
    outcome(() => decodeTransient(layout, bytes, start), show),
  ];
  let fields: Field[] = [];
  read.push(outcome(() => void (fields = fieldsOf(layout, bytes, start)), show));
  for (const field of fields) {
    const at = locate(layout, bytes, start, field);
    const live: unknown = Object.getOwnPropertyDescriptor(original, field.name)?.value;
    read.push(
      outcome(() => decodeElement(layout, bytes, start, field, at), show),
      outcome(() => decodeExact(bytes, start, field, at), show),
      outcome(() => elementEqualsValue(layout, bytes, start, at, live), show),
    );
  }
  return read;
}

/** Damages bytes in place, but not the document's own size. */
function damage(bytes: Buffer, choose: Choose): void {
  const place = 4 + choose(bytes.length - 4);
  const lengths = [0, 1, 4, 5, -1, bytes.length, bytes.length - place, 2 ** 31 - 1, -(2 ** 31), choose(64)];
  const ways = [
    () => void (bytes[place] = (bytes[place] as number) ^ (1 << choose(8))),
    () => void (bytes[place] = choose(256)),
    () => void (bytes[place] = 0),
    () => void (place + 4 <= bytes.length && bytes.writeInt32LE(lengths[choose(lengths.length)] as number, place)),
    () => void bytes.copy(bytes, place, 4 + choose(bytes.length - 4)),
  ];
  ways[choose(ways.length)]?.();
}

describe('damaged bytes', () => {
  it('give a value or a CorruptBsonError', () => {
    fc.assert(
      fc.property(anyDocument, fc.nat(), (document, seed) => {
        const original = decodeDocument<object>(new Layout(), document, 0);
        const choose = chooser(seed);
        for (let i = 0; i < 20; i++) {
          const damaged = Buffer.from(document);
          for (let times = choose(3); times >= 0; times--) damage(damaged, choose);
          expect(outcomes(damaged, 0, original, ignored).length).toBeGreaterThan(3);
        }
      }),
      runs(1000),
    );
  });

  it('give the same whatever lies around the document', () => {
    fc.assert(
      fc.property(anyDocument, fc.nat(), (document, seed) => {
        const original = decodeDocument<object>(new Layout(), document, 0);
        const choose = chooser(seed);
        for (let i = 0; i < 4; i++) {
          const damaged = Buffer.from(document);
          for (let times = choose(3); times >= 0; times--) damage(damaged, choose);
          const start = choose(5);
          const ones = Buffer.alloc(start + damaged.length + 40, 0xff);
          const zeros = Buffer.alloc(start + damaged.length + 40, 0x00);
          damaged.copy(ones, start);
          damaged.copy(zeros, start);
          const alone = outcomes(damaged, 0, original, portrait);
          expect(outcomes(ones, start, original, portrait)).toEqual(alone);
          expect(outcomes(zeros, start, original, portrait)).toEqual(alone);
        }
      }),
      runs(300),
    );
  });

  it('of a wrong size, or cut, do too', () => {
    fc.assert(
      fc.property(anyDocument, fc.nat(), (document, seed) => {
        const choose = chooser(seed);
        const original = decodeDocument<object>(new Layout(), document, 0);
        for (let i = 0; i < 10; i++) {
          const cut = Buffer.from(document.subarray(0, choose(document.length + 1)));
          if (choose(2) === 0 && cut.length >= 4) cut.writeInt32LE(choose(2 * cut.length + 1), 0);
          expect(outcomes(cut, 0, original, ignored).length).toBeGreaterThan(3);
        }
      }),
      runs(500),
    );
  });

  it('and bytes of no kind do too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const bytes = Buffer.concat([Buffer.of(noise.length + 5, 0, 0, 0), noise, Buffer.of(0)]);
        expect(outcomes(bytes, 0, {}, ignored).length).toBeGreaterThan(3);
      }),
      runs(2000),
    );
  });
});
