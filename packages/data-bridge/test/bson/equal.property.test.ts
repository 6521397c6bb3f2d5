import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDocument, decodeElement, decodeExact } from '../../src/bson/decode.ts';
import { equalElement, equalValues } from '../../src/bson/equal.ts';
import { type Field, fieldsOf, Layout, locate } from '../../src/bson/layout.ts';
import { anyDocument, anyOptions, anyValue, documentBytes, runs } from '../support/arbitrary.ts';
import { chooser, edited } from '../support/edits.ts';
import { naiveEqual } from '../support/naive-equal.ts';

const around = fc.record({ before: fc.uint8Array({ maxLength: 9 }), after: fc.uint8Array({ maxLength: 9 }) });

function elements(layout: Layout, bytes: Buffer, start: number): { field: Field; at: number }[] {
  return fieldsOf(layout, bytes, start).map((field) => ({ field, at: locate(layout, bytes, start, field) }));
}

describe('Law 0: what was decoded equals its own bytes', () => {
  it('for any document under any options', () => {
    fc.assert(
      fc.property(anyDocument, around, anyOptions, (document, { before, after }, options) => {
        const bytes = Buffer.concat([before, document, after]);
        const start = before.length;
        const layout = new Layout(options);
        const whole = decodeDocument<object>(layout, bytes, start);
        for (const { field, at } of elements(layout, bytes, start)) {
          const value = decodeElement(layout, bytes, start, field, at);
          expect(equalElement(layout, bytes, start, at, value)).toBe(true);
          const member: unknown = Object.getOwnPropertyDescriptor(whole, field.name)?.value;
          expect(equalElement(layout, bytes, start, at, member)).toBe(true);
        }
      }),
      runs(2000),
    );
  });

  it('for the same value as BSON classes', () => {
    fc.assert(
      fc.property(anyDocument, anyOptions, (bytes, options) => {
        const layout = new Layout(options);
        for (const { field, at } of elements(layout, bytes, 0)) {
          const exact = decodeExact(bytes, 0, at);
          expect(equalElement(layout, bytes, 0, at, exact)).toBe(true);
          const live = decodeElement(new Layout(), bytes, 0, field, at);
          expect(equalValues(live, exact)).toBe(true);
          expect(equalValues(exact, live)).toBe(true);
        }
      }),
      runs(1000),
    );
  });
});

describe('equality agrees with the same rules applied to decoded values', () => {
  it('for values that were edited', () => {
    fc.assert(
      fc.property(anyValue, anyValue, anyOptions, fc.nat(), (value, other, options, seed) => {
        const layout = new Layout(options);
        const bytes = documentBytes([
          ['value', value],
          ['other', other],
        ]);
        const decoded = decodeDocument<{ value: unknown; other: unknown }>(layout, bytes, 0);
        const at = locate(layout, bytes, 0, layout.field('value'));
        const exact = decodeExact(bytes, 0, at);
        const anySubtype = options.promoteBuffers && options.promoteValues;
        const choose = chooser(seed);
        let live = decoded.value;
        for (let edits = 0; edits < 3; edits++) {
          live = edited(live, choose, [
            decoded.other,
            decoded.value,
            0,
            '',
            null,
            undefined,
            {},
            [],
            new Set(),
            parseInt,
          ]);
          expect(equalElement(layout, bytes, 0, at, live)).toBe(naiveEqual(live, exact, anySubtype));
          expect(equalValues(live, exact)).toBe(naiveEqual(live, exact, false));
          expect(equalValues(exact, live)).toBe(naiveEqual(live, exact, false));
        }
      }),
      runs(6000),
    );
  });

  it('for values that have nothing to do with each other', () => {
    fc.assert(
      fc.property(anyValue, anyValue, anyOptions, (value, other, options) => {
        const layout = new Layout(options);
        const bytes = documentBytes([
          ['value', value],
          ['other', other],
        ]);
        const at = locate(layout, bytes, 0, layout.field('value'));
        const { other: live } = decodeDocument<{ other: unknown }>(layout, bytes, 0);
        const exact = decodeExact(bytes, 0, at);
        const anySubtype = options.promoteBuffers && options.promoteValues;
        expect(equalElement(layout, bytes, 0, at, live)).toBe(naiveEqual(live, exact, anySubtype));
      }),
      runs(2000),
    );
  });
});
