import { ObjectId } from 'mongodb';
import { inspect } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { long, model, objectId, ref, UsageError } from '../../src/index.ts';
import { objectId as zodObjectId } from '../../src/zod.ts';
import { type Command, useDatabase } from '../support/database.ts';

class User extends model('users', {
  name: z.string(),
  age: z.int(),
  status: z.string().default('active'),
  friend: objectId().optional(),
  balance: long().optional(),
}) {}

const database = useDatabase();
beforeAll(async () => {
  await User.insertMany(
    Array.from({ length: 10 }, (_, i) => ({
      name: `User0${i}`,
      age: (i * 7) % 10,
      status: i % 2 === 0 ? 'even' : 'odd',
    })),
  );
});
beforeEach(() => {
  database.sent();
});

const namesOf = (users: readonly { name: string }[]) => users.map(({ name }) => name);
const commandNames = (commands: readonly Command[]) => commands.map((command) => Object.keys(command)[0]);

describe('a query', () => {
  it('sends nothing before it is awaited', async () => {
    const query = User.find({ status: 'even' }).sort('age').limit(2);
    await Promise.resolve();
    expect(database.sent()).toEqual([]);
    expect(await query).toHaveLength(2);
    expect(database.sent()).toMatchObject([{ find: 'users', filter: { status: 'even' }, limit: 2 }]);
  });

  it('runs each time it is awaited', async () => {
    const query = User.find();
    expect(await query).toHaveLength(10);
    expect(await query).toHaveLength(10);
    expect(commandNames(database.sent())).toEqual(['find', 'find']);
  });

  it('is left as it is by each method', async () => {
    const all = User.find().sort({ age: 1 });
    const some = all.skip(2).limit(3);
    const other = all.sort({ name: -1 });
    expect([(await all).length, (await some).length, (await other).length]).toEqual([10, 3, 10]);
    const sorts = database.sent().map((command) => [...(command['sort'] as Map<string, number>)]);
    expect(sorts).toEqual([
      [['age', 1]],
      [['age', 1]],
      [
        ['age', 1],
        ['name', -1],
      ],
    ]);
    expect([User.find().sortedBy, all.sortedBy, other.sortedBy]).toEqual([[], ['age'], ['age', 'name']]);
  });

  it('does not follow what the program does to the filter afterwards', async () => {
    const filter = { age: { $gt: 5 }, $or: [{ status: 'even' }] };
    const query = User.find(filter);
    filter.age.$gt = 100;
    filter.$or.push({ status: 'odd' });
    await query;
    expect(database.sent()[0]).toMatchObject({ filter: { age: { $gt: 5 }, $or: [{ status: 'even' }] } });
  });

  it('sorts, skips and limits', async () => {
    expect(namesOf(await User.find().sort({ age: -1 }).limit(2))).toEqual(['User07', 'User04']);
    expect(namesOf(await User.find().sort('name').skip(3).limit(3))).toEqual(['User03', 'User04', 'User05']);
    expect(namesOf(await User.find().sort('status').sort({ age: 1 }).limit(1))).toEqual(['User00']);
    expect(await User.find().skip(0).limit(0)).toHaveLength(10);
    expect(namesOf(await User.find({}, { sort: [['name', -1]] }).limit(1))).toEqual(['User09']);
    expect(namesOf(await User.find({}, { sort: 'name' }).sort({ age: 1 }).limit(1))).toEqual(['User00']);
    expect(
      namesOf(
        await User.find()
          .sort(new Map([['name', -1 as const]]))
          .limit(1),
      ),
    ).toEqual(['User09']);
    expect(namesOf(await User.find().sort(['status', 'name']).limit(1))).toEqual(['User00']);
  });

  it.each([-1, 1.5, Number.NaN, '3'])('takes no %s for a count', (count) => {
    expect(() => User.find().skip(count as number)).toThrow(UsageError);
    expect(() => User.find().limit(count as number)).toThrow(UsageError);
  });

  it('takes no number for a sort', () => {
    expect(() => User.find().sort(5 as never)).toThrow(UsageError);
    expect(() => User.find().sort(null as never)).toThrow(UsageError);
  });

  it('gives the first document, or null', async () => {
    expect((await User.find().sort({ age: 1 }).first())?.name).toBe('User00');
    expect(await User.find({ name: 'nobody' }).first()).toBeNull();
    expect(database.sent()[0]).toMatchObject({ limit: 1 });
  });

  it('counts', async () => {
    expect(await User.count()).toBe(10);
    expect(await User.count({ status: 'even' })).toBe(5);
    expect(await User.find({ status: 'even' }).sort({ age: 1 }).count()).toBe(5);
    expect(await User.find().skip(8).count()).toBe(2);
    expect(await User.find().limit(3).count()).toBe(3);
    expect(await User.find().limit(0).count()).toBe(10);
  });

  it('gives clean documents of the class', async () => {
    for (const user of await User.find()) {
      expect(user).toBeInstanceOf(User);
      expect([user.$isNew, user.isModified()]).toEqual([false, false]);
    }
  });

  it('passes the options of the driver on', async () => {
    await User.find({}, { comment: 'why', maxTimeMS: 5000, hint: { _id: 1 } });
    expect(database.sent()[0]).toMatchObject({ comment: 'why', maxTimeMS: 5000, hint: { _id: 1 } });
    await User.count({}, { comment: 'why' });
    expect(database.sent()[0]).toMatchObject({ comment: 'why' });
    await User.findOne({}, { comment: 'one' });
    await User.findById(new ObjectId(), { comment: 'id' });
    expect(database.sent().map((command) => command['comment'])).toEqual(['one', 'id']);
  });

  it.each(['projection', 'raw', 'tailable', 'explain'])(
    'refuses the option "%s", which would change what it gives',
    (option) => {
      expect(() => User.find({}, { [option]: true })).toThrow(UsageError);
      expect(() => User.find({}, { [option]: true })).toThrow(`"${option}"`);
    },
  );

  it("rejects with the server's error", async () => {
    await expect(User.find({ $nonsense: 1 } as object)).rejects.toMatchObject({ cause: { code: 2 } });
    const iterate = async () => {
      for await (const user of User.find({ $nonsense: 1 } as object)) expect(user).toBeUndefined();
    };
    await expect(iterate()).rejects.toMatchObject({ cause: { code: 2 } });
  });
});

