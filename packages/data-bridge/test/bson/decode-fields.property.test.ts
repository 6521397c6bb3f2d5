import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { decodeDocument, decodeElement, decodeFields } from '../../src/bson/decode.ts';
import { Layout } from '../../src/bson/layout.ts';
import { fieldsOf, locate } from '../../src/bson/locate.ts';
import { BsonBaseline } from '../../src/state/bson-baseline.ts';
import { StateTracker } from '../../src/state/tracker.ts';
import { anyDocument, anyName, anyOptions, runs } from '../support/arbitrary.ts';
import { portrait } from '../support/portrait.ts';

const placed = fc.record({ document: anyDocument, before: fc.uint8Array({ maxLength: 20 }) });

/** Field by field, as it was before all were decoded at once. */
function oneByOne(layout: Layout, bytes: Uint8Array, start: number): [number, unknown][] {
  return fieldsOf(layout, bytes, start)
    .filter(({ index }) => index >= 0)
    .map((field) => {
      const value = decodeElement(layout, bytes, start, field, locate(layout, bytes, start, field));
      return [field.index, field.read === null || value === undefined ? value : field.read(value)];
    });
}

function allAtOnce(layout: Layout, bytes: Uint8Array, start: number): [number, unknown][] {
  return decodeFields(layout, bytes, start).flatMap((value, i): [number, unknown][] =>
    value === undefined ? [] : [[i, value]],
  );
}

const inOrder = (values: [number, unknown][]): string =>
  portrait(values.filter(([, value]) => value !== undefined).toSorted(([a], [b]) => a - b));

describe('decodeFields()', () => {
  it('gives what its fields give one by one, of every type and under every option', () => {
    fc.assert(
      fc.property(fc.array(placed, { minLength: 1, maxLength: 4 }), anyOptions, (documents, options) => {
        const layout = new Layout(options);
        for (const { document, before } of documents) {
          const bytes = Buffer.concat([before, document, before]);
          const { length: start } = before;
          expect(inOrder(allAtOnce(layout, bytes, start))).toBe(inOrder(oneByOne(layout, bytes, start)));
        }
      }),
      runs(1000),
    );
  });

  it('gives what the readers of fields make of them', () => {
    fc.assert(
      fc.property(anyDocument, fc.array(anyName, { maxLength: 4 }), (bytes, names) => {
        const readers = new Map(names.map((name) => [name, (value: unknown) => [value]] as const));
        const layout = new Layout({}, [], readers);
        expect(inOrder(allAtOnce(layout, bytes, 0))).toBe(inOrder(oneByOne(layout, bytes, 0)));
      }),
      runs(300),
    );
  });

  it('passes over names that the layout did not take', () => {
    const layout = new Layout(
      {},
      Array.from({ length: Layout.maxNames }, (_, i) => `name${i}`),
    );
    const values = decodeFields(layout, BSON.serialize({ other: { a: 1 }, name3: 'three', another: 1, name0: 0 }), 0);
    expect(values.map((value, i) => [i, value]).filter(([, value]) => value !== undefined)).toEqual([
      [0, 0],
      [3, 'three'],
    ]);
  });
});

describe('a document that is decoded whole', () => {
  /** A layout whose documents were read whole, so that the next one is decoded whole. */
  function accustomed(layout: Layout): Layout {
    const sample = new BsonBaseline(layout, BSON.serialize({ a: 1, b: 1, c: 1, d: 1 }), 0);
    for (const name of ['a', 'b', 'c', 'd']) sample.get(name);
    return layout;
  }

  it('is unmodified after it was read, and shows what a plain decoding shows', () => {
    fc.assert(
      fc.property(anyDocument, anyOptions, (bytes, options) => {
        const layout = accustomed(new Layout(options));
        const tracker = StateTracker.fromBson(bytes, { layout });
        const [first = 'none'] = tracker.keys();
        tracker.get(first);
        expect([tracker.isModified(), tracker.changedFields(), tracker.toUpdate()]).toEqual([false, [], null]);
        const plain: object = decodeDocument(layout, bytes, 0);
        expect(portrait(tracker.toObject())).toBe(portrait(plain));
        for (const [name, value] of Object.entries(plain)) expect(portrait(tracker.get(name))).toBe(portrait(value));
      }),
      runs(500),
    );
  });

  it('knows what was changed in it', () => {
    const layout = accustomed(new Layout());
    const tracker = StateTracker.fromBson(BSON.serialize({ a: 1, list: [1], b: { c: 1 } }), { layout });
    tracker.get('a');
    (tracker.get('list') as number[]).push(2);
    tracker.set('a', 2);
    expect(tracker.changedFields()).toEqual(['a', 'list']);
    expect(tracker.getOriginal('list')).toEqual([1]);
  });
});
