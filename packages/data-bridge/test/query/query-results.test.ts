import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class User extends model('users', {
  name: z.string(),
  age: z.int().optional(),
  role: z.enum(['admin', 'superuser', 'owner', 'user']).optional(),
  status: z.string().optional(),
  active: z.boolean().optional(),
  email: z.string().optional(),
  score: z.number().optional(),
  createdAt: z.date().optional(),
}) {}

type Input = ConstructorParameters<typeof User>[0];

const database = useDatabase();
beforeEach(async () => {
  await User.deleteMany({});
  database.sent();
});

const store = async (...inputs: Omit<Input, 'name'>[]) => {
  await User.insertMany(inputs.map((input, i) => ({ name: `User0${i}`, ...input })));
  database.sent();
};
const ages = async (age: object) => (await User.find({ age }).sort('age')).map((user) => user.age);
const sortSent = () => Array.from(database.sent()[0]?.['sort'] as Iterable<[string, number]>);

describe('filters', () => {
  it('QUERY-01 send just what they say; an unknown field does not compile', async () => {
    await User.find({ name: 'Alice' });
    expect(database.sent()[0]?.['filter']).toEqual({ name: 'Alice' });
    // @ts-expect-error -- there is no such field
    await User.find({ nmae: 'Alice' });
  });

  it.each<[string, string, object, number[]]>([
    ['QUERY-02', '$gt', { $gt: 25 }, [26]],
    ['QUERY-03', '$gte', { $gte: 25 }, [25, 26]],
    ['QUERY-04', '$lt', { $lt: 25 }, [24]],
    ['QUERY-05', '$lte', { $lte: 25 }, [24, 25]],
    ['QUERY-06', '$ne', { $ne: 25 }, [24, 26]],
  ])('%s %s compares', async (_id, _operator, condition, found) => {
    await store({ age: 24 }, { age: 25 }, { age: 26 });
    expect(await ages(condition)).toEqual(found);
  });

  it('QUERY-07 $and is sent with both conditions', async () => {
    await User.find({ $and: [{ name: 'Alice' }, { age: { $gt: 25 } }] });
    expect(database.sent()[0]?.['filter']).toEqual({ $and: [{ name: 'Alice' }, { age: { $gt: 25 } }] });
  });

  it('QUERY-08 $or finds any of its conditions', async () => {
    await store({ role: 'admin' }, { role: 'superuser' }, { role: 'owner' }, { role: 'user' });
    expect(await User.count({ $or: [{ role: 'admin' }, { role: 'superuser' }, { role: 'owner' }] })).toBe(3);
  });

  it('QUERY-09 a field beside $or must hold, too', async () => {
    await store(
      { role: 'admin', active: true },
      { role: 'owner', active: true },
      { role: 'admin', active: false },
      { role: 'user', active: true },
    );
    const found = await User.find({ active: true, $or: [{ role: 'admin' }, { role: 'owner' }] }).sort('name');
    expect(found.map(({ name }) => name)).toEqual(['User00', 'User01']);
  });

  it('QUERY-10 $in takes values of the type of the field', async () => {
    await store({ status: 'active' }, { status: 'review' }, { status: 'deleted' });
    expect(await User.count({ status: { $in: ['active', 'pending', 'review'] } })).toBe(2);
    // @ts-expect-error -- no text
    expect(await User.count({ status: { $in: [5] } })).toBe(0);
  });

  it('QUERY-11 $nin leaves out exactly its values', async () => {
    await store({ status: 'active' }, { status: 'archived' }, { status: 'deleted' });
    const found = await User.find({ status: { $nin: ['deleted', 'archived'] } });
    expect(found.map(({ status }) => status)).toEqual(['active']);
  });

  it('QUERY-12 $exists finds documents with the field and no others', async () => {
    await store({ email: 'a' }, {}, { email: 'b' });
    expect((await User.find({ email: { $exists: true } }).sort('email')).map(({ email }) => email)).toEqual(['a', 'b']);
  });

  it('QUERY-21 find() follows a filter', async () => {
    await store({ age: 20 }, { age: 35 }, { age: 50 });
    expect(await ages({ $gt: 30 })).toEqual([35, 50]);
  });

  it('QUERY-22 two conditions mean both', async () => {
    await store({ age: 30, status: 'active' }, { age: 30, status: 'closed' }, { age: 31, status: 'active' });
    expect(await User.find({ age: 30, status: 'active' })).toHaveLength(1);
  });

  it('QUERY-23 $or finds 2 of 3', async () => {
    await store({ role: 'admin' }, { role: 'superuser' }, { role: 'user' });
    expect(await User.find({ $or: [{ role: 'admin' }, { role: 'superuser' }] })).toHaveLength(2);
  });

  it('QUERY-24 $in finds 2 of 3', async () => {
    await store({ status: 'active' }, { status: 'pending' }, { status: 'closed' });
    expect(await User.find({ status: { $in: ['active', 'pending'] } })).toHaveLength(2);
  });
});

