import type { BSON } from 'mongodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { limitsOf } from '../../src/connection/server-limits.ts';
import { model } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

/* Entries of writes that are sent together are announced and written together. */

class User extends model('users', { name: z.string(), n: z.int().default(0) }, { history: true }) {}
class Numbered extends model('numbered', { _id: z.bigint(), name: z.string() }, { history: true }) {}
class Place extends model(
  'places',
  { _id: z.string(), name: z.string() },
  { history: true, indexes: [{ key: { name: 1 }, unique: true }] },
) {}

const database = useDatabase();
/** Servers before MongoDB 8.0 take entries, and what removes announcements, by two commands. */
let lastCommands: number;
beforeAll(async () => {
  await Place.ensureIndexes();
  lastCommands = (await limitsOf(database.connection)).hasBulkWrite ? 1 : 2;
});
beforeEach(async () => {
  for (const name of ['users', 'users_history', 'places', 'places_history', 'numbered', 'numbered_history'])
    await database.db.collection(name).deleteMany({});
  database.sent();
});

const pending = (name: string): Promise<number> => database.db.collection(name).countDocuments({ pending: true });
const names = Array.from({ length: 25 }, (_, i) => `n${i}`);
const entries = async (): Promise<BSON.Document[]> =>
  database.db
    .collection('users_history')
    .find({ pending: { $exists: false } })
    .toArray();

