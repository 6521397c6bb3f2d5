import {
  Binary,
  BSONRegExp,
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
import { copyValue, hasToBson, isMutable } from '../../src/bson/copy.ts';
import { isPlainObject, setOwn } from '../../src/bson/plain-object.ts';

describe('isMutable()', () => {
  it.each([
    ['an object', {}],
    ['an object without a prototype', Object.create(null)],
    ['an array', []],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['a Uint8Array', new Uint8Array()],
    ['a Binary', new Binary()],
    ['a UUID', new UUID()],
    ['Code, for its scope', new Code('', {})],
    ['a DBRef, for its fields', new DBRef('c', new ObjectId())],
    ['an Int32', new Int32(1)],
    ['a Double', new Double(1)],
    ['a Long', Long.fromNumber(1)],
    ['a Decimal128', Decimal128.fromString('1')],
    ['a Timestamp', new Timestamp(1n)],
    ['a BSONRegExp', new BSONRegExp('x')],
    ['an object of any class', new Set()],
    ['an object with a _bsontype of its own', { _bsontype: 'Anything' }],
  ])('%s can be changed in place', (_, value) => {
    expect(isMutable(value)).toBe(true);
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a string', 'x'],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a RegExp', /x/],
    ['an ObjectId', new ObjectId()],
    ['MinKey', new MinKey()],
    ['MaxKey', new MaxKey()],
  ])('%s cannot', (_, value) => {
    expect(isMutable(value)).toBe(false);
  });
});

describe('isPlainObject()', () => {
  it('is true for objects whose own keys are their content', () => {
    expect([{}, Object.create(null), JSON.parse('{"__proto__":1}')].map(isPlainObject)).toEqual([true, true, true]);
  });

  it('is false for everything else', () => {
    const others = [null, undefined, 1, [], new Map(), new Date(0), new ObjectId(), () => 1, Object.create({})];
    expect(others.map(isPlainObject)).toEqual(others.map(() => false));
  });
});

describe('setOwn()', () => {
  it.each(['name', '__proto__', 'constructor', 'toString', '', '0', 'a.b', '$x'])(
    'sets "%s" as an own member',
    (key) => {
      const target = {};
      const value = { polluted: true };
      setOwn(target, key, value);
      expect(Object.getOwnPropertyDescriptor(target, key)).toEqual({
        value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
      expect(Object.getPrototypeOf(target)).toBe(Object.prototype);
      expect('polluted' in {}).toBe(false);
    },
  );
});

describe('copyValue()', () => {
  const id = new ObjectId();

  it('makes everything anew that could be changed in place', () => {
    const value = {
      object: { a: [{ b: 1 }] },
      date: new Date(5),
      bytes: Uint8Array.of(1, 2),
      buffer: Buffer.of(3),
      binary: new Binary(Buffer.of(4), 5),
      uuid: new UUID('11111111-1111-4111-8111-111111111111'),
      map: new Map<string, unknown>([['key', { c: 1 }]]),
      code: new Code('f()', { d: [1] }),
      reference: new DBRef('c', id, 'db', { e: [1] }),
    };
    const copy = copyValue(value);
    expect(copy).toEqual(value);
    for (const [name, member] of Object.entries(copy)) expect(member).not.toBe(value[name as 'object']);
    expect(copy.uuid).toBeInstanceOf(UUID);
    expect(Buffer.isBuffer(copy.buffer)).toBe(true);
    expect(Buffer.isBuffer(copy.bytes)).toBe(false);
    copy.object.a[0] = { b: 2 };
    copy.bytes[0] = 9;
    copy.buffer[0] = 9;
    copy.binary.buffer[0] = 9;
    copy.uuid.buffer[0] = 9;
    (copy.map.get('key') as { c: number }).c = 9;
    (copy.code.scope as { d: number[] }).d[0] = 9;
    (copy.reference.fields as { e: number[] }).e[0] = 9;
    expect([value.object.a[0]?.b, value.bytes[0], value.buffer[0], value.binary.buffer[0]]).toEqual([1, 1, 3, 4]);
    expect([value.uuid.buffer[0], value.map.get('key')]).toEqual([0x11, { c: 1 }]);
    expect([value.code.scope, value.reference.fields]).toEqual([{ d: [1] }, { e: [1] }]);
  });

  it('shares what cannot be changed', () => {
    const regex = /x/;
    const copy = copyValue({ id, regex });
    expect(copy.id).toBe(id);
    expect(copy.regex).toBe(regex);
  });

  it('copies an object of a class with toBSON as what that gives', () => {
    class Money {
      readonly cents = 5;
      toBSON() {
        return { cents: this.cents };
      }
    }
    expect(copyValue({ price: new Money() })).toStrictEqual({ price: { cents: 5 } });
    expect(hasToBson(new Money())).toBe(true);
    expect(hasToBson({})).toBe(false);
  });

  it('keeps what cannot be stored anyway', () => {
    const set = new Set([1]);
    expect(copyValue({ set }).set).toBe(set);
  });

  it('keeps a reference back to a container that holds it', () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(copyValue(cyclic).self).toBe(cyclic);
  });

  it('copies twice what is there twice', () => {
    const shared = { a: 1 };
    const copy = copyValue([shared, shared]);
    expect(copy[0]).not.toBe(copy[1]);
  });

  it('keeps holes as undefined, and keys such as __proto__', () => {
    // oxlint-disable-next-line no-sparse-arrays -- the case
    expect(copyValue([1, , 2])).toStrictEqual([1, undefined, 2]);
    const hostile: object = JSON.parse('{"__proto__":{"polluted":true}}');
    expect(Object.getOwnPropertyNames(copyValue(hostile))).toEqual(['__proto__']);
    expect('polluted' in copyValue(hostile)).toBe(false);
  });
});
