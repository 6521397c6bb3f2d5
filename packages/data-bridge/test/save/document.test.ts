import fc from 'fast-check';
import { BSON, Long, ObjectId } from 'mongodb';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CorruptBsonError, long, model, UsageError } from '../../src/index.ts';
import { anyElements, documentBytes, runs } from '../support/arbitrary.ts';
import { User } from '../support/user-model.ts';

const stored = () => ({ _id: new ObjectId(), name: 'Ann', age: 30, tags: ['a'], address: { city: 'Rome' } });

describe('hydrate()', () => {
  it('makes a clean document of a plain object', () => {
    const user = User.hydrate(stored());
    expect(user).toBeInstanceOf(User);
    expect([user.name, user.age, user.tags, user.address?.city]).toEqual(['Ann', 30, ['a'], 'Rome']);
    expect([user.$isNew, user.isModified()]).toEqual([false, false]);
  });

  it('makes one of BSON bytes, which it copies', () => {
    const bytes = BSON.serialize(stored());
    const user = User.hydrate(bytes);
    bytes.fill(0);
    expect(user.toObject()).toMatchObject({ name: 'Ann', age: 30, tags: ['a'] });
  });

  it('takes the first document of longer bytes, and no damaged ones', () => {
    const bytes = Buffer.concat([BSON.serialize(stored()), Buffer.of(1, 2, 3)]);
    expect(User.hydrate(bytes).name).toBe('Ann');
    expect(() => User.hydrate(bytes.subarray(0, 20))).toThrow(CorruptBsonError);
  });

  it('keeps nothing of the object it was given', () => {
    const object = stored();
    const user = User.hydrate(object);
    object.tags.push('b');
    expect(user.tags).toEqual(['a']);
  });
});

describe('new', () => {
  it('makes a document with an _id, without validating', () => {
    const user = new User({ name: 5 as never });
    expect(user._id).toBeInstanceOf(ObjectId);
    expect(user._id.toHexString()).toMatch(/^[0-9a-f]{24}$/);
    expect([user.name, user.$isNew]).toEqual([5, true]);
  });

  it('takes an _id, also as 24 hexadecimal digits', () => {
    const _id = new ObjectId();
    expect(new User({ name: 'x', _id })._id).toBe(_id);
    expect(new User({ name: 'x', _id: _id.toHexString() })._id).toEqual(_id);
    expect(() => new User({ name: 'x', _id: 'short' })).toThrow(UsageError);
  });

  it('leaves the object it was given as it is', () => {
    const input = Object.freeze({ name: 'Ann', age: undefined });
    const user = new User(input);
    user.name = 'Bob';
    user.age = 5;
    expect(input).toStrictEqual({ name: 'Ann', age: undefined });
    expect(new User(input).$state.has('age')).toBe(false);
  });

  it('is modified in every field that it has', () => {
    const user = new User({ name: 'Ann' });
    expect([user.isModified(), user.isModified('name'), user.isModified('age')]).toEqual([true, true, false]);
    expect(user.changes().map(({ path, from }) => [path, from])).toEqual([
      ['name', undefined],
      ['_id', undefined],
      ['tags', undefined],
    ]);
    expect(user.$previousChanges()).toEqual([]);
  });
});

