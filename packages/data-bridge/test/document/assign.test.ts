import { Decimal128, ObjectId } from 'mongodb';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { decimal, model, stored, transaction, ValidationError } from '../../src/index.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

const fields = {
  name: z.string(),
  age: z.int().optional(),
  tags: z.array(z.string()).default([]),
  address: z.object({ city: z.string(), zip: z.string().optional() }).optional(),
  price: decimal().optional(),
  minimum: stored('min', z.number().optional()),
};

class User extends model('users', fields, { timestamps: true, version: 'edition' }) {
  get label(): string {
    return this.name;
  }

  set shout(name: string) {
    this.name = name.toUpperCase();
  }
}
class Dropping extends model('dropping', fields, { unknown: 'drop', timestamps: true }) {}
class Keeping extends model('keeping', fields, { unknown: 'keep', timestamps: { createdAt: 'made' } }) {}
class Recorded extends model('recorded', { name: z.string() }, { history: true, unknown: 'keep' }) {}

const database = useDatabase();
afterEach(() => Promise.all([User.deleteMany({}), Dropping.deleteMany({}), Keeping.deleteMany({})]));

/** What a client sends: nobody checked its keys. */
const body = (json: string): never => JSON.parse(json) as never;

function issuesOf(call: () => unknown): Record<string, string> {
  try {
    call();
  } catch (error) {
    if (error instanceof ValidationError)
      return Object.fromEntries(error.issues.map(({ path, message }) => [path, message]));
    throw error;
  }
  return {};
}

