import { describe, expect, expectTypeOf, it } from 'vitest';
import * as v from 'valibot';
import { ObjectId } from 'mongodb';
import { z } from 'zod';
import {
  type Change,
  type Document,
  long,
  model,
  objectId,
  type Query,
  SchemaError,
  UsageError,
} from '../../src/index.ts';

describe('model()', () => {
  it('makes a class to extend', () => {
    class User extends model('users', { name: z.string() }) {}
    const user = new User({ name: 'Ann' });
    expect(user).toBeInstanceOf(User);
    expect(user.constructor).toBe(User);
  });

  it.each([
    ['', 'is empty'],
    ['a$b', '"$"'],
    ['a\0b', 'zero byte'],
    ['system.users', 'system.'],
    [5, 'a string'],
    [undefined, 'a string'],
  ])('refuses the collection name %j', (name, reason) => {
    expect(() => model(name as string, { name: z.string() })).toThrow(UsageError);
    expect(() => model(name as string, { name: z.string() })).toThrow(reason);
  });

  it.each([
    [{ concurrency: 'wild' }, 'concurrency'],
    [{ version: true }, 'version'],
    [{ unknown: 'ignore' }, 'unknown'],
    [{ validate: 1 }, 'validate'],
    [{ history: 'yes' }, 'history'],
    [JSON.parse('{"__proto__":1}'), '__proto__'],
    [{ toString: 1 }, 'toString'],
  ])('refuses an option that it would have to ignore: %j', (options, name) => {
    expect(() => model('users', { name: z.string() }, options as never)).toThrow(UsageError);
    expect(() => model('users', { name: z.string() }, options as never)).toThrow(`"${name}"`);
  });

  it('takes its options, also when they say the default', () => {
    expect(() =>
      model('users', { name: z.string() }, { concurrency: 'merge', unknown: 'drop', validate: false }),
    ).not.toThrow();
    expect(() => model('users', {}, { validate: undefined } as never)).not.toThrow();
  });

  it('leaves one model alone when another is made', () => {
    class First extends model('first', { a: z.string() }) {}
    class Second extends model('second', { b: z.string() }) {}
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(First.prototype))).not.toContain('b');
    expect('a' in Second.prototype).toBe(false);
  });

  it('lets a subclass be extended', () => {
    class Base extends model('base', { name: z.string() }) {
      hello() {
        return `hello ${this.name}`;
      }
    }
    class Derived extends Base {
      override hello() {
        return `${super.hello()}!`;
      }
    }
    const derived = Derived.hydrate({ _id: new ObjectId(), name: 'Ann' });
    expect(derived).toBeInstanceOf(Derived);
    expect(derived.hello()).toBe('hello Ann!');
  });
});

describe('the types of a model', () => {
  class User extends model('users', {
    name: z.string(),
    age: z.int().optional(),
    tags: z.array(z.string()).default([]),
    length: z.union([z.string(), z.number()]).transform((size) => (typeof size === 'string' ? size.length : size)),
    nick: v.optional(v.string()),
    friend: objectId().optional(),
    balance: long(),
    address: z.object({ city: z.string() }).nullable(),
  }) {}
  class Keyed extends model('keyed', { _id: z.string(), name: z.string() }) {}

  const user = new User({ name: 'Ann', length: 'five', balance: 5, address: null });
  const keyed = new Keyed({ _id: 'x', name: 'Ann' });

  it('are those that the schemas give', () => {
    expectTypeOf(user.name).toEqualTypeOf<string>();
    expectTypeOf(user.age).toEqualTypeOf<number | undefined>();
    expectTypeOf(user.tags).toEqualTypeOf<string[]>();
    expectTypeOf(user.length).toEqualTypeOf<number>();
    expectTypeOf(user.nick).toEqualTypeOf<string | undefined>();
    expectTypeOf(user.friend).toEqualTypeOf<ObjectId | undefined>();
    expectTypeOf(user.balance).toEqualTypeOf<bigint>();
    expectTypeOf(user.address).toEqualTypeOf<{ city: string } | null>();
    expectTypeOf(user._id).toEqualTypeOf<ObjectId>();
    expectTypeOf(keyed._id).toEqualTypeOf<string>();
    expectTypeOf(user.toObject().tags).toEqualTypeOf<string[]>();
    expectTypeOf(user.get('age')).toEqualTypeOf<number | undefined>();
    expectTypeOf(user.get('legacy.flag' as string)).toEqualTypeOf<unknown>();
    expectTypeOf(user.changes()).toEqualTypeOf<Change[]>();
    expectTypeOf(() => user.save()).returns.resolves.toEqualTypeOf<User>();
    expectTypeOf(user.$state.getOriginal('tags')).toEqualTypeOf<string[] | undefined>();
    expectTypeOf(user).toExtend<Document<unknown>>();
    expect(user.tags).toEqual([]);
  });

  it('of statics follow the class', () => {
    const calls = () => {
      const query = User.find({ age: { $gt: 5 } }).sort('age');
      expectTypeOf(query).toEqualTypeOf<Query<User>>();
      expectTypeOf(User.find()).resolves.toEqualTypeOf<User[]>();
      expectTypeOf(query.first()).resolves.toEqualTypeOf<User | null>();
      expectTypeOf(User.findById(user._id)).resolves.toEqualTypeOf<User | null>();
      expectTypeOf(User.create({ name: 'x', length: 'x', balance: 1n, address: null })).resolves.toEqualTypeOf<User>();
      expectTypeOf(User.insertMany([user])).resolves.toEqualTypeOf<User[]>();
      expectTypeOf(User.insertMany([user], { return: 'ids' })).resolves.toEqualTypeOf<ObjectId[]>();
      expectTypeOf(Keyed.insertMany([keyed], { return: 'ids' })).resolves.toEqualTypeOf<string[]>();
      expectTypeOf(User.hydrate({})).toEqualTypeOf<User>();
      expectTypeOf(query.lean().first()).resolves.toExtend<{ name: string; tags?: string[]; _id: ObjectId } | null>();
    };
    expect(calls).toBeTypeOf('function');
  });

  it('refuse what the schema has not', () => {
    const calls = () => {
      // @ts-expect-error -- an unknown field
      user.nickname = 'x';
      // @ts-expect-error -- a number is no name
      user.name = 5;
      // @ts-expect-error -- _id stays
      user._id = new ObjectId();
      // @ts-expect-error -- a name is needed
      void new User({ length: 'x', balance: 1, address: null });
      // @ts-expect-error -- an unknown key
      void new User({ name: 'x', length: 'x', balance: 1, address: null, extra: 1 });
      // @ts-expect-error -- the schema takes a string or a number
      void User.create({ name: 'x', length: true, balance: 1, address: null });
      // @ts-expect-error -- a filter of the wrong type
      void User.find({ age: 'old' });
      // @ts-expect-error -- no filter is a string
      void Keyed.findOne('x');
      // @ts-expect-error -- upsert is no option of save()
      void user.save({ upsert: true });
      // @ts-expect-error -- what a query gives is fixed
      void User.find({}, { projection: { name: 1 } });
      // @ts-expect-error -- no such kind of concurrency
      model('users', {}, { concurrency: 'wild' });
    };
    expect(calls).toBeTypeOf('function');
  });

  it('refuse a field with the name of a member of every document, with a reason', () => {
    // @ts-expect-error -- "save" is a member of every document: give the field another name
    expect(() => model('users', { save: z.string() })).toThrow(SchemaError);
    // @ts-expect-error -- "$state" is one too
    expect(() => model('users', { $state: z.string() })).toThrow(SchemaError);
  });
});
