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
import { describe, expect, it } from 'vitest';
import { elementEqualsValue } from '../../src/bson/equal-bytes.ts';
import { equalValues } from '../../src/bson/equal-values.ts';
import { type BsonOptions, Layout } from '../../src/bson/layout.ts';
import { locate } from '../../src/bson/locate.ts';
import { CorruptBsonError } from '../../src/errors.ts';
import { documentBytes, type StoredElement, stringBytes } from '../support/arbitrary.ts';

/** Does the live value equal what is stored? Asked of the bytes alone, and inside a small and a large container. */
function equal(stored: unknown, live: unknown, options: BsonOptions = {}): boolean {
  const layout = new Layout(options);
  const padding = 'x'.repeat(600);
  const bytes = BSON.serialize({ alone: stored, small: [{ v: stored }], large: [{ v: stored }, padding] });
  const answers = [
    elementEqualsValue(layout, bytes, 0, locate(layout, bytes, 0, layout.field('alone')), live),
    elementEqualsValue(layout, bytes, 0, locate(layout, bytes, 0, layout.field('small')), [{ v: live }]),
    elementEqualsValue(layout, bytes, 0, locate(layout, bytes, 0, layout.field('large')), [{ v: live }, padding]),
  ];
  expect(new Set(answers).size).toBe(1);
  return answers[0] as boolean;
}

function elementEquals(elements: readonly StoredElement[], live: unknown): boolean {
  const layout = new Layout();
  const bytes = documentBytes([['v', { type: 0x03, bytes: documentBytes(elements) }]]);
  return elementEqualsValue(layout, bytes, 0, locate(layout, bytes, 0, layout.field('v')), live);
}