describe('assign()', () => {
  it('sets the fields that it is given and no others, and is sent as they are', async () => {
    const user = await User.create({ name: 'Ann', age: 30, tags: ['a'], address: { city: 'Rome', zip: '1' } });
    database.sent();
    expect(user.assign({ name: 'Bob', address: { city: 'Oslo', zip: '1' }, minimum: 5 })).toBe(user);
    await user.save();
    const update = onlyUpdate(database.sent()) as { $set: object };
    expect(update.$set).toEqual({ name: 'Bob', 'address.city': 'Oslo', min: 5 });
    const saved = (await User.findById(user._id))!;
    expect([saved.name, saved.age, saved.tags, saved.minimum]).toEqual(['Bob', 30, ['a'], 5]);
  });

  it('replaces an object as an assignment does', async () => {
    const user = await User.create({ name: 'Ann', address: { city: 'Rome', zip: '1' } });
    user.assign({ address: { city: 'Oslo' } });
    expect(user.address).toEqual({ city: 'Oslo' });
  });

  it('leaves what is undefined, and what is equal is no change', async () => {
    const user = await User.create({ name: 'Ann', age: 30, tags: ['a'] });
    user.assign({ age: undefined, name: 'Ann', tags: ['a'] });
    expect(user.isModified()).toBe(false);
    expect(user.age).toBe(30);
  });

  it('copies values, so that input and document change apart', async () => {
    const input = { tags: ['a'], address: { city: 'Rome' } };
    const [one, two] = [new User({ name: '1' }).assign(input), new User({ name: '2' }).assign(input)];
    one.tags.push('b');
    one.address!.city = 'Oslo';
    expect(input).toEqual({ tags: ['a'], address: { city: 'Rome' } });
    expect(two.address).toEqual({ city: 'Rome' });
  });

  it('leaves values to validation, as an assignment does', async () => {
    const user = await User.create({ name: 'Ann' });
    user.assign(body('{ "age": "thirty", "price": "1.5" }'));
    await expect(user.save()).rejects.toThrow('"age"');
    user.age = 3;
    await user.save();
    expect((await User.findById(user._id))?.price).toEqual(Decimal128.fromString('1.5'));
  });

  it('never assigns an _id, times or counters, nor methods and accessors, and names them all', async () => {
    const user = await User.create({ name: 'Ann' });
    const before = user.toObject();
    const input = body(
      `{ "name": "Bob", "_id": "${new ObjectId().toHexString()}", "createdAt": "2020-01-01", "updatedAt": 1, "edition": 9,
      "save": 1, "toObject": 1, "label": 1, "shout": "x", "$inc": 1, "__proto__": { "admin": true }, "constructor": 1,
      "address.city": "x", "min": 1, "role": "admin" }`,
    );
    const refused = issuesOf(() => user.assign(input));
    const own = 'it identifies the document or is written by the mapper, and cannot be assigned';
    expect(refused).toMatchObject({ _id: own, createdAt: own, updatedAt: own, edition: own });
    expect(refused['min']).toBe('the field that is stored so is called "minimum" here');
    const unknown = Object.keys(refused).filter((name) => refused[name] === 'the schema has no such field');
    expect(unknown.toSorted()).toEqual(
      ['$inc', '__proto__', 'address.city', 'constructor', 'label', 'role', 'save', 'shout', 'toObject'].toSorted(),
    );
    // Nothing was set, the good field neither.
    expect(user.toObject()).toEqual(before);
    expect(user.isModified()).toBe(false);
    expect(Object.keys(user)).toEqual([]);
    expect(({} as { admin?: boolean }).admin).toBe(undefined);
  });

  it('tells no values', () => {
    const user = new User({ name: 'Ann' });
    const call = (): unknown => user.assign(body('{ "role": "hunter2" }'));
    expect(call).toThrow(expect.objectContaining({ code: 'DATA_BRIDGE_VALIDATION', model: 'users', id: user._id }));
    expect(call).toThrow(/^Validation failed for "role": the schema has no such field\.$/);
    try {
      call();
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain('hunter2');
      expect((error as ValidationError).issues[0]?.value).toBe('hunter2');
    }
  });

  it("drops what the schema does not name with unknown: 'drop'", async () => {
    const user = await Dropping.create({ name: 'Ann' });
    const { createdAt, _id } = user;
    user.assign(
      body('{ "name": "Bob", "role": "admin", "_id": 1, "createdAt": 1, "min": 7, "save": 1, "__proto__": 1 }'),
    );
    await user.save();
    expect((await Dropping.findById(_id))?.toObject()).toEqual({
      _id,
      name: 'Bob',
      tags: [],
      createdAt,
      updatedAt: expect.any(Date),
    });
  });

  it("keeps it with unknown: 'keep', beside methods, and still never what is the mapper's own", async () => {
    const user = await Keeping.create({ name: 'Ann' });
    user.assign(body('{ "role": "admin", "save": "me", "__proto__": { "x": 1 } }'));
    await user.save();
    const raw = await database.db.collection('keeping').findOne({ _id: user._id });
    expect(raw).toMatchObject({ role: 'admin', save: 'me' });
    expect(Object.getOwnPropertyDescriptor(raw, '__proto__')?.value).toEqual({ x: 1 });
    expect(Object.keys(issuesOf(() => user.assign(body('{ "_id": 1, "made": 1, "min": 1, "more": 1 }'))))).toEqual([
      '_id',
      'made',
      'min',
    ]);
    const recorded = new Recorded({ name: 'Ann' });
    expect(Object.keys(issuesOf(() => recorded.assign(body('{ "_rev": 1, "_revId": 1 }'))))).toEqual([
      '_rev',
      '_revId',
    ]);
  });

  it('sets nothing of a document that was loaded in part where a member of what it replaces was not', async () => {
    const { _id } = await User.create({ name: 'Ann', address: { city: 'Rome', zip: '1' } });
    const part = await User.find({ _id }).select('name', 'address.city').one();
    expect(() => part.assign({ name: 'Bob', address: { city: 'x' } })).toThrow('loaded in part');
    expect(part.isModified()).toBe(false);
    part.assign({ name: 'Bob' });
    await part.save();
    expect((await User.findById(_id))?.toObject()).toMatchObject({ name: 'Bob', address: { city: 'Rome', zip: '1' } });
  });

  it('is taken back with the transaction that it was called in', async () => {
    const user = await User.create({ name: 'Ann' });
    const failed = transaction(async () => {
      await user.assign({ name: 'Bob' }).save();
      throw new Error('back');
    });
    await expect(failed).rejects.toThrow('back');
    expect(user.name).toBe('Ann');
  });

  it.each([null, 5, 'text', [], [1], new Map([['name', 'Bob']]), new Date(), Promise.resolve({ name: 'Bob' })])(
    'refuses what is no object of fields: %o',
    (input) => {
      expect(() => new User({ name: 'Ann' }).assign(input as never)).toThrow(
        /^assign\(\) takes an object of fields, got/,
      );
    },
  );

  it('refuses another document, and takes objects without a prototype and of classes', () => {
    const user = new User({ name: 'Ann' });
    // @ts-expect-error -- nor do its types take one
    expect(() => user.assign(new User({ name: 'Bob' }))).toThrow('not a document');
    class Input {
      name = 'class';
    }
    expect(user.assign(new Input()).name).toBe('class');
    expect(user.assign(Object.assign(Object.create(null), { name: 'bare' }) as object).name).toBe('bare');
  });

  it('takes the fields that can be set, by their types', () => {
    const user = new User({ name: 'Ann' });
    type Taken = Parameters<typeof user.assign>[0];
    expectTypeOf<Extract<keyof Taken, string>>().toEqualTypeOf<
      'name' | 'age' | 'tags' | 'address' | 'price' | 'minimum'
    >();
    const wrong = (): void => {
      // @ts-expect-error -- a number
      user.assign({ name: 5 });
      // @ts-expect-error -- what a spread document has
      user.assign({ ...user });
      // @ts-expect-error -- no such field
      user.assign({ nmae: 'x' });
      // @ts-expect-error -- not the mapper's own
      user.assign({ _id: new ObjectId() });
      // @ts-expect-error -- not the mapper's own
      user.assign({ createdAt: new Date() });
      // @ts-expect-error -- no method
      user.assign({ save: 5 });
    };
    expect(wrong).toBeTypeOf('function');
  });
});

describe('delete of a field', () => {
  it('works inside of fields, where values are plain', async () => {
    const user = await User.create({ name: 'Ann', address: { city: 'Rome', zip: '1' } });
    delete user.address!.zip;
    await user.save();
    expect((await User.findById(user._id))?.address).toEqual({ city: 'Rome' });
  });

  it('of a document is refused by the compiler, for it would do nothing', () => {
    const user = new User({ name: 'Ann', age: 5 });
    // @ts-expect-error -- a field of a document is no property that could be deleted
    delete user.name;
    // @ts-expect-error -- an optional one neither, with exactOptionalPropertyTypes
    delete user.age;
    expect(user.toObject()).toMatchObject({ name: 'Ann', age: 5 });
    // No class can see it: not even of a frozen object is the deletion of what is no own property an error.
    expect(Reflect.deleteProperty(Object.freeze(Object.create({ age: 5 }) as object), 'age')).toBe(true);
    expect(user.unset('age').age).toBe(undefined);
  });
});
