import { MongoServerError, ObjectId } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DocumentNotFoundError, DuplicateKeyError, model, UsageError, ValidationError } from '../../src/index.ts';
import { type Command, onlyStatement, onlyUpdate, useDatabase } from '../support/database.ts';

class User extends model('users', {
  name: z.string().min(1),
  email: z.string().optional(),
  tags: z.array(z.string()).default([]),
  address: z.object({ city: z.string(), zip: z.string() }).optional(),
  scores: z.record(z.string(), z.number()).optional(),
  items: z.array(z.object({ sku: z.string(), qty: z.int() })).optional(),
}) {}

const database = useDatabase();

type UserInput = ConstructorParameters<typeof User>[0];

/** A document as it is loaded, with nothing sent since. */
async function stored(input: Partial<UserInput> = {}): Promise<User> {
  const { _id } = await User.create({ name: 'Ann', ...input });
  const user = await User.findById(_id);
  if (user === null) throw new Error('Expected the document to be stored');
  database.sent();
  return user;
}

const raw = (user: User) => database.db.collection('users').findOne({ _id: user._id });
const names = (commands: readonly Command[]) => commands.map((command) => Object.keys(command)[0]);

describe('save()', () => {
  it('inserts a new document, _id first', async () => {
    const user = new User({ name: 'Ann', tags: ['a'] });
    expect(user.$isNew).toBe(true);
    database.sent();
    await expect(user.save()).resolves.toBe(user);
    const statement = onlyStatement(database.sent());
    expect(statement).toEqual({ _id: user._id, name: 'Ann', tags: ['a'] });
    expect(Object.keys(statement)[0]).toBe('_id');
    expect(user.$isNew).toBe(false);
    expect(user.$previousChanges().map(({ path }) => path)).toEqual(['_id', 'name', 'tags']);
  });

  it('sends nothing for an unchanged document', async () => {
    const user = await stored({ tags: ['a'], address: { city: 'Rome', zip: '1' } });
    expect([user.tags, user.address, user.name]).toEqual([['a'], { city: 'Rome', zip: '1' }, 'Ann']);
    await user.save();
    user.name = 'Bob';
    user.name = 'Ann';
    user.tags.push('b');
    user.tags.pop();
    await user.save();
    expect(database.sent()).toEqual([]);
  });

  it('sends nothing the second time', async () => {
    const user = new User({ name: 'Ann', tags: ['a'] });
    await user.save();
    user.tags.push('b');
    user.address = { city: 'Rome', zip: '1' };
    await user.save();
    database.sent();
    await user.save();
    expect(database.sent()).toEqual([]);
  });

  it('sends the smallest update of each kind of change', async () => {
    const user = await stored({
      email: 'a@b.c',
      tags: ['a'],
      address: { city: 'Rome', zip: '1' },
      scores: { math: 1, art: 2 },
    });
    user.name = 'Bob';
    user.tags.push('b', 'c');
    user.email = undefined;
    if (user.address !== undefined) user.address.city = 'Oslo';
    delete user.scores?.['art'];
    await user.save();
    expect(onlyUpdate(database.sent())).toEqual({
      $set: { name: 'Bob', 'address.city': 'Oslo' },
      $push: { tags: { $each: ['b', 'c'] } },
      $unset: { email: '', 'scores.art': '' },
    });
    expect(await raw(user)).toEqual({
      _id: user._id,
      name: 'Bob',
      tags: ['a', 'b', 'c'],
      address: { city: 'Oslo', zip: '1' },
      scores: { math: 1 },
    });
  });

  it('finds the document by its _id alone', async () => {
    const user = await stored();
    user.name = 'Bob';
    await user.save();
    expect(onlyStatement(database.sent())['q']).toEqual({ _id: user._id });
  });

  it('changes an element in place only while it is as it was', async () => {
    const user = await stored({
      items: [
        { sku: 'a', qty: 1 },
        { sku: 'b', qty: 2 },
      ],
    });
    const second = user.items?.[1];
    if (second !== undefined) second.qty = 5;
    await database.db
      .collection<{ items: object[] }>('users')
      .updateOne({ _id: user._id }, { $push: { items: { $each: [{ sku: 'z', qty: 9 }], $position: 0 } } });
    await user.save();
    // Another element stands in its place: the array in memory is written.
    expect((await raw(user))?.['items']).toEqual([
      { sku: 'a', qty: 1 },
      { sku: 'b', qty: 5 },
    ]);
  });

  it('leaves what another writer changed elsewhere', async () => {
    const mine = await stored({ tags: ['a'], address: { city: 'Rome', zip: '1' } });
    const theirs = await User.findById(mine._id);
    if (theirs?.address === undefined || mine.address === undefined) throw new Error('Expected an address');
    theirs.address.zip = '2';
    theirs.tags.push('theirs');
    await theirs.save();
    mine.address.city = 'Oslo';
    mine.tags.push('mine');
    await mine.save();
    expect(await raw(mine)).toMatchObject({ address: { city: 'Oslo', zip: '2' }, tags: ['a', 'theirs', 'mine'] });
  });

  it('writes the value in memory where another writer changed the shape', async () => {
    const user = await stored({ tags: ['a'], address: { city: 'Rome', zip: '1' } });
    user.tags.push('b');
    if (user.address !== undefined) user.address.city = 'Oslo';
    await database.db.collection('users').updateOne({ _id: user._id }, { $set: { tags: null, address: 5 } });
    database.sent();
    await user.save();
    expect(names(database.sent())).toEqual(['update', 'update']);
    expect(await raw(user)).toMatchObject({ tags: ['a', 'b'], address: { city: 'Oslo', zip: '1' } });
    expect(user.isModified()).toBe(false);
  });

  it('passes the options of the driver on', async () => {
    const user = await stored();
    user.name = 'Bob';
    await user.save({ comment: 'from a test', writeConcern: { w: 1 } });
    const [command] = database.sent();
    expect(command).toMatchObject({ comment: 'from a test', writeConcern: { w: 1 } });
  });

  it('keeps the containers that were handed out', async () => {
    const user = new User({ name: 'Ann', tags: ['a'] });
    const { tags } = user;
    await user.save();
    expect(user.tags).toBe(tags);
    tags.push('b');
    expect(user.isModified('tags')).toBe(true);
    await user.save();
    expect(user.tags).toBe(tags);
    expect((await raw(user))?.['tags']).toEqual(['a', 'b']);
  });

  it('refuses write concern 0', async () => {
    const user = await stored();
    user.name = 'Bob';
    const error: unknown = await user.save({ writeConcern: { w: 0 } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain('write concern 0');
    expect(database.sent()).toEqual([]);
    expect(user.isModified('name')).toBe(true);
  });
});

describe('a save that is refused', () => {
  beforeEach(async () => {
    await database.db.collection('users').deleteMany({});
    await database.db.collection('users').createIndex({ email: 1 }, { unique: true, sparse: true });
  });

  it('is a DuplicateKeyError for an insert under a unique index, and may be repeated', async () => {
    await User.create({ name: 'Ann', email: 'x' });
    const user = new User({ name: 'Bob', email: 'x' });
    const error: unknown = await user.save().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DuplicateKeyError);
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_DUPLICATE_KEY', model: 'users', id: user._id });
    expect((error as Error).message).toContain('"email"');
    expect((error as Error).cause).toBeInstanceOf(MongoServerError);
    expect(user.$isNew).toBe(true);
    user.email = 'y';
    await user.save();
    expect(await raw(user)).toMatchObject({ name: 'Bob', email: 'y' });
  });

  it('is a DuplicateKeyError for an _id that is taken', async () => {
    const { _id } = await User.create({ name: 'Ann' });
    const user = new User({ _id, name: 'Bob' });
    await expect(user.save()).rejects.toThrow(DuplicateKeyError);
    expect((await raw(user))?.['name']).toBe('Ann');
  });

  it('is a DuplicateKeyError for an update, and leaves the changes', async () => {
    await User.create({ name: 'Ann', email: 'x' });
    const user = await stored({ name: 'Bob', email: 'y' });
    user.email = 'x';
    user.tags.push('a');
    await expect(user.save()).rejects.toThrow(DuplicateKeyError);
    expect(user.$state.changedFields().toSorted()).toEqual(['email', 'tags']);
    expect(user.$previousChanges()).toEqual([]);
    user.email = 'y';
    await user.save();
    expect(await raw(user)).toMatchObject({ email: 'y', tags: ['a'] });
  });

  it("is a ValidationError for a document that the collection's validator refuses, and leaves the changes", async () => {
    const user = await stored({ name: 'Bob' });
    await database.db.command({ collMod: 'users', validator: { name: { $ne: 'Mallory' } } });
    try {
      user.name = 'Mallory';
      const error: unknown = await user.save().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ValidationError);
      expect(error).toMatchObject({ issues: [{ path: 'name' }], cause: { code: 121 } });
      expect(user.isModified('name')).toBe(true);
      expect((await raw(user))?.['name']).toBe('Bob');
      user.name = 'Carol';
      await user.save();
      expect((await raw(user))?.['name']).toBe('Carol');
      const fresh = new User({ name: 'Mallory' });
      await expect(fresh.save()).rejects.toThrow(ValidationError);
      expect(fresh.$isNew).toBe(true);
    } finally {
      await database.db.command({ collMod: 'users', validator: {} });
    }
  });

  it('is a ValidationError before anything is sent', async () => {
    const user = await stored();
    user.name = '';
    user.address = { city: 'Rome' } as never;
    const error: unknown = await user.save().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues.map(({ path }) => path).toSorted()).toEqual(['address.zip', 'name']);
    expect(database.sent()).toEqual([]);
    await user.save({ validate: false });
    expect(await raw(user)).toMatchObject({ name: '', address: { city: 'Rome' } });
  });
});

