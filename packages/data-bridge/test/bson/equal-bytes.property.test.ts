import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDocument, decodeElement, decodeExact } from '../../src/bson/decode.ts';
import { elementEqualsValue } from '../../src/bson/equal-bytes.ts';
import { equalValues } from '../../src/bson/equal-values.ts';
import { Layout } from '../../src/bson/layout.ts';
import type { Field } from '../../src/bson/level.ts';
import { fieldsOf, locate } from '../../src/bson/locate.ts';
import {
  anyDocument,
  anyElements,
  anyOptions,
  anyValue,
  documentBytes,
  runs,
  type StoredElement,
  stringBytes,
} from '../support/arbitrary.ts';
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
          expect(elementEqualsValue(layout, bytes, start, at, value)).toBe(true);
          const member: unknown = Object.getOwnPropertyDescriptor(whole, field.name)?.value;
          expect(elementEqualsValue(layout, bytes, start, at, member)).toBe(true);
        }
      }),
      runs(2000),
    );
  });

  it('also inside a value of many bytes, and with a layout that has learned them', () => {
    const layout = new Layout();
    fc.assert(
      fc.property(anyElements, (elements) => {
        const padding: StoredElement = [
          'padding',
          { type: 0x05, bytes: Buffer.alloc(1005).fill(0xe8, 0, 1).fill(0x03, 1, 2) },
        ];
        const inner = { type: 0x03, bytes: documentBytes([padding, ...elements]) };
        const bytes = documentBytes([['inner', inner]]);
        const at = locate(layout, bytes, 0, layout.field('inner'));
        expect(
          elementEqualsValue(layout, bytes, 0, at, decodeElement(layout, bytes, 0, layout.field('inner'), at)),
        ).toBe(true);
        expect(elementEqualsValue(layout, bytes, 0, at, decodeExact(bytes, 0, layout.field('inner'), at))).toBe(true);
        expect(elementEqualsValue(layout, bytes, 0, at, {})).toBe(false);
      }),
      runs(500),
    );
  });

  it('for the same value as BSON classes', () => {
    fc.assert(
      fc.property(anyDocument, anyOptions, (bytes, options) => {
        const layout = new Layout(options);
        for (const { field, at } of elements(layout, bytes, 0)) {
          const exact = decodeExact(bytes, 0, field, at);
          expect(elementEqualsValue(layout, bytes, 0, at, exact)).toBe(true);
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
        // Of few bytes and of many: they are compared in two ways.
        const pad = { type: 0x02, bytes: stringBytes('x'.repeat(seed % 2 === 0 ? 1 : 600)) };
        const wrapped = {
          type: 0x04,
          bytes: documentBytes([
            ['0', value],
            ['1', pad],
          ]),
        };
        const bytes = documentBytes([
          ['value', wrapped],
          ['other', other],
        ]);
        const decoded = decodeDocument<{ value: unknown[]; other: unknown }>(layout, bytes, 0);
        const at = locate(layout, bytes, 0, layout.field('value'));
        const exact = (decodeExact(bytes, 0, layout.field('value'), at) as unknown[])[0];
        const anySubtype = options.promoteBuffers && options.promoteValues;
        const choose = chooser(seed);
        let live = decoded.value[0];
        const text = decoded.value[1];
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
          expect(elementEqualsValue(layout, bytes, 0, at, [live, text])).toBe(naiveEqual([live], [exact], anySubtype));
          expect(equalValues(live, exact)).toBe(naiveEqual(live, exact, false));
          expect(equalValues(exact, live)).toBe(naiveEqual(live, exact, false));
        }
      }),
      runs(3000),
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
        const exact = decodeExact(bytes, 0, layout.field('value'), at);
        const anySubtype = options.promoteBuffers && options.promoteValues;
        expect(elementEqualsValue(layout, bytes, 0, at, live)).toBe(naiveEqual(live, exact, anySubtype));
      }),
      runs(2000),
    );
  });
});
