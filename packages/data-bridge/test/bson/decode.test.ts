import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { decodeDocument, decodeElement, decodeExact, decodeTransient, documentSize } from '../../src/bson/decode.ts';
import { type BsonOptions, Layout } from '../../src/bson/layout.ts';
import { locate } from '../../src/bson/locate.ts';
import { CorruptBsonError } from '../../src/errors.ts';
import { documentBytes, type StoredElement, stringBytes } from '../support/arbitrary.ts';

function decoded(value: unknown, options: BsonOptions = {}): unknown {
  return decodeDocument<{ v: unknown }>(
    new Layout(options),
    BSON.serialize({ v: value }, { ignoreUndefined: false }),
    0,
  ).v;
}

function stored(type: number, ...bytes: (number | Buffer)[]): Buffer {
  const parts = bytes.map((part) => (typeof part === 'number' ? Buffer.of(part) : part));
  return documentBytes([['v', { type, bytes: Buffer.concat(parts) }]]);
}

function decodedFrom(bytes: Buffer, options: BsonOptions = {}): unknown {
  return decodeDocument<{ v: unknown }>(new Layout(options), bytes, 0).v;
}

/** Documents or arrays inside each other: each puts a size, a type and a name before the next, and a zero after it. */
function nested(levels: number, type: 0x03 | 0x04): Buffer {
  const bytes = Buffer.alloc(8 * levels - 3);
  for (let level = 0; level < levels; level++) {
    bytes.writeInt32LE(bytes.length - 8 * level, 7 * level);
    if (level < levels - 1) bytes.set([type, 0x30, 0], 7 * level + 4);
  }
  return bytes;
}

describe('each type', () => {
  const id = new ObjectId('0123456789abcdef01234567');
  const same: Record<string, unknown> = {
    'an int32': -5,
    'a double': 1.5,
    'minus zero': -0,
    'not a number': Number.NaN,
    'a string': 'text',
    'an empty string': '',
    'a string beyond ASCII': 'naïve 東京都 😀 \0 \ufffd \ufeff',
    'a long string': 'long '.repeat(1000),
    'a boolean': true,
    null: null,
    'a date': new Date(1_600_000_000_123),
    'a date before 1970': new Date(-1),
    'an ObjectId': id,
    'a document': { a: { b: { c: 1 } } },
    'an array': [1, [2, [3]], { a: [] }],
    'an int64 beyond 2^53': Long.MAX_VALUE,
    'a Decimal128': Decimal128.fromString('1.50'),
    'a binary value': new Binary(Buffer.from('bytes'), 5),
    'a binary value of the old subtype': new Binary(Buffer.from('bytes'), 2),
    'a UUID': new UUID('0123456789abcdef0123456789abcdef'),
    'a regular expression': /^a\/b$/gim,
    code: new Code('f()'),
    'code with a scope': new Code('f()', { a: { $ref: 'no' } }),
    'a timestamp': new Timestamp({ t: 4_294_967_295, i: 7 }),
    'a min key': new MinKey(),
    'a max key': new MaxKey(),
    'a DBRef': new DBRef('c', id, 'db', { extra: 1 }),
  };
  it.each(Object.entries(same))('%s', (_, value) => {
    expect(decoded(value)).toStrictEqual(value);
  });

  it('a symbol as a string', () => {
    expect(decoded(new BSONSymbol('s'))).toBe('s');
    expect(decoded(new BSONSymbol('s'), { promoteValues: false })).toStrictEqual(new BSONSymbol('s'));
  });

  it('undefined as an own property', () => {
    const document = decodeDocument<object>(new Layout(), stored(0x06), 0);
    expect(Object.entries(document)).toEqual([['v', undefined]]);
  });

  it('a DBPointer as a DBRef', () => {
    const bytes = stored(0x0c, stringBytes('db.c'), Buffer.from(id.id));
    expect(decodedFrom(bytes)).toStrictEqual(new DBRef('c', id, 'db'));
  });

  it('an int64 as a number within 2^53, as a bigint or as a Long by the options', () => {
    const limit = 2n ** 53n;
    expect([decoded(limit), decoded(-limit)]).toEqual([2 ** 53, -(2 ** 53)]);
    expect([decoded(limit + 1n), decoded(-limit - 1n)]).toEqual([
      Long.fromBigInt(limit + 1n),
      Long.fromBigInt(-limit - 1n),
    ]);
    expect(decoded(-limit - 1n, { useBigInt64: true })).toBe(-limit - 1n);
    expect(decoded(5n, { promoteLongs: false })).toEqual(Long.fromInt(5));
  });

  it('numbers as BSON classes without promoteValues', () => {
    expect(decoded([5, 1.5], { promoteValues: false })).toStrictEqual([new Int32(5), new Double(1.5)]);
  });

  it('a binary value as a Buffer by promoteBuffers, whatever its subtype', () => {
    for (const value of [new Binary(Buffer.from('x'), 5), new UUID()]) {
      expect(decoded(value, { promoteBuffers: true })).toStrictEqual(value.buffer);
      expect(decoded(value, { promoteBuffers: true, promoteValues: false })).toStrictEqual(value);
    }
  });

  it('a date that JavaScript cannot hold as an Invalid Date', () => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(8_640_000_000_000_001n);
    expect((decodedFrom(stored(0x09, bytes)) as Date).getTime()).toBeNaN();
  });

  // case: regex-beyond-javascript
  it.each([
    ['an option that JavaScript lacks', 'a', 'ix'],
    ['an option that nobody knows', 'a', 'q'],
    ['an option that comes twice', 'a', 'ii'],
    ['a pattern that does not compile', '(?i)a(', ''],
  ])('a regular expression with %s as a BSONRegExp', (_, pattern, options) => {
    const bytes = stored(0x0b, Buffer.from(`${pattern}\0${options}\0`));
    const expected = new BSONRegExp(pattern, '');
    expected.options = options;
    expect(decodedFrom(bytes)).toStrictEqual(expected);
    expect(decodedFrom(bytes, { bsonRegExp: true })).toStrictEqual(expected);
  });
});

