import fc from 'fast-check';
import { anyUnicode } from '../../../../scripts/any-unicode.ts';
import { caseCount } from '../../../../scripts/case-count.ts';

/*
 * Random BSON documents, written here by hand rather than by the bson package: that one cannot write every type, nor one
 * name twice. The format: https://bsonspec.org/spec.html
 */

/** How often to run a property that needs so many cases: `caseCount`. */
export function runs(deep: number): { numRuns: number } {
  return { numRuns: caseCount(deep) };
}

/** A stored value: its type byte and the bytes after the name. */
export interface StoredValue {
  readonly type: number;
  readonly bytes: Buffer;
}

export type StoredElement = readonly [name: string, value: StoredValue];

function int32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** A stored string without its type and name. */
export function stringBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int32Bytes(bytes.length + 1), bytes, Buffer.of(0)]);
}

function nameBytes(text: string): Buffer {
  return Buffer.concat([Buffer.from(text), Buffer.of(0)]);
}

/** The bytes of a document with these elements in this order. */
export function documentBytes(elements: readonly StoredElement[]): Buffer {
  const parts = elements.flatMap(([name, { type, bytes }]) => [Buffer.of(type), nameBytes(name), bytes]);
  const size = parts.reduce((sum, part) => sum + part.length, 5);
  return Buffer.concat([int32Bytes(size), ...parts, Buffer.of(0)]);
}

/** Text that UTF-8 can say: no lone surrogates. */
const anyText = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'exactly 12 ch',
    'exactly 13 chr',
    'naïve café',
    '東京都',
    '😀',
    '\ufffd',
    '\ufeffmark',
    '\0',
  ),
  anyUnicode(40),
  fc.string({ maxLength: 40 }),
);

/** Names that break decoders which build objects by assignment, look members up by inheritance, or trust them. */
const hostileNames = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'length',
  'toBSON',
  '_bsontype',
  'then',
  '',
  'a.b',
  '$x',
  '$ref',
  '$id',
  '$db',
  '0',
  '1',
  '01',
  '-1',
  'é',
  '😀',
  'a name of more than the twelve characters',
];

export const anyName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'name', 'city') },
  { weight: 2, arbitrary: fc.constantFrom(...hostileNames) },
  { weight: 1, arbitrary: anyUnicode(12).map((name) => name.replaceAll('\0', '')) },
);

const anyInt = fc.oneof(fc.constantFrom(0, 1, 2, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer());
const anyLong = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    2n,
    -1n,
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n),
    -(2n ** 53n) - 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const anyDouble = fc.oneof(
  fc.constantFrom(0, -0, 1, 2, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 63, -(2 ** 63)),
  fc.double(),
);
const anyDate = fc.oneof(
  fc.constantFrom(0n, -1n, 8_640_000_000_000_000n, 8_640_000_000_000_001n, -8_640_000_000_000_001n, 2n ** 63n - 1n),
  fc.bigInt({ min: -(2n ** 45n), max: 2n ** 45n }),
);

function longBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

function doubleBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function binaryBytes(subtype: number, data: Uint8Array): Buffer {
  // Subtype 2 has its length a second time.
  const content = subtype === 2 ? Buffer.concat([int32Bytes(data.length), data]) : data;
  return Buffer.concat([int32Bytes(content.length), Buffer.of(subtype), content]);
}

function some(size: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes));
}

const anyBinary = fc.oneof(
  fc.tuple(fc.constantFrom(0, 2, 3, 4, 5, 128), fc.uint8Array({ maxLength: 20 })),
  fc.tuple(fc.constant(4), some(16)),
  fc.tuple(fc.constant(0), fc.uint8Array({ minLength: 100, maxLength: 200 })),
);

const anyPattern = fc.constantFrom(
  '',
  'a',
  '^a.*b$',
  '/',
  '\n',
  'a|b',
  '[/]',
  'é',
  '\\d+',
  'a pattern of more than twelve',
);
/** What JavaScript has too. */
const commonExpression = fc.tuple(anyPattern, fc.constantFrom('', 'i', 'm', 's', 'im', 'is', 'ims'));
/** Any. */
const oddExpression = fc.tuple(
  fc.oneof(anyPattern, fc.constantFrom('(', '(?i)a', '[')),
  fc.constantFrom('', 'x', 'ix', 'lmsu', 'u', 'g', 'ii', 'si', 'q', 'é'),
);