describe('lean()', () => {
  it('gives what is stored as plain objects, without defaults', async () => {
    const _id = new ObjectId();
    await database.db.collection('users').insertOne({ _id, name: 'Lean', age: 1, extra: [1] });
    const [lean] = await User.find({ _id }).lean();
    expect(lean).toStrictEqual({ _id, name: 'Lean', age: 1, extra: [1] });
    await User.deleteMany({ _id });
  });

  it('gives the types of the schema', async () => {
    const { _id } = await User.create({ name: 'Rich', age: 1, balance: 5 });
    const lean = await User.find({ _id }).lean().first();
    expect(lean?.balance).toBe(5n);
    await User.deleteMany({ _id });
  });

  it('may be iterated, sorted and counted', async () => {
    const query = User.find().lean().sort({ name: 1 });
    const names: string[] = [];
    for await (const { name } of query) names.push(name);
    expect(names).toHaveLength(10);
    expect(names).toEqual(names.toSorted());
    expect(await query.count()).toBe(10);
  });
});

describe('iteration', () => {
  it('gives every document, over several batches', async () => {
    const names: string[] = [];
    for await (const user of User.find({}, { batchSize: 3 }).sort({ name: 1 })) names.push(user.name);
    expect(names).toEqual(Array.from({ length: 10 }, (_, i) => `User0${i}`));
    expect(commandNames(database.sent())).toEqual(['find', 'getMore', 'getMore', 'getMore']);
  });

  it('closes the cursor when it is left', async () => {
    for await (const user of User.find({}, { batchSize: 2 })) {
      expect(user.name).toMatch(/^User/);
      break;
    }
    expect(commandNames(database.sent())).toEqual(['find', 'killCursors']);
  });

  it('closes the cursor when its body throws', async () => {
    const failing = async () => {
      for await (const user of User.find({}, { batchSize: 2 })) throw new Error(user.name);
    };
    await expect(failing()).rejects.toThrow(/^User/);
    expect(commandNames(database.sent())).toEqual(['find', 'killCursors']);
  });

  it('may save the documents that it gives', async () => {
    for await (const user of User.find({}, { batchSize: 4 })) {
      user.balance = BigInt(user.age);
      await user.save();
    }
    expect((await User.find()).map(({ age, balance }) => Number(balance) === age)).toEqual(Array(10).fill(true));
  });
});

describe('findOne() and findById()', () => {
  it('give a document or null', async () => {
    const found = await User.findOne({ name: 'User03' });
    expect(found?.name).toBe('User03');
    expect(await User.findOne({ name: 'nobody' })).toBeNull();
    expect(await User.findOne({ nothing: 1 } as object)).toBeNull();
    expect((await User.findOne())?.name).toMatch(/^User/);
    expect(await User.findById(new ObjectId())).toBeNull();
    expect((await User.findById(found?._id as ObjectId))?.name).toBe('User03');
  });

  it('take 24 hexadecimal digits for an ObjectId', async () => {
    const user = await User.findOne({ name: 'User03' });
    const hex = String(user?._id);
    expect((await User.findById(hex))?.name).toBe('User03');
    expect((await User.findOne({ _id: hex as never }))?.name).toBe('User03');
  });

  it.each(['not_an_objectid', '', '507f1f77bcf86cd79943901'])('refuse "%s" with a reason', async (id) => {
    for (const call of [
      () => User.findById(id),
      () => User.findOne({ _id: id as never }),
      () => User.findOne({ _id: { $in: [id as never] } }),
      () => User.count({ friend: { $ne: id as never } }),
      () => User.deleteMany({ $or: [{ friend: id }] }),
    ]) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UsageError);
      expect((error as Error).message).toContain('ObjectId');
      if (id !== '') expect((error as Error).message).not.toContain(id);
    }
    expect(database.sent()).toEqual([]);
  });

  it('take a model with an _id of its own as it is', async () => {
    class Country extends model('countries', { _id: z.string(), name: z.string() }) {}
    await Country.create({ _id: 'it', name: 'Italy' });
    expect((await Country.findById('it'))?.name).toBe('Italy');
    expect((await Country.findOne({ _id: { $in: ['it'] } }))?.name).toBe('Italy');
  });
});