describe('names', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'a.b', '$x', '0', 'é', '😀'];
  it('may be any', () => {
    const elements = names.map((name): StoredElement => [name, { type: 0x04, bytes: documentBytes([]) }]);
    const bytes = documentBytes([['nested', { type: 0x03, bytes: documentBytes(elements) }], ...elements]);
    for (const layout of [new Layout(), new Layout({}, names), new Layout({}, manyNames)]) {
      for (const decode of [decodeDocument, decodeTransient]) {
        const document = decode<Record<string, object>>(layout, bytes, 0);
        expect(Object.getPrototypeOf(document)).toBe(Object.prototype);
        expect(Object.keys(document).toSorted()).toEqual([...names, 'nested'].toSorted());
        expect(Object.keys(document['nested'] ?? {}).toSorted()).toEqual(names.toSorted());
        for (const name of names) expect(Object.getOwnPropertyDescriptor(document, name)?.value).toEqual([]);
      }
    }
  });

  it('that come twice give the last value at the first place', () => {
    const bytes = documentBytes([
      ['a', { type: 0x10, bytes: Buffer.of(1, 0, 0, 0) }],
      ['b', { type: 0x0a, bytes: Buffer.alloc(0) }],
      ['a', { type: 0x08, bytes: Buffer.of(1) }],
    ]);
    expect(Object.entries(decodeDocument<object>(new Layout(), bytes, 0))).toEqual([
      ['a', true],
      ['b', null],
    ]);
  });

  it('of a DBRef make none of the whole document', () => {
    const document = { $ref: 'c', $id: 1 };
    expect(decodeDocument(new Layout(), BSON.serialize(document), 0)).toStrictEqual(document);
  });

  const manyNames = Array.from({ length: 200 }, (_, i) => `other${i}`);
});