function simpleValue(odd: boolean): fc.Arbitrary<StoredValue> {
  const of = (type: number, bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<StoredValue> =>
    bytes.map((value) => ({ type, bytes: value }));
  const expressions = odd ? fc.oneof(commonExpression, oddExpression) : commonExpression;
  return fc.oneof(
    of(0x01, anyDouble.map(doubleBytes)),
    of(0x02, anyText.map(stringBytes)),
    of(0x02, anyText.map(stringBytes)),
    of(
      0x05,
      anyBinary.map(([subtype, data]) => binaryBytes(subtype, data)),
    ),
    of(0x06, fc.constant(Buffer.alloc(0))),
    of(0x07, fc.oneof(fc.constant(Buffer.alloc(12)), some(12))),
    of(0x08, fc.constantFrom(Buffer.of(0), Buffer.of(1))),
    of(0x09, anyDate.map(longBytes)),
    of(0x0a, fc.constant(Buffer.alloc(0))),
    of(
      0x0b,
      expressions.map(([pattern, options]) => Buffer.concat([nameBytes(pattern), nameBytes(options)])),
    ),
    of(
      0x0c,
      fc
        .tuple(fc.constantFrom('c', 'd.c', 'a.b.c', ''), some(12))
        .map(([name, id]) => Buffer.concat([stringBytes(name), id])),
    ),
    of(0x0d, anyText.map(stringBytes)),
    of(0x0e, anyText.map(stringBytes)),
    of(0x10, anyInt.map(int32Bytes)),
    of(0x11, some(8)),
    of(0x12, anyLong.map(longBytes)),
    of(0x13, fc.oneof(fc.constant(Buffer.alloc(16)), some(16))),
    of(0x7f, fc.constant(Buffer.alloc(0))),
    of(0xff, fc.constant(Buffer.alloc(0))),
  );
}

/** `{$ref, $id}` and what is nearly that. */
function references(value: fc.Arbitrary<StoredValue>): fc.Arbitrary<StoredValue> {
  const text = fc.constantFrom('c', 'd.c', 'a.b.c').map((name) => ({ type: 0x02, bytes: stringBytes(name) }));
  const optional = fc.array(
    fc.oneof(
      fc.tuple(fc.constant('$db'), fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: value })),
      fc.tuple(fc.constantFrom('a', '__proto__', '$x', '$db'), value),
    ),
    { maxLength: 2 },
  );
  return fc
    .tuple(fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: value }), value, optional)
    .map(([name, id, rest]) => ({
      type: 0x03,
      bytes: documentBytes([['$ref', name], ['$id', id], ...rest]),
    }));
}

function values(odd: boolean): fc.Arbitrary<StoredValue> {
  const { value } = fc.letrec<{ value: StoredValue; document: Buffer }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 6, arbitrary: simpleValue(odd) },
      { weight: 2, arbitrary: tie('document').map((bytes) => ({ type: 0x03, bytes })) },
      { weight: 1, arbitrary: references(tie('value')) },
      {
        weight: 2,
        arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((elements) => ({
          type: 0x04,
          bytes: documentBytes(elements.map((element, i) => [String(i), element])),
        })),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(anyText, tie('document')).map(([text, scope]) => {
          const code = stringBytes(text);
          return { type: 0x0f, bytes: Buffer.concat([int32Bytes(4 + code.length + scope.length), code, scope]) };
        }),
      },
    ),
    document: fc.array(fc.tuple(anyName, tie('value')), { maxLength: 5 }).map(documentBytes),
  }));
  return value;
}

/** Any stored value whose regular expressions the bson package can give as RegExp. */
const commonValue = values(false);
/** Any stored value. */
export const anyValue = values(true);

/** The elements of any document that the bson package decodes; names may come twice. */
export const commonElements: fc.Arbitrary<StoredElement[]> = fc.array(fc.tuple(anyName, commonValue), { maxLength: 8 });
/** The elements of any document. */
export const anyElements: fc.Arbitrary<StoredElement[]> = fc.array(fc.tuple(anyName, anyValue), { maxLength: 8 });
/** The bytes of any document. */
export const anyDocument: fc.Arbitrary<Buffer> = anyElements.map(documentBytes);

/** The driver's BSON options in every combination that it accepts. */
export const anyOptions = fc
  .record({
    promoteLongs: fc.boolean(),
    promoteValues: fc.boolean(),
    promoteBuffers: fc.boolean(),
    useBigInt64: fc.boolean(),
    bsonRegExp: fc.boolean(),
  })
  .map((options) => (options.useBigInt64 ? { ...options, promoteLongs: true, promoteValues: true } : options));