describe('sort(), skip() and limit()', () => {
  it('QUERY-13 sort() by a name is ascending', async () => {
    await User.find().sort('createdAt');
    expect(sortSent()).toEqual([['createdAt', 1]]);
    await User.find().sort({ createdAt: 1 });
    expect(sortSent()).toEqual([['createdAt', 1]]);
  });

  it('QUERY-14 sort({ createdAt: -1 }) gives the newest first', async () => {
    await store({ createdAt: new Date(1) }, { createdAt: new Date(3) }, { createdAt: new Date(2) });
    const found = await User.find().sort({ createdAt: -1 });
    expect(sortSent()).toEqual([['createdAt', -1]]);
    expect(found.map(({ createdAt }) => Number(createdAt))).toEqual([3, 2, 1]);
  });

  it('QUERY-15 two keys are sent in their order', async () => {
    await User.find().sort({ status: 1, createdAt: -1 });
    expect(sortSent()).toEqual([
      ['status', 1],
      ['createdAt', -1],
    ]);
  });

  it('QUERY-16 sort() called again adds keys', async () => {
    await User.find().sort({ status: 1 }).sort({ name: 1 });
    expect(sortSent()).toEqual([
      ['status', 1],
      ['name', 1],
    ]);
  });

  it('takes words for directions, and nothing else', async () => {
    await User.find().sort({ status: 'desc', name: 'ascending' });
    expect(sortSent()).toEqual([
      ['status', -1],
      ['name', 1],
    ]);
    expect(() => User.find().sort({ name: 2 as never })).toThrow(UsageError);
    expect(() => User.find().sort({ name: 'up' as never })).toThrow('"name"');
  });

  it('QUERY-17 skip(20).limit(10) is sent so', async () => {
    await User.find().skip(20).limit(10);
    expect(database.sent()[0]).toMatchObject({ skip: 20, limit: 10 });
  });

  it('QUERY-18 skip(0) skips nothing', async () => {
    await store({}, {});
    expect(await User.find().skip(0)).toHaveLength(2);
  });

  it('QUERY-19 limit(0) is no limit', async () => {
    await store({}, {}, {});
    expect(await User.find().limit(0)).toHaveLength(3);
  });

  it('QUERY-25 sorts by a number', async () => {
    await store({ score: 75 }, { score: 95 }, { score: 85 });
    expect((await User.find().sort({ score: -1 })).map(({ score }) => score)).toEqual([95, 85, 75]);
  });

  it('QUERY-26 skips and limits in the order', async () => {
    await store(...Array.from({ length: 10 }, () => ({})));
    const found = await User.find().sort('name').skip(3).limit(3);
    expect(found.map(({ name }) => name)).toEqual(['User03', 'User04', 'User05']);
  });
});

describe('what queries answer', () => {
  it('QUERY-20 findOne() gives the one of that name', async () => {
    await User.insertMany([{ name: 'Bob' }, { name: 'Alice' }]);
    expect((await User.findOne({ name: 'Alice' }))?.name).toBe('Alice');
  });

  it('QUERY-27 count() counts all, and what matches', async () => {
    await store({ status: 'active' }, { status: 'active' }, { status: 'closed' });
    expect([await User.count(), await User.find({ status: 'active' }).count()]).toEqual([3, 2]);
  });

  it('QUERY-28 first() gives the first in the order, or null', async () => {
    await store({ age: 30 }, { age: 20 }, { age: 40 });
    expect((await User.find().sort({ age: 1 }).first())?.age).toBe(20);
    expect(await User.find({ age: 5 }).sort({ age: 1 }).first()).toBeNull();
  });

  it('QUERY-29 exists() is true where any matches', async () => {
    await store({});
    expect([await User.find({ name: 'User00' }).exists(), await User.find({ name: 'x' }).exists()]).toEqual([
      true,
      false,
    ]);
  });

  it('QUERY-30 a text is no filter', async () => {
    // @ts-expect-error -- a filter is an object
    await expect(User.findOne('Alice')).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });

  it('QUERY-31 a field that no document has finds nothing', async () => {
    await store({});
    expect(await User.findOne({ email: 'x' })).toBeNull();
  });

  it('QUERY-32 an _id that is none is an error that names ObjectId', async () => {
    await expect(User.findOne({ _id: 'not_an_objectid' })).rejects.toThrow('ObjectId');
  });
});