describe('one element', () => {
  it('is read at its offset, live or exact', () => {
    const bytes = Buffer.concat([
      Buffer.from('garbage'),
      BSON.serialize({ a: 1, text: 'a text of some length', list: ['x', 2] }),
    ]);
    const layout = new Layout();
    const read = (name: string): unknown => {
      const field = layout.field(name);
      return decodeElement(layout, bytes, 7, field, locate(layout, bytes, 7, field));
    };
    expect([read('list'), read('a'), read('text')]).toEqual([['x', 2], 1, 'a text of some length']);
    expect(decodeExact(bytes, 7, layout.field('list'), locate(layout, bytes, 7, layout.field('list')))).toEqual([
      'x',
      new Int32(2),
    ]);
    expect(locate(layout, bytes, 7, layout.field('none'))).toBe(-1);
  });
});

describe('a document of half a megabyte', () => {
  it('is decoded like any', () => {
    const document = {
      lines: Array.from({ length: 20_000 }, (_, i) => ({ name: `line ${i}`, text: `é${i}`.repeat(3) })),
    };
    const bytes = BSON.serialize(document);
    expect(decodeDocument(new Layout(), bytes, 0)).toEqual(document);
    expect(decodeTransient(new Layout(), bytes, 0)).toEqual(document);
  });
});

