import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { decodeDocument } from '../../src/bson/decode.ts';
import { Layout } from '../../src/bson/layout.ts';
import { type Repeats, SharedTexts } from '../../src/bson/shared-texts.ts';
import { runs } from '../support/arbitrary.ts';

/** The text of the only field of a document. */
function lookUp(texts: SharedTexts, text: string, field: Repeats): string | null {
  const bytes = BSON.serialize({ a: text });
  return texts.at(bytes, 0, 11, bytes.length - 2, field);
}

describe('SharedTexts', () => {
  it('gives the text that stands there, or leaves it to the caller', () => {
    const texts = new SharedTexts();
    // Of few letters, so that many texts have their ends in common.
    const some = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\0'), maxLength: 24 }), fc.string());
    const all = fc.array(
      some.filter((text) => text.isWellFormed()),
      { maxLength: 50 },
    );
    fc.assert(
      fc.property(all, (given) => {
        const field = { repeats: 16 };
        for (const text of given) expect([text, null]).toContain(lookUp(texts, text, field));
      }),
      runs(500),
    );
  });

  it('leaves a field alone whose texts do not come back, and tries it again later', () => {
    const [texts, field] = [new SharedTexts(), { repeats: 16 }];
    let looked = 0;
    for (let i = 0; i < 10_000; i++) if (lookUp(texts, `text ${i}`, field) !== null) looked += 1;
    expect(looked).toBeLessThan(500);
    for (let i = 0; i < 1000; i++) lookUp(texts, 'same', field);
    expect(lookUp(texts, 'same', field)).toBe('same');
  });

  it('leaves empty and long texts alone', () => {
    const [texts, field] = [new SharedTexts(), { repeats: 16 }];
    expect([lookUp(texts, '', field), lookUp(texts, 'x'.repeat(21), field)]).toEqual([null, null]);
  });
});

describe('documents with texts that come back', () => {
  it('are decoded as they are stored, in whatever order the texts come', () => {
    const layout = new Layout();
    const role = fc.constantFrom(
      'admin',
      'guest',
      'ad',
      'a',
      'Žofie',
      'Владимир',
      'administrator of all',
      'x'.repeat(30),
    );
    fc.assert(
      fc.property(fc.record({ role, roles: fc.array(role), by: fc.dictionary(role, role) }), (document) => {
        expect(decodeDocument(layout, BSON.serialize(document), 0)).toEqual(document);
      }),
      runs(500),
    );
  });
});
