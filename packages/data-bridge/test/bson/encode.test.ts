import { BSON, DBRef, Double, Int32, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { EncodeError } from '../../src/errors.ts';
import { ABSENT, encodeDocument, encodeField, memberOf, toExact } from '../../src/bson/encode.ts';

const { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Timestamp, UUID } = BSON;

class Money {
  readonly cents = 5;
}

class Stored {
  readonly #form: unknown;
  constructor(form: unknown) {
    this.#form = form;
  }
  toBSON(): unknown {
    return this.#form;
  }
}

const encode = (value: unknown, base: unknown = ABSENT) => toExact(value, base, ['field']);

function refusal(value: unknown): EncodeError {
  try {
    encode(value);
  } catch (error) {
    if (error instanceof EncodeError) return error;
    throw error;
  }
  throw new Error('Expected an EncodeError');
}

describe('toExact', () => {
  describe('gives an equal value the type of its original', () => {
    it.each([
      ['a number over an int', 5, new Int32(5)],
      ['a number over a double', 5, new Double(5)],
      ['NaN over a double', Number.NaN, new Double(Number.NaN)],
      ['a number over a long', 5, Long.fromNumber(5)],
      ['a bigint over an int', 5n, new Int32(5)],
      ['a bigint over a long', 5n, Long.fromNumber(5)],
      ['a string over a symbol', 'x', new BSONSymbol('x')],
      ['a RegExp over a stored one', /x/i, new BSONRegExp('x', 'i')],
      ['bytes over a binary', Buffer.from([1]), new Binary(Buffer.from([1]))],
      ['a date', new Date(1), new Date(1)],
      ['an ObjectId', new ObjectId('0123456789abcdef01234567'), new ObjectId('0123456789abcdef01234567')],
      ['an object', { a: 5, b: [1.5] }, { a: new Double(5), b: [new Double(1.5)] }],
      ['an object with its keys in another order', { b: 1, a: 5 }, { a: new Double(5), b: new Int32(1) }],
      ['an array', [5, 'x'], [Long.fromNumber(5), 'x']],
    ])('%s', (_, value, base) => {
      expect(encode(value, base)).toBe(base);
    });
  });

  describe('keeps the type of what it replaces', () => {
    it('makes a number over a double a double', () => {
      expect(encode(6, new Double(5))).toEqual(new Double(6));
    });

    it('makes an integer over a long a long', () => {
      expect(encode(6, Long.fromNumber(5))).toEqual(Long.fromNumber(6));
    });

    it.each([1.5, -0, 2 ** 53])('leaves %d over a long as it is: a long cannot hold it exactly', (value) => {
      expect(encode(value, Long.fromNumber(5))).toBe(value);
    });

    it('keeps the subtype of a stored binary where promoteBuffers hides it', () => {
      const [one, two] = [1, 2].map((byte) => new Binary(Buffer.from([byte]), 128));
      const bytes = new Uint8Array([1]);
      expect(toExact(bytes, one, [], true)).toBe(one);
      expect(toExact(bytes, two, [], true)).toEqual(one);
      expect(toExact([bytes], [two, one], [], true)).toEqual([one]);
      expect(toExact(bytes, one, [])).toEqual(bytes);
    });

    it('leaves a number over anything else as it is', () => {
      expect(encode(6, new Int32(5))).toBe(6);
      expect(encode(6)).toBe(6);
    });

    it('keeps the types of unchanged members of a changed object', () => {
      const base = { a: new Double(5), b: { c: Long.fromNumber(1) }, d: new Int32(1) };
      expect(encode({ a: 5, b: { c: 1 }, d: 2 }, base)).toEqual({ a: base.a, b: base.b, d: 2 });
    });

    it('keeps the types inside a changed Code and DBRef', () => {
      const code = new Code('f', { n: new Double(1), m: new Int32(1) });
      expect(encode(new Code('f', { n: 1, m: 2 }), code)).toEqual(new Code('f', { n: new Double(1), m: 2 }));
      const id = Long.fromNumber(1) as unknown as ObjectId;
      const reference = new DBRef('others', id, 'db', { n: new Double(1) });
      const changed = new DBRef('users', 1 as unknown as ObjectId, 'db', { n: 1 });
      expect(encode(changed, reference)).toEqual(new DBRef('users', id, 'db', { n: new Double(1) }));
    });
  });

  describe('finds the originals of elements that moved', () => {
    const base = [
      new Int32(1),
      new Double(2),
      Long.fromNumber(3),
      new Double(4),
      { n: new Double(5) },
      [new Double(6)],
      null,
    ];

    it.each([
      ['after a removal', [2, 3, 4, { n: 5 }, [6], null], [1, 2, 3, 4, 5, 6]],
      ['after an insertion', [0, 1, 2, 3, 4, { n: 5 }, [6], null], [-1, 0, 1, 2, 3, 4, 5, 6]],
      ['in reverse', [null, [6], { n: 5 }, 4, 3, 2, 1], [6, 5, 4, 3, 2, 1, 0]],
      ['with edits between', [9, 3, { n: 7 }, 2], [-1, 2, -1, 1]],
    ])('%s', (_, value, origins) => {
      const result = encode(value, base) as unknown[];
      origins.forEach((origin, i) => {
        if (origin >= 0) expect(result[i]).toBe(base[origin]);
        else expect(result[i]).not.toBe(base[i]);
      });
      expect(result).toHaveLength(value.length);
    });

    it('distinguishes elements of one shape', () => {
      const id = (n: number) => new ObjectId(Buffer.alloc(12, n));
      const element = (n: number) => ({
        _id: id(n),
        at: new Date(n),
        price: Decimal128.fromString(`${n}`),
        n: new Double(n),
      });
      const stored = Array.from({ length: 200 }, (_, n) => element(n));
      const moved = stored.map(({ n, ...rest }) => ({ ...rest, n: n.value, gone: undefined })).toReversed();
      expect(encode(moved, stored)).toEqual(stored.toReversed());
      const maps = moved.map((members) => new Map(Object.entries(members)));
      expect(encode(maps, stored)).toEqual(stored.toReversed());
    });
  });

  describe('copies what the program may change later', () => {
    it.each([
      ['an object', { a: 1 }],
      ['an array', [1]],
      ['a Map', new Map([['a', 1]])],
      ['a Date', new Date(1)],
      ['a Buffer', Buffer.from([1])],
      ['a Uint8Array', new Uint8Array([1])],
      ['a Binary', new Binary(Buffer.from([1]), 5)],
      ['a UUID', new UUID('0123456789abcdef0123456789abcdef')],
      ['a Code', new Code('f', { a: 1 })],
      ['a DBRef', new DBRef('others', new ObjectId(), undefined, { a: 1 })],
    ])('%s', (_, value) => {
      const copy = encode(value);
      expect(copy).toEqual(value);
      expect(copy).not.toBe(value);
    });

    it('copies the bytes of a Binary', () => {
      const value = new Binary(Buffer.from([1]), 5);
      const copy = encode(value) as typeof value;
      value.buffer[0] = 2;
      expect(copy.buffer[0]).toBe(1);
    });
  });

  it('drops undefined from objects, and makes it and holes null in arrays', () => {
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what is tested
    expect(encode({ a: undefined, b: [undefined, , 1], m: new Map([['x', undefined]]) })).toEqual({
      b: [null, null, 1],
      m: new Map(),
    });
    expect(encode(undefined)).toBeUndefined();
  });

  it('gives null for a stored undefined in an array', () => {
    expect(encode([null, 2], [undefined, 1])).toEqual([null, 2]);
  });

  it('keeps every key', () => {
    const value = Object.fromEntries(
      ['__proto__', 'constructor', 'toString', '', 'a.b', '$x', '0'].map((key) => [key, { key }]),
    );
    const result = encode(value);
    expect(Object.entries(result as object)).toEqual(Object.entries(value));
    expect(encode(value, result)).toBe(result);
  });

  it('takes what toBSON gives, and drops a member whose toBSON gives undefined', () => {
    const base = { a: new Double(5) };
    expect(encode(new Stored({ a: 5 }), base)).toBe(base);
    expect(encode({ a: new Stored(undefined), b: new Stored('x') })).toEqual({ b: 'x' });
    expect(encode({ toBSON: () => 5 })).toBe(5);
  });

  it('keeps what BSON holds', () => {
    const values = [null, true, 'x', 1.5, 2n ** 63n - 1n, new BSON.MinKey(), new BSON.MaxKey()];
    for (const value of values) expect(encode(value)).toBe(value);
    const others = [
      new Timestamp({ t: 1, i: 1 }),
      Decimal128.fromString('1'),
      new BSONSymbol('x'),
      new BSONRegExp('x', 'x'),
      Long.MAX_VALUE,
      /x/gim,
    ];
    for (const value of others) expect(encode(value)).toEqual(value);
    expect(encode(Binary.fromInt8Array(new Int8Array([1])))).toEqual(Binary.fromInt8Array(new Int8Array([1])));
  });

  it('copies BSON values, whose members the program may assign later', () => {
    const [int, decimal] = [new Int32(1), Decimal128.fromString('1')];
    const copies = encode([int, decimal]);
    int.value = 2;
    decimal.bytes[0] = 2;
    expect(copies).toEqual([new Int32(1), Decimal128.fromString('1')]);
  });

  it('takes 100 levels, the document itself included, and the same object twice', () => {
    const levels = Array.from({ length: 98 }).reduce<object>((inner) => ({ a: inner }), {});
    expect(encode(levels)).toEqual(levels);
    const shared = { a: 1 };
    expect(encode([shared, shared])).toEqual([shared, shared]);
  });

  describe('refuses what BSON cannot hold', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = [cyclic];
    const cyclicObject: Record<string, unknown> = {};
    cyclicObject['self'] = cyclicObject;
    const cyclicMap = new Map<string, unknown>();
    cyclicMap.set('self', cyclicMap);
    const nested = (wrap: (inner: object) => object) =>
      Array.from({ length: 100 }).reduce<object>((inner) => wrap(inner), {});
    const vector = new Binary(Buffer.from([0x03, 5, 1]), 9);
    const foreign = { __proto__: { _bsontype: 'ObjectId', [Symbol.for('@@mdb.bson.version')]: 4 } };
    const flags = ['s', 'u', 'y', 'v', 'd'];

    const refused: readonly (readonly [string, unknown, string])[] = [
      ['a function', () => 1, 'a function'],
      ['a symbol', Symbol('x'), 'a symbol'],
      ['a Set', new Set(), 'an instance of Set without toBSON()'],
      ['a WeakMap', new WeakMap(), 'an instance of WeakMap without toBSON()'],
      ['a Promise', Promise.resolve(), 'an instance of Promise without toBSON()'],
      ['an Error', new Error('x'), 'an instance of Error without toBSON()'],
      ['a URL', new URL('x:y'), 'an instance of URL without toBSON()'],
      ['a class instance', new Money(), 'an instance of Money without toBSON()'],
      [
        'an instance of a class without a constructor',
        Object.create({ constructor: undefined }),
        'an instance of a class',
      ],
      ['a typed array', new Uint16Array(1), 'an instance of Uint16Array without toBSON()'],
      ['an ArrayBuffer', new ArrayBuffer(1), 'an instance of ArrayBuffer without toBSON()'],
      ['an invalid Date', new Date(Number.NaN), 'an invalid Date'],
      ['a lone surrogate', 'a\uD800', 'a string with a lone surrogate'],
      ['a lone surrogate in a key', { 'a\uDC00': 1 }, 'a key with a lone surrogate'],
      ['a zero byte in a key', { 'a\0': 1 }, 'a key with a zero byte'],
      ['a lone surrogate in a symbol', new BSONSymbol('\uD800'), 'a string with a lone surrogate'],
      ['a lone surrogate in a Code', new Code('\uD800'), 'a string with a lone surrogate'],
      ['a lone surrogate in a DBRef', new DBRef('\uD800', new ObjectId()), 'a string with a lone surrogate'],
      ['a zero byte in a RegExp', new RegExp(String.fromCharCode(97, 0)), 'a RegExp with a zero byte'],
      ['a lone surrogate in a RegExp', new RegExp('\uD800'), 'a string with a lone surrogate'],
      ...flags.map(
        (flag) =>
          [`a RegExp with the flag ${flag}`, new RegExp('x', flag), `a RegExp with the flag "${flag}"`] as const,
      ),
      ['a bigint over 64 bits', 2n ** 63n, 'a bigint beyond 64 bits'],
      ['a bigint under 64 bits', -(2n ** 63n) - 1n, 'a bigint beyond 64 bits'],
      ['an unsigned Long over 63 bits', Long.MAX_UNSIGNED_VALUE, 'a Long beyond 64 signed bits'],
      ['a key _bsontype', { _bsontype: 'ObjectId' }, 'a key "_bsontype"'],
      ['an unknown BSON class', Object.create({ _bsontype: 'Foo' }), 'the unknown BSON type "Foo"'],
      ['a BSON class of another version', foreign, 'BSON type ObjectId from another version of the bson package'],
      ['a broken vector', vector, 'a Binary that is no valid vector'],
      ['a cycle', cyclic, 'an object that contains itself'],
      ['a cycle of objects', cyclicObject, 'an object that contains itself'],
      ['a cycle of Maps', cyclicMap, 'an object that contains itself'],
      ['101 levels of objects', nested((inner) => ({ a: inner })), 'more than 100 levels'],
      ['101 levels of Maps', nested((inner) => new Map([['a', inner]])), 'more than 100 levels'],
      ['a Map with other keys', new Map([[1, 2]]), 'a Map with a key that is no string'],
      ['toBSON after toBSON', new Stored(new Stored(1)), 'its toBSON() returns an object with toBSON()'],
      ['101 levels', Array.from({ length: 100 }).reduce<object>((inner) => [inner], []), 'more than 100 levels'],
    ];

    it.each(refused)('%s', (_, value, problem) => {
      expect(refusal(value).message).toContain(problem);
    });

    it.each(['a\0', '\uD800', '_bsontype'])('a field of the name %j', (name) => {
      expect(() => toExact(1, ABSENT, [name])).toThrow(EncodeError);
    });

    it('names the path', () => {
      const error = refusal({ list: [{ 'a.b': 1n << 64n }] });
      expect(error.keys).toEqual(['field', 'list', 0, 'a.b']);
      expect(error.path).toBe('field.list.0.a.b');
    });

    it('keeps the reason', () => {
      expect(refusal(vector).cause).toBeInstanceOf(BSON.BSONError);
    });
  });
});

describe('encodeDocument', () => {
  it('gives bytes that share no memory', () => {
    const bytes = encodeDocument({ a: 1, u: undefined });
    expect(bytes.buffer.byteLength).toBe(bytes.length);
    expect(BSON.deserialize(bytes)).toEqual({ a: 1 });
  });
});

describe('encodeField', () => {
  it('gives the element alone', () => {
    expect([...encodeField('ab', true)]).toEqual([8, 97, 98, 0, 1]);
    expect([...encodeField('__proto__', null)].slice(0, 2)).toEqual([10, 95]);
  });
});

describe('memberOf', () => {
  it('finds own members of objects and Maps only', () => {
    expect(memberOf({ a: 1 }, 'a')).toBe(1);
    expect(memberOf({}, 'toString')).toBe(ABSENT);
    expect(memberOf(new Map([['a', 1]]), 'a')).toBe(1);
    expect(memberOf(new Map(), 'a')).toBe(ABSENT);
    expect(memberOf([1], '0')).toBe(ABSENT);
  });
});
