import fc from 'fast-check';

/** A whole character of Unicode. The unit 'binary' of fast-check is the same, but makes a table of all of them first, which takes a second. */
const character = fc
  .integer({ min: 0, max: 0x10_ffff - 0x800 })
  .map((n) => String.fromCodePoint(n < 0xd800 ? n : n + 0x800));

/** Any well-formed text. */
export function anyUnicode(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: character, maxLength });
}