describe('a document that is gone', () => {
  it('cannot be saved after another writer deleted it', async () => {
    const user = await stored();
    await User.deleteMany({ _id: user._id });
    user.name = 'Bob';
    const error: unknown = await user.save().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DocumentNotFoundError);
    expect(error).toMatchObject({ model: 'users', id: user._id });
    expect(user.isModified('name')).toBe(true);
    expect(await raw(user)).toBeNull();
  });

  it('cannot be saved after its own delete()', async () => {
    const user = await stored();
    await expect(user.delete()).resolves.toBe(true);
    await expect(user.save()).rejects.toThrow(DocumentNotFoundError);
    user.name = 'Bob';
    await expect(user.save()).rejects.toThrow(DocumentNotFoundError);
    expect(await raw(user)).toBeNull();
  });

  it('is not there to delete or to reload', async () => {
    const user = await stored();
    await User.deleteMany({ _id: user._id });
    await expect(user.reload()).rejects.toThrow(DocumentNotFoundError);
    await expect(user.delete()).resolves.toBe(false);
  });

  it('was never there when it is new', async () => {
    const user = new User({ name: 'Ann' });
    await expect(user.delete()).resolves.toBe(false);
    await expect(user.reload()).rejects.toThrow(UsageError);
    await user.save();
    expect(await raw(user)).not.toBeNull();
  });

  it('can be saved again once it is back', async () => {
    const user = await stored();
    await user.delete();
    await database.db.collection('users').insertOne({ _id: user._id, name: 'Back' });
    await user.reload();
    expect(user.name).toBe('Back');
    user.name = 'Bob';
    await user.save();
    expect((await raw(user))?.['name']).toBe('Bob');
  });
});