describe('malformed bytes', () => {
  const corruptions: [string, Buffer, number][] = [
    ['nothing', Buffer.alloc(0), 0],
    ['fewer than 5 bytes', Buffer.of(5, 0, 0, 0), 0],
    ['a size under 5', Buffer.of(4, 0, 0, 0, 0), 0],
    ['a negative size', Buffer.of(0xff, 0xff, 0xff, 0xff, 0), 0],
    ['a size beyond the buffer', Buffer.of(6, 0, 0, 0, 0), 0],
    ['no terminator', Buffer.of(5, 0, 0, 0, 1), 4],
    ['a terminator too early', Buffer.of(7, 0, 0, 0, 0, 0, 0), 6],
    ['a name without an end', Buffer.of(7, 0, 0, 0, 0x0a, 0x61, 0), 5],
    ['an unknown type', stored(0x20), 7],
    ['an int32 that does not fit', stored(0x10, 1, 2), 7],
    ['a boolean of 2', stored(0x08, 2), 7],
    ['a string of length 0', stored(0x02, 0, 0, 0, 0), 7],
    ['a string beyond the document', stored(0x02, 99, 0, 0, 0, 0), 7],
    ['a string without a terminator', stored(0x02, 2, 0, 0, 0, 0x61, 0x61), 12],
    ['a string of invalid UTF-8', stored(0x02, 2, 0, 0, 0, 0xff, 0), 11],
    ['a name of invalid UTF-8', documentBytes([['x', { type: 0x0a, bytes: Buffer.alloc(0) }]]).fill(0xc3, 5, 6), 5],
    ['a regular expression of invalid UTF-8', stored(0x0b, 0xc3, 0, 0), 7],
    ['an embedded document beyond the document', stored(0x03, 99, 0, 0, 0, 0), 7],
    ['an array without a terminator', stored(0x04, 5, 0, 0, 0, 1), 11],
    ['a binary value of negative length', stored(0x05, 0xff, 0xff, 0xff, 0xff, 0), 7],
    ['a binary value with a wrong inner length', stored(0x05, 5, 0, 0, 0, 2, 9, 0, 0, 0, 1), 7],
    ['code with a scope of a wrong size', stored(0x0f, 15, 0, 0, 0, stringBytes(''), documentBytes([])), 7],
  ];
  it.each(corruptions)('%s', (_, bytes, offset) => {
    for (const padding of [0, 3]) {
      const shifted = Buffer.concat([Buffer.alloc(padding), bytes]);
      for (const decode of [decodeDocument, decodeTransient]) {
        const error = thrownBy(() => decode(new Layout(), shifted, padding));
        expect(error).toBeInstanceOf(CorruptBsonError);
        expect(error).toMatchObject({ offset, code: 'DATA_BRIDGE_CORRUPT_BSON' });
      }
    }
  });

  it.each([0x03, 0x04] as const)('nested more than 200 deep are refused (type %i)', (type) => {
    expect(() => decodeDocument(new Layout(), nested(200, type), 0)).not.toThrow();
    expect(() => decodeDocument(new Layout(), nested(201, type), 0)).toThrow(/nested more than 200 deep/);
    expect(() => decodeDocument(new Layout(), nested(30_000, type), 0)).toThrow(CorruptBsonError);
  });

  it('leave the decoder as it was', () => {
    const layout = new Layout();
    expect(() => decodeDocument(layout, stored(0x03, 5, 0, 0, 0, 1), 0)).toThrow(CorruptBsonError);
    expect(decodeDocument(layout, BSON.serialize({ v: 'text' }), 0)).toEqual({ v: 'text' });
  });

  it('have a size that tells so', () => {
    expect(documentSize(BSON.serialize({ a: 1 }), 0)).toBe(12);
    expect(() => documentSize(Buffer.of(5, 0, 0, 0, 0), 1)).toThrow(CorruptBsonError);
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('objects', () => {
  it('are plain, as those of the program are', () => {
    const layout = new Layout();
    const bytes = BSON.serialize({ a: 1, inner: { b: [{ c: 'text' }] } });
    const document = decodeDocument<{ a: number; inner: { b: object[] } }>(layout, bytes, 0);
    for (const object of [document, document.inner, document.inner.b[0]]) {
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
      expect(object?.constructor).toBe(Object);
    }
    expect(inspect(document, { depth: 5, compact: 5 })).toBe("{ a: 1, inner: { b: [ { c: 'text' } ] } }");
    expect(JSON.stringify(document)).toBe('{"a":1,"inner":{"b":[{"c":"text"}]}}');
    expect(structuredClone(document)).toStrictEqual({ a: 1, inner: { b: [{ c: 'text' }] } });
  });

  it('of one level differ in their members, and in how many they have', () => {
    const layout = new Layout();
    const name = (k: number): string => `name${k}`;
    for (let size = 0; size < 40; size++) {
      const keys = Array.from({ length: size }, (_, k) => name((k * 7 + size) % 40));
      const members = Object.fromEntries(keys.map((key, k) => [key, k % 3 === 0 ? k : String(k)]));
      const document = { members, list: [members, {}], ...members };
      expect(decodeDocument(layout, BSON.serialize(document), 0)).toStrictEqual(document);
    }
  });
});

describe('short texts', () => {
  // More than are the same in many documents, and more than are worth making by themselves.
  const texts = (count: number, of: (k: number) => string): string[] => Array.from({ length: count }, (_, k) => of(k));
  const lists: Record<string, string[]> = {
    'few, ASCII': texts(3, (k) => `a${k}`),
    'many, ASCII': texts(300, (k) => `text ${k}`),
    'many, some beyond ASCII': texts(300, (k) => (k % 5 === 0 ? `ž${k}` : `text ${k}`)),
    'many, none of ASCII': texts(300, (k) => `東${k}`),
    'many of all lengths': texts(300, (k) => `${k}`.repeat(k % 30)),
    empty: texts(300, () => ''),
  };
  it.each(Object.keys(lists))('are read as they are stored: %s', (what) => {
    const layout = new Layout();
    const document = { first: 'first', list: lists[what], last: { name: 'last', of: 'all' } };
    const bytes = BSON.serialize(document);
    for (let i = 0; i < 4; i++) {
      expect(decodeDocument(layout, bytes, 0)).toStrictEqual(document);
      expect(decodeTransient(layout, bytes, 0)).toStrictEqual(document);
    }
    const at = locate(layout, bytes, 0, layout.field('list'));
    expect(decodeElement(layout, bytes, 0, layout.field('list'), at)).toStrictEqual(lists[what]);
  });
});