describe('a document', () => {
  it('has the getters, setters and methods of its class', () => {
    const user = User.hydrate(stored());
    expect(user.label).toBe('Ann (30)');
    user.initial = 'E';
    expect(user.birthday()).toBe(user);
    expect(user.$state.getChanges()).toEqual({ name: 'Enn', age: 31 });
  });

  it('reads and writes by paths', () => {
    const user = User.hydrate({ ...stored(), legacy: { flag: true }, list: [{ a: 1 }, { a: 5 }] });
    expect(
      ['name', 'address.city', 'legacy.flag', 'list.0.a', 'address.nothing.more', 'nothing'].map((path) =>
        user.get(path),
      ),
    ).toEqual(['Ann', 'Rome', true, 1, undefined, undefined]);
    expect(
      user
        .set('address.city', 'Oslo')
        .set('address.geo.lat', 5)
        .set('fresh.deep' as string, 1)
        .set('list.0.a' as string, 2),
    ).toBe(user);
    expect(user.changes().map(({ path }) => path)).toEqual(['address.city', 'address.geo', 'list.0.a', 'fresh']);
    expect(user.toObject()).toMatchObject({
      address: { city: 'Oslo', geo: { lat: 5 } },
      fresh: { deep: 1 },
      list: [{ a: 2 }, { a: 5 }],
    });
    const removed: string[] = ['address.city', 'list.0', 'nothing.at.all', 'age'];
    for (const path of removed) expect(user.unset(path)).toBe(user);
    expect(user.toObject()).toMatchObject({ address: { geo: { lat: 5 } }, list: [null, { a: 5 }] });
    expect(user.age).toBeUndefined();
    expect(() => user.set('name.first' as string, 'x')).toThrow(UsageError);
    expect(() => user.set('name.first' as string, 'x')).toThrow('"name.first"');
  });

  it('reads and writes members of a Map by paths', () => {
    const user = new User({ name: 'x' });
    user.set('map' as string, new Map([['a', { b: 1 }]]));
    expect(user.get('map.a.b' as string)).toBe(1);
    user
      .set('map.a.b' as string, 2)
      .set('map.c' as string, 3)
      .unset('map.a.b' as string);
    expect(user.get('map' as string)).toEqual(
      new Map<string, unknown>([
        ['a', {}],
        ['c', 3],
      ]),
    );
    user.unset('map.c' as string);
    expect(user.get('map.c' as string)).toBeUndefined();
  });

  it('reads no inherited member by a path', () => {
    const user = User.hydrate(stored());
    expect(
      ['address.constructor', 'tags.length.x', 'constructor', '__proto__.polluted', 'address.__proto__'].map((path) =>
        user.get(path),
      ),
    ).toEqual(Array(5).fill(undefined));
    user.set('__proto__.polluted' as string, true);
    expect('polluted' in {}).toBe(false);
  });

  it('has an _id that stays', () => {
    const user = User.hydrate(stored());
    expect(() => Object.assign(user, { _id: new ObjectId() })).toThrow(UsageError);
    expect(() => user.set('_id', new ObjectId())).toThrow(UsageError);
    expect(() => user.unset('_id' as string)).toThrow(UsageError);
    const fresh = new User({ name: 'x' });
    const _id = new ObjectId();
    fresh.set('_id', _id);
    expect(fresh._id).toBe(_id);
  });

  it('shows its fields to JSON', () => {
    const user = User.hydrate({
      ...stored(),
      big: Long.fromString('9007199254740993'),
      bytes: Buffer.of(1, 2),
      extra: { n: 1 },
    });
    expect(JSON.parse(JSON.stringify(user))).toEqual({
      _id: user._id.toHexString(),
      name: 'Ann',
      age: 30,
      tags: ['a'],
      address: { city: 'Rome' },
      big: '9007199254740993',
      bytes: 'AQI=',
      extra: { n: 1 },
    });
    expect(user.isModified()).toBe(false);
  });

  it('shows its fields to console.log', () => {
    const user = User.hydrate(stored());
    user.name = 'Bob';
    const shown = inspect(user);
    expect(shown).toMatch(/^User {/);
    for (const part of [user._id.toHexString(), "name: 'Bob'", 'age: 30', "tags: [ 'a' ]", "city: 'Rome'"])
      expect(shown).toContain(part);
    expect(inspect({ deep: { deeper: user } })).toContain('User');
    expect(user.$state.changedFields()).toEqual(['name']);
  });

  it('gives copies in toObject()', () => {
    const user = User.hydrate(stored());
    user.toObject().tags.push('x');
    user.tags.push('b');
    user.toObject().tags.push('x');
    expect(user.toObject().tags).toEqual(['a', 'b']);
  });
});

describe('a class field', () => {
  it('that hides an accessor is an error at its first use', async () => {
    class Hiding extends model('hiding', { name: z.string(), age: z.int().optional() }) {
      override name = 'always';
    }
    expect(() => Hiding.hydrate({ _id: new ObjectId(), name: 'x' })).toThrow(UsageError);
    expect(() => Hiding.hydrate({ _id: new ObjectId(), name: 'x' })).toThrow('"name"');
    await expect(new Hiding({ name: 'x' }).save()).rejects.toThrow(UsageError);
    await expect(Hiding.create({ name: 'x' })).rejects.toThrow('declare name');
    await expect(Hiding.insertMany([{ name: 'x' }])).rejects.toThrow(UsageError);
  });

  it('that only declares one, or has a name of its own, is none', () => {
    class Fine extends model('fine', { name: z.string() }) {
      declare name: string;
      cache = new Map<string, string>();
    }
    const fine = Fine.hydrate({ _id: new ObjectId(), name: 'x' });
    expect([fine.name, fine.cache.size]).toEqual(['x', 0]);
    expect(Object.keys(fine.toObject())).toEqual(['_id', 'name']);
  });
});

describe('law 0', () => {
  class Any extends model('any', {
    a: z.unknown(),
    b: z.unknown().default('x'),
    name: z.any(),
    city: z.unknown().optional(),
    long: long().optional(),
  }) {}

  it('reading, showing and validating change nothing, in any document', async () => {
    await fc.assert(
      fc.asyncProperty(anyElements, async (elements) => {
        const any = Any.hydrate(documentBytes(elements));
        const read = () => {
          for (const name of any.$state.keys()) any.$state.get(name as never);
          for (const path of ['a', 'b.c', 'name', 'city.0', 'long', '__proto__.x']) any.get(path);
          void [any.a, any.b, any.name, any.city, any.long];
          any.toObject();
          JSON.stringify(any);
          inspect(any, { depth: null });
          any.changes();
        };
        read();
        await any.validate();
        read();
        expect([any.isModified(), any.changes(), any.$state.toUpdate()]).toEqual([false, [], null]);
      }),
      runs(300),
    );
  });
});