describe('reload() and rollback()', () => {
  it('reads what is stored and drops the changes', async () => {
    const user = await stored({ tags: ['a'] });
    const { tags } = user;
    user.name = 'Bob';
    await database.db.collection('users').updateOne({ _id: user._id }, { $set: { tags: ['x'] } });
    await expect(user.reload()).resolves.toBe(user);
    expect([user.name, user.tags, user.isModified()]).toEqual(['Ann', ['x'], false]);
    tags.push('detached');
    expect(user.isModified()).toBe(false);
  });

  it('goes back to the last save, of one field or of all', async () => {
    const user = await stored({ tags: ['a'] });
    const { tags } = user;
    tags.push('b');
    user.name = 'Bob';
    user.rollback('tags');
    expect([user.tags, user.name]).toEqual([['a'], 'Bob']);
    tags.push('detached');
    expect(user.isModified('tags')).toBe(false);
    user.rollback();
    expect([user.name, user.isModified()]).toEqual(['Ann', false]);
  });
});

describe('insertMany()', () => {
  it('inserts all in one command', async () => {
    const fresh = new User({ name: 'Bob' });
    database.sent();
    const users = await User.insertMany([{ name: 'Ann' }, fresh]);
    const commands = database.sent();
    expect(names(commands)).toEqual(['insert']);
    expect(users[1]).toBe(fresh);
    expect(users.map((user) => [user.name, user.$isNew, user.isModified()])).toEqual([
      ['Ann', false, false],
      ['Bob', false, false],
    ]);
  });

  it('gives the _ids alone when asked', async () => {
    const ids = await User.insertMany([{ name: 'Ann' }, { name: 'Bob' }], { return: 'ids' });
    expect(ids.every((id) => id instanceof ObjectId)).toBe(true);
    expect(await User.count({ _id: { $in: ids } })).toBe(2);
  });

  it('sends nothing for an empty list', async () => {
    database.sent();
    expect(await User.insertMany([])).toEqual([]);
    expect(database.sent()).toEqual([]);
  });

  it('sends nothing when one is refused, and says which', async () => {
    database.sent();
    const error: unknown = await User.insertMany([{ name: 'Ann' }, { name: '' }]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues[0]).toMatchObject({ path: '1.name', keys: [1, 'name'] });
    expect((error as ValidationError).issues[0]?.value).toBe('');
    expect(database.sent()).toEqual([]);
  });

  it('stores what validation refuses when it is off', async () => {
    const [user] = await User.insertMany([{ name: '' }], { validate: false });
    expect(user === undefined ? null : await raw(user)).toMatchObject({ name: '' });
  });

  it('takes new documents only', async () => {
    const user = await stored();
    await expect(User.insertMany([user])).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });

  it('refuses write concern 0', async () => {
    database.sent();
    await expect(User.insertMany([{ name: 'Ann' }], { writeConcern: { w: 0 } })).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });

  it.each([
    { ordered: true, stored: [true, false, false] },
    { ordered: false, stored: [true, false, true] },
  ])(
    'knows which of them are stored after a duplicate key, ordered: $ordered',
    async ({ ordered, stored: expected }) => {
      const _id = new ObjectId();
      const users = [new User({ name: 'a', _id }), new User({ name: 'b', _id }), new User({ name: 'c' })];
      await expect(User.insertMany(users, { ordered })).rejects.toMatchObject({ code: 'DATA_BRIDGE_BULK_SAVE' });
      expect(users.map((user) => !user.$isNew)).toEqual(expected);
      expect(await User.count({ _id: { $in: users.map((user) => user._id) } })).toBe(expected.filter(Boolean).length);
    },
  );
});