describe('the history of', () => {
  it('25 documents of insertMany() takes two commands beside the insert', async () => {
    const users = await User.insertMany(names.map((name) => ({ name })));
    expect(database.sent().map((command) => Object.keys(command)[0])).toHaveLength(2 + lastCommands);
    expect(await pending('users_history')).toBe(0);
    expect((await entries()).map(({ kind }) => kind as string)).toEqual(Array(25).fill('insert'));
    for (const user of users) {
      expect(user.$revision).toBe(1);
      expect((await user.$history()).items.map(({ revision }) => revision)).toEqual([1]);
    }
  });

  it('25 new documents of saveAll() takes two commands beside the insert', async () => {
    await User.saveAll(names.map((name) => new User({ name })));
    expect(database.sent()).toHaveLength(2 + lastCommands);
    expect(await entries()).toHaveLength(25);
    expect(await pending('users_history')).toBe(0);
  });

  it('25 updates takes two commands beside the updates', async () => {
    const users = await User.insertMany(names.map((name) => ({ name })));
    for (const user of users) user.n = 5;
    database.sent();
    await User.saveAll(users);
    expect(database.sent()).toHaveLength(25 + 1 + lastCommands);
    for (const user of users) {
      const { items } = await user.$history();
      expect(items.map(({ revision, kind }) => [revision, kind])).toEqual([
        [2, 'update'],
        [1, 'insert'],
      ]);
      expect(items[0]?.changes).toMatchObject([{ path: 'n', from: 0, to: 5 }]);
    }
    expect(await pending('users_history')).toBe(0);
  });

  it('a single update takes two commands beside it', async () => {
    const user = await User.create({ name: 'a' });
    user.n = 1;
    database.sent();
    await user.save();
    expect(database.sent().length).toBeLessThanOrEqual(4);
  });

  it('inserts in a transaction goes with them', async () => {
    await database.connection.transaction(async () => {
      await User.insertMany(names.map((name) => ({ name })));
    });
    expect(await entries()).toHaveLength(25);
    expect(await pending('users_history')).toBe(0);
    await expect(
      database.connection.transaction(async () => {
        await User.insertMany([{ name: 'x' }]);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await entries()).toHaveLength(25);
  });
});

describe('of writes that are sent together', () => {
  it('those that are refused leave nothing, and the others have their entries', async () => {
    const inserting = Place.insertMany(
      ['a', 'b', 'a', 'c'].map((name, i) => ({ _id: `p${i}`, name })),
      { ordered: false },
    );
    await expect(inserting).rejects.toMatchObject({
      results: [{ outcome: 'inserted' }, { outcome: 'inserted' }, { outcome: 'failed' }, { outcome: 'inserted' }],
    });
    const lengths = [];
    for (const id of ['p0', 'p1', 'p2', 'p3']) lengths.push((await Place.history(id)).items.length);
    expect(lengths).toEqual([1, 1, 0, 1]);
    expect(await pending('places_history')).toBe(0);
  });

  it('an insert and updates of one saveAll(), one of them refused', async () => {
    const [a, b] = await Place.insertMany([
      { _id: 'a', name: 'a' },
      { _id: 'b', name: 'b' },
      { _id: 'd', name: 'taken' },
    ]);
    if (a === undefined || b === undefined) throw new Error('not inserted');
    a.name = 'a2';
    b.name = 'taken';
    const c = new Place({ _id: 'c', name: 'c' });
    await expect(Place.saveAll([a, b, c], { ordered: false })).rejects.toMatchObject({
      results: [{ outcome: 'updated' }, { outcome: 'failed' }, { outcome: 'inserted' }],
    });
    const kinds = async (id: string) => (await Place.history(id)).items.map(({ kind }) => kind);
    expect([await kinds('a'), await kinds('b'), await kinds('c')]).toEqual([
      ['update', 'insert'],
      ['insert'],
      ['insert'],
    ]);
    expect(await pending('places_history')).toBe(0);
  });

  it('documents whose _id was there before go on where that ended', async () => {
    const [first] = await Place.insertMany([{ _id: 'a', name: 'a' }]);
    await first?.delete();
    const [again] = await Place.insertMany([
      { _id: 'a', name: 'a' },
      { _id: 'b', name: 'b' },
    ]);
    expect(again?.$revision).toBe(3);
    expect((await Place.history('a')).items.map(({ revision }) => revision)).toEqual([3, 2, 1]);
  });

  it('documents with an _id of another number type than before go on, too, in a transaction as well', async () => {
    const histories = database.db.collection<{ _id: object }>('numbered_history');
    await histories.insertMany([
      { _id: { doc: 5, rev: 1 } },
      { _id: { doc: 5.5, rev: 4 } },
      { _id: { doc: 5, rev: 2 } },
    ]);
    await database.connection.transaction(async () => {
      await Numbered.insertMany([
        { _id: 6n, name: 'a' },
        { _id: 5n, name: 'b' },
      ]);
    });
    const stored = await database.db.collection('numbered').find().sort({ _id: 1 }).toArray();
    expect(stored.map(({ _rev }) => _rev as number)).toEqual([3, 1]);
  });

  it('a revision that is taken already is told by the next free one', async () => {
    await database.db.collection('users_history').deleteMany({});
    const user = new User({ name: 'a' });
    await database.db
      .collection<{ _id: object }>('users_history')
      .insertOne({ _id: { doc: user._id, rev: 1 }, id: user._id } as never);
    await User.insertMany([user, { name: 'b' }]);
    const stored = await database.db.collection('users').findOne({ _id: user._id });
    expect(stored?.['_rev']).toBe(2);
    expect(await pending('users_history')).toBe(0);
    expect(await entries()).toHaveLength(3);
    expect(user.$revision).toBe(2);
  });

  it('a document that was written past the mapper has the free revision in memory, too', async () => {
    const [user] = await User.insertMany([{ name: 'a' }]);
    if (user === undefined) throw new Error('not inserted');
    user.name = 'b';
    await user.save();
    await database.db.collection('users').updateOne({ _id: user._id }, { $unset: { _rev: '', _revId: '' } });
    user.name = 'c';
    const other = new User({ name: 'd' });
    await User.saveAll([user, other]);
    expect(user.$revision).toBe(3);
    user.name = 'e';
    await User.saveAll([user]);
    expect((await user.$history()).items.map(({ revision }) => revision)).toEqual([4, 3, 2, 1]);
  });

  it('a new document has the free revision in memory, too', async () => {
    const user = new User({ name: 'a' });
    await database.db
      .collection<{ _id: object }>('users_history')
      .insertOne({ _id: { doc: user._id, rev: 1 }, id: user._id } as never);
    await User.saveAll([user, new User({ name: 'b' })]);
    expect(user.$revision).toBe(2);
    user.name = 'c';
    await user.save();
    expect(user.$revision).toBe(3);
  });
});