describe('a filter', () => {
  it('has ObjectIds for hexadecimal digits where the schema says so, and only there', async () => {
    const id = new ObjectId();
    const hex = id.toHexString();
    await User.find({
      _id: { $in: [hex as never, id] },
      friend: { $eq: hex as never, $exists: true },
      name: hex,
      $and: [{ $or: [{ friend: { $nin: [hex as never] } }] }],
    });
    expect(database.sent()[0]?.['filter']).toEqual({
      _id: { $in: [id, id] },
      friend: { $eq: id, $exists: true },
      name: hex,
      $and: [{ $or: [{ friend: { $nin: [id] } }] }],
    });
  });

  it('has them for the elements of an array, too, and so has an update', async () => {
    class Club extends model('clubs', {
      members: z.array(zodObjectId()).default([]),
      owners: ref<User>(() => User).array(),
      guests: z.array(z.string()).default([]),
    }) {}
    const id = new ObjectId();
    const hex = id.toHexString();
    const club = await Club.create({ members: [hex], owners: [hex], guests: [hex] });
    expect(await Club.count({ members: hex, owners: { $in: [hex] }, guests: hex })).toBe(1);
    expect(await Club.count({ members: { $elemMatch: { $eq: hex } }, owners: { $all: [hex] } })).toBe(1);
    expect(await Club.findBy({ members: hex }).exists()).toBe(true);
    expect(() => Club.find({ members: 'no id' })).toThrow('ObjectId');
    const another = new ObjectId().toHexString();
    await Club.updateOne({}, { $push: { members: another }, $set: { owners: [another as never] } });
    await club.reload();
    expect([club.members, club.owners.map(({ $id }) => $id)]).toEqual([
      [id, new ObjectId(another)],
      [new ObjectId(another)],
    ]);
  });

  it.each<[string, object]>([
    ['at the top', { name: undefined }],
    ['under an operator', { name: { $in: ['x', undefined] } }],
    ['in a list of filters', { $or: [{ name: 'x' }, { age: { $gt: undefined } }] }],
  ])('with undefined is refused: %s', async (_, filter) => {
    expect(() => User.find(filter as never)).toThrow(UsageError);
    await expect(User.findOne(filter as never)).rejects.toThrow('undefined');
    await expect(User.deleteMany(filter as never)).rejects.toThrow('undefined');
    await expect(User.count(filter as never)).rejects.toThrow('undefined');
    await expect(User.findById(undefined as never)).rejects.toThrow('undefined');
    expect(database.sent()).toEqual([]);
  });

  it.each([['a string'], [5], [null], [[]], [new ObjectId()]])('is an object: %j is refused', async (filter) => {
    expect(() => User.find(filter as never)).toThrow(UsageError);
    await expect(User.findOne(filter as never)).rejects.toThrow(UsageError);
    await expect(User.deleteMany(filter as never)).rejects.toThrow(UsageError);
  });

  it('is needed to delete many', async () => {
    await expect(User.deleteMany(undefined as never)).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });
});

describe('deleteMany()', () => {
  it('deletes what matches and gives how many', async () => {
    await User.insertMany([1, 2, 3].map((age) => ({ name: 'Gone', age })));
    expect(await User.deleteMany({ name: 'Gone', age: { $gt: 1 } })).toMatchObject({ deletedCount: 2 });
    expect(await User.deleteMany({ name: 'Gone' })).toMatchObject({ deletedCount: 1 });
  });
});

describe('many documents', () => {
  it('come over several batches, each with its own values', async () => {
    class Row extends model('rows', { i: z.int(), text: z.string() }) {}
    await Row.insertMany(Array.from({ length: 500 }, (_, i) => ({ i, text: 'x'.repeat(i) })));
    const rows = await Row.find({}, { batchSize: 90 }).sort({ i: 1 });
    expect(rows.map(({ i, text }) => i === text.length)).toEqual(Array(500).fill(true));
    const last = rows.at(-1);
    if (last !== undefined) last.text = 'changed';
    await last?.save();
    expect((await Row.findOne({ i: 499 }))?.text).toBe('changed');
    expect(inspect(rows[1])).toMatch(/^Row {.*i: 1, text: 'x'/s);
  });
});