describe('numbers', () => {
  const five = { int: new Int32(5), double: new Double(5), long: Long.fromInt(5) };

  it('equal by value whatever they are stored as', () => {
    for (const stored of Object.values(five)) {
      expect([equal(stored, 5), equal(stored, 6), equal(stored, 5.5), equal(stored, '5')]).toEqual([
        true,
        false,
        false,
        false,
      ]);
    }
    expect(equal(Decimal128.fromString('5'), 5)).toBe(false);
  });

  it('of BSON classes equal their own type only', () => {
    for (const [type, stored] of Object.entries(five)) {
      for (const [other, live] of Object.entries(five)) {
        expect([equal(stored, live), equalValues(stored, live)]).toEqual([type === other, type === other]);
      }
    }
  });

  it('that are bigints equal integers of any type', () => {
    expect([equal(five.int, 5n), equal(five.long, 5n), equal(five.double, 5n)]).toEqual([true, true, true]);
    expect([equalValues(five.int, 5n), equalValues(5n, five.long), equalValues(five.double, 5n)]).toEqual([
      true,
      true,
      true,
    ]);
    // A stored -0 is read as 0n, which is no change.
    expect([equal(new Double(-0), 0n), equal(new Double(5.5), 5n), equal(new Double(5), 6n)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([equalValues(5, 5n), equalValues(-0, 0n), equalValues(5.5, 5n)]).toEqual([true, false, false]);
  });

  it('distinguish 0 and -0, and take NaN for NaN', () => {
    expect([equal(0, 0), equal(0, -0), equal(-0, -0), equal(-0, 0)]).toEqual([true, false, true, false]);
    expect([equal(Long.ZERO, -0), equal(Number.NaN, Number.NaN), equal(Number.NaN, 0)]).toEqual([false, true, false]);
    expect([equalValues(0, -0), equalValues(Number.NaN, Number.NaN)]).toEqual([false, true]);
  });

  it('beyond 2^53 are compared exactly', () => {
    const long = Long.fromBigInt(2n ** 60n + 1n);
    expect([equal(long, 2 ** 60), equal(long, 2n ** 60n + 1n), equal(long, long)]).toEqual([false, true, true]);
    expect(equalValues(long, 2 ** 60)).toBe(false);
    for (const value of [-(2n ** 63n), 2n ** 53n, -1n, 2n ** 32n]) {
      expect([equal(value, Number(value)), equal(value, value)]).toEqual([true, true]);
    }
    expect([equal(2n ** 63n - 1n, 2 ** 63), equal(-1n, 2n ** 64n - 1n), equal(1n, Infinity)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('other types', () => {
  const id = new ObjectId();
  const values: Record<string, [stored: unknown, alike: unknown, different: readonly unknown[]]> = {
    ObjectId: [id, new ObjectId(id.toHexString()), [new ObjectId(), id.toHexString(), { id: id.id }]],
    Date: [new Date(5), new Date(5), [new Date(6), new Date(Number.NaN), 5, '1970']],
    boolean: [true, true, [false, 1, null]],
    null: [null, null, [undefined, false, 0, {}]],
    string: ['naïve', 'naïve', ['naive', 'naïv', 'naïvee', '\ud800', '', 5, ['naïve']]],
    'ASCII string': ['ab', 'ab', ['ac', 'abc', 'a', 'a\0', ['ab']]],
    'string that looks like UTF-8': ['Ã©', 'Ã©', ['é']],
    Decimal128: [
      Decimal128.fromString('1.5'),
      Decimal128.fromString('1.5'),
      [Decimal128.fromString('1.50'), 1.5, '1.5'],
    ],
    Binary: [
      new Binary(Buffer.from('b'), 5),
      new Binary(Buffer.from('b'), 5),
      [new Binary(Buffer.from('b')), Buffer.from('b')],
    ],
    bytes: [Buffer.from('b'), new Uint8Array([98]), [Buffer.from('c'), Buffer.from('bb'), new Uint16Array([98]), [98]]],
    UUID: [
      new UUID('0123456789abcdef0123456789abcdef'),
      new Binary(Buffer.from('0123456789abcdef0123456789abcdef', 'hex'), 4),
      [new UUID()],
    ],
    RegExp: [/a\/b/gi, /a\/b/gi, [/a\/b/i, /a/gi, 'a/b', new BSONRegExp('a', 'is')]],
    'RegExp with flags that are not stored': [/a/, /a/uy, [/a/m]],
    BSONRegExp: [new BSONRegExp('a', 'xi'), new BSONRegExp('a', 'ix'), [/a/i, new BSONRegExp('a', 'i')]],
    Timestamp: [
      new Timestamp({ t: 1, i: 2 }),
      new Timestamp({ t: 1, i: 2 }),
      [new Timestamp({ t: 2, i: 1 }), Long.fromBits(2, 1), 4294967298],
    ],
    Code: [new Code('f'), new Code('f'), [new Code('g'), new Code('f', {}), 'f', parseInt]],
    'Code with scope': [
      new Code('f', { a: 1 }),
      new Code('f', { a: 1 }),
      [new Code('f', { a: 2 }), new Code('g', { a: 1 }), new Code('f')],
    ],
    symbol: [new BSONSymbol('s'), 's', ['t', Symbol('s')]],
    MinKey: [new MinKey(), new MinKey(), [new MaxKey(), null]],
    MaxKey: [new MaxKey(), new MaxKey(), [new MinKey(), {}]],
    DBRef: [
      new DBRef('c', id, 'd', { a: 1 }),
      new DBRef('c', id, 'd', { a: 1 }),
      [new DBRef('c', id, 'd'), new DBRef('c', id), { $ref: 'c' }],
    ],
    'DBRef as a document': [new DBRef('c', id), { $ref: 'c', $id: id }, [{ $ref: 'c', $id: 1 }]],
  };
  it.each(Object.entries(values))('%s', (_, [stored, alike, different]) => {
    expect([equal(stored, stored), equal(stored, alike)]).toEqual([true, true]);
    expect([equalValues(stored, alike), equalValues(alike, stored)]).toEqual([true, true]);
    for (const live of different) {
      expect([equal(stored, live), equalValues(stored, live), equalValues(live, stored)]).toEqual([
        false,
        false,
        false,
      ]);
    }
  });

  it('takes an Invalid Date for a stored date that JavaScript cannot hold', () => {
    const far = Buffer.alloc(8, 0x7f);
    const near = Buffer.alloc(8);
    const at = (bytes: Buffer): StoredElement[] => [['d', { type: 0x09, bytes }]];
    expect(elementEquals(at(far), { d: new Date(Number.NaN) })).toBe(true);
    expect(elementEquals(at(near), { d: new Date(Number.NaN) })).toBe(false);
  });

  it('takes a Buffer for a binary value of any subtype where promoteBuffers hid it', () => {
    const data = Buffer.from('0123456789abcdef');
    const stored = new Binary(data, 4);
    expect(equal(stored, data, { promoteBuffers: true })).toBe(true);
    expect(equal(stored, data, { promoteBuffers: true, promoteValues: false })).toBe(false);
    expect(equal({ a: [stored] }, { a: [data] }, { promoteBuffers: true })).toBe(true);
  });
});

describe('documents', () => {
  const stored = { a: 1, b: { c: [1, 2], d: 'x' } };

  it('equal in any order of keys, as a Map, without what is undefined', () => {
    expect(equal(stored, { b: { d: 'x', c: [1, 2] }, a: 1 })).toBe(true);
    expect(equal(stored, { a: 1, extra: undefined, b: { c: [1, 2], none: undefined, d: 'x' } })).toBe(true);
    expect(
      equal(
        stored,
        new Map<string, unknown>([
          ['b', new Map(Object.entries(stored.b))],
          ['a', 1],
        ]),
      ),
    ).toBe(true);
    expect(equal(stored, Object.assign(Object.create(null) as object, stored))).toBe(true);
    expect(
      equalValues(
        stored,
        new Map<string, unknown>([
          ['b', stored.b],
          ['x', undefined],
          ['a', 1],
        ]),
      ),
    ).toBe(true);
  });

  it.each([
    ['a member more', { ...stored, e: 1 }],
    ['a member less', { a: 1 }],
    ['a member that is null', { ...stored, e: null }],
    ['a member under another name', { a: 1, e: stored.b }],
    ['a changed member', { ...stored, b: { c: [1, 3], d: 'x' } }],
    ['a shorter array', { ...stored, b: { c: [1], d: 'x' } }],
    ['a longer array', { ...stored, b: { c: [1, 2, 3], d: 'x' } }],
    ['an array in place of a document', [1, stored.b]],
    ['a Map of other keys', new Map<unknown, unknown>([[1, 1]])],
    ['nothing', undefined],
  ])('differ by %s', (_, live) => {
    expect([equal(stored, live), equalValues(stored, live), equalValues(live, stored)]).toEqual([false, false, false]);
  });

  it('take undefined and holes in arrays for null', () => {
    const holes: unknown[] = [];
    holes[1] = 1;
    expect([equal([null, 1], [undefined, 1]), equal([null, 1], holes), equal([1, null], holes)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([equalValues([null, 1], holes), equalValues(holes, [undefined, 1])]).toEqual([true, true]);
  });

  it('take a stored undefined for absent, in an array for null', () => {
    const undefinedValue = { type: 0x06, bytes: Buffer.alloc(0) };
    const array = { type: 0x04, bytes: documentBytes([['0', undefinedValue]]) };
    expect(elementEquals([['a', undefinedValue]], {})).toBe(true);
    expect(elementEquals([['a', undefinedValue]], { a: undefined })).toBe(true);
    expect(elementEquals([['a', undefinedValue]], { a: null })).toBe(false);
    expect(elementEquals([['a', array]], { a: [null] })).toBe(true);
    expect(elementEquals([['a', array]], { a: [] })).toBe(false);
  });

  it('with keys such as __proto__ are compared by their own keys only', () => {
    const empty = {};
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const live: object = Object.fromEntries([[key, {}]]);
      expect([equal(live, live), equal(live, empty), equal(empty, live)]).toEqual([true, false, false]);
      expect([equalValues(live, { ...live }), equalValues(live, empty)]).toEqual([true, false]);
    }
    const tag: StoredElement = ['_bsontype', { type: 0x02, bytes: stringBytes('ObjectId') }];
    expect([elementEquals([tag], { _bsontype: 'ObjectId' }), elementEquals([tag], new ObjectId())]).toEqual([
      true,
      false,
    ]);
    expect(equal({}, Object.create({ inherited: 1 }))).toBe(false);
  });

  it('compare what toBSON gives, once', () => {
    class Money {
      toBSON(): unknown {
        return { amount: 5 };
      }
    }
    expect([equal({ amount: 5 }, new Money()), equal([{ amount: 5 }], [new Money()])]).toEqual([true, true]);
    expect(equalValues(new Money(), { amount: 5 })).toBe(true);
    expect(equal({ amount: 5 }, { toBSON: () => new Money() })).toBe(false);
    expect(equal([null], [{ toBSON: () => undefined }])).toBe(true);
  });

  it.each([
    ['a class without toBSON', new (class Thing {})()],
    ['a Set', new Set()],
    ['a function', () => ({})],
    ['a boxed number', Object(5) as unknown],
    ['a proxy of an array', new Proxy([1], {})],
  ])('equal no value of %s', (_, live) => {
    expect([equal({}, live), equalValues({}, live), equalValues(live, {})]).toEqual([false, false, false]);
  });

  it('with a cycle equal nothing', () => {
    const cyclic: Record<string, unknown> = { a: 1 };
    cyclic['self'] = cyclic;
    const alike: Record<string, unknown> = { a: 1 };
    alike['self'] = alike;
    expect(equal({ a: 1, self: { a: 1, self: {} } }, cyclic)).toBe(false);
    expect([equalValues(cyclic, alike), equalValues(cyclic, { a: 1, self: { a: 1 } })]).toEqual([false, false]);
  });

  it('nested too deep are refused as stored, and equal nothing as values', () => {
    let live: unknown = {};
    let bytes = documentBytes([]);
    for (let level = 0; level < 250; level++) {
      live = { a: live };
      bytes = documentBytes([['a', { type: 0x03, bytes }]]);
    }
    const layout = new Layout();
    expect(() => elementEqualsValue(layout, bytes, 0, 4, (live as { a: unknown }).a)).toThrow(CorruptBsonError);
    expect(equalValues(live, structuredClone(live))).toBe(false);
  });
});

describe('names that come twice', () => {
  const one = { type: 0x10, bytes: Buffer.of(1, 0, 0, 0) };
  const two = { type: 0x10, bytes: Buffer.of(2, 0, 0, 0) };

  it('count by their last value', () => {
    const twice: StoredElement[] = [
      ['a', one],
      ['b', one],
      ['a', two],
    ];
    expect(elementEquals(twice, { a: 2, b: 1 })).toBe(true);
    expect(elementEquals(twice, { b: 1, a: 2 })).toBe(true);
    for (const live of [{ a: 1, b: 1 }, { a: 2 }, { a: 2, b: 1, c: 1 }, { a: 1 }]) {
      expect(elementEquals(twice, live)).toBe(false);
    }
    expect(
      elementEquals(
        [
          ['a', one],
          ['a', one],
        ],
        { a: 1, b: 1 },
      ),
    ).toBe(false);
  });

  // case: repeated-name-at-every-level. Comparing an element twice at each level would take 2^100 steps.
  it('at every level take no more time', () => {
    let bytes = documentBytes([]);
    let live: Record<string, unknown> = {};
    for (let level = 0; level < 100; level++) {
      bytes = documentBytes([
        ['a', { type: 0x03, bytes }],
        ['b', one],
        ['c', one],
        ['b', two],
      ]);
      live = { a: live, c: 1, b: 2 };
    }
    const layout = new Layout();
    const wrapped = documentBytes([['v', { type: 0x03, bytes }]]);
    expect(elementEqualsValue(layout, wrapped, 0, 4, live)).toBe(true);
  });
});
